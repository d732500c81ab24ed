//! Rows of threads and of dead letters: only intents that are such have them.

use rusqlite::{Connection, params};

use crate::domain::failure::DeadReason;
use crate::domain::intent::Intent;
use crate::store::derive::{self, ThreadRow};
use crate::store::error::StoreError;
use crate::store::query::ThreadKind;

use super::columns;
use super::failure::Named as _;
use super::names::Names;

/// The key of an intent's thread of a kind.
pub(super) const fn key(local: i64, kind: ThreadKind) -> i64 {
    match kind {
        ThreadKind::Task => local << 1,
        ThreadKind::Completion => (local << 1) | 1,
    }
}

/// What [`key`] was made of.
pub(super) const fn unkey(key: i64) -> (i64, ThreadKind) {
    let kind = if key & 1 == 0 {
        ThreadKind::Task
    } else {
        ThreadKind::Completion
    };
    (key >> 1, kind)
}

/// Brings both threads of an intent up to date.
pub(super) fn write_threads(
    connection: &Connection,
    names: &mut Names,
    local: i64,
    (before, after): (Option<&Intent>, &Intent),
) -> Result<(), StoreError> {
    type Derive = fn(&Intent) -> Option<ThreadRow>;
    let kinds: [(ThreadKind, Derive); 2] = [
        (ThreadKind::Task, derive::task_thread),
        (ThreadKind::Completion, derive::completion_thread),
    ];
    for (kind, derive) in kinds {
        let (was, is) = (before.and_then(derive), derive(after));
        if was == is {
            continue;
        }
        let key = key(local, kind);
        share(connection, names, key, (was.as_ref(), is.as_ref()))?;
        let Some(thread) = is else {
            connection
                .prepare_cached("DELETE FROM threads WHERE key = ?1")
                .named("delete thread")?
                .execute(params![key])
                .named("delete thread")?;
            continue;
        };
        let owner = names.number(connection, thread.owner.key())?;
        // The completion's id is the intent's own, which has an index already.
        let id = (kind == ThreadKind::Task).then(|| *thread.id.0.as_bytes());
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO threads (key, id, owner, is_pending, updated_at, due_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )
            .named("write thread")?
            .execute(params![
                key,
                id,
                owner,
                thread.is_pending,
                thread.updated_at.as_millis(),
                thread.due_at.as_millis(),
            ])
            .named("write thread")?;
    }
    Ok(())
}

/// Brings the rows of those who hold a thread beside its owner up to date.
pub(super) fn share(
    connection: &Connection,
    names: &mut Names,
    key: i64,
    (was, is): (Option<&ThreadRow>, Option<&ThreadRow>),
) -> Result<(), StoreError> {
    if let Some(thread) = was {
        for holder in &thread.shared {
            let holder = names.number(connection, holder.key())?;
            connection
                .prepare_cached(
                    "DELETE FROM shared_threads WHERE owner = ?1 AND updated_at = ?2 AND key = ?3",
                )
                .named("share thread")?
                .execute(params![holder, thread.updated_at.as_millis(), key])
                .named("share thread")?;
        }
    }
    if let Some(thread) = is {
        for holder in &thread.shared {
            let holder = names.number(connection, holder.key())?;
            connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO shared_threads (owner, updated_at, key, is_pending, due_at)
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                )
                .named("share thread")?
                .execute(params![
                    holder,
                    thread.updated_at.as_millis(),
                    key,
                    thread.is_pending,
                    thread.due_at.as_millis(),
                ])
                .named("share thread")?;
        }
    }
    Ok(())
}

/// Brings the dead letter of an intent up to date.
pub(super) fn write_letter(
    connection: &Connection,
    names: &mut Names,
    local: i64,
    (before, after): (Option<&Intent>, &Intent),
) -> Result<(), StoreError> {
    let was = before.and_then(|before| before.dead_letter.as_ref());
    let class = |intent: &Intent| intent.last_failure.as_ref().map(|failure| failure.class);
    let Some(letter) = &after.dead_letter else {
        if was.is_some() {
            connection
                .prepare_cached("DELETE FROM letters WHERE local = ?1")
                .named("delete letter")?
                .execute(params![local])
                .named("delete letter")?;
        }
        return Ok(());
    };
    if was == Some(letter) && before.and_then(class) == class(after) {
        return Ok(());
    }
    let is_rejected = letter.reason == DeadReason::Rejected;
    let pile = columns::pile(derive::letter_state(&letter.state), is_rejected);
    let receiver = names.number(connection, after.to.key())?;
    let intent_type = names.number(connection, &after.intent_type)?;
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO letters
                 (local, pile, dead_at, receiver, type, reason, class, fingerprint)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )
        .named("write letter")?
        .execute(params![
            local,
            pile,
            letter.at.as_millis(),
            receiver,
            intent_type,
            columns::reason_number(letter.reason),
            class(after).map(columns::class_number),
            letter.fingerprint,
        ])
        .named("write letter")?;
    Ok(())
}
