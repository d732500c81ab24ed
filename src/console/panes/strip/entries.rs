//! The entries of a strip: one drawing for each way of filling in.

use ratatui::layout::Rect;

use crate::console::model::strip::entry::{Choice, Entry, Input, fitting};
use crate::console::sanitise::{fit, width};
use crate::console::theme::Role;
use crate::console::view::kit::{Canvas, Size, wrap};
use crate::console::widgets::field::Field;

use super::is_starred;

/// Most lines of words that are shown at once.
const WORDS_MAX: usize = 4;
/// Names that are listed under a picker.
const NAMES_MAX: usize = 4;
/// Cells of the tick before a step.
const TICK: u16 = 4;
/// Least cells for a note beside its step.
const NOTE_BESIDE: u16 = 60;

/// Lines that an entry takes.
pub(super) fn height(entry: &Entry, size: Size, columns: u16, label: u16, is_focused: bool) -> u16 {
    let room = columns.saturating_sub(label).max(1);
    let problem = u16::from(!is_beside(entry, room) && entry.problem.is_some());
    let lines = match &entry.input {
        Input::Text(field) => written(field, room),
        Input::Step { .. } => 1 + u16::from(columns < NOTE_BESIDE && has_note(entry)),
        Input::Pick(_, choices) if is_focused => {
            let names = fitting(choices, &entry.text()).len().min(NAMES_MAX);
            1 + u16::try_from(names).unwrap_or(0)
        }
        Input::Some(choices, ..) => u16::try_from(ticks(choices, room).len())
            .unwrap_or(1)
            .max(1),
        Input::Look(lines, _) => {
            let shown = match (size, is_focused) {
                (Size::Wide, true) => 10,
                (Size::Wide, false) => 5,
                (Size::Medium, true) => 7,
                (Size::Medium, false) | (_, true) => 4,
                (_, false) => 2,
            };
            1 + u16::try_from(lines.len().min(shown)).unwrap_or(1)
        }
        Input::Number(..) | Input::Date(_) | Input::Json(_) | Input::Pick(..) | Input::One(..) => 1,
    };
    lines + problem
}

/// Lines of words as they are broken.
fn written(field: &Field, room: u16) -> u16 {
    let room = usize::from(room.saturating_sub(2)).max(1);
    let lines: usize = field
        .text()
        .split('\n')
        .map(|line| width(line) / room + 1)
        .sum();
    u16::try_from(lines.clamp(1, WORDS_MAX)).unwrap_or(1)
}

/// Whether what is wrong stands on the line of the entry, or on one of its own.
fn is_beside(entry: &Entry, room: u16) -> bool {
    let problem = entry.problem.as_deref().map_or(0, width);
    matches!(
        entry.input,
        Input::Text(_) | Input::Number(..) | Input::Date(_) | Input::Json(_)
    ) && problem + 24 <= usize::from(room)
}

fn has_note(entry: &Entry) -> bool {
    match &entry.input {
        Input::Step {
            note, is_noting, ..
        } => *is_noting || !note.is_empty(),
        _ => false,
    }
}

/// Draws an entry.
pub(super) fn draw(
    canvas: &mut Canvas<'_>,
    area: Rect,
    label: u16,
    entry: &Entry,
    is_focused: bool,
) {
    let place = Rect {
        x: area.x + label,
        width: area.width.saturating_sub(label),
        ..area
    };
    let is_beside = is_beside(entry, place.width);
    let problem = entry.problem.as_deref();
    let under = u16::from(!is_beside && problem.is_some());
    let place = Rect {
        height: place.height.saturating_sub(under),
        ..place
    };
    match &entry.input {
        Input::Step { .. } => draw_step(canvas, area, entry, is_focused),
        Input::Look(lines, top) => draw_diff(canvas, area, entry, (lines, *top), is_focused),
        input => {
            draw_label(canvas, area, label, entry, is_focused);
            match input {
                Input::One(choices, chosen) => {
                    let names: Vec<&str> = choices.iter().map(|one| one.label.as_str()).collect();
                    draw_choices(canvas, place, &names, *chosen, is_focused);
                }
                Input::Some(choices, chosen, at) => {
                    draw_ticks(canvas, place, choices, (chosen, *at), is_focused);
                }
                Input::Pick(field, choices) => {
                    draw_field(
                        canvas,
                        Rect { height: 1, ..place },
                        entry,
                        field,
                        is_focused,
                    );
                    if is_focused {
                        draw_names(canvas, place, choices, &entry.text());
                    }
                }
                _ => {
                    if let Some(field) = entry.field() {
                        draw_field(canvas, place, entry, field, is_focused);
                    }
                }
            }
        }
    }
    if let (Some(problem), 1) = (problem, under) {
        let y = area.bottom().saturating_sub(1);
        let line = Rect {
            y,
            height: 1,
            ..place
        };
        canvas.text(line, problem, Role::Bad);
    }
}

fn draw_label(canvas: &mut Canvas<'_>, area: Rect, label: u16, entry: &Entry, is_focused: bool) {
    let role = if is_focused { Role::Strong } else { Role::Dim };
    let star = if is_starred(entry) { " *" } else { "" };
    let room = usize::from(label).saturating_sub(1 + star.len());
    let name = format!("{}{star}", fit(&entry.label, room));
    canvas.text(
        Rect {
            width: label,
            height: 1,
            ..area
        },
        &name,
        role,
    );
}

/// A text field; beside it what is wrong, in it what helps as long as it is empty.
fn draw_field(canvas: &mut Canvas<'_>, area: Rect, entry: &Entry, field: &Field, is_focused: bool) {
    let problem = entry
        .problem
        .as_deref()
        .filter(|_| is_beside(entry, area.width));
    let taken = problem.map_or(0, |problem| width(problem) + 2);
    let taken = u16::try_from(taken).unwrap_or(0).min(area.width);
    let place = Rect {
        width: area.width - taken,
        ..area
    };
    field.draw(place, canvas.buffer, canvas.paint, is_focused);
    if field.is_empty() && !entry.hint.is_empty() && place.width > 6 {
        let hint = Rect {
            x: place.x + 3,
            width: place.width - 3,
            height: 1,
            ..place
        };
        canvas.text(hint, &entry.hint, Role::Dim);
    }
    if let Some(problem) = problem {
        let right = Rect { height: 1, ..area };
        canvas.text_right(right, problem, Role::Bad);
    }
}

/// Names beside each other, the chosen one in brackets; where they do not fit, the chosen one alone.
pub(super) fn draw_choices(
    canvas: &mut Canvas<'_>,
    area: Rect,
    names: &[&str],
    chosen: Option<usize>,
    is_focused: bool,
) {
    let edge = canvas.paint.glyphs.field;
    let role = if is_focused {
        Role::Focus
    } else {
        Role::Border
    };
    canvas.text(Rect { width: 1, ..area }, edge, role);
    let x = area.x + 1;
    let room = area.width.saturating_sub(1);
    let whole: usize = names.iter().map(|name| width(name) + 3).sum();
    if whole > usize::from(room) {
        let name = chosen.and_then(|chosen| names.get(chosen)).copied();
        let place = chosen.map_or(0, |chosen| chosen + 1);
        let text = format!("[{}] {place}/{}", name.unwrap_or("choose"), names.len());
        let role = if is_focused { Role::Strong } else { Role::Text };
        canvas.text(
            Rect {
                x,
                width: room,
                height: 1,
                ..area
            },
            &text,
            role,
        );
        return;
    }
    let spans: Vec<(String, Role)> = names
        .iter()
        .enumerate()
        .map(|(index, name)| match (Some(index) == chosen, is_focused) {
            (true, true) => (format!("[{name}] "), Role::Strong),
            (true, false) => (format!("[{name}] "), Role::Text),
            (false, _) => (format!(" {name}  "), Role::Dim),
        })
        .collect();
    canvas.spans(x, area.y, room, &spans);
    if chosen.is_none() && is_focused && whole + 24 < usize::from(room) {
        let right = Rect { height: 1, ..area };
        canvas.text_right(right, "sideways or its letter", Role::Dim);
    }
}

/// The lines that ticked choices take: which of them stand on each.
fn ticks(choices: &[Choice], room: u16) -> Vec<Vec<usize>> {
    let room = usize::from(room.saturating_sub(1)).max(1);
    let mut lines: Vec<Vec<usize>> = Vec::new();
    let mut taken = 0;
    for (index, choice) in choices.iter().enumerate() {
        let cells = width(&choice.label) + 6;
        match lines.last_mut() {
            Some(line) if taken + cells <= room => {
                line.push(index);
                taken += cells;
            }
            _ => {
                lines.push(vec![index]);
                taken = cells;
            }
        }
    }
    lines
}

fn draw_ticks(
    canvas: &mut Canvas<'_>,
    area: Rect,
    choices: &[Choice],
    (chosen, at): (&[bool], usize),
    is_focused: bool,
) {
    let edge = canvas.paint.glyphs.field;
    let role = if is_focused {
        Role::Focus
    } else {
        Role::Border
    };
    for (line, y) in ticks(choices, area.width)
        .iter()
        .zip(area.top()..area.bottom())
    {
        canvas.text(
            Rect {
                y,
                width: 1,
                height: 1,
                ..area
            },
            edge,
            role,
        );
        let spans: Vec<(String, Role)> = line
            .iter()
            .flat_map(|&index| {
                let tick = if chosen.get(index) == Some(&true) {
                    "[x]"
                } else {
                    "[ ]"
                };
                let name = choices.get(index).map_or("", |one| one.label.as_str());
                let role = if is_focused && index == at {
                    Role::Cursor
                } else {
                    Role::Text
                };
                [
                    (format!("{tick} {name}"), role),
                    ("  ".to_owned(), Role::Text),
                ]
            })
            .collect();
        canvas.spans(area.x + 1, y, area.width.saturating_sub(1), &spans);
    }
}

/// The names that fit what is typed, with what each of them has open.
fn draw_names(canvas: &mut Canvas<'_>, area: Rect, choices: &[Choice], typed: &str) {
    let shown = fitting(choices, typed);
    let here = shown.iter().position(|one| one.label == typed);
    let lines = usize::from(area.height.saturating_sub(1));
    let first = here.map_or(0, |here| (here + 1).saturating_sub(lines));
    let longest = shown.iter().map(|one| width(&one.label)).max().unwrap_or(0);
    for (one, y) in shown.iter().skip(first).zip(area.top() + 1..area.bottom()) {
        let is_here = one.label == typed;
        let sign = if is_here {
            canvas.paint.glyphs.cursor
        } else {
            " "
        };
        let gap = " ".repeat(longest.saturating_sub(width(&one.label)) + 2);
        let role = if is_here { Role::Strong } else { Role::Text };
        let spans = [
            (format!("{sign} {}{gap}", one.label), role),
            (one.note.clone(), Role::Dim),
        ];
        canvas.spans(area.x, y, area.width, &spans);
    }
}

fn draw_step(canvas: &mut Canvas<'_>, area: Rect, entry: &Entry, is_focused: bool) {
    let Input::Step {
        is_done,
        note,
        is_noting,
    } = &entry.input
    else {
        return;
    };
    let tick = if *is_done { "[x]" } else { "[ ]" };
    let role = match (is_focused && !is_noting, *is_done) {
        (true, _) => Role::Cursor,
        (false, true) => Role::Good,
        (false, false) => Role::Text,
    };
    let line = Rect { height: 1, ..area };
    canvas.text(
        Rect {
            width: TICK - 1,
            ..line
        },
        tick,
        role,
    );
    let name = if is_focused { Role::Strong } else { Role::Text };
    let is_narrow = area.width < NOTE_BESIDE;
    let (words, beside) = places_of_step(area, is_narrow);
    canvas.text(
        Rect {
            x: area.x + TICK,
            width: words,
            ..line
        },
        &entry.label,
        name,
    );
    if has_note(entry) {
        note.draw(
            beside,
            canvas.buffer,
            canvas.paint,
            is_focused && *is_noting,
        );
    } else if let Some(problem) = &entry.problem {
        if !is_narrow {
            canvas.text(beside, problem, Role::Bad);
        }
    } else if is_focused && !is_narrow {
        canvas.text(beside, &entry.hint, Role::Dim);
    }
}

/// Cells for the words of a step, and where its note stands: beside them, or under them.
fn places_of_step(area: Rect, is_narrow: bool) -> (u16, Rect) {
    if is_narrow {
        let width = area.width.saturating_sub(TICK);
        let under = Rect {
            x: area.x + TICK,
            y: area.y + 1,
            width,
            height: area.height.saturating_sub(1).min(1),
        };
        return (width, under);
    }
    let words = area.width * 11 / 20;
    let taken = TICK + words + 1;
    let beside = Rect {
        x: area.x + taken,
        width: area.width.saturating_sub(taken),
        height: 1,
        ..area
    };
    (words, beside)
}

fn draw_diff(
    canvas: &mut Canvas<'_>,
    area: Rect,
    entry: &Entry,
    (lines, top): (&[String], usize),
    is_focused: bool,
) {
    let role = if is_focused { Role::Strong } else { Role::Dim };
    let shown = usize::from(area.height.saturating_sub(1));
    // The last lines fill the window instead of scrolling out of it.
    let first = top.min(lines.len().saturating_sub(shown));
    let last = (first + shown).min(lines.len());
    let place = format!(
        "{}   lines {}–{last} of {}",
        entry.hint,
        first + 1,
        lines.len()
    );
    let keys = if is_focused {
        "   } { hunk   j k line"
    } else {
        ""
    };
    let head = Rect { height: 1, ..area };
    let text = wrap(&format!("diff   {place}{keys}"), usize::from(area.width));
    canvas.text(head, text.first().map_or("", String::as_str), role);
    for (line, y) in lines.iter().skip(first).zip(area.top() + 1..area.bottom()) {
        let role = match line.chars().next() {
            Some('+') => Role::Good,
            Some('-') => Role::Bad,
            Some('@') => Role::Active,
            _ => Role::Text,
        };
        let row = Rect {
            y,
            height: 1,
            ..area
        };
        let edge = canvas.paint.glyphs.field;
        canvas.text(
            Rect { width: 1, ..row },
            edge,
            if is_focused {
                Role::Focus
            } else {
                Role::Border
            },
        );
        canvas.text(
            Rect {
                x: row.x + 1,
                width: row.width.saturating_sub(1),
                ..row
            },
            line,
            role,
        );
    }
}
