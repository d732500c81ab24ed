//! Jobs in the reference memory.

use crate::domain::ids::JobId;
use crate::domain::job::{ItemOutcome, Job, JobItem, JobState};
use crate::store::cursor::{self, List};
use crate::store::error::StoreError;
use crate::store::query::{Page, PageRequest};

use super::read::number;
use super::tables::Tables;

impl Tables {
    pub(super) fn job_page(
        &self,
        state: Option<JobState>,
        page: &PageRequest,
    ) -> Result<Page<Job>, StoreError> {
        let end = cursor::decode(List::Jobs, page)?.map_or(i64::MAX, |[id]| id);
        let rows = self
            .jobs
            .values()
            .rev()
            .filter(|job| number(job.id.0) < end)
            .filter(|job| state.is_none_or(|state| state == job.state))
            .map(|job| Ok(([number(job.id.0)], job.clone())));
        cursor::page(List::Jobs, page, rows)
    }

    pub(super) fn job_item_page(
        &self,
        id: JobId,
        page: &PageRequest,
    ) -> Result<Page<JobItem>, StoreError> {
        let after = cursor::decode(List::JobItems, page)?.map_or(-1, |[position]| position);
        let rows = self
            .items_of(id)
            .map(|item| (i64::from(item.position), item))
            .filter(|(position, _)| *position > after)
            .map(|(position, item)| Ok(([position], item.clone())));
        cursor::page(List::JobItems, page, rows)
    }

    pub(super) fn job_items_in_flight(&self, id: JobId) -> Vec<JobItem> {
        self.items_of(id)
            .filter(|item| matches!(item.outcome, ItemOutcome::InFlight { .. }))
            .cloned()
            .collect()
    }

    fn items_of(&self, id: JobId) -> impl Iterator<Item = &JobItem> {
        self.job_items
            .range((id, 0)..=(id, u32::MAX))
            .map(|(_, item)| item)
    }
}
