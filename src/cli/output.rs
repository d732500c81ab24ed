//! The only place of the command line that writes: lines, tables and JSON to standard output,
//! failures to standard error. What goes to a terminal is made harmless first.

use std::io::{IsTerminal, Write};

use comfy_table::{Table, presets};
use serde_json::Value;

use super::failure::Failure;
use super::fit::fit;

/// Where a verb writes to.
#[derive(Debug, Clone)]
pub struct Output {
    is_json: bool,
    is_terminal: bool,
    is_coloured: bool,
}

/// What a word on the screen means, beside the word itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Worth a look.
    Warn,
    /// Broken.
    Bad,
    /// Beside the point.
    Quiet,
}

impl Output {
    /// Standard output of this process.
    #[must_use]
    pub fn of_process(is_json: bool) -> Self {
        let is_terminal = std::io::stdout().is_terminal();
        Self {
            is_json,
            is_terminal,
            is_coloured: is_terminal && colours_are_wanted(),
        }
    }

    /// True when JSON is asked for.
    #[must_use]
    pub const fn is_json(&self) -> bool {
        self.is_json
    }

    /// Writes one line.
    pub fn line(&self, text: impl AsRef<str>) -> Result<(), Failure> {
        let text = text.as_ref();
        if self.is_terminal {
            self.raw(&harmless(text))
        } else {
            self.raw(text)
        }
    }

    /// Writes text as it is, such as a script or a template, and a line end.
    #[expect(clippy::unused_self, reason = "writing is what an output does")]
    pub fn raw(&self, text: &str) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes())?;
        if !text.ends_with('\n') {
            out.write_all(b"\n")?;
        }
        out.flush()?;
        Ok(())
    }

    /// Writes a JSON value: indented for people at a terminal, else one line.
    pub fn json(&self, value: &Value) -> Result<(), Failure> {
        let text = if self.is_terminal {
            serde_json::to_string_pretty(value)
        } else {
            serde_json::to_string(value)
        };
        let text = text.map_err(|error| Failure::refused(format!("print JSON: {error}")))?;
        self.line(text)
    }

    /// Writes the value when JSON is asked for, else what `draw` says.
    pub fn either(
        &self,
        value: &Value,
        draw: impl FnOnce(&Self) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        if self.is_json {
            self.json(value)
        } else {
            draw(self)
        }
    }

    /// Writes rows under headings. No rows: `nothing`.
    pub fn table(
        &self,
        headings: &[&str],
        rows: Vec<Vec<String>>,
        nothing: &str,
    ) -> Result<(), Failure> {
        if rows.is_empty() {
            return self.line(nothing);
        }
        let headings = headings.iter().map(|heading| heading.to_uppercase());
        let clean = |cell: String| harmless(&cell).replace('\n', " ");
        let rows = rows.into_iter();
        let rows = rows.map(|row| row.into_iter().map(clean).collect());
        let width = self.width().map_or(usize::MAX, usize::from);
        let fitted = fit(headings.collect(), rows.collect(), width);
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header(fitted.headings);
        for row in fitted.rows {
            table.add_row(row);
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        self.raw(&table.trim_fmt())?;
        if !fitted.left_out.is_empty() {
            let names = fitted.left_out.join(", ").to_lowercase();
            note(&format!(
                "no room for {names}; hint: a wider terminal, or --json"
            ));
        }
        Ok(())
    }

    /// A word in the colour of its meaning, where colours are wanted.
    #[must_use]
    pub fn toned(&self, tone: Tone, word: &str) -> String {
        painted(self.is_coloured, tone, word)
    }

    /// Writes text that we have made harmless or coloured ourselves.
    pub fn painted_line(&self, text: &str) -> Result<(), Failure> {
        self.raw(text)
    }

    /// Columns of the terminal; none when it is none, so that nothing is broken for programs.
    pub(super) fn width(&self) -> Option<u16> {
        if !self.is_terminal {
            return None;
        }
        let told = std::env::var("COLUMNS").ok();
        let told = told.and_then(|columns| columns.parse().ok());
        told.or_else(|| terminal_size().ok().map(|(columns, _)| columns))
            .filter(|columns| *columns >= 40)
    }
}

/// Columns and rows of the terminal.
pub(crate) fn terminal_size() -> std::io::Result<(u16, u16)> {
    crossterm::terminal::size()
}

/// Says on standard error why something was not done: `error:` and `hint:`.
pub fn complain(failure: &Failure) {
    let Some(said) = failure.said() else {
        return;
    };
    let is_terminal = std::io::stderr().is_terminal();
    let is_coloured = is_terminal && colours_are_wanted();
    let message = if is_terminal {
        harmless(&said.message)
    } else {
        said.message.clone()
    };
    note(&format!(
        "{} {message}",
        painted(is_coloured, Tone::Bad, "error:")
    ));
    if let Some(hint) = &said.hint {
        note(&format!(
            "{} {}",
            painted(is_coloured, Tone::Warn, "hint:"),
            harmless(hint)
        ));
    }
}

/// Writes a line to standard error: progress and warnings, never results.
pub fn note(text: &str) {
    let mut out = std::io::stderr().lock();
    // Nobody is left to be told that standard error is gone.
    let _gone = writeln!(out, "{text}");
}

fn painted(is_coloured: bool, tone: Tone, word: &str) -> String {
    if !is_coloured {
        return word.to_owned();
    }
    let code = match tone {
        Tone::Good => "32",
        Tone::Warn => "33",
        Tone::Bad => "1;31",
        Tone::Quiet => "2",
    };
    format!("\u{1b}[{code}m{word}\u{1b}[0m")
}

/// `NO_COLOR` (no-color.org) with any content, and terminals that know no colour, switch colours off.
pub(crate) fn colours_are_wanted() -> bool {
    let is_refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    !is_refused && !is_dumb
}

/// JSON with a line for each value, in the order in which it was written. The text is known to be JSON.
#[must_use]
pub fn indented(json: &str) -> String {
    let mut out = String::with_capacity(json.len().saturating_mul(2));
    let (mut depth, mut in_string, mut is_escaped) = (0_usize, false, false);
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    for letter in json.chars() {
        if in_string {
            out.push(letter);
            in_string = is_escaped || letter != '"';
            is_escaped = !is_escaped && letter == '\\';
            continue;
        }
        match letter {
            ' ' | '\t' | '\n' | '\r' => continue,
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                if !out.ends_with(['{', '[']) {
                    line(&mut out, depth);
                }
            }
            _ if out.ends_with(['{', '[']) => line(&mut out, depth),
            _ => {}
        }
        out.push(letter);
        match letter {
            '{' | '[' => depth = depth.saturating_add(1),
            ',' => line(&mut out, depth),
            ':' => out.push(' '),
            '"' => in_string = true,
            _ => {}
        }
    }
    out
}

/// Text of others, fit for a terminal: no control, direction or zero-width character survives; line
/// ends do.
#[must_use]
pub fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => out.push('\n'),
            '\t' => out.push_str("    "),
            _ if is_harmful(character) => {
                let shown = format!("⟨U+{:04X}⟩", u32::from(character));
                out.push_str(&shown);
            }
            _ => out.push(character),
        }
    }
    out
}

fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_steer_a_terminal_is_shown_instead() {
        assert_eq!(harmless("a\u{1b}[2Jb"), "a⟨U+001B⟩[2Jb");
        assert_eq!(harmless("x\u{202e}y\u{200b}"), "x⟨U+202E⟩y⟨U+200B⟩");
        assert_eq!(harmless("Zürich 北京 🎉\tü"), "Zürich 北京 🎉    ü");
    }

    #[test]
    fn indented_json_keeps_its_order_and_is_that_of_others_otherwise() {
        for json in [
            r#"{"b":[1,2.50,{}],"a":{"x":"a \"{[,:\\","y":[]},"c":null}"#,
            "[]",
            "\"{\"",
            "{ \"a\" : [ [ ] , { } ] }",
        ] {
            let told = indented(json);
            let value: Value = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::from_str::<Value>(&told).unwrap(), value);
            let sorted = serde_json::to_string_pretty(&value).unwrap();
            assert_eq!(indented(&value.to_string()), sorted, "{json}");
        }
        assert_eq!(
            indented(r#"{"b":[1],"a":2}"#),
            "{\n  \"b\": [\n    1\n  ],\n  \"a\": 2\n}"
        );
    }

    #[test]
    fn colour_only_where_it_is_wanted() {
        assert_eq!(painted(false, Tone::Bad, "no"), "no");
        assert!(painted(true, Tone::Bad, "no").contains("31m"));
    }
}
