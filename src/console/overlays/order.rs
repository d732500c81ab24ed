//! The panel of a job: scope, dry run, options on few lines, why, eta, the count and the button.

use ratatui::layout::Rect;

use crate::console::format;
use crate::console::model::Model;
use crate::console::model::panel::{Ask, Deed, Focus, Panel};
use crate::console::panes::dead_letters;
use crate::console::sanitise::width;
use crate::console::theme::Role;
use crate::console::update::order;
use crate::console::view::kit::{Canvas, Size, Span, fact, span, spans_width, wrap};
use crate::domain::job::JobKind;

use super::{confirm, lower};

const LABEL: u16 = 10;
/// Cells of the panel beside the letters.
pub(super) const COLUMNS: u16 = 66;
/// Most lines of the dry run.
const FACTS_MAX: u16 = 3;
/// Where the options of the third column begin; their names are short.
const THIRD: u16 = 41;

/// The options, line by line, each at its column.
const OPTIONS: [&[(&str, u16)]; 5] = [
    &[("rate", 0), ("in flight", 23), ("order", THIRD)],
    &[("canary", 0)],
    &[("stop", 0)],
    &[("attempts", 0), ("force", THIRD)],
    &[("to", 0), ("preset", THIRD)],
];

/// Draws it.
pub(super) fn draw(model: &Model, canvas: &mut Canvas<'_>, body: Rect, panel: &Panel) {
    let area = place(model, canvas, body, panel);
    canvas.clear(area);
    let right = match &panel.deed {
        Deed::Order(_, Some(count)) => format!("dry run: {}", format::count(*count)),
        _ => "dry run".to_owned(),
    };
    let inner = canvas.section(area, &panel.title, &right, Some((9, true)));
    let mut y = inner.y;
    let line = |y: u16| Rect {
        y,
        height: 1,
        ..inner
    };
    if let Some((index, ask)) = find(panel, "scope") {
        y += scope(canvas, line(y), ask, panel.focus == Focus::Ask(index));
    }
    let upper = Rect {
        y,
        height: inner.bottom().saturating_sub(y).min(FACTS_MAX),
        ..inner
    };
    y = canvas.facts(upper, LABEL, &dry_run(panel));
    // Where there is room, what would happen stands apart from how.
    let spare = inner.height.saturating_sub(lines(panel, inner.width));
    y += u16::from(spare > 1);
    if panel.is_listing {
        y = skipped(canvas, inner, y, panel);
    } else {
        for names in OPTIONS {
            if options(canvas, line(y), panel, names) {
                y += 1;
            }
        }
    }
    if let Some((index, ask)) = find(panel, "why") {
        labelled(canvas, line(y), ask, panel.focus == Focus::Ask(index));
        y += 1;
    }
    canvas.facts(line(y), LABEL, &[fact("eta", eta(panel))]);
    foot(canvas, inner, panel);
}

/// Beside the letters where they are in view, so that neither groups nor the error are covered; else at the lower
/// edge.
fn place(model: &Model, canvas: &Canvas<'_>, body: Rect, panel: &Panel) -> Rect {
    let inside = lines(panel, body.width) + 1;
    if canvas.size != Size::Wide {
        return lower(body, inside + 1);
    }
    let width = COLUMNS.min(body.width);
    if let Some(beside) = dead_letters::beside(model, body) {
        return Rect {
            x: beside.right() - width,
            width,
            ..beside
        };
    }
    let height = (inside + 3).min(body.height);
    Rect {
        x: body.right() - width,
        y: body.bottom() - height,
        width,
        height,
    }
}

/// Cells of its frame and the blank beside it.
const FRAME: u16 = 4;

/// Lines of the panel beside the letters, its frame and two blank lines included.
pub(crate) fn height(panel: &Panel) -> u16 {
    lines(panel, COLUMNS - FRAME) + FRAME
}

/// Lines that stand in it, none blank.
fn lines(panel: &Panel, columns: u16) -> u16 {
    let room = usize::from(columns.saturating_sub(LABEL));
    let facts: usize = panel
        .facts
        .iter()
        .map(|(_, text)| wrap(text, room).len())
        .sum();
    let facts = u16::try_from(facts).unwrap_or(u16::MAX).min(FACTS_MAX);
    let options = OPTIONS
        .iter()
        .filter(|names| names.iter().any(|(name, _)| find(panel, name).is_some()));
    let options = u16::try_from(options.count()).unwrap_or(u16::MAX);
    let scope = find(panel, "scope").map_or(0, |(_, ask)| scope_lines(ask, columns));
    let why = u16::from(find(panel, "why").is_some());
    // The time it takes, and the button.
    scope + facts + options + why + 2
}

/// Lines of the choices, when each goes where there is room.
fn scope_lines(ask: &Ask, columns: u16) -> u16 {
    let mut x = LABEL;
    let mut lines = 1;
    for words in ask.options() {
        let wide = u16::try_from(width(words))
            .unwrap_or(u16::MAX)
            .saturating_add(4);
        if x.saturating_add(wide) > columns && x > LABEL {
            (x, lines) = (LABEL, lines + 1);
        }
        x = x.saturating_add(wide + 2);
    }
    lines
}

fn dry_run(panel: &Panel) -> Vec<(String, Span)> {
    let facts = panel.facts.iter();
    facts.map(|(name, text)| fact(name, text.clone())).collect()
}

fn find<'a>(panel: &'a Panel, name: &str) -> Option<(usize, &'a Ask)> {
    panel
        .asks
        .iter()
        .enumerate()
        .find(|(_, ask)| ask.name == name)
}

/// The choices one after another, on a second line when they are long; returns the lines used.
fn scope(canvas: &mut Canvas<'_>, line: Rect, ask: &Ask, has_focus: bool) -> u16 {
    canvas.text(line, ask.name, Role::Dim);
    let glyphs = canvas.paint.glyphs;
    let start = line.x + LABEL;
    let (mut x, mut y) = (start, line.y);
    for (index, words) in ask.options().iter().enumerate() {
        let is_chosen = ask.chosen() == Some(index);
        let sign = if is_chosen {
            glyphs.chosen
        } else {
            glyphs.unchosen
        };
        let role = match (is_chosen, has_focus) {
            (true, true) => Role::Cursor,
            (true, false) => Role::Strong,
            (false, _) => Role::Text,
        };
        let pieces = [span(format!("{sign} {words}"), role)];
        let columns = u16::try_from(spans_width(&pieces)).unwrap_or(u16::MAX);
        if x.saturating_add(columns) > line.right() && x > start {
            (x, y) = (start, y + 1);
        }
        x = canvas.spans(x, y, line.right().saturating_sub(x), &pieces);
        x = x.saturating_add(2);
    }
    y - line.y + 1
}

/// Options side by side, each at its column; false when the panel has none of them.
fn options(canvas: &mut Canvas<'_>, line: Rect, panel: &Panel, names: &[(&str, u16)]) -> bool {
    let mut has_any = false;
    for (name, column) in names {
        let x = line.x.saturating_add(*column);
        let Some((index, ask)) = find(panel, name) else {
            continue;
        };
        has_any = true;
        let has_focus = panel.focus == Focus::Ask(index);
        let letter = ask
            .letter
            .map_or_else(|| "   ".to_owned(), |letter| format!("-{letter} "));
        let room = line.right().saturating_sub(x);
        let columns = if *column == THIRD { 6 } else { 9 };
        let label = [
            span(letter, Role::Key),
            span(format!("{:<columns$} ", ask.name), Role::Dim),
        ];
        let at = canvas.spans(x, line.y, room, &label);
        let (columns, note) = extent(ask.name);
        let room = line.right().saturating_sub(at);
        let field = Rect {
            x: at,
            width: columns.min(room),
            ..line
        };
        value(canvas, field, ask, has_focus);
        let after = at.saturating_add(columns.min(room));
        let note = [span(note, Role::Dim)];
        canvas.spans(after, line.y, line.right().saturating_sub(after), &note);
    }
    has_any
}

/// Cells of an option's value, and the words after it.
const fn extent(name: &str) -> (u16, &'static str) {
    match name.as_bytes() {
        b"rate" => (5, "/s"),
        b"order" => (7, ""),
        b"canary" => (5, " first, the rest when all of them are ok"),
        b"stop" => (6, " died again → pause the job"),
        b"attempts" => (3, " fresh budget"),
        b"in flight" | b"force" => (4, ""),
        b"to" => (18, ""),
        _ => (11, ""),
    }
}

fn value(canvas: &mut Canvas<'_>, field: Rect, ask: &Ask, has_focus: bool) {
    if ask.chosen().is_some() {
        let role = if has_focus { Role::Cursor } else { Role::Text };
        let place = ask.chosen().unwrap_or_default() + 1;
        let mut spans = vec![span(ask.text(), role)];
        // That there are others, where they would not be guessed.
        if ask.options().len() > 2 {
            spans.push(span(format!(" {place}/{}", ask.options().len()), Role::Dim));
        }
        if spans_width(&spans) > usize::from(field.width) {
            spans.truncate(1);
        }
        canvas.spans(field.x, field.y, field.width, &spans);
        return;
    }
    if !has_focus && ask.text().is_empty() {
        let usual = match ask.name {
            "to" => "original agent",
            "attempts" => "usual",
            _ => "",
        };
        let usual = if ask.name == "attempts" { "–" } else { usual };
        return canvas.text(field, usual, Role::Text);
    }
    ask.field
        .draw(field, canvas.buffer, canvas.paint, has_focus);
}

fn labelled(canvas: &mut Canvas<'_>, line: Rect, ask: &Ask, has_focus: bool) {
    canvas.text(line, ask.name, Role::Dim);
    let field = Rect {
        x: line.x + LABEL,
        width: line.width.saturating_sub(LABEL),
        ..line
    };
    ask.field
        .draw(field, canvas.buffer, canvas.paint, has_focus);
}

/// Every reason with how many it leaves out.
fn skipped(canvas: &mut Canvas<'_>, inner: Rect, from: u16, panel: &Panel) -> u16 {
    let reasons: Vec<(String, Span)> = panel
        .skipped
        .iter()
        .map(|(reason, count)| {
            let words = format!("{}: {}", reason.replace('_', " "), sentence(reason));
            (format::count(*count), span(words, Role::Text))
        })
        .collect();
    let area = Rect {
        y: from,
        height: inner.bottom().saturating_sub(from).min(5),
        ..inner
    };
    if reasons.is_empty() {
        canvas.text(area, "nothing is skipped", Role::Dim);
        return from + 1;
    }
    canvas.facts(area, LABEL, &reasons)
}

/// Why a job leaves such an intent out.
fn sentence(reason: &str) -> &'static str {
    match reason {
        "already_replayed" => "-f takes them too",
        "dead_letter_closed" => "somebody discarded them",
        "over_limit" => "one job takes 100,000",
        "intent_terminal" => "they have ended",
        "dead_letter_not_found" => "they are no dead letters",
        "intent_not_found" => "they are gone",
        "not_matched" => "they do not fit the filter",
        _ => "the broker says so",
    }
}

fn eta(panel: &Panel) -> String {
    let takes = order::eta(panel).map_or_else(
        || "–".to_owned(),
        |eta| format!("{} at {}/s", format::age(eta), panel.text("rate")),
    );
    let effect = match &panel.deed {
        Deed::Order(job, _) if order::is_held(job) => {
            return "at once, held first: u takes them back, the records stay readable".to_owned();
        }
        Deed::Order(job, _) if job.kind == JobKind::Discard => "Cannot be taken back.",
        Deed::Order(job, _) if job.kind == JobKind::Cancel => "Cannot be taken back.",
        _ => "The job runs in the broker, not here.",
    };
    format!("{takes}. {effect}")
}

fn foot(canvas: &mut Canvas<'_>, inner: Rect, panel: &Panel) {
    let line = Rect {
        y: inner.bottom().saturating_sub(1),
        height: 1,
        ..inner
    };
    if let Some(problem) = &panel.problem {
        let above = Rect {
            y: line.y.saturating_sub(1),
            ..line
        };
        canvas.clear(above);
        canvas.text(above, problem, Role::Warn);
    }
    let mut x = line.x;
    if let Some((index, ask)) = find(panel, "count") {
        let has_focus = panel.focus == Focus::Ask(index);
        let lead = [span(format!("type {} to enable ", count(panel)), Role::Dim)];
        x = canvas.spans(x, line.y, line.width, &lead);
        let field = Rect {
            x,
            width: 9.min(line.right().saturating_sub(x)),
            ..line
        };
        ask.field
            .draw(field, canvas.buffer, canvas.paint, has_focus);
        x = x.saturating_add(10);
    }
    canvas.spans(
        x,
        line.y,
        line.right().saturating_sub(x),
        &confirm::button(panel, canvas),
    );
    if canvas.size != Size::Tiny {
        canvas.text_right(line, "Esc cancel", Role::Dim);
    }
}

fn count(panel: &Panel) -> u64 {
    match &panel.deed {
        Deed::Order(_, Some(count)) => *count,
        _ => 0,
    }
}
