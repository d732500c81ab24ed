//! Jobs, ordered and watched from here. What is ordered is spelled as a body of the HTTP API and read by
//! the wire's reader, so that both desks refuse the same.

use crate::broker::Broker;
use crate::broker::outcomes::{self, ClassOfOutcomes};
use crate::broker::request::{AdminCommand, AuditNote};
use crate::desk::DeskError;
use crate::desk::convert::{job_item_row, job_row};
use crate::desk::rows::jobs::{JobPlan, JobRow, JobView, OutcomeRow};
use crate::domain::ids::JobId;
use crate::domain::job::{JobControl, JobState, NewJob};
use crate::store::query::{Page, PageRequest};
use crate::wire::body::Body;
use crate::wire::errors::Problem;
use crate::wire::jobs;

use super::LocalOptions;

/// Intents that a plan names.
const SAMPLE_MAX: usize = 100;

pub(super) async fn list(
    broker: &Broker,
    state: Option<JobState>,
    page: PageRequest,
) -> Result<Page<JobRow>, DeskError> {
    let found = broker.read(move |reader| reader.jobs(state, &page)).await?;
    Ok(found.map(|job| job_row(&job)))
}

pub(super) async fn show(
    broker: &Broker,
    id: JobId,
    page: PageRequest,
) -> Result<JobView, DeskError> {
    let (job, items, outcomes) = broker
        .read(move |reader| {
            let items = reader.job_items(id, &page)?;
            Ok((reader.job(id)?, items, outcomes::classes(reader, id)?))
        })
        .await?;
    let job = job.ok_or_else(|| Problem::new("job_not_found", format!("no job {id}")))?;
    Ok(JobView {
        row: job_row(&job),
        items: items.items.into_iter().map(job_item_row).collect(),
        next: items.next,
        outcomes: outcomes.into_iter().map(outcome_row).collect(),
    })
}

fn outcome_row(class: ClassOfOutcomes) -> OutcomeRow {
    OutcomeRow {
        outcome: class.outcome.to_owned(),
        code: class.code,
        count: class.count,
    }
}

/// The order as the HTTP API would read it.
fn read(broker: &Broker, job: &NewJob) -> Result<NewJob, Problem> {
    let text = jobs::body(job, false);
    let body = Body::parse(text.as_bytes())?;
    Ok(jobs::ordered(&body, None, &broker.registry().home)?.job)
}

pub(super) async fn plan(broker: &Broker, job: NewJob) -> Result<JobPlan, DeskError> {
    let selected = broker.select(read(broker, &job)?).await?;
    let taken = u64::try_from(selected.intents.len()).unwrap_or(u64::MAX);
    let mut sample = selected.intents;
    sample.truncate(SAMPLE_MAX);
    Ok(JobPlan {
        matched: selected.matched,
        selected: taken,
        skipped: selected.skipped,
        sample,
    })
}

fn note(options: &LocalOptions, action: &str, target: String, reason: Option<String>) -> AuditNote {
    AuditNote {
        actor: options.identity.to_string(),
        key: None,
        via: options.via.name().to_owned(),
        action: action.to_owned(),
        target,
        owner: None,
        reason,
        trace_id: None,
    }
}

pub(super) async fn start(
    broker: &Broker,
    options: &LocalOptions,
    job: NewJob,
) -> Result<JobRow, DeskError> {
    let job = read(broker, &job)?;
    let note = note(
        options,
        "job.start",
        job.kind.name().to_owned(),
        job.reason.clone(),
    );
    let (job, _selected) = broker
        .start_job(job, options.identity.clone(), note, None)
        .await?;
    Ok(job_row(&job))
}

pub(super) async fn control(
    broker: &Broker,
    options: &LocalOptions,
    id: JobId,
    control: JobControl,
) -> Result<JobRow, DeskError> {
    let action = format!("job.{}", control.name());
    let note = note(options, &action, id.to_string(), None);
    let receipt = broker
        .administer(AdminCommand::ControlJob(id, control), note)
        .await?;
    let job = receipt.job.ok_or_else(Problem::internal)?;
    Ok(job_row(&job))
}
