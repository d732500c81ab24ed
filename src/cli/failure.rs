//! Why a verb did not do what it was asked, and with which exit code that ends.

use std::fmt;

/// The end of a verb that has not done what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The broker said no, or something failed on the way. Exit code 1.
    Refused(Said),
    /// It was asked in a way that makes no sense. Exit code 2.
    Usage(Said),
    /// No broker answers. Exit code 3.
    Unreachable(Said),
    /// It has said so already. Exit code 1.
    Silent,
    /// Whoever read our output has gone: nothing is left to be done. Exit code 0.
    PipeClosed,
}

/// A sentence with what helps against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// What could not be done, naming the thing.
    pub message: String,
    /// The way out, when we know one.
    pub hint: Option<String>,
}

impl Failure {
    /// Something failed.
    #[must_use]
    pub fn refused(message: impl Into<String>) -> Self {
        Self::Refused(Said::plain(message))
    }

    /// It was asked in a way that makes no sense.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self::Usage(Said::plain(message))
    }

    /// No broker answers.
    #[must_use]
    pub fn unreachable(message: impl Into<String>) -> Self {
        Self::Unreachable(Said::plain(message))
    }

    /// The same with the way out.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        match &mut self {
            Self::Refused(said) | Self::Usage(said) | Self::Unreachable(said) => {
                said.hint = Some(hint.into());
            }
            Self::Silent | Self::PipeClosed => {}
        }
        self
    }

    /// 0 done, 1 refused or failed, 2 usage, 3 unreachable.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::PipeClosed => 0,
            Self::Refused(_) | Self::Silent => 1,
            Self::Usage(_) => 2,
            Self::Unreachable(_) => 3,
        }
    }

    /// What is to be said on standard error, if anything.
    #[must_use]
    pub const fn said(&self) -> Option<&Said> {
        match self {
            Self::Refused(said) | Self::Usage(said) | Self::Unreachable(said) => Some(said),
            Self::Silent | Self::PipeClosed => None,
        }
    }
}

impl Said {
    /// A sentence; what follows `; hint: ` in it is its hint.
    fn plain(message: impl Into<String>) -> Self {
        let message = message.into();
        match message.split_once("; hint: ") {
            Some((message, hint)) => Self {
                message: message.to_owned(),
                hint: Some(hint.to_owned()),
            },
            None => Self {
                message,
                hint: None,
            },
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.said() {
            Some(said) => formatter.write_str(&said.message),
            None => formatter.write_str("nothing to add"),
        }
    }
}

impl std::error::Error for Failure {}

impl From<std::io::Error> for Failure {
    /// For writing to standard output, where a closed pipe is the reader's good right.
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            Self::PipeClosed
        } else {
            Self::refused(format!("write to standard output: {error}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_inside_the_sentence_is_told_apart() {
        let failure = Failure::refused("the broker is busy; hint: try again in a second");
        let said = failure.said().unwrap();
        assert_eq!(said.message, "the broker is busy");
        assert_eq!(said.hint.as_deref(), Some("try again in a second"));
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let error = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        assert_eq!(Failure::from(error).exit_code(), 0);
    }
}
