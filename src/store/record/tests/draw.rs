//! Arbitrary values of every type that is stored, from one seed.

use uuid::Uuid;

use crate::domain::address::Address;
use crate::domain::agent::Binding;
use crate::domain::controls::Controls;
use crate::domain::failure::{DeadReason, ErrorClass, Failure};
use crate::domain::ids::{AttemptId, HoldId, IntentId, SessionId, ThreadId};
use crate::domain::intent::{
    DeadLetter, DeadLetterState, Delivery, End, Intent, IntentError, Lease,
};
use crate::domain::payload::Payload;
use crate::domain::status::{Status, WaitingReason};
use crate::domain::task::{Decision, HeldAct, Hold, ReminderPlan, Task, TaskSpec, TaskType};
use crate::domain::time::{Span, Timestamp};
use crate::domain::via::Via;

/// A stream of arbitrary values (SplitMix64).
#[derive(Debug)]
pub(super) struct Draw(pub(super) u64);

impl Draw {
    pub(super) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.bits() % bound
    }

    pub(super) fn flag(&mut self) -> bool {
        self.below(2) == 0
    }

    /// Small, medium and the largest numbers alike.
    pub(super) fn number(&mut self) -> u64 {
        let shift = u32::try_from(self.below(64)).unwrap();
        match self.below(20) {
            0 => u64::MAX,
            _ => self.bits() >> shift,
        }
    }

    pub(super) fn small(&mut self) -> u32 {
        u32::try_from(self.number() & u64::from(u32::MAX)).unwrap()
    }

    pub(super) fn of<T: Copy>(&mut self, all: &[T]) -> T {
        let index = self.below(all.len() as u64);
        all[usize::try_from(index).unwrap()]
    }

    pub(super) fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.flag().then(|| make(self))
    }

    pub(super) fn some<T>(&mut self, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(4)).map(|_| make(self)).collect()
    }

    pub(super) fn text(&mut self) -> String {
        match self.below(8) {
            0 => String::new(),
            1 => self.uuid().to_string(),
            2 => self.uuid().to_string().to_uppercase(),
            3 => "ä€𝄞\0\u{7f}\n".to_owned(),
            4 => "long ".repeat(usize::try_from(self.below(40)).unwrap()),
            _ => format!("word{}", self.number()),
        }
    }

    pub(super) fn uuid(&mut self) -> Uuid {
        Uuid::from_u64_pair(self.bits(), self.bits())
    }

    pub(super) fn id(&mut self) -> IntentId {
        IntentId(self.uuid())
    }

    pub(super) fn address(&mut self) -> Address {
        Address::trusted(format!("local/default/{}", self.text()))
    }

    pub(super) fn time(&mut self) -> Timestamp {
        Timestamp::from_millis(match self.below(12) {
            0 => i64::MIN,
            1 => i64::MAX,
            2 => -1,
            _ => 1_775_901_600_000 + i64::from(self.small()),
        })
    }

    pub(super) fn span(&mut self) -> Span {
        Span::from_millis(i64::from(self.small()))
    }

    pub(super) fn payload(&mut self) -> Payload {
        Payload::of(&serde_json::json!({ "key": self.text(), "n": self.number() }))
    }

    pub(super) fn failure(&mut self) -> Failure {
        Failure {
            class: self.of(&ErrorClass::ALL),
            http_status: self.maybe(|draw| u16::try_from(draw.below(0x1_0000)).unwrap()),
            message: self.text(),
            retry_after: self.maybe(Self::span),
        }
    }

    pub(super) fn reminders(&mut self) -> ReminderPlan {
        ReminderPlan {
            after: self.maybe(Self::span),
            interval: self.maybe(Self::span),
            max: self.maybe(Self::small),
            escalate_to: self.maybe(Self::text),
        }
    }

    pub(super) fn error(&mut self) -> IntentError {
        IntentError {
            code: self.text(),
            message: self.text(),
            category: self.text(),
            is_retryable: self.flag(),
            details: self.maybe(Self::payload),
        }
    }

    pub(super) fn task_spec(&mut self) -> TaskSpec {
        let names = [
            "approval",
            "review",
            "clarification",
            "manual_action",
            "confirmation",
            "assignment",
            "override",
            "form",
            "free",
        ];
        TaskSpec {
            title: self.text(),
            description: self.maybe(Self::text),
            task_type: TaskType::from_name(self.of(&names)),
            allowed_outcomes: self.some(Self::text),
            is_comment_required: self.flag(),
            assignees: self.some(Self::text),
            is_evidence_required: self.flag(),
            form_schema: self.maybe(Self::payload),
            notify_email: self.maybe(Self::text),
        }
    }

    pub(super) fn decision(&mut self) -> Decision {
        Decision {
            outcome: self.text(),
            comment: self.maybe(Self::text),
            data: self.maybe(Self::payload),
            by: self.address(),
            via: self.via(),
            at: self.time(),
            version: self.small(),
        }
    }

    fn via(&mut self) -> Via {
        self.of(&Via::ALL)
    }

    pub(super) fn hold(&mut self) -> Hold {
        Hold {
            id: HoldId(self.number()),
            act: match self.below(3) {
                0 => HeldAct::Decide {
                    outcome: self.text(),
                    comment: self.maybe(Self::text),
                    version: self.maybe(Self::small),
                    data: self.maybe(Self::payload),
                    via: self.via(),
                },
                1 => HeldAct::Replay,
                _ => HeldAct::Discard {
                    reason: self.text(),
                },
            },
            by: self.address(),
            placed_at: self.time(),
            effective_at: self.time(),
        }
    }

    pub(super) fn delivery(&mut self) -> Delivery {
        match self.below(9) {
            0 => Delivery::Ready { since: self.time() },
            1 => Delivery::Leased(Lease {
                attempt: AttemptId(self.number()),
                number: self.small(),
                binding: self.of(&Binding::ALL),
                session: SessionId(self.number()),
                started_at: self.time(),
                until: self.time(),
            }),
            2 => Delivery::BackingOff { until: self.time() },
            3 => Delivery::HeldByPerson,
            4 => Delivery::HeldByTime { until: self.time() },
            5 => Delivery::Done,
            6 => Delivery::Dead,
            7 => Delivery::HeldBySteps,
            _ => Delivery::Withdrawn,
        }
    }

    pub(super) fn end(&mut self) -> End {
        match self.below(4) {
            0 => End::Completed {
                result: self.payload(),
            },
            1 => End::Failed {
                error: self.error(),
            },
            2 => End::Canceled {
                reason: self.maybe(Self::text),
            },
            _ => End::TimedOut {
                error: self.error(),
            },
        }
    }

    pub(super) fn dead_letter(&mut self) -> DeadLetter {
        DeadLetter {
            reason: self.of(&DeadReason::ALL),
            fingerprint: self.text(),
            at: self.time(),
            state: match self.below(3) {
                0 => DeadLetterState::Open,
                1 => DeadLetterState::Replayed {
                    as_intent: self.id(),
                },
                _ => DeadLetterState::Discarded {
                    reason: self.text(),
                },
            },
        }
    }

    pub(super) fn waiting(&mut self) -> WaitingReason {
        self.of(&[
            WaitingReason::Human,
            WaitingReason::Agent,
            WaitingReason::Tool,
            WaitingReason::Time,
        ])
    }

    pub(super) fn intent(&mut self) -> Intent {
        let id = self.id();
        Intent {
            id,
            intent_type: self.text(),
            correlation_id: self.text(),
            from: self.address(),
            to: self.address(),
            first_to: self.maybe(Self::address),
            reply_to: self.maybe(Self::address),
            trace_id: self.maybe(Self::text),
            origin: self.maybe(Self::id).unwrap_or(id),
            replay_of: self.maybe(Self::id),
            is_edited_replay: self.flag(),
            binding: self.of(&Binding::ALL),
            created_at: self.time(),
            updated_at: self.time(),
            deadline: self.maybe(Self::time),
            ttl: self.maybe(Self::span),
            ack_timeout: self.span(),
            max_attempts: self.small(),
            reminders: self.reminders(),
            step: self.maybe(|draw| Box::new(draw.step_of())),
            seq: self.small(),
            event_seq: self.small(),
            status: self.of(&Status::ALL),
            waiting: self.maybe(Self::waiting),
            delivery: self.delivery(),
            attempts: self.small(),
            acknowledged_at: self.maybe(Self::time),
            last_failure: self.maybe(Self::failure),
            reminded: self.small(),
            reminder_base: self.maybe(Self::time),
            escalated_to: self.maybe(Self::text),
            task: self.maybe(|draw| Task {
                thread: ThreadId(draw.uuid()),
                owner: draw.address(),
                spec: draw.task_spec(),
                version: draw.small(),
                opened_at: draw.time(),
                decision: draw.maybe(Self::decision),
                delegates: draw.some(Self::address),
            }),
            holds: self.some(Self::hold),
            end: self.maybe(Self::end),
            dead_letter: self.maybe(Self::dead_letter),
            policy_generation: self.small(),
            controls: self.maybe(|draw| {
                Box::new(Controls {
                    controls: draw.payload(),
                    envelope: draw.payload(),
                    grants: draw.payload(),
                    retry_delay: draw.maybe(Self::span),
                })
            }),
            run: self.maybe(|draw| Box::new(draw.run())),
            handed_to: self.maybe(Self::text),
            read_by: self.some(Self::address),
        }
    }
}
