//! Changing what governs an intent while it is open: its deadline, its budget, its waits, who else may act.

use crate::domain::controls::patched;
use crate::domain::fact::{ControlsChange, FactBody};
use crate::domain::failure::{DeadReason, ErrorClass, Failure};
use crate::domain::intent::{Delivery, Intent};
use crate::domain::time::Timestamp;
use crate::engine::command::Control;
use crate::engine::refusal::Refusal;
use crate::engine::{Draft, capped, delivery, resolve};

pub(super) fn control(draft: &mut Draft<'_>, control: &Control) -> Result<(), Refusal> {
    draft.must_be_open()?;
    resolve::must_be_generation(draft, control.expected_generation)?;
    let change = ControlsChange {
        generation: draft.intent.policy_generation.saturating_add(1),
        controls: control.controls.clone(),
        envelope: control.envelope.clone(),
        grants: control.grants.clone(),
        reason: control.reason.as_deref().map(capped),
        deadline: new_deadline(draft, control)?,
        ttl: control.ttl,
        // What is used is used: a budget below it would be none.
        max_attempts: control
            .max_attempts
            .map(|max| max.max(draft.intent.attempts).max(1)),
        ack_timeout: control.ack_timeout,
        retry_delay: control.retry_delay,
    };
    must_be_kept(draft, &change)?;
    draft.say(
        control.by.clone(),
        FactBody::ControlsChanged(Box::new(change)),
    );
    if is_out_of_tries(&draft.intent) {
        end_of_tries(draft);
    }
    Ok(())
}

/// The deadline that was asked for: from now, from the birth, or absolute.
fn new_deadline(draft: &Draft<'_>, control: &Control) -> Result<Option<Timestamp>, Refusal> {
    let now = draft.ctx.now;
    let asked = control
        .timeout
        .map(|timeout| now.after(timeout))
        .or_else(|| control.ttl.map(|ttl| draft.intent.created_at.after(ttl)))
        .or(control.expires_at);
    match asked {
        Some(deadline) if deadline <= now => Err(Refusal::DeadlinePast { deadline }),
        asked => Ok(asked),
    }
}

fn must_be_kept(draft: &Draft<'_>, change: &ControlsChange) -> Result<(), Refusal> {
    let known = draft.intent.controls.as_deref().cloned();
    let known = known.unwrap_or_default();
    let parts = [
        (&known.controls, &change.controls),
        (&known.envelope, &change.envelope),
        (&known.grants, &change.grants),
    ];
    let bytes = parts.into_iter().map(|(object, patch)| match patch {
        Some(patch) => patched(object, patch).len(),
        None => object.len(),
    });
    let (bytes, limit) = (bytes.sum(), draft.ctx.policy.controls_bytes_max);
    if bytes > limit {
        return Err(Refusal::ControlsTooLarge { bytes, limit });
    }
    Ok(())
}

/// True when it waits for a try that its budget does not have any more.
const fn is_out_of_tries(intent: &Intent) -> bool {
    intent.attempts >= intent.max_attempts
        && matches!(
            intent.delivery,
            Delivery::Ready { .. } | Delivery::BackingOff { .. }
        )
}

fn end_of_tries(draft: &mut Draft<'_>) {
    let last = draft.intent.last_failure.clone();
    let failure = last.unwrap_or_else(|| {
        Failure::new(
            ErrorClass::LeaseLost,
            "its budget of attempts was lowered to what was used",
        )
    });
    delivery::out_of_tries(draft, DeadReason::Attempts, &failure);
}
