//! Runs in the simulation: graphs of steps that are drawn, and where each of them may go on.
//!
//! A run and its step are two intents that one commit moves together. So after every commit they agree, also
//! after one that was the last before a crash: a step that is open has a run that stands at it, and a run that
//! stands at a step has that step open.

use std::collections::BTreeMap;

use postroom::domain::address::Home;
use postroom::domain::fact::{Fact, FactBody};
use postroom::domain::ids::IntentId;
use postroom::domain::intent::{End, Intent};
use postroom::domain::scenario::{Place, Step, StepWork, Workflow};
use postroom::domain::task::{ReminderPlan, TaskSpec, TaskType};
use postroom::domain::time::{Span, Timestamp};
use postroom::engine::command::{Part, Submit};
use postroom::engine::workflow::{STEPS_MAX, broker_address};

use crate::chance::Rng;
use crate::world::{AGENTS, Broken, World, address};

impl World {
    /// A run of steps that were never seen before.
    pub(crate) fn submit_run(&mut self, key: u64) -> Result<(), Broken> {
        let workflow = workflow(&mut self.rng);
        let submit = self.draw("orders");
        self.take_in(
            Submit {
                to: broker_address(&Home::default()),
                part: Part::Run(Box::new(workflow)),
                ..submit
            },
            key,
        )
    }
}

fn seconds(rng: &mut Rng, least: i64, most: usize) -> Span {
    Span::from_seconds(least + i64::try_from(rng.below(most)).unwrap_or(0))
}

fn workflow(rng: &mut Rng) -> Workflow {
    let count = 1 + rng.below(5);
    let place = |rng: &mut Rng, least: usize, most: usize| {
        u32::try_from(least + rng.below(most - least)).unwrap_or(0)
    };
    let mut steps = Vec::new();
    for number in 0..count {
        let (work, holder) = work(rng);
        // What waits longer than its deadline fails every time, and might go round until the run is cut off.
        let least = match work {
            StepWork::Delay { span } => span.as_seconds() + 1,
            _ => 1,
        };
        let is_back = rng.below(400) == 0;
        let on_success = match rng.below(8) {
            0 => Some(place(rng, number + 1, count + 2)),
            _ => is_back.then(|| place(rng, 0, number + 1)),
        };
        steps.push(Step {
            id: format!("step {number}"),
            work,
            holder: address(holder),
            input: None,
            deadline: rng.chance(40).then(|| seconds(rng, least, 300)),
            retries_max: place(rng, 0, 3),
            retry_delay: if rng.chance(40) {
                Span::ZERO
            } else {
                seconds(rng, 1, 90)
            },
            reminders: ReminderPlan {
                after: rng.chance(20).then(|| Span::from_seconds(20)),
                interval: None,
                max: Some(2),
                escalate_to: rng.chance(50).then(|| "stock".to_owned()),
            },
            on_success,
            on_failure: rng
                .chance(35)
                .then(|| place(rng, number.saturating_sub(1), count + 1)),
        });
    }
    Workflow {
        scenario: "sim".to_owned(),
        entry: place(rng, 0, count.min(2)),
        steps,
    }
}

fn work(rng: &mut Rng) -> (StepWork, &'static str) {
    match rng.below(20) {
        0..=11 => (StepWork::Agent, AGENTS[rng.below(4)].0),
        12..=14 => {
            let spec = TaskSpec {
                title: "may it?".to_owned(),
                description: None,
                task_type: TaskType::Approval,
                allowed_outcomes: Vec::new(),
                is_comment_required: false,
                assignees: Vec::new(),
                is_evidence_required: false,
                form_schema: None,
                notify_email: None,
            };
            (StepWork::Person(Box::new(spec)), "finance")
        }
        15..=16 => {
            let span = seconds(rng, 0, 200);
            (StepWork::Delay { span }, "orders")
        }
        17..=18 => {
            let (subject, body) = ("news".to_owned(), "of {{intent_id}}".to_owned());
            (StepWork::Notice { subject, body }, "finance")
        }
        _ => {
            let reason = "look after it".to_owned();
            (StepWork::Escalation { reason }, "finance")
        }
    }
}

/// What must come next of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Next {
    /// This step, for the so-manieth time, and not before an instant.
    Step(u32, u32, Timestamp),
    Completed,
    Failed,
}

/// Where runs must go on, by the list of their steps and by nothing else.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    next: BTreeMap<IntentId, Next>,
    /// Steps that each has begun.
    begun: BTreeMap<IntentId, u32>,
}

impl Runs {
    /// A fact of an intent as it was before.
    pub(crate) fn look_at(&mut self, before: Option<&Intent>, fact: &Fact) -> Result<(), String> {
        let id = fact.intent;
        if let FactBody::Created(birth) = &fact.body {
            if let Some(workflow) = &birth.workflow {
                let next = Next::Step(workflow.entry, 1, fact.at);
                self.next.insert(id, next);
            }
            return Ok(());
        }
        let Some(run) = before.and_then(|intent| intent.run.as_deref()) else {
            return Ok(());
        };
        match &fact.body {
            FactBody::StepStarted { step, attempt, .. } => {
                *self.begun.entry(id).or_default() += 1;
                match self.next.remove(&id) {
                    Some(Next::Step(place, number, at))
                        if (place, number) == (*step, *attempt) && fact.at >= at => {}
                    other => {
                        return Err(format!(
                            "{id} began step {step}, try {attempt} at {}; expected {other:?}",
                            fact.at
                        ));
                    }
                }
            }
            FactBody::StepEnded {
                step,
                child,
                end,
                retry_at,
            } => {
                let Place::At {
                    child: at, attempt, ..
                } = run.place
                else {
                    return Err(format!("{id} stands at no step, and one ended"));
                };
                if at != *child {
                    return Err(format!("{id} stands at {at}, and {child} ended"));
                }
                let next = next(&run.workflow, *step, attempt, end, *retry_at, fact)?;
                self.next.insert(id, next);
            }
            FactBody::Completed { .. } => self.must_be(id, &Next::Completed)?,
            FactBody::Failed { .. } => {
                // One that goes round is cut off.
                if self.begun.get(&id).is_none_or(|begun| *begun < STEPS_MAX) {
                    self.must_be(id, &Next::Failed)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn must_be(&self, id: IntentId, end: &Next) -> Result<(), String> {
        let expected = self.next.get(&id);
        if expected == Some(end) {
            return Ok(());
        }
        Err(format!("{id} is {end:?}; expected {expected:?}"))
    }
}

fn next(
    workflow: &Workflow,
    place: u32,
    attempt: u32,
    end: &End,
    retry_at: Option<Timestamp>,
    fact: &Fact,
) -> Result<Next, String> {
    let step = workflow.step(place).ok_or("there is no such step")?;
    let go = |to: u32, beyond: Next| match workflow.step(to) {
        Some(_) => Next::Step(to, 1, fact.at),
        None => beyond,
    };
    if matches!(end, End::Completed { .. }) {
        return Ok(go(step.on_success.unwrap_or(place + 1), Next::Completed));
    }
    let may_retry = attempt <= step.retries_max && !matches!(end, End::Canceled { .. });
    match retry_at {
        Some(at) if !may_retry || at != fact.at.after(step.retry_delay) => Err(format!(
            "step {place} is tried again at {at} after try {attempt} of {}",
            step.retries_max
        )),
        Some(at) => Ok(Next::Step(place, attempt + 1, at)),
        // A person's no is an answer, and not asked for again.
        None if may_retry && !matches!(step.work, StepWork::Person(_)) && !is_rejection(end) => {
            Err(format!(
                "step {place} was given up after try {attempt} of {}",
                step.retries_max
            ))
        }
        None => Ok(match step.on_failure {
            Some(to) => go(to, Next::Completed),
            None => Next::Failed,
        }),
    }
}

fn is_rejection(end: &End) -> bool {
    matches!(end, End::Failed { error } if error.code == "rejected")
}

/// Runs and their steps agree.
pub(crate) fn check(model: &BTreeMap<IntentId, Intent>) -> Result<(), String> {
    for intent in model.values().filter(|intent| !intent.is_finished()) {
        let id = intent.id;
        if let Some(step) = &intent.step {
            let run = model.get(&step.run);
            let open = run.filter(|run| !run.is_finished());
            let child = open.and_then(|run| run.run.as_ref()?.child());
            if child != Some(id) {
                return Err(format!(
                    "step {id} is open, and its run {} is {:?} at {child:?}",
                    step.run,
                    run.map(|run| run.status)
                ));
            }
        }
        let Some(run) = &intent.run else {
            continue;
        };
        match run.place {
            Place::Between => return Err(format!("run {id} stands between two steps")),
            Place::Pausing { .. } if intent.next_due().is_none() => {
                return Err(format!("run {id} pauses for ever"));
            }
            Place::Pausing { .. } => {}
            Place::At { child, .. } => {
                let open = model.get(&child).filter(|step| !step.is_finished());
                let of = open.and_then(|open| open.step.as_ref());
                if of.is_none_or(|of| of.run != id) {
                    return Err(format!("run {id} stands at {child}, which is not open"));
                }
            }
        }
    }
    Ok(())
}
