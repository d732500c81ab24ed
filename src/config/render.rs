//! The configuration as text: the values with their origins, the commented template, the README.

use super::entries::{ENTRIES, Entry, SECTIONS};
use super::tree::Config;
use super::value::Given;

impl Config {
    /// Every value with where it came from: TOML again, secrets masked.
    #[must_use]
    pub fn print(&self) -> String {
        let lines: Vec<(String, String)> = self
            .settings
            .iter()
            .map(|setting| {
                let value = if setting.entry.key == "data" {
                    toml::Value::String(self.data.display().to_string()).to_string()
                } else {
                    setting.entry.kind.print(&setting.value)
                };
                let line = format!("{} = {value}", setting.entry.key);
                (line, setting.origin.to_string())
            })
            .collect();
        let widths = lines.iter().map(|(line, _)| line.chars().count().min(56));
        let width = widths.max().unwrap_or(0);
        let lines = lines.iter();
        let lines = lines.map(|(line, origin)| format!("{line:width$}  # {origin}\n"));
        lines.collect::<Vec<_>>().concat()
    }
}

/// A commented configuration file: every key with its meaning, unit, default and reason.
#[must_use]
pub fn template() -> String {
    let mut parts = vec![
        "# Configuration of Postroom. Every line that starts with # and a key shows its default.\n\
         # Any key can also be set as POSTROOM_SECTION__KEY or with --set section.key=value.\n"
            .to_owned(),
    ];
    for (section, about) in SECTIONS {
        let header = if section.is_empty() {
            String::new()
        } else {
            format!("[{section}]\n")
        };
        parts.push(format!("\n# {about}\n{header}"));
        let entries = ENTRIES.iter().filter(|entry| entry.section() == *section);
        parts.extend(entries.map(template_entry));
    }
    parts.concat()
}

fn template_entry(entry: &Entry) -> String {
    let unit = match entry.unit() {
        "" => String::new(),
        unit => format!(" [{unit}]"),
    };
    let effect = if entry.has_effect() {
        ""
    } else {
        " Has no effect in this version."
    };
    format!(
        "\n# {}{unit}{effect}\n# Why: {}.\n#{} = {}\n",
        sentence(entry.what),
        entry.why,
        entry.name(),
        printed_default(entry)
    )
}

/// The table of the README.
#[must_use]
pub fn readme_table() -> String {
    let head = "| key | default | meaning | why this default |\n|---|---|---|---|\n".to_owned();
    let rows = ENTRIES.iter().map(|entry| {
        let unit = match entry.unit() {
            unit @ ("bytes" | "share") => format!(" ({unit})"),
            _ => String::new(),
        };
        let default = printed_default(entry);
        let effect = if entry.has_effect() {
            ""
        } else {
            " (no effect in this version)"
        };
        format!(
            "| `{}` | `{default}` | {}{unit}{effect} | {} |\n",
            entry.key, entry.what, entry.why
        )
    });
    std::iter::once(head)
        .chain(rows)
        .collect::<Vec<_>>()
        .concat()
}

fn printed_default(entry: &Entry) -> String {
    match entry.kind.read(&Given::Loose(entry.default.to_owned())) {
        Ok(value) => entry.kind.print(&value),
        Err(_) => entry.default.to_owned(),
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}
