//! Addresses: who an intent is from and to.

use std::fmt;
use std::sync::Arc;

/// Most characters that an address may have, as it is given and as it is printed.
pub const ADDRESS_CHARS_MAX: usize = 383;

/// The scheme of everybody.
const AGENT: &str = "agent://";

/// The scheme of webhook subscriptions.
const WEBHOOK: &str = "webhook://";

/// The names of this broker's one organisation and workspace; a bare name is completed with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// The organisation, `local` by default.
    pub org: String,
    /// The workspace, `default` by default.
    pub workspace: String,
}

impl Default for Home {
    fn default() -> Self {
        Self {
            org: "local".to_owned(),
            workspace: "default".to_owned(),
        }
    }
}

/// A normalised address: the matching key without its scheme, such as `local/default/orders`.
///
/// Two parties meet when their addresses are equal. Cloning is cheap.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(Arc<str>);

/// Why a text is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// Nothing, or only white space.
    #[error("address is blank")]
    Blank,
    /// White space or control characters inside.
    #[error("address {0:?} contains white space or control characters")]
    Characters(String),
    /// Longer than [`ADDRESS_CHARS_MAX`].
    #[error("address has {0} characters in full, at most {ADDRESS_CHARS_MAX} are allowed")]
    TooLong(usize),
    /// More than organisation, workspace and name, or an empty segment.
    #[error("address {0:?} is not a name, org/workspace/name or agent://org/workspace/name")]
    Segments(String),
    /// `webhook://` belongs to the broker.
    #[error("scheme webhook:// is reserved")]
    Reserved,
}

impl Address {
    /// Normalises any accepted form: `agent://org/ws/name`, `org/ws/name`, `name`, two segments,
    /// `human`, `initiator://...`, an e-mail address.
    ///
    /// # Errors
    /// [`BadAddress`] says what is wrong with it.
    pub fn parse(text: &str, home: &Home) -> Result<Self, BadAddress> {
        let given = text.trim();
        if given.is_empty() {
            return Err(BadAddress::Blank);
        }
        let characters = given.chars().count();
        if characters > ADDRESS_CHARS_MAX {
            return Err(BadAddress::TooLong(characters));
        }
        if given
            .chars()
            .any(|character| character.is_whitespace() || character.is_control())
        {
            return Err(BadAddress::Characters(given.to_owned()));
        }
        let lower = given.to_lowercase();
        if lower.starts_with(WEBHOOK) {
            return Err(BadAddress::Reserved);
        }
        let (scheme, rest) = match lower.strip_prefix(AGENT) {
            Some(rest) => ("", rest),
            None => match lower.strip_prefix("initiator://") {
                Some(rest) => ("initiator/", rest),
                None => ("", lower.as_str()),
            },
        };
        let path = rest.trim_matches('/');
        let segments = path.split('/').count() + scheme.matches('/').count();
        if path.is_empty()
            || path.split('/').any(str::is_empty)
            || segments > 3
            || path.contains("://")
        {
            return Err(BadAddress::Segments(given.to_owned()));
        }
        let key = if segments == 1 && scheme.is_empty() {
            format!("{}/{}/{path}", home.org, home.workspace)
        } else {
            format!("{scheme}{path}")
        };
        // What we print, others send back to us.
        let characters = AGENT.len() + key.chars().count();
        if characters > ADDRESS_CHARS_MAX {
            return Err(BadAddress::TooLong(characters));
        }
        Ok(Self(Arc::from(key)))
    }

    /// The address of a webhook subscription: nobody can give it, and only the broker sends there.
    #[must_use]
    pub fn webhook(id: &str) -> Self {
        Self(Arc::from(format!("{WEBHOOK}{id}")))
    }

    /// True for the address of a webhook subscription.
    #[must_use]
    pub fn is_webhook(&self) -> bool {
        self.0.starts_with(WEBHOOK)
    }

    /// Takes a key that this type printed before, such as a row of the store. Not checked again.
    #[must_use]
    pub fn trusted(key: impl Into<Arc<str>>) -> Self {
        Self(key.into())
    }

    /// The matching key, without a scheme.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.0
    }

    /// The last segment: the short name that lists show.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
}

/// The wire's form: `agent://org/workspace/name`.
impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_webhook() {
            formatter.write_str(&self.0)
        } else {
            write!(formatter, "{AGENT}{}", self.0)
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Address({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> String {
        Address::parse(text, &Home::default())
            .unwrap()
            .key()
            .to_owned()
    }

    #[test]
    fn every_accepted_form_of_one_address_meets() {
        for form in [
            "orders",
            "ORDERS",
            "local/default/orders",
            "agent://local/default/orders/",
        ] {
            assert_eq!(key(form), "local/default/orders");
        }
        assert_eq!(
            key("agent://myorg/production/orders"),
            "myorg/production/orders"
        );
        assert_eq!(key("agent://team/receiver"), "team/receiver");
        assert_eq!(key("ops@example.test"), "local/default/ops@example.test");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "  ",
            "a b",
            "a\u{7}b",
            "a/b/c/d",
            "agent://",
            "webhook://x",
            "a//b",
            "http://x/y",
        ] {
            assert!(Address::parse(text, &Home::default()).is_err(), "{text:?}");
        }
        assert!(Address::parse(&"x".repeat(384), &Home::default()).is_err());
    }

    #[test]
    fn what_an_accepted_address_prints_as_is_accepted_too() {
        let home = Home::default();
        let longest = ADDRESS_CHARS_MAX - "agent://local/default/".len();
        for text in ["initiator://ann", "initiator://a/b", &"x".repeat(longest)] {
            let address = Address::parse(text, &home).unwrap();
            assert_eq!(Address::parse(&address.to_string(), &home), Ok(address));
        }
        for text in ["initiator://a/b/c", &"x".repeat(longest + 1)] {
            assert!(Address::parse(text, &home).is_err(), "{text}");
        }
    }
}
