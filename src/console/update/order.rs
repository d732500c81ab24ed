//! The panel that orders a job: scope, dry run, options, presets, the count.

use crate::console::action::Action;
use crate::console::format;
use crate::console::memory::Preset;
use crate::console::model::overlay::Overlay;
use crate::console::model::panel::{Ask, Deed, Focus, Panel, Rule};
use crate::console::model::reads::Slot;
use crate::console::model::{Model, Weight};
use crate::desk::rows::jobs::JobPlan;
use crate::domain::address::{Address, Home};
use crate::domain::job::{JobKind, JobOrder, NewJob, Pace, ReplayTerms, Selection};
use crate::domain::time::Span;

use super::panels::{ask_count, fact, panel};

/// Most intents of one job, as the broker takes them.
const SELECTED_MAX: u32 = 100_000;
/// Letters that are named one by one and put aside with a hold; more are a job.
const HELD_MAX: usize = 100;
/// Presets that are kept at most, beside those that are there from the start.
const PRESETS_MAX: usize = 20;

/// Which intents a job may be about: what stands beside the choice, and the selection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scope {
    /// `all 1,247 matching`.
    pub(super) words: String,
    /// Those.
    pub(super) selection: Selection,
}

/// The presets that are there from the start.
fn built_in() -> [Preset; 3] {
    let preset = |name: &str, [rate, in_flight, canary, stop]: [&str; 4]| Preset {
        name: name.to_owned(),
        rate: rate.to_owned(),
        in_flight: in_flight.to_owned(),
        order: JobOrder::Oldest.name().to_owned(),
        canary: canary.to_owned(),
        stop: stop.to_owned(),
    };
    [
        preset("slow", ["1", "5", "5", "5"]),
        preset("night", ["5", "50", "20", "20"]),
        preset("one-by-one", ["1", "1", "1", "1"]),
    ]
}

/// Every preset that can be chosen.
fn presets(model: &Model) -> Vec<Preset> {
    let own = model.presets.iter().cloned();
    built_in().into_iter().chain(own).collect()
}

/// The panel that orders a job over one of `scopes`. The dry run is asked for as it opens.
pub(super) fn open(kind: JobKind, scopes: Vec<Scope>, model: &Model) -> Panel {
    let (title, button) = match kind {
        JobKind::Replay => ("Replay", "Start replay"),
        JobKind::Discard => ("Discard", "Start discard"),
        JobKind::Cancel => ("Cancel", "Start cancel"),
    };
    let words: Vec<String> = scopes.iter().map(|scope| scope.words.clone()).collect();
    let selections: Vec<Selection> = scopes.into_iter().map(|scope| scope.selection).collect();
    let mut job = NewJob::new(kind, selections.first().cloned().unwrap_or_default());
    job.limit = SELECTED_MAX;
    let deed = Deed::Order(Box::new(job), None);
    let mut panel = panel(model, deed, title.to_owned(), button);
    let why = std::mem::take(&mut panel.asks);
    panel.scopes = selections;
    panel.asks = vec![Ask::choice("scope", words)];
    panel.asks.extend(why);
    if kind == JobKind::Replay {
        let names = presets(model).into_iter().map(|preset| preset.name);
        let names = std::iter::once("usual".to_owned()).chain(names).collect();
        panel.asks.push(Ask::choice("preset", names));
    }
    panel.asks.extend(options(kind));
    panel.focus = Focus::Ask(0);
    panel.facts = vec![fact("dry run", "being counted")];
    panel
}

fn options(kind: JobKind) -> Vec<Ask> {
    let orders = [JobOrder::Oldest, JobOrder::Newest];
    let orders = orders.map(|order| order.name().to_owned()).to_vec();
    let usual = Pace::default();
    let rate = Ask::number("rate", "10", 0.1, 1_000.0).on('r');
    let order = Ask::choice("order", orders).on('o');
    if kind != JobKind::Replay {
        return vec![rate, order];
    }
    let yes_no = vec!["no".to_owned(), "yes".to_owned()];
    vec![
        rate,
        Ask::number("in flight", &usual.in_flight_max.to_string(), 1.0, 10_000.0).on('c'),
        order,
        Ask::number("canary", "5", 0.0, 1_000.0).on('n'),
        Ask::number(
            "stop",
            &usual.stop_after_failures.to_string(),
            0.0,
            100_000.0,
        )
        .on('s'),
        Ask::new("attempts", Rule::Usual(1.0, 20.0)).on('a'),
        Ask::choice("force", yes_no).on('f'),
        Ask::new("to", Rule::Optional).on('t'),
    ]
}

/// The order whose dry run is not known yet.
pub(super) fn awaited(model: &Model) -> Option<&NewJob> {
    match &model.overlay {
        Some(Overlay::Panel(Panel {
            deed: Deed::Order(job, None),
            ..
        })) => Some(job),
        _ => None,
    }
}

/// `- r` and its kin: the focus goes to that option; a choice goes on by one.
pub(super) fn set_option(model: &mut Model, action: Action) {
    let letter = match action {
        Action::PanelRate => 'r',
        Action::PanelInFlight => 'c',
        Action::PanelOrder => 'o',
        Action::PanelCanary => 'n',
        Action::PanelStop => 's',
        Action::PanelAttempts => 'a',
        Action::PanelTo => 't',
        _ => 'f',
    };
    let Some(Overlay::Panel(panel)) = &mut model.overlay else {
        return;
    };
    let place = panel.asks.iter().position(|ask| ask.letter == Some(letter));
    let Some(place) = place else {
        return model.say(Weight::Info, "this panel has no such option");
    };
    panel.focus = Focus::Ask(place);
    panel.problem = None;
    choose(model);
}

/// Space on a choice: the next one. What the dry run depends on is counted anew.
pub(super) fn choose(model: &mut Model) {
    let presets = presets(model);
    let Some(Overlay::Panel(panel)) = &mut model.overlay else {
        return;
    };
    let Some(name) = panel.choose_next() else {
        return;
    };
    if name == "preset" {
        let chosen = panel.text("preset");
        let preset = presets.into_iter().find(|preset| preset.name == chosen);
        fill(panel, preset.as_ref());
    }
    if recount(panel) {
        model.reads.hurry(Slot::Plan);
    }
}

/// What is dry-run follows the choices of scope and force. True when they changed it.
fn recount(panel: &mut Panel) -> bool {
    let scope = panel.chosen("scope").unwrap_or(0);
    let is_forced = panel.text("force") == "yes";
    let selection = panel.scopes.get(scope).cloned();
    let Deed::Order(job, planned) = &mut panel.deed else {
        return false;
    };
    let selection = selection.unwrap_or_else(|| job.selection.clone());
    if job.selection == selection && job.terms.is_forced == is_forced {
        return false;
    }
    job.selection = selection;
    job.terms.is_forced = is_forced;
    job.limit = SELECTED_MAX;
    *planned = None;
    if let Some(place) = panel.asks.iter().position(|ask| ask.name == "count") {
        panel.asks.remove(place);
        if let Focus::Ask(here) = panel.focus
            && here > place
        {
            panel.focus = Focus::Ask(here - 1);
        }
    }
    panel.facts = vec![fact("dry run", "being counted")];
    true
}

/// Puts a preset into the options; none is the usual.
fn fill(panel: &mut Panel, preset: Option<&Preset>) {
    let usual = Pace::default();
    let (in_flight, stop) = (
        usual.in_flight_max.to_string(),
        usual.stop_after_failures.to_string(),
    );
    let values = match preset {
        Some(preset) => [
            ("rate", preset.rate.as_str()),
            ("in flight", &preset.in_flight),
            ("canary", &preset.canary),
            ("stop", &preset.stop),
            ("order", &preset.order),
        ],
        None => [
            ("rate", "10"),
            ("in flight", &in_flight),
            ("canary", "5"),
            ("stop", &stop),
            ("order", JobOrder::Oldest.name()),
        ],
    };
    for (name, value) in values {
        if let Some(ask) = panel.asks.iter_mut().find(|ask| ask.name == name) {
            ask.set(value);
        }
    }
}

/// Ctrl-S: keeps the options as a preset of one's own.
pub(super) fn save_preset(model: &mut Model) {
    let number = model.presets.len() + 1;
    let Some(Overlay::Panel(panel)) = &mut model.overlay else {
        return;
    };
    if !panel.asks.iter().any(|ask| ask.name == "preset") {
        return model.say(Weight::Info, "presets are for replays");
    }
    if number > PRESETS_MAX {
        return model.say(
            Weight::Warn,
            format!("there are {PRESETS_MAX} presets already"),
        );
    }
    let name = format!("own {number}");
    let preset = Preset {
        name: name.clone(),
        rate: panel.text("rate"),
        in_flight: panel.text("in flight"),
        order: panel.text("order"),
        canary: panel.text("canary"),
        stop: panel.text("stop"),
    };
    if let Some(ask) = panel.asks.iter_mut().find(|ask| ask.name == "preset") {
        ask.offer(&name);
    }
    model.presets.push(preset);
    model.say(
        Weight::Info,
        format!("kept as preset {name:?} of this console"),
    );
}

/// `- v`: every reason for leaving some out, or the options again.
pub(super) fn list_skipped(model: &mut Model) {
    if let Some(Overlay::Panel(panel)) = &mut model.overlay {
        panel.is_listing = !panel.is_listing;
    }
}

/// The dry run has answered.
pub(super) fn take_plan(model: &mut Model, asked: &NewJob, plan: &JobPlan) {
    let is_protected = model.is_protected();
    let head = model.feed_head;
    let Some(Overlay::Panel(panel)) = &mut model.overlay else {
        return;
    };
    let Deed::Order(job, planned) = &mut panel.deed else {
        return;
    };
    if **job != *asked {
        return;
    }
    *planned = Some(plan.selected);
    job.limit = u32::try_from(plan.selected).unwrap_or(u32::MAX).max(1);
    let left_out: u64 = plan.skipped.iter().map(|(_, count)| *count).sum();
    let skipped: Vec<String> = plan
        .skipped
        .iter()
        .map(|(reason, count)| format!("{} {}", format::count(*count), reason.replace('_', " ")))
        .collect();
    let eligible = format::count(plan.selected);
    panel.facts = match left_out {
        0 => vec![fact(
            "dry run",
            format!("{eligible} eligible, none skipped"),
        )],
        _ => vec![
            fact(
                "dry run",
                format!(
                    "{eligible} eligible, {} skipped   -v lists",
                    format::count(left_out)
                ),
            ),
            fact("", skipped.join(" · ")),
        ],
    };
    panel.skipped.clone_from(&plan.skipped);
    panel.planned_at = head;
    let count = usize::try_from(plan.selected).unwrap_or(usize::MAX);
    ask_count(panel, count, is_protected);
}

/// Why there is no dry run.
pub(super) fn plan_failed(model: &mut Model, asked: &NewJob, error: &str) {
    if let Some(Overlay::Panel(panel)) = &mut model.overlay
        && matches!(&panel.deed, Deed::Order(job, _) if **job == *asked)
    {
        panel.facts = vec![fact("dry run", error)];
        panel.problem = Some(error.to_owned());
    }
}

/// Whether an order may be given.
///
/// # Errors
/// What it waits for, or why it would be in vain.
pub(super) fn check(panel: &Panel, home: &Home) -> Result<(), String> {
    match &panel.deed {
        Deed::Order(_, None) => return Err("the dry run has not answered yet".to_owned()),
        Deed::Order(_, Some(0)) => return Err("nothing is eligible; Esc leaves".to_owned()),
        _ => {}
    }
    match panel.text("to").as_str() {
        "" => Ok(()),
        to if matches!(panel.deed, Deed::Order(..)) => Address::parse(to, home)
            .map(drop)
            .map_err(|error| format!("to: {error}")),
        _ => Ok(()),
    }
}

/// The deed with what was typed into the panel's fields.
pub(super) fn with_options(panel: &Panel, home: &Home) -> Deed {
    let Deed::Order(job, planned) = &panel.deed else {
        return panel.deed.clone();
    };
    let mut job = job.clone();
    job.reason = Some(panel.reason_text());
    let whole = |name: &str, otherwise: u32| panel.text(name).parse().unwrap_or(otherwise);
    let usual = Pace::default();
    job.order = JobOrder::from_name(&panel.text("order")).unwrap_or_default();
    job.pace = Pace {
        per_1000_seconds: per_1000_seconds(&panel.text("rate")).unwrap_or(usual.per_1000_seconds),
        in_flight_max: whole("in flight", usual.in_flight_max),
        canary: whole("canary", usual.canary),
        stop_after_failures: whole("stop", usual.stop_after_failures),
    };
    job.to = Address::parse(&panel.text("to"), home).ok();
    job.terms = ReplayTerms {
        max_attempts: panel.text("attempts").parse().ok(),
        is_forced: job.terms.is_forced,
    };
    Deed::Order(job, *planned)
}

/// Whether the order is carried out as held acts instead of a job: it can be taken back then.
pub(crate) fn is_held(job: &NewJob) -> bool {
    let named = job.selection.intents.len();
    job.kind == JobKind::Discard && (1..=HELD_MAX).contains(&named)
}

/// How long the job takes at the pace that is typed.
pub(crate) fn eta(panel: &Panel) -> Option<Span> {
    let Deed::Order(_, Some(count)) = &panel.deed else {
        return None;
    };
    let pace = per_1000_seconds(&panel.text("rate")).filter(|pace| *pace > 0)?;
    let millis = count.saturating_mul(1_000_000) / u64::from(pace);
    Some(Span::from_millis(i64::try_from(millis).unwrap_or(i64::MAX)))
}

/// `0.5` a second is 500 in a thousand seconds, read digit by digit.
pub(super) fn per_1000_seconds(text: &str) -> Option<u32> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let whole: u32 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let part: String = part.chars().chain("000".chars()).take(3).collect();
    whole.checked_mul(1_000)?.checked_add(part.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_read_to_the_thousandth() {
        assert_eq!(per_1000_seconds("10"), Some(10_000));
        assert_eq!(per_1000_seconds("0.5"), Some(500));
        assert_eq!(per_1000_seconds(".1"), Some(100));
        assert_eq!(per_1000_seconds("2.2504"), Some(2_250));
        assert_eq!(per_1000_seconds("x"), None);
    }
}
