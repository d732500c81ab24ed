//! Looking: the cursor, ghosts, pinned lists, filters, the palette, hostile text, small screens.

use crossterm::event::{KeyCode, KeyModifiers};

use super::fixtures::{self, deliveries};
use super::{Bench, text_of, theme};
use crate::console::action::place::Place;
use crate::console::model::overlay::Overlay;
use crate::console::task::Task;
use crate::console::theme::Themes;
use crate::desk::rows::FeedRow;
use crate::desk::rows::disk::DiskState;
use crate::domain::ids::{Cursor, IntentId};
use crate::domain::payload::Payload;
use crate::domain::status::{State, Status};

fn fact(cursor: u64, intent: IntentId, status: Status) -> FeedRow {
    FeedRow {
        cursor: Cursor(cursor),
        at: fixtures::now(),
        kind: "intent.completed".to_owned(),
        intent: Some(intent),
        agent: Some(fixtures::address("ledger")),
        status: Some(status),
        actor: "postroom".to_owned(),
        data: Payload::empty(),
    }
}

fn cursor(bench: &Bench) -> String {
    bench.model.intents.rows.cursor().unwrap().short()
}

#[test]
fn the_cursor_stays_on_its_row_when_rows_come_in_and_when_they_are_sorted_anew() {
    let mut bench = Bench::at(120, 36);
    bench.keys("3jj");
    assert_eq!(cursor(&bench), "8fd03e1b");
    bench.desk.script(|script| {
        for age in 0..3 {
            let short = format!("0000000{age}");
            let new = deliveries::intent(&short, "ledger", Status::Completed, State::Completed, 0);
            script.intents.insert(0, new);
        }
    });
    bench.feed(vec![fact(
        50,
        fixtures::id("00000000", 0),
        Status::Completed,
    )]);
    bench.pass(1_000);
    assert_eq!(cursor(&bench), "8fd03e1b");
    assert!(
        bench.screen().contains("00000002"),
        "new rows stream in at the top"
    );
    let mut bench = Bench::at(120, 36);
    bench.keys("2jj");
    bench.desk.script(|script| script.tasks.reverse());
    bench.pass(6_000);
    assert_eq!(
        bench.model.inbox.tasks.cursor().unwrap().short(),
        "8fd03e1b"
    );
}

#[test]
fn a_pinned_list_counts_what_is_new_and_f_goes_there() {
    let mut bench = Bench::at(80, 24);
    bench.keys("3");
    bench.desk.script(|script| {
        let row = |number: usize| {
            let short = format!("0000{number:04}");
            let age = i64::try_from(40 - number).unwrap();
            deliveries::intent(&short, "ledger", Status::Completed, State::Completed, age)
        };
        script.intents = (0..40).rev().map(row).collect();
    });
    bench.model.reads.touch_all();
    bench.pass(1_000);
    bench.key(KeyCode::Char('G'));
    let before = cursor(&bench);
    bench.desk.script(|script| {
        let new = deliveries::intent(
            "ffffffff",
            "ledger",
            Status::Completed,
            State::Completed,
            -1,
        );
        script.intents.insert(0, new);
    });
    bench.feed(vec![fact(
        51,
        fixtures::id("ffffffff", -1),
        Status::Completed,
    )]);
    bench.pass(1_000);
    assert_eq!(cursor(&bench), before);
    assert!(bench.screen().contains("▲ 1 new (f)"), "{}", bench.screen());
    bench.keys("f");
    bench.pass(1_000);
    assert!(bench.screen().contains("ffffffff"));
    assert_eq!(bench.model.intents.rows.cursor_line(), Some(0));
}

#[test]
fn a_row_that_leaves_stays_as_a_ghost_with_its_reason_until_the_cursor_moves_on() {
    let mut bench = Bench::at(120, 36);
    bench.keys("2j");
    bench.desk.script(|script| {
        script.tasks.remove(1);
    });
    bench.pass(6_000);
    let screen = bench.screen();
    assert!(
        screen.contains("3da8b560") && screen.contains("decided or withdrawn"),
        "{screen}"
    );
    bench.keys("a");
    assert!(bench.model.strip.is_none());
    assert!(
        bench.status().contains("has left the list"),
        "{}",
        bench.status()
    );
    bench.keys("j");
    assert!(!bench.screen().contains("decided or withdrawn"));
    assert_eq!(
        bench.model.inbox.tasks.cursor().unwrap().short(),
        "8fd03e1b"
    );
}

#[test]
fn a_new_task_changes_a_number_and_nothing_else() {
    let mut bench = Bench::at(120, 36);
    bench.keys("3j");
    let place = bench.model.view;
    let row = cursor(&bench);
    bench.desk.script(|script| script.overview.tasks_open = 10);
    bench.feed(vec![fact(
        52,
        fixtures::id("8fd03e1b", 65),
        Status::Waiting,
    )]);
    bench.pass(2_000);
    assert_eq!(bench.model.view, place);
    assert_eq!(cursor(&bench), row);
    assert!(bench.model.overlay.is_none());
    assert!(bench.screen().contains("2 Inbox 10!"));
}

#[test]
fn a_disk_without_room_is_said_in_the_header_at_every_size() {
    for (width, height) in [(120, 36), (80, 24), (40, 9)] {
        let mut bench = Bench::at(width, height);
        assert!(!bench.screen().contains("DISK"));
        for (disk, text) in [(DiskState::Low, "DISK LOW"), (DiskState::Full, "DISK FULL")] {
            bench.desk.script(|script| script.overview.disk = disk);
            bench.pass(2_000);
            assert!(bench.screen().contains(text), "{}", bench.screen());
        }
    }
}

#[test]
fn a_filter_is_asked_of_the_desk_shown_in_the_title_and_cleared_by_two_slashes() {
    let mut bench = Bench::at(120, 36);
    bench.keys("3/");
    bench.keys("state:dead");
    bench.key(KeyCode::Enter);
    let screen = bench.screen();
    assert!(screen.contains("/ state:dead"), "{screen}");
    assert!(
        screen.contains("91b4f6c3") && !screen.contains("5b2e9a14"),
        "{screen}"
    );
    bench.keys("/");
    bench.keys("/");
    assert!(bench.model.intents.filter.is_empty());
    assert!(bench.screen().contains("5b2e9a14"));
    bench.keys("/colour:red");
    bench.key(KeyCode::Enter);
    assert!(bench.screen().contains("is not a term of this list"));
}

#[test]
fn the_palette_finds_desks_actions_agents_themes_and_ids() {
    let mut bench = Bench::at(120, 36);
    bench.keys(":agents");
    bench.key(KeyCode::Enter);
    assert_eq!(bench.model.view.place, Place::Agents);
    bench.keys(":theme mono");
    bench.key(KeyCode::Enter);
    assert_eq!(bench.model.theme, "mono");
    bench.keys(":agent ledger");
    bench.key(KeyCode::Enter);
    assert_eq!(bench.model.agents.rows.cursor().unwrap().name(), "ledger");
    bench.keys(":91b4f6c3");
    bench.key(KeyCode::Enter);
    assert!(
        bench.screen().contains("FAILED invoice.paid.v1")
            || bench.screen().contains("intent 91b4f6c3")
    );
    bench.key(KeyCode::Enter);
    assert_eq!(bench.model.view.intent.unwrap().short(), "91b4f6c3");
    bench.keys(":jobs");
    bench.key(KeyCode::Enter);
    assert_eq!(bench.model.view.place, Place::Jobs);
    bench.keys(":view.crumbs");
    bench.key(KeyCode::Enter);
    assert!(bench.screen().contains("[Jobs]"), "{}", bench.screen());
}

#[test]
fn escape_and_the_last_view_lead_back_the_way_one_came() {
    let mut bench = Bench::at(120, 36);
    bench.keys("5");
    bench.key(KeyCode::Enter);
    bench.key(KeyCode::Enter);
    assert!(bench.model.view.intent.is_some());
    bench.key(KeyCode::Esc);
    assert_eq!(
        (bench.model.view.place, bench.model.pane()),
        (Place::DeadLetters, 1)
    );
    bench.key(KeyCode::Esc);
    assert_eq!(bench.model.pane(), 0);
    bench.key(KeyCode::Esc);
    assert_eq!(
        bench.model.view.place,
        Place::DeadLetters,
        "a desk is the top of its own way"
    );
    bench.keys("13-");
    assert_eq!(bench.model.view.place, Place::Overview);
    bench.keys("-");
    assert_eq!(bench.model.view.place, Place::Intents);
    bench.keys("1");
    bench.key(KeyCode::Tab);
    bench.key(KeyCode::Enter);
    assert_eq!(
        bench.model.view.place,
        Place::Inbox,
        "the first that needs attention is a task"
    );
    bench.key(KeyCode::Esc);
    assert_eq!(bench.model.view.place, Place::Overview);
}

#[test]
fn copying_gives_the_original_and_says_where_it_went() {
    let mut bench = Bench::at(120, 36);
    bench.keys("3");
    bench.keys("yi");
    let copies = bench.take(|task| matches!(task, Task::Copy(_)));
    let [Task::Copy(text)] = copies.as_slice() else {
        panic!("one copy, not {copies:?}");
    };
    assert_eq!(*text, fixtures::id("5b2e9a14", 1).to_string());
    assert!(bench.status().contains("sent to the terminal's clipboard"));
    bench.keys("5");
    bench.key(KeyCode::Enter);
    bench.key(KeyCode::Enter);
    bench.keys("yp");
    let copies = bench.take(|task| matches!(task, Task::Copy(_)));
    let [Task::Copy(text)] = copies.as_slice() else {
        panic!("one copy, not {copies:?}");
    };
    assert!(
        text.contains('\u{202e}'),
        "a copy is the original, hidden characters and all"
    );
}

#[test]
fn a_sequence_shows_what_may_follow_and_escape_ends_it() {
    let mut bench = Bench::at(120, 36);
    bench.keys("3");
    bench.press(KeyCode::Char('y'), KeyModifiers::NONE);
    assert!(!bench.screen().contains("y then"));
    bench.pass(300);
    assert!(bench.screen().contains("y then"), "{}", bench.screen());
    bench.key(KeyCode::Esc);
    assert!(!bench.screen().contains("y then"));
    assert_eq!(bench.model.view.place, Place::Intents);
}

#[test]
fn quitting_asks_while_the_broker_runs_inside_and_q_twice_ends() {
    let mut bench = Bench::at(120, 36);
    bench.keys("q");
    assert!(bench.screen().contains("nothing is delivered meanwhile"));
    assert!(!bench.model.is_ending);
    bench.key(KeyCode::Esc);
    bench.keys("Q");
    bench.keys("Q");
    assert!(bench.model.is_ending);
    let mut bench = Bench::at(120, 36);
    bench.model.settings.is_embedded = false;
    bench.keys("q");
    assert!(
        bench.model.is_ending,
        "an attached console has nothing to ask"
    );
}

#[test]
fn pausing_freezes_the_rows_and_counts_what_happened() {
    let mut bench = Bench::at(120, 36);
    bench.keys("3p");
    bench.desk.script(|script| {
        let new = deliveries::intent(
            "ffffffff",
            "ledger",
            Status::Completed,
            State::Completed,
            -1,
        );
        script.intents.insert(0, new);
    });
    bench.feed(vec![fact(
        53,
        fixtures::id("ffffffff", -1),
        Status::Completed,
    )]);
    bench.pass(42_000);
    let status = bench.status();
    assert!(
        status.contains("PAUSED 00:42") && status.contains("+1"),
        "{status}"
    );
    assert!(!bench.screen().contains("ffffffff"));
    bench.keys("p");
    bench.pass(1_000);
    assert!(bench.screen().contains("ffffffff"));
}

#[test]
fn a_screen_that_is_too_small_says_what_it_needs_and_keys_still_work() {
    for (width, height) in [(39, 20), (80, 8), (1, 1), (10, 3)] {
        let mut bench = Bench::at(width, height);
        if width >= 39 {
            assert!(bench.screen().contains("needs 40x9"), "{}", bench.screen());
        }
        bench.keys("3");
        assert_eq!(bench.model.view.place, Place::Intents);
    }
}

#[test]
fn every_size_from_the_smallest_on_draws_every_desk() {
    for width in [40, 60, 80, 110] {
        for height in [9, 16, 30] {
            let mut bench = Bench::at(width, height);
            for key in "1234567823".chars() {
                bench.keys(&key.to_string());
            }
            bench.key(KeyCode::Enter);
            bench.key(KeyCode::Tab);
            bench.key(KeyCode::Tab);
        }
    }
}

#[test]
fn hostile_text_moves_no_border_and_hides_nothing() {
    let nasty = "\u{1b}[2J\u{202e}evil\u{0}\t\u{200b}漢字漢字 e\u{301}\u{301}\u{301}\u{301} \u{1f469}\u{200d}\u{1f4bb}";
    for (width, height) in [(120, 36), (80, 24)] {
        let mut plain = Bench::at(width, height);
        plain.keys("2");
        let clean = plain.screen();
        let mut bench = Bench::at(width, height);
        bench.desk.script(|script| {
            for task in &mut script.tasks {
                task.title = nasty.to_owned();
                task.description = Some(nasty.repeat(4));
            }
            script.thread[1].text = Some(nasty.to_owned());
            script.payload = Payload::of(&serde_json::json!({ nasty: nasty }));
        });
        bench.pass(6_000);
        bench.keys("2");
        bench.pass(1_000);
        let screen = bench.screen();
        let borders = |text: &str| -> Vec<(usize, usize, char)> {
            text.lines()
                .enumerate()
                .flat_map(|(y, line)| {
                    let width = crate::console::sanitise::width(line);
                    let first = line.chars().next().unwrap_or(' ');
                    let last = line.chars().last().unwrap_or(' ');
                    [(y, width, first), (y, width, last)]
                })
                .filter(|(_, _, letter)| "┃│┏┓┗┛┌┐└┘".contains(*letter))
                .collect()
        };
        assert_eq!(borders(&screen), borders(&clean), "{screen}");
        assert!(
            !screen
                .chars()
                .any(|letter| letter != '\n' && crate::console::sanitise::is_hidden(letter))
        );
        assert!(screen.contains("⟨U+001B⟩"), "{screen}");
    }
}

#[test]
fn every_overlay_opens_over_every_size() {
    for (width, height) in [(120, 36), (80, 24), (60, 16), (40, 9)] {
        let mut bench = Bench::at(width, height);
        for key in [":", "?", "U", "!", "i"] {
            bench.keys(key);
            assert!(bench.model.overlay.is_some(), "{key} at {width}x{height}");
            bench.key(KeyCode::Esc);
            assert!(bench.model.overlay.is_none(), "{key} at {width}x{height}");
        }
        bench.keys("6P");
        assert!(matches!(bench.model.overlay, Some(Overlay::Panel(_))));
    }
}

#[test]
fn no_theme_hides_a_word() {
    for name in Themes::built_in().names() {
        let mut bench = Bench::at(120, 36);
        let plain = text_of(&bench.draw_with(&theme("mono")));
        assert_eq!(text_of(&bench.draw_with(&theme(name))), plain, "{name}");
    }
}

#[test]
fn a_tail_that_leaves_facts_out_says_so_and_counts_them() {
    let mut bench = Bench::at(120, 36);
    bench.keys("1");
    let id = fixtures::id("8f3c5e7a", 1);
    bench.feed_thinned(vec![fact(50, id, Status::Completed)], 11_999);
    bench.pass(1000);
    let screen = bench.screen();
    assert!(screen.contains("the newest of 1,200 ev/s"), "{screen}");
    bench.feed(vec![fact(51, id, Status::Completed)]);
    bench.pass(11_000);
    let screen = bench.screen();
    assert!(!screen.contains("the newest of"), "{screen}");
}
