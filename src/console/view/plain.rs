//! The screen for those who listen to it: one column of lines, a word for every sign.
//!
//! 1. It is the same screen: what the panes draw is read back, signs become words, and what only paints
//!    (rules, bars, boxes) goes. Whatever a pane shows is therefore here as well.
//! 2. The terminal's own cursor stands on the focused row, or in the field that is typed in.
//! 3. The newest changes stand in the log at the end, oldest first, so that new ones are appended.
//!
//! How often it is drawn is the loop's business.

mod spoken;

use std::sync::OnceLock;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::chrome;
use super::kit::{Size, wrap};
use crate::console::format;
use crate::console::model::{Drawn, Model};
use crate::console::panes::words;
use crate::console::sanitise::width;
use crate::console::theme::glyphs::SPOKEN;
use crate::console::theme::{Role, Theme, Themes, depth::Depth};
use crate::console::widgets::{Paint, put};
use crate::domain::ids::IntentId;

use self::spoken::Line;

/// Cells that the panes are given: enough for one column of them and no more.
const COLUMNS: u16 = 79;
/// Fewest lines of a screen that has room for the log.
const LOG_FROM: u16 = 16;
/// Entries of the log.
const LOG_LINES: u16 = 4;

/// A line of the screen.
#[derive(Debug)]
struct Shown {
    text: String,
    /// Where the terminal's cursor stands in it, if it is this line that has the focus.
    cursor: Option<u16>,
    is_row: bool,
}

/// Draws the model.
pub(super) fn view(model: &Model, paint: Paint<'_>, buffer: &mut Buffer) -> Drawn {
    let area = buffer.area;
    let log = if area.height >= LOG_FROM {
        log(model, area.width)
    } else {
        Vec::new()
    };
    let log_height = u16::try_from(log.len()).unwrap_or(0);
    let room = area.height.saturating_sub(log_height);
    let (mut drawn, lines) = read(model, room);
    let head = header(model, area.width);
    let lines = visible(head, lines, area.width, room);
    for (line, y) in lines.iter().zip(area.y..) {
        put(
            buffer,
            area.x,
            y,
            &line.text,
            area.width,
            paint.style(Role::Text),
        );
        let whole = Rect::new(area.x, y, area.width, 1);
        if line.is_row {
            buffer.set_style(whole, paint.style(Role::Cursor));
        }
        if let Some(x) = line.cursor {
            drawn.cursor = Some((
                area.x.saturating_add(x.min(area.width.saturating_sub(1))),
                y,
            ));
        }
    }
    for (line, y) in log.iter().zip(area.bottom().saturating_sub(log_height)..) {
        put(buffer, area.x, y, line, area.width, paint.style(Role::Text));
    }
    drawn
}

/// What the panes draw, read back as lines: the body, then the status line and the hints.
fn read(model: &Model, rows: u16) -> (Drawn, Vec<Line>) {
    static THEME: OnceLock<Theme> = OnceLock::new();
    // Attributes alone: what has the focus is reversed, and nothing else in its place is.
    let theme = THEME.get_or_init(|| Themes::built_in().load("mono", Depth::Ansi16).0);
    let paint = Paint {
        theme,
        glyphs: &SPOKEN,
    };
    let size = if rows >= 12 { Size::Narrow } else { Size::Tiny };
    let mut off = Buffer::empty(Rect::new(0, 0, COLUMNS, rows.max(9)));
    let drawn = super::draw(model, paint, &mut off, size);
    // Header and tabs are said in words of their own.
    let skip = if size == Size::Narrow { 2 } else { 1 };
    let lines = (off.area.top() + skip..off.area.bottom()).map(|y| spoken::line(&off, y));
    let lines = lines.filter(|line| !line.text.is_empty()).collect();
    // Nothing of it lies where it was drawn.
    let drawn = Drawn {
        hits: Vec::new(),
        ..drawn
    };
    (drawn, lines)
}

/// Everything that fits: the header, the lines around the one with the focus, and the last ones.
fn visible(head: Vec<String>, lines: Vec<Line>, columns: u16, room: u16) -> Vec<Shown> {
    let mut shown: Vec<Shown> = head
        .into_iter()
        .map(|text| Shown {
            text,
            cursor: None,
            is_row: false,
        })
        .collect();
    let head = shown.len();
    for line in lines {
        let is_row = line.is_focused;
        let mut cursor = line.cursor;
        for text in wrap(&line.text, columns.into()) {
            let cells = u16::try_from(width(&text)).unwrap_or(u16::MAX);
            let here = cursor.filter(|at| *at <= cells);
            cursor = match here {
                Some(_) => None,
                None => cursor.map(|at| at.saturating_sub(cells.saturating_add(1))),
            };
            shown.push(Shown {
                text,
                cursor: here,
                is_row,
            });
        }
    }
    let room = usize::from(room);
    let focus = shown.iter().rposition(|line| line.cursor.is_some());
    while shown.len() > room && shown.len() > head + 1 {
        // The status line and the hints stay, and so does the focus; what is farthest from it goes.
        let last = shown.len().saturating_sub(3);
        let focus = focus.unwrap_or(head).min(last);
        let goes = if last > focus { last } else { head };
        shown.remove(goes);
        if goes < focus {
            return visible_again(shown, head, room);
        }
    }
    shown.truncate(room);
    shown
}

/// The focus is near the end: lines at the beginning of the body go.
fn visible_again(mut shown: Vec<Shown>, head: usize, room: usize) -> Vec<Shown> {
    while shown.len() > room && shown.len() > head + 1 {
        shown.remove(head);
    }
    shown.truncate(room);
    shown
}

/// Where we are and how things stand, in words.
fn header(model: &Model, columns: u16) -> Vec<String> {
    let mut parts = vec![chrome::header::link_words(model)];
    let hello = model.hello.as_ref();
    if let Some(environment) = hello
        .map(|hello| &hello.environment)
        .filter(|name| !name.is_empty())
    {
        parts.push(format!("environment {environment}"));
    }
    parts.push(match model.may_act() {
        Ok(()) => "read and write".to_owned(),
        Err(_) => "read only".to_owned(),
    });
    if let Some(overview) = &model.overview {
        let count = |index: usize| overview.states.get(index).copied().unwrap_or(0);
        parts.push(format!("out {}", words::rate(overview.out_per_second)));
        parts.push(format!(
            "running {}",
            format::count(overview.attempts_running)
        ));
        parts.push(format!("retrying {}", format::count(count(2))));
        parts.push(match overview.dead_last_hour {
            0 => format!("dead letters {}", format::count(count(7))),
            hour => format!(
                "dead letters {}, up {} in an hour",
                format::count(count(7)),
                format::count(hour)
            ),
        });
        parts.push(match overview.tasks_overdue {
            0 => format!("inbox {}", format::count(overview.tasks_open)),
            overdue => format!(
                "inbox {}, {overdue} overdue",
                format::count(overview.tasks_open)
            ),
        });
    }
    let mut lines = wrap(&parts.join(", "), columns.into());
    let (title, _) = model.view.place.titles();
    let mut place = vec![format!("Desk {title}")];
    place.extend(chrome::crumbs(model));
    lines.extend(wrap(&place.join(", then "), columns.into()));
    lines
}

/// The newest changes and messages, oldest first.
fn log(model: &Model, columns: u16) -> Vec<String> {
    let count = usize::from(LOG_LINES);
    let facts = model.tail.rows.iter().take(count).map(|fact| {
        let intent = fact.intent.map(IntentId::short).unwrap_or_default();
        let agent = fact.agent.as_ref().map_or("", |agent| agent.name());
        let detail = words::event_text(&fact.kind, &fact.data.to_value(), model.at.wall);
        let text = format!(
            "{} {intent} {agent} {detail}",
            words::event_word(&fact.kind)
        );
        (fact.at, text)
    });
    let said = model.messages.iter().rev().take(count);
    let said = said.map(|message| (message.at, format!("console: {}", message.text)));
    let mut entries: Vec<_> = facts.chain(said).collect();
    entries.sort_by_key(|(at, _)| *at);
    let skip = entries.len().saturating_sub(count);
    let mut lines = vec!["Log".to_owned()];
    lines.extend(entries.into_iter().skip(skip).map(|(at, text)| {
        let text = spoken::words(&format!("{} {text}", format::clock(at)));
        crate::console::sanitise::fit(&text, columns.into())
    }));
    lines
}

/// Whether a cell is drawn as that which has the focus.
fn is_reversed(cell: &ratatui::buffer::Cell) -> bool {
    cell.modifier.contains(Modifier::REVERSED)
}
