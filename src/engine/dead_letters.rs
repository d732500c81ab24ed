//! Dead letters: how they are recognised as alike, replayed and put aside.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::domain::fact::{Actor, FactBody};
use crate::domain::failure::DeadReason;
use crate::domain::ids::{IntentId, ThreadId};
use crate::domain::intent::{DeadLetter, DeadLetterState, End, Intent};
use crate::domain::task::{HeldAct, ReminderPlan};
use crate::domain::time::Span;
use crate::engine::command::{Command, Discard, Lineage, Part, PayloadSource, Replay, Submit};
use crate::engine::refusal::Refusal;
use crate::engine::{Draft, inbox};

/// Makes the intent, which has just ended, a dead letter. A step is none: its run is the letter.
pub(super) fn open(draft: &mut Draft<'_>, reason: DeadReason) {
    if draft.intent.step.is_some() {
        draft.lost = Some(reason);
        return;
    }
    let fingerprint = fingerprint(&draft.intent);
    draft.say(
        Actor::Broker,
        FactBody::DeadLetterOpened {
            reason,
            fingerprint,
        },
    );
}

pub(super) fn replay(draft: &mut Draft<'_>, replay: &Replay) -> Result<(), Refusal> {
    let letter = letter(&draft.intent)?;
    match &letter.state {
        DeadLetterState::Replayed { as_intent } if !replay.is_forced => {
            return Err(Refusal::AlreadyReplayed(*as_intent));
        }
        DeadLetterState::Discarded { reason } => return Err(Refusal::Discarded(reason.clone())),
        DeadLetterState::Replayed { .. } | DeadLetterState::Open => {}
    }
    let is_plain = replay.payload.is_none() && replay.to.is_none() && replay.max_attempts.is_none();
    if replay.hold > Span::ZERO && is_plain {
        inbox::place_hold(draft, HeldAct::Replay, &replay.by, replay.hold);
        return Ok(());
    }
    let old = &draft.intent;
    let submit = Submit {
        id: replay.new_id,
        thread: replay.new_thread,
        intent_type: old.intent_type.clone(),
        correlation_id: old.correlation_id.clone(),
        from: old.from.clone(),
        to: replay
            .to
            .as_ref()
            .or(old.first_to.as_ref())
            .unwrap_or(&old.to)
            .clone(),
        reply_to: old.reply_to.clone(),
        trace_id: old.trace_id.clone(),
        payload: replay
            .payload
            .clone()
            .map_or(PayloadSource::SameAs(old.id), PayloadSource::Given),
        payload_bytes: 0,
        deadline: None,
        ttl: old.ttl,
        max_attempts: replay.max_attempts.or(Some(old.max_attempts)),
        reminders: ReminderPlan::clone(&old.reminders),
        task: old.task.as_ref().map(|task| Box::new(task.spec.clone())),
        replay: Some(Lineage {
            origin: old.origin,
            replay_of: old.id,
            is_edited: replay.payload.is_some(),
        }),
        part: old
            .run
            .as_ref()
            .map_or(Part::Plain, |run| Part::Run(Box::new(run.workflow.clone()))),
    };
    draft.say(
        Actor::at(&replay.by),
        FactBody::DeadLetterReplayed {
            as_intent: replay.new_id,
        },
    );
    draft.then(replay.new_id, Command::Submit(Box::new(submit)));
    Ok(())
}

pub(super) fn discard(draft: &mut Draft<'_>, discard: &Discard) -> Result<(), Refusal> {
    let letter = letter(&draft.intent)?;
    match &letter.state {
        DeadLetterState::Open => {}
        DeadLetterState::Replayed { as_intent } => {
            return Err(Refusal::AlreadyReplayed(*as_intent));
        }
        DeadLetterState::Discarded { reason } => return Err(Refusal::Discarded(reason.clone())),
    }
    if discard.hold > Span::ZERO {
        let act = HeldAct::Discard {
            reason: discard.reason.clone(),
        };
        inbox::place_hold(draft, act, &discard.by, discard.hold);
        return Ok(());
    }
    draft.say(
        Actor::at(&discard.by),
        FactBody::DeadLetterDiscarded {
            reason: discard.reason.clone(),
        },
    );
    Ok(())
}

/// The ids of a replay that a timer makes: from its instant and its chance.
pub(super) fn ids_of_chance(draft: &Draft<'_>) -> (IntentId, ThreadId) {
    let make = |salt: u64| {
        let mut hasher = Sha256::new();
        hasher.update(draft.ctx.entropy.to_be_bytes());
        hasher.update(draft.intent.id.0.as_bytes());
        hasher.update(salt.to_be_bytes());
        let mut bytes = [0; 10];
        bytes
            .iter_mut()
            .zip(hasher.finalize())
            .for_each(|(byte, drawn)| *byte = drawn);
        IntentId::new(draft.ctx.now.as_millis(), bytes)
    };
    (make(1), ThreadId(make(2).0))
}

fn letter(intent: &Intent) -> Result<DeadLetter, Refusal> {
    intent
        .dead_letter
        .clone()
        .ok_or(Refusal::NotDeadLetter(intent.id))
}

/// Version 1 of the rule: receiver, type, error class and the message with everything that differs
/// from case to case masked.
fn fingerprint(intent: &Intent) -> String {
    let message = match &intent.end {
        Some(End::Failed { error } | End::TimedOut { error }) => match &intent.last_failure {
            Some(failure) if error.code == "delivery_failed" => failure.message.as_str(),
            _ => error.message.as_str(),
        },
        _ => "",
    };
    let class = intent
        .last_failure
        .as_ref()
        .map_or("none", |failure| failure.class.name());
    let mut hasher = Sha256::new();
    for part in [
        intent.to.key(),
        &intent.intent_type,
        class,
        &masked(message),
    ] {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    let digest = hasher.finalize();
    let mut label = "f1:".to_owned();
    for byte in digest.iter().take(6) {
        // Writing to a string cannot fail.
        let _infallible = write!(label, "{byte:02x}");
    }
    label
}

/// The message with digits, ids, hosts and addresses replaced, word by word.
fn masked(message: &str) -> String {
    let words = message.split_whitespace().map(|word| {
        let bare = word.trim_matches(|character: char| !character.is_alphanumeric());
        let has_digit = bare.chars().any(|character| character.is_ascii_digit());
        let is_id = bare.len() >= 8
            && has_digit
            && bare
                .chars()
                .all(|character| character.is_ascii_hexdigit() || character == '-');
        let is_place = word.contains("://") || word.contains('@') || is_host(bare);
        if is_id {
            "<id>".to_owned()
        } else if is_place {
            "<host>".to_owned()
        } else {
            word.chars()
                .map(|letter| if letter.is_ascii_digit() { '#' } else { letter })
                .collect()
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// True for `billing.example`, `10.0.0.1:8080` and the like.
fn is_host(word: &str) -> bool {
    let name = word.split(':').next().unwrap_or(word);
    name.split('.').count() >= 2 && name.split('.').all(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn what_differs_from_case_to_case_is_masked() {
        let one =
            masked("503 from https://billing.example/hooks order 0d3e77aa-12 at 10.0.0.1:8080");
        let other = masked("504 from https://other.example/x order 1c2f88bb-99 at 10.0.7.9:80");
        assert_eq!(one, other);
        assert_ne!(masked("invalid iban"), masked("invalid number"));
    }
}
