//! Dead letters regrouped: groups of one error gathered by agent, by type, by code or by hour of death.
//!
//! 1. Gathering loses no letter and counts none twice: each way of it shares out the same groups.
//! 2. What a gathered group stands for can be asked of the desk, and be given to a job, in the desk's own terms;
//!    where these cannot tell it from its neighbours it says so.

use std::collections::BTreeMap;

use crate::console::format;
use crate::desk::rows::LetterGroupRow;
use crate::domain::address::Address;
use crate::domain::failure::{DeadReason, ErrorClass};
use crate::domain::group::GroupState;
use crate::domain::job::Selection;
use crate::domain::time::{Span, Timestamp};
use crate::store::query::LetterFilter;

/// Hours of which the deaths are known one by one.
const HOURS: i64 = 24;

/// What makes letters one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum GroupBy {
    /// The broker's fingerprint: agent, type, class and message.
    #[default]
    Error,
    /// The receiver.
    Agent,
    /// The type.
    Type,
    /// The HTTP status, else the class of the failure.
    Code,
    /// When they died.
    Hour,
}

impl GroupBy {
    /// Every one, the usual first.
    pub(crate) const ALL: [Self; 5] =
        [Self::Error, Self::Agent, Self::Type, Self::Code, Self::Hour];

    /// The word for it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Agent => "agent",
            Self::Type => "type",
            Self::Code => "code",
            Self::Hour => "hour",
        }
    }

    /// What is gathered.
    pub(crate) const fn sentence(self) -> &'static str {
        match self {
            Self::Error => "Group letters that failed alike: agent, type and message",
            Self::Agent => "Group letters by their agent",
            Self::Type => "Group letters by their type",
            Self::Code => "Group letters by HTTP status or class of failure",
            Self::Hour => "Group letters by the hour of their death, the newest first",
        }
    }
}

/// What a gathered group stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Share {
    Agent(Address),
    Type(String),
    Code {
        status: Option<u16>,
        class: Option<ErrorClass>,
        reason: DeadReason,
    },
    Hour {
        since: Option<Timestamp>,
        until: Option<Timestamp>,
    },
}

/// A gathered group, beside its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bundle {
    share: Share,
    /// Its name in the list.
    pub(crate) label: String,
    /// Groups of one error in it.
    pub(crate) errors: usize,
    /// Receivers in it.
    pub(crate) agents: usize,
    /// What was said of all of them, when it is the same.
    pub(crate) state: Option<GroupState>,
    /// Whether the desk's terms select exactly its letters.
    is_exact: bool,
}

/// Rows, and what each of them stands for.
pub(crate) type Gathered = (Vec<LetterGroupRow>, BTreeMap<String, Bundle>);

/// Gathers groups of one error.
pub(crate) fn gather(groups: &[LetterGroupRow], by: GroupBy, now: Timestamp) -> Gathered {
    let mut rows: Vec<LetterGroupRow> = Vec::new();
    let mut bundles: BTreeMap<String, Bundle> = BTreeMap::new();
    let mut agents: BTreeMap<String, Vec<&Address>> = BTreeMap::new();
    for group in groups {
        for (key, label, share, part) in parts(group, by, now) {
            let seen = agents.entry(key.clone()).or_default();
            if !seen.contains(&&group.to) {
                seen.push(&group.to);
            }
            let count = seen.len();
            if let Some(bundle) = bundles.get_mut(&key) {
                bundle.errors += 1;
                bundle.agents = count;
                bundle.state = bundle.state.filter(|state| *state == part.state);
                if let Some(row) = rows.iter_mut().find(|row| row.fingerprint == key) {
                    join(row, &part);
                }
                continue;
            }
            bundles.insert(
                key.clone(),
                Bundle {
                    is_exact: is_exact(&share, groups),
                    share,
                    label,
                    errors: 1,
                    agents: 1,
                    state: Some(part.state),
                },
            );
            rows.push(LetterGroupRow {
                fingerprint: key,
                ..part
            });
        }
    }
    (rows, bundles)
}

/// What one group of an error gives: the key and name of where it goes, and the row of its part.
fn parts(
    group: &LetterGroupRow,
    by: GroupBy,
    now: Timestamp,
) -> Vec<(String, String, Share, LetterGroupRow)> {
    let whole = |label: String, share: Share| {
        let key = format!("{}:{label}", by.word());
        vec![(key, label, share, group.clone())]
    };
    match by {
        GroupBy::Error => Vec::new(),
        GroupBy::Agent => whole(group.to.key().to_owned(), Share::Agent(group.to.clone())),
        GroupBy::Type => whole(
            group.intent_type.clone(),
            Share::Type(group.intent_type.clone()),
        ),
        GroupBy::Code => {
            let code = Share::Code {
                status: group.http_status,
                class: group.error_class,
                reason: group.reason,
            };
            whole(code_of(group), code)
        }
        GroupBy::Hour => hours(group, now),
    }
}

fn code_of(group: &LetterGroupRow) -> String {
    match (group.http_status, group.error_class) {
        (Some(status), _) => status.to_string(),
        (None, Some(class)) => class.name().to_owned(),
        (None, None) => group.reason.name().to_owned(),
    }
}

/// One part for each of the last hours in which letters of it died, and one for all before.
fn hours(group: &LetterGroupRow, now: Timestamp) -> Vec<(String, String, Share, LetterGroupRow)> {
    let ago = |hours: i64| now.before(Span::from_seconds(hours * 3_600));
    let mut rest = group.count;
    let mut parts = Vec::new();
    let newest_first = group.hourly.iter().rev().zip(0_i64..HOURS);
    for (deaths, hour) in newest_first.filter(|(deaths, _)| **deaths > 0) {
        rest = rest.saturating_sub(u64::from(*deaths));
        let (since, until) = (ago(hour + 1), ago(hour));
        let share = Share::Hour {
            since: Some(since),
            until: (hour > 0).then_some(until),
        };
        let part = LetterGroupRow {
            count: u64::from(*deaths),
            first_at: group.first_at.max(since),
            last_at: group.last_at.min(until),
            hourly: Vec::new(),
            newest: if hour == 0 {
                group.newest.clone()
            } else {
                Vec::new()
            },
            ..group.clone()
        };
        let label = if hour == 0 {
            "last hour".to_owned()
        } else {
            format!("{hour}h ago")
        };
        parts.push((format!("hour:{hour:02}"), label, share, part));
    }
    if rest > 0 {
        let until = ago(HOURS);
        let part = LetterGroupRow {
            count: rest,
            last_at: group.last_at.min(until),
            hourly: Vec::new(),
            newest: Vec::new(),
            ..group.clone()
        };
        let share = Share::Hour {
            since: None,
            until: Some(until),
        };
        parts.push(("hour:24".to_owned(), "before".to_owned(), share, part));
    }
    parts
}

/// Adds a part to a row; the largest gives the sample, and it comes first.
fn join(row: &mut LetterGroupRow, part: &LetterGroupRow) {
    row.count = row.count.saturating_add(part.count);
    row.first_at = row.first_at.min(part.first_at);
    row.last_at = row.last_at.max(part.last_at);
    for (sum, deaths) in row.hourly.iter_mut().zip(&part.hourly) {
        *sum = sum.saturating_add(*deaths);
    }
    if row.owner != part.owner {
        row.owner = None;
    }
}

/// The desk knows the class of a failure and not its status: it can tell a status from others of its class
/// only where there are none.
fn is_exact(share: &Share, groups: &[LetterGroupRow]) -> bool {
    match share {
        Share::Code {
            status,
            class,
            reason,
        } => groups.iter().all(|group| {
            let is_near = match class {
                Some(_) => group.error_class == *class,
                None => group.reason == *reason,
            };
            !is_near || (group.http_status == *status && group.error_class == *class)
        }),
        Share::Agent(_) | Share::Type(_) | Share::Hour { .. } => true,
    }
}

impl Bundle {
    /// The filter of its letters, among those of another filter.
    pub(crate) fn letters(&self, among: &LetterFilter) -> LetterFilter {
        let mut filter = among.clone();
        match &self.share {
            Share::Agent(agent) => filter.agent = Some(agent.clone()),
            Share::Type(name) => filter.intent_type = Some(name.clone()),
            Share::Code {
                class: Some(class), ..
            } => filter.error_class = Some(*class),
            Share::Code {
                class: None,
                reason,
                ..
            } => filter.reason = Some(*reason),
            Share::Hour { since, until } => {
                filter.since = (*since).max(filter.since);
                filter.until = match (*until, filter.until) {
                    (Some(one), Some(other)) => Some(one.min(other)),
                    (one, other) => one.or(other),
                };
            }
        }
        filter
    }

    /// Whether its filter lets letters of other groups through.
    pub(crate) const fn is_wide(&self) -> bool {
        !self.is_exact
    }

    /// Whether a letter of that status is one of its own.
    pub(crate) fn takes(&self, letter: Option<u16>) -> bool {
        match &self.share {
            Share::Code { status, .. } => *status == letter,
            Share::Agent(_) | Share::Type(_) | Share::Hour { .. } => true,
        }
    }

    /// Its letters for a job.
    ///
    /// # Errors
    /// Why a job cannot be told which they are.
    pub(crate) fn selection(&self, among: &LetterFilter) -> Result<Selection, String> {
        if !self.is_exact {
            return Err(format!(
                "a job knows the class of a failure, and others are of the class of {}: mark the letters",
                self.label
            ));
        }
        let filter = self.letters(among);
        Ok(Selection {
            agent: filter.agent,
            intent_type: filter.intent_type,
            reason: filter.reason,
            error_class: filter.error_class,
            since: filter.since,
            until: filter.until,
            ..Selection::default()
        })
    }

    /// Its name where there is little room.
    pub(crate) fn short(&self) -> &str {
        match &self.share {
            Share::Agent(agent) => agent.name(),
            Share::Type(_) | Share::Code { .. } | Share::Hour { .. } => &self.label,
        }
    }

    /// What it holds, in a sentence.
    pub(crate) fn about(&self, now: Timestamp) -> String {
        match &self.share {
            Share::Agent(agent) => format!("every open letter to {agent}"),
            Share::Type(name) => format!("every open letter of type {name}"),
            Share::Code { .. } => format!("every open letter that failed with {}", self.label),
            Share::Hour { since, until } => {
                let moment = |at: &Timestamp| format::moment_to_the_minute(*at, now);
                match (since, until) {
                    (Some(since), Some(until)) => {
                        format!(
                            "letters that died from {} to {}",
                            moment(since),
                            moment(until)
                        )
                    }
                    (Some(since), None) => format!("letters that died since {}", moment(since)),
                    (None, Some(until)) => format!("letters that died before {}", moment(until)),
                    (None, None) => "every open letter".to_owned(),
                }
            }
        }
    }
}
