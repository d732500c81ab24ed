//! The intent that is open: what is known of it, where the operator stands in it, as of when.

use std::collections::BTreeSet;

use crate::console::as_of;
use crate::console::story::{self, Line};
use crate::console::widgets::json::Tree;
use crate::console::widgets::waterfall::Axis;
use crate::desk::rows::{AttemptRow, EventRow, IntentRow, IntentView};
use crate::domain::ids::IntentId;
use crate::domain::time::Timestamp;

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

/// The intent as it was right after one of its facts.
#[derive(Debug)]
pub(crate) struct AsOf {
    /// That fact.
    pub(crate) seq: u32,
    /// When it happened.
    pub(crate) at: Timestamp,
    /// What was known then.
    pub(crate) view: IntentView,
}

/// The intent that is open.
#[derive(Debug, Default)]
pub(crate) struct Detail {
    /// Which.
    pub(crate) id: Option<IntentId>,
    /// What is known of it now.
    pub(crate) intent: Option<IntentView>,
    /// Why it could not be read.
    pub(crate) error: Option<String>,
    /// The intent as of an earlier fact, while the operator looks back.
    pub(crate) as_of: Option<AsOf>,
    /// The sheet that has the focus.
    pub(crate) sheet: Sheet,
    /// The fact under the cursor, by its number; the last one when none was chosen.
    pub(crate) event: Option<u32>,
    /// Runs of alike attempts that are unfolded, by the number of their first fact.
    pub(crate) unfolded: BTreeSet<u32>,
    /// The attempt under the cursor, by its number; the last one when none was chosen.
    pub(crate) attempt: Option<u32>,
    /// The line under the cursor of the payload, the lineage, headers or the raw text.
    pub(crate) line: usize,
    /// The payload as a tree.
    pub(crate) tree: Option<Tree>,
    /// What was last searched for in it.
    pub(crate) search: String,
    /// How the waterfall lays time out.
    pub(crate) axis: Axis,
    /// Everything of the same origin or correlation, once it was read.
    pub(crate) family: Option<Vec<IntentRow>>,
}

/// A relative in the lineage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Relative {
    /// How deep below the first ancestor.
    pub(crate) depth: usize,
    /// `origin`, `replay`, `step`, `this intent`, `same correlation`.
    pub(crate) what: &'static str,
    /// Which.
    pub(crate) id: IntentId,
    /// What is known of it.
    pub(crate) row: Option<IntentRow>,
}

impl Detail {
    /// Nothing known yet.
    pub(crate) fn of(id: IntentId) -> Self {
        Self {
            id: Some(id),
            ..Self::default()
        }
    }

    /// Takes what was read; folds stay when the payload is the same, and so does the as-of time.
    pub(crate) fn take(&mut self, intent: IntentView) {
        let before = self.intent.as_ref().map(|before| before.payload.as_str());
        if before != Some(intent.payload.as_str()) || self.tree.is_none() {
            self.tree = Some(Tree::new(&intent.payload.to_value()));
        }
        self.error = None;
        self.intent = Some(intent);
        if let Some(as_of) = &self.as_of {
            self.look_back(as_of.seq);
        }
    }

    /// The intent as it is now, for whatever is to be done with it.
    pub(crate) fn now(&self) -> Result<&IntentView, String> {
        let intent = self.intent.as_ref();
        intent.ok_or_else(|| "the intent is still being read".to_owned())
    }

    /// What the panes show: the intent now, or as of the fact that was chosen.
    pub(crate) fn shown(&self) -> Option<&IntentView> {
        self.as_of
            .as_ref()
            .map(|as_of| &as_of.view)
            .or(self.intent.as_ref())
    }

    /// The instant that what is shown belongs to.
    pub(crate) fn shown_at(&self, now: Timestamp) -> Timestamp {
        self.as_of.as_ref().map_or(now, |as_of| as_of.at)
    }

    /// Shows the intent as of one of its facts; as of the last one is now.
    fn look_back(&mut self, seq: u32) {
        let Some(intent) = &self.intent else {
            return;
        };
        let found = intent.events.iter().find(|event| event.seq == seq);
        let is_last = intent.events.last().is_none_or(|last| last.seq <= seq);
        self.as_of = found.filter(|_| !is_last).map(|event| AsOf {
            seq,
            at: event.at,
            view: as_of::view(intent, event),
        });
    }

    /// One fact back or forth in time. False at either end.
    pub(crate) fn scrub(&mut self, is_back: bool) -> bool {
        let Some(intent) = &self.intent else {
            return false;
        };
        let events = &intent.events;
        let last = events.len().saturating_sub(1);
        let here = self.as_of.as_ref().map_or(last, |as_of| {
            let place = events.iter().position(|event| event.seq == as_of.seq);
            place.unwrap_or(last)
        });
        let next = if is_back {
            here.checked_sub(1)
        } else {
            Some(here + 1).filter(|next| *next <= last)
        };
        let Some(seq) = next.and_then(|next| events.get(next)).map(|one| one.seq) else {
            return false;
        };
        self.event = Some(seq);
        self.look_back(seq);
        true
    }

    /// The lines of the timeline, alike attempts folded.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let events = self.intent.as_ref().map(|intent| intent.events.as_slice());
        story::lines(events.unwrap_or_default(), &self.unfolded)
    }

    /// The line of the timeline under the cursor.
    pub(crate) fn line_index(&self, lines: &[Line]) -> usize {
        let last = lines.len().saturating_sub(1);
        let Some(intent) = &self.intent else {
            return 0;
        };
        let place = self
            .event
            .and_then(|seq| intent.events.iter().position(|event| event.seq == seq));
        place
            .and_then(|place| lines.iter().position(|line| line.holds(place)))
            .unwrap_or(last)
    }

    /// The fact under the cursor.
    pub(crate) fn event_row(&self) -> Option<&EventRow> {
        let events = &self.intent.as_ref()?.events;
        self.event
            .and_then(|seq| events.iter().find(|event| event.seq == seq))
            .or_else(|| events.last())
    }

    /// The place of the attempt under the cursor.
    pub(crate) fn attempt_index(&self) -> usize {
        let Some(intent) = self.shown() else {
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
        self.shown()?.attempts.get(self.attempt_index())
    }

    /// The relatives that can be jumped to, each below what it came from.
    pub(crate) fn relatives(&self) -> Vec<Relative> {
        let Some(intent) = &self.intent else {
            return Vec::new();
        };
        let family = self.family.as_deref().unwrap_or_default();
        story::lineage(intent, family)
    }
}
