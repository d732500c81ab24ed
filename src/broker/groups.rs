//! What operators say of groups of dead letters, kept as one small text of the store.
//!
//! 1. A mark is durable with the commit that tells it in the audit log and in the feed.
//! 2. Marks never touch letters: a mute hides, and nothing more.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::broker::batch::Batch;
use crate::broker::request::{AdminReceipt, AdminRefusal, AuditNote, BrokerError};
use crate::domain::address::Address;
use crate::domain::fact::{Actor, Notice};
use crate::domain::group::{GroupChange, GroupMark, GroupStand};
use crate::domain::payload::Payload;
use crate::domain::time::Timestamp;
use crate::store::error::StoreError;
use crate::store::query::{LetterFilter, LetterState};
use crate::store::{Reader, Write};

/// The text that holds them.
const MARKS: &str = "letter_groups";
/// Marks that are kept; beyond that the oldest goes.
const MARKS_MAX: usize = 1_000;

/// What was said, by fingerprint.
pub type Marks = BTreeMap<String, GroupMark>;

/// What was said of groups.
///
/// # Errors
/// The store's fault, or [`StoreError::Corrupt`].
pub fn marks(reader: &mut dyn Reader) -> Result<Marks, StoreError> {
    let Some(text) = reader.text(MARKS)? else {
        return Ok(Marks::new());
    };
    let corrupt = |reason: String| StoreError::Corrupt {
        what: "marks of groups".to_owned(),
        reason,
    };
    let kept: BTreeMap<String, Value> =
        serde_json::from_str(&text).map_err(|error| corrupt(error.to_string()))?;
    let mut marks = Marks::new();
    for (fingerprint, value) in kept {
        let mark = mark_of(&value).ok_or_else(|| corrupt(format!("{fingerprint}: {value}")))?;
        marks.insert(fingerprint, mark);
    }
    Ok(marks)
}

fn mark_of(value: &Value) -> Option<GroupMark> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    Some(GroupMark {
        stand: GroupStand::from_name(text("state")?)?,
        owner: text("owner").map(Address::trusted),
        note: text("note").map(str::to_owned),
        by: text("by")?.to_owned(),
        at: Timestamp::from_millis(value.get("at")?.as_i64()?),
    })
}

fn kept(marks: &Marks) -> String {
    let kept: BTreeMap<&String, Value> = marks
        .iter()
        .map(|(fingerprint, mark)| {
            let owner = mark.owner.as_ref().map(Address::key);
            let value = json!({
                "state": mark.stand.name(), "owner": owner, "note": mark.note,
                "by": mark.by, "at": mark.at.as_millis(),
            });
            (fingerprint, value)
        })
        .collect();
    json!(kept).to_string()
}

/// Says something of a group. A group is known when a letter of it is kept, whatever became of it.
pub(super) fn mark(
    batch: &mut Batch<'_>,
    fingerprint: &str,
    change: &GroupChange,
    note: &AuditNote,
) -> Result<AdminReceipt, BrokerError> {
    let mut marks = match batch.marks.take() {
        Some(marks) => marks,
        None => marks_of(batch)?,
    };
    let before = marks.get(fingerprint).cloned();
    if before.is_none() && !is_known(batch, fingerprint)? {
        batch.marks = Some(marks);
        return Err(AdminRefusal::NoGroup(fingerprint.to_owned()).into());
    }
    let mark = changed(before, change, note, batch.now);
    marks.insert(fingerprint.to_owned(), mark.clone());
    if marks.len() > MARKS_MAX {
        let oldest = marks.iter().min_by_key(|(_, mark)| mark.at);
        if let Some(oldest) = oldest.map(|(fingerprint, _)| fingerprint.clone()) {
            marks.remove(&oldest);
        }
    }
    batch.txn.put(Write::Text(MARKS, kept(&marks)))?;
    batch.marks = Some(marks);
    let data = json!({
        "fingerprint": fingerprint, "state": mark.stand.name(),
        "owner": mark.owner.as_ref().map(ToString::to_string), "note": mark.note,
    });
    batch.notice(Notice {
        at: batch.now,
        actor: Actor::Party(note.actor.clone()),
        kind: "dead_letter.group_marked".to_owned(),
        agent: None,
        data: Payload::of(&data),
    })?;
    Ok(AdminReceipt {
        group: Some(Box::new(mark)),
        ..AdminReceipt::default()
    })
}

fn marks_of(batch: &mut Batch<'_>) -> Result<Marks, StoreError> {
    marks(batch.reader)
}

fn is_known(batch: &mut Batch<'_>, fingerprint: &str) -> Result<bool, StoreError> {
    for state in [
        LetterState::Open,
        LetterState::Replayed,
        LetterState::Discarded,
    ] {
        let filter = LetterFilter {
            fingerprint: Some(fingerprint.to_owned()),
            state: Some(state),
            ..LetterFilter::default()
        };
        if batch.reader.letter_count(&filter)? > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

fn changed(
    before: Option<GroupMark>,
    change: &GroupChange,
    note: &AuditNote,
    now: Timestamp,
) -> GroupMark {
    let (stand, owner, words) = before.map_or((GroupStand::New, None, None), |mark| {
        (mark.stand, mark.owner, mark.note)
    });
    let GroupChange {
        stand: new_stand,
        owner: new_owner,
        note: new_words,
    } = change.clone();
    GroupMark {
        stand: new_stand.unwrap_or(stand),
        owner: new_owner.unwrap_or(owner),
        note: new_words.unwrap_or(words),
        by: note.actor.clone(),
        at: now,
    }
}
