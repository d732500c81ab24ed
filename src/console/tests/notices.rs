//! What is told without being asked, and when the terminal is rung for it.

use serde_json::json;

use super::{Bench, fixtures};
use crate::console::event::Event;
use crate::console::task::Task;
use crate::console::update::Input;
use crate::desk::rows::FeedRow;
use crate::domain::ids::Cursor;
use crate::domain::payload::Payload;

impl Bench {
    fn look_away(&mut self) {
        self.input(Input::Terminal(Event::Focus(false)));
    }

    /// What the terminal was rung for since the last look.
    fn rung(&mut self) -> Vec<String> {
        let taken = self.take(|task| matches!(task, Task::Notify(_)));
        let text = |task| match task {
            Task::Notify(text) => Some(text),
            _ => None,
        };
        taken.into_iter().filter_map(text).collect()
    }

    /// Gives a task to the operator of this console.
    fn give(&mut self, index: usize) {
        self.desk.script(|script| {
            script.tasks[index].delegated_to = Some("agent://acme/prod/alice".to_owned());
        });
        self.pass(6_000);
    }
}

#[test]
fn a_task_given_to_me_is_on_the_status_line_and_rings_only_while_i_look_elsewhere() {
    let mut bench = Bench::at(120, 36);
    bench.keys("2");
    bench.give(3);
    assert!(
        bench.status().contains("review 7e12c9af is given to you"),
        "{}",
        bench.status()
    );
    assert_eq!(
        bench.rung(),
        Vec::<String>::new(),
        "the terminal has the focus"
    );
    bench.look_away();
    bench.give(4);
    assert_eq!(bench.rung(), ["postroom: form b90d4421 is given to you"]);
}

#[test]
fn it_rings_once_in_thirty_seconds_and_tells_then_what_came_meanwhile() {
    let mut bench = Bench::at(120, 36);
    bench.keys("2");
    bench.look_away();
    bench.give(3);
    assert_eq!(bench.rung().len(), 1);
    bench.give(4);
    bench.give(5);
    assert_eq!(bench.rung(), Vec::<String>::new());
    bench.pass(30_000);
    assert_eq!(
        bench.rung(),
        ["postroom: clarification 06f3ea78 is given to you, and 1 more"]
    );
    bench.pass(60_000);
    bench.give(6);
    bench.input(Input::Terminal(Event::Focus(true)));
    bench.rung();
    bench.pass(60_000);
    assert_eq!(
        bench.rung(),
        Vec::<String>::new(),
        "whoever looks has seen it"
    );
}

#[test]
fn tasks_are_watched_from_every_desk_and_no_word_of_a_sender_is_rung() {
    let mut bench = Bench::at(120, 36);
    bench.keys("3");
    bench.pass(20_000);
    bench.look_away();
    bench.desk.script(|script| {
        script.tasks[3].is_overdue = true;
        script.tasks[3].task_type = "rob the bank".to_owned();
    });
    bench.pass(20_000);
    assert_eq!(bench.rung(), ["postroom: task 7e12c9af is overdue"]);
}

#[test]
fn dead_letters_over_the_limit_a_paused_job_and_a_lost_link_are_told_once() {
    let mut bench = Bench::at(120, 36);
    bench.pass(3_000);
    bench
        .desk
        .script(|script| script.overview.dead_last_hour = 101);
    bench.pass(3_000);
    assert!(
        bench
            .status()
            .contains("101 dead letters in the last hour, more than 100"),
        "{}",
        bench.status()
    );
    bench.look_away();
    bench.pass(3_000);
    assert_eq!(bench.rung(), Vec::<String>::new(), "it was told before");
    let news = |state: &str, why: Option<&str>| FeedRow {
        cursor: Cursor(42),
        at: fixtures::now(),
        kind: "job.progress".to_owned(),
        intent: None,
        agent: None,
        status: None,
        actor: "broker".to_owned(),
        data: Payload::of(&json!({"job_id": "job_117", "state": state, "stopped_because": why})),
    };
    bench.feed(vec![news("paused", None)]);
    assert_eq!(bench.rung(), Vec::<String>::new(), "its operator paused it");
    bench.feed(vec![news("paused", Some("20 have died again"))]);
    assert_eq!(bench.rung(), ["postroom: job_117 has paused itself"]);
    bench.feed(vec![news("paused", Some("20 have died again"))]);
    bench.feed_error();
    bench.elapsed_ms += 31_000;
    bench.input(Input::Tick);
    assert_eq!(bench.rung(), ["postroom: the link to the broker is lost"]);
}
