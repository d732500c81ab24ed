//! What is known of agents in the mesh.

use crate::domain::mesh::{Beats, Day, Health, MeshEvent, Metrics};

use super::Broken;
use super::codec::{Field, Input, fields, variants};

variants!(Health, "health" {
    1 => Unknown,
    2 => Healthy,
    3 => Degraded,
    4 => Unreachable,
});

fields!(Metrics {
    intents_total,
    intents_succeeded,
    intents_failed,
    latency_micros,
    cost_micros,
});

fields!(Day { number, metrics });

fields!(MeshEvent {
    number,
    at,
    kind,
    actor,
    words,
});

fields!(Beats {
    agent,
    last_at,
    told,
    days,
    events,
});
