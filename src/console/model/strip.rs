//! The strip under a task: one decision, or one reply, being written.

use crate::clock::Mono;
use crate::console::widgets::field::{Field, Lines};
use crate::desk::rows::TaskRow;
use crate::domain::ids::IntentId;
use crate::domain::task::{TaskType, is_negative};

/// Words that were typed and not sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Draft {
    /// The words.
    pub(crate) text: String,
}

/// What the strip is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A decision: the outcomes that can be chosen, and the place of the chosen one.
    Decide {
        /// Every outcome, in the task's order.
        outcomes: Vec<String>,
        /// The chosen one.
        chosen: usize,
    },
    /// A reply; it decides nothing.
    Reply,
}

/// The strip.
#[derive(Debug)]
pub(crate) struct Strip {
    /// On which task.
    pub(crate) intent: IntentId,
    /// The version that was seen.
    pub(crate) version: u32,
    /// What it is for.
    pub(crate) purpose: Purpose,
    /// Whether words are required.
    pub(crate) is_comment_required: bool,
    /// The words.
    pub(crate) editor: Field,
    /// When it opened, or when the task last changed under it.
    pub(crate) armed_from: Mono,
    /// What changed since it opened; `Enter` is off until it was shown.
    pub(crate) change: Option<String>,
    /// Whether what changed is shown.
    pub(crate) is_change_shown: bool,
    /// What is wrong: a missing comment, a conflict.
    pub(crate) problem: Option<String>,
    /// True once somebody else decided: the words can only be sent as a reply.
    pub(crate) is_overtaken: bool,
    /// True while the answer is awaited.
    pub(crate) is_sent: bool,
}

impl Strip {
    /// A strip on a task with the words of its draft.
    pub(crate) fn new(task: &TaskRow, purpose: Purpose, draft: Option<&Draft>, now: Mono) -> Self {
        let text = draft.map_or("", |draft| draft.text.as_str());
        let is_reply = purpose == Purpose::Reply;
        Self {
            intent: task.intent,
            version: task.version,
            purpose,
            is_comment_required: is_reply || needs_comment(task),
            editor: Field::with_text(Lines::Many, text),
            armed_from: now,
            change: None,
            is_change_shown: false,
            problem: None,
            is_overtaken: false,
            is_sent: false,
        }
    }

    /// The chosen outcome; none for a reply.
    pub(crate) fn outcome(&self) -> Option<&str> {
        match &self.purpose {
            Purpose::Decide { outcomes, chosen } => outcomes.get(*chosen).map(String::as_str),
            Purpose::Reply => None,
        }
    }

    /// Goes to the next outcome, or to the one before.
    pub(crate) fn turn(&mut self, is_forward: bool) {
        if let Purpose::Decide { outcomes, chosen } = &mut self.purpose
            && !outcomes.is_empty()
        {
            let count = outcomes.len();
            *chosen = (*chosen + if is_forward { 1 } else { count - 1 }) % count;
        }
    }

    /// The words, without white space around them; none when there are none.
    pub(crate) fn comment(&self) -> Option<String> {
        let text = self.editor.text();
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// The words as they stand.
    pub(crate) fn draft(&self) -> Draft {
        Draft {
            text: self.editor.text(),
        }
    }
}

/// Whether a decision of this task needs words.
pub(crate) fn needs_comment(task: &TaskRow) -> bool {
    task.is_comment_required || TaskType::from_name(&task.task_type) == TaskType::Override
}

/// The outcomes that can be chosen: the task's own, else those of its type.
pub(crate) fn outcomes_of(task: &TaskRow) -> Vec<String> {
    if !task.outcomes.is_empty() {
        return task.outcomes.clone();
    }
    match TaskType::from_name(&task.task_type) {
        TaskType::Other(_) => vec!["approved".to_owned(), "rejected".to_owned()],
        known => known
            .default_outcomes()
            .iter()
            .map(|&one| one.to_owned())
            .collect(),
    }
}

/// The place of the first positive outcome, or of the plain no.
pub(crate) fn first_outcome(outcomes: &[String], is_positive: bool) -> Option<usize> {
    if is_positive {
        return outcomes.iter().position(|outcome| !is_negative(outcome));
    }
    outcomes
        .iter()
        .position(|outcome| outcome == "rejected")
        .or_else(|| outcomes.iter().position(|outcome| is_negative(outcome)))
}
