//! Reading theme files.

use std::str::FromStr as _;

use ratatui::style::{Color, Modifier, Style};

use super::{DEFAULT, Role};
use crate::console::format::did_you_mean as hint;

const ATTRIBUTES: [(&str, Modifier); 6] = [
    ("bold", Modifier::BOLD),
    ("dim", Modifier::DIM),
    ("italic", Modifier::ITALIC),
    ("underlined", Modifier::UNDERLINED),
    ("reversed", Modifier::REVERSED),
    ("crossed", Modifier::CROSSED_OUT),
];

/// Colour names, for the hint of a warning; the terminal's own sixteen.
const COLORS: [&str; 17] = [
    "default",
    "black",
    "red",
    "green",
    "yellow",
    "blue",
    "magenta",
    "cyan",
    "gray",
    "darkgray",
    "lightred",
    "lightgreen",
    "lightyellow",
    "lightblue",
    "lightmagenta",
    "lightcyan",
    "white",
];

struct Layer {
    name: String,
    table: toml::Table,
}

/// One style for each role, and what is wrong in the files.
pub(super) fn styles(files: &[(String, String)], name: &str) -> (Vec<Style>, Vec<String>) {
    let mut warnings = Vec::new();
    let layers = layers(files, name, &mut warnings);
    let mut styles: Vec<Option<Style>> = vec![None; Role::ALL.len()];
    // From the eldest down, so that a child's palette and roles win.
    let mut palette = toml::Table::new();
    for layer in layers.iter().rev() {
        if let Some(colors) = layer.table.get("palette").and_then(toml::Value::as_table) {
            palette.extend(colors.clone());
        }
        apply(layer, &palette, &mut styles, &mut warnings);
    }
    let text = styles.first().copied().flatten().unwrap_or_default();
    (
        styles
            .into_iter()
            .map(|style| style.unwrap_or(text))
            .collect(),
        warnings,
    )
}

/// The theme and its parents, itself first. A theme that cannot be read is its parent `terminal`.
fn layers(files: &[(String, String)], name: &str, warnings: &mut Vec<String>) -> Vec<Layer> {
    let mut layers: Vec<Layer> = Vec::new();
    let mut next = Some(name.to_owned());
    while let Some(name) = next.take() {
        if layers.iter().any(|layer| layer.name == name) {
            warnings.push(format!("{name}: a theme cannot inherit from itself"));
            break;
        }
        let Some((_, text)) = files.iter().find(|(known, _)| *known == name) else {
            let known = files.iter().map(|(name, _)| name.as_str());
            warnings.push(format!(
                "no theme is named \"{name}\"{}",
                hint(&name, known)
            ));
            next = (name != DEFAULT).then(|| DEFAULT.to_owned());
            continue;
        };
        match text.parse::<toml::Table>() {
            Ok(table) => {
                next = table
                    .get("inherits")
                    .and_then(toml::Value::as_str)
                    .filter(|parent| !parent.is_empty())
                    .map(str::to_owned);
                layers.push(Layer { name, table });
            }
            Err(error) => {
                warnings.push(format!("{name}: no TOML: {}", error.message()));
                next = (name != DEFAULT).then(|| DEFAULT.to_owned());
            }
        }
    }
    layers
}

fn apply(
    layer: &Layer,
    palette: &toml::Table,
    styles: &mut [Option<Style>],
    warnings: &mut Vec<String>,
) {
    let name = &layer.name;
    let Some(roles) = layer.table.get("roles").and_then(toml::Value::as_table) else {
        return;
    };
    for (role_name, value) in roles {
        let Some(role) = Role::named(role_name) else {
            let known = Role::ALL.iter().map(|role| role.name());
            let hint = hint(role_name, known);
            warnings.push(format!("{name}: no role is named \"{role_name}\"{hint}"));
            continue;
        };
        let Some(value) = value.as_table() else {
            warnings.push(format!(
                "{name}: {role_name} must be a table such as {{ fg = \"red\" }}"
            ));
            continue;
        };
        let mut note = |text: String| warnings.push(format!("{name}: {role_name}: {text}"));
        if let Some(slot) = styles.get_mut(role as usize) {
            *slot = Some(style(value, palette, &mut note));
        }
    }
}

fn style(table: &toml::Table, palette: &toml::Table, note: &mut impl FnMut(String)) -> Style {
    let mut style = Style::new();
    for (key, value) in table {
        if key == "fg" || key == "bg" {
            let Some(color) = color(value, palette, note) else {
                continue;
            };
            style = if key == "fg" {
                style.fg(color)
            } else {
                style.bg(color)
            };
        } else if let Some((_, modifier)) = ATTRIBUTES.iter().find(|(name, _)| name == key) {
            match value.as_bool() {
                Some(true) => style = style.add_modifier(*modifier),
                Some(false) => {}
                None => note(format!("{key} must be true or false")),
            }
        } else {
            let known = ATTRIBUTES.iter().map(|(name, _)| *name).chain(["fg", "bg"]);
            note(format!(
                "no attribute is named \"{key}\"{}",
                hint(key, known)
            ));
        }
    }
    style
}

fn color(
    value: &toml::Value,
    palette: &toml::Table,
    note: &mut impl FnMut(String),
) -> Option<Color> {
    let name = match value {
        toml::Value::String(name) => name.clone(),
        toml::Value::Integer(index) => index.to_string(),
        _ => {
            note("a colour must be a name, \"#rrggbb\" or a number".to_owned());
            return None;
        }
    };
    let resolved = palette
        .get(&name)
        .and_then(toml::Value::as_str)
        .unwrap_or(&name);
    let parsed = match resolved {
        "default" => Ok(Color::Reset),
        other => Color::from_str(other),
    };
    if parsed.is_err() {
        let known = palette.keys().map(String::as_str).chain(COLORS);
        note(format!(
            "no colour is named \"{resolved}\"{}",
            hint(resolved, known)
        ));
    }
    parsed.ok()
}
