//! The strip under a task: one decision, or one reply, being written.

pub(crate) mod entry;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::clock::Mono;
use crate::console::kinds::{self, Brief, Person};
use crate::console::widgets::field::{Field, Lines};
use crate::desk::rows::{TaskRow, ThreadView};
use crate::domain::ids::IntentId;
use crate::domain::scenario::After;
use crate::domain::task::{TaskType, is_negative};

use self::entry::{Entry, Input, Key, Need};

/// What was typed, ticked and chosen and not sent, by the names of the entries.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Draft(pub(crate) BTreeMap<String, Value>);

impl Draft {
    /// Steps that are ticked, and how many there are.
    pub(crate) fn progress(&self) -> Option<(usize, usize)> {
        let is_step = |(name, _): &(&String, &Value)| name.starts_with("step-");
        let steps: Vec<bool> = self
            .0
            .iter()
            .filter(is_step)
            .map(|(_, step)| step.get("done").and_then(Value::as_bool) == Some(true))
            .collect();
        (!steps.is_empty()).then(|| (steps.iter().filter(|done| **done).count(), steps.len()))
    }
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
    /// The task as it was last read.
    pub(crate) task: TaskRow,
    /// What its intent carries; none until it was read.
    pub(crate) payload: Option<Value>,
    /// Where the run goes on that the task is a step of.
    pub(crate) after: Option<After>,
    /// Both as the operator has seen them.
    pub(crate) seen: (TaskRow, Option<Value>),
    /// Entries of its thread that were seen.
    pub(crate) events: usize,
    /// Who could take it.
    pub(crate) people: Vec<Person>,
    /// What it is for.
    pub(crate) purpose: Purpose,
    /// What can be filled in.
    pub(crate) entries: Vec<Entry>,
    /// The place of the entry that has the focus; behind the last one it is the outcome.
    pub(crate) focus: usize,
    /// When it opened, or when the task last changed under it.
    pub(crate) armed_from: Mono,
    /// When something was last typed, until the draft was kept.
    pub(crate) typed_at: Option<Mono>,
    /// What changed since it opened; `Enter` is off until it was shown.
    pub(crate) change: Option<Change>,
    /// Whether what changed is shown.
    pub(crate) is_change_shown: bool,
    /// What is wrong: a missing comment, a conflict.
    pub(crate) problem: Option<String>,
    /// True once somebody else decided: the words can only be sent as a reply.
    pub(crate) is_overtaken: bool,
    /// True while the answer is awaited.
    pub(crate) is_sent: bool,
}

/// What changed under an open strip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// Who changed it, and the first thing that is different: `bob: amount 48,000 → 84,000`.
    pub(crate) line: String,
    /// Everything that is different.
    pub(crate) all: Vec<String>,
}

impl Strip {
    /// A strip on a task with what its draft kept.
    pub(crate) fn new(
        task: &TaskRow,
        thread: Option<&ThreadView>,
        people: Vec<Person>,
        purpose: Purpose,
        now: Mono,
    ) -> Self {
        let mut strip = Self {
            intent: task.intent,
            version: task.version,
            task: task.clone(),
            payload: None,
            after: None,
            seen: (task.clone(), None),
            events: 0,
            people,
            purpose,
            entries: Vec::new(),
            focus: 0,
            armed_from: now,
            typed_at: None,
            change: None,
            is_change_shown: false,
            problem: None,
            is_overtaken: false,
            is_sent: false,
        };
        if let Some(thread) = thread {
            strip.payload = Some(thread.payload.to_value());
            strip.after.clone_from(&thread.after);
            strip.seen.1.clone_from(&strip.payload);
            strip.events = thread.timeline.len();
        }
        strip.entries = strip.fresh_entries();
        strip.focus = strip.first_place();
        strip
    }

    /// Where one begins: a no needs words at most, whatever a yes has to fill in.
    fn first_place(&self) -> usize {
        let words = |entry: &Entry| entry.key == Key::Comment;
        let place = self.entries.iter().position(words);
        place.filter(|_| self.is_no()).unwrap_or(0)
    }

    /// The thread came after the strip had opened. What was filled in stays.
    pub(crate) fn read(&mut self, thread: &ThreadView, now: Mono) {
        if self.payload.is_some() {
            return;
        }
        self.events = thread.timeline.len();
        self.payload = Some(thread.payload.to_value());
        self.after.clone_from(&thread.after);
        self.seen.1.clone_from(&self.payload);
        self.armed_from = now;
        let kept = self.draft(None);
        let focused = self.entries.get(self.focus).map(|entry| entry.key.clone());
        self.entries = self.fresh_entries();
        self.restore(&kept);
        let place = self
            .entries
            .iter()
            .position(|entry| Some(&entry.key) == focused.as_ref());
        self.focus = place.unwrap_or(self.focus).min(self.entries.len());
    }

    /// The people changed: so do the names that can be picked.
    pub(crate) fn meet(&mut self, people: Vec<Person>) {
        self.people = people;
        let brief = self.brief();
        let choices = kinds::assignees(&brief);
        for entry in &mut self.entries {
            if let Input::Pick(_, listed) = &mut entry.input {
                listed.clone_from(&choices);
            }
        }
    }

    fn fresh_entries(&self) -> Vec<Entry> {
        match &self.purpose {
            Purpose::Reply => vec![Entry::words(Key::Comment, "words", Need::Always)],
            Purpose::Decide { outcomes, chosen } => {
                let mut entries = kinds::entries_of(&self.brief());
                let outcome = entries.iter_mut().find(|entry| entry.key == Key::Outcome);
                if let (Some(entry), Some(name)) = (outcome, outcomes.get(*chosen)) {
                    entry.input = Input::Text(Field::with_text(Lines::One, name));
                }
                entries
            }
        }
    }

    /// What its renderer works from.
    pub(crate) fn brief(&self) -> Brief<'_> {
        Brief {
            task: &self.task,
            payload: self.payload.as_ref().unwrap_or(&Value::Null),
            people: &self.people,
        }
    }

    /// The chosen outcome; none for a reply.
    pub(crate) fn outcome(&self) -> Option<String> {
        let Purpose::Decide { outcomes, chosen } = &self.purpose else {
            return None;
        };
        let free = self.entries.iter().find(|entry| entry.key == Key::Outcome);
        match free {
            Some(entry) => Some(entry.text()),
            None => outcomes.get(*chosen).cloned(),
        }
    }

    /// Whether the chosen outcome is a no.
    pub(crate) fn is_no(&self) -> bool {
        self.outcome().is_some_and(|outcome| is_negative(&outcome))
    }

    /// Whether Tab goes through entries before it comes to the outcomes.
    pub(crate) const fn is_long(&self) -> bool {
        self.entries.len() > 1
    }

    /// Whether the outcome is chosen from a list, and so has a place of its own behind the entries.
    pub(crate) fn has_outcomes(&self) -> bool {
        matches!(&self.purpose, Purpose::Decide { .. })
            && self.entries.iter().all(|entry| entry.key != Key::Outcome)
    }

    /// The entry that has the focus; none while the outcome has it.
    pub(crate) fn focused(&self) -> Option<&Entry> {
        self.entries.get(self.focus)
    }

    /// The same, to be filled in.
    pub(crate) fn focused_mut(&mut self) -> Option<&mut Entry> {
        self.entries.get_mut(self.focus)
    }

    /// Whether what has the focus is only looked at, so that letters move in it.
    pub(crate) fn is_looking(&self) -> bool {
        self.focused()
            .is_some_and(|entry| matches!(entry.input, Input::Look(..)))
    }

    /// Goes to the next outcome, or to the one before.
    pub(crate) fn turn_outcome(&mut self, is_forward: bool) {
        if let Purpose::Decide { outcomes, chosen } = &mut self.purpose
            && !outcomes.is_empty()
        {
            let count = outcomes.len();
            *chosen = (*chosen + if is_forward { 1 } else { count - 1 }) % count;
        }
    }

    /// Goes to the next entry or back, the outcome last. A strip of one entry turns its outcome instead,
    /// and so does Tab once it has come to the outcome.
    pub(crate) fn turn(&mut self, is_forward: bool) {
        let count = self.entries.len();
        let is_at_outcome = self.focus >= count;
        if !self.is_long() || (is_at_outcome && is_forward) {
            return self.turn_outcome(is_forward);
        }
        self.step(is_forward);
    }

    /// Goes to the next place that can have the focus, around the end.
    pub(crate) fn step(&mut self, is_forward: bool) {
        if let Some(entry) = self.focused_mut() {
            entry.leave();
        }
        let places = self.entries.len() + usize::from(self.has_outcomes());
        if places > 0 {
            self.focus = (self.focus + if is_forward { 1 } else { places - 1 }) % places;
        }
    }

    /// The words, without white space around them; none when there are none.
    pub(crate) fn comment(&self) -> Option<String> {
        let is_words = |entry: &&Entry| matches!(entry.key, Key::Comment | Key::Answer);
        let text = self.entries.iter().find(is_words)?.text();
        (!text.is_empty()).then_some(text)
    }

    /// What was filled in, over what an earlier draft kept.
    pub(crate) fn draft(&self, before: Option<&Draft>) -> Draft {
        let mut draft = before.cloned().unwrap_or_default();
        let is_begun =
            |entry: &Entry| matches!(entry.input, Input::Step { .. }) && !entry.is_empty();
        let has_steps = self.entries.iter().any(is_begun);
        for entry in &self.entries {
            let name = entry.key.name();
            // Once one step is begun all of them are kept, so that the row can say how far it is.
            let step = match &entry.input {
                Input::Step { is_done, note, .. } if has_steps => {
                    Some(json!({ "done": is_done, "note": note.text() }))
                }
                _ => None,
            };
            match entry.kept().or(step) {
                // The free outcome and what must be typed on purpose begin anew each time.
                Some(kept) if !matches!(entry.key, Key::Outcome | Key::LastFour) => {
                    draft.0.insert(name, kept);
                }
                _ => drop(draft.0.remove(&name)),
            }
        }
        draft
    }

    /// Puts back what a draft kept.
    pub(crate) fn restore(&mut self, draft: &Draft) {
        for entry in &mut self.entries {
            if let Some(kept) = draft.0.get(&entry.key.name()) {
                entry.restore(kept);
            }
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
