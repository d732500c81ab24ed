//! Workflows and how far they have come.

use crate::domain::scenario::{Place, Run, Step, StepOf, StepResult, StepWork, Workflow};

use super::Broken;
use super::codec::{Field, Input, fields, variants};

fields!(Workflow {
    scenario,
    entry,
    steps,
});

fields!(Step {
    id,
    work,
    holder,
    input,
    deadline,
    retries_max,
    retry_delay,
    reminders,
    on_success,
    on_failure,
});

variants!(StepWork, "step" {
    1 => Agent,
    2 => Person(spec),
    3 => Delay { span },
    4 => Notice { subject, body },
    5 => Escalation { reason },
});

fields!(Run {
    workflow,
    place,
    started,
    results,
});

variants!(Place, "place of a run" {
    1 => Between,
    2 => At { step, child, attempt, due },
    3 => Pausing { step, attempt },
});

fields!(StepResult { step, result });

fields!(StepOf {
    run,
    step,
    scenario,
    attempt,
});
