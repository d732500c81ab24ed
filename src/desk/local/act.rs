//! Acts: one request each to the writer, with its entry of the audit log in the same commit.
//!
//! What is asked for is spelled as a body of the HTTP API and read by the wire's readers: limits and
//! refusals are the same on both desks because they are the same code.

use crate::broker::request::{AdminCommand, AuditNote, Receipt, RememberKey, Request};
use crate::broker::{Broker, LAST_HOLD};
use crate::desk::act::{Act, Done, NewIntent};
use crate::desk::{DeskError, bodies, not_an_object};
use crate::domain::agent::Binding;
use crate::domain::fact::{Actor, FactBody};
use crate::domain::ids::{AttemptId, HoldId, IntentId};
use crate::domain::status::Status;
use crate::engine::command::{
    Choice, Command, Decide, Discard, PayloadSource, Replay, Reply, Resolve, Resume, Submit,
};
use crate::engine::refusal::Refusal;
use crate::wire::audit::Noted;
use crate::wire::body::{Body, Fields};
use crate::wire::errors::Problem;
use crate::wire::groups::Marked;
use crate::wire::submit::{self, Create, CreateRules};
use crate::wire::{dead_letters, inbox, resume};

use super::LocalOptions;

/// Holds that are looked through for one to take back. They last a minute at most.
const HOLDS_EXAMINED_MAX: u32 = 10_000;
/// Most characters of a comment or a reason.
const WORDS_CHARS_MAX: usize = 2000;
/// Most characters of an idempotency key.
const KEY_CHARS_MAX: usize = 255;

pub(super) async fn run(
    broker: &Broker,
    options: &LocalOptions,
    act: Act,
) -> Result<Done, DeskError> {
    let desk = Acting { broker, options };
    let (intent, command, note) = match act {
        Act::Send(new) => return desk.send(&new).await,
        Act::Undo { hold } => return desk.undo(hold).await,
        Act::MarkGroup {
            fingerprint,
            change,
            reason,
        } => {
            let text = bodies::marked(&change, reason.as_deref());
            let home = &broker.registry().home;
            let marked = Marked::read(&Body::parse(text.as_bytes())?, home)?;
            let note = desk.note("dead_letter.group", fingerprint.clone(), marked.reason);
            let command = AdminCommand::MarkGroup {
                fingerprint,
                change: Box::new(marked.change),
            };
            return desk.administer(command, note).await;
        }
        Act::Record {
            action,
            target,
            reason,
            details,
        } => {
            let text = bodies::noted(action, &target, reason.as_deref(), &details);
            let noted = Noted::read(&Body::parse(text.as_bytes())?)?;
            let note = desk.note(&noted.action, noted.target, noted.reason);
            return desk
                .administer(AdminCommand::Note(noted.details), note)
                .await;
        }
        about_agent @ (Act::Pause { .. }
        | Act::Unpause { .. }
        | Act::Kill { .. }
        | Act::Revive { .. }
        | Act::Limit { .. }
        | Act::ResetBreaker { .. }) => {
            let (command, note) = desk.on_agent(about_agent)?;
            return desk.administer(command, note).await;
        }
        about_task @ (Act::Decide { .. } | Act::Reply { .. } | Act::Delegate { .. }) => {
            desk.in_thread(about_task)?
        }
        about_letter @ (Act::Replay { .. } | Act::Discard { .. }) => {
            desk.on_letter(about_letter)?
        }
        about_intent @ (Act::Cancel { .. } | Act::RetryNow { .. } | Act::Resume { .. }) => {
            desk.on_intent(about_intent)?
        }
    };
    desk.request(intent, command, note).await
}

/// The broker, and who asks it.
pub(super) struct Acting<'desk> {
    broker: &'desk Broker,
    options: &'desk LocalOptions,
}

/// What goes to the writer.
type Asked = (IntentId, Command, AuditNote);

impl Acting<'_> {
    pub(super) fn note(&self, action: &str, target: String, reason: Option<String>) -> AuditNote {
        AuditNote {
            actor: self.options.identity.to_string(),
            key: None,
            via: self.options.via.name().to_owned(),
            action: action.to_owned(),
            target,
            owner: None,
            reason,
            trace_id: None,
        }
    }

    fn actor(&self) -> Actor {
        Actor::at(&self.options.identity)
    }

    /// What can be said to a task.
    fn in_thread(&self, act: Act) -> Result<Asked, DeskError> {
        let by = self.options.identity.clone();
        let via = self.options.via;
        match act {
            Act::Decide {
                intent,
                choice,
                comment,
                data,
                version,
                hold,
            } => {
                let (comment, data) = (comment.as_deref(), data.as_ref());
                let (_, text) = bodies::decision(&choice, comment, data, version, hold)
                    .map_err(|error| not_an_object(&error))?;
                let read = inbox::decision(&Body::parse(text.as_bytes())?, WORDS_CHARS_MAX)?;
                let note = self.note("task.decide", intent.to_string(), read.comment.clone());
                let command = Command::Decide(Box::new(Decide {
                    choice: read.outcome.map_or(choice, Choice::Outcome),
                    comment: read.comment,
                    data: read.data,
                    version: read.version,
                    hold: read.hold,
                    by,
                    via,
                }));
                Ok((intent, command, note))
            }
            Act::Reply { intent, message } => {
                let text = bodies::reply(&message);
                let body = Body::parse(text.as_bytes())?;
                let mut fields = Fields::of(&body);
                fields.required_text("message", self.options.payload_bytes_max);
                fields.done()?;
                let note = self.note("task.reply", intent.to_string(), None);
                Ok((intent, Command::Reply(Reply { message, by, via }), note))
            }
            Act::Delegate {
                intent,
                to,
                note,
                version,
            } => {
                let text = bodies::delegate(to.as_ref(), note.as_deref(), version);
                let body = Body::parse(text.as_bytes())?;
                let read = inbox::Delegation::read(&body, &self.broker.registry().home)?;
                let note = self.note("task.delegate", intent.to_string(), read.note.clone());
                Ok((intent, read.command(by), note))
            }
            _ => Err(DeskError::Fault("this act is not about a task".to_owned())),
        }
    }

    /// What can be done to a dead letter.
    fn on_letter(&self, act: Act) -> Result<Asked, DeskError> {
        let by = self.options.identity.clone();
        match act {
            Act::Replay {
                intent,
                payload,
                to,
                is_forced,
                reason,
                hold,
            } => {
                let (given, to) = (payload.as_ref(), to.as_ref());
                let text = bodies::replay(given, to, is_forced, reason.as_deref(), hold);
                let registry = self.broker.registry();
                let read = dead_letters::replay(&Body::parse(text.as_bytes())?, &registry.home)?;
                let limit = self.options.payload_bytes_max;
                if let Some(payload) = read.payload.as_ref().filter(|one| one.len() > limit) {
                    return Err(too_large(payload.len(), limit).into());
                }
                let note = self.note("dead_letter.replay", intent.to_string(), reason);
                let command = Command::Replay(Box::new(Replay {
                    new_id: self.broker.new_intent_id(),
                    new_thread: self.broker.new_thread_id(),
                    payload: read.payload,
                    to: read.to,
                    max_attempts: read.max_attempts,
                    is_forced: read.is_forced,
                    reason: read.reason,
                    hold: read.hold,
                    by,
                }));
                Ok((intent, command, note))
            }
            Act::Discard {
                intent,
                reason,
                hold,
            } => {
                let text = bodies::discard(&reason, hold);
                let (reason, hold) = dead_letters::discard(&Body::parse(text.as_bytes())?)?;
                let note = self.note(
                    "dead_letter.discard",
                    intent.to_string(),
                    Some(reason.clone()),
                );
                Ok((intent, Command::Discard(Discard { reason, hold, by }), note))
            }
            _ => Err(DeskError::Fault(
                "this act is not about a letter".to_owned(),
            )),
        }
    }

    /// What can be done to an intent that has not ended.
    fn on_intent(&self, act: Act) -> Result<Asked, DeskError> {
        let (action, intent, reason, command) = match act {
            Act::Cancel { intent, reason } => {
                let reason = reason_of(&bodies::reason(reason.as_deref()))?;
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
            Act::RetryNow { intent, reason } => {
                let reason = reason_of(&bodies::reason(Some(&reason)))?;
                let command = Command::RetryNow { by: self.actor() };
                ("intent.retry_now", intent, reason, command)
            }
            Act::Resume {
                intent,
                body,
                attempt,
            } => {
                let text = bodies::resume(&body, attempt).map_err(|error| not_an_object(&error))?;
                let body = Body::parse(text.as_bytes())?;
                let attempt = fence(&body)?;
                let command = Command::Resume(Box::new(Resume {
                    body: resume::entries(&body),
                    by: self.options.identity.clone(),
                    via: self.options.via,
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
        let (holders, last) = self
            .broker
            .read(|reader| {
                let last = reader.number(LAST_HOLD)?.unwrap_or(0);
                Ok((reader.held(HOLDS_EXAMINED_MAX)?, last))
            })
            .await?;
        let holder = holders
            .iter()
            .find(|intent| intent.holds.iter().any(|held| held.id == hold))
            .ok_or_else(|| match hold.0 {
                id if id == 0 || id > last => {
                    Problem::new("hold_not_found", format!("no hold {hold}"))
                }
                _ => Problem::from(&Refusal::HoldElapsed),
            })?;
        let by = self.actor();
        let note = self.note("hold.cancel", format!("{hold} on {}", holder.id), None);
        let command = Command::CancelHold { hold, by };
        let done = self.request(holder.id, command, note).await?;
        Ok(Done {
            status: None,
            ..done
        })
    }

    async fn send(&self, new: &NewIntent) -> Result<Done, DeskError> {
        let text = bodies::create(new);
        let mut body = Body::parse(text.as_bytes())?;
        let create = self.read_create(&mut body)?;
        let id = self.broker.new_intent_id();
        let remember = match &new.key {
            Some(key) => Some(self.remember(key, submit::fingerprint(&body, true))?),
            None => None,
        };
        let payload_bytes = u32::try_from(create.payload.len()).unwrap_or(u32::MAX);
        let command = Command::Submit(Box::new(Submit {
            id,
            thread: self.broker.new_thread_id(),
            intent_type: create.intent_type,
            correlation_id: create
                .correlation_id
                .unwrap_or_else(|| self.broker.new_thread_id().to_string()),
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
            part: crate::engine::command::Part::Plain,
        }));
        let request = Request {
            intent: id,
            command,
            remember,
            audit: None,
        };
        Ok(done(&self.broker.run(request).await?))
    }

    /// Reads a create, and checks what the registry knows of its receiver.
    fn read_create(&self, body: &mut Body<'_>) -> Result<Create, Problem> {
        let registry = self.broker.registry();
        let rules = CreateRules {
            home: &registry.home,
            payload_bytes_max: self.options.payload_bytes_max,
            may_name_sender: true,
        };
        let create = submit::create(body, &rules)?;
        let (code, message) = match registry.agent(&create.to) {
            None if self.options.is_strict => (
                "agent_not_found",
                format!(
                    "no agent at {}; this broker takes registered addresses only",
                    create.to
                ),
            ),
            Some(agent) if agent.binding == Binding::Internal => (
                "invalid_agent_address",
                format!("{} is internal: only a scenario can address it", create.to),
            ),
            _ => return Ok(create),
        };
        let details = serde_json::json!({ "to_agent": create.to.to_string() });
        Err(Problem::new(code, message).with(details))
    }

    /// The key in the scope that the HTTP API gives it, so that a repeat over there is one too.
    fn remember(&self, key: &str, fingerprint: [u8; 32]) -> Result<RememberKey, Problem> {
        let key = key.trim();
        if key.is_empty() || key.chars().count() > KEY_CHARS_MAX {
            return Err(Problem::field(
                "header",
                "Idempotency-Key",
                "must have 1 to 255 visible characters",
                "string",
            ));
        }
        let registry = self.broker.registry();
        let account = registry
            .agent(&self.options.identity)
            .and_then(|agent| agent.account)
            .map_or_else(
                || self.options.identity.to_string(),
                |account| account.to_string(),
            );
        Ok(RememberKey {
            scope: format!("{account} POST /v1/intents"),
            key: key.to_owned(),
            fingerprint,
        })
    }
}

/// The reason in a body, read as the wire reads it.
pub(super) fn reason_of(text: &str) -> Result<Option<String>, Problem> {
    let body = Body::parse(text.as_bytes())?;
    let mut fields = Fields::of(&body);
    let reason = fields.text("reason", WORDS_CHARS_MAX);
    fields.done()?;
    Ok(reason)
}

/// The fence in a body.
fn fence(body: &Body<'_>) -> Result<Option<AttemptId>, Problem> {
    let mut fields = Fields::of(body);
    let text = fields.text("attempt_id", 64);
    fields.done()?;
    text.map(|text| text.parse::<AttemptId>())
        .transpose()
        .map_err(|error| Problem::field("body", "attempt_id", error.to_string(), "string"))
}

fn too_large(bytes: usize, limit: usize) -> Problem {
    Problem::new(
        "payload_too_large",
        format!("payload has {bytes} bytes, at most {limit} are allowed"),
    )
    .with(serde_json::json!({ "limit": limit }))
}

/// What a receipt says to the operator.
fn done(receipt: &Receipt) -> Done {
    let placed = receipt.facts.iter().find_map(|fact| match &fact.body {
        FactBody::HoldPlaced(hold) => Some(hold.as_ref()),
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
