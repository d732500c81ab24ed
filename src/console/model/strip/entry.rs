//! One thing to fill in on a strip, and what the keys do to it.

use crossterm::event::{KeyCode, KeyEvent};
use serde_json::{Value, json};

use crate::console::widgets::field::{Field, Lines};

/// Lines that one press of Page Up or Page Down moves in what is only looked at.
const PAGE_LINES: usize = 8;

/// Where what is filled in goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    /// The words of the decision, or of the reply.
    Comment,
    /// The answer to a question: the words, and `answer` beside them.
    Answer,
    /// `evidence`.
    Evidence,
    /// `assignee`.
    Assignee,
    /// The outcome itself, where it is free.
    Outcome,
    /// Nowhere: it shows that the row was read.
    LastFour,
    /// One of `steps`, by its place.
    Step(usize),
    /// A property of the form.
    Property(String),
    /// Nowhere: it is looked at.
    Diff,
}

impl Key {
    /// Its name in a draft. Answer and comment share theirs: the words of one are the words of the other.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Comment | Self::Answer => "comment".to_owned(),
            Self::Evidence => "evidence".to_owned(),
            Self::Assignee => "assignee".to_owned(),
            Self::Outcome => "outcome".to_owned(),
            Self::LastFour => "last-four".to_owned(),
            Self::Step(index) => format!("step-{index}"),
            Self::Property(name) => format!("form-{name}"),
            Self::Diff => "diff".to_owned(),
        }
    }
}

/// When it has to be filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Never.
    Never,
    /// For an outcome that is a yes.
    ForYes,
    /// Always.
    Always,
}

/// One of several things to choose from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Choice {
    /// How it reads.
    pub(crate) label: String,
    /// What is known about it.
    pub(crate) note: String,
    /// What it is in the decision.
    pub(crate) value: Value,
}

impl Choice {
    /// A choice that reads as it is.
    pub(crate) fn of(value: Value) -> Self {
        let label = match &value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Self {
            label,
            note: String::new(),
            value,
        }
    }
}

/// How it is filled in.
#[derive(Debug, Clone)]
pub(crate) enum Input {
    /// With words.
    Text(Field),
    /// With a number; a whole one or any.
    Number(Field, bool),
    /// With a day.
    Date(Field),
    /// With JSON.
    Json(Field),
    /// With one of several.
    One(Vec<Choice>, Option<usize>),
    /// With some of several; the last number is the place of the cursor among them.
    Some(Vec<Choice>, Vec<bool>, usize),
    /// With a tick and a note. While the note is written, a space is a letter of it.
    Step {
        /// Whether it is ticked.
        is_done: bool,
        /// The note.
        note: Field,
        /// Whether the note is being written.
        is_noting: bool,
    },
    /// With a name that is typed or picked.
    Pick(Field, Vec<Choice>),
    /// Not at all: lines to look at, from this one on.
    Look(Vec<String>, usize),
}

/// One thing to fill in.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Where it goes.
    pub(crate) key: Key,
    /// Its label.
    pub(crate) label: String,
    /// How it is filled in.
    pub(crate) input: Input,
    /// When it has to be.
    pub(crate) need: Need,
    /// What helps to fill it in.
    pub(crate) hint: String,
    /// What is wrong with it.
    pub(crate) problem: Option<String>,
}

impl Entry {
    /// An entry without a hint.
    pub(crate) fn new(key: Key, label: &str, input: Input, need: Need) -> Self {
        Self {
            key,
            label: label.to_owned(),
            input,
            need,
            hint: String::new(),
            problem: None,
        }
    }

    /// Words of any number of lines.
    pub(crate) fn words(key: Key, label: &str, need: Need) -> Self {
        Self::new(key, label, Input::Text(Field::new(Lines::Many)), need)
    }

    /// A single line.
    pub(crate) fn line(key: Key, label: &str, need: Need) -> Self {
        Self::new(key, label, Input::Text(Field::new(Lines::One)), need)
    }

    /// The same with a hint.
    pub(crate) fn hinted(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// Whether it has to be filled in with that kind of outcome.
    pub(crate) const fn is_needed(&self, is_no: bool) -> bool {
        match self.need {
            Need::Never => false,
            Need::ForYes => !is_no,
            Need::Always => true,
        }
    }

    /// The text field in it, if it has one.
    pub(crate) const fn field(&self) -> Option<&Field> {
        match &self.input {
            Input::Text(field)
            | Input::Number(field, _)
            | Input::Date(field)
            | Input::Json(field)
            | Input::Pick(field, _) => Some(field),
            Input::Step { note, .. } => Some(note),
            Input::One(..) | Input::Some(..) | Input::Look(..) => None,
        }
    }

    /// The same, to be written in.
    pub(crate) const fn field_mut(&mut self) -> Option<&mut Field> {
        match &mut self.input {
            Input::Text(field)
            | Input::Number(field, _)
            | Input::Date(field)
            | Input::Json(field)
            | Input::Pick(field, _) => Some(field),
            Input::Step { note, .. } => Some(note),
            Input::One(..) | Input::Some(..) | Input::Look(..) => None,
        }
    }

    /// What is written in it, without the blanks around it.
    pub(crate) fn text(&self) -> String {
        self.field()
            .map(|field| field.text().trim().to_owned())
            .unwrap_or_default()
    }

    /// Whether nothing was filled in.
    pub(crate) fn is_empty(&self) -> bool {
        match &self.input {
            Input::One(_, chosen) => chosen.is_none(),
            Input::Some(_, chosen, _) => chosen.iter().all(|one| !one),
            Input::Step { is_done, note, .. } => !is_done && note.text().trim().is_empty(),
            Input::Look(..) => true,
            _ => self.text().is_empty(),
        }
    }

    /// Whether an arrow up or down belongs to it.
    pub(crate) fn wants_arrows(&self) -> bool {
        match &self.input {
            Input::Text(field) => field.height() > 1,
            Input::Pick(..) | Input::Look(..) => true,
            _ => false,
        }
    }

    /// Takes a key that is no command.
    pub(crate) fn press(&mut self, key: KeyEvent) {
        match &mut self.input {
            Input::Text(field) | Input::Json(field) => drop(field.input(key)),
            Input::Number(field, _) | Input::Date(field) => {
                let is_letter = matches!(key.code, KeyCode::Char(letter)
                    if !letter.is_ascii_digit() && !matches!(letter, '.' | '-' | '+' | 'e'));
                if !is_letter {
                    field.input(key);
                }
            }
            Input::One(choices, chosen) => choose(choices, chosen, key.code),
            Input::Some(choices, chosen, at) => tick(choices, chosen, at, key.code),
            Input::Step {
                is_done,
                note,
                is_noting,
            } => match key.code {
                KeyCode::Char(' ') if !*is_noting => *is_done = !*is_done,
                KeyCode::Char(_) => {
                    *is_noting = true;
                    note.input(key);
                }
                _ => drop(note.input(key)),
            },
            Input::Pick(field, choices) => pick(field, choices, key),
            Input::Look(lines, top) => *top = scrolled(*top, lines.len(), key.code),
        }
    }

    /// Takes pasted text.
    pub(crate) fn paste(&mut self, text: &str) {
        if let Input::Step { is_noting, .. } = &mut self.input {
            *is_noting = true;
        }
        if let Some(field) = self.field_mut() {
            field.paste(text);
        }
    }

    /// The focus has left it: a note is finished.
    pub(crate) const fn leave(&mut self) {
        if let Input::Step { is_noting, .. } = &mut self.input {
            *is_noting = false;
        }
    }

    /// Goes to the next or the previous change of a diff.
    pub(crate) fn hunk(&mut self, is_forward: bool) {
        if let Input::Look(lines, top) = &mut self.input {
            let is_start =
                |line: &usize| lines.get(*line).is_some_and(|line| line.starts_with("@@"));
            let found = if is_forward {
                (*top + 1..lines.len()).find(is_start)
            } else {
                (0..*top).rev().find(is_start)
            };
            *top = found.unwrap_or(*top);
        }
    }

    /// What of it goes into a draft; none when it is as it was at first.
    pub(crate) fn kept(&self) -> Option<Value> {
        match &self.input {
            Input::One(choices, chosen) => Some(choices.get((*chosen)?)?.value.clone()),
            Input::Some(choices, chosen, _) if !self.is_empty() => {
                Some(Value::Array(ticked(choices, chosen)))
            }
            Input::Step { is_done, note, .. } if !self.is_empty() => {
                Some(json!({ "done": is_done, "note": note.text() }))
            }
            Input::Some(..) | Input::Step { .. } | Input::Look(..) => None,
            _ => {
                let text = self.field().map(Field::text).unwrap_or_default();
                (!text.trim().is_empty()).then_some(Value::String(text))
            }
        }
    }

    /// Puts back what a draft kept of it.
    pub(crate) fn restore(&mut self, kept: &Value) {
        match &mut self.input {
            Input::One(choices, chosen) => {
                *chosen = choices
                    .iter()
                    .position(|one| one.value == *kept)
                    .or(*chosen);
            }
            Input::Some(choices, chosen, _) => {
                let Some(kept) = kept.as_array() else { return };
                *chosen = choices
                    .iter()
                    .map(|one| kept.contains(&one.value))
                    .collect();
            }
            Input::Step { is_done, note, .. } => {
                *is_done = kept.get("done").and_then(Value::as_bool).unwrap_or(false);
                note.set_text(kept.get("note").and_then(Value::as_str).unwrap_or_default());
            }
            Input::Look(..) => {}
            _ => {
                if let (Some(field), Some(text)) = (self.field_mut(), kept.as_str()) {
                    field.set_text(text);
                }
            }
        }
    }

    /// What it is in a decision; none when it is empty.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn value(&self) -> Result<Option<Value>, String> {
        let text = self.text();
        if self.is_empty() {
            return Ok(None);
        }
        Ok(Some(match &self.input {
            Input::Text(_) | Input::Pick(..) => Value::String(text),
            Input::Number(_, is_whole) => number(&text, *is_whole)?,
            Input::Date(_) => match text.parse::<jiff::civil::Date>() {
                Ok(day) => Value::String(day.to_string()),
                Err(_) => return Err("a day as 2026-04-11".to_owned()),
            },
            Input::Json(_) => {
                crate::domain::json::read(&text).map_err(|bad| format!("no JSON: {bad}"))?
            }
            Input::One(choices, chosen) => {
                let one = chosen.and_then(|chosen| choices.get(chosen));
                return Ok(one.map(|one| one.value.clone()));
            }
            Input::Some(choices, chosen, _) => Value::Array(ticked(choices, chosen)),
            Input::Step { is_done, note, .. } => json!({ "done": is_done, "note": note.text() }),
            Input::Look(..) => return Ok(None),
        }))
    }
}

/// A number as it is typed.
fn number(text: &str, is_whole: bool) -> Result<Value, String> {
    // By JSON's own rules first, so that a number is sent as it was typed, however long.
    let written = serde_json::from_str::<serde_json::Number>(text).ok();
    if is_whole {
        let is_point = |letter: char| matches!(letter, '.' | 'e' | 'E');
        let whole = written.filter(|_| !text.contains(is_point));
        let whole = whole.or_else(|| text.parse::<i64>().ok().map(Into::into));
        return whole
            .map(Value::Number)
            .ok_or_else(|| "a whole number".to_owned());
    }
    match (written, text.parse::<f64>()) {
        (Some(number), Ok(size)) if size.is_finite() => Ok(Value::Number(number)),
        (None, Ok(size)) if size.is_finite() => Ok(json!(size)),
        _ => Err("a number".to_owned()),
    }
}

fn ticked(choices: &[Choice], chosen: &[bool]) -> Vec<Value> {
    let both = choices.iter().zip(chosen);
    both.filter(|(_, is_chosen)| **is_chosen)
        .map(|(one, _)| one.value.clone())
        .collect()
}

/// A key on one of several: sideways or Space for the next, a letter for the next one that begins with it.
fn choose(choices: &[Choice], chosen: &mut Option<usize>, code: KeyCode) {
    let count = choices.len();
    if count == 0 {
        return;
    }
    match code {
        KeyCode::Right | KeyCode::Char(' ') => {
            *chosen = Some(chosen.map_or(0, |at| (at + 1) % count));
        }
        KeyCode::Left => *chosen = Some(chosen.map_or(count - 1, |at| (at + count - 1) % count)),
        KeyCode::Backspace | KeyCode::Delete => *chosen = None,
        KeyCode::Char(letter) => {
            let from = chosen.map_or(0, |at| at + 1);
            let fits = |at: &usize| {
                let first = choices
                    .get(at % count)
                    .and_then(|one| one.label.chars().next());
                first.is_some_and(|first| first.to_lowercase().eq(letter.to_lowercase()))
            };
            if let Some(at) = (from..from + count).find(fits) {
                *chosen = Some(at % count);
            }
        }
        _ => {}
    }
}

/// A key on some of several: sideways moves, Space ticks.
fn tick(choices: &[Choice], chosen: &mut [bool], at: &mut usize, code: KeyCode) {
    let count = choices.len().max(1);
    match code {
        KeyCode::Right => *at = (*at + 1) % count,
        KeyCode::Left => *at = (*at + count - 1) % count,
        KeyCode::Char(' ') => {
            if let Some(one) = chosen.get_mut(*at) {
                *one = !*one;
            }
        }
        _ => {}
    }
}

/// The choices that begin with what is typed, or have it in them.
pub(crate) fn fitting<'a>(choices: &'a [Choice], typed: &str) -> Vec<&'a Choice> {
    let typed = typed.trim().to_lowercase();
    let is_exact = choices.iter().any(|one| one.label.to_lowercase() == typed);
    if typed.is_empty() || is_exact {
        return choices.iter().collect();
    }
    let has = |one: &&Choice| one.label.to_lowercase().contains(&typed);
    choices.iter().filter(has).collect()
}

/// A key on a picker: up and down take a name from the list, all else is text.
fn pick(field: &mut Field, choices: &[Choice], key: KeyEvent) {
    let is_down = match key.code {
        KeyCode::Down => true,
        KeyCode::Up => false,
        _ => {
            field.input(key);
            return;
        }
    };
    let typed = field.text().trim().to_owned();
    let shown = fitting(choices, &typed);
    let here = shown.iter().position(|one| one.label == typed);
    let next = match (here, is_down) {
        (None, true) => 0,
        (None, false) => shown.len().saturating_sub(1),
        (Some(here), true) => (here + 1) % shown.len().max(1),
        (Some(here), false) => (here + shown.len() - 1) % shown.len().max(1),
    };
    if let Some(one) = shown.get(next) {
        field.set_text(&one.label);
    }
}

fn scrolled(top: usize, lines: usize, code: KeyCode) -> usize {
    let last = lines.saturating_sub(1);
    match code {
        KeyCode::Down | KeyCode::Char('j') => (top + 1).min(last),
        KeyCode::Up | KeyCode::Char('k') => top.saturating_sub(1),
        KeyCode::PageDown => (top + PAGE_LINES).min(last),
        KeyCode::PageUp => top.saturating_sub(PAGE_LINES),
        KeyCode::Home => 0,
        _ => top,
    }
}

#[cfg(test)]
mod tests;
