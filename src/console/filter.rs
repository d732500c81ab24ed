//! The filter line: words and `term:value` pairs to what the desk understands.
//!
//! A filter belongs to a desk. Terms that the desk does not know are reported, never ignored.

use crate::domain::address::{Address, Home};
use crate::domain::agent::Binding;
use crate::domain::attempt::Outcome;
use crate::domain::failure::{DeadReason, ErrorClass};
use crate::domain::status::{State, Status};
use crate::domain::time::{Span, Timestamp};
use crate::store::query::{AttemptFilter, AuditFilter, IntentFilter, LetterFilter, LetterState};

/// One piece of a filter line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// `term:value`.
    Pair(String, String),
    /// `age>1h` (`true`) or `age<1h` (`false`).
    Age(bool, Span),
    /// A word, or a text in quotes.
    Word(String),
}

/// A filter line that was understood.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// The line as it was typed.
    pub text: String,
    /// Its terms.
    pub terms: Vec<Term>,
}

/// The terms that the desks know, for completion and for the message about an unknown one.
pub const INTENT_TERMS: &[&str] = &[
    "state:", "status:", "agent:", "from:", "type:", "corr:", "is:", "age>", "age<",
];
/// Terms of the attempts desk.
pub const ATTEMPT_TERMS: &[&str] = &["agent:", "outcome:", "err:", "binding:", "age<"];
/// Terms of the dead letters desk.
pub const LETTER_TERMS: &[&str] = &[
    "agent:", "type:", "reason:", "err:", "group:", "state:", "age>", "age<",
];
/// Terms of the inbox.
pub const TASK_TERMS: &[&str] = &["is:", "state:", "type:", "from:"];
/// Terms of the audit desk.
pub const AUDIT_TERMS: &[&str] = &["who:", "action:", "via:", "target:", "is:", "age>", "age<"];
/// Terms of the agents desk.
pub const AGENT_TERMS: &[&str] = &["state:", "binding:"];

impl Filter {
    /// Takes a line apart.
    ///
    /// # Errors
    /// A sentence that says which piece makes no sense.
    pub fn parse(text: &str) -> Result<Self, String> {
        let terms = pieces(text)
            .into_iter()
            .map(term)
            .collect::<Result<_, _>>()?;
        let separators = [' ', '\t'];
        let kept = text.trim_start_matches(separators);
        // Behind a quote that is still open a space belongs to the word.
        let is_open = text.matches('"').count() % 2 == 1;
        let kept = if is_open {
            kept
        } else {
            kept.trim_end_matches(separators)
        };
        Ok(Self {
            text: kept.to_owned(),
            terms,
        })
    }

    /// True when it lets everything through.
    pub const fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// As the desk's filter of intents.
    ///
    /// # Errors
    /// A sentence about the first term that does not belong here.
    pub fn intents(&self, home: &Home, now: Timestamp) -> Result<IntentFilter, String> {
        let mut filter = IntentFilter::default();
        for term in &self.terms {
            match term {
                Term::Word(word) => filter.text = Some(word.clone()),
                Term::Age(true, span) => filter.until = Some(now.before(*span)),
                Term::Age(false, span) => filter.since = Some(now.before(*span)),
                Term::Pair(name, value) => match name.as_str() {
                    "state" => filter.states.push(state_of(value)?),
                    "status" => filter.statuses.push(status_of(value)?),
                    "agent" | "to" => filter.to = Some(address_of(value, home)?),
                    "from" | "sender" => filter.from = Some(address_of(value, home)?),
                    "type" => filter.intent_type = Some(value.clone()),
                    "corr" | "correlation" => filter.correlation_id = Some(value.clone()),
                    "is" if value == "unfinished" || value == "open" => filter.is_unfinished = true,
                    "is" => return Err(unknown_value("is", value, &["unfinished"])),
                    _ => return Err(unknown_term(name, INTENT_TERMS)),
                },
            }
        }
        Ok(filter)
    }

    /// As the desk's filter of attempts.
    ///
    /// # Errors
    /// A sentence about the first term that does not belong here.
    pub fn attempts(&self, home: &Home, now: Timestamp) -> Result<AttemptFilter, String> {
        let mut filter = AttemptFilter::default();
        for term in &self.terms {
            match term {
                Term::Word(word) => filter.agent = Some(address_of(word, home)?),
                Term::Age(true, _) => return Err(unknown_term("age>", ATTEMPT_TERMS)),
                Term::Age(false, span) => filter.since = Some(now.before(*span)),
                Term::Pair(name, value) => match name.as_str() {
                    "agent" | "to" => filter.agent = Some(address_of(value, home)?),
                    "binding" => filter.binding = Some(binding_of(value)?),
                    "outcome" | "state" => filter.outcome = Some(outcome_of(value)?),
                    "err" | "class" => filter.error_class = Some(class_of(value)?),
                    _ => return Err(unknown_term(name, ATTEMPT_TERMS)),
                },
            }
        }
        Ok(filter)
    }

    /// As the desk's filter of dead letters.
    ///
    /// # Errors
    /// A sentence about the first term that does not belong here.
    pub fn letters(&self, home: &Home, now: Timestamp) -> Result<LetterFilter, String> {
        let mut filter = LetterFilter::default();
        for term in &self.terms {
            match term {
                Term::Word(word) => filter.agent = Some(address_of(word, home)?),
                Term::Age(true, span) => filter.until = Some(now.before(*span)),
                Term::Age(false, span) => filter.since = Some(now.before(*span)),
                Term::Pair(name, value) => match name.as_str() {
                    "agent" | "to" => filter.agent = Some(address_of(value, home)?),
                    "type" => filter.intent_type = Some(value.clone()),
                    "reason" => filter.reason = Some(reason_of(value)?),
                    "err" | "class" => filter.error_class = Some(class_of(value)?),
                    "group" => filter.fingerprint = Some(value.clone()),
                    "state" => filter.state = Some(letter_state_of(value)?),
                    _ => return Err(unknown_term(name, LETTER_TERMS)),
                },
            }
        }
        Ok(filter)
    }

    /// As the desk's filter of the audit log.
    ///
    /// # Errors
    /// A sentence about the first term that does not belong here.
    pub fn audit(&self, home: &Home, now: Timestamp) -> Result<AuditFilter, String> {
        let mut filter = AuditFilter::default();
        for term in &self.terms {
            match term {
                Term::Word(word) => filter.target = Some(word.clone()),
                Term::Age(true, span) => filter.until = Some(now.before(*span)),
                Term::Age(false, span) => filter.since = Some(now.before(*span)),
                Term::Pair(name, value) => match name.as_str() {
                    "who" | "by" => filter.party = Some(address_of(value, home)?),
                    "action" | "verb" => filter.action_prefix = Some(value.clone()),
                    "via" => filter.via = Some(value.clone()),
                    "target" => filter.target = Some(value.clone()),
                    "is" if value == "refused" => filter.is_refused = Some(true),
                    "is" if value == "done" => filter.is_refused = Some(false),
                    "is" => return Err(unknown_value("is", value, &["refused", "done"])),
                    _ => return Err(unknown_term(name, AUDIT_TERMS)),
                },
            }
        }
        Ok(filter)
    }

    /// Checks the terms of a list that is filtered here; `known` are its terms.
    ///
    /// # Errors
    /// A sentence about the first term that does not belong here.
    pub fn check(&self, known: &[&str]) -> Result<(), String> {
        for term in &self.terms {
            match term {
                Term::Word(_) => {}
                Term::Age(..) => return Err(unknown_term("age", known)),
                Term::Pair(name, _) => {
                    if !known.iter().any(|one| one.trim_end_matches(':') == name) {
                        return Err(unknown_term(name, known));
                    }
                }
            }
        }
        Ok(())
    }

    /// The first value of a term.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.terms.iter().find_map(|term| match term {
            Term::Pair(one, value) if one == name => Some(value.as_str()),
            _ => None,
        })
    }

    /// True when every free word is found in the text, in any case.
    pub fn words_match(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        self.terms.iter().all(|term| match term {
            Term::Word(word) => text.contains(&word.to_lowercase()),
            Term::Pair(..) | Term::Age(..) => true,
        })
    }
}

/// The pieces of a line: separated by spaces, quotes keep spaces.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    let mut is_quoted = false;
    for character in text.chars() {
        match character {
            '"' => is_quoted = !is_quoted,
            ' ' | '\t' if !is_quoted => {
                if !piece.is_empty() {
                    pieces.push(std::mem::take(&mut piece));
                }
            }
            other => piece.push(other),
        }
    }
    if !piece.is_empty() {
        pieces.push(piece);
    }
    pieces
}

fn term(piece: String) -> Result<Term, String> {
    if let Some(age) = piece.strip_prefix("age>") {
        return Ok(Term::Age(true, span_of(age)?));
    }
    if let Some(age) = piece.strip_prefix("age<") {
        return Ok(Term::Age(false, span_of(age)?));
    }
    match piece.split_once(':') {
        Some((name, "")) => Err(format!("{name}: has no value yet")),
        Some((name, value))
            if !name.is_empty() && name.chars().all(|one| one.is_ascii_lowercase()) =>
        {
            Ok(Term::Pair(name.to_owned(), value.to_owned()))
        }
        _ => Ok(Term::Word(piece)),
    }
}

fn span_of(text: &str) -> Result<Span, String> {
    let wrong = || format!("{text:?} is no age; 30s, 5m, 2h or 1d is one");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let number: i64 = text
        .strip_suffix(unit)
        .unwrap_or(text)
        .parse()
        .map_err(|_ignored| wrong())?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    Ok(Span::from_seconds(number.saturating_mul(seconds)))
}

fn unknown_term(name: &str, known: &[&str]) -> String {
    format!(
        "{name}: is not a term of this list; it knows {}",
        known.join(" ")
    )
}

fn unknown_value(name: &str, value: &str, known: &[&str]) -> String {
    format!(
        "{name}:{value} is not known; {name}: takes {}",
        known.join(", ")
    )
}

fn address_of(value: &str, home: &Home) -> Result<Address, String> {
    Address::parse(value, home).map_err(|bad| bad.to_string())
}

/// The state of that name: its word, or a short form of it.
pub fn state_of(value: &str) -> Result<State, String> {
    let plain = value.to_lowercase().replace(['-', '_', ' '], "");
    State::ALL
        .into_iter()
        .find(|state| {
            let name = state.name().replace(['-', ' '], "");
            name == plain || (plain.len() >= 3 && name.starts_with(&plain))
        })
        .or_else(|| (plain == "human" || plain == "inbox").then_some(State::WaitingHuman))
        .ok_or_else(|| {
            unknown_value(
                "state",
                value,
                &[
                    "queued",
                    "inflight",
                    "retrying",
                    "human",
                    "waiting-other",
                    "completed",
                    "failed",
                    "dead",
                ],
            )
        })
}

fn status_of(value: &str) -> Result<Status, String> {
    Status::from_name(value)
        .ok_or_else(|| unknown_value("status", value, &Status::ALL.map(Status::name)))
}

fn binding_of(value: &str) -> Result<Binding, String> {
    Binding::from_name(value)
        .ok_or_else(|| unknown_value("binding", value, &Binding::ALL.map(Binding::name)))
}

fn outcome_of(value: &str) -> Result<Outcome, String> {
    let plain = value.replace('-', "_");
    Outcome::from_name(&plain)
        .ok_or_else(|| unknown_value("outcome", value, &Outcome::ALL.map(Outcome::name)))
}

fn class_of(value: &str) -> Result<ErrorClass, String> {
    let plain = value.trim_start_matches('~');
    ErrorClass::from_name(plain)
        .ok_or_else(|| unknown_value("err", value, &ErrorClass::ALL.map(ErrorClass::name)))
}

fn reason_of(value: &str) -> Result<DeadReason, String> {
    DeadReason::ALL
        .into_iter()
        .find(|reason| reason.name() == value)
        .ok_or_else(|| unknown_value("reason", value, &DeadReason::ALL.map(DeadReason::name)))
}

fn letter_state_of(value: &str) -> Result<LetterState, String> {
    [
        LetterState::Open,
        LetterState::Replayed,
        LetterState::Discarded,
    ]
    .into_iter()
    .find(|state| state.name() == value)
    .ok_or_else(|| unknown_value("state", value, &["open", "replayed", "discarded"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_millis(10_000_000)
    }

    #[test]
    fn a_line_becomes_the_filter_of_the_intents() {
        let line =
            Filter::parse(r#"state:dead agent:billing type:intent.invoice.* age>1h "91b4 f6""#)
                .unwrap();
        let filter = line.intents(&Home::default(), now()).unwrap();
        assert_eq!(filter.states, [State::DeadLetter]);
        assert_eq!(filter.to.unwrap().key(), "local/default/billing");
        assert_eq!(filter.intent_type.as_deref(), Some("intent.invoice.*"));
        assert_eq!(filter.until, Some(Timestamp::from_millis(6_400_000)));
        assert_eq!(filter.text.as_deref(), Some("91b4 f6"));
    }

    #[test]
    fn an_unknown_term_or_value_is_named_with_what_would_do() {
        let line = Filter::parse("colour:red").unwrap();
        let error = line.intents(&Home::default(), now()).unwrap_err();
        assert!(
            error.contains("colour:") && error.contains("state:"),
            "{error}"
        );
        let line = Filter::parse("status:LOST").unwrap();
        let error = line.intents(&Home::default(), now()).unwrap_err();
        assert!(error.contains("COMPLETED"), "{error}");
        assert!(Filter::parse("state:").unwrap_err().contains("no value"));
        assert!(Filter::parse("age>soon").unwrap_err().contains("no age"));
    }

    #[test]
    fn the_line_that_is_kept_is_the_line_that_was_meant() {
        for (typed, kept) in [
            ("  is:open  ", "is:open"),
            ("\"a b\" ", "\"a b\""),
            ("\"a ", "\"a "),
        ] {
            let line = Filter::parse(typed).unwrap();
            assert_eq!(line.text, kept);
            assert_eq!(Filter::parse(kept).unwrap().terms, line.terms);
        }
    }

    #[test]
    fn every_state_is_found_by_its_word_and_by_a_short_form() {
        for state in State::ALL {
            assert_eq!(state_of(state.name()).unwrap(), state);
        }
        assert_eq!(state_of("inflight").unwrap(), State::InFlight);
        assert_eq!(state_of("human").unwrap(), State::WaitingHuman);
        assert_eq!(state_of("dead").unwrap(), State::DeadLetter);
    }
}
