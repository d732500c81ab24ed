//! What the broker itself has to say to a person: a task in the operator's inbox.
//!
//! About one matter lies at most one that is unanswered.

use crate::broker::batch::Batch;
use crate::broker::writer::faultless;
use crate::domain::address::Address;
use crate::domain::ids::{IntentId, ThreadId};
use crate::domain::payload::Payload;
use crate::domain::task::{TaskSpec, TaskType};
use crate::engine::command::{Command, Submit};
use crate::store::error::StoreError;

/// What is said.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) intent_type: &'static str,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) payload: Payload,
    /// Of what it is about; else its own.
    pub(super) correlation_id: Option<String>,
    pub(super) trace_id: Option<String>,
}

/// Puts a notice into the operator's inbox, unless the earlier one lies there unanswered. Gives back the new
/// one.
pub(super) fn give(
    batch: &mut Batch<'_>,
    earlier: Option<IntentId>,
    words: Words,
) -> Result<Option<IntentId>, StoreError> {
    if let Some(earlier) = earlier {
        batch.load(&[earlier])?;
        let is_open = batch
            .intent(earlier)
            .is_some_and(|intent| !intent.is_finished());
        if is_open {
            return Ok(None);
        }
    }
    let title = words.title.clone();
    let id = new_id(batch);
    let command = Command::Submit(Box::new(notice(batch, id, words)));
    if let Err(refusal) = faultless(batch.command(id, &command))? {
        tracing::error!(title, %refusal, "a notice could not be given");
        return Ok(None);
    }
    Ok(Some(id))
}

fn new_id(batch: &Batch<'_>) -> IntentId {
    let mut bytes = [0; 10];
    batch.entropy.fill(&mut bytes);
    IntentId::new(batch.now.as_millis(), bytes)
}

fn notice(batch: &Batch<'_>, id: IntentId, words: Words) -> Submit {
    let home = &batch.policy.home;
    let at = |name: &str| Address::trusted(format!("{}/{}/{name}", home.org, home.workspace));
    let Words {
        intent_type,
        title,
        description,
        payload,
        correlation_id,
        trace_id,
    } = words;
    let task = TaskSpec {
        title,
        description: Some(description),
        task_type: TaskType::ManualAction,
        allowed_outcomes: Vec::new(),
        is_comment_required: false,
        assignees: Vec::new(),
        is_evidence_required: false,
        form_schema: None,
        notify_email: None,
    };
    let thread = ThreadId(new_id(batch).0);
    let plain = Submit::plain(
        id,
        thread,
        intent_type,
        at("postroom"),
        at("operator"),
        payload,
    );
    Submit {
        correlation_id: correlation_id.unwrap_or_else(|| id.to_string()),
        trace_id,
        task: Some(Box::new(task)),
        ..plain
    }
}
