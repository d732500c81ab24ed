//! Who may send to an agent: a policy with patterns of senders (wire contract 12.4).

use crate::domain::address::{Address, BadAddress, Home};
use crate::domain::ids::PolicyEntryId;
use crate::domain::time::Timestamp;

/// Most patterns of one policy.
pub const ENTRIES_MAX: usize = 1000;

/// Who may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum SendMode {
    /// Everybody; the entries are kept and mean nothing.
    #[default]
    Open,
    /// Only senders that an entry matches.
    Allowlist,
    /// Everybody but those.
    Denylist,
}

impl SendMode {
    /// Every mode.
    pub const ALL: [Self; 3] = [Self::Open, Self::Allowlist, Self::Denylist];

    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Allowlist => "allowlist",
            Self::Denylist => "denylist",
        }
    }

    /// The mode of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }
}

/// A policy with its entries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SendPolicy {
    /// Who may send.
    pub mode: SendMode,
    /// The patterns, oldest first.
    pub entries: Vec<PolicyEntry>,
    /// The id that was given out last, so that none comes again.
    pub last_entry: u64,
}

/// One pattern of senders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyEntry {
    /// Its id, unique within its agent.
    pub id: PolicyEntryId,
    /// Which senders.
    pub pattern: SenderPattern,
    /// When it was added.
    pub created_at: Timestamp,
}

/// An exact address, or the beginning of one up to a slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderPattern(String);

impl SenderPattern {
    /// Reads `agent://org/ws/name` in any accepted form, `agent://org/ws/*`, `agent://org/*` or `*`.
    ///
    /// # Errors
    /// [`BadAddress`] says what is wrong with it.
    pub fn parse(text: &str, home: &Home) -> Result<Self, BadAddress> {
        let given = text.trim().to_lowercase();
        let path = given.strip_prefix("agent://").unwrap_or(&given);
        if path == "*" {
            return Ok(Self(path.to_owned()));
        }
        let Some(place) = path.strip_suffix("/*") else {
            // A star anywhere else would look like a pattern and mean nobody.
            if path.contains('*') {
                return Err(BadAddress::Segments(text.trim().to_owned()));
            }
            let address = Address::parse(text, home)?;
            return Ok(Self(address.key().to_owned()));
        };
        if place.contains('*') || place.split('/').count() > 2 {
            return Err(BadAddress::Segments(text.trim().to_owned()));
        }
        // Whatever can stand before a name is an address of its own once a name follows.
        Address::parse(&format!("agent://{place}/x"), home)?;
        Ok(Self(format!("{}/*", place.trim_matches('/'))))
    }

    /// Takes the key of a pattern that was read before, such as one in the store. Not checked again.
    #[must_use]
    pub const fn trusted(key: String) -> Self {
        Self(key)
    }

    /// The key, without a scheme.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.0
    }

    /// True when it means this sender.
    #[must_use]
    pub fn matches(&self, sender: &Address) -> bool {
        match self.0.strip_suffix('*') {
            Some(start) => sender.key().starts_with(start),
            None => sender.key() == self.0,
        }
    }
}

/// The wire's form.
impl std::fmt::Display for SenderPattern {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0 == "*" {
            formatter.write_str("*")
        } else {
            write!(formatter, "agent://{}", self.0)
        }
    }
}

/// Why a sender may not send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// No entry of the allowlist means it.
    NotAllowed,
    /// An entry of the denylist means it.
    Denied,
    /// The sender or the receiver is killed.
    AgentKilled,
}

impl Denial {
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotAllowed => "sender_not_in_receive_allowlist",
            Self::Denied => "sender_denied",
            Self::AgentKilled => "agent_killed",
        }
    }
}

impl SendPolicy {
    /// Why this sender may not send here, if so.
    #[must_use]
    pub fn denies(&self, sender: &Address) -> Option<Denial> {
        let is_meant = || {
            self.entries
                .iter()
                .any(|entry| entry.pattern.matches(sender))
        };
        match self.mode {
            SendMode::Open => None,
            SendMode::Allowlist => (!is_meant()).then_some(Denial::NotAllowed),
            SendMode::Denylist => is_meant().then_some(Denial::Denied),
        }
    }

    /// The policy with one more entry, and that entry. The same pattern again gives the entry there is.
    #[must_use]
    pub fn with(&self, pattern: SenderPattern, now: Timestamp) -> (Self, PolicyEntry) {
        if let Some(known) = self.entries.iter().find(|entry| entry.pattern == pattern) {
            return (self.clone(), known.clone());
        }
        let mut policy = self.clone();
        policy.last_entry = policy.last_entry.saturating_add(1);
        let entry = PolicyEntry {
            id: PolicyEntryId(policy.last_entry),
            pattern,
            created_at: now,
        };
        policy.entries.push(entry.clone());
        (policy, entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address::parse(text, &Home::default()).unwrap()
    }

    fn pattern(text: &str) -> SenderPattern {
        SenderPattern::parse(text, &Home::default()).unwrap()
    }

    #[test]
    fn a_pattern_means_an_address_or_everything_below_a_place() {
        for (text, sender, is_meant) in [
            ("web", "agent://local/default/web", true),
            ("agent://Local/default/web", "web", true),
            ("web", "web2", false),
            ("agent://local/default/*", "web", true),
            ("local/default/*", "agent://local/defaults/web", false),
            ("agent://acme/*", "agent://acme/prod/web", true),
            ("agent://acme/*", "agent://acme2/prod/web", false),
            ("*", "agent://anything/at/all", true),
        ] {
            let found = pattern(text).matches(&address(sender));
            assert_eq!(found, is_meant, "{text} for {sender}");
        }
        for text in ["", "a b", "*/x", "a/*/c", "a/b/c/*", "webhook://x", "a/b*"] {
            let read = SenderPattern::parse(text, &Home::default());
            assert!(read.is_err(), "{text:?}");
        }
    }

    #[test]
    fn lists_allow_or_deny_whom_an_entry_means_and_open_everybody() {
        let now = Timestamp::from_millis(1);
        let (policy, entry) = SendPolicy::default().with(pattern("web"), now);
        assert_eq!(policy.with(pattern("web"), now), (policy.clone(), entry));
        let of = |mode| SendPolicy {
            mode,
            ..policy.clone()
        };
        let (web, app) = (address("web"), address("app"));
        assert_eq!(of(SendMode::Open).denies(&app), None);
        assert_eq!(of(SendMode::Allowlist).denies(&web), None);
        assert_eq!(
            of(SendMode::Allowlist).denies(&app),
            Some(Denial::NotAllowed)
        );
        assert_eq!(of(SendMode::Denylist).denies(&web), Some(Denial::Denied));
        assert_eq!(of(SendMode::Denylist).denies(&app), None);
    }
}
