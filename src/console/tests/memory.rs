//! Orders, saved views, and what is remembered from one run to the next.

use crossterm::event::KeyCode;

use super::Bench;
use crate::console::action::place::Place;
use crate::console::memory::{self, Wanted};
use crate::console::model::reads::Slot;

const ALL: Wanted = Wanted {
    desk: true,
    theme: true,
};

fn names(bench: &Bench) -> Vec<String> {
    let rows = bench.model.agents.rows.rows().iter();
    rows.map(|row| row.address.name().to_owned()).collect()
}

#[test]
fn a_click_on_a_heading_sorts_by_it_and_another_turns_the_order_round() {
    use crate::console::event::Event;
    use crate::console::model::Target;
    use crate::console::update::Input;
    use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
    let mut bench = Bench::at(120, 36);
    bench.keys("6");
    bench.draw();
    let names = |bench: &Bench| -> Vec<String> {
        let rows = bench.model.agents.rows.rows().iter();
        rows.map(|agent| agent.address.name().to_owned()).collect()
    };
    let click = |bench: &mut Bench, title: &str| {
        let is_it = |target: Target| matches!(target, Target::Heading(_, one) if one == title);
        let hits = bench.model.drawn.hits.clone();
        let hit = hits.into_iter().find(|hit| is_it(hit.target)).unwrap();
        let event = MouseEvent {
            kind: MouseEventKind::Down(MouseButton::Left),
            column: hit.area.x,
            row: hit.area.y,
            modifiers: KeyModifiers::NONE,
        };
        bench.input(Input::Terminal(Event::Mouse(event)));
        bench.settle();
    };
    let mut sorted = names(&bench);
    sorted.sort();
    click(&mut bench, "AGENT");
    assert_eq!(names(&bench), sorted);
    click(&mut bench, "AGENT");
    sorted.reverse();
    assert_eq!(names(&bench), sorted);
    click(&mut bench, "BINDING");
    assert_eq!(names(&bench), sorted);
    assert!(
        bench.status().contains("no order by binding"),
        "{}",
        bench.status()
    );
}

#[test]
fn the_terminals_background_chooses_the_theme_unless_it_is_told_late() {
    use crate::console::event::Event;
    use crate::console::update::Input;
    for (colour, after_ms, theme) in [
        ([255, 255, 240], 40, "paper"),
        ([30, 30, 46], 40, "midnight"),
        ([255, 255, 240], 101, "terminal"),
    ] {
        let mut bench = Bench::at(80, 24);
        let told = Input::Terminal(Event::Background(colour));
        bench.input(told);
        assert_eq!(bench.model.theme, "terminal", "nobody has asked");
        bench.model.asked_background = Some(bench.moment().mono);
        bench.elapsed_ms += after_ms;
        bench.input(Input::Terminal(Event::Background(colour)));
        assert_eq!(bench.model.theme, theme);
    }
}

#[test]
fn s_sorts_by_the_next_column_and_the_cursor_stays_on_its_row() {
    let mut bench = Bench::at(120, 36);
    bench.keys("6j");
    let here = bench.model.agents.rows.cursor().cloned();
    bench.keys("s");
    let mut sorted = names(&bench);
    sorted.sort();
    assert_eq!(names(&bench), sorted);
    assert!(bench.screen().contains("name ▲"), "{}", bench.screen());
    assert_eq!(bench.model.agents.rows.cursor().cloned(), here);
    bench.keys("S");
    sorted.reverse();
    assert_eq!(names(&bench), sorted);
    assert!(bench.screen().contains("name ▼"), "{}", bench.screen());
    assert_eq!(bench.model.agents.rows.cursor().cloned(), here);
    bench.keys("3s");
    assert!(
        bench.status().contains("newest first"),
        "{}",
        bench.status()
    );
}

#[test]
fn a_filter_is_saved_under_a_name_and_the_palette_goes_there() {
    let mut bench = Bench::at(120, 36);
    bench.keys("2/is:overdue");
    bench.ctrl('s');
    assert!(
        bench.screen().contains("Save this filter as a view"),
        "{}",
        bench.screen()
    );
    bench.key(KeyCode::Enter);
    assert!(bench.model.views.is_empty(), "a view has a name");
    bench.keys("late");
    bench.key(KeyCode::Enter);
    assert!(bench.status().contains("view saved"), "{}", bench.status());
    bench.keys("1:view la");
    assert!(
        bench.screen().contains("inbox / is:overdue"),
        "{}",
        bench.screen()
    );
    bench.key(KeyCode::Enter);
    assert_eq!(bench.model.view.place, Place::Inbox);
    assert_eq!(bench.model.inbox.filter.text, "is:overdue");
    assert_eq!(bench.acts(), []);
}

#[test]
fn another_run_begins_where_this_one_was() {
    let mut bench = Bench::at(120, 36);
    bench.keys("2a");
    bench.keys("half a thought");
    bench.key(KeyCode::Esc);
    bench.keys("6ss/state:ok");
    bench.ctrl('s');
    bench.keys("well");
    bench.key(KeyCode::Enter);
    bench.model.theme = "paper".to_owned();
    let text = memory::to_text(&memory::of(&bench.model));
    let mut next = Bench::at(120, 36);
    memory::restore(&mut next.model, memory::read(&text).unwrap(), ALL);
    assert_eq!(next.model.view.place, Place::Agents);
    assert_eq!(next.model.theme, "paper");
    assert_eq!(next.model.views, bench.model.views);
    assert_eq!(next.model.waiting_filters.len(), 1);
    // The names in filters are completed by what the broker says of itself.
    next.model.hello = None;
    next.model.reads.hurry(Slot::Hello);
    next.pass(3_000);
    assert_eq!(next.model.agents.filter.text, "state:ok");
    assert_eq!(memory::of(&next.model), memory::of(&bench.model));
    next.keys("2a");
    assert!(
        next.screen().contains("half a thought"),
        "{}",
        next.screen()
    );
    assert_eq!(next.acts(), []);
}

#[test]
fn a_file_of_another_version_or_without_sense_is_as_none() {
    for text in [
        "",
        "{",
        "[]",
        "null",
        "{\"version\":1}",
        "{\"version\":2,\"views\":7}",
    ] {
        assert_eq!(memory::read(text), None, "{text}");
    }
    assert!(memory::read("{\"version\":2}").is_some());
}

#[test]
fn two_consoles_on_one_file_keep_each_others_drafts_and_forget_their_own() {
    let with = |drafts: &[(&str, &str)]| {
        let drafts: Vec<String> = drafts
            .iter()
            .map(|(id, words)| format!("\"{id}\":{{\"comment\":\"{words}\"}}"))
            .collect();
        let text = format!("{{\"version\":2,\"drafts\":{{{}}}}}", drafts.join(","));
        memory::read(&text).unwrap()
    };
    let before = with(&[("one", "sent since"), ("two", "old")]);
    let now = with(&[("two", "new")]);
    let there = with(&[("one", "sent since"), ("two", "old"), ("three", "theirs")]);
    let kept = memory::beside(now.clone(), &before, Some(there));
    assert_eq!(kept, with(&[("two", "new"), ("three", "theirs")]));
    assert_eq!(memory::beside(now.clone(), &before, None), now);
    // Both wrote to one task: what this one sends takes the other's words from nobody.
    let theirs = with(&[("one", "theirs"), ("two", "old")]);
    assert!(!memory::has_drafts(&theirs, &before));
    let kept = memory::beside(now, &before, Some(theirs));
    assert_eq!(kept, with(&[("one", "theirs"), ("two", "new")]));
}
