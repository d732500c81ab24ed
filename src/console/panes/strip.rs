//! The strip under a task: what is asked, what can be filled in, and what it leads to.
//!
//! Everything is laid out on a sheet as high as it needs to be. Where there is less room, the part of it
//! that has the focus is shown; what is wrong and the keys always are.

mod entries;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::console::kinds::{self, Fact, Shown};
use crate::console::model::strip::entry::{Entry, Key};
use crate::console::model::strip::{Purpose, Strip};
use crate::console::model::{Drawn, Model};
use crate::console::sanitise::width;
use crate::console::theme::Role;
use crate::console::update::{effect_of, hold_of};
use crate::console::view::kit::{Canvas, Size, wrap};
use crate::console::widgets::section::{Look, Section};

/// Cells of the labels, at least and at most.
const LABEL: (usize, usize) = (9, 16);
/// Most lines of one fact.
const FACT_LINES: usize = 3;

/// A piece of the sheet.
struct Block {
    height: u16,
    what: What,
}

enum What {
    Line(String, String, Role),
    Entry(usize),
    Outcome,
}

/// Whether the task itself is shown beside the strip, so that only what is essential is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beside {
    /// It is.
    Task,
    /// It is not.
    Nothing,
}

/// Lines that the strip would take in an area of so many columns.
pub(crate) fn height(model: &Model, size: Size, columns: u16, beside: Beside) -> u16 {
    let Some(strip) = &model.strip else {
        return 0;
    };
    let inner = if size == Size::Wide {
        columns.saturating_sub(4)
    } else {
        columns
    };
    let rows: u16 = blocks(model, strip, size, inner, beside)
        .iter()
        .map(|block| block.height)
        .sum();
    let notes = u16::try_from(notes(strip, usize::from(inner)).len()).unwrap_or(0);
    rows + notes + 2
}

/// Draws it.
pub(crate) fn draw(model: &Model, canvas: &mut Canvas<'_>, area: Rect, beside: Beside) {
    let Some(strip) = &model.strip else {
        return;
    };
    if area.is_empty() {
        return;
    }
    let is_boxed = canvas.size == Size::Wide;
    let columns = if is_boxed {
        area.width.saturating_sub(4)
    } else {
        area.width
    };
    let blocks = blocks(model, strip, canvas.size, columns, beside);
    let notes = notes(strip, usize::from(columns));
    let edges = if is_boxed { 2 } else { 1 };
    let foot_lines = u16::from(!is_boxed);
    let pinned = u16::try_from(notes.len()).unwrap_or(0) + foot_lines;
    let room = area.height.saturating_sub(edges + pinned).max(1);
    let total: u16 = blocks.iter().map(|block| block.height).sum();
    let first = first_shown(&blocks, strip, total, room);
    let part = if total > room {
        format!("{}–{} of {total}", first + 1, (first + room).min(total))
    } else {
        String::new()
    };
    let required = required(strip);
    let foot_room =
        usize::from(area.width).saturating_sub(if is_boxed { width(&required) + 8 } else { 0 });
    let foot = foot(strip, foot_room);
    let inner = frame(canvas, area, strip, &foot, &part);
    let sheet = sheet(canvas, strip, &blocks, inner.width, total);
    let shown = room.min(total).min(inner.height);
    copy(
        canvas,
        &sheet,
        first,
        Rect {
            height: shown,
            ..inner
        },
    );
    let mut y = inner.y + shown;
    for (text, role) in notes {
        if y < inner.bottom() {
            canvas.text(
                Rect {
                    y,
                    height: 1,
                    ..inner
                },
                &text,
                role,
            );
            y += 1;
        }
    }
    if !is_boxed && y < inner.bottom() {
        canvas.text(
            Rect {
                y,
                height: 1,
                ..inner
            },
            &foot,
            Role::Dim,
        );
    }
}

/// The first line of the sheet that is shown, so that what has the focus is in view.
fn first_shown(blocks: &[Block], strip: &Strip, total: u16, room: u16) -> u16 {
    if total <= room {
        return 0;
    }
    let mut y = 0;
    for block in blocks {
        let is_focused = match block.what {
            What::Entry(index) => index == strip.focus,
            What::Outcome => strip.focus >= strip.entries.len(),
            What::Line(..) => false,
        };
        if is_focused {
            let last = y + block.height;
            return last.saturating_sub(room).min(y);
        }
        y += block.height;
    }
    0
}

/// Draws every block on a sheet of its own.
fn sheet(canvas: &Canvas<'_>, strip: &Strip, blocks: &[Block], columns: u16, lines: u16) -> Buffer {
    let area = Rect::new(0, 0, columns, lines);
    let mut buffer = Buffer::empty(area);
    buffer.set_style(area, canvas.paint.style(Role::Text));
    let mut paper = Canvas {
        buffer: &mut buffer,
        paint: canvas.paint,
        size: canvas.size,
        drawn: Drawn::default(),
    };
    let label = label_width(strip, canvas.size);
    let mut y = 0;
    for block in blocks {
        let line = Rect {
            y,
            height: block.height,
            ..area
        };
        match &block.what {
            What::Line(name, text, role) => draw_line(&mut paper, line, label, (name, text), *role),
            What::Entry(index) => {
                if let Some(entry) = strip.entries.get(*index) {
                    let is_focused = *index == strip.focus && !strip.is_sent;
                    entries::draw(&mut paper, line, label, entry, is_focused);
                }
            }
            What::Outcome => draw_outcomes(&mut paper, line, label, strip),
        }
        y += block.height;
    }
    buffer
}

fn copy(canvas: &mut Canvas<'_>, sheet: &Buffer, first: u16, area: Rect) {
    for y in 0..area.height {
        for x in 0..area.width.min(sheet.area.width) {
            let from = sheet.cell((x, first + y));
            let to = canvas.buffer.cell_mut((area.x + x, area.y + y));
            if let (Some(from), Some(to)) = (from, to) {
                to.clone_from(from);
            }
        }
    }
}

fn draw_line(canvas: &mut Canvas<'_>, area: Rect, label: u16, line: (&str, &str), role: Role) {
    let (name, text) = line;
    canvas.facts(area, label, &[(name.to_owned(), (text.to_owned(), role))]);
}

/// What the sheet is made of, in order.
fn blocks(model: &Model, strip: &Strip, size: Size, columns: u16, beside: Beside) -> Vec<Block> {
    let label = label_width(strip, size);
    let room = usize::from(columns.saturating_sub(label)).max(1);
    let line = |name: &str, text: &str, role: Role, most: usize| Block {
        height: u16::try_from(wrap(text, room).len().min(most)).unwrap_or(1),
        what: What::Line(name.to_owned(), text.to_owned(), role),
    };
    let mut blocks = Vec::new();
    if strip.outcome().is_some() {
        if beside == Beside::Nothing && !is_title_asked(strip) {
            blocks.push(line("asks", &strip.task.title, Role::Strong, 2));
        }
        let facts = kinds::of(&strip.task.task_type).facts(&strip.brief());
        let is_shown = |fact: &&Fact| match fact.shown {
            Shown::Always => true,
            Shown::Beside => beside == Beside::Nothing,
            Shown::Closed => false,
        };
        for fact in facts
            .iter()
            .filter(is_shown)
            .filter(|fact| fact.text != strip.task.title)
        {
            let most = match (size, fact.shown) {
                (Size::Tiny, Shown::Always) => 2,
                (Size::Tiny, _) => 1,
                _ => FACT_LINES,
            };
            blocks.push(line(&fact.label, &fact.text, fact.role, most));
        }
    } else {
        blocks.push(line("asks", &strip.task.title, Role::Strong, 2));
    }
    for (index, entry) in strip.entries.iter().enumerate() {
        let is_focused = index == strip.focus;
        blocks.push(Block {
            height: entries::height(entry, size, columns, label, is_focused),
            what: What::Entry(index),
        });
    }
    if strip.is_long() && strip.has_outcomes() {
        blocks.push(Block {
            height: 1,
            what: What::Outcome,
        });
    }
    let effect = effect(model, strip);
    // Where it does not fit, what the keys say anyway is left out.
    let short = effect.trim_end_matches(", u takes it back");
    let effect = if width(&effect) > room {
        short
    } else {
        &effect
    };
    blocks.push(line("effect", effect, Role::Text, 2));
    blocks
}

/// Whether the title of the strip is the question itself.
fn is_title_asked(strip: &Strip) -> bool {
    question(strip).contains(&strip.task.title)
}

fn label_width(strip: &Strip, size: Size) -> u16 {
    let longest = strip
        .entries
        .iter()
        .filter(|entry| !matches!(entry.key, Key::Step(_) | Key::Diff))
        .map(|entry| width(&entry.label) + usize::from(is_starred(entry)) * 2 + 2)
        .max()
        .unwrap_or(0);
    let most = if size == Size::Tiny { 11 } else { LABEL.1 };
    u16::try_from(longest.clamp(LABEL.0, most)).unwrap_or(9)
}

/// Whether the label says that the field has to be filled in; for words the frame does.
pub(super) fn is_starred(entry: &Entry) -> bool {
    use crate::console::model::strip::entry::Need;
    entry.need != Need::Never && !matches!(entry.key, Key::Comment | Key::Answer)
}

fn effect(model: &Model, strip: &Strip) -> String {
    let sender = strip.task.from.name();
    match strip.outcome() {
        Some(outcome) => {
            let hold = hold_of(model, &strip.task);
            effect_of(&outcome, sender, strip.after.as_ref(), hold)
        }
        None => format!("a line in the thread; {sender} can read it. The task stays open"),
    }
}

/// What always is in view: what changed, what is wrong.
fn notes(strip: &Strip, columns: usize) -> Vec<(String, Role)> {
    let mut notes: Vec<(String, Role)> = Vec::new();
    let mut say = |text: &str, most: usize| {
        let lines = wrap(text, columns).into_iter().take(most);
        notes.extend(lines.map(|line| (line, Role::Warn)));
    };
    if let Some(change) = &strip.change {
        if strip.is_change_shown {
            say(&format!("changed: {}", change.all.join(" · ")), 3);
        } else {
            say(&format!("changed by {}", change.line), 1);
            say("Enter is off: Ctrl-R shows what changed", 1);
        }
    }
    if let Some(problem) = &strip.problem {
        say(problem, 2);
    } else if strip.is_sent {
        notes.push(("sent, waiting for the broker".to_owned(), Role::Dim));
    }
    notes
}

/// Whether words are needed, in words.
fn required(strip: &Strip) -> String {
    let is_words = |entry: &&Entry| matches!(entry.key, Key::Comment | Key::Answer);
    let words = strip.entries.iter().find(is_words);
    match (strip.outcome(), words) {
        (None, _) | (_, None) => String::new(),
        (Some(_), Some(entry)) => {
            let how = match (entry.is_needed(strip.is_no()), entry.is_empty()) {
                (true, true) => "required",
                (true, false) => "given",
                (false, _) => "optional",
            };
            format!("{} {how}", entry.label)
        }
    }
}

fn question(strip: &Strip) -> String {
    match strip.outcome() {
        Some(outcome) => kinds::of(&strip.task.task_type).question(&strip.brief(), &outcome),
        None => format!("reply to {}; decides nothing", strip.intent.short()),
    }
}

fn frame(canvas: &mut Canvas<'_>, area: Rect, strip: &Strip, foot: &str, part: &str) -> Rect {
    let is_boxed = canvas.size == Size::Wide;
    let title = question(strip);
    let required = required(strip);
    let version = format!("version {}", strip.version);
    let right: Vec<&str> = if is_boxed {
        vec![part, &version]
    } else if area.width >= 60 {
        vec![part, &required, &version]
    } else {
        vec![part, if part.is_empty() { &required } else { "" }]
    };
    let right: Vec<&str> = right.into_iter().filter(|text| !text.is_empty()).collect();
    let right = right.join("   ");
    let look = if is_boxed { Look::Round } else { Look::Ruled };
    let mut section = Section::new(&title, &right, look);
    section.is_focused = true;
    section.bottom = (foot, &required);
    section.draw(area, canvas.buffer, canvas.paint)
}

fn draw_outcomes(canvas: &mut Canvas<'_>, area: Rect, label: u16, strip: &Strip) {
    let is_focused = strip.focus >= strip.entries.len() && !strip.is_sent;
    let name = if is_focused { Role::Strong } else { Role::Dim };
    canvas.text(
        Rect {
            width: label,
            ..area
        },
        "outcome",
        name,
    );
    let Purpose::Decide { outcomes, chosen } = &strip.purpose else {
        return;
    };
    let place = Rect {
        x: area.x + label,
        width: area.width.saturating_sub(label),
        ..area
    };
    let names: Vec<&str> = outcomes.iter().map(String::as_str).collect();
    entries::draw_choices(canvas, place, &names, Some(*chosen), is_focused);
}

/// The keys of the strip, as many as there is room for.
fn foot(strip: &Strip, room: usize) -> String {
    let enter = if strip.outcome().is_some() {
        "Enter stage"
    } else {
        "Enter send"
    };
    let (whole, short) = match &strip.purpose {
        Purpose::Reply => (String::new(), String::new()),
        Purpose::Decide { .. } if strip.is_long() => {
            let tab = if strip.focus >= strip.entries.len() {
                "Tab next outcome   S-Tab back"
            } else {
                "Tab next"
            };
            (tab.to_owned(), "Tab".to_owned())
        }
        Purpose::Decide { outcomes, chosen } => {
            let names: Vec<String> = outcomes
                .iter()
                .enumerate()
                .map(|(index, name)| {
                    if index == *chosen {
                        format!("[{name}]")
                    } else {
                        name.clone()
                    }
                })
                .collect();
            let name = outcomes.get(*chosen).map_or("", String::as_str);
            let place = format!("Tab [{name}] {}/{}", chosen + 1, outcomes.len());
            (format!("Tab {}", names.join(" ")), place)
        }
    };
    let joined = |parts: &[&str]| {
        let parts: Vec<&str> = parts
            .iter()
            .copied()
            .filter(|part| !part.is_empty())
            .collect();
        parts.join("   ")
    };
    let tries = [
        joined(&[
            enter,
            &whole,
            "Ctrl-E $EDITOR",
            "Ctrl-J new line",
            "Esc keep draft",
        ]),
        joined(&[enter, &whole, "Ctrl-E $EDITOR", "Esc keep draft"]),
        joined(&[enter, &whole, "Esc keep draft"]),
        joined(&[enter, &short, "Esc keep draft"]),
        format!("{enter}  {short}  Esc"),
        format!("Enter  {short}  Esc"),
    ];
    let last = tries.last().cloned().unwrap_or_default();
    tries
        .into_iter()
        .find(|text| width(text) <= room)
        .unwrap_or(last)
}
