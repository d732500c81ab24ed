//! Inside one intent: the story, the past, what is masked, whose child it is.

use crossterm::event::KeyCode;

use super::{Bench, fixtures};
use crate::console::model::detail::Sheet;
use crate::desk::act::{Act, Recorded};
use crate::desk::rows::{EventRow, FeedRow, IntentRow};
use crate::domain::ids::Cursor;
use crate::domain::payload::Payload;
use crate::domain::status::{State, Status};

/// The intent of the fixtures, open.
fn opened(width: u16, height: u16) -> Bench {
    let mut bench = Bench::at(width, height);
    bench.keys("5");
    bench.key(KeyCode::Enter);
    bench.key(KeyCode::Enter);
    bench
}

#[test]
fn attempts_that_fail_alike_fold_into_one_line_and_z_unfolds_them() {
    let mut bench = opened(120, 36);
    let screen = bench.screen();
    assert!(
        screen.contains("4–12 folded: attempts 1–5, same error"),
        "{screen}"
    );
    bench.key(KeyCode::Up);
    bench.key(KeyCode::Up);
    bench.key(KeyCode::Up);
    bench.key(KeyCode::Up);
    bench.keys("z");
    let screen = bench.screen();
    assert!(!screen.contains("folded"), "{screen}");
    assert!(bench.model.detail.unfolded.contains(&4));
    bench.keys("z");
    assert!(bench.screen().contains("4–12 folded"));
    bench.keys("Z");
    assert!(!bench.screen().contains("folded"));
    bench.keys("Z");
    assert!(bench.screen().contains("4–12 folded"));
}

#[test]
fn scrubbing_recomputes_header_attempts_and_end_and_says_so() {
    let mut bench = opened(120, 36);
    assert!(bench.screen().contains("FAILED, dead letter"));
    // 16 → 15 → 14: the sixth attempt has begun and has not failed yet.
    bench.keys("[[");
    let screen = bench.screen();
    assert!(screen.contains("AS OF 09:40:57.000"), "{screen}");
    assert!(screen.contains("fact 14 of 16"), "{screen}");
    assert!(screen.contains("DELIVERED"), "{screen}");
    let shown = bench.model.detail.shown().unwrap();
    assert_eq!(
        (shown.row.status, shown.row.state),
        (Status::Delivered, State::InFlight)
    );
    assert_eq!(shown.attempts.len(), 6);
    assert_eq!(shown.attempts[5].finished_at, None);
    assert_eq!(shown.end, None);
    assert!(shown.letter.is_none());
    // Acts are about now.
    assert_eq!(
        bench.model.detail.intent.as_ref().unwrap().row.status,
        Status::Failed
    );
    bench.keys("[");
    let shown = bench.model.detail.shown().unwrap();
    assert_eq!(shown.row.state, State::Retrying);
    assert_eq!(shown.attempts.len(), 5);
    assert_eq!(
        shown.row.next_at,
        Some(fixtures::deliveries::view().attempts[5].started_at)
    );
    bench.keys("]]]");
    assert!(bench.model.detail.as_of.is_none());
    assert!(bench.screen().contains("FAILED, dead letter"));
}

#[test]
fn esc_comes_back_from_the_past_before_it_leaves_the_intent() {
    let mut bench = opened(80, 24);
    bench.keys("[");
    bench.key(KeyCode::Esc);
    assert!(bench.model.detail.as_of.is_none() && bench.model.view.intent.is_some());
    bench.key(KeyCode::Esc);
    assert!(bench.model.view.intent.is_none());
}

#[test]
fn what_people_did_stands_among_what_the_machine_did() {
    let mut bench = Bench::at(120, 36);
    bench.desk.script(|script| {
        let at = script.view.events[15].at;
        let deed = |seq, kind: &str, who: &str, details: &str| EventRow {
            seq,
            at,
            event_type: kind.to_owned(),
            status: Status::Failed,
            actor: format!("agent://acme/prod/{who}"),
            details: Payload::object(details).unwrap(),
        };
        script.view.events.extend([
            deed(
                17,
                "hold.placed",
                "alice",
                r#"{"hold_id":"hold_1","action":"replay","by":"agent://acme/prod/alice"}"#,
            ),
            deed(
                18,
                "dead_letter.replayed",
                "alice",
                r#"{"replayed_as":"019cdc1c-872c-7c3e-9b52-4d1e6cd2471f"}"#,
            ),
        ]);
    });
    bench.keys("5");
    bench.key(KeyCode::Enter);
    bench.key(KeyCode::Enter);
    let screen = bench.screen();
    let line = screen
        .lines()
        .find(|line| line.contains("replayed "))
        .unwrap();
    assert!(
        line.contains("alice") && line.contains("as 6cd2471f"),
        "{line}"
    );
    assert!(screen.contains("to replay"), "{screen}");
}

#[test]
fn a_masked_value_is_shown_only_once_it_is_on_record() {
    let mut bench = opened(120, 36);
    bench.keys("gp");
    assert!(!bench.screen().contains("k-123"));
    bench.keys("grG");
    assert!(
        bench.screen().contains("billing-webhook\"   "),
        "the end is in view"
    );
    for _ in 0..20 {
        bench.keys("k");
    }
    let screen = bench.screen();
    assert!(screen.contains("\"api_key\": \"••••\""), "{screen}");
    assert!(!screen.contains("k-123"), "{screen}");
    bench.keys("gp");
    bench.keys("/api");
    bench.key(KeyCode::Enter);
    bench.key(KeyCode::Enter);
    let acts = bench.acts();
    let [
        Act::Record {
            action: Recorded::Reveal,
            details,
            ..
        },
    ] = acts.as_slice()
    else {
        panic!("{acts:?}");
    };
    assert_eq!(details.as_str(), r#"{"path":"/api_key"}"#);
    assert!(bench.screen().contains("k-123"));
    bench.key(KeyCode::Enter);
    assert_eq!(
        bench.acts().len(),
        1,
        "what is shown is not put on record again"
    );
}

#[test]
fn whoever_may_only_look_is_not_shown_what_is_masked() {
    let mut bench = Bench::at(120, 36);
    bench.desk.script(|script| script.hello.may_write = false);
    bench.model.hello = None;
    bench.pass(1_500);
    bench.keys("5");
    bench.key(KeyCode::Enter);
    bench.key(KeyCode::Enter);
    bench.keys("gp/api");
    bench.key(KeyCode::Enter);
    bench.key(KeyCode::Enter);
    assert!(bench.acts().is_empty());
    assert!(!bench.screen().contains("k-123"));
    assert!(bench.status().contains("read-only"));
}

#[test]
fn a_search_finds_fields_and_facts_and_n_goes_on() {
    let mut bench = opened(120, 36);
    bench.keys("gp/sku");
    bench.key(KeyCode::Enter);
    let line = bench.model.detail.line;
    bench.keys("n");
    assert!(bench.model.detail.line > line);
    bench.keys("N");
    assert_eq!(bench.model.detail.line, line);
    assert!(
        bench.screen().contains("/lines/0/sku"),
        "the path is in the crumbs"
    );
    bench.keys("gt/submitted");
    bench.key(KeyCode::Enter);
    assert_eq!(bench.model.detail.sheet, Sheet::Timeline);
    assert_eq!(bench.model.detail.event, Some(2));
}

#[test]
fn the_lineage_lists_the_family_below_what_it_came_from_and_enter_jumps() {
    let mut bench = Bench::at(120, 36);
    bench.desk.script(|script| {
        let row = script.view.row.clone();
        script.view.origin = row.id;
        let child = |short: &str, parent| IntentRow {
            id: fixtures::id(short, 5),
            replay_of: Some(parent),
            status: Status::Completed,
            state: State::Completed,
            ..row.clone()
        };
        let first = child("6cd2471f", row.id);
        let second = child("7de3582a", first.id);
        script.intents = vec![first, second, row];
    });
    bench.keys("5");
    bench.key(KeyCode::Enter);
    bench.key(KeyCode::Enter);
    bench.keys("gl");
    let screen = bench.screen();
    let column = |text: &str, line: &str| {
        let found = line.split_once(text).map(|(before, _)| before);
        found.map(|before| before.chars().count())
    };
    let indents: Vec<usize> = screen
        .lines()
        .filter_map(|line| column("this intent", line).or_else(|| column("└ replay", line)))
        .collect();
    assert!(
        indents.len() == 3 && indents[0] < indents[1] && indents[1] < indents[2],
        "{screen}"
    );
    bench.keys("jj");
    bench.key(KeyCode::Enter);
    assert_eq!(bench.model.view.intent, Some(fixtures::id("7de3582a", 5)));
    bench.key(KeyCode::Esc);
    assert_eq!(bench.model.view.intent.unwrap().short(), "91b4f6c3");
}

#[test]
fn the_next_attempt_stands_beyond_now_with_the_range_of_its_jitter() {
    let mut bench = Bench::at(120, 36);
    bench.desk.script(|script| {
        script.view.attempts.truncate(2);
        script.view.row.status = Status::Delivered;
        script.view.row.state = State::Retrying;
        script.view.letter = None;
        let ended = fixtures::now().before(crate::domain::time::Span::from_seconds(4));
        script.view.attempts[1].started_at = ended;
        script.view.attempts[1].finished_at = Some(ended);
        let wait = crate::domain::time::Span::from_seconds(31);
        script.view.attempts[1].next_attempt_at = Some(ended.after(wait));
    });
    bench.keys("5");
    bench.key(KeyCode::Enter);
    bench.key(KeyCode::Enter);
    bench.keys("ga");
    let screen = bench.screen();
    assert!(screen.contains("±20%"), "{screen}");
    let lane = screen
        .lines()
        .find(|line| line.contains("next, in"))
        .unwrap();
    assert!(lane.contains('~'), "{lane}");
    // 30 s ± 20 %: from 24 s to 36 s after the attempt that ended four seconds before 09:41:07.
    assert!(
        screen.contains("drawn from 09:41:27 to 09:41:39"),
        "{screen}"
    );
}

/// What a terminal is written when a frame changes only in what `change` did, in bytes.
fn bytes_of(bench: &mut Bench, change: impl FnOnce(&mut Bench)) -> Vec<u8> {
    let (mut screen, written) = crate::console::terminal::memory::screen(120, 36).unwrap();
    let mut draw = |bench: &mut Bench| {
        let buffer = bench.draw();
        screen
            .draw(|frame| frame.buffer_mut().clone_from(&buffer))
            .unwrap();
        written.take()
    };
    draw(bench);
    change(bench);
    draw(bench)
}

#[test]
fn a_frame_in_which_one_row_and_the_counters_change_takes_less_than_500_bytes() {
    let mut bench = Bench::at(120, 36);
    bench.keys("3");
    let intent = bench.model.intents.rows.rows()[0].id;
    let written = bytes_of(&mut bench, |bench| {
        bench.desk.script(|script| {
            script.intents[0].status = Status::Failed;
            script.intents[0].state = State::Failed;
            script.overview.states[5] += 182;
            script.overview.states[2] += 3;
        });
        bench.feed(vec![FeedRow {
            cursor: Cursor(42),
            at: fixtures::now(),
            kind: "intent.failed".to_owned(),
            intent: Some(intent),
            agent: None,
            status: Some(Status::Failed),
            actor: "postroom".to_owned(),
            data: Payload::empty(),
        }]);
        bench.pass(1_000);
    });
    let text = String::from_utf8_lossy(&written).replace('\u{1b}', "␛");
    assert!(text.contains("FAILED"), "{text}");
    assert!(written.len() < 500, "{} bytes: {text}", written.len());
}
