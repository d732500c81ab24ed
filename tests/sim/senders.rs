//! Those who send: intents with everything drawn that an intent may have, under keys that come again.

use postroom::broker::request::{BrokerError, RememberKey, Request};
use postroom::clock::{Clock, Entropy};
use postroom::domain::ids::{IntentId, ThreadId};
use postroom::domain::payload::Payload;
use postroom::domain::task::ReminderPlan;
use postroom::domain::time::Span;
use postroom::engine::command::{Command, Part, PayloadSource, Submit};

use crate::world::{AGENTS, Broken, RETENTION, World, address};

impl World {
    pub(crate) fn new_id(&mut self) -> IntentId {
        let mut bytes = [0; 10];
        self.entropy.fill(&mut bytes);
        IntentId::new(self.clock.now().as_millis(), bytes)
    }

    pub(crate) fn submit(&mut self) -> Result<(), Broken> {
        let (name, _) = *self.rng.pick(&AGENTS).expect("not empty");
        let key = self.rng.next() % 40;
        if self.rng.chance(12) {
            return self.submit_run(key);
        }
        self.submit_to(name, key)
    }

    /// An intent with everything drawn that an intent may have.
    pub(crate) fn draw(&mut self, name: &str) -> Submit {
        let seconds = self.rng.below(400);
        let seconds = i64::try_from(seconds).unwrap_or(0);
        let thread = ThreadId(self.new_id().0);
        Submit {
            id: self.new_id(),
            thread,
            intent_type: "intent.sim.v1".to_owned(),
            correlation_id: "c".to_owned(),
            from: address("web"),
            to: address(name),
            reply_to: self.rng.chance(20).then(|| address("web")),
            trace_id: None,
            payload: PayloadSource::Given(Payload::of(&serde_json::json!({ "seconds": seconds }))),
            payload_bytes: 8,
            deadline: None,
            ttl: self
                .rng
                .chance(30)
                .then(|| Span::from_seconds(60 + seconds * 10)),
            max_attempts: self
                .rng
                .chance(50)
                .then(|| 1 + u32::try_from(seconds % 4).unwrap_or(0)),
            reminders: ReminderPlan {
                after: self.rng.chance(20).then(|| Span::from_seconds(30)),
                interval: None,
                max: Some(2),
                escalate_to: self
                    .rng
                    .pick(&[
                        None,
                        None,
                        Some("lead"),
                        Some("stock"),
                        Some("billing"),
                        Some("finance"),
                    ])
                    .and_then(|to| to.map(str::to_owned)),
            },
            task: None,
            replay: None,
            part: Part::Plain,
        }
    }

    pub(crate) fn submit_to(&mut self, name: &str, key: u64) -> Result<(), Broken> {
        let submit = self.draw(name);
        self.take_in(submit, key)
    }

    /// Sends it under a key, which may have been used before.
    pub(crate) fn take_in(&mut self, submit: Submit, key: u64) -> Result<(), Broken> {
        self.jump().map_err(Broken::Rule)?;
        let id = submit.id;
        let mut fingerprint = [0; 32];
        fingerprint[..8].copy_from_slice(&key.to_be_bytes());
        let remember = Some(RememberKey {
            scope: "sim".to_owned(),
            key: key.to_string(),
            fingerprint,
        });
        let command = Command::Submit(Box::new(submit));
        let request = Request {
            intent: id,
            command,
            remember,
            audit: None,
        };
        match self.core().run(vec![request])?.pop() {
            Some(Ok(receipt)) => {
                let told = receipt.intent.id;
                self.checker.acknowledged.insert(told);
                let now = self.clock.now();
                // A key is as old as its intent, also when the first answer was never heard.
                let born = receipt.intent.created_at;
                let (first, at) = *self.keys.entry(key).or_insert((told, born));
                if first != told && at.after(RETENTION.answers) <= now {
                    // The broker may have forgotten the key by now.
                    self.keys.insert(key, (told, now));
                } else if first != told {
                    let seen = format!("I5 key {key} gave {first}, then {told}");
                    return Err(Broken::Rule(seen));
                }
                Ok(())
            }
            // Also while there would be room again, but the broker has not tried yet.
            Some(Err(BrokerError::StorageLow(room))) if room.is_low => {
                self.log.push(format!("refused: {room:?}"));
                Ok(())
            }
            other => Err(Broken::Rule(format!(
                "a plain submit was refused: {other:?}"
            ))),
        }
    }
}
