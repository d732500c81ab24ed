//! The strip under a task: what is decided, with which words, and what it leads to.

use ratatui::layout::Rect;

use crate::console::model::Model;
use crate::console::model::strip::{Purpose, Strip};
use crate::console::theme::Role;
use crate::console::update::effect_of;
use crate::console::view::kit::{Canvas, Size, wrap};
use crate::console::widgets::section::{Look, Section};

/// Cells of the labels.
const LABEL: u16 = 9;
/// Most lines of the comment that are shown.
const LINES_MAX: usize = 4;

/// Lines that the strip takes.
pub(crate) fn height(model: &Model) -> u16 {
    let Some(strip) = &model.strip else {
        return 0;
    };
    let words = strip.editor.height().clamp(1, LINES_MAX);
    let notes = usize::from(strip.problem.is_some()) + usize::from(strip.change.is_some());
    u16::try_from(words + notes + 3).unwrap_or(5)
}

/// Draws it.
pub(crate) fn draw(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let Some(strip) = &model.strip else {
        return;
    };
    if area.is_empty() {
        return;
    }
    let is_boxed = canvas.size == Size::Wide;
    let foot = keys(strip, canvas.size);
    let inner = frame(canvas, area, strip, &foot, is_boxed);
    let words = u16::try_from(strip.editor.height().clamp(1, LINES_MAX)).unwrap_or(1);
    let heading = if strip.outcome().is_some() {
        "comment"
    } else {
        "words"
    };
    canvas.text(Rect { height: 1, ..inner }, heading, Role::Dim);
    let field = Rect {
        x: inner.x + LABEL,
        width: inner.width.saturating_sub(LABEL),
        height: words.min(inner.height),
        ..inner
    };
    strip
        .editor
        .draw(field, canvas.buffer, canvas.paint, !strip.is_sent);
    let mut y = inner.y + words;
    for (name, text, role) in notes(model, strip, canvas.size) {
        if y >= inner.bottom() {
            return;
        }
        let line = Rect {
            y,
            height: 1,
            ..inner
        };
        let room = usize::from(inner.width.saturating_sub(LABEL));
        let text = wrap(&text, room).into_iter().next().unwrap_or_default();
        canvas.text(
            Rect {
                width: LABEL,
                ..line
            },
            name,
            Role::Dim,
        );
        let place = Rect {
            x: line.x + LABEL,
            width: line.width.saturating_sub(LABEL),
            ..line
        };
        canvas.text(place, &text, role);
        y += 1;
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

/// Whether words are needed, in words.
fn required(strip: &Strip) -> &'static str {
    match (strip.outcome(), strip.is_comment_required, strip.comment()) {
        (None, _, _) => "",
        (Some(_), true, None) => "comment required",
        (Some(_), true, Some(_)) => "comment given",
        (Some(_), false, _) => "comment optional",
    }
}

fn frame(canvas: &mut Canvas<'_>, area: Rect, strip: &Strip, foot: &str, is_boxed: bool) -> Rect {
    let name = strip.intent.short();
    let title = match strip.outcome() {
        Some(outcome) => format!("{outcome}: {name}?"),
        None => format!("reply to {name}; decides nothing"),
    };
    let version = format!("version {}", strip.version);
    let right = match (is_boxed, required(strip)) {
        (true, _) | (false, "") => version,
        (false, required) if area.width >= 60 => format!("{required}   {version}"),
        (false, required) => required.to_owned(),
    };
    let look = if is_boxed { Look::Round } else { Look::Ruled };
    let mut section = Section::new(&title, &right, look);
    section.is_focused = true;
    section.bottom = (foot, required(strip));
    section.draw(area, canvas.buffer, canvas.paint)
}

fn notes(model: &Model, strip: &Strip, size: Size) -> Vec<(&'static str, String, Role)> {
    let mut notes = Vec::new();
    let task = model
        .inbox
        .tasks
        .cursor_row()
        .filter(|task| task.intent == strip.intent);
    if let (Size::Tiny, Some(task)) = (size, task) {
        // The list is not in view there: say what is being decided.
        notes.push(("asks", task.title.clone(), Role::Strong));
    }
    let sender = task.map_or("the sender", |task| task.from.name());
    let effect = match strip.outcome() {
        Some(outcome) => effect_of(outcome, sender, model.hold()),
        None => format!("a line in the thread; {sender} can read it. The task stays open"),
    };
    notes.push(("effect", effect, Role::Text));
    if let Some(change) = &strip.change {
        let text = if strip.is_change_shown {
            change.clone()
        } else {
            "the task changed while you wrote: Ctrl-R shows how".to_owned()
        };
        notes.push(("changed", text, Role::Warn));
    }
    if let Some(problem) = &strip.problem {
        notes.push(("", problem.clone(), Role::Warn));
    } else if strip.is_sent {
        notes.push(("", "sent, waiting for the broker".to_owned(), Role::Dim));
    }
    notes
}

/// The keys of the strip, as they stand on its lower edge.
fn keys(strip: &Strip, size: Size) -> String {
    let outcomes = match &strip.purpose {
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
            format!("   Tab {}", names.join(" "))
        }
        Purpose::Reply => String::new(),
    };
    let enter = if strip.outcome().is_some() {
        "Enter stage"
    } else {
        "Enter send"
    };
    let rest = if size == Size::Wide {
        "   Ctrl-J new line   Esc keep draft"
    } else {
        "   Esc keep draft"
    };
    format!("{enter}{outcomes}{rest}")
}
