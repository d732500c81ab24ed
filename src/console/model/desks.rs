//! What each desk keeps: its rows, its filter, what is open beside them.

use std::collections::{BTreeMap, VecDeque};

use crate::console::filter::Filter;
use crate::console::model::scan::Scan;
use crate::console::panes::words;
use crate::console::regroup::{Bundle, GroupBy};
use crate::console::rows::Window;
use crate::desk::FeedPage;
use crate::desk::rows::agents::AgentView;
use crate::desk::rows::jobs::{AuditRow, JobRow, JobView};
use crate::desk::rows::{
    AgentRow, AttemptRow, FeedRow, IntentRow, LetterGroupRow, LetterRow, TaskRow, ThreadView,
};
use crate::domain::address::Address;
use crate::domain::ids::{Cursor, JobId, ThreadId};
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
    /// Whose tasks are listed.
    pub(crate) lane: Lane,
    /// Every task that was read for the list, before lane and filter.
    pub(crate) read: Vec<TaskRow>,
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

/// Whose tasks are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Lane {
    /// Everybody's.
    #[default]
    All,
    /// Mine, and those that nobody has taken.
    Team,
    /// Those that are with me.
    Mine,
}

impl Lane {
    /// Its name on the screen and in the memory.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Team => "team",
            Self::Mine => "mine",
        }
    }

    /// What is in it.
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::All => "every task",
            Self::Team => "yours, and what nobody has taken",
            Self::Mine => "what is with you",
        }
    }

    /// The lane of that name; all for any other word.
    pub(crate) fn named(word: &str) -> Self {
        [Self::Team, Self::Mine]
            .into_iter()
            .find(|lane| lane.word() == word)
            .unwrap_or_default()
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
    /// The scan for terms that no index knows, once there are some.
    pub(crate) scan: Option<Scan>,
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
    /// The scan for terms that no index knows, once there are some.
    pub(crate) scan: Option<Scan>,
}

/// Dead letters.
#[derive(Debug, Default)]
pub(crate) struct DeadDesk {
    /// The groups, as they are gathered.
    pub(crate) groups: Window<LetterGroupRow>,
    /// The groups of one error, as they were last read.
    pub(crate) read: Vec<LetterGroupRow>,
    /// How they are gathered.
    pub(crate) by: GroupBy,
    /// What each row stands for; empty while they are groups of one error.
    pub(crate) bundles: BTreeMap<String, Bundle>,
    /// The letters of the group that `letters_of` names.
    pub(crate) letters: Window<LetterRow>,
    /// Whose letters they are.
    pub(crate) letters_of: Option<String>,
    /// The filter line.
    pub(crate) filter: Filter,
    /// The filter as the desk takes it.
    pub(crate) wanted: LetterFilter,
}

impl DeadDesk {
    /// The name of a group.
    pub(crate) fn label(&self, key: &str) -> String {
        match self.bundles.get(key) {
            Some(bundle) => bundle.short().to_owned(),
            None => words::group_label(key),
        }
    }

    /// The filter of the letters of the group under the cursor.
    pub(crate) fn letters_filter(&self) -> Option<LetterFilter> {
        let key = self.letters_of.clone()?;
        if self.by == GroupBy::Error {
            return Some(LetterFilter {
                fingerprint: Some(key),
                ..self.wanted.clone()
            });
        }
        let bundle = self.bundles.get(&key)?;
        Some(bundle.letters(&self.wanted))
    }
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
    /// What became of its attempts lately, once it was read.
    pub(crate) view: Option<AgentView>,
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

/// What was committed lately, newest first.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    /// The items.
    pub(crate) rows: VecDeque<FeedRow>,
    /// Whether new ones are shown; when not, the count that came since.
    pub(crate) missed: Option<u64>,
    /// How many came in the last seconds, newest first.
    pub(crate) seconds: VecDeque<(i64, u64)>,
    /// The second in which items were last left out.
    pub(crate) left_out: Option<i64>,
}

impl Tail {
    /// Takes new items, oldest first.
    pub(crate) fn push(&mut self, page: FeedPage, now_seconds: i64) {
        let count = page.count();
        match self.seconds.front_mut() {
            Some((second, sum)) if *second == now_seconds => *sum += count,
            _ => self.seconds.push_front((now_seconds, count)),
        }
        self.seconds.truncate(11);
        if page.skipped > 0 {
            self.left_out = Some(now_seconds);
        }
        if let Some(missed) = &mut self.missed {
            *missed += count;
            return;
        }
        for row in page.rows {
            self.rows.push_front(row);
        }
        self.rows.truncate(TAIL_MAX);
    }

    /// True when more came in the last ten seconds than are kept.
    pub(crate) fn is_thinned(&self, now_seconds: i64) -> bool {
        self.left_out
            .is_some_and(|second| now_seconds.saturating_sub(second) <= 10)
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
