//! Which key does what: the chords of the registry, changed by the operator's own file.
//!
//! A chord is one or more key combinations after each other. Each context has a trie of chords; a
//! lookup asks the contexts innermost first. While a text field has the focus, letters never get here:
//! only Ctrl and Alt chords, Tab, Enter and Esc are commands.

pub mod chord;
pub mod overrides;
pub mod print;

use std::collections::BTreeMap;

use crokey::KeyCombination;
use crossterm::event::{KeyCode, KeyModifiers};

use self::chord::Chord;
use super::action::{Action, Context, registry};

/// What the keys pressed so far mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// They are a command.
    Action(Action),
    /// They begin a sequence; these keys may follow. It never times out.
    Pending(Vec<Follow>),
    /// They mean nothing here: text for a field, or nothing at all.
    None,
}

/// A key that may follow the ones pressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Follow {
    /// The key as it is printed.
    pub key: String,
    /// A word or two for it.
    pub label: &'static str,
    /// What it leads to; the first of several if it only begins a longer sequence.
    pub action: Action,
}

#[derive(Debug, Clone, Default)]
struct Node {
    action: Option<Action>,
    next: Vec<(KeyCombination, Self)>,
}

impl Node {
    fn find(&self, pressed: &[KeyCombination]) -> Option<&Self> {
        let Some((first, rest)) = pressed.split_first() else {
            return Some(self);
        };
        let (_, node) = self.next.iter().find(|(key, _)| key == first)?;
        node.find(rest)
    }

    fn insert(&mut self, keys: &[KeyCombination], action: Action) {
        let Some((first, rest)) = keys.split_first() else {
            self.action = Some(action);
            return;
        };
        if let Some((_, node)) = self.next.iter_mut().find(|(key, _)| key == first) {
            node.insert(rest, action);
        } else {
            let mut node = Self::default();
            node.insert(rest, action);
            self.next.push((*first, node));
        }
    }

    fn first_action(&self) -> Option<Action> {
        self.action
            .or_else(|| self.next.iter().find_map(|(_, node)| node.first_action()))
    }
}

/// A chord bound to an action in one context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Where it works.
    pub context: Context,
    /// The keys.
    pub chord: Chord,
    /// What they do.
    pub action: Action,
}

/// All bindings in force.
#[derive(Debug, Clone)]
pub struct Keymap {
    bindings: Vec<Binding>,
    tries: BTreeMap<Context, Node>,
}

impl Default for Keymap {
    fn default() -> Self {
        let mut bindings = Vec::new();
        for spec in registry() {
            for context in spec.contexts {
                for keys in spec.keys {
                    // A test parses every default chord, so none is dropped here.
                    if let Ok(chord) = Chord::parse(keys) {
                        bindings.push(Binding {
                            context: *context,
                            chord,
                            action: spec.action,
                        });
                    }
                }
            }
        }
        Self::of(bindings)
    }
}

impl Keymap {
    fn of(bindings: Vec<Binding>) -> Self {
        let mut tries = BTreeMap::<Context, Node>::new();
        for Binding {
            context,
            chord,
            action,
        } in &bindings
        {
            tries
                .entry(*context)
                .or_default()
                .insert(chord.keys(), *action);
        }
        Self { bindings, tries }
    }

    /// The bindings in force, defaults in the order of the registry.
    #[must_use]
    pub fn bindings(&self) -> &[Binding] {
        &self.bindings
    }

    /// What `pressed` means where `context` is the innermost one. `is_typing` says that a text field
    /// has the focus; in the strip and in fields that is always so.
    #[must_use]
    pub fn lookup(&self, context: Context, is_typing: bool, pressed: &[KeyCombination]) -> Lookup {
        let Some(first) = pressed.first() else {
            return Lookup::None;
        };
        let is_typing = is_typing || context.is_text();
        if is_typing && is_text_key(*first) {
            return Lookup::None;
        }
        let mut follows: Vec<Follow> = Vec::new();
        for layer in context.layers() {
            let is_outer = *layer != context;
            if is_typing && is_outer && !is_command_key(*first) {
                continue;
            }
            let Some(node) = self.tries.get(layer).and_then(|trie| trie.find(pressed)) else {
                continue;
            };
            match node.action {
                Some(action) if follows.is_empty() => return Lookup::Action(action),
                // An inner context waits for more keys here, so the outer command is covered.
                Some(_) => break,
                None => follows_of(node, &mut follows),
            }
        }
        if follows.is_empty() {
            Lookup::None
        } else {
            Lookup::Pending(follows)
        }
    }

    /// The chords that lead to `action` where `context` is the innermost one, leaving out those an
    /// inner context has taken for something else.
    #[must_use]
    pub fn chords_of(&self, action: Action, context: Context) -> Vec<&Chord> {
        self.bindings
            .iter()
            .filter(|binding| {
                binding.action == action && context.layers().contains(&binding.context)
            })
            .filter(|binding| {
                self.lookup(context, false, binding.chord.keys()) == Lookup::Action(action)
                    || context.is_text()
            })
            .map(|binding| &binding.chord)
            .collect()
    }
}

fn follows_of(node: &Node, follows: &mut Vec<Follow>) {
    for (key, next) in &node.next {
        let key = chord::key_text(*key);
        let Some(action) = next.first_action() else {
            continue;
        };
        if follows.iter().all(|follow| follow.key != key) {
            follows.push(Follow {
                key,
                label: print::label(action),
                action,
            });
        }
    }
}

/// Whether the key is a character for a text field.
#[must_use]
pub fn is_text_key(key: KeyCombination) -> bool {
    let modifiers = KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SUPER;
    matches!(key.codes, crokey::OneToThree::One(KeyCode::Char(_)))
        && !key.modifiers.intersects(modifiers)
}

/// Whether the key may be a command of an outer context while a text field has the focus.
fn is_command_key(key: KeyCombination) -> bool {
    key.modifiers
        .intersects(KeyModifiers::CONTROL | KeyModifiers::ALT)
        || matches!(
            key.codes,
            crokey::OneToThree::One(
                KeyCode::Tab | KeyCode::BackTab | KeyCode::Enter | KeyCode::Esc
            )
        )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::console::action::{Danger, Spec};

    fn keys(text: &str) -> Vec<KeyCombination> {
        Chord::parse(text).unwrap().keys().to_vec()
    }

    fn last_is_upper(chord: &Chord) -> bool {
        matches!(
            chord.keys().last().unwrap().codes,
            crokey::OneToThree::One(KeyCode::Char(letter)) if letter.is_uppercase()
        )
    }

    fn defaults() -> impl Iterator<Item = (&'static Spec, Chord)> {
        registry().flat_map(|spec| {
            spec.keys.iter().map(move |keys| {
                let chord = Chord::parse(keys)
                    .unwrap_or_else(|_| panic!("{}: {keys} is no chord", spec.name));
                (spec, chord)
            })
        })
    }

    #[test]
    fn a_destructive_or_wide_verb_is_an_upper_case_letter() {
        for (spec, chord) in defaults() {
            if matches!(spec.danger, Danger::Wide | Danger::Destructive) {
                assert!(
                    last_is_upper(&chord) && chord.keys().len() == 1,
                    "{}",
                    spec.name
                );
            }
        }
    }

    #[test]
    fn any_other_upper_case_letter_reverses_or_widens_its_lower_case_twin() {
        for (spec, chord) in defaults() {
            if !last_is_upper(&chord) || matches!(spec.danger, Danger::Wide | Danger::Destructive) {
                continue;
            }
            let lower = chord.to_string().to_lowercase();
            let has_twin = defaults().any(|(twin, other)| {
                twin.contexts
                    .iter()
                    .any(|context| spec.contexts.contains(context))
                    && (other.to_string() == lower
                        || other.to_string() == format!("{lower} {lower}"))
            });
            assert!(has_twin, "{} on {chord} has no lower-case twin", spec.name);
        }
    }

    #[test]
    fn nothing_destructive_sits_on_ctrl_delete_backspace_space_or_enter() {
        for (spec, chord) in defaults() {
            if matches!(spec.danger, Danger::Wide | Danger::Destructive) {
                assert!(!chord.is_banned_for_danger(), "{} on {chord}", spec.name);
            }
            if spec.danger != Danger::No && chord.to_string() == "Enter" {
                assert_eq!(spec.contexts, [Context::Strip], "{}", spec.name);
            }
        }
    }

    #[test]
    fn no_chord_appears_twice_in_one_context_nor_begins_another() {
        let map = Keymap::default();
        let mut seen = BTreeSet::new();
        for binding in map.bindings() {
            let place = (binding.context, binding.chord.to_string());
            assert!(seen.insert(place.clone()), "{place:?} is bound twice");
            for other in map
                .bindings()
                .iter()
                .filter(|other| other.context == binding.context)
            {
                let begins = other.chord != binding.chord
                    && other.chord.keys().starts_with(binding.chord.keys());
                assert!(!begins, "{} begins {}", binding.chord, other.chord);
            }
        }
    }

    #[test]
    fn in_a_text_context_no_default_is_a_letter() {
        for (spec, chord) in defaults() {
            if spec.contexts.iter().any(|context| context.is_text()) {
                assert!(
                    !is_text_key(*chord.keys().first().unwrap()),
                    "{}",
                    spec.name
                );
            }
        }
    }

    #[test]
    fn while_typing_every_letter_is_text_and_ctrl_tab_enter_esc_are_commands() {
        let map = Keymap::default();
        for letter in ('!'..='~').map(String::from) {
            for (context, is_typing) in [
                (Context::Strip, false),
                (Context::Field, false),
                (Context::Panel, true),
            ] {
                assert_eq!(map.lookup(context, is_typing, &keys(&letter)), Lookup::None);
            }
        }
        let command = |context, text| map.lookup(context, true, &keys(text));
        assert_eq!(
            command(Context::Strip, "enter"),
            Lookup::Action(Action::StripStage)
        );
        assert_eq!(
            command(Context::Strip, "ctrl-l"),
            Lookup::Action(Action::Redraw)
        );
        assert_eq!(
            command(Context::Panel, "esc"),
            Lookup::Action(Action::PanelCancel)
        );
        assert_eq!(command(Context::Field, "ctrl-d"), Lookup::None);
    }

    #[test]
    fn an_inner_context_answers_first() {
        let map = Keymap::default();
        let at = |context, text| map.lookup(context, false, &keys(text));
        assert_eq!(at(Context::Inbox, "m"), Lookup::Action(Action::Take));
        assert_eq!(
            at(Context::DeadLetters, "m"),
            Lookup::Action(Action::TakeGroup)
        );
        assert_eq!(at(Context::Intent, "["), Lookup::Action(Action::AsOfBack));
        assert_eq!(
            at(Context::Agents, "["),
            Lookup::Action(Action::HistoryBack)
        );
        assert_eq!(at(Context::Agents, "m"), Lookup::None);
        assert_eq!(at(Context::Overview, "-"), Lookup::Action(Action::LastView));
    }

    #[test]
    fn a_sequence_says_what_may_follow_from_every_layer() {
        let map = Keymap::default();
        let Lookup::Pending(follows) = map.lookup(Context::Intent, false, &keys("g")) else {
            panic!("g begins a sequence");
        };
        let printed: Vec<_> = follows.iter().map(|follow| follow.key.as_str()).collect();
        assert_eq!(printed, ["t", "a", "p", "h", "l", "r", "g"]);
        let followed = map.lookup(Context::Intent, false, &keys("g g"));
        assert_eq!(followed, Lookup::Action(Action::MoveTop));
        let Lookup::Pending(options) = map.lookup(Context::Panel, false, &keys("-")) else {
            panic!("- begins a sequence in a panel");
        };
        assert_eq!(options.first().unwrap().label, "rate");
        assert_eq!(
            map.lookup(Context::Intent, false, &keys("g x")),
            Lookup::None
        );
    }
}
