//! The header: how well the link is, who we are, the numbers that matter everywhere.

use ratatui::layout::Rect;

use crate::console::format;
use crate::console::model::Model;
use crate::console::model::link::LinkState;
use crate::console::panes::words;
use crate::console::sanitise::width;
use crate::console::theme::Role;
use crate::console::view::kit::{Canvas, Size, Span, span, spans_width};
use crate::console::widgets::Paint;
use crate::console::widgets::spark::spark;
use crate::desk::rows::Overview;
use crate::desk::rows::disk::DiskState;

use super::dead_of;
use super::level::Level;

/// Cells that the bars of the header take.
const BARS: usize = 20;

/// A piece of the header, and how early it goes when the width shrinks; zero stays.
struct Part {
    spans: Vec<Span>,
    goes: u8,
    /// Whether a bar stands before it.
    is_apart: bool,
}

impl Part {
    fn new(goes: u8, is_apart: bool, spans: Vec<Span>) -> Self {
        Self {
            spans,
            goes,
            is_apart,
        }
    }
}

/// The link in one word.
fn link(model: &Model, paint: Paint<'_>) -> Span {
    let glyphs = paint.glyphs;
    match model.link.state(model.at.mono) {
        LinkState::Connecting => span(format!("{} CONNECTING", glyphs.lag), Role::Warn),
        LinkState::Live(_) => span(format!("{} LIVE", glyphs.live), Role::Good),
        LinkState::Lag(age) => span(
            format!("{} LAG {}", glyphs.lag, format::age(age)),
            Role::Warn,
        ),
        LinkState::Stale(age) => span(
            format!("{} STALE {}", glyphs.stale, format::age_short(age)),
            Role::Crit,
        ),
        LinkState::Down(left) => {
            let text = format!("{} DOWN retry {}", glyphs.lost, format::age_short(left));
            span(text, Role::Crit)
        }
    }
}

/// The link in words, for those who listen.
pub(in crate::console::view) fn link_words(model: &Model) -> String {
    match model.link.state(model.at.mono) {
        LinkState::Connecting => "connecting".to_owned(),
        LinkState::Live(_) => "link live".to_owned(),
        LinkState::Lag(age) => format!("link late by {}", format::age(age)),
        LinkState::Stale(age) => format!("link stale for {}", format::age_short(age)),
        LinkState::Down(left) => {
            format!("link down, next try in {}", format::age_short(left))
        }
    }
}

/// What the disk does not let through, if anything.
fn disk(model: &Model) -> Option<Part> {
    let (text, role) = match model.overview.as_ref()?.disk {
        DiskState::Fine => return None,
        DiskState::Low => ("DISK LOW", Role::Warn),
        DiskState::Full => ("DISK FULL", Role::Crit),
    };
    Some(Part::new(0, false, vec![span(text, role)]))
}

/// One line of health, for screens that are too small for anything else.
pub(in crate::console::view) fn health(model: &Model, paint: Paint<'_>) -> String {
    let (link, _) = link(model, paint);
    let dead = model.overview.as_ref().map_or(0, dead_of);
    let inbox = model
        .overview
        .as_ref()
        .map_or(0, |overview| overview.tasks_open);
    format!("{link} dead {} inbox {inbox}", format::count_short(dead))
}

fn state_of(overview: &Overview, index: usize) -> u64 {
    overview.states.get(index).copied().unwrap_or(0)
}

/// The header: two lines at wide sizes, else one.
pub(in crate::console::view) fn header(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let glyphs = canvas.paint.glyphs;
    match canvas.size {
        Size::Wide => {
            let first = wide_first(model, canvas.paint);
            let second = wide_second(model, canvas.paint);
            let indent = |y| Rect {
                x: area.x + 1,
                y,
                width: area.width - 1,
                height: 1,
            };
            parts(canvas, indent(area.y), first, &format!(" {} ", glyphs.bar));
            parts(
                canvas,
                indent(area.y + 1),
                second,
                &format!(" {} ", glyphs.bar),
            );
        }
        Size::Medium | Size::Narrow => {
            let one = narrow(model, canvas.paint);
            parts(canvas, area, one, &format!(" {}", glyphs.bar));
        }
        Size::Tiny | Size::None => {
            let one = tiny(model, canvas.paint);
            parts(canvas, area, one, " ");
        }
    }
    let is_stale = matches!(
        model.link.state(model.at.mono),
        LinkState::Stale(_) | LinkState::Down(_)
    );
    if is_stale {
        canvas
            .buffer
            .set_style(area, canvas.paint.style(Role::Crit));
    }
}

/// Writes what fits, and leaves out first what goes first.
fn parts(canvas: &mut Canvas<'_>, area: Rect, mut parts: Vec<Part>, bar: &str) {
    let total = |parts: &[Part]| -> usize {
        parts
            .iter()
            .enumerate()
            .map(|(index, part)| {
                let gap = if index == 0 {
                    0
                } else if part.is_apart {
                    width(bar)
                } else {
                    1
                };
                gap + spans_width(&part.spans)
            })
            .sum()
    };
    while total(&parts) > usize::from(area.width) {
        let goes = parts.iter().map(|part| part.goes).max().unwrap_or(0);
        if goes == 0 {
            break;
        }
        parts.retain(|part| part.goes != goes);
    }
    let mut x = area.x;
    for (index, part) in parts.iter().enumerate() {
        let room = |x: u16| area.right().saturating_sub(x);
        if index > 0 {
            let gap = if part.is_apart {
                span(bar, Role::Border)
            } else {
                span(" ", Role::Text)
            };
            x = canvas.spans(x, area.y, room(x), &[gap]);
        }
        x = canvas.spans(x, area.y, room(x), &part.spans);
    }
}

fn labelled(label: &str, value: String, role: Role) -> Vec<Span> {
    vec![span(format!("{label} "), Role::Dim), span(value, role)]
}

fn who(model: &Model) -> (String, String, String) {
    let place = match &model.hello {
        Some(hello) => hello.place.clone(),
        None if model.settings.is_embedded => "embedded".to_owned(),
        None => "attached".to_owned(),
    };
    let environment = model
        .hello
        .as_ref()
        .map(|hello| hello.environment.clone())
        .unwrap_or_default();
    let name = model
        .identity()
        .map_or("–", |address| address.name())
        .to_owned();
    (place, environment, name)
}

fn mode(model: &Model) -> Span {
    match model.may_act() {
        Ok(()) => span("rw", Role::Text),
        Err(_) => span("ro", Role::Warn),
    }
}

fn bars(overview: &Overview, paint: Paint<'_>, columns: usize) -> String {
    let skip = overview.delivered.len().saturating_sub(columns);
    let values: Vec<u64> = overview
        .delivered
        .iter()
        .skip(skip)
        .map(|value| u64::from(*value))
        .collect();
    spark(&values, columns, None, paint.glyphs)
}

/// A rate: `182/s`, `0.4/s`.
fn rate(per_second: f64) -> String {
    words::rate(per_second)
}

fn wide_first(model: &Model, paint: Paint<'_>) -> Vec<Part> {
    let (place, environment, name) = who(model);
    let mut parts = vec![Part::new(0, false, vec![link(model, paint)])];
    parts.extend(disk(model));
    parts.push(Part::new(0, false, vec![span(place, Role::Text)]));
    if !environment.is_empty() {
        parts.push(Part::new(0, true, vec![span(environment, Role::Strong)]));
    }
    let (mode, role) = mode(model);
    parts.push(Part::new(
        0,
        true,
        vec![span(mode, role), span(format!(" {name}"), Role::Text)],
    ));
    if let Some(overview) = &model.overview {
        let out = labelled("out", rate(overview.out_per_second), Role::Strong);
        parts.push(Part::new(0, true, out));
        let bars = bars(overview, paint, BARS);
        parts.push(Part::new(1, false, vec![span(bars, Role::Fill)]));
        if let Some(ok) = overview.ok_percent {
            let level = Level::below(ok, model.settings.header.ok_percent);
            let text = format!("{ok:.1}%{}", level.word());
            parts.push(Part::new(
                4,
                false,
                labelled("ok", text, level.role(Role::Good)),
            ));
        }
        let slots = words::slots(overview);
        parts.push(Part::new(0, true, labelled("slots", slots, Role::Text)));
    }
    let clock = format!("{}Z", format::clock(model.at.wall));
    parts.push(Part::new(0, true, vec![span(clock, Role::Text)]));
    if let Some(fresh) = model.link.fresh(model.at.mono) {
        parts.push(Part::new(
            5,
            false,
            labelled(" fresh", format::age(fresh), Role::Dim),
        ));
    }
    parts
}

fn wide_second(model: &Model, paint: Paint<'_>) -> Vec<Part> {
    let Some(overview) = &model.overview else {
        let text = match model.link.error() {
            Some(error) => format!("could not {error}"),
            None => "waiting for the first numbers".to_owned(),
        };
        return vec![Part::new(0, false, vec![span(text, Role::Dim)])];
    };
    let due = match overview.retries_due {
        0 => String::new(),
        due => format!(" ({} due)", format::count(due)),
    };
    let limits = model.settings.header;
    let level = Level::above(overview.retries_due, limits.due_retries);
    let retry = format!(
        "{}{due}{}",
        format::count(state_of(overview, 2)),
        level.word()
    );
    let retry = labelled("retry", retry, level.role(Role::Text));
    let mut parts = vec![Part::new(0, false, retry)];
    if let Some(oldest) = overview.oldest_at {
        let age = model.at.wall.since(oldest);
        let seconds = u64::try_from(age.as_seconds()).unwrap_or(0);
        let level = Level::above(seconds, limits.oldest_seconds);
        let text = format!("{}{}", format::age(age), level.word());
        let oldest = labelled("oldest", text, level.role(Role::Text));
        parts.push(Part::new(2, true, oldest));
    }
    let level = Level::above(overview.due_lag_ms / 1_000, limits.due_lag_seconds);
    let lag = format!("{}{}", words::millis_age(overview.due_lag_ms), level.word());
    // It stands behind the oldest without a bar, or as an item of its own.
    let is_alone = overview.oldest_at.is_none();
    let label = if is_alone { "due-lag" } else { " due-lag" };
    let lag = labelled(label, lag, level.role(Role::Text));
    parts.push(Part::new(3, is_alone, lag));
    let hour = match overview.dead_last_hour {
        0 => String::new(),
        dead => format!(" {}{}/h", paint.glyphs.up, format::count(dead)),
    };
    let level = Level::above(overview.dead_last_hour, limits.dead_per_hour);
    let dead = dead_of(overview);
    let role = if dead > 0 { Role::Bad } else { Role::Text };
    parts.push(Part::new(
        0,
        true,
        vec![
            span("dead ", Role::Dim),
            span(format::count(dead), role),
            span(format!("{hour}{}", level.word()), level.role(Role::Text)),
        ],
    ));
    parts.push(inbox(overview, paint));
    if overview.store_bytes > 0 {
        let stored = format::bytes(overview.store_bytes);
        parts.push(Part::new(6, true, labelled("store", stored, Role::Dim)));
    }
    if let Some(commit) = overview.commit_p99_ms {
        let commit = format!("{commit:.1}ms p99");
        parts.push(Part::new(7, false, labelled("commit", commit, Role::Dim)));
    }
    parts
}

/// Open tasks, and how many of them are overdue.
fn inbox(overview: &Overview, paint: Paint<'_>) -> Part {
    let (gap, overdue) = match overview.tasks_overdue {
        0 => (String::new(), String::new()),
        overdue => (
            format!(" {} ", paint.glyphs.dot),
            format!("{overdue} overdue"),
        ),
    };
    Part::new(
        0,
        true,
        vec![
            span("inbox ", Role::Dim),
            span(format::count(overview.tasks_open), Role::Human),
            span(gap, Role::Dim),
            span(overdue, Role::Crit),
        ],
    )
}

fn narrow(model: &Model, paint: Paint<'_>) -> Vec<Part> {
    let (_, environment, _) = who(model);
    let (mode, role) = mode(model);
    let mut parts = vec![Part::new(0, false, vec![link(model, paint)])];
    parts.extend(disk(model));
    if !environment.is_empty() {
        parts.push(Part::new(0, false, vec![span(environment, Role::Strong)]));
    }
    parts.push(Part::new(0, false, vec![span(mode, role)]));
    let Some(overview) = &model.overview else {
        return parts;
    };
    let dead = dead_of(overview);
    let up = if overview.dead_last_hour > 0 {
        paint.glyphs.up
    } else {
        ""
    };
    let overdue = if overview.tasks_overdue > 0 { "!" } else { "" };
    parts.push(Part::new(
        0,
        true,
        vec![span(rate(overview.out_per_second), Role::Strong)],
    ));
    parts.push(Part::new(
        1,
        false,
        vec![span(bars(overview, paint, 10), Role::Fill)],
    ));
    let run = format::count_short(overview.attempts_running);
    parts.push(Part::new(3, true, labelled("run", run, Role::Text)));
    let retry = format::count_short(state_of(overview, 2));
    parts.push(Part::new(0, true, labelled("rtry", retry, Role::Text)));
    let role = if dead > 0 { Role::Bad } else { Role::Text };
    parts.push(Part::new(
        0,
        true,
        labelled("dead", format!("{}{up}", format::count(dead)), role),
    ));
    let inbox = format!("{}{overdue}", overview.tasks_open);
    parts.push(Part::new(0, true, labelled("inbox", inbox, Role::Human)));
    if let Some(oldest) = overview.oldest_at {
        let age = format::age(model.at.wall.since(oldest));
        parts.push(Part::new(2, true, vec![span(age, Role::Dim)]));
    }
    parts
}

fn tiny(model: &Model, paint: Paint<'_>) -> Vec<Part> {
    let (_, environment, _) = who(model);
    let (text, role) = link(model, paint);
    let is_live = matches!(model.link.state(model.at.mono), LinkState::Live(_));
    let text = if is_live {
        paint.glyphs.live.to_owned()
    } else {
        text
    };
    let mut parts = vec![Part::new(0, false, vec![span(text, role)])];
    parts.extend(disk(model));
    if !environment.is_empty() {
        parts.push(Part::new(1, false, vec![span(environment, Role::Strong)]));
    }
    if model.may_act().is_err() {
        parts.push(Part::new(0, false, vec![span("ro", Role::Warn)]));
    }
    let Some(overview) = &model.overview else {
        return parts;
    };
    let dead = dead_of(overview);
    let up = if overview.dead_last_hour > 0 {
        paint.glyphs.up
    } else {
        ""
    };
    let overdue = if overview.tasks_overdue > 0 { "!" } else { "" };
    parts.push(Part::new(
        2,
        false,
        vec![span(rate(overview.out_per_second), Role::Strong)],
    ));
    let role = if dead > 0 { Role::Bad } else { Role::Text };
    let dead = labelled("dead", format!("{}{up}", format::count(dead)), role);
    parts.push(Part::new(0, false, dead));
    let inbox = format!("{}{overdue}", overview.tasks_open);
    parts.push(Part::new(0, false, labelled("inbox", inbox, Role::Human)));
    parts
}
