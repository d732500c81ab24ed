//! Links that decide: who may open which task, proved by a code that only this broker can make.
//!
//! A link is the intent, the fact that its mail was about, and the first half of an HMAC-SHA256 over both
//! and the person: 128 bits (RFC 2104, section 5). Nothing of it is stored; the key lies beside the store,
//! in a file of its owner's, so that neither the store nor a backup of it can decide anything.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

use super::letter::holders;
use crate::domain::address::{Address, Home};
use crate::domain::ids::IntentId;
use crate::domain::intent::Intent;
use crate::domain::time::{Span, Timestamp};

/// Bytes of the code.
const CODE_BYTES: usize = 16;
/// Characters of a link: 16 bytes of the intent, 4 of the fact, 16 of the code.
const LINK_CHARS: usize = 48;

/// Makes and reads links.
#[derive(Clone)]
pub struct Links {
    key: [u8; 32],
    lifetime: Span,
}

impl fmt::Debug for Links {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Links")
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

/// A link as it came: whether it is one of ours only [`Links::person`] tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Which intent.
    pub intent: IntentId,
    /// The fact that its mail was about.
    pub seq: u32,
    code: [u8; CODE_BYTES],
}

impl Link {
    /// Reads the text of a link; none when it cannot be one.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        if text.len() != LINK_CHARS {
            return None;
        }
        let bytes: [u8; 36] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (intent, rest) = bytes.split_first_chunk::<16>()?;
        let (seq, code) = rest.split_first_chunk::<4>()?;
        Some(Self {
            intent: IntentId(Uuid::from_bytes(*intent)),
            seq: u32::from_be_bytes(*seq),
            code: code.try_into().ok()?,
        })
    }
}

impl Links {
    /// Links under this key that decide for so long.
    #[must_use]
    pub const fn new(key: [u8; 32], lifetime: Span) -> Self {
        Self { key, lifetime }
    }

    /// The text of a link for that person.
    #[must_use]
    pub fn text(&self, intent: IntentId, seq: u32, person: &Address) -> String {
        let code = self.mac(intent, seq, person).finalize().into_bytes();
        let mut bytes = Vec::with_capacity(36);
        bytes.extend_from_slice(intent.0.as_bytes());
        bytes.extend_from_slice(&seq.to_be_bytes());
        bytes.extend(code.iter().take(CODE_BYTES));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Whose link it is, among those who have the task now; none when it is nobody's.
    #[must_use]
    pub fn person(&self, link: &Link, intent: &Intent, home: &Home) -> Option<Address> {
        holders(intent, home).into_iter().find(|person| {
            let mac = self.mac(link.intent, link.seq, person);
            // In constant time: how much of a guess is right does not show.
            mac.verify_truncated_left(&link.code).is_ok()
        })
    }

    /// When a link decides no longer, whose mail was about something at that instant.
    #[must_use]
    pub const fn expires(&self, at: Timestamp) -> Timestamp {
        at.after(self.lifetime)
    }

    #[expect(clippy::expect_used, reason = "the invariant is the library's")]
    fn mac(&self, intent: IntentId, seq: u32, person: &Address) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key)
            .expect("invariant: HMAC takes a key of any length");
        mac.update(b"postroom link 1\0");
        mac.update(intent.0.as_bytes());
        mac.update(&seq.to_be_bytes());
        mac.update(person.key().as_bytes());
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{person, task};
    use super::*;

    fn links(key: u8) -> Links {
        Links::new([key; 32], Span::from_seconds(3600))
    }

    #[test]
    fn a_link_is_read_back_as_the_one_it_was_made_for() {
        let intent = task("finance", &["lead"]);
        let text = links(1).text(intent.id, 7, &person("lead"));
        assert_eq!(text.len(), LINK_CHARS);
        let link = Link::read(&text).unwrap();
        assert_eq!((link.intent, link.seq), (intent.id, 7));
        let whose = links(1).person(&link, &intent, &Home::default());
        assert_eq!(whose, Some(person("lead")));
    }

    #[test]
    fn no_letter_of_a_link_can_be_changed() {
        let intent = task("finance", &[]);
        let text = links(1).text(intent.id, 7, &person("finance"));
        for place in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            let link = Link::read(&changed);
            let whose = link.and_then(|link| links(1).person(&link, &intent, &Home::default()));
            assert_eq!(whose, None, "at {place}");
        }
        assert_eq!(Link::read(text.get(1..).unwrap()), None);
        assert_eq!(Link::read(&format!("{text}A")), None);
        assert_eq!(Link::read(""), None);
    }

    #[test]
    fn a_link_of_another_key_or_of_somebody_without_the_task_is_nobodys() {
        let intent = task("finance", &["lead"]);
        let home = Home::default();
        let of = |links: &Links, name: &str| {
            Link::read(&links.text(intent.id, 7, &person(name))).unwrap()
        };
        let theirs = of(&links(2), "finance");
        assert_eq!(links(1).person(&theirs, &intent, &home), None);
        let stranger = of(&links(1), "stranger");
        assert_eq!(links(1).person(&stranger, &intent, &home), None);
    }

    #[test]
    fn the_key_is_not_printed() {
        assert!(!format!("{:?}", links(77)).contains("77"));
    }
}
