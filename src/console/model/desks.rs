//! What each desk keeps: its rows, its filter, what is open beside them.

use std::collections::VecDeque;

use crate::console::filter::Filter;
use crate::console::rows::Window;
use crate::console::widgets::json::Tree;
use crate::console::widgets::waterfall::Axis;
use crate::desk::rows::jobs::{AuditRow, JobRow, JobView};
use crate::desk::rows::{
    AgentRow, AttemptRow, FeedRow, IntentRow, IntentView, LetterGroupRow, LetterRow, TaskRow,
    ThreadView,
};
use crate::domain::address::Address;
use crate::domain::ids::{Cursor, IntentId, JobId, ThreadId};
use crate::store::query::{
    AttemptFilter, AuditFilter, IntentFilter, LetterFilter, ThreadFilter, ThreadKind,
};

/// Items of the feed that are kept for the live tail.
const TAIL_MAX: usize = 200;

/// Tasks.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    /// The rows.
    pub(crate) tasks: Window<TaskRow>,
    /// Every open task as it was last read, for the overview and for the count on the tab.
    pub(crate) open: Vec<TaskRow>,
    /// The filter line.
    pub(crate) filter: Filter,
    /// The filter as the desk takes it.
    pub(crate) wanted: Option<ThreadFilter>,
    /// The thread under the cursor, once it was read.
    pub(crate) thread: Option<ThreadView>,
    /// Which thread that is.
    pub(crate) thread_of: Option<ThreadId>,
}

impl Inbox {
    /// The filter that the desk is asked with: open tasks, the next due first, if nothing else is said.
    pub(crate) fn query(&self) -> ThreadFilter {
        self.wanted.clone().unwrap_or_else(Self::open_tasks)
    }

    /// Every open task, the next due first.
    pub(crate) fn open_tasks() -> ThreadFilter {
        ThreadFilter {
            owner: None,
            is_pending: Some(true),
            kind: Some(ThreadKind::Task),
            is_due_first: true,
        }
    }
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Order {
    /// Its place among the orders of the desk.
    pub(crate) by: usize,
    /// From its other end.
    pub(crate) is_reversed: bool,
}

/// The first screen.
#[derive(Debug, Default)]
pub(crate) struct OverviewDesk {
    /// The line under the cursor of what needs attention.
    pub(crate) attention: usize,
    /// The item under the cursor of the live tail.
    pub(crate) tail: Option<Cursor>,
}

/// Intents.
#[derive(Debug, Default)]
pub(crate) struct IntentsDesk {
    /// The rows.
    pub(crate) rows: Window<IntentRow>,
    /// The filter line.
    pub(crate) filter: Filter,
    /// The filter as the desk takes it.
    pub(crate) wanted: IntentFilter,
}

/// Attempts.
#[derive(Debug, Default)]
pub(crate) struct AttemptsDesk {
    /// The rows.
    pub(crate) rows: Window<AttemptRow>,
    /// The filter line.
    pub(crate) filter: Filter,
    /// The filter as the desk takes it.
    pub(crate) wanted: AttemptFilter,
}

/// Dead letters.
#[derive(Debug, Default)]
pub(crate) struct DeadDesk {
    /// The groups.
    pub(crate) groups: Window<LetterGroupRow>,
    /// The letters of the group that `letters_of` names.
    pub(crate) letters: Window<LetterRow>,
    /// Whose letters they are.
    pub(crate) letters_of: Option<String>,
    /// The filter line.
    pub(crate) filter: Filter,
    /// The filter as the desk takes it.
    pub(crate) wanted: LetterFilter,
}

/// Agents.
#[derive(Debug, Default)]
pub(crate) struct AgentsDesk {
    /// The rows, worst first.
    pub(crate) rows: Window<AgentRow>,
    /// Every agent as it was last read.
    pub(crate) all: Vec<AgentRow>,
    /// The filter line.
    pub(crate) filter: Filter,
    /// The line under the cursor of its attempts.
    pub(crate) attempt: usize,
    /// Newest attempts of the agent that `attempts_of` names.
    pub(crate) attempts: Vec<AttemptRow>,
    /// Whose attempts they are.
    pub(crate) attempts_of: Option<Address>,
}

/// Jobs.
#[derive(Debug, Default)]
pub(crate) struct JobsDesk {
    /// The rows, newest first.
    pub(crate) rows: Window<JobRow>,
    /// The job under the cursor with the first of its items, once it was read.
    pub(crate) job: Option<JobView>,
    /// Which job that is.
    pub(crate) job_of: Option<JobId>,
    /// The line under the cursor of its items.
    pub(crate) item: usize,
}

/// Who did what.
#[derive(Debug, Default)]
pub(crate) struct AuditDesk {
    /// The rows, newest first.
    pub(crate) rows: Window<AuditRow>,
    /// The filter line.
    pub(crate) filter: Filter,
    /// The filter as the desk takes it.
    pub(crate) wanted: AuditFilter,
}

/// A sheet of the intent view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Sheet {
    /// What happened.
    #[default]
    Timeline,
    /// The tries.
    Attempts,
    /// What it carries.
    Payload,
    /// What the last exchange looked like.
    Headers,
    /// Where it comes from and what came of it.
    Lineage,
    /// Everything as it is stored.
    Raw,
}

impl Sheet {
    /// Every sheet, in the order of the tabs.
    pub(crate) const ALL: [Self; 6] = [
        Self::Timeline,
        Self::Attempts,
        Self::Payload,
        Self::Headers,
        Self::Lineage,
        Self::Raw,
    ];

    /// The word on its tab.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Timeline => "timeline",
            Self::Attempts => "attempts",
            Self::Payload => "payload",
            Self::Headers => "headers",
            Self::Lineage => "lineage",
            Self::Raw => "raw",
        }
    }
}

/// The intent that is open.
#[derive(Debug, Default)]
pub(crate) struct Detail {
    /// Which.
    pub(crate) id: Option<IntentId>,
    /// What is known of it.
    pub(crate) intent: Option<IntentView>,
    /// Why nothing is known of it.
    pub(crate) error: Option<String>,
    /// The sheet that has the focus.
    pub(crate) sheet: Sheet,
    /// The event under the cursor, by its number; the last one when none was chosen.
    pub(crate) event: Option<u32>,
    /// The attempt under the cursor, by its number; the last one when none was chosen.
    pub(crate) attempt: Option<u32>,
    /// The line under the cursor of the payload, the lineage, headers or the raw text.
    pub(crate) line: usize,
    /// The payload as a tree.
    pub(crate) tree: Option<Tree>,
    /// How the waterfall lays time out.
    pub(crate) axis: Axis,
}

impl Detail {
    /// Nothing known yet.
    pub(crate) fn of(id: IntentId) -> Self {
        Self {
            id: Some(id),
            ..Self::default()
        }
    }

    /// Takes what was read; folds stay when the payload is the same.
    pub(crate) fn take(&mut self, intent: IntentView) {
        let before = self.intent.as_ref().map(|before| before.payload.as_str());
        if before != Some(intent.payload.as_str()) || self.tree.is_none() {
            self.tree = Some(Tree::new(&intent.payload.to_value()));
        }
        self.error = None;
        self.intent = Some(intent);
    }

    /// The place of the event under the cursor.
    pub(crate) fn event_index(&self) -> usize {
        let Some(intent) = &self.intent else {
            return 0;
        };
        let last = intent.events.len().saturating_sub(1);
        self.event
            .and_then(|seq| intent.events.iter().position(|event| event.seq == seq))
            .unwrap_or(last)
    }

    /// The place of the attempt under the cursor.
    pub(crate) fn attempt_index(&self) -> usize {
        let Some(intent) = &self.intent else {
            return 0;
        };
        let last = intent.attempts.len().saturating_sub(1);
        self.attempt
            .and_then(|number| {
                intent
                    .attempts
                    .iter()
                    .position(|attempt| attempt.number == number)
            })
            .unwrap_or(last)
    }

    /// The attempt under the cursor.
    pub(crate) fn attempt_row(&self) -> Option<&AttemptRow> {
        self.intent.as_ref()?.attempts.get(self.attempt_index())
    }

    /// The relatives that can be jumped to: a word and the id.
    pub(crate) fn relatives(&self) -> Vec<(&'static str, IntentId)> {
        let Some(intent) = &self.intent else {
            return Vec::new();
        };
        let mut relatives = Vec::new();
        if intent.origin != intent.row.id {
            relatives.push(("origin", intent.origin));
        }
        if let Some(parent) = intent.row.replay_of
            && parent != intent.origin
        {
            relatives.push(("replay of", parent));
        }
        relatives.push(("this intent", intent.row.id));
        if let Some(replay) = intent.replayed_as {
            relatives.push(("replayed as", replay));
        }
        relatives
    }
}

/// What was committed lately, newest first.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    /// The items.
    pub(crate) rows: VecDeque<FeedRow>,
    /// Whether new ones are shown; when not, the count that came since.
    pub(crate) missed: Option<u64>,
    /// How many came in the last seconds, newest first.
    pub(crate) seconds: VecDeque<(i64, u64)>,
}

impl Tail {
    /// Takes new items, oldest first.
    pub(crate) fn push(&mut self, rows: Vec<FeedRow>, now_seconds: i64) {
        let count = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        match self.seconds.front_mut() {
            Some((second, sum)) if *second == now_seconds => *sum += count,
            _ => self.seconds.push_front((now_seconds, count)),
        }
        self.seconds.truncate(11);
        if let Some(missed) = &mut self.missed {
            *missed += count;
            return;
        }
        for row in rows {
            self.rows.push_front(row);
        }
        self.rows.truncate(TAIL_MAX);
    }

    /// Items per second over the last ten whole seconds.
    pub(crate) fn per_second(&self, now_seconds: i64) -> u64 {
        let sum: u64 = self
            .seconds
            .iter()
            .filter(|(second, _)| (1..=10).contains(&(now_seconds - second)))
            .map(|(_, count)| count)
            .sum();
        sum / 10
    }
}
