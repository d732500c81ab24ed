//! The record of a session: what stands in it, what never does, and that it can be run again.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use serde_json::Value;

use super::{Bench, fixtures};
use crate::console::action::place::Place;
use crate::console::event::Event;
use crate::console::keymap::chord::Chord;
use crate::console::record;
use crate::console::task::{News, Task};
use crate::console::update::{Input, update};
use crate::desk::FeedPage;
use crate::desk::rows::FeedRow;
use crate::domain::ids::Cursor;
use crate::domain::payload::Payload;
use crate::domain::time::Timestamp;

/// Takes an input as the loop does while it records.
fn take(bench: &mut Bench, lines: &mut Vec<String>, input: Input) {
    let at = bench.moment();
    let noted = record::input(&bench.model, &input);
    let tasks = update(&mut bench.model, at, input);
    let outcome = record::outcome(&mut bench.model, &tasks);
    bench.tasks.extend(tasks);
    if let Some(noted) = noted {
        lines.push(record::line(bench.elapsed_ms, noted, outcome));
    }
}

fn press(bench: &mut Bench, lines: &mut Vec<String>, keys: &str) {
    for letter in keys.chars() {
        bench.elapsed_ms += 500;
        let code = match letter {
            '\r' => KeyCode::Enter,
            '\u{1b}' => KeyCode::Esc,
            letter => KeyCode::Char(letter),
        };
        let modifiers = if letter.is_uppercase() {
            KeyModifiers::SHIFT
        } else {
            KeyModifiers::NONE
        };
        let key = Event::Key(KeyEvent::new(code, modifiers));
        take(bench, lines, Input::Terminal(key));
        bench.settle();
    }
}

fn frame(rows: Vec<FeedRow>, next: u64) -> Input {
    let next = Cursor(next);
    let page = FeedPage {
        rows,
        skipped: 0,
        next,
        head: next,
    };
    Input::News(Box::new(News::Feed(Ok(page))))
}

fn fact(kind: &str, data: &str) -> FeedRow {
    FeedRow {
        cursor: Cursor(42),
        at: fixtures::now(),
        kind: kind.to_owned(),
        intent: None,
        agent: Some(fixtures::address("ledger")),
        status: None,
        actor: "evil \u{1b}[31m\u{202e}\u{9b}0m\u{7f}".to_owned(),
        data: Payload::object(data).unwrap(),
    }
}

fn parsed(lines: &[String]) -> Vec<Value> {
    let values = lines.iter().map(|line| serde_json::from_str(line).unwrap());
    values.collect()
}

#[test]
fn a_line_has_the_key_its_action_and_what_was_asked_of_the_broker() {
    let mut bench = Bench::at(120, 36);
    let mut lines = vec![record::head(&bench.model)];
    press(&mut bench, &mut lines, "5\r");
    press(&mut bench, &mut lines, "r");
    let lines = parsed(&lines);
    assert_eq!(lines[0]["format"], "postroom-session");
    assert_eq!(lines[1]["key"], "5");
    assert_eq!(lines[1]["action"], "desk.dead-letters");
    assert_eq!(lines[3]["action"], "intent.replay");
    assert_eq!(lines[3]["asked"]["what"], "replay 91b4f6c3");
}

#[test]
fn no_foreign_sign_stands_in_it_as_itself_and_nothing_of_a_payload() {
    let mut bench = Bench::at(120, 36);
    let mut lines = Vec::new();
    let data = r#"{"result":{"iban":"SE45"},"reason":"secret","delivery_attempt":2}"#;
    take(
        &mut bench,
        &mut lines,
        frame(vec![fact("intent.completed", data)], 42),
    );
    let pasted = Input::Terminal(Event::Paste("SE45 secret".to_owned()));
    take(&mut bench, &mut lines, pasted);
    let whole = lines.concat();
    assert!(
        whole
            .chars()
            .all(|one| !crate::console::sanitise::is_hidden(one)),
        "{whole}"
    );
    assert!(
        !whole.contains("SE45") && !whole.contains("secret"),
        "{whole}"
    );
    let lines = parsed(&lines);
    let row = &lines[0]["feed"]["rows"][0];
    assert_eq!(row["actor"], "evil \u{1b}[31m\u{202e}\u{9b}0m\u{7f}");
    assert_eq!(row["data"]["delivery_attempt"], 2);
    assert_eq!(row["data"]["result"], record::MASK);
    assert_eq!(lines[1]["paste"], 11);
}

#[test]
fn words_typed_into_comments_reasons_and_payloads_are_dots_and_filters_are_not() {
    let mut bench = Bench::at(120, 36);
    let mut lines = Vec::new();
    press(&mut bench, &mut lines, "3/st\r");
    press(&mut bench, &mut lines, "2jja");
    let open = lines.len();
    press(&mut bench, &mut lines, "geheim\u{1b}");
    press(&mut bench, &mut lines, "6P");
    let panel = lines.len();
    press(&mut bench, &mut lines, "why");
    let lines = parsed(&lines);
    let keys = |from: usize, count: usize| -> Vec<&str> {
        let keys = lines[from..from + count].iter();
        keys.map(|line| line["key"].as_str().unwrap()).collect()
    };
    assert_eq!(keys(1, 3), ["/", "s", "t"]);
    assert_eq!(keys(open, 6), [record::MASK; 6]);
    assert_eq!(keys(panel, 3), [record::MASK; 3]);
}

/// What a line stands for, if `update` can take it again.
fn again(line: &Value) -> Option<Input> {
    if let Some(key) = line["key"].as_str() {
        let chord = Chord::parse(key).unwrap();
        let event: KeyEvent = chord.keys()[0].into();
        return Some(Input::Terminal(Event::Key(event)));
    }
    if line["tick"] == true {
        return Some(Input::Tick);
    }
    let feed = &line["feed"];
    let rows = feed["rows"].as_array()?.iter().map(|row| FeedRow {
        cursor: Cursor(row["cursor"].as_u64().unwrap()),
        at: Timestamp::from_millis(row["at_ms"].as_i64().unwrap()),
        kind: row["kind"].as_str().unwrap().to_owned(),
        intent: row["intent"].as_str().map(|id| id.parse().unwrap()),
        agent: None,
        status: None,
        actor: row["actor"].as_str().unwrap().to_owned(),
        data: Payload::object(&row["data"].to_string()).unwrap(),
    });
    Some(frame(rows.collect(), feed["next"].as_u64()?))
}

#[test]
fn a_record_run_again_through_the_reducer_leads_to_the_same_place_and_does_nothing_else() {
    let mut bench = Bench::at(120, 36);
    let mut lines = Vec::new();
    press(&mut bench, &mut lines, "5jj");
    take(
        &mut bench,
        &mut lines,
        frame(vec![fact("intent.completed", "{}")], 42),
    );
    press(&mut bench, &mut lines, "\r");
    press(&mut bench, &mut lines, "6jP");
    press(&mut bench, &mut lines, "known\r");
    assert_eq!(bench.acts().len(), 1);
    let mut second = Bench::at(120, 36);
    for line in parsed(&lines) {
        second.elapsed_ms += 500;
        if let Some(input) = again(&line) {
            second.input(input);
            second.settle();
        }
    }
    assert_eq!(second.model.view, bench.model.view);
    assert_eq!(second.model.view.place, Place::Agents);
    assert_eq!(second.model.dead.letters_of, bench.model.dead.letters_of);
    assert_eq!(
        second.model.agents.rows.cursor(),
        bench.model.agents.rows.cursor()
    );
    assert_eq!(second.model.tail.rows.len(), bench.model.tail.rows.len());
    // The reason was not written down: what stands for it is what is given now.
    assert_eq!(second.acts().len(), 1);
}

#[test]
fn the_palette_begins_a_record_and_the_tabs_say_that_there_is_one() {
    let mut bench = Bench::at(120, 36);
    bench.keys(":record");
    bench.key(KeyCode::Enter);
    assert_eq!(bench.take(|task| *task == Task::Record), [Task::Record]);
    bench.model.is_recorded = true;
    for size in [(120, 36), (80, 24), (60, 16)] {
        bench.size = size;
        let (width, height) = size;
        bench.input(Input::Terminal(Event::Resize { width, height }));
        assert!(bench.screen().contains("REC"), "{}", bench.screen());
    }
}
