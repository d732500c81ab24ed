//! What an operator writes for the console, and what foreign text becomes on its screen.

use postroom::console::action::place::Place;
use postroom::console::action::{Context, registry};
use postroom::console::filter::Filter;
use postroom::console::keymap::chord::Chord;
use postroom::console::keymap::{Keymap, Lookup};
use postroom::console::sanitise;
use postroom::console::theme::Themes;
use postroom::console::theme::depth::Depth;
use postroom::domain::address::Home;
use postroom::domain::time::Timestamp;

use crate::{Campaign, is_said, tally, text_of};

const NOW: Timestamp = Timestamp::from_millis(1_775_901_600_000);

const CHORDS: [&str; 30] = [
    "ctrl-",
    "alt-",
    "shift-",
    "super-",
    "cmd-",
    "g g",
    "g",
    "G",
    "space",
    "esc",
    "enter",
    "f1",
    "f12",
    "f255",
    "pgup",
    "pgdn",
    "s-tab",
    "backtab",
    "tab",
    "del",
    "up",
    "-",
    "hyphen",
    "ctrl-shift-x",
    "ctrl-alt-a-b",
    "\u{df}",
    "\u{130}",
    "null",
    "capslock",
    "menu",
];

#[test]
fn chords() {
    let defaults = registry()
        .flat_map(|spec| spec.keys)
        .map(|keys| (*keys).to_owned());
    Campaign::new("chords")
        .seeds(defaults)
        .words(&CHORDS)
        .cases(4000)
        .run(|input| {
            let text = text_of(input);
            match Chord::parse(&text) {
                Ok(chord) => {
                    let printed = chord.to_string();
                    if chord.keys().is_empty() {
                        return Err("a chord without keys".to_owned());
                    }
                    match Chord::parse(&printed) {
                        Ok(again) if again == chord => Ok(tally(chord.keys().len())),
                        Ok(again) => Err(format!(
                            "a chord prints as \"{printed}\", which is \"{again}\""
                        )),
                        Err(unknown) => Err(format!(
                            "a chord prints as \"{printed}\", which is none: {unknown}"
                        )),
                    }
                }
                Err(unknown) => is_said(&unknown.to_string()).map(|()| "refused".to_owned()),
            }
        });
}

#[test]
fn keys_files() {
    let contexts = Context::ALL.map(Context::name);
    let names: Vec<&'static str> = registry().map(|spec| spec.name).collect();
    Campaign::new("keys files")
        .seeds([
            "[global]\n\"ctrl-p\" = \"palette.open\"\n[inbox]\n\"A\" = false\n",
            "[intents]\n\"g x\" = \"intent.cancel\"\n\"j\" = \"list.down\"\n",
            "[global]\n\"q\" = false\n\"Q\" = \"app.quit\"\n[field]\n\"ctrl-w\" = 7\n",
        ])
        .words(&CHORDS)
        .words(&contexts)
        .words(&names)
        .words(&[
            "[", "]", "\"", "=", "false", "true", "\n", "'''", "#", ".", "[[",
        ])
        .run(|input| {
            let text = text_of(input);
            let (map, problems) = Keymap::with_overrides(&text);
            for problem in &problems {
                is_said(&problem.to_string())?;
            }
            // Whatever the file says, a key means one thing, and no chord hides behind another one.
            for binding in map.bindings() {
                let found = map.lookup(binding.context, false, binding.chord.keys());
                let is_reached =
                    found == Lookup::Action(binding.action) || binding.context.is_text();
                if !is_reached {
                    return Err(format!(
                        "\"{}\" is bound and leads to {found:?}",
                        binding.chord
                    ));
                }
            }
            let kinds = problems.iter().map(ToString::to_string);
            Ok(format!(
                "{} {:?}",
                map.bindings().len(),
                kinds.collect::<Vec<_>>()
            ))
        });
}

#[test]
fn themes() {
    let files = ["midnight", "paper", "mono", "terminal"].map(|name| {
        std::fs::read(format!("{}/themes/{name}.toml", env!("CARGO_MANIFEST_DIR"))).unwrap()
    });
    Campaign::new("themes")
        .seeds(files)
        .seeds(["inherits = \"fuzz\"\n", "inherits = \"paper\"\n[palette]\nred = \"red\"\n[roles]\ntext = { fg = \"red\", bold = true }\n"])
        .words(&[
            "inherits", "palette", "roles", "fg", "bg", "bold", "dim", "\"#ff00ff\"", "\"#\u{df}\u{df}\u{df}\"", "\"default\"", "256",
            "\"rgb(1,2,3)\"", "\"hsl(400,1,1)\"", "\"lightred\"", "{", "}", "=", "\n", "[", "]", "\"", "fuzz", "terminal",
        ])
        .run(|input| {
            let mut themes = Themes::built_in();
            themes.add("fuzz", &text_of(input));
            let mut answers = Vec::new();
            for depth in [Depth::Ansi16, Depth::Indexed256, Depth::True] {
                let (theme, warnings) = themes.load("fuzz", depth);
                for warning in &warnings {
                    is_said(warning)?;
                }
                answers.push(format!("{warnings:?} {:?}", theme.background().is_some()));
            }
            Ok(answers.join(" "))
        });
}

#[test]
fn filter_lines() {
    let home = Home::default();
    Campaign::new("filters")
        .seeds([
            "state:dead agent:billing type:intent.invoice.* age>1h \"91b4 f6\"",
            "status:FAILED from:agent://acme/production/x corr:0d3e0000 is:unfinished",
            "outcome:timed-out err:http_5xx binding:http age<30s",
            "reason:attempts group:ab12 state:open",
            "who:ann action:task. via:console target:intent is:refused age<1d",
            "",
        ])
        .words(&[
            "state:",
            "status:",
            "agent:",
            "type:",
            "age>",
            "age<",
            "is:",
            "err:",
            "\"",
            ":",
            " ",
            "1d",
            "9223372036854775807d",
            "-5s",
            "+1h",
            "30\u{b5}s",
            "\u{130}",
            "~",
        ])
        .cases(3000)
        .run(|input| {
            let text = text_of(input);
            let mut filter = match Filter::parse(&text) {
                Ok(filter) => filter,
                Err(sentence) => return is_said(&sentence).map(|()| sentence),
            };
            // The line that is kept is the line that was meant.
            let again = Filter::parse(&filter.text);
            if again.as_ref().map(|again| &again.terms) != Ok(&filter.terms) {
                return Err(format!("the kept line means {again:?}"));
            }
            let answers = [
                filter.intents(&home, NOW).err(),
                filter.attempts(&home, NOW).err(),
                filter.letters(&home, NOW).err(),
                filter.audit(&home, NOW).err(),
                filter.here(Place::Agents).err(),
            ];
            for sentence in answers.iter().flatten() {
                is_said(sentence)?;
            }
            Ok(format!("{answers:?}"))
        });
}

/// Whatever a receiver or a sender wrote: no letter of it moves the cursor, and it is as wide as it says.
#[test]
fn foreign_text() {
    Campaign::new("foreign text")
        .seeds([
            "plain",
            "\u{1b}[31mred\u{1b}[0m",
            "e\u{301}\u{200d}\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
            "\u{202e}evil\u{202c}",
            "a\tb\nc",
            "{\"a\":\"\\u001b\"}",
        ])
        .words(&[
            "\u{9b}31m",
            "\u{90}",
            "\u{1b}]0;x\u{7}",
            "\u{ad}",
            "\u{3000}",
            "\u{1100}",
            "\u{fe0f}",
            "\u{20e3}",
        ])
        .cases(1000)
        .run(|input| {
            let text = text_of(input);
            let clean = sanitise::clean(&text);
            if clean
                .chars()
                .any(|letter| letter.is_control() || sanitise::is_hidden(letter))
            {
                return Err(format!(
                    "a letter that nobody may draw is left in {clean:?}"
                ));
            }
            if sanitise::clean(&clean) != clean {
                return Err("what is clean is cleaned again".to_owned());
            }
            for columns in [0, 1, 2, 7, 80] {
                let cell = sanitise::fit(&clean, columns);
                if sanitise::width(&cell) > columns {
                    return Err(format!("a text is wider than its {columns} columns"));
                }
                let head = sanitise::head(&clean, columns);
                if sanitise::width(head) > columns || !clean.starts_with(head) {
                    return Err(format!(
                        "a head is wider than its {columns} columns, or none"
                    ));
                }
            }
            let lines = sanitise::clean_lines(&text).count();
            Ok(tally(lines))
        });
}
