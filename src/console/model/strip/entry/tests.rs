use crossterm::event::KeyModifiers;

use super::*;

fn press(entry: &mut Entry, codes: &[KeyCode]) {
    for code in codes {
        entry.press(KeyEvent::new(*code, KeyModifiers::NONE));
    }
}

fn letters(text: &str) -> Vec<KeyCode> {
    text.chars().map(KeyCode::Char).collect()
}

fn three() -> Vec<Choice> {
    ["late", "damaged", "lost"]
        .map(|one| Choice::of(json!(one)))
        .to_vec()
}

#[test]
fn space_ticks_a_step_until_its_note_is_begun_and_the_draft_keeps_both() {
    let input = Input::Step {
        is_done: false,
        note: Field::new(Lines::One),
        is_noting: false,
    };
    let mut entry = Entry::new(Key::Step(0), "1", input, Need::ForYes);
    let untouched = entry.clone();
    assert_eq!(entry.kept(), None);
    press(&mut entry, &letters(" at 9 am"));
    assert_eq!(
        entry.value(),
        Ok(Some(json!({"done": true, "note": "at 9 am"})))
    );
    entry.leave();
    press(&mut entry, &letters(" "));
    assert_eq!(
        entry.value(),
        Ok(Some(json!({"done": false, "note": "at 9 am"})))
    );
    let mut other = untouched;
    other.restore(&entry.kept().unwrap());
    assert_eq!(other.value(), entry.value());
}

#[test]
fn one_of_several_is_chosen_by_its_letter_or_sideways_and_several_by_ticks() {
    let mut one = Entry::new(Key::Comment, "x", Input::One(three(), None), Need::Never);
    press(&mut one, &letters("l"));
    assert_eq!(one.value(), Ok(Some(json!("late"))));
    press(&mut one, &letters("l"));
    assert_eq!(one.value(), Ok(Some(json!("lost"))));
    press(&mut one, &[KeyCode::Right, KeyCode::Right]);
    assert_eq!(one.value(), Ok(Some(json!("damaged"))));
    press(&mut one, &[KeyCode::Backspace]);
    assert_eq!(one.value(), Ok(None));
    let some = Input::Some(three(), vec![false; 3], 0);
    let mut some = Entry::new(Key::Comment, "x", some, Need::Never);
    press(
        &mut some,
        &[KeyCode::Char(' '), KeyCode::Left, KeyCode::Char(' ')],
    );
    assert_eq!(some.value(), Ok(Some(json!(["late", "lost"]))));
    let mut other = Entry::new(
        Key::Comment,
        "x",
        Input::Some(three(), vec![false; 3], 0),
        Need::Never,
    );
    other.restore(&some.kept().unwrap());
    assert_eq!(other.value(), some.value());
}

#[test]
fn numbers_and_days_say_what_they_want() {
    let number = |text: &str, is_whole| {
        let field = Field::with_text(Lines::One, text);
        Entry::new(
            Key::Comment,
            "n",
            Input::Number(field, is_whole),
            Need::Never,
        )
        .value()
    };
    assert_eq!(number("12", true), Ok(Some(json!(12))));
    assert_eq!(number("1.5", true), Err("a whole number".to_owned()));
    let as_it_is_sent = |text: &str, is_whole| {
        let sent = number(text, is_whole).unwrap().unwrap();
        assert_eq!(sent.to_string(), text);
    };
    as_it_is_sent("1.50", false);
    as_it_is_sent("123456789012345678901234567890", true);
    assert_eq!(number("1e400", false), Err("a number".to_owned()));
    assert_eq!(number("1e3", true), Err("a whole number".to_owned()));
    assert_eq!(number("007", true), Ok(Some(json!(7))));
    assert_eq!(number("1e", false), Err("a number".to_owned()));
    let day = |text: &str| {
        let field = Field::with_text(Lines::One, text);
        Entry::new(Key::Comment, "d", Input::Date(field), Need::Never).value()
    };
    assert_eq!(day("2026-02-28"), Ok(Some(json!("2026-02-28"))));
    assert!(day("2026-02-30").is_err());
}

#[test]
fn a_name_is_typed_or_taken_from_the_list() {
    let people = ["alice", "bob", "carol"]
        .map(|one| Choice::of(json!(one)))
        .to_vec();
    let input = Input::Pick(Field::new(Lines::One), people);
    let mut entry = Entry::new(Key::Assignee, "who", input, Need::ForYes);
    press(&mut entry, &[KeyCode::Down, KeyCode::Down]);
    assert_eq!(entry.text(), "bob");
    press(&mut entry, &[KeyCode::Up]);
    assert_eq!(entry.text(), "alice");
    press(&mut entry, &[KeyCode::Backspace; 5]);
    press(&mut entry, &letters("ro"));
    press(&mut entry, &[KeyCode::Down]);
    assert_eq!(entry.text(), "carol");
}

#[test]
fn hunks_follow_each_other_and_stop_at_the_ends() {
    let lines = ["@@ 1", "+a", "@@ 2", "-b", "@@ 3"]
        .map(str::to_owned)
        .to_vec();
    let mut entry = Entry::new(Key::Diff, "diff", Input::Look(lines, 0), Need::Never);
    let mut went = |is_forward: bool| {
        entry.hunk(is_forward);
        match &entry.input {
            Input::Look(_, top) => *top,
            _ => usize::MAX,
        }
    };
    assert_eq!(
        [went(true), went(true), went(true), went(false)],
        [2, 4, 4, 2]
    );
}
