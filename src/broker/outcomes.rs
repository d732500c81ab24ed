//! What became of a job's intents, by class: why some were skipped, and of what others died again.

use std::collections::BTreeMap;

use crate::domain::ids::JobId;
use crate::domain::job::{ItemOutcome, JobItem};
use crate::store::Reader;
use crate::store::error::StoreError;
use crate::store::query::PageRequest;

/// Items that are looked at; a larger job's classes are those of its first ones.
const ITEMS_MAX: usize = 5_000;
/// Replays that died again whose failures are looked up.
const FAILURES_MAX: u32 = 500;

/// One class of outcomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassOfOutcomes {
    /// `succeeded`, `failed`, `skipped`, ...
    pub outcome: &'static str,
    /// Why: the code of the refusal, the HTTP status or the class of the failure.
    pub code: Option<String>,
    /// How many.
    pub count: u64,
}

/// The classes, the largest first.
///
/// # Errors
/// The store's fault.
pub fn classes(reader: &mut dyn Reader, id: JobId) -> Result<Vec<ClassOfOutcomes>, StoreError> {
    let mut counts: BTreeMap<(&'static str, Option<String>), u64> = BTreeMap::new();
    let mut page = PageRequest {
        limit: 500,
        cursor: None,
    };
    let (mut seen, mut looked_up) = (0, 0);
    loop {
        let found = reader.job_items(id, &page)?;
        for item in &found.items {
            let code = code_of(reader, item, &mut looked_up)?;
            *counts.entry((item.outcome.name(), code)).or_default() += 1;
        }
        seen += found.items.len();
        page.cursor = found.next;
        if page.cursor.is_none() || seen >= ITEMS_MAX {
            break;
        }
    }
    let mut classes: Vec<ClassOfOutcomes> = counts
        .into_iter()
        .map(|((outcome, code), count)| ClassOfOutcomes {
            outcome,
            code,
            count,
        })
        .collect();
    classes.sort_by_key(|class| std::cmp::Reverse(class.count));
    Ok(classes)
}

fn code_of(
    reader: &mut dyn Reader,
    item: &JobItem,
    looked_up: &mut u32,
) -> Result<Option<String>, StoreError> {
    match (&item.outcome, item.new_intent) {
        (ItemOutcome::Skipped { code }, _) => Ok(Some(code.clone())),
        (ItemOutcome::Failed, Some(replay)) if *looked_up < FAILURES_MAX => {
            *looked_up += 1;
            let intent = reader.intent(replay)?;
            let failure = intent.and_then(|intent| intent.last_failure.clone());
            Ok(failure.map(|failure| match failure.http_status {
                Some(status) => status.to_string(),
                None => failure.class.name().to_owned(),
            }))
        }
        _ => Ok(None),
    }
}
