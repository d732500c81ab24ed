//! Arbitrary values of every type that is stored, from one seed.

use uuid::Uuid;

use crate::domain::address::Address;
use crate::domain::agent::{Agent, AgentStatus, Binding, Pause, Secret};
use crate::domain::attempt::{AttemptReport, Excerpt, Timing};
use crate::domain::fact::{Actor, Birth, Fact, FactBody, Notice};
use crate::domain::failure::{DeadReason, ErrorClass, Failure};
use crate::domain::ids::{AccountId, AttemptId, HoldId, IntentId, KeyId, SessionId, ThreadId};
use crate::domain::intent::{
    DeadLetter, DeadLetterState, Delivery, End, Intent, IntentError, Lease,
};
use crate::domain::key::{Key, KeyHash, Role};
use crate::domain::payload::Payload;
use crate::domain::status::{Status, WaitingReason};
use crate::domain::task::{Decision, HeldAct, Hold, ReminderPlan, Task, TaskSpec, TaskType};
use crate::domain::time::{Span, Timestamp};
use crate::store::query::AuditEntry;

/// How many kinds of fact there are.
pub(super) const FACT_KINDS: u64 = 27;

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

    fn below(&mut self, bound: u64) -> u64 {
        self.bits() % bound
    }

    fn flag(&mut self) -> bool {
        self.below(2) == 0
    }

    /// Small, medium and the largest numbers alike.
    fn number(&mut self) -> u64 {
        let shift = u32::try_from(self.below(64)).unwrap();
        match self.below(20) {
            0 => u64::MAX,
            _ => self.bits() >> shift,
        }
    }

    fn small(&mut self) -> u32 {
        u32::try_from(self.number() & u64::from(u32::MAX)).unwrap()
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        let index = self.below(all.len() as u64);
        all[usize::try_from(index).unwrap()]
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.flag().then(|| make(self))
    }

    fn some<T>(&mut self, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(4)).map(|_| make(self)).collect()
    }

    fn text(&mut self) -> String {
        match self.below(8) {
            0 => String::new(),
            1 => self.uuid().to_string(),
            2 => self.uuid().to_string().to_uppercase(),
            3 => "ä€𝄞\0\u{7f}\n".to_owned(),
            4 => "long ".repeat(usize::try_from(self.below(40)).unwrap()),
            _ => format!("word{}", self.number()),
        }
    }

    fn uuid(&mut self) -> Uuid {
        Uuid::from_u64_pair(self.bits(), self.bits())
    }

    pub(super) fn id(&mut self) -> IntentId {
        IntentId(self.uuid())
    }

    fn address(&mut self) -> Address {
        Address::trusted(format!("local/default/{}", self.text()))
    }

    fn time(&mut self) -> Timestamp {
        Timestamp::from_millis(match self.below(12) {
            0 => i64::MIN,
            1 => i64::MAX,
            2 => -1,
            _ => 1_775_901_600_000 + i64::from(self.small()),
        })
    }

    fn span(&mut self) -> Span {
        Span::from_millis(i64::from(self.small()))
    }

    fn payload(&mut self) -> Payload {
        Payload::of(&serde_json::json!({ "key": self.text(), "n": self.number() }))
    }

    fn failure(&mut self) -> Failure {
        Failure {
            class: self.of(&ErrorClass::ALL),
            http_status: self.maybe(|draw| u16::try_from(draw.below(0x1_0000)).unwrap()),
            message: self.text(),
            retry_after: self.maybe(Self::span),
        }
    }

    fn reminders(&mut self) -> ReminderPlan {
        ReminderPlan {
            after: self.maybe(Self::span),
            interval: self.maybe(Self::span),
            max: self.maybe(Self::small),
            escalate_to: self.maybe(Self::text),
        }
    }

    fn error(&mut self) -> IntentError {
        IntentError {
            code: self.text(),
            message: self.text(),
            category: self.text(),
            is_retryable: self.flag(),
            details: self.maybe(Self::payload),
        }
    }

    fn task_spec(&mut self) -> TaskSpec {
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

    fn decision(&mut self) -> Decision {
        Decision {
            outcome: self.text(),
            comment: self.maybe(Self::text),
            data: self.maybe(Self::payload),
            by: self.address(),
            at: self.time(),
            version: self.small(),
        }
    }

    fn hold(&mut self) -> Hold {
        Hold {
            id: HoldId(self.number()),
            act: match self.below(3) {
                0 => HeldAct::Decide {
                    outcome: self.text(),
                    comment: self.maybe(Self::text),
                    version: self.maybe(Self::small),
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

    fn delivery(&mut self) -> Delivery {
        match self.below(8) {
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
            _ => Delivery::Withdrawn,
        }
    }

    fn end(&mut self) -> End {
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

    fn dead_letter(&mut self) -> DeadLetter {
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

    fn waiting(&mut self) -> WaitingReason {
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
            }),
            holds: self.some(Self::hold),
            end: self.maybe(Self::end),
            dead_letter: self.maybe(Self::dead_letter),
            policy_generation: self.small(),
        }
    }

    fn excerpt(&mut self) -> Excerpt {
        Excerpt {
            line: self.text(),
            headers: self.some(|draw| (draw.text(), draw.text())),
            body: self.text(),
            bytes: self.number(),
            is_truncated: self.flag(),
        }
    }

    fn report(&mut self) -> Option<Box<AttemptReport>> {
        self.maybe(|draw| {
            Box::new(AttemptReport {
                timing: Timing {
                    resolve_ms: draw.maybe(Self::small),
                    connect_ms: draw.maybe(Self::small),
                    tls_ms: draw.maybe(Self::small),
                    first_byte_ms: draw.maybe(Self::small),
                    total_ms: draw.maybe(Self::small),
                },
                remote_addr: draw.maybe(Self::text),
                request: draw.maybe(Self::excerpt),
                response: draw.maybe(Self::excerpt),
                http_status: draw.maybe(|draw| u16::try_from(draw.below(0x1_0000)).unwrap()),
                is_body_too_large: draw.flag(),
            })
        })
    }

    fn birth(&mut self) -> Birth {
        Birth {
            intent_type: self.text(),
            correlation_id: self.text(),
            from: self.address(),
            to: self.address(),
            reply_to: self.maybe(Self::address),
            trace_id: self.maybe(Self::text),
            origin: self.id(),
            replay_of: self.maybe(Self::id),
            is_edited_replay: self.flag(),
            binding: self.of(&Binding::ALL),
            deadline: self.maybe(Self::time),
            ttl: self.maybe(Self::span),
            ack_timeout: self.span(),
            max_attempts: self.small(),
            reminders: self.reminders(),
            payload_bytes: self.small(),
        }
    }

    /// A fact of each kind for 0, 1, 2, ... below [`FACT_KINDS`].
    pub(super) fn fact(&mut self, kind: u64) -> Fact {
        let body = if kind < 12 {
            self.delivery_fact(kind)
        } else {
            self.later_fact(kind)
        };
        Fact {
            intent: self.id(),
            seq: self.small(),
            event: self.maybe(Self::small),
            at: self.time(),
            actor: self.actor(),
            body,
        }
    }

    fn actor(&mut self) -> Actor {
        self.maybe(Self::text).map_or(Actor::Broker, Actor::Party)
    }

    fn attempt(&mut self) -> AttemptId {
        AttemptId(self.number())
    }

    fn delivery_fact(&mut self, kind: u64) -> FactBody {
        match kind {
            0 => FactBody::Created(Box::new(self.birth())),
            1 => FactBody::Submitted,
            2 => FactBody::Delivered {
                binding: self.of(&Binding::ALL),
                attempts: self.small(),
            },
            3 => FactBody::Waiting {
                reason: self.waiting(),
                holder: self.text(),
                until: self.maybe(Self::time),
            },
            4 => FactBody::TaskOpened {
                thread: ThreadId(self.uuid()),
                owner: self.address(),
                spec: Box::new(self.task_spec()),
            },
            5 => FactBody::AttemptStarted {
                attempt: self.attempt(),
                number: self.small(),
                binding: self.of(&Binding::ALL),
                session: SessionId(self.number()),
                lease_until: self.time(),
            },
            6 => FactBody::AttemptFailed {
                attempt: self.attempt(),
                number: self.small(),
                failure: self.failure(),
                next_at: self.time(),
                report: self.report(),
            },
            7 => FactBody::Offered,
            8 => FactBody::Acknowledged {
                attempt: self.attempt(),
                lease_until: self.time(),
                report: self.report(),
            },
            9 => FactBody::InProgress {
                attempt: self.maybe(Self::attempt),
                lease_until: self.maybe(Self::time),
            },
            10 => FactBody::LeaseExtended {
                attempt: self.attempt(),
                lease_until: self.time(),
            },
            _ => FactBody::RetriedNow,
        }
    }

    fn later_fact(&mut self, kind: u64) -> FactBody {
        match kind {
            12 => FactBody::TaskDecided(Box::new(self.decision())),
            13 => FactBody::TaskReplied {
                message: self.text(),
            },
            14 => FactBody::Reminded {
                number: self.small(),
                holder: self.text(),
            },
            15 => FactBody::Escalated {
                to: self.text(),
                from: self.text(),
            },
            16 => FactBody::DeliveryFailed {
                attempt: self.maybe(Self::attempt),
                attempts: self.small(),
                reason: self.of(&DeadReason::ALL),
                failure: self.maybe(Self::failure),
                report: self.report(),
            },
            17 => FactBody::Completed {
                attempt: self.maybe(Self::attempt),
                result: self.payload(),
                report: self.report(),
            },
            18 => FactBody::Failed {
                attempt: self.maybe(Self::attempt),
                error: self.error(),
                report: self.report(),
            },
            19 => FactBody::Canceled {
                attempt: self.maybe(Self::attempt),
                reason: self.maybe(Self::text),
            },
            20 => FactBody::TimedOut {
                attempt: self.maybe(Self::attempt),
                error: self.error(),
            },
            21 => FactBody::DeadLetterOpened {
                reason: self.of(&DeadReason::ALL),
                fingerprint: self.text(),
            },
            22 => FactBody::DeadLetterReplayed {
                as_intent: self.id(),
            },
            23 => FactBody::DeadLetterDiscarded {
                reason: self.text(),
            },
            24 => FactBody::HoldPlaced(Box::new(self.hold())),
            25 => FactBody::HoldCanceled {
                hold: HoldId(self.number()),
            },
            _ => FactBody::HoldElapsed {
                hold: HoldId(self.number()),
                refused: self.maybe(Self::text),
            },
        }
    }

    pub(super) fn notice(&mut self) -> Notice {
        Notice {
            at: self.time(),
            actor: self.actor(),
            kind: self.text(),
            agent: self.maybe(Self::address),
            data: self.payload(),
        }
    }

    pub(super) fn agent(&mut self) -> Agent {
        Agent {
            address: self.address(),
            account: self.maybe(|draw| AccountId(draw.number())),
            name: self.text(),
            display_name: self.maybe(Self::text),
            description: self.maybe(Self::text),
            created_by: self.text(),
            created_at: self.time(),
            updated_at: self.time(),
            status: self.of(&[
                AgentStatus::Active,
                AgentStatus::Suspended,
                AgentStatus::Deleted,
            ]),
            binding: self.of(&Binding::ALL),
            callback_url: self.maybe(Self::text),
            ack_timeout: self.maybe(Self::span),
            max_in_flight: self.maybe(Self::small),
            secrets: self.some(|draw| Secret {
                text: draw.text(),
                valid_until: draw.maybe(Self::time),
            }),
            pause: self.maybe(|draw| Pause {
                by: draw.text(),
                reason: draw.text(),
                at: draw.time(),
            }),
        }
    }

    pub(super) fn key(&mut self) -> Key {
        let mut hash = [0; 32];
        hash.fill_with(|| self.bits().to_le_bytes()[0]);
        Key {
            id: KeyId(self.number()),
            account: AccountId(self.number()),
            hash: KeyHash(hash),
            hint: self.text(),
            role: self.of(&Role::ALL),
            created_at: self.time(),
            expires_at: self.maybe(Self::time),
            revoked_at: self.maybe(Self::time),
        }
    }

    pub(super) fn audit(&mut self) -> AuditEntry {
        AuditEntry {
            at: self.time(),
            actor: self.text(),
            key: self.maybe(Self::text),
            via: self.text(),
            action: self.text(),
            target: self.text(),
            reason: self.maybe(Self::text),
            result: self.text(),
            trace_id: self.maybe(Self::text),
        }
    }
}
