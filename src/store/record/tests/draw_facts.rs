//! Arbitrary facts, and values of what lies beside intents.

use std::sync::Arc;

use crate::domain::admission::{PolicyEntry, SendMode, SendPolicy, SenderPattern};
use crate::domain::agent::{Agent, AgentStatus, Binding, Pause, Secret};
use crate::domain::attempt::{AttemptReport, Excerpt, Timing};
use crate::domain::controls::RetryDelay;
use crate::domain::endpoint::Endpoint;
use crate::domain::fact::{Actor, Birth, ControlsChange, Fact, FactBody, Notice};
use crate::domain::failure::DeadReason;
use crate::domain::ids::{AccountId, AttemptId, HoldId, KeyId, PolicyEntryId, SessionId, ThreadId};
use crate::domain::key::{Key, KeyHash, Role};
use crate::domain::schema::{Schema, SchemaMode, SchemaScope};
use crate::store::query::AuditEntry;

use super::draw::Draw;

/// How many kinds of fact there are.
pub(super) const FACT_KINDS: u64 = 34;

impl Draw {
    fn excerpt(&mut self) -> Excerpt {
        Excerpt {
            line: self.text(),
            headers: self.some(|draw| (draw.text(), draw.text())),
            body: self.text(),
            bytes: self.number(),
            is_truncated: self.flag(),
        }
    }

    fn report(&mut self) -> Option<Arc<AttemptReport>> {
        self.maybe(|draw| {
            Arc::new(AttemptReport {
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
            workflow: self.maybe(|draw| Box::new(draw.workflow())),
            step: self.maybe(|draw| Box::new(draw.step_of())),
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
                offered: self.maybe(|draw| draw.of(&Binding::ALL)),
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
            26 => FactBody::HoldElapsed {
                hold: HoldId(self.number()),
                refused: self.maybe(Self::text),
            },
            27 => FactBody::ResultRejected {
                attempt: self.attempt(),
            },
            28 => FactBody::StepStarted {
                step: self.small(),
                child: self.id(),
                attempt: self.small(),
                due: self.maybe(Self::time),
            },
            29 => FactBody::StepEnded {
                step: self.small(),
                child: self.id(),
                end: Box::new(self.end()),
                retry_at: self.maybe(Self::time),
            },
            30 => FactBody::TaskDelegated {
                to: self.address(),
                note: self.maybe(Self::text),
            },
            31 => FactBody::MessagesEmptied {
                messages: self.some(Self::small),
            },
            32 => FactBody::ThreadRead { by: self.address() },
            _ => FactBody::ControlsChanged(Box::new(ControlsChange {
                generation: self.small(),
                controls: self.maybe(Self::payload),
                envelope: self.maybe(Self::payload),
                grants: self.maybe(Self::payload),
                reason: self.maybe(Self::text),
                deadline: self.maybe(Self::time),
                ttl: self.maybe(Self::span),
                max_attempts: self.maybe(Self::small),
                ack_timeout: self.maybe(Self::span),
                retry_delay: self.maybe(|draw| {
                    draw.maybe(Self::span)
                        .map_or(RetryDelay::Scheduled, RetryDelay::Fixed)
                }),
            })),
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
        // From here: what came later must not move the draws of other kinds.
        let mut later = Self(self.0);
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
            kill: later.maybe(|draw| Pause {
                by: draw.text(),
                reason: draw.text(),
                at: draw.time(),
            }),
            policy: SendPolicy {
                mode: later.of(&SendMode::ALL),
                entries: later.some(|draw| PolicyEntry {
                    id: PolicyEntryId(draw.number()),
                    pattern: SenderPattern::trusted(draw.text()),
                    created_at: draw.time(),
                }),
                last_entry: later.number(),
            },
        }
    }

    pub(super) fn endpoint(&mut self) -> Endpoint {
        Endpoint {
            agent: self.address(),
            trips: self.small(),
            open_until: self.maybe(Self::time),
            held_until: self.maybe(Self::time),
            rate_millihertz: self.maybe(Self::small),
            notice: self.maybe(Self::id),
            open_notice: self.maybe(Self::id),
        }
    }

    pub(super) fn schema(&mut self) -> Schema {
        Schema {
            semantic_type: self.text(),
            reference: self.maybe(Self::text),
            hash: self.text(),
            json: self.payload(),
            mode: self.of(&SchemaMode::ALL),
            scope: self.of(&SchemaScope::ALL),
            owner: self.address(),
            is_active: self.of(&[false, true]),
            created_at: self.time(),
            updated_at: self.time(),
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
            owner: self.text(),
            reason: self.maybe(Self::text),
            result: self.text(),
            details: self.maybe(Self::payload),
            trace_id: self.maybe(Self::text),
        }
    }
}
