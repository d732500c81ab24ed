//! Threads of an inbox: derived from an intent and its facts.

use crate::domain::address::Address;
use crate::domain::fact::{Fact, FactBody};
use crate::domain::ids::ThreadId;
use crate::domain::intent::{End, Intent};
use crate::domain::payload::Payload;
use crate::domain::task::is_negative;
use crate::domain::time::{Span, Timestamp};
use crate::wire::body::{Body, Fields};
use crate::wire::dead_letters;
use crate::wire::errors::Problem;
use crate::wire::intents;
use crate::wire::json::Object;
use crate::wire::tasks;

/// Who a completion is from.
const BROKER: &str = "agent://axme.intent-protocol";

/// A thread with what its timeline is told from.
#[derive(Debug, Clone, Copy)]
pub struct Told<'thread> {
    /// Its id.
    pub id: ThreadId,
    /// True for a task, false for a completion.
    pub is_task: bool,
    /// Whose inbox.
    pub owner: &'thread Address,
    /// True while it waits for a decision.
    pub is_pending: bool,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The intent that it is about.
    pub intent: &'thread Intent,
    /// Its facts from the first on; empty in lists.
    pub facts: &'thread [Fact],
    /// What the intent carries; none in lists.
    pub payload: Option<&'thread Payload>,
}

impl Told<'_> {
    /// The thread object.
    #[must_use]
    pub fn object(&self) -> Object {
        let intent = self.intent;
        let notice = self.notice();
        let kind = match (&notice, self.is_task) {
            (_, true) => "task",
            (Some(_), false) => "notice",
            (None, false) => "completion",
        };
        let (created_at, subject, from) = if self.is_task {
            let task = intent.task.as_ref();
            (
                task.map_or(intent.created_at, |task| task.opened_at),
                task.map_or(intent.intent_type.as_str(), |task| task.spec.title.as_str()),
                intent.from.to_string(),
            )
        } else {
            (
                self.updated_at,
                notice.as_deref().unwrap_or(intent.intent_type.as_str()),
                BROKER.to_owned(),
            )
        };
        Object::new()
            .shown("thread_id", self.id)
            .shown("intent_id", intent.id)
            .text("status", if self.is_pending { "pending" } else { "done" })
            .shown("owner_agent", self.owner)
            .text("from_agent", &from)
            .shown("to_agent", self.owner)
            .shown("created_at", created_at)
            .shown("updated_at", self.updated_at)
            .text("subject", subject)
            .text("intent_type", &intent.intent_type)
            .text("kind", kind)
            .flag("read", false)
            .with(|object| match (&intent.task, self.is_task) {
                (Some(task), true) => object
                    .object("human_task", tasks::task_object(task))
                    .maybe_shown("due_at", intent.task_due_at()),
                _ => object,
            })
            .maybe_shown("deadline_at", intent.deadline)
            .text("intent_status", intent.status.name())
            .number("remind_count", intent.reminded)
            .with(|object| match (self.payload, self.is_task) {
                (Some(payload), false) => object.payload("payload", payload),
                _ => object,
            })
            .with(|object| match intent.holds.first() {
                Some(hold) => object.object("held", intents::held(intent, hold)),
                None => object,
            })
            .list("timeline", self.timeline())
    }

    /// The subject, where a step of a run tells somebody something.
    fn notice(&self) -> Option<String> {
        let is_told = !self.is_task && self.intent.step.is_some();
        match &self.intent.end {
            Some(End::Completed { result }) if is_told => {
                let subject = result.to_value().get("subject")?.as_str()?.to_owned();
                Some(subject)
            }
            _ => None,
        }
    }

    /// The words in it: `messages` at the top level of a thread's answer.
    #[must_use]
    pub fn messages(&self) -> Vec<Object> {
        self.facts
            .iter()
            .filter_map(|fact| match &fact.body {
                FactBody::TaskReplied { message } => Some((fact, message.as_str())),
                FactBody::TaskDecided(decision) => {
                    decision.comment.as_deref().map(|comment| (fact, comment))
                }
                _ => None,
            })
            .map(|(fact, content)| {
                Object::new()
                    .text("role", fact.actor.name())
                    .text("content", content)
                    .shown("at", fact.at)
            })
            .collect()
    }

    fn timeline(&self) -> Vec<Object> {
        if !self.is_task {
            let event_type = match self.notice() {
                Some(_) => "notice",
                None => "intent_completion_delivered",
            };
            return vec![self.entry(
                self.intent.event_seq,
                event_type,
                BROKER,
                self.updated_at,
                completion(self.intent),
            )];
        }
        let received = self.entry(
            1,
            "intent_received",
            &self.intent.from.to_string(),
            self.intent.created_at,
            match self.payload {
                Some(payload) => Object::new().payload("payload", payload),
                None => Object::new(),
            },
        );
        let told = self.facts.iter().filter_map(|fact| match &fact.body {
            FactBody::TaskReplied { message } => Some(self.entry(
                fact.seq,
                "inbox.replied",
                fact.actor.name(),
                fact.at,
                Object::new().text("message", message),
            )),
            FactBody::TaskDecided(decision) => Some(
                self.entry(
                    fact.seq,
                    if is_negative(&decision.outcome) {
                        "inbox.rejected"
                    } else {
                        "inbox.approved"
                    },
                    &decision.by.to_string(),
                    decision.at,
                    Object::new()
                        .text("outcome", &decision.outcome)
                        .maybe_text("comment", decision.comment.as_deref())
                        .number("version", decision.version),
                ),
            ),
            FactBody::Reminded { number, holder } => Some(
                self.entry(
                    fact.seq,
                    "notice",
                    fact.actor.name(),
                    fact.at,
                    Object::new()
                        .number("reminder_number", *number)
                        .text("holder", holder),
                ),
            ),
            FactBody::Escalated { to, .. } => Some(self.entry(
                fact.seq,
                "inbox.delegated",
                fact.actor.name(),
                fact.at,
                Object::new().text("escalated_to", to),
            )),
            _ => None,
        });
        std::iter::once(received).chain(told).collect()
    }

    fn entry(
        &self,
        seq: u32,
        event_type: &str,
        actor: &str,
        at: Timestamp,
        details: Object,
    ) -> Object {
        Object::new()
            .text("event_id", &format!("{}:{seq}", self.id))
            .text("event_type", event_type)
            .text("actor", actor)
            .shown("at", at)
            .object("details", details)
    }
}

/// What the `reply_to` of an ended intent is told.
#[must_use]
pub fn completion(intent: &Intent) -> Object {
    let object = Object::new()
        .text("type", "intent.completion")
        .shown("intent_id", intent.id)
        .text("status", intent.status.name());
    match &intent.end {
        Some(End::Completed { result }) => object.payload("result", result),
        Some(End::Failed { error } | End::TimedOut { error }) => {
            object.object("error", intents::error(error, Some(intent)))
        }
        Some(End::Canceled { reason }) => object.text_or_null("reason", reason.as_deref()),
        None => object,
    }
}

/// A decision as approve, reject and approvals ask for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionBody {
    /// The words with it.
    pub comment: Option<String>,
    /// The outcome, where the verb alone does not name it.
    pub outcome: Option<String>,
    /// The version that was seen.
    pub version: Option<u32>,
    /// Take effect so much later.
    pub hold: Span,
}

/// Reads what comes with a decision.
///
/// # Errors
/// `schema_invalid`.
pub fn decision(body: &Body<'_>, comment_chars_max: usize) -> Result<DecisionBody, Problem> {
    let mut fields = Fields::of(body);
    let decision = DecisionBody {
        comment: fields.text("comment", comment_chars_max),
        outcome: fields.text("outcome", 64),
        version: fields.count("task_version", 1, u32::MAX),
        hold: dead_letters::hold(&mut fields),
    };
    fields.done()?;
    Ok(decision)
}
