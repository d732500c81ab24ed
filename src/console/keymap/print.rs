//! What the screen and the documents say about keys: hint lines, help, palette, the key table.

use super::Keymap;
use super::chord::Chord;
use crate::console::action::{Action, Context, Spec, registry};
use crate::console::sanitise::width;

/// Keys that begin a sequence have one place on the hint line instead of one for each sequence.
const PREFIXES: [(Context, &str, &str, u8); 3] = [
    (Context::Global, "y", "copy", 180),
    (Context::Intent, "g", "go", 44),
    (Context::Panel, "-", "then a letter sets an option", 0),
];

/// One entry of a hint line: `a approve`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The key as printed.
    pub key: String,
    /// The words after it.
    pub label: &'static str,
    /// What it runs, for a click; none where it only begins a sequence.
    pub action: Option<Action>,
    /// Place on the line, lowest first.
    pub rank: u8,
}

impl Hint {
    /// Cells it takes, without the gap after it.
    #[must_use]
    pub fn width(&self) -> usize {
        width(&self.key) + 1 + width(self.label)
    }
}

/// One entry of help and palette.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The action's row.
    pub spec: &'static Spec,
    /// The chords that lead to it, as printed.
    pub keys: Vec<String>,
    /// Whether it applies where the question was asked.
    pub applies: bool,
}

/// A word or two for an action: its hint, or the last part of its name.
#[must_use]
pub fn label(action: Action) -> &'static str {
    let spec = action.spec();
    if spec.hint.is_empty() {
        spec.name
            .split_once('.')
            .map_or(spec.name, |(_, last)| last)
    } else {
        spec.hint
    }
}

impl Keymap {
    /// The hints for `context`, most useful first. Actions of a later release are left out.
    #[must_use]
    pub fn hints(&self, context: Context) -> Vec<Hint> {
        let mut hints: Vec<Hint> = registry()
            .filter(|spec| spec.rank < u8::MAX && !spec.hint.is_empty() && spec.later.is_none())
            .filter(|spec| spec.applies_in(context))
            .filter(|spec| {
                // What lies over a desk shows its own keys; those of the desk would mislead.
                let is_overlay =
                    matches!(context, Context::Strip | Context::Panel | Context::Field);
                !is_overlay || spec.contexts.contains(&context) || spec.action == Action::Help
            })
            .filter_map(|spec| {
                let chords = self.chords_of(spec.action, context);
                let chord = chords.into_iter().find(|chord| chord.keys().len() == 1)?;
                let is_text = chord
                    .keys()
                    .first()
                    .copied()
                    .is_some_and(super::is_text_key);
                (!(context.is_text() && is_text)).then(|| Hint {
                    key: chord.to_string(),
                    label: spec.hint,
                    action: Some(spec.action),
                    rank: spec.rank,
                })
            })
            .collect();
        for (place, key, label, rank) in PREFIXES {
            let begins = |chord: &Chord| {
                chord.keys().len() > 1
                    && chord
                        .keys()
                        .first()
                        .is_some_and(|first| super::chord::key_text(*first) == key)
            };
            let is_shown = place == context
                || (context.layers().contains(&place) && context != Context::Panel);
            if is_shown
                && !context.is_text()
                && self
                    .bindings()
                    .iter()
                    .any(|one| one.context == place && begins(&one.chord))
            {
                hints.push(Hint {
                    key: key.to_owned(),
                    label,
                    action: None,
                    rank,
                });
            }
        }
        hints.sort_by_key(|hint| hint.rank);
        hints
    }

    /// Every action: those that apply in `context` first, innermost first, then all others.
    #[must_use]
    pub fn entries(&self, context: Context) -> Vec<Entry> {
        let mut entries: Vec<(usize, Entry)> = registry()
            .map(|spec| {
                let layers = context.layers();
                let depth = layers
                    .iter()
                    .position(|layer| spec.contexts.contains(layer));
                let keys = match depth {
                    Some(_) => self.chords_of(spec.action, context),
                    None => spec
                        .contexts
                        .first()
                        .map(|first| self.chords_of(spec.action, *first))
                        .unwrap_or_default(),
                };
                let keys = keys.into_iter().map(ToString::to_string).collect();
                (
                    depth.unwrap_or(usize::MAX),
                    Entry {
                        spec,
                        keys,
                        applies: depth.is_some(),
                    },
                )
            })
            .collect();
        entries.sort_by_key(|(depth, _)| *depth);
        entries.into_iter().map(|(_, entry)| entry).collect()
    }

    /// The key table of the README, as Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = String::from("| Where | Key | Action | What it does |\n|---|---|---|---|\n");
        for spec in registry() {
            let places: Vec<_> = spec.contexts.iter().map(|context| context.name()).collect();
            let mut keys: Vec<String> = Vec::new();
            for context in spec.contexts {
                for chord in self.chords_of(spec.action, *context) {
                    let key = format!("`{}`", chord.to_string().replace('`', "` ` `"));
                    if !keys.contains(&key) {
                        keys.push(key);
                    }
                }
            }
            let keys = if keys.is_empty() {
                "palette".to_owned()
            } else {
                keys.join(" ")
            };
            let later = if spec.later.is_some() { " (later)" } else { "" };
            let (places, name, sentence) = (places.join(", "), spec.name, spec.sentence);
            let line = format!("| {places} | {keys} | `{name}` | {sentence}{later} |\n");
            text.push_str(&line);
        }
        text
    }
}

/// As many of `hints` as fit `columns`, with `gap` cells between them, in their order.
#[must_use]
pub fn fit_hints(hints: &[Hint], columns: usize, gap: usize) -> &[Hint] {
    let mut used = 0_usize;
    let mut count = 0_usize;
    for hint in hints {
        let needed = hint.width() + if count == 0 { 0 } else { gap };
        if used + needed > columns {
            break;
        }
        used += needed;
        count += 1;
    }
    hints.get(..count).unwrap_or(hints)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::keymap::Lookup;

    fn line(context: Context) -> String {
        let hints = Keymap::default().hints(context);
        let texts: Vec<_> = fit_hints(&hints, 118, 2)
            .iter()
            .map(|hint| format!("{} {}", hint.key, hint.label))
            .collect();
        texts.join("  ")
    }

    #[test]
    fn the_hint_line_puts_the_desk_first_and_help_and_quit_last() {
        assert_eq!(
            line(Context::Overview),
            "Enter open  Tab next pane  p pause  f follow  / filter  Space mark  y copy  u undo  \
             i explain  E export  Esc back"
        );
        assert!(
            line(Context::Inbox)
                .starts_with("a approve  x reject  c reply  @ delegate  m take  Enter open")
        );
        assert!(line(Context::Strip).starts_with("Enter stage  Tab outcome  Ctrl-E $EDITOR  Esc"));
        assert!(!line(Context::Strip).contains("filter"));
        assert_eq!(
            line(Context::Panel),
            "- then a letter sets an option  Enter press  Tab field  Ctrl-S save preset  Esc cancel  \
             Space choose  ? help"
        );
    }

    #[test]
    fn every_action_can_be_reached_from_the_palette() {
        for context in Context::ALL {
            let entries = Keymap::default().entries(context);
            assert_eq!(entries.len(), registry().count());
        }
    }

    #[test]
    fn the_key_table_has_a_line_for_every_action() {
        let table = Keymap::default().markdown();
        for spec in registry() {
            assert!(table.contains(&format!("`{}`", spec.name)), "{}", spec.name);
        }
        assert_eq!(table.lines().count(), registry().count() + 2);
        assert!(
            table.lines().all(|line| line.matches('|').count() == 5),
            "{table}"
        );
    }

    #[test]
    fn an_entry_shows_the_keys_of_where_it_was_asked() {
        let entries = Keymap::default().entries(Context::Inbox);
        let first = entries.first().unwrap();
        assert_eq!(
            (first.spec.action, first.keys.as_slice()),
            (Action::Approve, &["a".to_owned()][..])
        );
        let discard = entries
            .iter()
            .find(|entry| entry.spec.action == Action::DiscardMany)
            .unwrap();
        assert!(!discard.applies);
        assert_eq!(discard.keys, ["D"]);
    }

    #[test]
    fn hints_help_and_palette_name_the_chord_that_leads_to_what_they_say() {
        let keymap = Keymap::default();
        let leads = |context: Context, keys: &str| {
            let chord = Chord::parse(keys).unwrap();
            keymap.lookup(context, false, chord.keys())
        };
        for context in Context::ALL {
            for hint in keymap.hints(context) {
                let Some(action) = hint.action else {
                    continue;
                };
                assert_eq!(
                    leads(context, &hint.key),
                    Lookup::Action(action),
                    "{hint:?}"
                );
                assert_eq!(hint.label, action.spec().hint);
            }
            // Help and the palette print these.
            for entry in keymap.entries(context) {
                assert_eq!(entry.spec.name, entry.spec.action.spec().name);
                // Where every letter is text, no letter leads anywhere.
                let applies = entry.applies && !context.is_text();
                for keys in entry.keys.iter().filter(|_| applies) {
                    let found = leads(context, keys);
                    assert_eq!(
                        found,
                        Lookup::Action(entry.spec.action),
                        "{keys} in {context:?}"
                    );
                }
            }
        }
    }
}
