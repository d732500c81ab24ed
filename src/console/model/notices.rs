//! What the operator is told of without having asked, and when the terminal may be rung for it.

use std::collections::BTreeSet;

use crate::clock::Mono;
use crate::domain::ids::{IntentId, JobId};

/// What was known when it was last looked, so that only what is new is told.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    /// Tasks that are with this console's operator.
    pub(crate) mine: Option<BTreeSet<IntentId>>,
    /// Tasks that the operator takes by an act of this console.
    pub(crate) taken: BTreeSet<IntentId>,
    /// Tasks past their first reminder.
    pub(crate) overdue: Option<BTreeSet<IntentId>>,
    /// Jobs that have paused themselves.
    pub(crate) paused: BTreeSet<JobId>,
    /// Whether more letters die than the limit says; none until it is known.
    pub(crate) is_over: Option<bool>,
    /// Whether the terminal has said that it lost the focus.
    pub(crate) is_away: bool,
    /// When it was last rung.
    pub(crate) rung_at: Option<Mono>,
    /// What has not been rung for, and how much more there was before it.
    pub(crate) waiting: Option<(String, usize)>,
}
