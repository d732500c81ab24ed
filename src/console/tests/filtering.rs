//! The filter line: what it offers, what it asks, what is searched for in the background.

use crossterm::event::{KeyCode, KeyModifiers};

use super::Bench;
use super::fixtures::deliveries;
use crate::console::feed;
use crate::console::model::overlay::Overlay;
use crate::console::model::scan::Stage;
use crate::console::task::{News, Query, Task};
use crate::console::update::Input;
use crate::desk::rows::IntentRow;
use crate::domain::status::{State, Status};

use futures_util::FutureExt as _;
use std::sync::Arc;

/// A thousand intents, newest first; the 250th and the 950th died of something rare.
fn many() -> Vec<IntentRow> {
    let row = |number: i64| {
        let short = format!("{:08x}", 0x00a0_0000 + number);
        let row = deliveries::intent(
            &short,
            "ledger",
            Status::Completed,
            State::Completed,
            number,
        );
        let note = matches!(number, 250 | 950).then(|| "the needle broke".to_owned());
        IntentRow { note, ..row }
    };
    (0..1_000).map(row).collect()
}

fn searching() -> Bench {
    let mut bench = Bench::at(120, 36);
    bench.desk.script(|script| script.intents = many());
    bench.keys("3");
    bench.keys("/needle");
    bench
}

/// Answers what is asked for, once; says how many pages of intents that were.
fn answer(bench: &mut Bench) -> usize {
    let asked = bench.take(|task| matches!(task, Task::Read(_)));
    let is_page =
        |task: &&Task| matches!(task, Task::Read(query) if matches!(&**query, Query::Intents(..)));
    let pages = asked.iter().filter(is_page).count();
    for task in asked {
        let desk = Arc::clone(&bench.desk);
        let news = feed::work(desk, task).now_or_never().unwrap().unwrap();
        bench.input(Input::News(Box::new(news)));
    }
    pages
}

fn found(bench: &Bench) -> usize {
    bench.model.intents.rows.rows().len()
}

#[test]
fn a_text_is_searched_for_page_by_page_and_the_first_hit_is_there_before_the_end() {
    let mut bench = searching();
    bench.press(KeyCode::Enter, KeyModifiers::NONE);
    let mut first_hit = None;
    let mut pages = 0;
    while bench.model.intents.scan.as_ref().unwrap().is_running() {
        pages += answer(&mut bench);
        if found(&bench) > 0 && first_hit.is_none() {
            first_hit = Some(bench.model.intents.scan.as_ref().unwrap().examined);
        }
        assert!(pages < 20);
    }
    assert_eq!((first_hit, found(&bench)), (Some(400), 2));
    assert_eq!(
        bench.model.intents.scan.as_ref().unwrap().stage,
        Stage::Whole
    );
    let screen = bench.screen();
    assert!(
        screen.contains("the needle broke") && screen.contains("all 1,000 looked at"),
        "{screen}"
    );
    assert!(screen.contains("/ needle"), "{screen}");
}

#[test]
fn escape_stops_a_search_at_once_and_what_comes_late_changes_nothing() {
    let mut bench = searching();
    bench.press(KeyCode::Enter, KeyModifiers::NONE);
    for _ in 0..2 {
        answer(&mut bench);
    }
    let screen = bench.screen();
    assert!(screen.contains("searching, 400 of "), "{screen}");
    let before = (
        found(&bench),
        bench.model.intents.scan.as_ref().unwrap().examined,
    );
    bench.press(KeyCode::Esc, KeyModifiers::NONE);
    assert_eq!(
        bench.model.intents.scan.as_ref().unwrap().stage,
        Stage::Stopped
    );
    bench.settle();
    bench.pass(60_000);
    let after = (
        found(&bench),
        bench.model.intents.scan.as_ref().unwrap().examined,
    );
    assert_eq!(before, after);
    assert!(
        bench.screen().contains("stopped, 400 of "),
        "{}",
        bench.screen()
    );
    assert!(bench.model.view.intent.is_none());
}

#[test]
fn a_page_that_takes_too_long_is_asked_again_in_smaller_pieces() {
    let mut bench = searching();
    bench.press(KeyCode::Enter, KeyModifiers::NONE);
    answer(&mut bench);
    let asked = bench.take(|task| matches!(task, Task::Read(_)));
    let query = asked.into_iter().find_map(|task| match task {
        Task::Read(query) if matches!(&*query, Query::Intents(..)) => Some(query),
        _ => None,
    });
    let busy = crate::desk::DeskError::Busy("reading took longer than 50 ms".to_owned());
    let news = News::Answer(query.unwrap(), Box::new(Err(busy)));
    bench.input(Input::News(Box::new(news)));
    assert_eq!(bench.model.intents.scan.as_ref().unwrap().page, 50);
    for _ in 0..40 {
        bench.elapsed_ms += 100;
        bench.feed(Vec::new());
        answer(&mut bench);
    }
    assert_eq!(found(&bench), 2);
}

#[test]
fn what_no_index_knows_is_held_against_every_row() {
    let mut bench = Bench::at(120, 36);
    bench.keys("3/!state:completed attempts>=2 agent:bill*");
    bench.key(KeyCode::Enter);
    let shown: Vec<String> = bench
        .model
        .intents
        .rows
        .rows()
        .iter()
        .map(|row| row.id.short())
        .collect();
    assert_eq!(shown, ["e07c41d8", "91b4f6c3"]);
    bench.keys("/");
    for _ in 0..60 {
        bench.key(KeyCode::Backspace);
    }
    bench.keys("is:replay");
    bench.key(KeyCode::Enter);
    assert_eq!(found(&bench), 0);
    assert!(
        bench.screen().contains("no intent fits the filter"),
        "{}",
        bench.screen()
    );
    bench.keys("5/!agent:bill*");
    bench.key(KeyCode::Enter);
    assert!(
        bench
            .model
            .dead
            .groups
            .rows()
            .iter()
            .all(|group| group.to.name() != "billing-webhook"),
        "{}",
        bench.screen()
    );
    bench.keys("6/agent:*er");
    bench.key(KeyCode::Enter);
    assert!(
        bench
            .model
            .agents
            .rows
            .rows()
            .iter()
            .all(|agent| agent.name_ends("er"))
    );
    assert!(!bench.model.agents.rows.rows().is_empty());
}

#[test]
fn a_group_that_is_shown_in_part_is_not_acted_on_whole() {
    let mut bench = Bench::at(120, 36);
    bench.keys("5/attempts>=9");
    bench.key(KeyCode::Enter);
    for act in ["R", "D"] {
        bench.keys(act);
        assert!(bench.model.overlay.is_none(), "{}", bench.screen());
        assert!(
            bench.status().contains("mark the letters"),
            "{}",
            bench.status()
        );
    }
}

trait Named {
    fn name_ends(&self, end: &str) -> bool;
}

impl Named for crate::desk::rows::AgentRow {
    fn name_ends(&self, end: &str) -> bool {
        self.address.name().ends_with(end)
    }
}

#[test]
fn while_typing_fields_and_values_are_offered_and_taken_with_tab() {
    let mut bench = Bench::at(120, 36);
    bench.keys("3/sta");
    let screen = bench.screen();
    assert!(screen.contains("one of the eight states"), "{screen}");
    bench.key(KeyCode::Tab);
    bench.keys("dea");
    let screen = bench.screen();
    assert!(screen.contains("state:dead-letters"), "{screen}");
    bench.key(KeyCode::Tab);
    bench.keys("agent:");
    assert!(
        bench.screen().contains("agent:billing-webhook"),
        "{}",
        bench.screen()
    );
    bench.key(KeyCode::Down);
    bench.key(KeyCode::Tab);
    let Some(Overlay::Filter(picker)) = &bench.model.overlay else {
        panic!("the line is gone");
    };
    let second = bench.model.agents.all[1].address.name();
    assert_eq!(picker.text(), format!("state:dead-letters agent:{second} "));
    bench.key(KeyCode::Enter);
    assert!(bench.model.overlay.is_none());
    assert_eq!(bench.model.intents.wanted.states, [State::DeadLetter]);
}

#[test]
fn an_unknown_field_is_explained_while_it_is_typed_at_every_size() {
    for (width, height) in [(120, 36), (80, 24), (60, 16), (40, 9)] {
        let mut bench = Bench::at(width, height);
        bench.keys("3/agnt:x");
        let screen = bench.screen();
        assert!(screen.contains("agnt: is not a term of this"), "{screen}");
    }
}
