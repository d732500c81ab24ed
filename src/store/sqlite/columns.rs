//! The columns beside a state, and the numbers that stand for words in them. Numbers never change.

use crate::domain::agent::Binding;
use crate::domain::attempt::Outcome;
use crate::domain::failure::{DeadReason, ErrorClass};
use crate::domain::ids::IntentId;
use crate::domain::intent::{Intent, Kind};
use crate::domain::status::{State, Status};
use crate::domain::time::Timestamp;
use crate::store::derive::{self, Depth};
use crate::store::matching;
use crate::store::query::LetterState;

/// The columns of an intent that move with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) place: i64,
    pub(super) due_at: Option<i64>,
    pub(super) ready_at: Option<i64>,
    pub(super) held_until: Option<i64>,
}

/// Derives the columns that move: the one place where they come from.
pub(super) fn derived(intent: &Intent) -> Columns {
    Columns {
        place: place(intent),
        due_at: intent.next_due().map(Timestamp::as_millis),
        ready_at: intent.ready_at().map(Timestamp::as_millis),
        held_until: derive::held_until(intent).map(Timestamp::as_millis),
    }
}

/// The kind, a lease, the state and the status in one number: bits 9 and 10, bit 8, bits 4 to 7, bits 0 to 3.
fn place(intent: &Intent) -> i64 {
    let leased = i64::from(intent.lease().is_some());
    let kind = kind_number(intent.kind());
    (kind << 9) | (leased << 8) | (state_number(intent.state()) << 4) | status_number(intent.status)
}

/// What a place says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) number: i64,
    pub(super) status: Status,
    pub(super) state: State,
    pub(super) kind: Kind,
    pub(super) is_leased: bool,
}

impl Place {
    /// The place of that number, if it is one.
    pub(super) fn of(number: i64) -> Option<Self> {
        Some(Self {
            number,
            status: status_of(number & 15)?,
            state: State::ALL
                .into_iter()
                .find(|state| state_number(*state) == (number >> 4) & 15)?,
            kind: Kind::ALL
                .into_iter()
                .find(|kind| kind_number(*kind) == number >> 9)?,
            is_leased: (number >> 8) & 1 == 1,
        })
    }
}

pub(super) const fn kind_number(kind: Kind) -> i64 {
    match kind {
        Kind::Intent => 0,
        Kind::Step => 1,
        Kind::Webhook => 2,
    }
}

pub(super) const fn status_number(status: Status) -> i64 {
    match status {
        Status::Created => 1,
        Status::Submitted => 2,
        Status::Delivered => 3,
        Status::Acknowledged => 4,
        Status::InProgress => 5,
        Status::Waiting => 6,
        Status::Completed => 7,
        Status::Failed => 8,
        Status::Canceled => 9,
        Status::TimedOut => 10,
    }
}

pub(super) fn status_of(number: i64) -> Option<Status> {
    Status::ALL
        .into_iter()
        .find(|status| status_number(*status) == number)
}

const fn state_number(state: State) -> i64 {
    match state {
        State::Queued => 1,
        State::InFlight => 2,
        State::Retrying => 3,
        State::WaitingHuman => 4,
        State::WaitingOther => 5,
        State::Completed => 6,
        State::Failed => 7,
        State::DeadLetter => 8,
    }
}

pub(super) const fn binding_number(binding: Binding) -> i64 {
    match binding {
        Binding::Stream => 1,
        Binding::Poll => 2,
        Binding::Http => 3,
        Binding::Inbox => 4,
        Binding::Internal => 5,
    }
}

pub(super) fn binding_of(number: i64) -> Option<Binding> {
    Binding::ALL
        .into_iter()
        .find(|binding| binding_number(*binding) == number)
}

pub(super) const fn outcome_number(outcome: Outcome) -> i64 {
    match outcome {
        Outcome::InFlight => 1,
        Outcome::Acknowledged => 2,
        Outcome::Completed => 3,
        Outcome::Failed => 4,
        Outcome::TimedOut => 5,
        Outcome::Lost => 6,
        Outcome::UnknownCrash => 7,
        Outcome::RejectedStale => 8,
        Outcome::Withdrawn => 9,
    }
}

pub(super) fn outcome_of(number: i64) -> Option<Outcome> {
    Outcome::ALL
        .into_iter()
        .find(|outcome| outcome_number(*outcome) == number)
}

pub(super) const fn class_number(class: ErrorClass) -> i64 {
    match class {
        ErrorClass::Dns => 1,
        ErrorClass::Connect => 2,
        ErrorClass::Tls => 3,
        ErrorClass::Reset => 4,
        ErrorClass::Timeout => 5,
        ErrorClass::Http3xx => 6,
        ErrorClass::Http4xx => 7,
        ErrorClass::HttpConflict => 8,
        ErrorClass::Http429 => 9,
        ErrorClass::Http5xx => 10,
        ErrorClass::Gone410 => 11,
        ErrorClass::BlockedAddress => 12,
        ErrorClass::BadSignatureConfig => 13,
        ErrorClass::Nack => 14,
        ErrorClass::LeaseLost => 15,
        ErrorClass::HandlerFailed => 16,
        ErrorClass::Crash => 17,
    }
}

pub(super) fn class_of(number: i64) -> Option<ErrorClass> {
    ErrorClass::ALL
        .into_iter()
        .find(|class| class_number(*class) == number)
}

pub(super) const fn reason_number(reason: DeadReason) -> i64 {
    match reason {
        DeadReason::Attempts => 1,
        DeadReason::Permanent => 2,
        DeadReason::SsrfBlocked => 3,
        DeadReason::PoisonCrash => 4,
        DeadReason::Deadline => 5,
        DeadReason::HandlerFailed => 6,
        DeadReason::Rejected => 7,
        DeadReason::Schema => 8,
        DeadReason::Operator => 9,
    }
}

/// Where a dead letter lies. A person's no lies apart, since it is listed only on demand.
pub(super) const fn pile(state: LetterState, is_rejected: bool) -> i64 {
    let state = match state {
        LetterState::Open => 0,
        LetterState::Replayed => 2,
        LetterState::Discarded => 4,
    };
    if is_rejected { state + 1 } else { state }
}

/// The kinds of counter in `tally`: intents by place, open tasks, depths by receiver and by binding.
pub(super) const TALLY_PLACES: i64 = 1;
pub(super) const TALLY_TASKS: i64 = 2;
const TALLY_AGENTS: i64 = 10;
const TALLY_BINDINGS: i64 = 20;

pub(super) const DEPTHS: [Depth; 5] = [
    Depth::Ready,
    Depth::Leased,
    Depth::BackingOff,
    Depth::Held,
    Depth::Dead,
];

const fn depth_number(depth: Depth) -> i64 {
    match depth {
        Depth::Ready => 0,
        Depth::Leased => 1,
        Depth::BackingOff => 2,
        Depth::Held => 3,
        Depth::Dead => 4,
    }
}

pub(super) const fn agent_tally(depth: Depth) -> i64 {
    TALLY_AGENTS + depth_number(depth)
}

pub(super) const fn binding_tally(depth: Depth) -> i64 {
    TALLY_BINDINGS + depth_number(depth)
}

/// A number of ours that is never negative.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// The last eight hexadecimal digits of an id from the end, so that every ending is a range of numbers.
pub(super) fn tail(id: IntentId) -> i64 {
    let [.., a, b, c, d] = *id.0.as_bytes();
    [d, c, b, a]
        .into_iter()
        .fold(0, |tail, byte| (tail << 8) | i64::from(byte.rotate_left(4)))
}

/// The numbers of all ids that end with these hexadecimal digits. Beyond eight, the rest must be checked.
pub(super) fn tail_range(needle: &str) -> Option<(i64, i64)> {
    let ending: String = needle.chars().rev().take(8).collect();
    range(&ending, 8)
}

/// Digits of a correlation id that are indexed.
const HEAD_DIGITS: usize = 15;

/// Stands for correlation ids that do not begin like a UUID.
pub(super) const HEADLESS: i64 = -1;

/// The first fifteen hexadecimal digits of a correlation id as a number.
pub(super) fn head(correlation_id: &str) -> i64 {
    let digits: String = matching::needle(correlation_id)
        .chars()
        .take(HEAD_DIGITS)
        .collect();
    if digits.len() == HEAD_DIGITS {
        range(&digits, HEAD_DIGITS).map_or(HEADLESS, |(first, _last)| first)
    } else {
        HEADLESS
    }
}

/// The numbers of all correlation ids that begin with these digits. Beyond fifteen, the rest must be checked.
pub(super) fn head_range(needle: &str) -> Option<(i64, i64)> {
    let beginning: String = needle.chars().take(HEAD_DIGITS).collect();
    range(&beginning, HEAD_DIGITS)
}

/// The ids that begin with these hexadecimal digits, from the first to the last.
pub(super) fn id_range(needle: &str) -> Option<([u8; 16], [u8; 16])> {
    let missing = 32_u32.checked_sub(u32::try_from(needle.len()).ok()?)?;
    let first = hexadecimal(needle)?.checked_shl(missing * 4).unwrap_or(0);
    let rest = 1_u128
        .checked_shl(missing * 4)
        .map_or(u128::MAX, |size| size - 1);
    Some((first.to_be_bytes(), (first | rest).to_be_bytes()))
}

fn range(digits: &str, width: usize) -> Option<(i64, i64)> {
    let missing = u32::try_from(width.checked_sub(digits.len())?).ok()?;
    let first = i64::try_from(hexadecimal(digits)? << (missing * 4)).ok()?;
    Some((first, first | ((1 << (missing * 4)) - 1)))
}

fn hexadecimal(digits: &str) -> Option<u128> {
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ending_of_an_id_is_a_range_that_holds_it() {
        let id: IntentId = "018f3c5e-7a10-7c3a-9b1e-5d2f6a7b8c9d".parse().unwrap();
        assert_eq!(tail(id), 0xd9c8_b7a6);
        let text = id.0.simple().to_string();
        for length in 1..=32 {
            let ending = text.get(32 - length..).unwrap();
            let (first, last) = tail_range(ending).unwrap();
            assert!((first..=last).contains(&tail(id)), "{ending}");
            let (first, last) = id_range(text.get(..length).unwrap()).unwrap();
            assert!((first..=last).contains(id.0.as_bytes()), "{length}");
        }
        assert_eq!(tail_range("9d"), Some((0xd900_0000, 0xd9ff_ffff)));
        assert_eq!(tail_range("xyz"), None);
    }

    #[test]
    fn every_beginning_of_a_correlation_id_is_a_range_that_holds_it() {
        let text = "018F3C5E-7a10-7c3a-9b1e-5d2f6a7b8c9d";
        let needle = matching::needle(text);
        for length in 1..=32 {
            let (first, last) = head_range(needle.get(..length).unwrap()).unwrap();
            assert!((first..=last).contains(&head(text)), "{length}");
        }
        for text in ["", "abc", "order-1", "zzzzzzzz-7a10-7c3a-9b1e-5d2f6a7b8c9d"] {
            assert_eq!(head(text), HEADLESS, "{text}");
        }
    }

    #[test]
    fn a_place_gives_back_what_it_was_made_of() {
        for status in Status::ALL {
            for state in State::ALL {
                for (is_leased, kind) in [false, true]
                    .into_iter()
                    .flat_map(|is_leased| Kind::ALL.map(|kind| (is_leased, kind)))
                {
                    let number = (kind_number(kind) << 9)
                        | (i64::from(is_leased) << 8)
                        | (state_number(state) << 4)
                        | status_number(status);
                    let place = Place {
                        number,
                        status,
                        state,
                        kind,
                        is_leased,
                    };
                    assert_eq!(Place::of(number), Some(place));
                }
            }
        }
        assert_eq!(Place::of(0), None);
    }
}
