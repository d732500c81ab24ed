//! Jobs and the audit log: ordering with a dry run, steering, reading who did what.

use crossterm::event::KeyCode;

use super::{Bench, fixtures};
use crate::console::memory;
use crate::console::model::overlay::Overlay;
use crate::console::model::panel::{Deed, Focus, Panel};
use crate::domain::ids::JobId;
use crate::domain::job::{JobControl, JobKind, JobOrder, Selection};

/// The panel that replays the group under the cursor, with its dry run answered.
fn panel(width: u16, height: u16) -> Bench {
    let mut bench = Bench::at(width, height);
    bench.keys("5R");
    bench.pass(1_000);
    bench
}

#[test]
fn a_replay_of_a_group_is_a_job_with_its_dry_run_its_options_and_the_count_typed() {
    let mut bench = panel(120, 36);
    let screen = bench.screen();
    assert!(screen.contains("(•) all 1,247 of 9c1e"), "{screen}");
    assert!(
        screen.contains("1,239 eligible, 8 skipped")
            && screen.contains("5 already replayed · 3 held"),
        "{screen}"
    );
    assert!(screen.contains("2m03s at 10/s"), "{screen}");
    // Letters set options where no text is typed.
    for keys in ["-r", "-n", "-o", "-a", "-t"] {
        bench.keys(keys);
        match keys {
            "-r" => {
                bench.key(KeyCode::Backspace);
                bench.key(KeyCode::Backspace);
                bench.keys("0.5");
            }
            "-n" => bench.keys("0"),
            "-a" => bench.keys("9"),
            "-t" => bench.keys("ledger"),
            _ => {}
        }
        back_to_scope(&mut bench);
    }
    bench.key(KeyCode::Tab);
    bench.keys("upstream fixed");
    bench.key(KeyCode::Enter);
    assert!(
        bench.screen().contains("type 1239 to enable"),
        "{}",
        bench.screen()
    );
    bench.desk.script(|script| assert_eq!(script.ordered, []));
    bench.key(KeyCode::Tab);
    bench.keys("1239");
    bench.key(KeyCode::Enter);
    bench.desk.script(|script| {
        let [job] = script.ordered.as_slice() else {
            panic!("one job, not {:?}", script.ordered);
        };
        assert_eq!(job.kind, JobKind::Replay);
        assert_eq!(job.selection.fingerprint.as_deref(), Some("1:9c1ea7b2c3d4"));
        assert_eq!(job.pace.per_1000_seconds, 500);
        assert_eq!((job.pace.in_flight_max, job.pace.canary), (50, 50));
        assert_eq!(job.order, JobOrder::Newest);
        assert_eq!(job.terms.max_attempts, Some(9));
        assert_eq!(job.to, Some(fixtures::address("ledger")));
        assert_eq!(job.limit, 1_239);
        assert_eq!(job.reason.as_deref(), Some("upstream fixed"));
    });
    assert!(
        bench.status().contains("job_117 is running; 7 shows it"),
        "{}",
        bench.status()
    );
    assert_eq!(bench.acts(), []);
}

/// Tab until the choice of the scope has the focus.
fn back_to_scope(bench: &mut Bench) {
    for _ in 0..20 {
        let Some(Overlay::Panel(panel)) = &bench.model.overlay else {
            panic!("the panel is open");
        };
        if panel.focus == Focus::Ask(0) {
            return;
        }
        bench.key(KeyCode::Tab);
    }
    panic!("Tab goes round");
}

#[test]
fn the_scope_is_chosen_with_space_and_counted_anew() {
    let mut bench = Bench::at(120, 36);
    bench.keys("5");
    bench.key(KeyCode::Enter);
    bench.keys("  ");
    bench.keys("R");
    bench.pass(1_000);
    let screen = bench.screen();
    assert!(screen.contains("(•) 2 marked"), "{screen}");
    let selection = |bench: &Bench| match &bench.model.overlay {
        Some(Overlay::Panel(Panel {
            deed: Deed::Order(job, planned),
            ..
        })) => (job.selection.clone(), *planned),
        other => panic!("{other:?}"),
    };
    assert_eq!(selection(&bench).0.intents.len(), 2);
    bench.keys(" ");
    bench.pass(1_000);
    bench.keys(" ");
    bench.pass(1_000);
    let (of_group, planned) = selection(&bench);
    assert_eq!(of_group.fingerprint.as_deref(), Some("1:9c1ea7b2c3d4"));
    assert_eq!(planned, Some(1_239), "the dry run was asked for again");
    bench.keys(" ");
    bench.pass(1_000);
    assert_eq!(
        selection(&bench).0,
        Selection::default(),
        "every dead letter"
    );
    // Force changes what is skipped, so it is counted anew as well.
    bench
        .desk
        .script(|script| script.plan.as_mut().unwrap().selected = 1_244);
    bench.keys("-f");
    bench.pass(1_000);
    assert_eq!(selection(&bench).1, Some(1_244));
    bench.keys("-v");
    assert!(
        bench
            .screen()
            .contains("already replayed: -f takes them too"),
        "{}",
        bench.screen()
    );
}

#[test]
fn a_preset_fills_the_options_and_ctrl_s_keeps_ones_own_for_the_next_run() {
    let mut bench = panel(120, 36);
    bench.key(KeyCode::Tab);
    bench.key(KeyCode::Tab);
    bench.key(KeyCode::Tab);
    bench.keys(" ");
    let text = |bench: &Bench, name: &str| match &bench.model.overlay {
        Some(Overlay::Panel(panel)) => panel.text(name),
        other => panic!("{other:?}"),
    };
    assert_eq!(text(&bench, "preset"), "slow");
    assert_eq!(
        (text(&bench, "rate"), text(&bench, "in flight")),
        ("1".to_owned(), "5".to_owned())
    );
    bench.ctrl('s');
    assert!(bench.status().contains("own 1"), "{}", bench.status());
    let kept = memory::to_text(&memory::of(&bench.model));
    let mut next = Bench::at(120, 36);
    let wanted = memory::Wanted {
        desk: true,
        theme: true,
    };
    memory::restore(&mut next.model, memory::read(&kept).unwrap(), wanted);
    next.keys("5R");
    next.pass(1_000);
    for _ in 0..3 {
        next.key(KeyCode::Tab);
    }
    next.keys("    ");
    assert_eq!(text(&next, "preset"), "own 1");
    assert_eq!(text(&next, "rate"), "1");
}

#[test]
fn an_option_out_of_its_bounds_is_named() {
    let mut bench = panel(120, 36);
    bench.keys("-r");
    bench.keys("00000");
    bench.key(KeyCode::Tab);
    back_to_scope(&mut bench);
    bench.key(KeyCode::Tab);
    bench.keys("why not");
    bench.key(KeyCode::Tab);
    bench.keys("1239");
    bench.key(KeyCode::Enter);
    assert!(
        bench.screen().contains("rate: a number from 0.1 to 1000"),
        "{}",
        bench.screen()
    );
    bench.desk.script(|script| assert_eq!(script.ordered, []));
}

#[test]
fn without_a_dry_run_no_job_is_ordered() {
    let mut bench = Bench::at(120, 36);
    bench.desk.script(|script| script.plan = None);
    bench.keys("5R");
    bench.pass(1_000);
    assert!(
        bench.screen().contains("the script has no jobs"),
        "{}",
        bench.screen()
    );
    bench.key(KeyCode::Tab);
    bench.keys("upstream fixed");
    bench.key(KeyCode::Enter);
    bench.desk.script(|script| assert_eq!(script.ordered, []));
}

#[test]
fn what_failed_in_a_job_is_replayed_from_its_desk() {
    let mut bench = Bench::at(120, 36);
    bench.keys("7R");
    bench.pass(1_000);
    let screen = bench.screen();
    assert!(screen.contains("that died again in job_117"), "{screen}");
    let Some(Overlay::Panel(Panel {
        deed: Deed::Order(job, _),
        ..
    })) = &bench.model.overlay
    else {
        panic!("R opens the panel");
    };
    assert_eq!(job.selection.failed_of, Some(JobId(117)));
}

#[test]
fn a_job_tells_its_outcomes_by_class() {
    let mut bench = Bench::at(120, 36);
    bench.keys("7");
    bench.pass(1_000);
    let screen = bench.screen();
    assert!(
        screen.contains("3 succeeded · 1 failed 503 · 1 skipped already"),
        "{screen}"
    );
}

#[test]
fn at_the_smallest_size_a_panel_can_be_read_and_acted_in() {
    let mut bench = Bench::at(40, 9);
    bench.keys("6P");
    bench.pass(1_000);
    let screen = bench.screen();
    for words in ["Enter act", "Tab next", "Esc out", "[ Pause ]", "required"] {
        assert!(screen.contains(words), "{words} in {screen}");
    }
    let mut seen = screen;
    for _ in 0..8 {
        bench.key(KeyCode::PageDown);
        seen.push_str(&bench.screen());
    }
    assert!(
        seen.contains("P again resumes"),
        "every fact can be scrolled to: {seen}"
    );
    bench.keys("deploy");
    bench.key(KeyCode::Enter);
    assert_eq!(bench.acts().len(), 1);
}

#[test]
fn a_job_is_paused_resumed_and_canceled_from_its_desk() {
    let mut bench = Bench::at(120, 36);
    bench.keys("7P");
    bench.pass(1_000);
    assert!(
        bench.screen().contains("Pause job_117"),
        "{}",
        bench.screen()
    );
    bench.key(KeyCode::Enter);
    bench
        .desk
        .script(|script| assert_eq!(script.controlled, []));
    bench.key(KeyCode::Tab);
    bench.key(KeyCode::Enter);
    bench.keys("j");
    assert!(bench.screen().contains("P resume"), "{}", bench.screen());
    bench.keys("P");
    bench.pass(1_000);
    assert!(bench.screen().contains("20 have died again"));
    bench.key(KeyCode::Tab);
    bench.key(KeyCode::Enter);
    bench.keys("C");
    bench.pass(1_000);
    bench.key(KeyCode::Tab);
    bench.key(KeyCode::Enter);
    bench.keys("jC");
    assert!(
        bench.status().contains("is done; nothing can change it"),
        "{}",
        bench.status()
    );
    bench.desk.script(|script| {
        assert_eq!(
            script.controlled,
            [
                (JobId(117), JobControl::Pause),
                (JobId(115), JobControl::Resume),
                (JobId(115), JobControl::Cancel),
            ]
        );
    });
}

#[test]
fn the_audit_log_is_filtered_and_leads_to_the_intent_it_is_about() {
    let mut bench = Bench::at(120, 36);
    bench.keys("8");
    assert!(bench.screen().contains("agent.pause"));
    bench.keys("/is:refused");
    bench.key(KeyCode::Enter);
    let screen = bench.screen();
    assert!(
        screen.contains("already decided") && !screen.contains("agent.pause"),
        "{screen}"
    );
    bench.key(KeyCode::Enter);
    assert!(bench.model.view.intent.is_some());
}

#[test]
fn the_panel_of_a_job_leaves_the_error_in_view_and_has_no_empty_half() {
    for (width, height) in [(120, 36), (160, 50), (80, 24)] {
        let mut bench = Bench::at(width, height);
        bench.keys("5R");
        bench.pass(8_100);
        let screen = bench.screen();
        if width >= 120 {
            assert!(screen.contains("─ Error 9c1e"), "{screen}");
        }
        let lines: Vec<&str> = screen.lines().collect();
        assert!(
            screen.contains("Nothing happens until the button is pressed"),
            "{screen}"
        );
        let button = lines
            .iter()
            .position(|line| line.contains("[ Start replay ]"))
            .unwrap();
        let eta = lines
            .iter()
            .position(|line| line.contains("eta  "))
            .unwrap();
        assert!(button - eta <= 2, "{screen}");
        // The names of the third column stand below each other.
        let places = ["-o order", "-f force", "   preset"].map(|name| {
            let line = lines.iter().find(|line| line.contains(name)).unwrap();
            line.split_once(name).unwrap().0.chars().count()
        });
        assert!(places.iter().all(|place| *place == places[0]), "{screen}");
    }
}
