//! What operators say of a group of dead letters: whose it is, and whether it is dealt with.

use crate::domain::address::Address;
use crate::domain::time::Timestamp;

/// What an operator has said of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum GroupStand {
    /// Nothing yet.
    #[default]
    New,
    /// Somebody looks after it.
    Acknowledged,
    /// It need not be shown where attention is asked for. Nothing else changes.
    Muted,
    /// It is dealt with.
    Resolved,
}

impl GroupStand {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::New, Self::Acknowledged, Self::Muted, Self::Resolved];

    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Acknowledged => "acknowledged",
            Self::Muted => "muted",
            Self::Resolved => "resolved",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stand| stand.name() == name)
    }
}

/// The state of a group: what was said of it, and what has happened since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroupState {
    /// As it was said, or nothing was.
    Said(GroupStand),
    /// It was resolved, and has grown since.
    Regressed,
}

impl GroupState {
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Said(stand) => stand.name(),
            Self::Regressed => "regressed",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        if name == Self::Regressed.name() {
            return Some(Self::Regressed);
        }
        GroupStand::from_name(name).map(Self::Said)
    }
}

/// What is kept of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMark {
    /// What was said.
    pub stand: GroupStand,
    /// Who looks after it.
    pub owner: Option<Address>,
    /// Words for those who come later.
    pub note: Option<String>,
    /// Who said it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl GroupMark {
    /// The state of its group, whose newest letter died at `last_at`.
    #[must_use]
    pub fn state(&self, last_at: Timestamp) -> GroupState {
        if self.stand == GroupStand::Resolved && last_at > self.at {
            GroupState::Regressed
        } else {
            GroupState::Said(self.stand)
        }
    }
}

/// What changes of it; what is none stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(
    clippy::option_option,
    reason = "what stays and what is taken away are two things, as in the body of a PATCH"
)]
pub struct GroupChange {
    /// What is said.
    pub stand: Option<GroupStand>,
    /// Who looks after it; nobody for the inner none.
    pub owner: Option<Option<Address>>,
    /// The words; none for the inner none.
    pub note: Option<Option<String>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resolved_group_that_grows_has_regressed_and_a_muted_one_stays_muted() {
        let said = |stand| GroupMark {
            stand,
            owner: None,
            note: None,
            by: "agent://local/default/alice".to_owned(),
            at: Timestamp::from_millis(1_000),
        };
        let (before, after) = (Timestamp::from_millis(1_000), Timestamp::from_millis(1_001));
        let resolved = said(GroupStand::Resolved);
        assert_eq!(
            resolved.state(before),
            GroupState::Said(GroupStand::Resolved)
        );
        assert_eq!(resolved.state(after), GroupState::Regressed);
        let muted = said(GroupStand::Muted);
        assert_eq!(muted.state(after), GroupState::Said(GroupStand::Muted));
        for name in ["new", "acknowledged", "muted", "resolved", "regressed"] {
            assert_eq!(GroupState::from_name(name).unwrap().name(), name);
        }
    }
}
