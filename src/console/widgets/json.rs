//! A JSON value as rows that fold, with search and masked fields.

use std::collections::BTreeSet;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde_json::Value;

use super::{Paint, put};
use crate::console::sanitise::clean;
use crate::console::theme::Role;

/// Words in a field's name that make it a secret; its value is masked until it is revealed.
pub const SECRET_WORDS: [&str; 9] = [
    "password",
    "passwd",
    "secret",
    "token",
    "authorization",
    "api_key",
    "apikey",
    "private_key",
    "credential",
];

/// How many signs stand for a masked value, whatever its length.
const MASK_SIGNS: usize = 4;

/// One row of the flattened value.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Flat {
    depth: u16,
    /// As a JSON pointer (RFC 6901), which is also its name for folds.
    path: String,
    /// The field's name or the position in an array; empty at the root.
    name: String,
    /// The value of a leaf as JSON, or the brackets of an object or array with its size.
    text: String,
    /// Rows below it that belong to it; zero for a leaf.
    below: usize,
    is_secret: bool,
    role: Role,
}

/// A JSON value ready to be shown.
#[derive(Debug, Clone)]
pub struct Tree {
    flats: Vec<Flat>,
    folded: BTreeSet<String>,
    revealed: BTreeSet<String>,
}

impl Tree {
    /// Flattens a value; everything is unfolded and fields with the usual names of secrets are masked.
    #[must_use]
    pub fn new(value: &Value) -> Self {
        Self::masking(value, &[])
    }

    /// The same, and masks fields whose names hold one of `words`, too.
    #[must_use]
    pub fn masking(value: &Value, words: &[String]) -> Self {
        let words = words.iter().map(String::as_str).chain(SECRET_WORDS);
        let words: Vec<String> = words.map(plain_name).collect();
        let mut flats = Vec::new();
        flatten(value, 0, "", ("", false), &words, &mut flats);
        Self {
            flats,
            folded: BTreeSet::new(),
            revealed: BTreeSet::new(),
        }
    }

    /// The rows in view, as positions among all rows: those under a fold are left out.
    #[must_use]
    pub fn visible(&self) -> Vec<usize> {
        let mut visible = Vec::with_capacity(self.flats.len());
        let mut next = 0;
        for (position, flat) in self.flats.iter().enumerate() {
            if position < next {
                continue;
            }
            visible.push(position);
            if self.folded.contains(&flat.path) {
                next = position + 1 + flat.below;
            }
        }
        visible
    }

    /// How many rows are in view.
    #[must_use]
    pub fn height(&self) -> usize {
        self.visible().len()
    }

    /// The JSON pointer of the row in view at `row`.
    #[must_use]
    pub fn path(&self, row: usize) -> Option<&str> {
        self.at(row).map(|flat| flat.path.as_str())
    }

    fn at(&self, row: usize) -> Option<&Flat> {
        let position = self.visible().get(row).copied()?;
        self.flats.get(position)
    }

    /// Folds or unfolds the row in view at `row`, or the object a leaf belongs to. Returns the row the
    /// cursor should stand on then.
    pub fn toggle(&mut self, row: usize) -> usize {
        let visible = self.visible();
        let Some(position) = visible.get(row).copied() else {
            return row;
        };
        let holds = |flat: &Flat, at: usize| at == position || at + flat.below >= position;
        let found = self
            .flats
            .iter()
            .enumerate()
            .take(position + 1)
            .rev()
            .find(|(at, flat)| flat.below > 0 && holds(flat, *at));
        let Some((at, flat)) = found else {
            return row;
        };
        let path = flat.path.clone();
        if !self.folded.remove(&path) {
            self.folded.insert(path);
        }
        visible.iter().position(|one| *one == at).unwrap_or(row)
    }

    /// Folds everything below the root, or unfolds everything if something is folded.
    pub fn toggle_all(&mut self) {
        if self.folded.is_empty() {
            let inner = self
                .flats
                .iter()
                .filter(|flat| flat.below > 0 && flat.depth > 0);
            self.folded = inner.map(|flat| flat.path.clone()).collect();
        } else {
            self.folded.clear();
        }
    }

    /// Whether the row in view at `row` is masked.
    #[must_use]
    pub fn is_masked(&self, row: usize) -> bool {
        self.at(row)
            .is_some_and(|flat| flat.is_secret && !self.revealed.contains(&flat.path))
    }

    /// Name, value and role of each field at the top; what is deeper as brackets with its size.
    pub fn brief<'a>(
        &'a self,
        mask: &'a str,
    ) -> impl Iterator<Item = (&'a str, String, Role)> + 'a {
        let top = self.flats.iter().filter(|flat| flat.depth == 1);
        top.map(move |flat| {
            let is_masked = flat.is_secret && !self.revealed.contains(&flat.path);
            let text = if is_masked {
                mask.repeat(MASK_SIGNS)
            } else {
                flat.text.clone()
            };
            (flat.name.as_str(), text, flat.role)
        })
    }

    /// The JSON pointers of everything that is masked.
    #[must_use]
    pub fn masked(&self) -> Vec<String> {
        self.flats
            .iter()
            .filter(|flat| flat.is_secret && !self.revealed.contains(&flat.path))
            .map(|flat| flat.path.clone())
            .collect()
    }

    /// Shows the masked value under that pointer; the caller audits it.
    pub fn reveal_path(&mut self, path: &str) {
        self.revealed.insert(path.to_owned());
    }

    /// Shows the masked value at `row`; the caller audits it.
    pub fn reveal(&mut self, row: usize) {
        if let Some(path) = self.path(row).map(str::to_owned) {
            self.revealed.insert(path);
        }
    }

    /// The next row in view after `row` (before it, if not `forward`) whose name or value holds `text`,
    /// case aside. It goes round, and unfolds what hides a match. Masked values never match.
    pub fn find(&mut self, text: &str, row: usize, direction: Direction) -> Option<usize> {
        let needle = text.to_lowercase();
        let here = self.visible().get(row).copied().unwrap_or(0);
        let count = self.flats.len();
        let order = (1..=count).map(|step| match direction {
            Direction::Forth => (here + step) % count,
            Direction::Back => (here + count - step) % count,
        });
        let found = order.into_iter().find(|at| {
            self.flats.get(*at).is_some_and(|flat| {
                let is_masked = flat.is_secret && !self.revealed.contains(&flat.path);
                flat.name.to_lowercase().contains(&needle)
                    || (!is_masked && flat.below == 0 && flat.text.to_lowercase().contains(&needle))
            })
        })?;
        let path = self.flats.get(found).map(|flat| flat.path.clone())?;
        self.folded
            .retain(|fold| !path.starts_with(&format!("{fold}/")));
        self.visible()
            .iter()
            .position(|position| *position == found)
    }
}

/// Which way a search goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Down.
    Forth,
    /// Up.
    Back,
}

/// Whether a field of that name holds what should not be shown.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    let plain = plain_name(name);
    SECRET_WORDS.iter().any(|word| plain.contains(word))
}

/// Names are compared without case, and `-` is `_`.
fn plain_name(name: &str) -> String {
    name.to_lowercase().replace('-', "_")
}

fn flatten(
    value: &Value,
    depth: u16,
    path: &str,
    (name, is_under_secret): (&str, bool),
    words: &[String],
    flats: &mut Vec<Flat>,
) {
    let plain = plain_name(name);
    let is_secret = is_under_secret || words.iter().any(|word| plain.contains(word));
    let (text, role) = match value {
        Value::Object(fields) => (format!("{{{}}}", fields.len()), Role::Dim),
        Value::Array(items) => (format!("[{}]", items.len()), Role::Dim),
        Value::String(_) => (value.to_string(), Role::Good),
        Value::Number(_) => (value.to_string(), Role::Active),
        Value::Bool(_) | Value::Null => (value.to_string(), Role::Human),
    };
    let position = flats.len();
    let is_leaf = !matches!(value, Value::Object(_) | Value::Array(_));
    flats.push(Flat {
        depth,
        path: path.to_owned(),
        name: name.to_owned(),
        text,
        below: 0,
        is_secret: is_secret && is_leaf,
        role,
    });
    let below = |key: &str| format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
    let depth = depth.saturating_add(1);
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                flatten(value, depth, &below(key), (key, is_secret), words, flats);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                let index = index.to_string();
                flatten(
                    value,
                    depth,
                    &below(&index),
                    (&index, is_secret),
                    words,
                    flats,
                );
            }
        }
        Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => {}
    }
    let count = flats.len() - position - 1;
    if let Some(flat) = flats.get_mut(position) {
        flat.below = count;
    }
}

/// A tree to draw.
#[derive(Debug, Clone)]
pub struct JsonView<'a> {
    /// The value.
    pub tree: &'a Tree,
    /// The row in view under the cursor.
    pub cursor: Option<usize>,
    /// The first row in view that is drawn.
    pub first: usize,
    /// What is searched for; rows that hold it are marked.
    pub search: &'a str,
    /// Whether it has the focus.
    pub is_focused: bool,
}

impl JsonView<'_> {
    /// Draws it; returns the rows on the screen with their index.
    pub fn draw(&self, area: Rect, buffer: &mut Buffer, paint: Paint<'_>) -> Vec<(usize, Rect)> {
        let area = area.intersection(buffer.area);
        let mut drawn = Vec::new();
        let visible = self.tree.visible();
        let rows = visible.iter().enumerate().skip(self.first);
        for ((row, position), y) in rows.zip(area.top()..area.bottom()) {
            let Some(flat) = self.tree.flats.get(*position) else {
                continue;
            };
            let line = Rect {
                y,
                height: 1,
                ..area
            };
            self.draw_flat(flat, line, buffer, paint);
            if self.cursor == Some(row) {
                put(
                    buffer,
                    line.x,
                    y,
                    paint.glyphs.cursor,
                    1,
                    paint.style(Role::Strong),
                );
                if self.is_focused {
                    buffer.set_style(line, paint.style(Role::Cursor));
                }
            }
            drawn.push((row, line));
        }
        drawn
    }

    fn draw_flat(&self, flat: &Flat, line: Rect, buffer: &mut Buffer, paint: Paint<'_>) {
        let is_folded = self.tree.folded.contains(&flat.path);
        let sign = match (flat.below > 0, is_folded) {
            (false, _) => " ",
            (true, true) => paint.glyphs.folded,
            (true, false) => paint.glyphs.unfolded,
        };
        let indent = flat.depth.saturating_mul(2).min(line.width / 2);
        let mut x = line.x.saturating_add(2).saturating_add(indent);
        let room = |x: u16| line.right().saturating_sub(x);
        let style = |role| paint.style(role);
        x = put(buffer, x, line.y, sign, room(x).min(1), style(Role::Dim)).saturating_add(1);
        if !flat.name.is_empty() {
            let needle = self.search.to_lowercase();
            let is_match = !needle.is_empty() && flat.name.to_lowercase().contains(&needle);
            let role = if is_match { Role::Mark } else { Role::Strong };
            x = put(buffer, x, line.y, &flat.name, room(x), style(role)).saturating_add(2);
        }
        let is_masked = flat.is_secret && !self.tree.revealed.contains(&flat.path);
        if is_masked {
            let mask = paint.glyphs.masked.repeat(MASK_SIGNS);
            put(buffer, x, line.y, &mask, room(x), style(Role::Off));
            return;
        }
        let end = put(buffer, x, line.y, &flat.text, room(x), style(flat.role));
        if flat.text.chars().any(crate::console::sanitise::is_hidden) {
            let note = clean(" (!) hidden characters shown, never rendered");
            put(buffer, end, line.y, &note, room(end), style(Role::Warn));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{draw, paint};
    use super::*;

    fn tree() -> Tree {
        Tree::new(&json!({
            "type": "invoice.paid",
            "amount": 120_050,
            "lines": [{ "sku": "A1" }, { "sku": "B2" }],
            "note": "\u{202E}0001",
            "auth": { "api-key": "sk_live_1", "Token": null },
        }))
    }

    fn text(tree: &Tree, columns: u16) -> String {
        let view = JsonView {
            tree,
            cursor: Some(1),
            first: 0,
            search: "",
            is_focused: true,
        };
        draw(columns, 12, |area, buffer| {
            view.draw(area, buffer, paint());
        })
    }

    #[test]
    fn a_value_is_rows_with_secrets_masked_and_hidden_characters_shown() {
        insta::assert_snapshot!("json_80", text(&tree(), 80));
        assert!(!text(&tree(), 80).contains("sk_live"));
        text(&tree(), 1);
        text(&tree(), 7);
    }

    #[test]
    fn more_names_can_be_secrets_and_everything_under_one_is() {
        let value = json!({ "IBAN-Data": { "number": 12 }, "note": "plain" });
        assert!(!Tree::new(&value).is_masked(2));
        let tree = Tree::masking(&value, &["iban_data".to_owned()]);
        assert!(tree.is_masked(2) && !tree.is_masked(3));
    }

    #[test]
    fn folding_hides_what_is_below_and_a_leaf_folds_its_parent() {
        let mut tree = tree();
        let all = tree.height();
        assert_eq!(tree.path(4), Some("/auth/api-key"));
        let row = tree.toggle(4);
        assert_eq!(tree.path(row), Some("/auth"));
        assert_eq!(tree.height(), all - 2);
        tree.toggle(row);
        assert_eq!(tree.height(), all);
        tree.toggle_all();
        assert_eq!(tree.height(), 6);
        tree.toggle_all();
        assert_eq!(tree.height(), all);
    }

    #[test]
    fn a_search_goes_round_unfolds_and_never_finds_a_masked_value() {
        let mut tree = tree();
        tree.toggle_all();
        let row = tree.find("b2", 0, Direction::Forth).unwrap();
        assert_eq!(tree.path(row), Some("/lines/1/sku"));
        assert_eq!(tree.find("B2", row, Direction::Back), Some(row));
        assert_eq!(tree.find("sk_live", 0, Direction::Forth), None);
        let key = tree.find("api-key", 0, Direction::Forth).unwrap();
        assert!(tree.is_masked(key));
        tree.reveal(key);
        assert!(!tree.is_masked(key));
        assert!(text(&tree, 80).contains("sk_live"));
    }
}
