//! Arbitrary workflows and runs.

use crate::domain::scenario::{Place, Run, Step, StepOf, StepResult, StepWork, Workflow};

use super::draw::Draw;

impl Draw {
    pub(super) fn workflow(&mut self) -> Workflow {
        Workflow {
            scenario: self.text(),
            entry: self.small(),
            steps: self.some(Self::step),
        }
    }

    fn step(&mut self) -> Step {
        Step {
            id: self.text(),
            work: match self.below(5) {
                0 => StepWork::Agent,
                1 => StepWork::Person(Box::new(self.task_spec())),
                2 => StepWork::Delay { span: self.span() },
                3 => StepWork::Notice {
                    subject: self.text(),
                    body: self.text(),
                },
                _ => StepWork::Escalation {
                    reason: self.text(),
                },
            },
            holder: self.address(),
            input: self.maybe(Self::payload),
            deadline: self.maybe(Self::span),
            retries_max: self.small(),
            retry_delay: self.span(),
            reminders: self.reminders(),
            on_success: self.maybe(Self::small),
            on_failure: self.maybe(Self::small),
        }
    }

    pub(super) fn run(&mut self) -> Run {
        Run {
            workflow: self.workflow(),
            place: match self.below(3) {
                0 => Place::Between,
                1 => Place::At {
                    step: self.small(),
                    child: self.id(),
                    attempt: self.small(),
                    due: self.maybe(Self::time),
                },
                _ => Place::Pausing {
                    step: self.small(),
                    attempt: self.small(),
                },
            },
            started: self.small(),
            results: self.some(|draw| StepResult {
                step: draw.small(),
                result: draw.payload(),
            }),
        }
    }

    pub(super) fn step_of(&mut self) -> StepOf {
        StepOf {
            run: self.id(),
            step: self.text(),
            scenario: self.text(),
            attempt: self.small(),
        }
    }
}
