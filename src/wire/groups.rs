//! What is said of groups of dead letters, and how it is shown.

use crate::domain::address::Home;
use crate::domain::group::{GroupChange, GroupMark, GroupStand, GroupState};
use crate::domain::time::Timestamp;
use crate::wire::body::{Body, Fields};
use crate::wire::errors::Problem;
use crate::wire::json::Object;

/// Most characters of a note or a reason.
const WORDS_CHARS_MAX: usize = 2000;

/// A change as a body asks for it, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// What changes.
    pub change: GroupChange,
    /// Why.
    pub reason: Option<String>,
}

impl Marked {
    /// Reads the body of a request; an empty owner or note takes it away.
    ///
    /// # Errors
    /// `schema_invalid` or `invalid_agent_address`.
    pub fn read(body: &Body<'_>, home: &Home) -> Result<Self, Problem> {
        let mut fields = Fields::of(body);
        let stand = fields.text("state", 32).and_then(|name| {
            let stand = GroupStand::from_name(&name);
            if stand.is_none() {
                let message = format!("{name:?} is none of new, acknowledged, muted, resolved");
                fields.wrong("state", message, "string");
            }
            stand
        });
        let is_nobody = body.get("owner").is_some_and(|owner| owner.get() == "\"\"");
        let owner = if is_nobody {
            drop(fields.text("owner", 1));
            Some(None)
        } else {
            fields.address("owner", home).map(Some)
        };
        let note = fields.text("note", WORDS_CHARS_MAX);
        let note = note.map(|note| Some(note).filter(|note| !note.is_empty()));
        let reason = fields.text("reason", WORDS_CHARS_MAX);
        fields.done()?;
        Ok(Self {
            change: GroupChange { stand, owner, note },
            reason,
        })
    }
}

/// The keys of a group that say what was said of it.
#[must_use]
pub fn with_mark(object: Object, mark: Option<&GroupMark>, last_at: Timestamp) -> Object {
    let state = mark.map_or(GroupState::Said(GroupStand::New), |mark| {
        mark.state(last_at)
    });
    object
        .text("state", state.name())
        .shown_or_null("owner", mark.and_then(|mark| mark.owner.as_ref()))
        .text_or_null("note", mark.and_then(|mark| mark.note.as_deref()))
        .text_or_null("marked_by", mark.map(|mark| mark.by.as_str()))
        .shown_or_null("marked_at", mark.map(|mark| mark.at))
}
