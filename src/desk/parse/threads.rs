//! Threads of the inbox, and the questions in them.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::desk::convert::completion_title;
use crate::desk::rows::{DecisionRow, TaskRow, ThreadEvent, ThreadView};
use crate::domain::address::Address;
use crate::domain::ids::{IntentId, ThreadId};
use crate::domain::payload::Payload;
use crate::domain::scenario::After;
use crate::domain::status::Status;
use crate::domain::time::Timestamp;
use crate::store::query::ThreadKind;

use super::{Held, payload};

/// The `human_task` object.
#[derive(Debug, Deserialize)]
pub(super) struct HumanTask {
    pub(super) title: String,
    #[serde(default)]
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) task_type: String,
    #[serde(default)]
    pub(super) allowed_outcomes: Vec<String>,
    #[serde(default)]
    pub(super) required_comment: bool,
    #[serde(default)]
    pub(super) evidence_required: bool,
    #[serde(default)]
    pub(super) form_schema: Option<Box<RawValue>>,
    #[serde(default)]
    pub(super) assignees: Vec<String>,
    #[serde(default)]
    pub(super) max_reminders: Option<u32>,
    #[serde(default)]
    pub(super) escalate_to: Option<String>,
    #[serde(default)]
    pub(super) version: u32,
    #[serde(default, deserialize_with = "super::maybe_address")]
    pub(super) owner_agent: Option<Address>,
    #[serde(default, deserialize_with = "super::maybe_shown")]
    pub(super) opened_at: Option<Timestamp>,
    #[serde(default)]
    pub(super) decision: Option<Decision>,
    #[serde(default)]
    pub(super) delegated_to: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Decision {
    outcome: String,
    #[serde(default)]
    comment: Option<String>,
    by: String,
    via: String,
    #[serde(deserialize_with = "super::shown")]
    at: Timestamp,
}

impl HumanTask {
    /// The form, as it was written.
    pub(super) fn form(&self) -> Option<Payload> {
        self.form_schema.as_deref().map(|raw| payload(Some(raw)))
    }

    pub(super) fn decision(&self) -> Option<DecisionRow> {
        self.decision.as_ref().map(|decision| DecisionRow {
            outcome: decision.outcome.clone(),
            comment: decision.comment.clone(),
            by: decision.by.clone(),
            via: decision.via.clone(),
            at: decision.at,
        })
    }
}

/// The thread object of section 14.1.
#[derive(Debug, Deserialize)]
pub(in crate::desk) struct Thread {
    #[serde(deserialize_with = "super::shown")]
    thread_id: ThreadId,
    #[serde(deserialize_with = "super::shown")]
    intent_id: IntentId,
    status: String,
    #[serde(deserialize_with = "super::address")]
    owner_agent: Address,
    #[serde(deserialize_with = "super::address")]
    from_agent: Address,
    #[serde(deserialize_with = "super::shown")]
    created_at: Timestamp,
    intent_type: String,
    kind: String,
    #[serde(default, deserialize_with = "super::maybe_shown")]
    due_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "super::maybe_shown")]
    deadline_at: Option<Timestamp>,
    #[serde(default)]
    remind_count: u32,
    #[serde(deserialize_with = "super::status")]
    intent_status: Status,
    #[serde(default)]
    human_task: Option<HumanTask>,
    #[serde(default)]
    held: Option<Held>,
    #[serde(default)]
    payload: Option<Box<RawValue>>,
    #[serde(default)]
    leads_to: Option<LeadsTo>,
    #[serde(default)]
    timeline: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct LeadsTo {
    on_success: Option<String>,
    on_failure: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    #[serde(deserialize_with = "super::shown")]
    at: Timestamp,
    event_type: String,
    actor: String,
    #[serde(default)]
    details: EntryDetails,
}

/// What of an entry's details a person reads.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct EntryDetails {
    message: Option<String>,
    comment: Option<String>,
    note: Option<String>,
    payload: Option<Box<RawValue>>,
}

impl Thread {
    /// The status of its intent, for the answers of acts.
    pub(in crate::desk) const fn intent_status(&self) -> Status {
        self.intent_status
    }

    pub(in crate::desk) fn row(&mut self) -> TaskRow {
        let kind = if self.kind == ThreadKind::Task.name() {
            ThreadKind::Task
        } else {
            ThreadKind::Completion
        };
        let task = self.human_task.as_ref();
        let is_open = matches!(self.status.as_str(), "pending" | "active");
        TaskRow {
            thread: self.thread_id,
            intent: self.intent_id,
            kind,
            owner: task
                .and_then(|task| task.owner_agent.clone())
                .unwrap_or_else(|| self.owner_agent.clone()),
            from: self.from_agent.clone(),
            intent_type: self.intent_type.clone(),
            title: task.map_or_else(
                || completion_title(&self.intent_type, self.intent_status),
                |task| task.title.clone(),
            ),
            description: task.and_then(|task| task.description.clone()),
            task_type: task.map(|task| task.task_type.clone()).unwrap_or_default(),
            outcomes: task
                .map(|task| task.allowed_outcomes.clone())
                .unwrap_or_default(),
            is_comment_required: task.is_some_and(|task| task.required_comment),
            is_evidence_required: task.is_some_and(|task| task.evidence_required),
            form: task.and_then(HumanTask::form),
            assignees: task.map(|task| task.assignees.clone()).unwrap_or_default(),
            version: task.map_or(0, |task| task.version),
            is_open,
            opened_at: self.created_at,
            due_at: self.due_at,
            is_overdue: is_open && self.remind_count > 0,
            deadline: self.deadline_at,
            reminded: self.remind_count,
            reminders_max: task.and_then(|task| task.max_reminders),
            escalates_to: task.and_then(|task| task.escalate_to.clone()),
            decision: task.and_then(HumanTask::decision),
            held: self
                .held
                .take()
                .filter(|held| kind == ThreadKind::Task && !held.is_of_letter())
                .map(Held::row),
            delegated_to: task.and_then(|task| task.delegated_to.clone()),
        }
    }

    pub(in crate::desk) fn view(mut self) -> ThreadView {
        let row = self.row();
        let timeline = self.events();
        ThreadView {
            row,
            payload: self.carried(),
            timeline,
            after: self.leads_to.map(|to| After {
                success: to.on_success,
                failure: to.on_failure,
            }),
        }
    }

    /// What the intent carries: beside the thread, or in the entry that says it was received.
    fn carried(&self) -> Payload {
        let received = self
            .timeline
            .iter()
            .find_map(|entry| entry.details.payload.as_deref());
        payload(self.payload.as_deref().or(received))
    }

    pub(in crate::desk) fn events(&self) -> Vec<ThreadEvent> {
        self.timeline
            .iter()
            .map(|entry| ThreadEvent {
                at: entry.at,
                event_type: entry.event_type.clone(),
                actor: entry.actor.clone(),
                text: entry
                    .details
                    .message
                    .clone()
                    .or_else(|| entry.details.comment.clone())
                    .or_else(|| entry.details.note.clone()),
            })
            .collect()
    }
}
