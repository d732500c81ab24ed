//! Approval: may it happen?

use super::{Brief, Kind, verb_of};

/// An approval.
#[derive(Debug)]
pub(super) struct Approval;

impl Kind for Approval {
    fn question(&self, brief: &Brief<'_>, outcome: &str) -> String {
        format!("{} {}?", verb_of(outcome), brief.task.intent.short())
    }
}
