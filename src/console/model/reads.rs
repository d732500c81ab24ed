//! What should be read again, what is being read, and how often that may happen.
//!
//! Facts make slots dirty; a dirty slot is read when somebody looks at it, no more often than its
//! shortest pause. What ages by itself (lag, due times) has a longest pause as well.

use std::collections::BTreeMap;

use crate::clock::Mono;

/// One thing that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Slot {
    /// Who is on the other side.
    Hello,
    /// The numbers.
    Overview,
    /// What is staged.
    Held,
    /// Every agent.
    Agents,
    /// Attempts of the agent under the cursor.
    AgentAttempts,
    /// What became of its attempts lately.
    Activity,
    /// Tasks.
    Tasks,
    /// Open tasks, while another desk is on the screen.
    OpenTasks,
    /// The thread under the cursor.
    Thread,
    /// The first page of intents.
    Intents,
    /// The next page of intents.
    MoreIntents,
    /// The open intent.
    Intent,
    /// Its relatives.
    Family,
    /// The first page of attempts.
    Attempts,
    /// The next page of attempts.
    MoreAttempts,
    /// Groups of dead letters.
    Groups,
    /// Letters of the group under the cursor.
    Letters,
    /// The next page of them.
    MoreLetters,
    /// The first page of jobs.
    Jobs,
    /// The next page of them.
    MoreJobs,
    /// The job under the cursor.
    Job,
    /// What the job in the panel would do.
    Plan,
    /// The first page of the audit log.
    Audit,
    /// The next page of it.
    MoreAudit,
}

impl Slot {
    /// Milliseconds that pass between two reads at least, and at most while somebody looks.
    pub(crate) const fn pauses(self) -> (u64, u64) {
        match self {
            Self::Hello | Self::Plan => (1_000, u64::MAX),
            Self::Overview => (250, 1_000),
            Self::Held => (250, 2_000),
            Self::Agents | Self::Jobs | Self::Job => (500, 2_000),
            Self::AgentAttempts | Self::Activity => (100, 2_000),
            Self::Tasks => (250, 5_000),
            Self::OpenTasks => (5_000, 15_000),
            Self::Groups => (500, 10_000),
            Self::Intents | Self::Intent | Self::Family | Self::Attempts => (250, 30_000),
            Self::Thread | Self::Letters => (100, 30_000),
            Self::Audit => (1_000, 10_000),
            Self::MoreIntents
            | Self::MoreAttempts
            | Self::MoreLetters
            | Self::MoreJobs
            | Self::MoreAudit => (50, u64::MAX),
        }
    }
}

#[derive(Debug, Clone, Default)]
struct State {
    is_dirty: bool,
    is_running: bool,
    last: Option<Mono>,
    error: Option<String>,
}

/// The state of every slot.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reads {
    slots: BTreeMap<Slot, State>,
}

impl Reads {
    /// Wants a slot read again at once, even while an older question waits for its answer.
    pub(crate) fn hurry(&mut self, slot: Slot) {
        let state = self.slots.entry(slot).or_default();
        state.is_dirty = true;
        state.is_running = false;
        state.last = None;
        state.error = None;
    }

    /// Wants another thing read into a slot; an answer that is under way no longer counts.
    pub(crate) fn switch(&mut self, slot: Slot) {
        let state = self.slots.entry(slot).or_default();
        state.is_dirty = true;
        state.is_running = false;
        state.error = None;
    }

    /// Wants everything read again, when somebody looks.
    pub(crate) fn touch_all(&mut self) {
        for state in self.slots.values_mut() {
            state.is_dirty = true;
        }
    }

    /// Whether a slot that somebody looks at should be read now.
    pub(crate) fn is_due(&self, slot: Slot, now: Mono) -> bool {
        let Some(state) = self.slots.get(&slot) else {
            return true;
        };
        !state.is_running && self.due_in(slot, now) == 0
    }

    /// Milliseconds until a slot that somebody looks at should be read; a running one never.
    pub(crate) fn due_in(&self, slot: Slot, now: Mono) -> u64 {
        let Some(state) = self.slots.get(&slot) else {
            return 0;
        };
        if state.is_running {
            return u64::MAX;
        }
        let Some(last) = state.last else {
            return 0;
        };
        let (least, most) = slot.pauses();
        let pause = if state.is_dirty { least } else { most };
        let since = u64::try_from(now.since(last).as_millis()).unwrap_or(u64::MAX);
        pause.saturating_sub(since)
    }

    /// A slot is being read.
    pub(crate) fn started(&mut self, slot: Slot, now: Mono) {
        let state = self.slots.entry(slot).or_default();
        state.is_dirty = false;
        state.is_running = true;
        state.last = Some(now);
    }

    /// The answer came.
    pub(crate) fn ended(&mut self, slot: Slot, error: Option<String>) {
        let state = self.slots.entry(slot).or_default();
        state.is_running = false;
        if error.is_some() {
            state.is_dirty = true;
        }
        state.error = error;
    }

    /// Why the last read of a slot failed.
    pub(crate) fn error(&self, slot: Slot) -> Option<&str> {
        self.slots
            .get(&slot)
            .and_then(|state| state.error.as_deref())
    }
}
