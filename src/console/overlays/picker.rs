//! Fields with proposals: help, the palette, the filter line.

use ratatui::layout::Rect;

use crate::console::model::Model;
use crate::console::model::overlay::{Picker, Proposal};
use crate::console::theme::Role;
use crate::console::update::palette;
use crate::console::update::proposals::{self, Chip, Offer, Verdict, offers};
use crate::console::view::kit::{Canvas, Rows, Size, rows_of, span};
use crate::console::widgets::table::columns::Column;
use crate::console::widgets::table::{Cell, Row};

use super::{lower, middle};

const COLUMNS: &[Column] = &[
    Column::new("KEY", 0, 8, 12),
    Column::new("NAME", 2, 14, 22),
    Column::new("WHAT", 1, 22, 30).growing(),
];

const OFFERS: &[Column] = &[
    Column::new("TERM", 0, 14, 30),
    Column::new("ABOUT", 1, 22, 40).growing(),
];

fn rows(proposals: &[Proposal]) -> Vec<Row> {
    proposals
        .iter()
        .map(|proposal| {
            let role = if proposal.off.is_some() {
                Role::Off
            } else {
                Role::Text
            };
            let what = match &proposal.off {
                Some(reason) => format!("{} ({reason})", proposal.sentence),
                None => proposal.sentence.clone(),
            };
            Row::of(vec![
                Cell::of(proposal.key.clone(), Role::Key),
                Cell::of(proposal.name.clone(), role),
                Cell::of(what, role),
            ])
        })
        .collect()
}

fn field(canvas: &mut Canvas<'_>, line: Rect, label: &str, picker: &Picker) {
    let columns = u16::try_from(label.len()).unwrap_or(0) + 1;
    canvas.text(line, label, Role::Key);
    let place = Rect {
        x: line.x + columns,
        width: line.width.saturating_sub(columns),
        height: 1,
        ..line
    };
    picker.field.draw(place, canvas.buffer, canvas.paint, true);
}

fn list(canvas: &mut Canvas<'_>, area: Rect, proposals: &[Proposal], cursor: usize) {
    let rows = rows(proposals);
    let list = Rows {
        pane: 9,
        columns: COLUMNS,
        rows: &rows,
        cursor: (!rows.is_empty()).then_some(cursor.min(rows.len().saturating_sub(1))),
        is_focused: true,
        has_header: true,
        empty: "nothing fits",
    };
    canvas.table(area, &list);
}

/// Every key that works here, searchable; Enter runs one.
pub(super) fn help(model: &Model, canvas: &mut Canvas<'_>, body: Rect, picker: &Picker) {
    canvas.clear(body);
    let right = match &model.settings.log_path {
        Some(path) => format!("log {path}"),
        None => format!("postroom {}", env!("CARGO_PKG_VERSION")),
    };
    let title = format!("Help {} keys here first", canvas.paint.glyphs.dot);
    let inner = canvas.section(body, &title, &right, Some((9, true)));
    let line = Rect { height: 1, ..inner };
    field(canvas, line, "search", picker);
    let rest = Rect {
        y: inner.y + 1,
        height: inner.height.saturating_sub(1),
        ..inner
    };
    let proposals = palette::proposals(model);
    list(canvas, rest, &proposals, picker.cursor);
    problem(canvas, inner, picker);
}

/// The palette.
pub(super) fn palette(model: &Model, canvas: &mut Canvas<'_>, body: Rect, picker: &Picker) {
    let area = match canvas.size {
        Size::Wide => middle(body, 100, 18),
        _ => body,
    };
    canvas.clear(area);
    let inner = canvas.section(
        area,
        "Command",
        "a verb, a desk, an agent, an id, theme NAME",
        Some((9, true)),
    );
    field(canvas, Rect { height: 1, ..inner }, ":", picker);
    let rest = Rect {
        y: inner.y + 1,
        height: inner.height.saturating_sub(1),
        ..inner
    };
    let proposals = palette::proposals(model);
    list(canvas, rest, &proposals, picker.cursor);
    problem(canvas, inner, picker);
}

fn problem(canvas: &mut Canvas<'_>, inner: Rect, picker: &Picker) {
    if let Some(problem) = &picker.problem {
        let foot = Rect {
            y: inner.bottom().saturating_sub(1),
            height: 1,
            ..inner
        };
        canvas.clear(foot);
        canvas.text(foot, problem, Role::Warn);
    }
}

/// The search line, in the place of the status line.
pub(super) fn search(canvas: &mut Canvas<'_>, status: Rect, picker: &Picker) {
    let line = Rect {
        height: 1,
        ..status
    };
    canvas.clear(line);
    field(canvas, line, "search", picker);
}

/// The filter line, in the place of the status line; above it the terms, what they mean, what fits.
pub(super) fn filter(
    model: &Model,
    canvas: &mut Canvas<'_>,
    body: Rect,
    status: Rect,
    picker: &Picker,
) {
    let line = Rect {
        height: 1,
        ..status
    };
    canvas.clear(line);
    field(canvas, line, "/", picker);
    let place = model.view.place;
    let text = picker.text();
    let offers = offers(model, place, &text);
    let (about, about_role) = match &picker.problem {
        Some(problem) => (problem.clone(), Role::Warn),
        None => proposals::about(place, &text),
    };
    if canvas.size == Size::Tiny {
        let above = Rect {
            y: line.y.saturating_sub(1),
            ..line
        };
        return filter_tiny(canvas, above, &offers, (&about, about_role));
    }
    let listed = u16::try_from(offers.len()).unwrap_or(u16::MAX).min(8);
    let frame = if canvas.size == Size::Wide { 2 } else { 1 };
    let area = lower(body, listed + 2 + frame);
    canvas.clear(area);
    let (title, _) = place.titles();
    let title = format!("Filter {}", title.to_lowercase());
    let keys = "Tab takes  Ctrl-S saves a view  // clears";
    let inner = canvas.section(area, &title, keys, Some((9, true)));
    let [terms, second, rest] = rows_of(inner, [1, 1, 0], 2);
    let chips = proposals::chips(place, &text);
    canvas.spans(terms.x, terms.y, terms.width, &chip_spans(chips));
    canvas.text(second, &about, about_role);
    let rows: Vec<Row> = offers
        .into_iter()
        .map(|offer| {
            Row::of(vec![
                Cell::of(offer.text, Role::Text),
                Cell::of(offer.about, Role::Dim),
            ])
        })
        .collect();
    let list = Rows {
        pane: 9,
        columns: OFFERS,
        rows: &rows,
        cursor: (!rows.is_empty()).then_some(picker.cursor.min(rows.len().saturating_sub(1))),
        is_focused: true,
        has_header: false,
        empty: "",
    };
    canvas.table(rest, &list);
}

/// On the smallest screen there is one line: what is wrong, or what fits.
fn filter_tiny(canvas: &mut Canvas<'_>, above: Rect, offers: &[Offer], about: (&str, Role)) {
    canvas.clear(above);
    if about.1 == Role::Warn {
        return canvas.text(above, about.0, about.1);
    }
    let names: Vec<&str> = offers.iter().map(|offer| offer.text.as_str()).collect();
    let spans = [span(" Tab ", Role::Key), span(names.join("  "), Role::Dim)];
    canvas.spans(above.x, above.y, above.width, &spans);
}

/// The terms of the line, each with how it is answered.
fn chip_spans(chips: Vec<Chip>) -> Vec<(String, Role)> {
    let spans = chips.into_iter().flat_map(|chip| {
        let role = match chip.verdict {
            Verdict::AtOnce => Role::Good,
            Verdict::Searched => Role::Retry,
            Verdict::Open => Role::Dim,
            Verdict::Wrong => Role::Bad,
        };
        [
            span(format!("[{}", chip.text), role),
            span(chip.verdict.word(), Role::Dim),
            span("] ", role),
        ]
    });
    spans.collect()
}
