//! Results that came too late: refused, and written down at the attempt they belong to.

use crate::broker::batch::Batch;
use crate::broker::request::Request;
use crate::broker::writer::faultless;
use crate::domain::address::Address;
use crate::domain::fact::{Actor, Fact, FactBody};
use crate::domain::ids::AttemptId;
use crate::engine::command::Command;
use crate::engine::refusal::Refusal;
use crate::store::error::StoreError;

/// Writes down that a receiver's result was refused because its attempt is over. Once for each attempt:
/// a receiver that repeats itself for ever must not fill the store.
pub(super) fn write_down(
    batch: &mut Batch<'_>,
    request: &Request,
    refusal: &Refusal,
) -> Result<(), StoreError> {
    if !matches!(
        refusal,
        Refusal::Terminal { .. } | Refusal::StaleAttempt { .. }
    ) {
        return Ok(());
    }
    let Some(intent) = batch.intent(request.intent).cloned() else {
        return Ok(());
    };
    let Some((named, by)) = result_of(&request.command, &intent.to) else {
        return Ok(());
    };
    let facts = batch.facts(intent.id)?;
    let Some(attempt) = rejected(&facts, named) else {
        return Ok(());
    };
    let command = Command::RejectResult { attempt, by };
    faultless(batch.command(intent.id, &command)).map(|_written| ())
}

/// The fence and the bringer of a receiver's result, if the command is one.
fn result_of(command: &Command, receiver: &Address) -> Option<(Option<AttemptId>, Actor)> {
    match command {
        Command::Resume(resume) if resume.by == *receiver => {
            Some((resume.attempt, resume.actor.clone()))
        }
        Command::Resolve(resolve) if resolve.by == Actor::at(receiver) => {
            Some((None, resolve.by.clone()))
        }
        _ => None,
    }
}

/// The attempt of this intent whose result it was: the one that is named, else the last. None when there
/// is none, or when it has been written down before.
fn rejected(facts: &[Fact], named: Option<AttemptId>) -> Option<AttemptId> {
    let started = |fact: &Fact| match fact.body {
        FactBody::AttemptStarted { attempt, .. } => Some(attempt),
        _ => None,
    };
    let mut attempts = facts.iter().rev().filter_map(started);
    let attempt = match named {
        Some(named) => attempts.find(|attempt| *attempt == named),
        None => attempts.next(),
    }?;
    let is_known = facts.iter().any(
        |fact| matches!(fact.body, FactBody::ResultRejected { attempt: known } if known == attempt),
    );
    (!is_known).then_some(attempt)
}
