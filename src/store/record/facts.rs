//! Facts, and what bindings report with them.

use crate::domain::attempt::{AttemptReport, Excerpt, Timing};
use crate::domain::controls::RetryDelay;
use crate::domain::fact::{Actor, Birth, ControlsChange, FactBody};

use super::Broken;
use super::codec::{Field, Input, fields, variants};

variants!(Actor, "actor" {
    1 => Broker,
    2 => Party(name),
});

fields!(Birth {
    intent_type,
    correlation_id,
    from,
    to,
    reply_to,
    trace_id,
    origin,
    replay_of,
    is_edited_replay,
    binding,
    deadline,
    ttl,
    ack_timeout,
    max_attempts,
    reminders,
    payload_bytes,
    workflow,
    step,
});

variants!(FactBody, "fact" {
    1 => Created(birth),
    2 => Submitted,
    3 => Delivered { binding, attempts },
    4 => Waiting { reason, holder, until },
    5 => TaskOpened { thread, owner, spec },
    6 => AttemptStarted { attempt, number, binding, session, lease_until },
    7 => AttemptFailed { attempt, number, failure, next_at, report },
    8 => Offered,
    9 => Acknowledged { attempt, lease_until, report },
    10 => InProgress { attempt, lease_until },
    11 => LeaseExtended { attempt, lease_until },
    12 => RetriedNow,
    13 => TaskDecided(decision),
    14 => TaskReplied { message },
    15 => Reminded { number, holder },
    16 => Escalated { to, from, offered },
    17 => DeliveryFailed { attempt, attempts, reason, failure, report },
    18 => Completed { attempt, result, report },
    19 => Failed { attempt, error, report },
    20 => Canceled { attempt, reason },
    21 => TimedOut { attempt, error },
    22 => DeadLetterOpened { reason, fingerprint },
    23 => DeadLetterReplayed { as_intent },
    24 => DeadLetterDiscarded { reason },
    25 => HoldPlaced(hold),
    26 => HoldCanceled { hold },
    27 => HoldElapsed { hold, refused },
    28 => ResultRejected { attempt },
    29 => StepStarted { step, child, attempt, due },
    30 => StepEnded { step, child, end, retry_at },
    31 => TaskDelegated { to, note },
    32 => MessagesEmptied { messages },
    33 => ThreadRead { by },
    34 => ControlsChanged(change),
});

variants!(RetryDelay, "retry delay" {
    1 => Scheduled,
    2 => Fixed(span),
});

fields!(ControlsChange {
    generation,
    controls,
    envelope,
    grants,
    reason,
    deadline,
    ttl,
    max_attempts,
    ack_timeout,
    retry_delay,
});

fields!(AttemptReport {
    timing,
    remote_addr,
    request,
    response,
    http_status,
    is_body_too_large,
});

fields!(Timing {
    resolve_ms,
    connect_ms,
    tls_ms,
    first_byte_ms,
    total_ms,
});

fields!(Excerpt {
    line,
    headers,
    body,
    bytes,
    is_truncated,
});
