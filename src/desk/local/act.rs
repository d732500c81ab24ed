//! Acts: one request each to the writer, with its entry of the audit log in the same commit.

use crate::broker::Broker;
use crate::broker::request::{AdminCommand, AuditNote, Receipt, RememberKey, Request};
use crate::desk::DeskError;
use crate::desk::act::{Act, Done, NewIntent};
use crate::domain::fact::Actor;
use crate::domain::ids::{HoldId, IntentId};
use crate::domain::status::Status;
use crate::engine::command::{
    Command, Decide, Discard, PayloadSource, Replay, Reply, Resolve, Resume, Submit,
};
use crate::wire::body::Body;
use crate::wire::errors::Problem;
use crate::wire::submit::{self, CreateRules};

use super::{LocalOptions, refused};

/// Holds that are looked through for one to take back.
const HOLDS_EXAMINED_MAX: u32 = 10_000;
/// Most bytes of a payload as compact JSON: what the HTTP API takes by default.
const PAYLOAD_BYTES_MAX: usize = 131_072;

pub(super) async fn run(
    broker: &Broker,
    options: &LocalOptions,
    act: Act,
) -> Result<Done, DeskError> {
    let desk = Acting { broker, options };
    match act {
        Act::Send(new) => desk.send(&new).await,
        Act::Undo { hold } => desk.undo(hold).await,
        Act::Pause { agent, reason } => {
            let note = desk.note("agent.pause", agent.to_string(), Some(reason.clone()));
            desk.administer(
                AdminCommand::Pause {
                    address: agent,
                    reason,
                },
                note,
            )
            .await
        }
        Act::Unpause { agent } => {
            let note = desk.note("agent.resume", agent.to_string(), None);
            desk.administer(AdminCommand::Unpause { address: agent }, note)
                .await
        }
        Act::Decide {
            intent,
            choice,
            comment,
            version,
            hold,
        } => {
            let note = desk.note("task.decide", intent.to_string(), comment.clone());
            let command = Command::Decide(Box::new(Decide {
                choice,
                comment,
                data: None,
                version,
                hold,
                by: options.identity.clone(),
            }));
            desk.request(intent, command, note).await
        }
        letter @ (Act::Replay { .. } | Act::Discard { .. }) => {
            let (intent, command, note) = desk.on_letter(letter)?;
            desk.request(intent, command, note).await
        }
        open @ (Act::Reply { .. }
        | Act::Cancel { .. }
        | Act::RetryNow { .. }
        | Act::Resume { .. }) => {
            let (intent, command, note) = desk.on_intent(open)?;
            desk.request(intent, command, note).await
        }
    }
}

/// The broker, and who asks it.
struct Acting<'desk> {
    broker: &'desk Broker,
    options: &'desk LocalOptions,
}

impl Acting<'_> {
    fn note(&self, action: &str, target: String, reason: Option<String>) -> AuditNote {
        AuditNote {
            actor: self.options.identity.to_string(),
            key: None,
            via: self.options.via.clone(),
            action: action.to_owned(),
            target,
            reason,
            trace_id: None,
        }
    }

    fn actor(&self) -> Actor {
        Actor::at(&self.options.identity)
    }

    /// What can be done to a dead letter.
    fn on_letter(&self, act: Act) -> Result<(IntentId, Command, AuditNote), DeskError> {
        let by = self.options.identity.clone();
        let (action, intent, reason, command) = match act {
            Act::Replay {
                intent,
                payload,
                to,
                is_forced,
                reason,
                hold,
            } => {
                let replay = Replay {
                    new_id: self.broker.new_intent_id(),
                    new_thread: self.broker.new_thread_id(),
                    payload,
                    to,
                    max_attempts: None,
                    is_forced,
                    reason: reason.clone(),
                    hold,
                    by,
                };
                let command = Command::Replay(Box::new(replay));
                ("dead_letter.replay", intent, reason, command)
            }
            Act::Discard {
                intent,
                reason,
                hold,
            } => {
                let given = Some(reason.clone());
                let command = Command::Discard(Discard { reason, hold, by });
                ("dead_letter.discard", intent, given, command)
            }
            _ => {
                return Err(DeskError::Fault(
                    "this act is not about a letter".to_owned(),
                ));
            }
        };
        let note = self.note(action, intent.to_string(), reason);
        Ok((intent, command, note))
    }

    /// What can be done to an intent that has not ended.
    fn on_intent(&self, act: Act) -> Result<(IntentId, Command, AuditNote), DeskError> {
        let by = self.options.identity.clone();
        let (action, intent, reason, command) = match act {
            Act::Reply { intent, message } => {
                let command = Command::Reply(Reply { message, by });
                ("task.reply", intent, None, command)
            }
            Act::Cancel { intent, reason } => {
                let command = Command::Resolve(Resolve {
                    status: Status::Canceled,
                    result: None,
                    error: None,
                    reason: reason.clone(),
                    by: self.actor(),
                    expected_generation: None,
                });
                ("intent.cancel", intent, reason, command)
            }
            Act::RetryNow { intent } => {
                let command = Command::RetryNow { by: self.actor() };
                ("intent.retry_now", intent, None, command)
            }
            Act::Resume {
                intent,
                body,
                attempt,
            } => {
                let serde_json::Value::Object(body) = body.to_value() else {
                    let problem = Problem::new("schema_invalid", "body must be a JSON object");
                    return Err(refused(&problem));
                };
                let command = Command::Resume(Box::new(Resume {
                    body,
                    by,
                    actor: self.actor(),
                    attempt,
                    expected_generation: None,
                    report: None,
                }));
                ("intent.resume", intent, None, command)
            }
            _ => {
                return Err(DeskError::Fault(
                    "this act is not about an intent".to_owned(),
                ));
            }
        };
        let note = self.note(action, intent.to_string(), reason);
        Ok((intent, command, note))
    }

    async fn request(
        &self,
        intent: IntentId,
        command: Command,
        note: AuditNote,
    ) -> Result<Done, DeskError> {
        let request = Request {
            intent,
            command,
            remember: None,
            audit: Some(note),
        };
        Ok(done(&self.broker.run(request).await?))
    }

    async fn administer(&self, command: AdminCommand, note: AuditNote) -> Result<Done, DeskError> {
        self.broker.administer(command, note).await?;
        Ok(Done {
            intent: None,
            new_intent: None,
            hold: None,
            effective_at: None,
            status: None,
        })
    }

    async fn undo(&self, hold: HoldId) -> Result<Done, DeskError> {
        let holders = self
            .broker
            .read(|reader| reader.held(HOLDS_EXAMINED_MAX))
            .await?;
        let holder = holders
            .iter()
            .find(|intent| intent.holds.iter().any(|held| held.id == hold));
        let Some(holder) = holder else {
            let problem = Problem::new("hold_elapsed", "hold has taken effect or does not exist");
            return Err(refused(&problem));
        };
        let by = self.actor();
        let note = self.note("hold.cancel", hold.to_string(), None);
        self.request(holder.id, Command::CancelHold { hold, by }, note)
            .await
    }

    /// Reads what is to be sent exactly as the HTTP API reads a create.
    async fn send(&self, new: &NewIntent) -> Result<Done, DeskError> {
        let text = crate::desk::convert::create_body(new);
        let registry = self.broker.registry();
        let rules = CreateRules {
            home: &registry.home,
            now: self.broker.clock().now(),
            payload_bytes_max: PAYLOAD_BYTES_MAX,
            may_name_sender: false,
        };
        let body = Body::parse(text.as_bytes()).map_err(|problem| refused(&problem))?;
        let create = submit::create(body, &rules).map_err(|problem| refused(&problem))?;
        let id = self.broker.new_intent_id();
        let remember = new.key.clone().map(|key| RememberKey {
            scope: format!("{} POST /v1/intents", self.options.identity),
            key,
            fingerprint: create.fingerprint,
        });
        let payload_bytes = u32::try_from(create.payload.len()).unwrap_or(u32::MAX);
        let command = Command::Submit(Box::new(Submit {
            id,
            thread: self.broker.new_thread_id(),
            intent_type: create.intent_type,
            correlation_id: create
                .correlation_id
                .unwrap_or_else(|| self.broker.new_intent_id().to_string()),
            from: self.options.identity.clone(),
            to: create.to,
            reply_to: create.reply_to,
            trace_id: None,
            payload: PayloadSource::Given(create.payload),
            payload_bytes,
            deadline: create.deadline,
            ttl: create.ttl,
            max_attempts: create.max_attempts,
            reminders: create.reminders,
            task: create.task,
            replay: None,
        }));
        let request = Request {
            intent: id,
            command,
            remember,
            audit: None,
        };
        Ok(done(&self.broker.run(request).await?))
    }
}

/// What a receipt says to the operator.
fn done(receipt: &Receipt) -> Done {
    let placed = receipt.facts.iter().find_map(|fact| match &fact.body {
        crate::domain::fact::FactBody::HoldPlaced(hold) => Some(hold.as_ref()),
        _ => None,
    });
    Done {
        intent: Some(receipt.intent.id),
        new_intent: receipt
            .caused
            .iter()
            .find(|intent| intent.replay_of == Some(receipt.intent.id))
            .map(|intent| intent.id),
        hold: placed.map(|hold| hold.id),
        effective_at: placed.map(|hold| hold.effective_at),
        status: Some(receipt.intent.status),
    }
}
