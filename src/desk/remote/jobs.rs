//! Jobs and the audit log over HTTP.

use serde::Deserialize;

use crate::desk::DeskError;
use crate::desk::parse::jobs::{Audit, Item, Job, Outcome, Plan};
use crate::desk::rows::jobs::{AuditRow, JobPlan, JobRow, JobView};
use crate::domain::ids::JobId;
use crate::domain::job::{JobControl, JobState, NewJob};
use crate::store::query::{AuditFilter, Page, PageRequest};
use crate::wire::jobs;

use super::link::{Link, Path};
use super::read::paged;

#[derive(Debug, Deserialize)]
struct Audits {
    events: Vec<Audit>,
    #[serde(default)]
    next_cursor: Option<String>,
}

pub(super) async fn audit(
    link: &Link,
    filter: AuditFilter,
    page: PageRequest,
) -> Result<Page<AuditRow>, DeskError> {
    let AuditFilter {
        party,
        action_prefix,
        via,
        target,
        is_refused,
        since,
        until,
    } = filter;
    let result = is_refused.map(|is_refused| if is_refused { "refused" } else { "done" });
    let path = paged(Path::of("v1/audit/events"), page)
        .maybe("owner_agent", party)
        .maybe("action_prefix", action_prefix)
        .maybe("via", via)
        .maybe("target", target)
        .maybe("result", result)
        .maybe("since", since)
        .maybe("until", until);
    let answer: Audits = link.get(path).await?;
    Ok(Page {
        items: answer.events.into_iter().map(Audit::row).collect(),
        next: answer.next_cursor,
    })
}

#[derive(Debug, Deserialize)]
struct Jobs {
    jobs: Vec<Job>,
    #[serde(default)]
    next_cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
struct OneJob {
    job: Job,
    #[serde(default)]
    items: Vec<Item>,
    #[serde(default)]
    next_cursor: Option<String>,
    #[serde(default)]
    outcomes: Vec<Outcome>,
}

pub(super) async fn list(
    link: &Link,
    state: Option<JobState>,
    page: PageRequest,
) -> Result<Page<JobRow>, DeskError> {
    let path = paged(Path::of("v1/jobs"), page).maybe("state", state.map(JobState::name));
    let answer: Jobs = link.get(path).await?;
    Ok(Page {
        items: answer.jobs.into_iter().map(Job::row).collect(),
        next: answer.next_cursor,
    })
}

pub(super) async fn show(link: &Link, id: JobId, page: PageRequest) -> Result<JobView, DeskError> {
    let answer: OneJob = link.get(paged(Path::of("v1/jobs").then(id), page)).await?;
    Ok(JobView {
        row: answer.job.row(),
        items: answer.items.into_iter().map(Item::row).collect(),
        next: answer.next_cursor,
        outcomes: answer.outcomes.into_iter().map(Outcome::row).collect(),
    })
}

pub(super) async fn plan(link: &Link, job: NewJob) -> Result<JobPlan, DeskError> {
    let answer: Plan = link
        .post(Path::of("v1/jobs"), &jobs::body(&job, true), None)
        .await?;
    Ok(answer.plan())
}

pub(super) async fn start(link: &Link, job: NewJob) -> Result<JobRow, DeskError> {
    let answer: OneJob = link
        .post(Path::of("v1/jobs"), &jobs::body(&job, false), None)
        .await?;
    Ok(answer.job.row())
}

pub(super) async fn control(
    link: &Link,
    id: JobId,
    control: JobControl,
) -> Result<JobRow, DeskError> {
    let path = Path::of("v1/jobs").then(id).then(control.name());
    let answer: OneJob = link.post(path, "{}", None).await?;
    Ok(answer.job.row())
}
