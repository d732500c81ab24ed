//! What the console remembers from one run to the next: desk, filters, orders, views, drafts, theme.
//!
//! One JSON file with a version, readable by its owner only, and safe to delete: what cannot be read
//! is as if it were not there. Foreign text in it is only ever put back where it was typed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::action::place::Place;
use super::model::Model;
use super::model::columns::Chosen;
use super::model::desks::{Lane, Order};
use super::model::strip::Draft;
use super::update;
use crate::domain::ids::IntentId;

/// The version of the file. Another one is not read.
const VERSION: u32 = 2;
/// Drafts that are kept at most.
const DRAFTS_MAX: usize = 100;

/// A filter under a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SavedView {
    /// Its name.
    pub(crate) name: String,
    /// Its desk, as `--desk` takes it.
    pub(crate) desk: String,
    /// The filter line.
    pub(crate) filter: String,
}

/// The options of a replay under a name, as they are typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Preset {
    /// Its name.
    pub(crate) name: String,
    /// Intents a second.
    pub(crate) rate: String,
    /// Most unfinished replays at once.
    pub(crate) in_flight: String,
    /// `oldest`, `newest`.
    pub(crate) order: String,
    /// So many first.
    pub(crate) canary: String,
    /// Pauses when so many have died again.
    pub(crate) stop: String,
}

/// Everything that is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Memory {
    version: u32,
    desk: String,
    theme: String,
    filters: BTreeMap<String, String>,
    orders: BTreeMap<String, (usize, bool)>,
    columns: BTreeMap<String, BTreeMap<String, bool>>,
    lane: String,
    drafts: BTreeMap<String, Draft>,
    views: Vec<SavedView>,
    presets: Vec<Preset>,
}

/// What there is to remember.
pub(crate) fn of(model: &Model) -> Memory {
    let filters = Place::ALL.into_iter().filter_map(|place| {
        let filter = update::filter_of(model, place)?;
        (!filter.is_empty()).then(|| (place.word().to_owned(), filter.text.clone()))
    });
    // Filters that wait for the broker's first answer are not forgotten meanwhile.
    let waiting = model.waiting_filters.iter();
    let waiting = waiting.map(|(place, text)| (place.word().to_owned(), text.clone()));
    let orders = model.orders.iter();
    let drafts = model.drafts.iter().take(DRAFTS_MAX);
    Memory {
        version: VERSION,
        desk: model.view.place.word().to_owned(),
        theme: model.theme.clone(),
        filters: filters.chain(waiting).collect(),
        orders: orders
            .map(|(place, order)| (place.word().to_owned(), (order.by, order.is_reversed)))
            .collect(),
        columns: model.columns.words(),
        lane: model.inbox.lane.word().to_owned(),
        drafts: drafts
            .map(|(intent, draft)| (intent.to_string(), draft.clone()))
            .collect(),
        views: model.views.clone(),
        presets: model.presets.clone(),
    }
}

/// Drafts of another console on the same file stay in it, also for a task for which this one had words of its own.
/// What this one had in it and has no more is gone.
pub(crate) fn beside(mut ours: Memory, before: &Memory, there: Option<Memory>) -> Memory {
    let others = there.map(|there| there.drafts).unwrap_or_default();
    for (intent, draft) in others {
        if before.drafts.get(&intent) != Some(&draft) && ours.drafts.len() < DRAFTS_MAX {
            ours.drafts.entry(intent).or_insert(draft);
        }
    }
    ours
}

/// Whether every draft of ours is in the file; another console may have written its own over one.
pub(crate) fn has_drafts(there: &Memory, ours: &Memory) -> bool {
    let mut drafts = ours.drafts.iter();
    drafts.all(|(intent, draft)| there.drafts.get(intent) == Some(draft))
}

/// The text of the file.
pub(crate) fn to_text(memory: &Memory) -> String {
    let mut text = serde_json::to_string_pretty(memory).unwrap_or_default();
    text.push('\n');
    text
}

/// What a file says; nothing for one that makes no sense or is of another version.
pub(crate) fn read(text: &str) -> Option<Memory> {
    let memory: Memory = serde_json::from_str(text).ok()?;
    (memory.version == VERSION).then_some(memory)
}

/// What is only taken when the operator did not say otherwise on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The desk to begin on.
    pub(crate) desk: bool,
    /// The theme.
    pub(crate) theme: bool,
}

/// Puts back what is remembered. Filters wait for the broker, whose names complete them.
pub(crate) fn restore(model: &mut Model, memory: Memory, wanted: Wanted) {
    let Memory {
        version: _,
        desk,
        theme,
        filters,
        orders,
        columns,
        lane,
        drafts,
        views,
        presets,
    } = memory;
    if let (true, Some(place)) = (wanted.desk, Place::named(&desk)) {
        model.view.place = place;
    }
    if wanted.theme && model.settings.themes.contains(&theme) {
        model.theme = theme;
    }
    let placed = |name: &str| Place::named(name);
    model.waiting_filters = filters
        .into_iter()
        .filter_map(|(name, text)| Some((placed(&name)?, text)))
        .collect();
    model.orders = orders
        .into_iter()
        .filter_map(|(name, (by, is_reversed))| Some((placed(&name)?, Order { by, is_reversed })))
        .collect();
    model.drafts = drafts
        .into_iter()
        .filter_map(|(id, draft)| Some((id.parse::<IntentId>().ok()?, draft)))
        .collect();
    model.columns = Chosen::of_words(columns);
    model.inbox.lane = Lane::named(&lane);
    model.views = views;
    model.presets = presets;
}
