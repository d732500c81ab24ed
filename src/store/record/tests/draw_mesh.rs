//! Arbitrary webhook subscriptions, and what is known of agents in the mesh.

use crate::domain::agent::Secret;
use crate::domain::mesh::{Beats, Day, Health, MeshEvent, Metrics};
use crate::domain::subscription::{Subscription, SubscriptionId};

use super::draw::Draw;

impl Draw {
    pub(super) fn subscription(&mut self) -> Subscription {
        Subscription {
            id: SubscriptionId(self.uuid()),
            owner: self.address(),
            is_of_all: self.flag(),
            callback_url: self.text(),
            event_types: self.some(Self::text),
            is_active: self.flag(),
            description: self.maybe(Self::text),
            secret: Secret {
                text: self.text(),
                valid_until: self.maybe(Self::time),
            },
            created_at: self.time(),
            updated_at: self.time(),
            revoked_at: self.maybe(Self::time),
        }
    }

    pub(super) fn beats(&mut self) -> Beats {
        Beats {
            agent: self.address(),
            last_at: self.maybe(Self::time),
            told: self.of(&Health::ALL),
            days: self.some(|draw| Day {
                number: draw.number(),
                metrics: Metrics {
                    intents_total: draw.number(),
                    intents_succeeded: draw.number(),
                    intents_failed: draw.number(),
                    latency_micros: draw.number(),
                    cost_micros: draw.number(),
                },
            }),
            events: self.some(|draw| MeshEvent {
                number: draw.number(),
                at: draw.time(),
                kind: draw.text(),
                actor: draw.text(),
                words: draw.some(Self::text),
            }),
        }
    }
}
