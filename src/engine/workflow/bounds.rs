//! How large a run may grow: each step is given the results before it, so they are bounded together.

use serde_json::json;

use crate::domain::failure::DeadReason;
use crate::domain::intent::{End, IntentError};
use crate::domain::payload::Payload;
use crate::domain::scenario::{Run, Step};
use crate::engine::Draft;
use crate::engine::command::{PayloadSource, StepEnded};

/// The end of a step as its run keeps it: what makes the results of a run too large is a failure, and the
/// same again would be one too.
pub(super) fn bounded(run: &Run, place: u32, ended: &StepEnded, bytes_max: usize) -> StepEnded {
    let bytes = match &ended.end {
        End::Completed { result } => result.len(),
        End::Failed { error } | End::TimedOut { error } => {
            error.details.as_ref().map_or(0, Payload::len)
        }
        End::Canceled { .. } => 0,
    };
    let others = run.results.iter().filter(|kept| kept.step != place);
    let others: usize = others.map(|kept| kept.result.len()).sum();
    if others.saturating_add(bytes) <= bytes_max {
        return ended.clone();
    }
    let error = IntentError {
        code: "result_too_large".to_owned(),
        message: format!(
            "its result of {bytes} bytes makes the results of the run larger than {bytes_max} bytes (limits.run_bytes)"
        ),
        category: "validation".to_owned(),
        is_retryable: false,
        details: None,
    };
    StepEnded {
        child: ended.child,
        end: End::Failed { error },
        reason: Some(DeadReason::Schema),
    }
}

/// Why a step cannot be given what it would have to be given.
pub(super) fn too_large(
    draft: &Draft<'_>,
    step: &Step,
    payload: &PayloadSource,
) -> Option<IntentError> {
    let bytes_max = draft.ctx.policy.run_bytes_max;
    let bytes = match payload {
        PayloadSource::OfRun { beside, .. } => beside.len(),
        PayloadSource::Given(_) | PayloadSource::SameAs(_) => 0,
    };
    (bytes > bytes_max).then(|| IntentError {
        code: "step_failed".to_owned(),
        message: format!(
            "step {}: its input and the results before it have {bytes} bytes, at most {bytes_max} are allowed (limits.run_bytes)",
            step.id
        ),
        category: "validation".to_owned(),
        is_retryable: false,
        details: Some(Payload::of(&json!({ "step_id": step.id, "limit": bytes_max }))),
    })
}
