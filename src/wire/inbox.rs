//! Threads of an inbox: derived from an intent and its facts.

use crate::domain::address::{Address, Home};
use crate::domain::fact::{Fact, FactBody};
use crate::domain::ids::ThreadId;
use crate::domain::intent::{End, Intent};
use crate::domain::payload::Payload;
use crate::domain::scenario::After;
use crate::domain::task::is_negative;
use crate::domain::time::{Span, Timestamp};
use crate::engine::command::{Command, Delegate};
use crate::wire::body::{Body, Fields};
use crate::wire::dead_letters;
use crate::wire::errors::Problem;
use crate::wire::intents;
use crate::wire::json::Object;
use crate::wire::tasks;

/// Who a completion is from.
const BROKER: &str = "agent://axme.intent-protocol";

/// Most bytes of a payload in a list of threads; a page may have 500.
const LISTED_BYTES_MAX: usize = 8 * 1024;

/// A thread with what its timeline is told from.
#[derive(Debug, Clone, Copy)]
pub struct Told<'thread> {
    /// Its id.
    pub id: ThreadId,
    /// True for a task, false for a completion.
    pub is_task: bool,
    /// Whose inbox: the one that was asked for, where it holds the thread.
    pub owner: &'thread Address,
    /// True while it waits for a decision.
    pub is_pending: bool,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The intent that it is about.
    pub intent: &'thread Intent,
    /// Its facts from the first on; empty in lists.
    pub facts: &'thread [Fact],
    /// What the intent carries, where that was read.
    pub payload: Option<&'thread Payload>,
    /// True in lists, where what is large is left out.
    pub is_listed: bool,
}

/// Where a run goes on after a step, by name; null is its end.
#[must_use]
pub fn after(after: &After) -> Object {
    let After { success, failure } = after;
    Object::new()
        .text_or_null("on_success", success.as_deref())
        .text_or_null("on_failure", failure.as_deref())
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
            .text("status", self.status())
            .shown("owner_agent", self.owner)
            .text("from_agent", &from)
            .shown("to_agent", self.addressee())
            .shown("created_at", created_at)
            .shown("updated_at", self.updated_at)
            .text("subject", subject)
            .text("intent_type", &intent.intent_type)
            .text("kind", kind)
            .flag("read", intent.read_by.contains(self.owner))
            .with(|object| match (&intent.task, self.is_task) {
                (Some(task), true) => object
                    .object("human_task", tasks::task_object(task, intent))
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

    /// `active` is pending, with somebody beside its owner.
    fn status(&self) -> &'static str {
        let task = self.intent.task.as_ref();
        match task.filter(|task| self.is_task && !task.delegates.is_empty()) {
            _ if !self.is_pending => "done",
            Some(_) => "active",
            None => "pending",
        }
    }

    /// Whose it was at first.
    fn addressee(&self) -> &Address {
        let task = self.intent.task.as_ref().filter(|_| self.is_task);
        task.map_or(self.owner, |task| &task.owner)
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
        let emptied = emptied(self.facts);
        self.facts
            .iter()
            .filter(|_| self.is_task)
            .filter_map(|fact| match &fact.body {
                FactBody::TaskReplied { message } => {
                    let is_emptied = emptied.contains(&fact.seq);
                    Some((fact, if is_emptied { "" } else { message }, is_emptied))
                }
                FactBody::TaskDecided(decision) => decision
                    .comment
                    .as_deref()
                    .map(|comment| (fact, comment, false)),
                FactBody::TaskDelegated { note, .. } => {
                    note.as_deref().map(|note| (fact, note, false))
                }
                _ => None,
            })
            .map(|(fact, content, is_emptied)| {
                let object = Object::new()
                    .text("message_id", &message_id(self.id, fact.seq))
                    .text("role", fact.actor.name())
                    .text("content", content)
                    .shown("at", fact.at);
                if is_emptied {
                    object.flag("deleted", true)
                } else {
                    object
                }
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
        let emptied = emptied(self.facts);
        let received = self.entry(
            1,
            "intent_received",
            &self.intent.from.to_string(),
            self.intent.created_at,
            match self.payload {
                Some(payload) if self.is_listed && payload.len() > LISTED_BYTES_MAX => {
                    Object::new().flag("payload_truncated", true)
                }
                Some(payload) => Object::new().payload("payload", payload),
                None => Object::new(),
            },
        );
        let told = self.facts.iter().filter_map(|fact| {
            let (event_type, details) = self.told(fact, &emptied)?;
            Some(self.entry(fact.seq, event_type, fact.actor.name(), fact.at, details))
        });
        std::iter::once(received).chain(told).collect()
    }

    /// What a fact is in the timeline of a task: its type and its details.
    fn told(&self, fact: &Fact, emptied: &[u32]) -> Option<(&'static str, Object)> {
        let object = Object::new();
        Some(match &fact.body {
            FactBody::TaskReplied { .. } if emptied.contains(&fact.seq) => (
                "inbox.replied",
                object.text("message", "").flag("deleted", true),
            ),
            FactBody::TaskReplied { message } => ("inbox.replied", object.text("message", message)),
            FactBody::TaskDelegated { to, note } => (
                "inbox.delegated",
                object
                    .shown("delegated_to", to)
                    .maybe_text("note", note.as_deref()),
            ),
            FactBody::MessagesEmptied { messages } => (
                "messages_deleted",
                object.texts("message_ids", self.ids(messages)),
            ),
            FactBody::ThreadRead { by } if by == self.owner => ("read", object),
            FactBody::TaskDecided(decision) => (
                if is_negative(&decision.outcome) {
                    "inbox.rejected"
                } else {
                    "inbox.approved"
                },
                object
                    .text("outcome", &decision.outcome)
                    .maybe_text("comment", decision.comment.as_deref())
                    .text("via", decision.via.name())
                    .number("version", decision.version),
            ),
            FactBody::Reminded { number, holder } => (
                "notice",
                object
                    .number("reminder_number", *number)
                    .text("holder", holder),
            ),
            FactBody::Escalated { to, .. } => ("inbox.delegated", object.text("escalated_to", to)),
            _ => return None,
        })
    }

    /// The ids of messages.
    #[must_use]
    pub fn ids(&self, messages: &[u32]) -> Vec<String> {
        messages
            .iter()
            .map(|&seq| message_id(self.id, seq))
            .collect()
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
            .text("event_id", &message_id(self.id, seq))
            .text("event_type", event_type)
            .text("actor", actor)
            .shown("at", at)
            .object("details", details)
    }
}

/// The id of what a fact said in a thread.
fn message_id(thread: ThreadId, seq: u32) -> String {
    format!("{thread}:{seq}")
}

/// The facts whose words are not shown any more.
fn emptied(facts: &[Fact]) -> Vec<u32> {
    let emptied = facts.iter().filter_map(|fact| match &fact.body {
        FactBody::MessagesEmptied { messages } => Some(messages.as_slice()),
        _ => None,
    });
    emptied.flatten().copied().collect()
}

/// A task for somebody else, as its route asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegation {
    /// To whom; whoever asks, when absent.
    pub to: Option<Address>,
    /// The words with it.
    pub note: Option<String>,
    /// The version that was seen.
    pub version: Option<u32>,
}

impl Delegation {
    /// Reads it.
    ///
    /// # Errors
    /// `schema_invalid`, `invalid_agent_address`.
    pub fn read(body: &Body<'_>, home: &Home) -> Result<Self, Problem> {
        let mut fields = Fields::of(body);
        let delegation = Self {
            to: fields.address("delegate_to", home),
            note: fields.text("note", 2000),
            version: fields.count("task_version", 1, u32::MAX),
        };
        fields.done()?;
        Ok(delegation)
    }

    /// The command.
    #[must_use]
    pub fn command(self, by: Address) -> Command {
        Command::Delegate(Delegate {
            to: self.to.unwrap_or_else(|| by.clone()),
            note: self.note,
            version: self.version,
            by,
        })
    }
}

/// A wish to empty words in a thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emptying {
    /// Other people's words as well.
    pub is_of_all: bool,
    /// Which; any when absent.
    pub messages: Option<Vec<String>>,
    /// The newest so many.
    pub limit: u32,
}

impl Emptying {
    /// Reads it.
    ///
    /// # Errors
    /// `schema_invalid`.
    pub fn read(body: &Body<'_>) -> Result<Self, Problem> {
        let mut fields = Fields::of(body);
        let mode = fields.text("mode", 16);
        if !matches!(mode.as_deref(), None | Some("self" | "both")) {
            fields.wrong("mode", "must be self or both", "string");
        }
        let emptying = Self {
            is_of_all: mode.as_deref() == Some("both"),
            messages: fields.texts("message_ids", 100, 128),
            limit: fields.count("limit", 1, 100).unwrap_or(100),
        };
        fields.done()?;
        Ok(emptying)
    }

    /// The word of its mode.
    #[must_use]
    pub const fn mode(&self) -> &'static str {
        if self.is_of_all { "both" } else { "self" }
    }

    /// The facts whose words are meant: replies alone, since what goes with a decision is its record.
    #[must_use]
    pub fn chosen(&self, thread: ThreadId, facts: &[Fact], by: &Address) -> Vec<u32> {
        let gone = emptied(facts);
        let by = by.to_string();
        let mut chosen: Vec<u32> = facts
            .iter()
            .rev()
            .filter(|fact| matches!(fact.body, FactBody::TaskReplied { .. }))
            .filter(|fact| self.is_of_all || fact.actor.name() == by)
            .map(|fact| fact.seq)
            .filter(|seq| !gone.contains(seq))
            .filter(|&seq| {
                let named = self.messages.as_ref();
                named.is_none_or(|named| named.contains(&message_id(thread, seq)))
            })
            .take(usize::try_from(self.limit).unwrap_or(usize::MAX))
            .collect();
        chosen.reverse();
        chosen
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
    /// What else is handed in, an object: a form, `evidence`, an `assignee`, `steps`.
    pub data: Option<Payload>,
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
        data: fields.object("data"),
        version: fields.count("task_version", 1, u32::MAX),
        hold: dead_letters::hold(&mut fields),
    };
    fields.done()?;
    Ok(decision)
}
