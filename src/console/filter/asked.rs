//! Filters as each desk is asked: what an index knows goes into the question, the rest is left over.

use std::cmp::Ordering;

use crate::console::action::place::Place;
use crate::domain::address::{Address, Home};
use crate::domain::agent::Binding;
use crate::domain::attempt::Outcome;
use crate::domain::failure::{DeadReason, ErrorClass};
use crate::domain::status::{State, Status};
use crate::domain::time::{Span, Timestamp};
use crate::store::query::{AttemptFilter, AuditFilter, IntentFilter, LetterFilter, LetterState};

use super::{Claim, Filter, fields, is_id_like, rest};

/// Whether the question took a term. What it did not take is left over.
type Taken = Result<bool, String>;

impl Filter {
    /// As the desk's filter of intents.
    ///
    /// # Errors
    /// A sentence about the first term that does not belong here.
    pub fn intents(&mut self, home: &Home, now: Timestamp) -> Result<IntentFilter, String> {
        let mut filter = IntentFilter::default();
        self.ask(Place::Intents, |claim| match claim {
            Claim::Word(word) if is_id_like(word) && filter.text.is_none() => {
                filter.text = Some(word.clone());
                Ok(true)
            }
            Claim::Word(word) => {
                filter.contains.push(word.clone());
                Ok(true)
            }
            Claim::Age(order, span) => Ok(age(
                *order,
                *span,
                now,
                &mut filter.since,
                Some(&mut filter.until),
            )),
            Claim::Pair(name, value) => match name.as_str() {
                "state" => Ok(also(&mut filter.states, state_of(value)?)),
                "status" => Ok(also(&mut filter.statuses, status_of(value)?)),
                "agent" | "to" => exactly(&mut filter.to, value, home),
                "from" | "sender" => exactly(&mut filter.from, value, home),
                "type" if is_beginning(value) => Ok(put(&mut filter.intent_type, value)),
                "corr" | "correlation" => Ok(put(&mut filter.correlation_id, value)),
                "is" if value == "unfinished" || value == "open" => {
                    filter.is_unfinished = true;
                    Ok(true)
                }
                _ => Ok(false),
            },
            Claim::Attempts(..) => Ok(false),
        })?;
        Ok(filter)
    }

    /// As the desk's filter of attempts.
    ///
    /// # Errors
    /// A sentence about the first term that does not belong here.
    pub fn attempts(&mut self, home: &Home, now: Timestamp) -> Result<AttemptFilter, String> {
        let mut filter = AttemptFilter::default();
        self.ask(Place::Attempts, |claim| match claim {
            Claim::Age(order, span) => Ok(age(*order, *span, now, &mut filter.since, None)),
            Claim::Pair(name, value) => match name.as_str() {
                "agent" | "to" => exactly(&mut filter.agent, value, home),
                "binding" => Ok(fill(&mut filter.binding, binding_of(value)?)),
                "outcome" => Ok(fill(&mut filter.outcome, outcome_of(value)?)),
                "err" | "class" if !value.starts_with('~') => {
                    Ok(fill(&mut filter.error_class, class_of(value)?))
                }
                _ => Ok(false),
            },
            Claim::Word(_) | Claim::Attempts(..) => Ok(false),
        })?;
        Ok(filter)
    }

    /// As the desk's filter of dead letters.
    ///
    /// # Errors
    /// A sentence about the first term that does not belong here.
    pub fn letters(&mut self, home: &Home, now: Timestamp) -> Result<LetterFilter, String> {
        let mut filter = LetterFilter::default();
        self.ask(Place::DeadLetters, |claim| match claim {
            Claim::Age(order, span) => Ok(age(
                *order,
                *span,
                now,
                &mut filter.since,
                Some(&mut filter.until),
            )),
            Claim::Pair(name, value) => match name.as_str() {
                "agent" | "to" => exactly(&mut filter.agent, value, home),
                "type" if is_beginning(value) => Ok(put(&mut filter.intent_type, value)),
                "reason" => Ok(fill(&mut filter.reason, reason_of(value)?)),
                "err" | "class" if !value.starts_with('~') => {
                    Ok(fill(&mut filter.error_class, class_of(value)?))
                }
                "group" => Ok(put(&mut filter.fingerprint, value)),
                "state" => Ok(fill(&mut filter.state, letter_state_of(value)?)),
                _ => Ok(false),
            },
            Claim::Word(_) | Claim::Attempts(..) => Ok(false),
        })?;
        Ok(filter)
    }

    /// As the desk's filter of the audit log.
    ///
    /// # Errors
    /// A sentence about the first term that does not belong here.
    pub fn audit(&mut self, home: &Home, now: Timestamp) -> Result<AuditFilter, String> {
        let mut filter = AuditFilter::default();
        self.ask(Place::Audit, |claim| match claim {
            Claim::Word(word) => Ok(put(&mut filter.target, word)),
            Claim::Age(order, span) => Ok(age(
                *order,
                *span,
                now,
                &mut filter.since,
                Some(&mut filter.until),
            )),
            Claim::Pair(name, value) => match name.as_str() {
                "who" | "by" => exactly(&mut filter.party, value, home),
                "action" | "verb" => Ok(put(&mut filter.action_prefix, value)),
                "via" => Ok(put(&mut filter.via, value)),
                "target" => Ok(put(&mut filter.target, value)),
                "is" if value == "refused" => Ok(fill(&mut filter.is_refused, true)),
                "is" if value == "done" => Ok(fill(&mut filter.is_refused, false)),
                _ => Ok(false),
            },
            Claim::Attempts(..) => Ok(false),
        })?;
        Ok(filter)
    }

    /// A list that comes whole and is sifted here: every term is left over.
    ///
    /// # Errors
    /// A sentence about the first term that does not belong here.
    pub fn here(&mut self, place: Place) -> Result<(), String> {
        self.ask(place, |_| Ok(false))
    }

    /// Offers each term to a question; what must not hold is never taken by one.
    fn ask(&mut self, place: Place, mut take: impl FnMut(&Claim) -> Taken) -> Result<(), String> {
        let mut left = Vec::new();
        for term in &self.terms {
            rest::check(place, term)?;
            if term.is_not || !take(&term.claim)? {
                left.push(term.clone());
            }
        }
        self.rest = left;
        Ok(())
    }
}

/// Whether a piece of a line is answered at once on a desk, or by a search in the background.
///
/// # Errors
/// A sentence about what is wrong with it.
pub(crate) fn is_at_once(place: Place, piece: &str) -> Result<bool, String> {
    let term = super::term(piece)?;
    let is_text = matches!(&term.claim, Claim::Word(word) if !is_id_like(word));
    let mut filter = Filter {
        terms: vec![term],
        ..Filter::default()
    };
    let (home, now) = (Home::default(), Timestamp::default());
    match place {
        Place::Intents => filter.intents(&home, now).map(drop)?,
        Place::Attempts => filter.attempts(&home, now).map(drop)?,
        Place::DeadLetters => filter.letters(&home, now).map(drop)?,
        Place::Audit => filter.audit(&home, now).map(drop)?,
        // What comes whole is there at once.
        Place::Inbox | Place::Agents => return filter.here(place).map(|()| true),
        Place::Overview | Place::Jobs => return Ok(true),
    }
    Ok(filter.rest.is_empty() && !(is_text && place == Place::Intents))
}

/// One more of several values of which any may hold.
fn also<T>(list: &mut Vec<T>, value: T) -> bool {
    list.push(value);
    true
}

/// Takes a value where there is none yet.
fn fill<T>(slot: &mut Option<T>, value: T) -> bool {
    let is_free = slot.is_none();
    if is_free {
        *slot = Some(value);
    }
    is_free
}

fn put(slot: &mut Option<String>, value: &str) -> bool {
    fill(slot, value.to_owned())
}

fn exactly(slot: &mut Option<Address>, value: &str, home: &Home) -> Taken {
    if value.contains('*') {
        return Ok(false);
    }
    Ok(fill(slot, address_of(value, home)?))
}

/// Whether an index can look for it: a whole text, or the beginning of one.
fn is_beginning(pattern: &str) -> bool {
    pattern.find('*').is_none_or(|at| at + 1 == pattern.len())
}

fn age(
    order: Ordering,
    span: Span,
    now: Timestamp,
    since: &mut Option<Timestamp>,
    until: Option<&mut Option<Timestamp>>,
) -> bool {
    match (order, until) {
        (Ordering::Greater, Some(until)) => fill(until, now.before(span)),
        (Ordering::Less, _) => fill(since, now.before(span)),
        (Ordering::Greater | Ordering::Equal, _) => false,
    }
}

pub(super) fn unknown_value(name: &str, value: &str, known: &[&str]) -> String {
    format!(
        "{name}:{value} is not known; {name}: takes {}",
        known.join(", ")
    )
}

pub(super) fn address_of(value: &str, home: &Home) -> Result<Address, String> {
    Address::parse(value, home).map_err(|bad| bad.to_string())
}

fn names(place: Place, field: &str) -> Vec<&'static str> {
    let field = fields::find(place, field);
    field.map_or_else(Vec::new, |field| {
        field.values.iter().map(|(value, _)| *value).collect()
    })
}

/// The state of that name: its word, or a short form of it.
pub(crate) fn state_of(value: &str) -> Result<State, String> {
    let plain = value.to_lowercase().replace(['-', '_', ' '], "");
    State::ALL
        .into_iter()
        .find(|state| {
            let name = state.name().replace(['-', ' '], "");
            name == plain || (plain.len() >= 3 && name.starts_with(&plain))
        })
        .or_else(|| (plain == "human" || plain == "inbox").then_some(State::WaitingHuman))
        .ok_or_else(|| unknown_value("state", value, &names(Place::Intents, "state")))
}

pub(super) fn status_of(value: &str) -> Result<Status, String> {
    Status::from_name(value)
        .ok_or_else(|| unknown_value("status", value, &Status::ALL.map(Status::name)))
}

pub(super) fn binding_of(value: &str) -> Result<Binding, String> {
    Binding::from_name(value)
        .ok_or_else(|| unknown_value("binding", value, &Binding::ALL.map(Binding::name)))
}

pub(super) fn outcome_of(value: &str) -> Result<Outcome, String> {
    let plain = value.replace('-', "_");
    Outcome::from_name(&plain)
        .ok_or_else(|| unknown_value("outcome", value, &Outcome::ALL.map(Outcome::name)))
}

pub(super) fn class_of(value: &str) -> Result<ErrorClass, String> {
    ErrorClass::from_name(value).ok_or_else(|| {
        let known = ErrorClass::ALL.map(ErrorClass::name).join(", ");
        format!("err:{value} is no class; err:~{value} looks for words, classes are {known}")
    })
}

pub(super) fn reason_of(value: &str) -> Result<DeadReason, String> {
    DeadReason::ALL
        .into_iter()
        .find(|reason| reason.name() == value)
        .ok_or_else(|| unknown_value("reason", value, &DeadReason::ALL.map(DeadReason::name)))
}

pub(super) fn letter_state_of(value: &str) -> Result<LetterState, String> {
    [
        LetterState::Open,
        LetterState::Replayed,
        LetterState::Discarded,
    ]
    .into_iter()
    .find(|state| state.name() == value)
    .ok_or_else(|| unknown_value("state", value, &names(Place::DeadLetters, "state")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Filter {
        Filter::parse(text).unwrap()
    }

    fn now() -> Timestamp {
        "2026-03-05T09:41:07Z".parse().unwrap()
    }

    #[test]
    fn what_an_index_knows_is_asked_and_the_rest_is_left_over() {
        let home = Home::default();
        let line = "state:retry state:dead agent:ledger type:intent.order.* age>1h attempts>=5 \
                    !from:bob agent:b* 91b4f6c3 \"free text\"";
        let mut filter = parsed(line);
        let wanted = filter.intents(&home, now()).unwrap();
        assert_eq!(wanted.states, [State::Retrying, State::DeadLetter]);
        assert_eq!(wanted.to.unwrap().name(), "ledger");
        assert_eq!(wanted.intent_type.unwrap(), "intent.order.*");
        assert_eq!(wanted.until, Some(now().before(Span::from_seconds(3_600))));
        assert_eq!(wanted.text.unwrap(), "91b4f6c3");
        assert_eq!(wanted.contains, ["free text"]);
        let rest: Vec<&str> = filter.rest.iter().map(|term| term.text.as_str()).collect();
        assert_eq!(rest, ["attempts>=5", "!from:bob", "agent:b*"]);
    }

    #[test]
    fn unknown_fields_and_values_are_named() {
        let home = Home::default();
        let wrong = parsed("colour:red").intents(&home, now()).unwrap_err();
        assert!(
            wrong.contains("colour:") && wrong.contains("state:"),
            "{wrong}"
        );
        let wrong = parsed("state:purple").intents(&home, now()).unwrap_err();
        assert!(
            wrong.contains("purple") && wrong.contains("retrying"),
            "{wrong}"
        );
        let wrong = parsed("!is:blue").intents(&home, now()).unwrap_err();
        assert!(wrong.contains("unfinished"), "{wrong}");
        assert!(parsed("err:nonsense").letters(&home, now()).is_err());
        assert!(parsed("state:maybe").letters(&home, now()).is_err());
    }

    #[test]
    fn short_forms_of_states_are_understood() {
        assert_eq!(state_of("inflight").unwrap(), State::InFlight);
        assert_eq!(state_of("in-flight").unwrap(), State::InFlight);
        assert_eq!(state_of("human").unwrap(), State::WaitingHuman);
        assert_eq!(state_of("dead").unwrap(), State::DeadLetter);
    }

    #[test]
    fn it_is_known_which_terms_are_answered_at_once() {
        let at_once = |place, text: &str| is_at_once(place, text).unwrap();
        for text in [
            "state:dead",
            "agent:ledger",
            "type:a.*",
            "age>1h",
            "91b4f6c3",
        ] {
            assert!(at_once(Place::Intents, text), "{text}");
        }
        for text in [
            "agent:b*",
            "!state:dead",
            "attempts>=2",
            "upstream",
            "type:*a",
        ] {
            assert!(!at_once(Place::Intents, text), "{text}");
        }
        assert!(at_once(Place::Attempts, "err:timeout"));
        assert!(is_at_once(Place::Intents, "colour:red").is_err());
        assert!(!at_once(Place::Attempts, "err:~upstream"));
        assert!(at_once(Place::Agents, "ledger"));
    }
}
