//! The state of an intent.

use crate::domain::agent::Binding;
use crate::domain::controls::Controls;
use crate::domain::failure::{DeadReason, ErrorClass, Failure};
use crate::domain::ids::IntentId;
use crate::domain::intent::{
    DeadLetter, DeadLetterState, Delivery, End, Intent, IntentError, Lease,
};
use crate::domain::status::{Status, WaitingReason};
use crate::domain::task::{Decision, HeldAct, Hold, ReminderPlan, Task, TaskSpec, TaskType};
use crate::domain::via::Via;

use super::Broken;
use super::codec::{Field, Input, fields, variants};

macro_rules! put_each {
    ($out:ident, $($field:ident),*) => {
        $($field.put($out);)*
    };
}

pub(super) fn put_intent(intent: &Intent, out: &mut Vec<u8>) {
    let Intent {
        id,
        intent_type,
        correlation_id,
        from,
        to,
        first_to,
        reply_to,
        trace_id,
        origin,
        replay_of,
        is_edited_replay,
        binding,
        created_at,
        updated_at,
        deadline,
        ttl,
        ack_timeout,
        max_attempts,
        reminders,
        step,
        seq,
        event_seq,
        status,
        waiting,
        delivery,
        attempts,
        acknowledged_at,
        last_failure,
        reminded,
        reminder_base,
        escalated_to,
        task,
        holds,
        end,
        dead_letter,
        policy_generation,
        controls,
        run,
        handed_to,
        read_by,
    } = intent;
    put_each!(out, intent_type, correlation_id, from, to);
    put_each!(out, first_to, reply_to, trace_id);
    // Its own origin, which is nearly always so, takes one byte.
    Some(*origin).filter(|origin| origin != id).put(out);
    put_each!(out, replay_of, is_edited_replay, binding);
    put_each!(out, created_at, updated_at);
    put_each!(out, deadline, ttl, ack_timeout, max_attempts);
    put_each!(out, reminders, step);
    put_each!(out, seq, event_seq, status, waiting, delivery, attempts);
    put_each!(out, acknowledged_at, last_failure, reminded, reminder_base);
    put_each!(out, escalated_to, task, holds, end, dead_letter);
    put_each!(out, policy_generation, controls, run, handed_to, read_by);
}

pub(super) fn take_intent(id: IntentId, input: &mut Input<'_>) -> Result<Intent, Broken> {
    Ok(Intent {
        id,
        intent_type: Field::read(input)?,
        correlation_id: Field::read(input)?,
        from: Field::read(input)?,
        to: Field::read(input)?,
        first_to: Field::read(input)?,
        reply_to: Field::read(input)?,
        trace_id: Field::read(input)?,
        origin: Option::read(input)?.unwrap_or(id),
        replay_of: Field::read(input)?,
        is_edited_replay: Field::read(input)?,
        binding: Field::read(input)?,
        created_at: Field::read(input)?,
        updated_at: Field::read(input)?,
        deadline: Field::read(input)?,
        ttl: Field::read(input)?,
        ack_timeout: Field::read(input)?,
        max_attempts: Field::read(input)?,
        reminders: Field::read(input)?,
        step: Field::read(input)?,
        seq: Field::read(input)?,
        event_seq: Field::read(input)?,
        status: Field::read(input)?,
        waiting: Field::read(input)?,
        delivery: Field::read(input)?,
        attempts: Field::read(input)?,
        acknowledged_at: Field::read(input)?,
        last_failure: Field::read(input)?,
        reminded: Field::read(input)?,
        reminder_base: Field::read(input)?,
        escalated_to: Field::read(input)?,
        task: Field::read(input)?,
        holds: Field::read(input)?,
        end: Field::read(input)?,
        dead_letter: Field::read(input)?,
        policy_generation: Field::read(input)?,
        controls: Field::read(input)?,
        run: Field::read(input)?,
        handed_to: Field::read(input)?,
        read_by: Field::read(input)?,
    })
}

variants!(Binding, "binding" {
    1 => Stream,
    2 => Poll,
    3 => Http,
    4 => Inbox,
    5 => Internal,
});

variants!(Status, "status" {
    1 => Created,
    2 => Submitted,
    3 => Delivered,
    4 => Acknowledged,
    5 => InProgress,
    6 => Waiting,
    7 => Completed,
    8 => Failed,
    9 => Canceled,
    10 => TimedOut,
});

variants!(WaitingReason, "waiting reason" {
    1 => Human,
    2 => Agent,
    3 => Tool,
    4 => Time,
});

variants!(ErrorClass, "error class" {
    1 => Dns,
    2 => Connect,
    3 => Tls,
    4 => Reset,
    5 => Timeout,
    6 => Http3xx,
    7 => Http4xx,
    8 => HttpConflict,
    9 => Http429,
    10 => Http5xx,
    11 => Gone410,
    12 => BlockedAddress,
    13 => BadSignatureConfig,
    14 => Nack,
    15 => LeaseLost,
    16 => HandlerFailed,
    17 => Crash,
});

variants!(DeadReason, "dead letter reason" {
    1 => Attempts,
    2 => Permanent,
    3 => SsrfBlocked,
    4 => PoisonCrash,
    5 => Deadline,
    6 => HandlerFailed,
    7 => Rejected,
    8 => Schema,
    9 => Operator,
});

fields!(Failure {
    class,
    http_status,
    message,
    retry_after,
});

fields!(ReminderPlan {
    after,
    interval,
    max,
    escalate_to,
});

fields!(Lease {
    attempt,
    number,
    binding,
    session,
    started_at,
    until,
});

variants!(Delivery, "delivery" {
    1 => Ready { since },
    2 => Leased(lease),
    3 => BackingOff { until },
    4 => HeldByPerson,
    5 => HeldByTime { until },
    6 => Done,
    7 => Dead,
    8 => Withdrawn,
    9 => HeldBySteps,
});

fields!(IntentError {
    code,
    message,
    category,
    is_retryable,
    details,
});

variants!(End, "end" {
    1 => Completed { result },
    2 => Failed { error },
    3 => Canceled { reason },
    4 => TimedOut { error },
});

fields!(DeadLetter {
    reason,
    fingerprint,
    at,
    state,
});

variants!(DeadLetterState, "dead letter state" {
    1 => Open,
    2 => Replayed { as_intent },
    3 => Discarded { reason },
});

variants!(TaskType, "task type" {
    1 => Approval,
    2 => Review,
    3 => Clarification,
    4 => ManualAction,
    5 => Confirmation,
    6 => Assignment,
    7 => Override,
    8 => Form,
    9 => Other(name),
});

fields!(TaskSpec {
    title,
    description,
    task_type,
    allowed_outcomes,
    is_comment_required,
    assignees,
    is_evidence_required,
    form_schema,
    notify_email,
});

fields!(Task {
    thread,
    owner,
    spec,
    version,
    opened_at,
    decision,
    delegates,
});

fields!(Decision {
    outcome,
    comment,
    data,
    by,
    via,
    at,
    version,
});

variants!(Via, "way" {
    1 => Api,
    2 => Console,
    3 => Command,
    4 => Page,
    5 => Mcp,
});

variants!(HeldAct, "held act" {
    1 => Decide { outcome, comment, version, data, via },
    2 => Replay,
    3 => Discard { reason },
});

fields!(Controls {
    controls,
    envelope,
    grants,
    retry_delay,
});

fields!(Hold {
    id,
    act,
    by,
    placed_at,
    effective_at,
});
