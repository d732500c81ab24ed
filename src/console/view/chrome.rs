//! Around every desk: header, tabs and crumbs, the status line, the hints.

pub(super) mod header;
mod level;

use ratatui::layout::Rect;

use crate::console::action::Action;
use crate::console::action::place::Place;
use crate::console::format;
use crate::console::keymap::print::Hint;
use crate::console::model::overlay::Overlay;
use crate::console::model::panel::{Deed, Panel};
use crate::console::model::{FOLLOWS_AFTER_MS, Hit, Model, Target, Weight};
use crate::console::sanitise::{fit, width};
use crate::console::theme::Role;
use crate::console::update::offer::{self, is_of_use};
use crate::console::update::{intent, seconds_left};
use crate::desk::rows::Overview;
use crate::domain::ids::Cursor;

use super::kit::{Canvas, Size, span};

/// Open dead letters.
fn dead_of(overview: &Overview) -> u64 {
    overview.states.last().copied().unwrap_or(0)
}

/// The tabs and the crumbs.
pub(super) fn tabs(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let is_wide = canvas.size == Size::Wide;
    let mut x = area.x + u16::from(is_wide);
    for (place, number) in Place::ALL.into_iter().zip(1_u8..) {
        let is_here = model.view.place == place;
        let (title, short) = place.titles();
        let badge = if is_wide {
            badge(model, place)
        } else {
            String::new()
        };
        let title = if is_wide { title } else { short };
        let text = format!("{number} {title}{badge}");
        let (open, close) = if is_here { ("[", "]") } else { (" ", " ") };
        let role = if is_here { Role::Tab } else { Role::Text };
        let start = x;
        let spans = [span(open, role), span(text, role), span(close, role)];
        x = canvas.spans(x, area.y, area.right().saturating_sub(x), &spans);
        let hit = Rect {
            x: start,
            width: x - start,
            ..area
        };
        canvas.drawn.hits.push(Hit {
            area: hit,
            target: Target::Tab(place),
        });
    }
    if model.is_recorded {
        canvas.text_right(area, "REC", Role::Warn);
    }
    let crumbs = crumbs(model);
    if !crumbs.is_empty() {
        let text = format!(" {} ", canvas.paint.glyphs.crumb);
        let text = format!("{text}{}", crumbs.join(&text));
        let kept = if model.is_recorded { 5 } else { 0 };
        let room = area.right().saturating_sub(x + kept);
        canvas.spans(x, area.y, room, &[span(text, Role::Strong)]);
    }
}

fn badge(model: &Model, place: Place) -> String {
    let Some(overview) = &model.overview else {
        return String::new();
    };
    match place {
        Place::Inbox if overview.tasks_open > 0 => {
            let overdue = if overview.tasks_overdue > 0 { "!" } else { "" };
            format!(" {}{overdue}", format::count(overview.tasks_open))
        }
        Place::DeadLetters if dead_of(overview) > 0 => {
            format!(" {}", format::count(dead_of(overview)))
        }
        _ => String::new(),
    }
}

pub(super) fn crumbs(model: &Model) -> Vec<String> {
    let mut crumbs = Vec::new();
    match model.view.place {
        Place::DeadLetters if model.pane() == 1 || model.view.intent.is_some() => {
            if let Some(group) = &model.dead.letters_of {
                crumbs.push(model.dead.label(group));
            }
        }
        Place::Inbox if model.view.intent.is_none() => {
            if let Some(task) = model.inbox.tasks.cursor() {
                crumbs.push(task.short());
            }
        }
        Place::Agents if model.view.intent.is_none() => {
            if let Some(agent) = model.agents.rows.cursor() {
                crumbs.push(agent.name().to_owned());
            }
        }
        _ => {}
    }
    if let Some(intent) = model.view.intent {
        crumbs.push(intent.short());
    }
    match &model.overlay {
        Some(Overlay::Panel(panel)) => crumbs.push(panel.button.to_lowercase()),
        Some(Overlay::Edit(_)) => crumbs.push("edit".to_owned()),
        Some(Overlay::Compare(_)) => crumbs.push("compare".to_owned()),
        _ => {}
    }
    crumbs
}

/// The status line: what is held with its countdown, then the last message.
pub(super) fn status(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let mut x = area.x + u16::from(canvas.size == Size::Wide);
    let held = model.held_now();
    let ours = model.staged.last();
    let shown = held
        .iter()
        .find(|held| ours.is_some_and(|ours| ours.hold == held.hold))
        .or_else(|| held.first());
    if let Some(held_row) = shown {
        let is_ours = model
            .staged
            .iter()
            .any(|staged| staged.hold == held_row.hold);
        let left = seconds_left(held_row.effective_at, model.at.wall);
        let name = held_row.intent.short();
        let by = held_row.by.rsplit('/').next().unwrap_or(&held_row.by);
        let text = match (canvas.size, is_ours) {
            (Size::Tiny, _) => format!(" {name} {}", held_row.act),
            (_, true) => format!(" {name} {}, held, not yet final", held_row.act),
            (_, false) => format!(" {name} {} by {by}, held", held_row.act),
        };
        let undo = if is_ours { "   u undo" } else { "   U list" };
        let more = match held.len() {
            1 => String::new(),
            count => format!("  +{} more", count - 1),
        };
        let spans = [
            span(format!("[{left}]"), Role::Held),
            span(text, Role::Text),
            span(more, Role::Dim),
            span(undo, Role::Key),
        ];
        x = canvas.spans(x, area.y, area.right().saturating_sub(x), &spans);
        x = x.saturating_add(3);
    }
    let rest = Rect {
        x,
        width: area.right().saturating_sub(x),
        ..area
    };
    if rest.width < 12 {
        return;
    }
    if let Some(message) = model.fresh_message() {
        let role = match message.weight {
            Weight::Info => Role::Text,
            Weight::Warn => Role::Warn,
            Weight::Error => Role::Bad,
        };
        canvas.text(rest, &message.text, role);
    } else if let Some(text) = intent::as_of_text(model) {
        canvas.text(rest, &text, Role::Warn);
    } else if let Some(text) = paused_text(model) {
        canvas.text(rest, &text, Role::Warn);
    } else if shown.is_some() && canvas.size == Size::Wide {
        canvas.text_right(
            rest,
            "kept by the broker: visible to every operator ",
            Role::Dim,
        );
    } else if let Err(reason) = model.may_act()
        && model.hello.is_some()
    {
        canvas.text(rest, &reason, Role::Warn);
    } else if let Some(text) = panel_text(model, canvas.size) {
        canvas.text(rest, &text, Role::Dim);
    }
}

/// What an open panel that orders a job has done so far, and as of when its numbers are.
fn panel_text(model: &Model, size: Size) -> Option<String> {
    let Some(Overlay::Panel(panel)) = &model.overlay else {
        return None;
    };
    if !matches!(panel.deed, Deed::Order(..)) {
        return None;
    }
    let nothing = "Nothing happens until the button is pressed";
    Some(match panel.planned_at.filter(|_| size == Size::Wide) {
        Some(Cursor(at)) => format!(
            "{nothing}; each one is looked at again then. Dry run at feed cursor {}.",
            format::count(at)
        ),
        None => format!("{nothing}; each one is looked at again then."),
    })
}

/// Since when the rows are frozen.
fn paused_text(model: &Model) -> Option<String> {
    let (since, missed) = model.paused?;
    let seconds = model.at.millis_since(since) / 1_000;
    let clock = format!("{:02}:{:02}", seconds / 60, seconds % 60);
    let missed = format::count(missed);
    Some(format!(
        "PAUSED {clock}  +{missed} changes meanwhile, p goes on"
    ))
}

/// Whether the status line says anything.
pub(super) fn has_status(model: &Model) -> bool {
    !model.held_now().is_empty()
        || model.fresh_message().is_some()
        || intent::as_of_text(model).is_some()
        || model.paused.is_some()
        || (model.may_act().is_err() && model.hello.is_some())
}

/// The hint lines, from the registry. What opens everything else always has its place.
pub(super) fn hints(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let is_begun = !model.pressed.keys.is_empty();
    if is_begun && model.at.millis_since(model.pressed.since) >= FOLLOWS_AFTER_MS {
        return follows(model, canvas, area);
    }
    let mut own = model.overlay.as_ref().map(overlay_hints);
    if canvas.size == Size::Tiny
        && let (Some(hints), Some(Overlay::Panel(_))) = (&mut own, &model.overlay)
    {
        *hints = tiny_panel_hints();
    }
    let has_tail = own.is_none() && !model.context().is_text();
    let all = own.unwrap_or_else(|| model.keymap.hints(model.context()));
    let is_last = |hint: &Hint| {
        matches!(
            hint.action,
            Some(Action::Palette | Action::Help | Action::Quit)
        )
    };
    let (mut last, mut hints): (Vec<Hint>, Vec<Hint>) =
        all.into_iter().partition(|hint| has_tail && is_last(hint));
    if has_tail {
        hints.retain(|hint| hint.action.is_none_or(|action| is_of_use(model, action)));
        for hint in &mut hints {
            let label = hint.action.and_then(|action| offer::label(model, action));
            hint.label = label.unwrap_or(hint.label);
            if hint.action == Some(Action::AsOfBack) {
                hint.key = both(model, Action::AsOfBack, Action::AsOfForth);
            }
        }
    }
    if canvas.size == Size::Tiny {
        last.retain(|hint| hint.action != Some(Action::Quit));
        for hint in &mut last {
            hint.label = "";
        }
    }
    let indent = u16::from(canvas.size == Size::Wide);
    let tail: u16 = last.iter().map(columns_of_hint).sum();
    let mut hints = hints.into_iter().peekable();
    for y in area.top()..area.bottom() {
        let is_bottom = y + 1 == area.bottom();
        let end = if is_bottom {
            area.right().saturating_sub(tail)
        } else {
            area.right()
        };
        let mut x = area.x + indent;
        while let Some(hint) = hints.peek() {
            let columns = columns_of_hint(hint);
            // The gap after the last one may be cut.
            if x.saturating_add(columns) > end.saturating_add(2) {
                break;
            }
            draw_hint(canvas, x, y, hint);
            x = x.saturating_add(columns);
            hints.next();
        }
        if is_bottom {
            for hint in &last {
                draw_hint(canvas, x, y, hint);
                x = x.saturating_add(columns_of_hint(hint));
            }
        }
    }
}

/// The keys of two actions that belong together: `[ ]`.
fn both(model: &Model, one: Action, other: Action) -> String {
    let key = |action| {
        let chords = model.keymap.chords_of(action, model.context());
        chords.first().map(ToString::to_string).unwrap_or_default()
    };
    format!("{} {}", key(one), key(other)).trim().to_owned()
}

/// Cells of a hint with the gap after it.
fn columns_of_hint(hint: &Hint) -> u16 {
    let gap = if hint.label.is_empty() { 1 } else { 2 };
    u16::try_from(hint.width() + gap).unwrap_or(u16::MAX)
}

fn draw_hint(canvas: &mut Canvas<'_>, x: u16, y: u16, hint: &Hint) {
    let columns = columns_of_hint(hint).saturating_sub(1);
    let spans = [
        span(hint.key.clone(), Role::Key),
        span(format!(" {}", hint.label), Role::Text),
    ];
    canvas.spans(x, y, columns, &spans);
    if let Some(action) = hint.action {
        let area = Rect {
            x,
            y,
            width: columns,
            height: 1,
        };
        canvas.drawn.hits.push(Hit {
            area,
            target: Target::Hint(action),
        });
    }
}

/// The keys of a panel.
fn panel_hints(panel: &Panel) -> Vec<Hint> {
    let hint = |key: &str, label: &'static str, action: Option<Action>| Hint {
        key: key.to_owned(),
        label,
        action,
        rank: 0,
    };
    if matches!(panel.deed, Deed::Order(..)) {
        return vec![
            hint("-", "then a letter sets an option", None),
            hint("Tab", "field", Some(Action::PanelNext)),
            hint("Space", "choose", Some(Action::PanelChoose)),
            hint("Esc", "cancel", Some(Action::PanelCancel)),
            hint("Ctrl-S", "preset", Some(Action::PanelSave)),
            hint("Enter", "act", None),
        ];
    }
    let next = if panel.asks.len() > 1 {
        "next field, then the button"
    } else {
        "to the button"
    };
    vec![
        hint("Enter", "act", None),
        hint("Tab", next, Some(Action::PanelNext)),
        hint("Esc", "cancel, nothing is sent", Some(Action::PanelCancel)),
    ]
}

/// The keys of a panel where a line has 40 cells.
fn tiny_panel_hints() -> Vec<Hint> {
    let hint = |key: &str, label: &'static str| Hint {
        key: key.to_owned(),
        label,
        action: None,
        rank: 0,
    };
    vec![
        hint("Enter", "act"),
        hint("Tab", "next"),
        hint("PgDn", "more"),
        hint("Esc", "out"),
    ]
}

/// Overlays answer fewer keys than their context says.
fn overlay_hints(overlay: &Overlay) -> Vec<Hint> {
    let hint = |key: &str, label: &'static str, action: Option<Action>| Hint {
        key: key.to_owned(),
        label,
        action,
        rank: 0,
    };
    let leave = |label| hint("Esc", label, Some(Action::FieldLeave));
    let close = || hint("Esc", "close", Some(Action::Back));
    match overlay {
        Overlay::Held(_) => {
            vec![
                hint("u", "take back", None),
                hint("j/k", "move", None),
                close(),
            ]
        }
        Overlay::Messages(_) => vec![hint("j/k", "scroll", None), close()],
        Overlay::Explain { .. } => vec![close()],
        Overlay::Compare(_) => vec![
            hint("j/k", "what differs", None),
            hint("Tab", "with something else", Some(Action::NextPane)),
            close(),
        ],
        Overlay::Crumbs { .. } => vec![
            hint("Enter", "go there", Some(Action::Open)),
            hint("j/k", "move", None),
            hint("Tab", "next level", Some(Action::NextPane)),
            close(),
        ],
        Overlay::Columns { .. } => vec![
            hint("Space", "show or hide", Some(Action::Mark)),
            hint("j/k", "move", None),
            close(),
        ],
        Overlay::Themes { .. } => vec![
            hint("Enter", "keep", None),
            hint("j/k", "try", None),
            hint("Esc", "as before", None),
        ],
        Overlay::Help(_) | Overlay::Palette(_) => {
            vec![
                hint("Enter", "run", None),
                hint("Up/Down", "choose", None),
                leave("leave"),
            ]
        }
        Overlay::Filter(_) => vec![
            hint("Enter", "filter", None),
            hint("Tab", "complete", None),
            hint("//", "clears", None),
            leave("leave"),
        ],
        Overlay::Search(_) => vec![
            hint("Enter", "to the first match, then n and N", None),
            leave("leave"),
        ],
        Overlay::Edit(_) => vec![
            hint("Ctrl-S", "check and stage the replay", None),
            hint("Ctrl-E", "$EDITOR", Some(Action::FieldEditor)),
            leave("leave, nothing is sent"),
        ],
        Overlay::Panel(panel) => panel_hints(panel),
    }
}

/// What may follow the keys pressed so far.
fn follows(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let keys: Vec<String> = model
        .pressed
        .keys
        .iter()
        .map(|key| crate::console::keymap::chord::key_text(*key))
        .collect();
    let mut spans = vec![span(format!(" {} then ", keys.join(" ")), Role::Strong)];
    for follow in &model.pressed.follows {
        spans.push(span(follow.key.clone(), Role::Key));
        spans.push(span(format!(" {}  ", follow.label), Role::Text));
    }
    let text: String = spans.iter().map(|(text, _)| text.as_str()).collect();
    if width(&text) <= usize::from(area.width) {
        canvas.spans(area.x, area.y, area.width, &spans);
    } else {
        let text = fit(&text, usize::from(area.width));
        canvas.text(Rect { height: 1, ..area }, &text, Role::Text);
    }
}
