//! Text of others at its worst, in every field that shows some, on every screen, through a terminal.

use std::sync::Arc;

use proptest::prelude::*;
use ratatui::buffer::Buffer;

use super::fake::{FakeDesk, Script};
use super::matrix::{ALL, walk};
use super::{Bench, text_of};
use crate::console::sanitise::{is_hidden, width};
use crate::console::terminal::memory;
use crate::console::view::kit::Size;
use crate::desk::rows::FeedRow;
use crate::domain::address::Address;
use crate::domain::ids::Cursor;
use crate::domain::payload::Payload;
use crate::domain::status::Status;

/// Characters that break screens: escapes, bidi controls, zero width, marks, wide and joined ones.
const NASTY: &str = "[\u{0}-\u{1f}\u{7f}-\u{9f}\u{ad}\u{200b}-\u{200f}\u{202a}-\u{202e}\u{2066}-\u{2069}\
    \u{300}-\u{310}\u{fe0f}\u{1f468}\u{200d}\u{1f4bb}\u{1f1e6}-\u{1f1ff}\u{1f3fb}\u{f8c0}-\u{f8d1}a-c 北漢\u{0644}\u{0627}\u{fffd}│┃┓]{0,60}";

const SIZES: [(u16, u16); 4] = [(120, 36), (80, 24), (60, 16), (40, 9)];

fn payload(text: &str) -> Payload {
    Payload::of(&serde_json::json!({ text: text, "list": [text, { text: text }] }))
}

/// Puts a text wherever others may have written one.
fn infect(script: &mut Script, text: &str) {
    let owned = || text.to_owned();
    let address = || Address::trusted(format!("acme/prod/{text}"));
    let payload = payload(text);
    script.hello.environment = owned();
    script.hello.version = owned();
    script.hello.place = owned();
    for agent in &mut script.agents {
        agent.address = address();
        agent.display_name = Some(owned());
        agent.callback_url = Some(owned());
        if let Some(pause) = &mut agent.pause {
            pause.by = owned();
            pause.reason = owned();
        }
    }
    for task in &mut script.tasks {
        task.title = owned();
        task.description = Some(owned());
        task.intent_type = owned();
        task.task_type = owned();
        task.from = address();
        task.owner = address();
        task.delegated_to = Some(owned());
    }
    infect_deliveries(script, text);
    infect_view(script, text);
    infect_records(script, text);
    script.payload = payload;
}

fn infect_deliveries(script: &mut Script, text: &str) {
    let owned = || text.to_owned();
    let address = || Address::trusted(format!("acme/prod/{text}"));
    for row in &mut script.intents {
        row.intent_type = owned();
        row.from = address();
        row.to = address();
        row.delivery = owned();
        row.correlation_id = owned();
        row.note = Some(owned());
    }
    for attempt in &mut script.attempts {
        attempt.agent = address();
        attempt.error = Some(owned());
    }
    for group in &mut script.groups {
        group.intent_type = owned();
        group.to = address();
        group.message = owned();
    }
    for letter in &mut script.letters {
        letter.intent_type = owned();
        letter.from = address();
        letter.to = address();
        letter.message = owned();
    }
}

fn infect_view(script: &mut Script, text: &str) {
    let owned = || text.to_owned();
    let address = || Address::trusted(format!("acme/prod/{text}"));
    let payload = payload(text);
    let view = &mut script.view;
    view.row.intent_type = owned();
    view.row.from = address();
    view.row.to = address();
    view.row.correlation_id = owned();
    view.row.note = Some(owned());
    view.trace_id = Some(owned());
    view.payload = payload.clone();
    view.end = Some(payload.clone());
    for event in &mut view.events {
        event.event_type = owned();
        event.actor = owned();
        event.details = payload.clone();
    }
    for attempt in &mut view.attempts {
        attempt.agent = address();
        attempt.error = Some(owned());
    }
}

fn infect_records(script: &mut Script, text: &str) {
    let owned = || text.to_owned();
    let payload = payload(text);
    for event in &mut script.thread {
        event.actor = owned();
        event.text = Some(owned());
        event.event_type = owned();
    }
    for held in &mut script.held {
        held.act = owned();
        held.by = owned();
    }
    for entry in &mut script.audit {
        entry.actor = owned();
        entry.owner = owned();
        entry.via = owned();
        entry.action = owned();
        entry.target = owned();
        entry.reason = Some(owned());
        entry.result = owned();
        entry.details = Some(payload.clone());
    }
    for job in &mut script.jobs {
        job.by = owned();
        job.reason = Some(owned());
        job.stopped_because = Some(owned());
        job.filter = payload.clone();
    }
    let reports = script.view.attempts.iter_mut().chain(&mut script.attempts);
    for shared in reports.filter_map(|attempt| attempt.report.as_mut()) {
        let report = Arc::make_mut(shared);
        report.remote_addr = Some(owned());
        let excerpts = [&mut report.request, &mut report.response];
        for excerpt in excerpts.into_iter().flatten() {
            excerpt.line = owned();
            excerpt.headers = vec![(owned(), owned())];
            excerpt.body = owned();
        }
    }
}

fn infected(width: u16, height: u16, text: &str) -> Bench {
    let desk = FakeDesk::new();
    desk.script(|script| infect(script, text));
    let mut bench = Bench::with(desk, width, height);
    bench.feed(vec![FeedRow {
        cursor: Cursor(50),
        at: super::fixtures::now(),
        kind: text.to_owned(),
        intent: None,
        agent: Some(Address::trusted(format!("acme/prod/{text}"))),
        status: Some(Status::Failed),
        actor: text.to_owned(),
        data: Payload::of(&serde_json::json!({ "reason": text, "error": text })),
    }]);
    bench.settle();
    bench
}

/// Boxes are whole: what is an edge on the left is one on the right, and a corner is opposite a corner. Smaller
/// screens have rules instead of boxes: each goes from edge to edge.
fn borders_are_straight(buffer: &Buffer) {
    let area = buffer.area;
    if Size::of(area.width, area.height) != Size::Wide {
        return rules_are_whole(buffer);
    }
    for y in area.top()..area.bottom() {
        let (left, right) = (&buffer[(0, y)], &buffer[(area.right() - 1, y)]);
        let opposite = match left.symbol() {
            "┃" => "┃",
            "│" => "│┃",
            "┏" => "┓",
            "┌" => "┐┓",
            "┗" => "┛",
            "└" => "┘┛",
            _ => continue,
        };
        assert!(
            opposite.contains(right.symbol()) || "│┃┐┓┘┛".contains(right.symbol()),
            "line {y} ends in {:?}:\n{}",
            right.symbol(),
            text_of(buffer)
        );
        assert_ne!(right.symbol(), " ");
    }
}

/// A rule that begins at the left edge ends at the right one. No foreign text of these tests begins like one.
fn rules_are_whole(buffer: &Buffer) {
    let area = buffer.area;
    let mut rules = 0;
    for y in area.top()..area.bottom() {
        let is_rule = |x: u16| buffer[(x, y)].symbol() == "─";
        if !(is_rule(0) && is_rule(1)) {
            continue;
        }
        rules += 1;
        let last = area.right() - 1;
        assert!(
            is_rule(last) && is_rule(last - 1),
            "line {y} is cut:\n{}",
            text_of(buffer)
        );
    }
    assert!(rules > 0, "no section:\n{}", text_of(buffer));
}

/// What the terminal shows is what was drawn, cell by cell, and nothing but our own sequences reached it.
fn arrives_as_drawn(buffer: &Buffer) {
    let area = buffer.area;
    let (mut screen, written) = memory::screen(area.width, area.height).unwrap();
    let mut buffer = buffer.clone();
    for cell in &mut buffer.content {
        // The emulator takes this one for bytes that are no text, and shows nothing.
        if cell.symbol().contains('\u{fffd}') {
            cell.set_symbol("?");
        }
    }
    let buffer = &buffer;
    screen
        .draw(|frame| frame.buffer_mut().clone_from(buffer))
        .unwrap();
    let mut parser = vt100::Parser::new(
        area.height.try_into().unwrap(),
        area.width.try_into().unwrap(),
        0,
    );
    parser.process(&written.take());
    for y in area.top()..area.bottom() {
        let (mut sent, mut shown) = (String::new(), String::new());
        for x in area.left()..area.right() {
            let drawn = buffer[(x, y)].symbol();
            assert!(
                !drawn.chars().any(is_hidden),
                "{drawn:?} at {x},{y} is hidden"
            );
            let cell = parser.screen().cell(y, x).expect("a cell");
            let stands = cell.contents();
            let stands = if stands.is_empty() && !cell.is_wide_continuation() {
                " "
            } else {
                stands
            };
            if "┃│┏┓┗┛┌┐└┘━─".contains(drawn) {
                assert_eq!(stands, drawn, "at {x},{y} of\n{}", text_of(buffer));
            }
            shown.push_str(stands);
            sent.push_str(drawn);
        }
        // A wide letter has a cell of nothing behind it in the one and a blank in the other.
        let plain = |line: &str| line.replace(' ', "");
        assert_eq!(
            plain(&shown),
            plain(&sent),
            "line {y} of\n{}",
            text_of(buffer)
        );
    }
}

fn look(bench: &mut Bench) {
    let buffer = bench.draw();
    borders_are_straight(&buffer);
    arrives_as_drawn(&buffer);
    for line in text_of(&buffer).lines() {
        assert_eq!(width(line), usize::from(buffer.area.width), "{line:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_text_reaches_the_terminal_as_a_command_or_moves_a_border(
        text in NASTY,
        size in prop::sample::select(SIZES.to_vec()),
        first in 0_usize..200,
    ) {
        // Each case walks an eighth of the screens; together they see all of them at every size.
        for (_, keys) in ALL.iter().copied().flatten().skip(first % 8).step_by(8) {
            let mut bench = infected(size.0, size.1, &text);
            walk(&mut bench, keys);
            look(&mut bench);
            bench.model.settings.is_plain = true;
            let aloud = bench.draw();
            let is_harmless = |text: &str| text.chars().all(|letter| letter == '\n' || !is_hidden(letter));
            prop_assert!(is_harmless(&text_of(&aloud)));
        }
    }
}

#[test]
fn a_line_of_a_mebibyte_neither_breaks_a_border_nor_freezes_a_screen() {
    let cases = ["a", "\u{202e}漢"]
        .into_iter()
        .flat_map(|unit| SIZES.map(|size| (unit, size)));
    for (unit, (width, height)) in cases {
        let text = unit.repeat(1_048_576 / unit.len());
        let mut bench = Bench::at(width, height);
        bench.desk.script(|script| {
            script.view.payload = Payload::of(&serde_json::json!({ "line": text }));
            script.view.row.note = Some(text.clone());
            for task in script.tasks.iter_mut().take(1) {
                task.title.clone_from(&text);
                task.description = Some(text.clone());
            }
            for row in script.intents.iter_mut().take(1) {
                row.note = Some(text.clone());
            }
        });
        for keys in ["2", "3", "\r", "gp"] {
            walk(&mut bench, keys);
            look(&mut bench);
        }
    }
}

#[test]
fn bytes_that_are_no_text_are_shown_as_such_and_nothing_else_changes() {
    let broken = String::from_utf8_lossy(b"ok \xff\xfe\xc3( \xed\xa0\x80 end").into_owned();
    for (width, height) in SIZES {
        let mut bench = infected(width, height, &broken);
        for keys in ["2", "3", "5\r", "\r", "8"] {
            walk(&mut bench, keys);
            look(&mut bench);
        }
        assert!(bench.screen().contains('\u{fffd}'), "{}", bench.screen());
    }
}
