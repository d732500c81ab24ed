//! Jobs and their items.

use crate::domain::job::{
    ItemOutcome, Job, JobItem, JobKind, JobOrder, JobState, Pace, ReplayTerms, Selection,
};

use super::Broken;
use super::codec::{Field, Input, fields, variants};

variants!(JobKind, "kind of job" {
    1 => Replay,
    2 => Discard,
    3 => Cancel,
});

variants!(JobState, "state of a job" {
    1 => Running,
    2 => Paused,
    3 => Done,
    4 => Canceled,
});

variants!(JobOrder, "order of a job" {
    1 => Oldest,
    2 => Newest,
});

fields!(Selection {
    agent,
    from,
    intent_type,
    reason,
    error_class,
    fingerprint,
    since,
    until,
    statuses,
    intents,
    failed_of,
});

fields!(ReplayTerms {
    max_attempts,
    is_forced,
});

fields!(Pace {
    per_1000_seconds,
    in_flight_max,
    canary,
    stop_after_failures,
});

fields!(Job {
    id,
    kind,
    state,
    by,
    via,
    reason,
    selection,
    order,
    pace,
    to,
    matched,
    left_out,
    terms,
    created_at,
    updated_at,
    finished_at,
    selected,
    begun,
    in_flight,
    acknowledged,
    succeeded,
    failed,
    skipped,
    forgiven,
    is_canary_over,
    stopped_because,
    not_before_us,
});

variants!(ItemOutcome, "outcome of an item" {
    1 => InFlight { is_acknowledged },
    2 => Succeeded,
    3 => Failed,
    4 => Withdrawn,
    5 => Skipped { code },
});

fields!(JobItem {
    position,
    intent,
    new_intent,
    outcome,
});
