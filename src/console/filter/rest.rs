//! The terms that no index knows, held against rows as they come.

use std::cmp::Ordering;

use crate::console::action::place::Place;
use crate::desk::rows::jobs::AuditRow;
use crate::desk::rows::{AgentRow, AttemptRow, IntentRow, LetterGroupRow, LetterRow, TaskRow};
use crate::domain::address::{Address, Home};
use crate::domain::failure::ErrorClass;
use crate::domain::ids::IntentId;
use crate::domain::time::Timestamp;

use super::asked::{
    address_of, binding_of, letter_state_of, outcome_of, reason_of, state_of, status_of,
    unknown_value,
};
use super::{Claim, Term, fields, is_like};

/// What rows are held against besides themselves.
pub(crate) struct Around<'a> {
    /// The names that complete a short address.
    pub(crate) home: &'a Home,
    /// Now.
    pub(crate) now: Timestamp,
    /// Who we are.
    pub(crate) me: Option<&'a Address>,
    /// Whether something is staged on an intent.
    pub(crate) is_held: &'a dyn Fn(IntentId) -> bool,
    /// Whether an intent's row is marked.
    pub(crate) is_marked: &'a dyn Fn(IntentId) -> bool,
}

/// Whether all terms let a row through.
pub(crate) fn lets_through(terms: &[Term], fits: impl Fn(&Claim) -> bool) -> bool {
    terms.iter().all(|term| fits(&term.claim) != term.is_not)
}

/// Whether a desk knows a term.
///
/// # Errors
/// A sentence about the field or the value that it does not know.
pub(crate) fn check(place: Place, term: &Term) -> Result<(), String> {
    let (name, value) = match &term.claim {
        Claim::Word(_) => return Ok(()),
        Claim::Age(order, _) => {
            let sign = if *order == Ordering::Less {
                "age<"
            } else {
                "age>"
            };
            let is_known = fields::of(place).iter().any(|field| field.name == sign);
            return if is_known && *order != Ordering::Equal {
                Ok(())
            } else {
                Err(fields::unknown(place, sign))
            };
        }
        Claim::Attempts(..) => ("attempts", ""),
        Claim::Pair(name, value) => (name.as_str(), value.as_str()),
    };
    let field = fields::find(place, name).ok_or_else(|| fields::unknown(place, name))?;
    match (field.name, place) {
        ("state:", Place::Intents) => state_of(value).map(drop),
        ("state:", Place::DeadLetters) => letter_state_of(value).map(drop),
        ("status:", _) => status_of(value).map(drop),
        ("binding:", _) => binding_of(value).map(drop),
        ("outcome:", _) => outcome_of(value).map(drop),
        ("reason:", _) => reason_of(value).map(drop),
        // Kinds of tasks are their senders' as well.
        ("type:", _) => Ok(()),
        ("is:", Place::Intents) if value == "open" => Ok(()),
        ("state:", Place::Inbox) if matches!(value, "pending" | "closed") => Ok(()),
        (_, _) if field.values.is_empty() => Ok(()),
        (_, _) => {
            let known: Vec<&str> = field.values.iter().map(|(value, _)| *value).collect();
            if known.contains(&value) {
                Ok(())
            } else {
                Err(unknown_value(name, value, &known))
            }
        }
    }
}

fn holds(text: &str, word: &str) -> bool {
    text.to_lowercase().contains(&word.to_lowercase())
}

/// An address as a term names it: whole, short, or with `*` for any letters.
fn names(address: &Address, value: &str, around: &Around<'_>) -> bool {
    if value.contains('*') {
        return is_like(value, address.name()) || is_like(value, address.key());
    }
    address_of(value, around.home).is_ok_and(|wanted| wanted == *address)
}

fn counted(attempts: u32, order: Ordering, wanted: u32) -> bool {
    match order {
        Ordering::Greater => attempts >= wanted,
        Ordering::Less => attempts <= wanted,
        Ordering::Equal => attempts == wanted,
    }
}

fn aged(at: Timestamp, order: Ordering, span: crate::domain::time::Span, now: Timestamp) -> bool {
    let limit = now.before(span);
    match order {
        Ordering::Greater => at < limit,
        Ordering::Less => at >= limit,
        Ordering::Equal => false,
    }
}

/// A class by its name, or words of the error after `~`.
fn errs(value: &str, class: Option<ErrorClass>, error: &str) -> bool {
    match value.strip_prefix('~') {
        Some(words) => holds(error, words),
        None => class.is_some_and(|class| class.name() == value),
    }
}

/// Whether an intent is as a term says.
pub(crate) fn intent(claim: &Claim, row: &IntentRow, around: &Around<'_>) -> bool {
    let note = row.note.as_deref().unwrap_or_default();
    match claim {
        Claim::Word(word) => [
            row.id.to_string().as_str(),
            &row.intent_type,
            row.from.key(),
            row.to.key(),
            &row.correlation_id,
            note,
        ]
        .iter()
        .any(|text| holds(text, word)),
        Claim::Age(order, span) => aged(row.created_at, *order, *span, around.now),
        Claim::Attempts(order, wanted) => counted(row.attempts, *order, *wanted),
        Claim::Pair(name, value) => match name.as_str() {
            "state" => state_of(value) == Ok(row.state),
            "status" => status_of(value) == Ok(row.status),
            "agent" | "to" => names(&row.to, value, around),
            "from" | "sender" => names(&row.from, value, around),
            "type" => is_like(value, &row.intent_type),
            "corr" | "correlation" => is_like(value, &row.correlation_id),
            "binding" => binding_of(value) == Ok(row.binding),
            "err" | "class" => holds(note, value.trim_start_matches('~')),
            "is" => match value.as_str() {
                "unfinished" | "open" => !row.status.is_terminal(),
                "mine" => around.me.is_some_and(|me| row.from == *me || row.to == *me),
                "held" => (around.is_held)(row.id),
                "marked" => (around.is_marked)(row.id),
                "replay" => row.replay_of.is_some(),
                _ => false,
            },
            _ => false,
        },
    }
}

/// Whether an attempt is as a term says.
pub(crate) fn attempt(claim: &Claim, row: &AttemptRow, around: &Around<'_>) -> bool {
    let error = row.error.as_deref().unwrap_or_default();
    match claim {
        Claim::Word(word) => {
            holds(&row.intent.to_string(), word)
                || holds(row.agent.key(), word)
                || holds(error, word)
        }
        Claim::Age(order, span) => aged(row.started_at, *order, *span, around.now),
        Claim::Attempts(order, wanted) => counted(row.number, *order, *wanted),
        Claim::Pair(name, value) => match name.as_str() {
            "agent" | "to" => names(&row.agent, value, around),
            "outcome" => outcome_of(value) == Ok(row.outcome),
            "binding" => binding_of(value) == Ok(row.binding),
            "err" | "class" => errs(value, row.error_class, error),
            "code" => row
                .http_status
                .is_some_and(|status| is_like(value, &status.to_string())),
            _ => false,
        },
    }
}

/// Whether a dead letter is as a term says.
pub(crate) fn letter(claim: &Claim, row: &LetterRow, around: &Around<'_>) -> bool {
    match claim {
        Claim::Word(word) => [
            row.intent.to_string().as_str(),
            &row.intent_type,
            row.from.key(),
            row.to.key(),
            &row.message,
        ]
        .iter()
        .any(|text| holds(text, word)),
        Claim::Age(order, span) => aged(row.dead_at, *order, *span, around.now),
        Claim::Attempts(order, wanted) => counted(row.attempts, *order, *wanted),
        Claim::Pair(name, value) => match name.as_str() {
            "agent" | "to" => names(&row.to, value, around),
            "type" => is_like(value, &row.intent_type),
            "reason" => reason_of(value) == Ok(row.reason),
            "err" | "class" => errs(value, row.error_class, &row.message),
            "group" => row.fingerprint.contains(value.as_str()),
            "state" => letter_state_of(value) == Ok(row.state),
            "is" => match value.as_str() {
                "held" => row.held.is_some() || (around.is_held)(row.intent),
                "marked" => (around.is_marked)(row.intent),
                "replay" => row.replay_of.is_some(),
                _ => false,
            },
            _ => false,
        },
    }
}

/// Whether a group may hold letters that are as a term says; what only a letter can answer lets it through.
pub(crate) fn group(term: &Term, row: &LetterGroupRow, around: &Around<'_>) -> bool {
    let fits = match &term.claim {
        Claim::Word(word) => [
            &row.intent_type,
            row.to.key(),
            &row.message,
            &row.fingerprint,
        ]
        .iter()
        .any(|text| holds(text, word)),
        Claim::Age(..) | Claim::Attempts(..) => return true,
        Claim::Pair(name, value) => match name.as_str() {
            "agent" | "to" => names(&row.to, value, around),
            "type" => is_like(value, &row.intent_type),
            "reason" => reason_of(value) == Ok(row.reason),
            "err" | "class" => errs(value, row.error_class, &row.message),
            "group" => row.fingerprint.contains(value.as_str()),
            _ => return true,
        },
    };
    fits != term.is_not
}

/// Whether a task is as a term says. `state:` and `is:mine` choose what is asked for.
pub(crate) fn task(claim: &Claim, row: &TaskRow, around: &Around<'_>) -> bool {
    match claim {
        Claim::Word(word) => [
            row.title.as_str(),
            &row.intent.to_string(),
            row.from.key(),
            &row.intent_type,
            row.description.as_deref().unwrap_or_default(),
        ]
        .iter()
        .any(|text| holds(text, word)),
        Claim::Age(order, span) => aged(row.opened_at, *order, *span, around.now),
        Claim::Attempts(..) => false,
        Claim::Pair(name, value) => match name.as_str() {
            "type" => row.task_type.starts_with(value) || is_like(value, &row.task_type),
            "from" | "sender" => names(&row.from, value, around) || holds(row.from.name(), value),
            "agent" | "to" => names(&row.owner, value, around),
            "state" => match value.as_str() {
                "open" | "pending" => row.is_open,
                "decided" | "closed" => !row.is_open,
                _ => true,
            },
            "is" => match value.as_str() {
                "overdue" => row.is_overdue,
                "held" => row.held.is_some() || (around.is_held)(row.intent),
                "mine" => around.me == Some(&row.owner),
                "marked" => (around.is_marked)(row.intent),
                _ => false,
            },
            _ => false,
        },
    }
}

/// Whether an agent is as a term says.
pub(crate) fn agent(claim: &Claim, row: &AgentRow, around: &Around<'_>) -> bool {
    match claim {
        Claim::Word(word) => holds(row.address.key(), word),
        Claim::Age(..) | Claim::Attempts(..) => false,
        Claim::Pair(name, value) => match name.as_str() {
            "state" => row.state.name() == value,
            "binding" => binding_of(value) == Ok(row.binding),
            "agent" | "to" => names(&row.address, value, around),
            _ => false,
        },
    }
}

/// Whether an entry of the audit log is as a term says.
pub(crate) fn audit(claim: &Claim, row: &AuditRow, around: &Around<'_>) -> bool {
    let is_done = matches!(row.result.as_str(), "done" | "held");
    match claim {
        Claim::Word(word) => holds(&row.target, word),
        Claim::Age(order, span) => aged(row.at, *order, *span, around.now),
        Claim::Attempts(..) => false,
        Claim::Pair(name, value) => match name.as_str() {
            "who" | "by" => is_like(&format!("*{value}"), &row.actor),
            "action" | "verb" => row.action.starts_with(value),
            "via" => row.via == *value,
            "target" => holds(&row.target, value),
            "is" => (value == "done") == is_done,
            _ => false,
        },
    }
}
