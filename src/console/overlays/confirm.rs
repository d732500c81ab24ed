//! A panel: what would happen, why, and a button.

use ratatui::layout::Rect;

use crate::console::model::panel::{Ask, Focus, Panel, Rule};
use crate::console::theme::Role;
use crate::console::view::kit::{Canvas, Size, Span, fact, span, spans_width, wrap};

use super::{lower, middle};

const LABEL: u16 = 9;

/// Draws it.
pub(super) fn draw(canvas: &mut Canvas<'_>, body: Rect, panel: &Panel) {
    let area = place(canvas, body, panel);
    canvas.clear(area);
    let inner = canvas.section(area, &panel.title, "", Some((9, true)));
    let facts: Vec<_> = panel
        .facts
        .iter()
        .map(|(name, text)| fact(name, text.clone()))
        .collect();
    // What is asked and the button always have their place; facts give way.
    let all = u16::try_from(panel.asks.len()).unwrap_or(u16::MAX);
    let lines: usize = panel
        .facts
        .iter()
        .map(|(_, text)| wrap(text, usize::from(inner.width.saturating_sub(LABEL))).len())
        .sum();
    let lines = u16::try_from(lines).unwrap_or(u16::MAX).max(1);
    let is_tight = inner.height < 7 + all && inner.height < lines.saturating_add(3 + all);
    let gap = u16::from(!is_tight && all > 0);
    let shown = if is_tight { all.min(1) } else { all };
    let problem = u16::from(panel.problem.is_some() || !is_tight);
    let room = inner.height.saturating_sub(shown + gap + problem + 1);
    let facts_area = Rect {
        height: room,
        ..inner
    };
    let mut y = canvas.facts(facts_area, LABEL, &facts) + gap;
    for (index, ask) in panel.asks.iter().enumerate() {
        let has_focus = panel.focus == Focus::Ask(index);
        let is_first = index == 0 && !panel.is_typing();
        // Where there is room for one, it is the one that is typed into.
        if is_tight && !has_focus && !is_first {
            continue;
        }
        draw_ask(canvas, inner, y, ask, has_focus);
        y += 1;
    }
    if let Some(problem) = &panel.problem
        && y < inner.bottom()
    {
        let line = Rect {
            y,
            height: 1,
            ..inner
        };
        canvas.text(line, problem, Role::Warn);
    }
    foot(canvas, inner, panel);
}

/// Draws it where there are few lines: the facts scroll, the field with the focus and the button stay.
pub(super) fn draw_tiny(canvas: &mut Canvas<'_>, body: Rect, panel: &Panel) {
    canvas.clear(body);
    let room = usize::from(body.width);
    let lines: Vec<String> = panel
        .facts
        .iter()
        .flat_map(|(name, text)| wrap(&format!("{name}: {text}"), room))
        .collect();
    let shown = usize::from(body.height.saturating_sub(4)).max(1);
    let last = lines.len().saturating_sub(shown);
    let first = panel.scrolled.min(last);
    let right = if last == 0 {
        String::new()
    } else {
        format!("PgDn {}/{}", first + 1, last + 1)
    };
    let inner = canvas.section(body, &panel.title, &right, Some((9, true)));
    let line = |y: u16| Rect {
        y,
        height: 1,
        ..inner
    };
    for (text, y) in lines.iter().skip(first).take(shown).zip(inner.top()..) {
        canvas.text(line(y), text, Role::Text);
    }
    let foot = inner.bottom().saturating_sub(1);
    let ask = match panel.focus {
        Focus::Ask(index) => panel.asks.get(index).map(|ask| (index, ask)),
        Focus::Button | Focus::Nothing => panel.asks.first().map(|ask| (0, ask)),
    };
    if let Some((index, ask)) = ask {
        let has_focus = panel.focus == Focus::Ask(index);
        draw_ask(canvas, inner, foot.saturating_sub(2), ask, has_focus);
    }
    let above = line(foot.saturating_sub(1));
    let (text, role) = match &panel.problem {
        Some(problem) => (problem.clone(), Role::Warn),
        None => (place_words(panel), Role::Dim),
    };
    canvas.text(above, &text, role);
    canvas.spans(inner.x, foot, inner.width, &button(panel, canvas));
}

/// What acts, and whether the cursor is on it.
pub(super) fn button(panel: &Panel, canvas: &Canvas<'_>) -> [Span; 2] {
    let is_on = panel.is_on_button();
    let sign = if is_on {
        canvas.paint.glyphs.cursor
    } else {
        " "
    };
    let role = if is_on { Role::Cursor } else { Role::Strong };
    [
        span(format!("{sign} "), Role::Strong),
        span(format!("[ {} ]", panel.button), role),
    ]
}

/// Which of the fields has the focus, and what is asked of it.
fn place_words(panel: &Panel) -> String {
    let count = panel.asks.len();
    let Focus::Ask(index) = panel.focus else {
        return "Enter acts, Esc cancels".to_owned();
    };
    let wants = match panel.asks.get(index).map(|ask| ask.rule) {
        Some(Rule::Required | Rule::Object) => ", required",
        Some(Rule::Count(_)) => ", type it",
        Some(Rule::Optional) if panel.is_typing() => ", optional",
        Some(Rule::Optional) => ", Space changes it",
        Some(Rule::Number(..) | Rule::Usual(..)) | None => "",
    };
    format!("field {} of {count}{wants}", index + 1)
}

fn draw_ask(canvas: &mut Canvas<'_>, inner: Rect, y: u16, ask: &Ask, has_focus: bool) {
    if y >= inner.bottom() {
        return;
    }
    let line = Rect {
        y,
        height: 1,
        ..inner
    };
    canvas.text(line, ask.name, Role::Dim);
    let field = Rect {
        x: inner.x + LABEL,
        width: inner.width.saturating_sub(LABEL),
        ..line
    };
    if ask.chosen().is_some() {
        return choice(canvas, field, ask, has_focus);
    }
    ask.field
        .draw(field, canvas.buffer, canvas.paint, has_focus);
}

/// Every option where there is room for all, else the chosen one and how many there are.
fn choice(canvas: &mut Canvas<'_>, field: Rect, ask: &Ask, has_focus: bool) {
    let glyphs = canvas.paint.glyphs;
    let role = |is_chosen| match (is_chosen, has_focus) {
        (true, true) => Role::Cursor,
        (true, false) => Role::Strong,
        (false, _) => Role::Dim,
    };
    let options = ask.options().iter().enumerate().flat_map(|(index, words)| {
        let is_chosen = ask.chosen() == Some(index);
        let sign = if is_chosen {
            glyphs.chosen
        } else {
            glyphs.unchosen
        };
        [
            span(format!("{sign} {words}"), role(is_chosen)),
            span("  ", Role::Text),
        ]
    });
    let mut spans: Vec<Span> = options.collect();
    spans.pop();
    if spans_width(&spans) > usize::from(field.width) {
        let place = ask.chosen().unwrap_or_default() + 1;
        spans = vec![span(ask.text(), role(true))];
        if ask.options().len() > 1 {
            spans.push(span(
                format!("  {place} of {}", ask.options().len()),
                Role::Dim,
            ));
        }
    }
    canvas.spans(field.x, field.y, field.width, &spans);
}

fn place(canvas: &Canvas<'_>, body: Rect, panel: &Panel) -> Rect {
    let is_wide = canvas.size == Size::Wide;
    let columns = if is_wide { 84 } else { body.width };
    let room = usize::from(columns.saturating_sub(LABEL + 4));
    let lines: usize = panel
        .facts
        .iter()
        .map(|(_, text)| wrap(text, room).len())
        .sum();
    let asks = panel.asks.len() + usize::from(!panel.asks.is_empty());
    let height = u16::try_from(lines + asks + 4 + usize::from(is_wide)).unwrap_or(u16::MAX);
    if is_wide {
        middle(body, columns, height)
    } else {
        lower(body, height)
    }
}

/// What has to be done before Enter acts: only what is true of this panel.
fn enter_words(panel: &Panel) -> &'static str {
    let why = panel.asks.iter().find(|ask| ask.name == "why");
    let has_choice = panel.asks.iter().any(|ask| ask.chosen().is_some());
    match (why.map(|ask| ask.rule), panel.asks.len()) {
        (Some(Rule::Required), _) if has_choice => "Space chooses, why is required, Enter acts",
        (Some(Rule::Required), _) => "why is required, Enter acts",
        (Some(_), _) => "why is optional, Tab to the button, Enter acts",
        (None, _) if has_choice => "Space chooses, Tab goes on to the button, Enter acts",
        (None, 0 | 1) => "Tab to the button, Enter acts",
        (None, _) => "Tab to the next field and the button, Enter acts",
    }
}

fn foot(canvas: &mut Canvas<'_>, inner: Rect, panel: &Panel) {
    let foot = Rect {
        y: inner.bottom().saturating_sub(1),
        height: 1,
        ..inner
    };
    let button = format!("[ {} ]", panel.button);
    let role = if panel.is_on_button() {
        Role::Cursor
    } else {
        Role::Strong
    };
    let lead = if panel.is_on_button() {
        canvas.paint.glyphs.cursor
    } else {
        " "
    };
    let enter = enter_words(panel);
    let mut spans = vec![
        span(format!("{lead} "), Role::Strong),
        span(button, role),
        span(format!("   {enter}"), Role::Dim),
        span("   Esc cancels", Role::Dim),
    ];
    // Whole or not at all: Esc is the same everywhere.
    if spans_width(&spans) > usize::from(foot.width) {
        spans.pop();
    }
    canvas.spans(foot.x, foot.y, foot.width, &spans);
}
