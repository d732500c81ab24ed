//! The operator's own keys: a TOML file that adds, changes and removes chords.
//!
//! ```toml
//! [global]
//! "ctrl-p" = "palette.open"
//! [inbox]
//! "A" = false
//! ```
//!
//! All problems are reported together, and the rest of the file still applies.

use super::chord::Chord;
use super::{Binding, Keymap, is_text_key};
use crate::console::action::{Context, Danger, named, registry};
use crate::console::format::did_you_mean as hint;

/// Why a line of the file does not apply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The file is no TOML, so nothing of it applies.
    #[error("keys file is no TOML: {0}")]
    Syntax(String),
    /// A table names no context.
    #[error("[{name}] is no context{hint}")]
    UnknownContext {
        /// The name of the table.
        name: String,
        /// The nearest known name, ready to print.
        hint: String,
    },
    /// A value is neither an action's name nor `false`.
    #[error("[{context}] \"{chord}\" must be the name of an action, or false")]
    NotAName {
        /// The table.
        context: &'static str,
        /// The chord as written.
        chord: String,
    },
    /// A value names no action.
    #[error("[{context}] \"{chord}\": no action is named \"{name}\"{hint}")]
    UnknownAction {
        /// The table.
        context: &'static str,
        /// The chord as written.
        chord: String,
        /// The name given.
        name: String,
        /// The nearest known name, ready to print.
        hint: String,
    },
    /// A chord names a key that does not exist.
    #[error("[{context}] \"{chord}\": \"{key}\" is no key")]
    UnknownChord {
        /// The table.
        context: &'static str,
        /// The chord as written.
        chord: String,
        /// The word that names no key.
        key: String,
    },
    /// The action does not apply in that context.
    #[error("[{context}] \"{chord}\": {name} does nothing there")]
    Elsewhere {
        /// The table.
        context: &'static str,
        /// The chord as written.
        chord: String,
        /// The action.
        name: &'static str,
    },
    /// Two chords are the same, or one begins the other.
    #[error("[{context}] \"{chord}\" collides with \"{other}\" ({name})")]
    Collision {
        /// The table.
        context: &'static str,
        /// The chord as written.
        chord: String,
        /// The chord it collides with.
        other: String,
        /// What that one does.
        name: &'static str,
    },
    /// The chord removed is not bound.
    #[error("[{context}] \"{chord}\" is not bound, so it cannot be removed")]
    NotBound {
        /// The table.
        context: &'static str,
        /// The chord as written.
        chord: String,
    },
    /// The chord is one that this action may never sit on.
    #[error("[{context}] \"{chord}\" may not be {name}: {why}")]
    Banned {
        /// The table.
        context: &'static str,
        /// The chord as written.
        chord: String,
        /// The action.
        name: &'static str,
        /// The rule.
        why: &'static str,
    },
}

const WHY_DANGER: &str = "what is wide or cannot be undone is an upper-case letter";
const WHY_TEXT: &str = "a letter is text there";

struct Entry {
    context: Context,
    written: String,
    chord: Chord,
    /// The action's name, or none to remove the chord.
    name: Option<String>,
}

impl Keymap {
    /// The defaults changed by the text of a keys file, and everything in it that does not apply.
    #[must_use]
    pub fn with_overrides(text: &str) -> (Self, Vec<Problem>) {
        let mut problems = Vec::new();
        let entries = match text.parse::<toml::Table>() {
            Ok(table) => read(&table, &mut problems),
            Err(error) => {
                problems.push(Problem::Syntax(error.message().to_owned()));
                Vec::new()
            }
        };
        let mut bindings = Self::default().bindings;
        let (removals, additions): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|entry| entry.name.is_none());
        for entry in removals {
            let count = bindings.len();
            bindings.retain(|binding| !is_same_place(binding, &entry));
            if bindings.len() == count {
                problems.push(Problem::NotBound {
                    context: entry.context.name(),
                    chord: entry.written,
                });
            }
        }
        let mut added: Vec<Binding> = Vec::new();
        for entry in additions {
            match bind(&entry, &bindings, &added) {
                Ok(binding) => {
                    bindings.retain(|other| !is_same_place(other, &entry));
                    added.push(binding);
                }
                Err(problem) => problems.push(problem),
            }
        }
        bindings.extend(added);
        (Self::of(bindings), problems)
    }
}

fn is_same_place(binding: &Binding, entry: &Entry) -> bool {
    binding.context == entry.context && binding.chord == entry.chord
}

fn read(table: &toml::Table, problems: &mut Vec<Problem>) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (name, value) in table {
        let (Some(context), Some(keys)) = (Context::named(name), value.as_table()) else {
            let known = Context::ALL.into_iter().map(Context::name);
            problems.push(Problem::UnknownContext {
                name: name.clone(),
                hint: hint(name, known),
            });
            continue;
        };
        for (written, value) in keys {
            let chord = match Chord::parse(written) {
                Ok(chord) => chord,
                Err(unknown) => {
                    problems.push(Problem::UnknownChord {
                        context: context.name(),
                        chord: written.clone(),
                        key: unknown.0,
                    });
                    continue;
                }
            };
            let name = match value {
                toml::Value::Boolean(false) => None,
                toml::Value::String(name) => Some(name.clone()),
                _ => {
                    problems.push(Problem::NotAName {
                        context: context.name(),
                        chord: written.clone(),
                    });
                    continue;
                }
            };
            entries.push(Entry {
                context,
                written: written.clone(),
                chord,
                name,
            });
        }
    }
    entries
}

fn bind(entry: &Entry, bindings: &[Binding], added: &[Binding]) -> Result<Binding, Problem> {
    let context = entry.context.name();
    let chord = entry.written.clone();
    let name = entry.name.as_deref().unwrap_or_default();
    let Some(spec) = named(name) else {
        let hint = hint(name, registry().map(|spec| spec.name));
        return Err(Problem::UnknownAction {
            context,
            chord,
            name: name.to_owned(),
            hint,
        });
    };
    if !spec.applies_in(entry.context) && !spec.contexts.contains(&entry.context) {
        return Err(Problem::Elsewhere {
            context,
            chord,
            name: spec.name,
        });
    }
    let is_dangerous = matches!(spec.danger, Danger::Wide | Danger::Destructive);
    if is_dangerous && entry.chord.is_banned_for_danger() {
        return Err(Problem::Banned {
            context,
            chord,
            name: spec.name,
            why: WHY_DANGER,
        });
    }
    if entry.context.is_text() && entry.chord.keys().first().copied().is_some_and(is_text_key) {
        return Err(Problem::Banned {
            context,
            chord,
            name: spec.name,
            why: WHY_TEXT,
        });
    }
    let same = added.iter().find(|other| is_same_place(other, entry));
    let nested = bindings.iter().chain(added).find(|other| {
        other.context == entry.context
            && other.chord != entry.chord
            && (other.chord.keys().starts_with(entry.chord.keys())
                || entry.chord.keys().starts_with(other.chord.keys()))
    });
    if let Some(other) = same.or(nested) {
        let name = other.action.spec().name;
        return Err(Problem::Collision {
            context,
            chord,
            other: other.chord.to_string(),
            name,
        });
    }
    Ok(Binding {
        context: entry.context,
        chord: entry.chord.clone(),
        action: spec.action,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::action::Action;
    use crate::console::keymap::Lookup;

    fn at(map: &Keymap, context: Context, text: &str) -> Lookup {
        map.lookup(context, false, Chord::parse(text).unwrap().keys())
    }

    #[test]
    fn chords_are_added_changed_and_removed() {
        let (map, problems) = Keymap::with_overrides(
            "[global]\n\"ctrl-p\" = \"palette.open\"\n[inbox]\n\"A\" = false\n\"a\" = \"task.take\"\n\
             [dead-letters]\n\"g r\" = \"intent.replay\"\n",
        );
        assert_eq!(problems, []);
        assert_eq!(
            at(&map, Context::Inbox, "ctrl-p"),
            Lookup::Action(Action::Palette)
        );
        assert_eq!(
            at(&map, Context::Inbox, ":"),
            Lookup::Action(Action::Palette)
        );
        assert_eq!(at(&map, Context::Inbox, "A"), Lookup::None);
        assert_eq!(at(&map, Context::Inbox, "a"), Lookup::Action(Action::Take));
        assert_eq!(
            at(&map, Context::DeadLetters, "g r"),
            Lookup::Action(Action::Replay)
        );
        assert_eq!(
            at(&map, Context::DeadLetters, "g g"),
            Lookup::Action(Action::MoveTop)
        );
    }

    #[test]
    fn every_problem_is_reported_and_the_rest_still_applies() {
        let (map, problems) = Keymap::with_overrides(
            "[globl]\n\"x\" = \"help.open\"\n\
             [global]\n\"F1\" = \"help.open\"\n\"hyper-x\" = \"help.open\"\n\"f2\" = \"help.opn\"\n\
             \"f3\" = 7\n\"y\" = \"help.open\"\n\
             [inbox]\n\"z\" = \"agent.pause\"\n\"f4\" = false\n\
             [dead-letters]\n\"ctrl-d\" = \"intent.discard\"\n\"space\" = \"intent.replay-many\"\n\
             [strip]\n\"a\" = \"strip.stage\"\n",
        );
        let texts: Vec<_> = problems.iter().map(ToString::to_string).collect();
        for expected in [
            "[globl] is no context, did you mean \"global\"?",
            "[global] \"hyper-x\": \"hyper-x\" is no key",
            "[global] \"f2\": no action is named \"help.opn\", did you mean \"help.open\"?",
            "[global] \"f3\" must be the name of an action, or false",
            "[global] \"y\" collides with \"y i\" (copy.id)",
            "[inbox] \"z\": agent.pause does nothing there",
            "[inbox] \"f4\" is not bound, so it cannot be removed",
            "[dead-letters] \"ctrl-d\" may not be intent.discard: what is wide or cannot be undone \
             is an upper-case letter",
            "[dead-letters] \"space\" may not be intent.replay-many: what is wide or cannot be \
             undone is an upper-case letter",
            "[strip] \"a\" may not be strip.stage: a letter is text there",
        ] {
            assert!(
                texts.iter().any(|text| text == expected),
                "missing: {expected}\n{texts:#?}"
            );
        }
        assert_eq!(texts.len(), 10, "{texts:#?}");
        assert_eq!(at(&map, Context::Inbox, "f1"), Lookup::Action(Action::Help));
    }

    #[test]
    fn the_same_key_spelt_twice_is_a_collision() {
        let (_, problems) = Keymap::with_overrides(
            "[global]\n\"ctrl-p\" = \"palette.open\"\n\"ctrl-P\" = \"help.open\"\n",
        );
        assert!(
            matches!(problems.as_slice(), [Problem::Collision { .. }]),
            "{problems:?}"
        );
    }

    #[test]
    fn a_file_that_is_no_toml_leaves_the_defaults() {
        let (map, problems) = Keymap::with_overrides("[global\n");
        assert!(matches!(problems.as_slice(), [Problem::Syntax(_)]));
        assert_eq!(
            at(&map, Context::Overview, "q"),
            Lookup::Action(Action::Quit)
        );
    }

    #[test]
    fn every_default_can_be_removed() {
        let mut text = String::new();
        for context in Context::ALL {
            text.extend(["[", context.name(), "]\n"]);
            for binding in Keymap::default().bindings() {
                if binding.context == context {
                    text.extend(["\"", &binding.chord.to_string(), "\" = false\n"]);
                }
            }
        }
        let (map, problems) = Keymap::with_overrides(&text);
        assert_eq!(problems, []);
        assert_eq!(map.bindings(), []);
    }
}
