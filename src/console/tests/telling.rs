//! Without colour: what differs in its state differs in its words, and what has the focus in its look.

use std::collections::BTreeMap;
use std::fmt::Debug;

use ratatui::style::Style;

use super::Bench;
use super::fake::{FakeDesk, Script};
use crate::console::theme::Role;
use crate::console::update::Input;
use crate::desk::rows::AgentState;
use crate::domain::job::JobState;
use crate::domain::status::{State, Status};

/// Each of several states looks, in words alone, unlike every other.
fn tells_apart<T: Copy + Debug>(keys: &str, states: &[T], change: impl Fn(&mut Script, T)) {
    for size in [(120, 36), (80, 24), (40, 9)] {
        let mut told = BTreeMap::new();
        for state in states {
            let desk = FakeDesk::new();
            desk.script(|script| change(script, *state));
            let mut bench = Bench::with(desk, size.0, size.1);
            bench.keys(keys);
            let before = told.insert(bench.screen(), state);
            assert!(
                before.is_none(),
                "{state:?} and {before:?} look the same at {size:?}:\n{}",
                bench.screen()
            );
        }
    }
}

#[test]
fn every_state_is_told_by_words_alone() {
    let agents = [
        AgentState::Offline,
        AgentState::Degraded,
        AgentState::Throttled,
        AgentState::Paused,
        AgentState::Killed,
        AgentState::Ok,
    ];
    tells_apart("6", &agents, |script, state| {
        script.agents.truncate(1);
        script.agents[0].state = state;
    });
    tells_apart("3", &Status::ALL, |script, status| {
        script.intents.truncate(1);
        script.intents[0].status = status;
        script.intents[0].state = State::Queued;
    });
    tells_apart("7", &JobState::ALL, |script, state| {
        script.jobs.truncate(1);
        script.jobs[0].state = state;
    });
    tells_apart("2", &[false, true], |script, is_overdue| {
        script.tasks.truncate(1);
        script.tasks[0].is_overdue = is_overdue;
    });
}

#[test]
fn the_link_is_told_by_words_alone() {
    for size in [(120, 36), (80, 24), (60, 16)] {
        let links: [fn(&mut Bench); 4] = [
            |_| (),
            |bench| bench.elapsed_ms += 4_000,
            |bench| bench.elapsed_ms += 12_000,
            Bench::feed_error,
        ];
        let words = ["LIVE", "LAG", "STALE", "DOWN"];
        for (link, word) in links.into_iter().zip(words) {
            let mut bench = Bench::at(size.0, size.1);
            link(&mut bench);
            bench.input(Input::Tick);
            let screen = bench.screen();
            let header = screen.lines().next().unwrap();
            for other in words {
                assert_eq!(header.contains(other), other == word, "{header}");
            }
        }
    }
}

#[test]
fn in_mono_what_asks_for_attention_or_has_the_focus_looks_unlike_text() {
    let mono = super::theme("mono");
    let look = |role| {
        let Style {
            fg,
            bg,
            add_modifier,
            ..
        } = mono.style(role);
        (fg, bg, add_modifier)
    };
    for role in [
        Role::Cursor,
        Role::Tab,
        Role::Input,
        Role::Crit,
        Role::Held,
        Role::Focus,
        Role::Key,
        Role::Warn,
        Role::Bad,
        Role::Off,
        Role::Ghost,
        Role::Mark,
    ] {
        assert_ne!(look(role), look(Role::Text), "{}", role.name());
    }
    assert_ne!(look(Role::Focus), look(Role::Border));
    assert_ne!(look(Role::Crit), look(Role::Warn));
}
