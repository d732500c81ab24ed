//! Jobs and the audit log: ordering with a dry run, steering, reading who did what.

use crossterm::event::KeyCode;
use insta::assert_snapshot;

use super::Bench;
use crate::domain::ids::JobId;
use crate::domain::job::{JobControl, JobKind};

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
    assert!(screen.contains("all 1,247 of group 9c1e"), "{screen}");
    assert!(
        screen.contains("1,239 of 1,247 eligible, skipped: 5 already replayed, 3 held"),
        "{screen}"
    );
    bench.keys("upstream fixed");
    bench.key(KeyCode::Enter);
    assert!(
        bench.screen().contains("type 1239 to enable"),
        "{}",
        bench.screen()
    );
    bench.key(KeyCode::Tab);
    for _ in 0..4 {
        bench.key(KeyCode::Backspace);
    }
    bench.keys("0.5");
    for _ in 0..4 {
        bench.key(KeyCode::Tab);
    }
    bench.keys("1239");
    bench.key(KeyCode::Enter);
    bench.desk.script(|script| {
        let [job] = script.ordered.as_slice() else {
            panic!("one job, not {:?}", script.ordered);
        };
        assert_eq!(job.kind, JobKind::Replay);
        assert_eq!(job.selection.fingerprint.as_deref(), Some("1:9c1ea7b2c3d4"));
        assert_eq!(job.pace.per_1000_seconds, 500);
        assert_eq!((job.pace.in_flight_max, job.pace.canary), (50, 5));
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

#[test]
fn an_option_out_of_its_bounds_is_named() {
    let mut bench = panel(120, 36);
    bench.keys("why not");
    bench.key(KeyCode::Tab);
    bench.keys("00000");
    bench.key(KeyCode::Enter);
    assert!(
        bench
            .screen()
            .contains("rate /s: a number from 0.1 to 1000"),
        "{}",
        bench.screen()
    );
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
    bench.keys("upstream fixed");
    bench.key(KeyCode::Enter);
    bench.desk.script(|script| assert_eq!(script.ordered, []));
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
fn the_desks_of_jobs_and_audit() {
    for (width, height) in [(120, 36), (80, 24), (40, 9)] {
        for (key, name) in [("7", "jobs"), ("8", "audit")] {
            let mut bench = Bench::at(width, height);
            bench.keys(key);
            bench.pass(1_000);
            assert_snapshot!(format!("{name}_desk_{width}x{height}"), bench.screen());
        }
        let mut bench = panel(width, height);
        assert_snapshot!(format!("job_panel_{width}x{height}"), bench.screen());
    }
}
