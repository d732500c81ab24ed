//! Jobs, ordered and watched from here.

#![expect(
    clippy::unused_async,
    reason = "the broker answers later once it runs jobs"
)]

use crate::broker::Broker;
use crate::desk::DeskError;
use crate::desk::rows::jobs::{JobPlan, JobRow, JobView};
use crate::domain::ids::JobId;
use crate::domain::job::{JobControl, JobState, NewJob};
use crate::store::query::{Page, PageRequest};
use crate::wire::errors::Problem;

use super::LocalOptions;

fn not_yet() -> DeskError {
    Problem::new("not_supported", "jobs are not part of this release").into()
}

pub(super) async fn list(
    _broker: &Broker,
    _state: Option<JobState>,
    _page: PageRequest,
) -> Result<Page<JobRow>, DeskError> {
    Ok(Page {
        items: Vec::new(),
        next: None,
    })
}

pub(super) async fn show(
    _broker: &Broker,
    _id: JobId,
    _page: PageRequest,
) -> Result<JobView, DeskError> {
    Err(not_yet())
}

pub(super) async fn plan(_broker: &Broker, _job: NewJob) -> Result<JobPlan, DeskError> {
    Err(not_yet())
}

pub(super) async fn start(
    _broker: &Broker,
    _options: &LocalOptions,
    _job: NewJob,
) -> Result<JobRow, DeskError> {
    Err(not_yet())
}

pub(super) async fn control(
    _broker: &Broker,
    _options: &LocalOptions,
    _id: JobId,
    _control: JobControl,
) -> Result<JobRow, DeskError> {
    Err(not_yet())
}
