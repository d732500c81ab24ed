//! What was changed about an intent after it was accepted: its controls, its envelope, and who else may act.

use serde_json::{Map, Value};

use crate::domain::address::{Address, Home};
use crate::domain::payload::Payload;
use crate::domain::time::Span;

/// What was said about an intent beside its body. The objects are kept as they were said; what has an effect
/// has it on the intent itself, save the delay, which has no other place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Controls {
    /// `timeout_seconds`, and whatever else was said.
    pub controls: Payload,
    /// `ttl_seconds`, `max_retry_count`, ..., and whatever else was said.
    pub envelope: Payload,
    /// `delegate:<address>` with what it may do, and whatever else was said.
    pub grants: Payload,
    /// Between tries, in place of the schedule.
    pub retry_delay: Option<Span>,
}

/// How long to wait between tries, where an intent says so itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryDelay {
    /// As the schedule of its binding says.
    Scheduled,
    /// So long each time.
    Fixed(Span),
}

impl RetryDelay {
    /// The span in place of the schedule.
    #[must_use]
    pub const fn fixed(self) -> Option<Span> {
        match self {
            Self::Scheduled => None,
            Self::Fixed(span) => Some(span),
        }
    }
}

/// What a grant may allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Granted {
    /// To answer it.
    Resume,
    /// To change its controls.
    UpdateControls,
    /// To change its policy.
    UpdatePolicy,
}

impl Granted {
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resume => "resume",
            Self::UpdateControls => "update_controls",
            Self::UpdatePolicy => "update_policy",
        }
    }
}

/// What the key of a grant to somebody begins with.
pub const DELEGATE: &str = "delegate:";

impl Default for Controls {
    fn default() -> Self {
        Self {
            controls: Payload::empty(),
            envelope: Payload::empty(),
            grants: Payload::empty(),
            retry_delay: None,
        }
    }
}

impl Controls {
    /// What somebody was granted; empty when nothing.
    fn allowed(&self, who: &Address, home: &Home) -> Vec<Value> {
        let Value::Object(grants) = self.grants.to_value() else {
            return Vec::new();
        };
        let is_theirs = |key: &str| {
            key.strip_prefix(DELEGATE)
                .is_some_and(|text| Address::parse(text, home).is_ok_and(|one| one == *who))
        };
        grants
            .into_iter()
            .filter(|(key, _)| is_theirs(key))
            .filter_map(|(_, grant)| grant.get("allow")?.as_array().cloned())
            .flatten()
            .collect()
    }

    /// True when somebody was granted that.
    #[must_use]
    pub fn allow(&self, who: &Address, what: Granted, home: &Home) -> bool {
        self.allowed(who, home)
            .iter()
            .any(|word| word.as_str() == Some(what.name()))
    }

    /// True when somebody was granted anything, and so may look.
    #[must_use]
    pub fn allow_anything(&self, who: &Address, home: &Home) -> bool {
        !self.allowed(who, home).is_empty()
    }

    /// Bytes of everything that is kept.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let parts = [&self.controls, &self.envelope, &self.grants];
        parts.into_iter().map(Payload::len).sum()
    }
}

/// An object with the keys of a patch laid over it, one level deep; `null` takes a key away.
#[must_use]
pub fn patched(object: &Payload, patch: &Payload) -> Payload {
    let keys = |payload: &Payload| match payload.to_value() {
        Value::Object(keys) => keys,
        _ => Map::new(),
    };
    let mut whole = keys(object);
    for (key, value) in keys(patch) {
        if value.is_null() {
            whole.remove(&key);
        } else {
            whole.insert(key, value);
        }
    }
    Payload::of(&Value::Object(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_replaces_adds_and_takes_away_keys() {
        let object = Payload::object(r#"{"a":1,"b":{"x":1},"c":3}"#).unwrap();
        let patch = Payload::object(r#"{"b":{"y":2},"c":null,"d":4,"e":null}"#).unwrap();
        assert_eq!(
            patched(&object, &patch).to_value(),
            serde_json::json!({ "a": 1, "b": { "y": 2 }, "d": 4 })
        );
    }

    #[test]
    fn a_grant_is_found_under_any_spelling_of_its_address_and_allows_what_it_says() {
        let home = Home::default();
        let ops = Address::parse("ops", &home).unwrap();
        let other = Address::parse("other", &home).unwrap();
        for key in ["delegate:ops", "delegate:agent://local/default/OPS"] {
            let grants = serde_json::json!({ key: { "allow": ["resume"] }, "note": [1] });
            let controls = Controls {
                grants: Payload::of(&grants),
                ..Controls::default()
            };
            assert!(controls.allow(&ops, Granted::Resume, &home), "{key}");
            assert!(!controls.allow(&ops, Granted::UpdateControls, &home));
            assert!(controls.allow_anything(&ops, &home));
            assert!(!controls.allow_anything(&other, &home));
        }
        assert!(!Controls::default().allow_anything(&ops, &home));
    }
}
