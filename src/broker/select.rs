//! Which intents a job takes: found by a reader, as of one instant, before the job exists.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::broker::registry::Registry;
use crate::broker::request::{AdminCommand, AuditNote, BrokerError, RememberKey, StartJob};
use crate::broker::{Broker, admission};
use crate::domain::address::Address;
use crate::domain::ids::{IntentId, JobId};
use crate::domain::intent::{DeadLetterState, Intent};
use crate::domain::job::{ItemOutcome, Job, JobKind, JobOrder, NewJob, Selection};
use crate::store::error::StoreError;
use crate::store::query::{IntentFilter, LetterFilter, LetterState, PageRequest};
use crate::store::{JOB_PIECE, Reader};

/// What a job would take, and what it would leave out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selected {
    /// Intents that the filter matches: those taken and those left out.
    pub matched: u64,
    /// Those that are taken, in their order.
    pub intents: Vec<IntentId>,
    /// Why others are left out, and how many.
    pub skipped: Vec<(String, u64)>,
}

impl Broker {
    /// What a job would take now.
    ///
    /// # Errors
    /// The store's fault, or [`BrokerError::Stopping`].
    pub async fn select(&self, job: NewJob) -> Result<Selected, BrokerError> {
        let registry = self.registry();
        self.read(move |reader| select(reader, &job, &registry))
            .await
    }

    /// Starts a job with what it takes now, or finds the one that was started under this key. Answers when
    /// both are durable.
    ///
    /// # Errors
    /// [`BrokerError`]; after anything but a fault nothing has changed.
    pub async fn start_job(
        &self,
        job: NewJob,
        by: Address,
        note: AuditNote,
        remember: Option<RememberKey>,
    ) -> Result<(Arc<Job>, Selected), BrokerError> {
        let selected = self.select(job.clone()).await?;
        let start = StartJob {
            job,
            intents: selected.intents.clone(),
            matched: selected.matched,
            left_out: selected.skipped.clone(),
            remember,
            by,
            via: note.via.clone(),
        };
        let command = AdminCommand::StartJob(Box::new(start));
        let receipt = self.administer(command, note).await?;
        let job = receipt.job.ok_or(BrokerError::Stopping)?;
        if receipt.is_repeat {
            let selected = self.selected_by(&job).await?;
            return Ok((job, selected));
        }
        Ok((job, selected))
    }

    /// What a job took when it was ordered.
    async fn selected_by(&self, job: &Job) -> Result<Selected, BrokerError> {
        let (id, selected) = (job.id, job.selected);
        let intents = self
            .read(move |reader| {
                let mut intents = Vec::new();
                for piece in 0..selected.div_ceil(JOB_PIECE) {
                    intents.extend(reader.job_selection(id, piece)?);
                }
                Ok(intents)
            })
            .await?;
        Ok(Selected {
            matched: job.matched,
            intents,
            skipped: job.left_out.clone(),
        })
    }
}

fn select(
    reader: &mut dyn Reader,
    job: &NewJob,
    registry: &Registry,
) -> Result<Selected, StoreError> {
    let mut selected = match job.kind {
        _ if job.selection.failed_of.is_some() || !job.selection.intents.is_empty() => {
            named(reader, job)?
        }
        JobKind::Replay | JobKind::Discard => letters(reader, job)?,
        JobKind::Cancel => unfinished(reader, job)?,
    };
    if let Some(to) = &job.to {
        keep_admitted(reader, &mut selected, registry, to)?;
    }
    let left_out: u64 = selected.skipped.iter().map(|(_, count)| *count).sum();
    selected.skipped.retain(|(_, count)| *count > 0);
    selected.matched = number(selected.intents.len()).saturating_add(left_out);
    Ok(selected)
}

/// Leaves out what the other receiver would not be sent.
fn keep_admitted(
    reader: &mut dyn Reader,
    selected: &mut Selected,
    registry: &Registry,
    to: &Address,
) -> Result<(), StoreError> {
    let mut refused = 0;
    for id in std::mem::take(&mut selected.intents) {
        let intent = reader.intent(id)?;
        let may = |intent: &Arc<Intent>| admission::may_meet(registry, &intent.from, to).is_ok();
        if intent.as_ref().is_some_and(may) {
            selected.intents.push(id);
        } else {
            refused += 1;
        }
    }
    selected.skipped.push(("policy_denied".to_owned(), refused));
    Ok(())
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn letters(reader: &mut dyn Reader, job: &NewJob) -> Result<Selected, StoreError> {
    let filter = |state| LetterFilter {
        agent: job.selection.agent.clone(),
        intent_type: job.selection.intent_type.clone(),
        reason: job.selection.reason,
        error_class: job.selection.error_class,
        since: job.selection.since,
        until: job.selection.until,
        fingerprint: job.selection.fingerprint.clone(),
        state: Some(state),
    };
    let mut intents = reader.letter_ids(&filter(LetterState::Open), job.order, job.limit)?;
    let mut open = reader.letter_count(&filter(LetterState::Open))?;
    let mut replayed = reader.letter_count(&filter(LetterState::Replayed))?;
    if job.terms.is_forced && job.kind == JobKind::Replay {
        let room = u64::from(job.limit).saturating_sub(number(intents.len()));
        let room = u32::try_from(room).unwrap_or(u32::MAX);
        if room > 0 {
            intents.extend(reader.letter_ids(&filter(LetterState::Replayed), job.order, room)?);
        }
        open = open.saturating_add(replayed);
        replayed = 0;
    }
    let discarded = reader.letter_count(&filter(LetterState::Discarded))?;
    let over = open.saturating_sub(number(intents.len()));
    Ok(Selected {
        matched: 0,
        intents,
        skipped: vec![
            ("already_replayed".to_owned(), replayed),
            ("dead_letter_closed".to_owned(), discarded),
            ("over_limit".to_owned(), over),
        ],
    })
}

/// Those that are named one by one, in the order in which they are named.
fn named(reader: &mut dyn Reader, job: &NewJob) -> Result<Selected, StoreError> {
    let mut selected = Selected::default();
    let mut skipped: BTreeMap<&str, u64> = BTreeMap::new();
    let mut seen = std::collections::HashSet::new();
    let mut ids = job.selection.intents.clone();
    if let Some(of) = job.selection.failed_of {
        ids.extend(failed(reader, of)?);
    }
    for id in &ids {
        if !seen.insert(*id) {
            continue;
        }
        let intent = reader.intent(*id)?;
        let code = match &intent {
            None => Some("intent_not_found"),
            Some(intent) if !fits(&job.selection, intent) => Some("not_matched"),
            Some(intent) => obstacle(job, intent),
        };
        match code {
            Some(code) => *skipped.entry(code).or_default() += 1,
            None if number(selected.intents.len()) >= u64::from(job.limit) => {
                *skipped.entry("over_limit").or_default() += 1;
            }
            None => selected.intents.push(*id),
        }
    }
    selected.skipped = skipped
        .into_iter()
        .map(|(code, count)| (code.to_owned(), count))
        .collect();
    Ok(selected)
}

/// The replays of a job that have died again, in the order of their turns.
fn failed(reader: &mut dyn Reader, of: JobId) -> Result<Vec<IntentId>, StoreError> {
    let mut page = PageRequest {
        limit: 500,
        cursor: None,
    };
    let mut failed = Vec::new();
    loop {
        let found = reader.job_items(of, &page)?;
        let dead = found
            .items
            .iter()
            .filter(|item| item.outcome == ItemOutcome::Failed);
        failed.extend(dead.filter_map(|item| item.new_intent));
        page.cursor = found.next;
        if page.cursor.is_none() {
            return Ok(failed);
        }
    }
}

/// Why this job would do nothing to the intent: the code of the refusal.
fn obstacle(job: &NewJob, intent: &Intent) -> Option<&'static str> {
    let letter = intent.dead_letter.as_ref().map(|letter| &letter.state);
    match (job.kind, letter) {
        (JobKind::Replay, Some(DeadLetterState::Replayed { .. })) if job.terms.is_forced => None,
        (JobKind::Cancel, _) => intent.is_finished().then_some("intent_terminal"),
        (_, None) => Some("dead_letter_not_found"),
        (_, Some(DeadLetterState::Open)) => None,
        (_, Some(DeadLetterState::Replayed { .. })) => Some("already_replayed"),
        (_, Some(DeadLetterState::Discarded { .. })) => Some("dead_letter_closed"),
    }
}

/// True when the intent is what the rest of the filter asks for.
fn fits(selection: &Selection, intent: &Intent) -> bool {
    let Selection {
        agent,
        from,
        intent_type,
        reason,
        error_class,
        fingerprint,
        since,
        until,
        statuses,
        intents: _,
        failed_of: _,
    } = selection;
    let letter = intent.dead_letter.as_ref();
    let at = letter.map_or(intent.created_at, |letter| letter.at);
    let class = intent.last_failure.as_ref().map(|failure| failure.class);
    agent.as_ref().is_none_or(|agent| *agent == intent.to)
        && from.as_ref().is_none_or(|from| *from == intent.from)
        && intent_type
            .as_ref()
            .is_none_or(|pattern| match pattern.strip_suffix('*') {
                Some(prefix) => intent.intent_type.starts_with(prefix),
                None => *pattern == intent.intent_type,
            })
        && reason.is_none_or(|reason| letter.is_some_and(|letter| letter.reason == reason))
        && error_class.is_none_or(|wanted| Some(wanted) == class)
        && fingerprint
            .as_ref()
            .is_none_or(|wanted| letter.is_some_and(|letter| letter.fingerprint == *wanted))
        && since.is_none_or(|since| at >= since)
        && until.is_none_or(|until| at < until)
        && (statuses.is_empty() || statuses.contains(&intent.status))
}

fn unfinished(reader: &mut dyn Reader, job: &NewJob) -> Result<Selected, StoreError> {
    let filter = IntentFilter {
        is_unfinished: true,
        statuses: job.selection.statuses.clone(),
        to: job.selection.agent.clone(),
        from: job.selection.from.clone(),
        intent_type: job.selection.intent_type.clone(),
        since: job.selection.since,
        until: job.selection.until,
        ..IntentFilter::default()
    };
    let mut page = PageRequest {
        limit: 500,
        cursor: None,
    };
    let mut intents = Vec::new();
    loop {
        let found = reader.intents(&filter, &page)?;
        intents.extend(found.items.iter().map(|intent| intent.id));
        page.cursor = found.next;
        if page.cursor.is_none() {
            break;
        }
    }
    if job.order == JobOrder::Oldest {
        intents.reverse();
    }
    let limit = usize::try_from(job.limit).unwrap_or(usize::MAX);
    let over = intents.len().saturating_sub(limit);
    intents.truncate(limit);
    Ok(Selected {
        matched: 0,
        intents,
        skipped: vec![("over_limit".to_owned(), number(over))],
    })
}
