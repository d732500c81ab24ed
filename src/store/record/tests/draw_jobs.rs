//! Arbitrary jobs.

use crate::domain::failure::{DeadReason, ErrorClass};
use crate::domain::ids::JobId;
use crate::domain::job::{
    ItemOutcome, Job, JobItem, JobKind, JobOrder, JobState, Pace, ReplayTerms, Selection,
};
use crate::domain::status::Status;

use super::draw::Draw;

impl Draw {
    fn selection(&mut self) -> Selection {
        Selection {
            agent: self.maybe(Self::address),
            from: self.maybe(Self::address),
            intent_type: self.maybe(Self::text),
            reason: self.maybe(|draw| draw.of(&DeadReason::ALL)),
            error_class: self.maybe(|draw| draw.of(&ErrorClass::ALL)),
            fingerprint: self.maybe(Self::text),
            since: self.maybe(Self::time),
            until: self.maybe(Self::time),
            statuses: self.some(|draw| draw.of(&Status::ALL)),
            intents: self.some(Self::id),
            failed_of: self.maybe(|draw| JobId(draw.number())),
        }
    }

    pub(super) fn job(&mut self) -> Job {
        Job {
            id: JobId(self.number()),
            kind: self.of(&JobKind::ALL),
            state: self.of(&JobState::ALL),
            by: self.address(),
            via: self.text(),
            reason: self.maybe(Self::text),
            selection: self.selection(),
            order: self.of(&[JobOrder::Oldest, JobOrder::Newest]),
            pace: Pace {
                per_1000_seconds: self.small(),
                in_flight_max: self.small(),
                canary: self.small(),
                stop_after_failures: self.small(),
            },
            to: self.maybe(Self::address),
            matched: self.number(),
            left_out: self.some(|draw| (draw.text(), draw.number())),
            terms: ReplayTerms {
                max_attempts: self.maybe(Self::small),
                is_forced: self.flag(),
            },
            created_at: self.time(),
            updated_at: self.time(),
            finished_at: self.maybe(Self::time),
            selected: self.small(),
            begun: self.small(),
            in_flight: self.small(),
            acknowledged: self.small(),
            succeeded: self.small(),
            failed: self.small(),
            skipped: self.small(),
            forgiven: self.small(),
            is_canary_over: self.flag(),
            stopped_because: self.maybe(Self::text),
            not_before_us: self.number().cast_signed(),
        }
    }

    pub(super) fn job_item(&mut self) -> JobItem {
        let outcome = match self.below(5) {
            0 => ItemOutcome::InFlight {
                is_acknowledged: self.flag(),
            },
            1 => ItemOutcome::Succeeded,
            2 => ItemOutcome::Failed,
            3 => ItemOutcome::Withdrawn,
            _ => ItemOutcome::Skipped { code: self.text() },
        };
        JobItem {
            position: self.small(),
            intent: self.id(),
            new_intent: self.maybe(Self::id),
            outcome,
        }
    }
}
