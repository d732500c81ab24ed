//! The agents desk: panels that say what would become of what waits, and ask why.

use crossterm::event::KeyCode;

use super::{Bench, fixtures};
use crate::desk::act::Act;
use crate::desk::rows::agents::EndpointRow;
use crate::domain::agent::AgentLimit;
use crate::domain::endpoint::Breaker;

/// The desk with the cursor on `billing-webhook`, which is called.
fn on_billing() -> Bench {
    let mut bench = Bench::at(120, 36);
    bench.keys("6");
    let agent = fixtures::address("billing-webhook");
    while bench.model.agents.rows.cursor() != Some(&agent) {
        bench.keys("j");
    }
    bench
}

#[test]
fn l_reckons_what_a_rate_means_for_what_waits_and_bounds_the_agent_for_a_reason() {
    let mut bench = on_billing();
    bench.keys("L");
    let screen = bench.screen();
    assert!(screen.contains("Limit billing-webhook"), "{screen}");
    assert!(
        screen.contains("4,292 intents wait now; no rate"),
        "{screen}"
    );
    bench.key(KeyCode::Backspace);
    bench.keys("20");
    let screen = bench.screen();
    assert!(
        screen.contains("4,292 intents wait now: 3m34s at that rate"),
        "{screen}"
    );
    bench.pass(1_000);
    bench.key(KeyCode::Enter);
    assert_eq!(bench.acts(), [], "a reason is asked for first");
    bench.key(KeyCode::Tab);
    bench.key(KeyCode::Backspace);
    bench.keys("4");
    bench.key(KeyCode::Tab);
    bench.keys("it melts");
    bench.key(KeyCode::Enter);
    let limit = AgentLimit {
        rate_millihertz: Some(20_000),
        max_in_flight: Some(4),
    };
    let (agent, reason) = (fixtures::address("billing-webhook"), "it melts".to_owned());
    assert_eq!(
        bench.acts(),
        [Act::Limit {
            agent,
            limit,
            reason
        }]
    );
}

#[test]
fn a_rate_is_offered_only_for_agents_that_are_called() {
    let mut bench = Bench::at(120, 36);
    bench.keys("6");
    let agent = fixtures::address("order-processor");
    while bench.model.agents.rows.cursor() != Some(&agent) {
        bench.keys("j");
    }
    bench.keys("L");
    let screen = bench.screen();
    assert!(
        screen.contains("at once") && !screen.contains("rate /s"),
        "{screen}"
    );
    bench.key(KeyCode::Esc);
    bench.keys("B");
    assert!(
        bench.status().contains("is not called"),
        "{}",
        bench.status()
    );
}

#[test]
fn b_closes_a_breaker_for_a_reason_and_says_so_when_there_is_nothing_to_reset() {
    let mut bench = on_billing();
    bench.keys("B");
    let screen = bench.screen();
    assert!(screen.contains("half-open: a probe is out"), "{screen}");
    assert!(
        screen.contains("1,204 waiting intents are tried"),
        "{screen}"
    );
    bench.keys("they fixed it");
    bench.pass(1_000);
    bench.key(KeyCode::Enter);
    let (agent, reason) = (
        fixtures::address("billing-webhook"),
        "they fixed it".to_owned(),
    );
    assert_eq!(bench.acts(), [Act::ResetBreaker { agent, reason }]);
    bench.desk.script(|script| {
        for agent in &mut script.agents {
            if let Some(endpoint) = &mut agent.endpoint {
                *endpoint = EndpointRow {
                    breaker: Breaker::Closed,
                    ..EndpointRow::NEW
                };
            }
        }
    });
    bench.pass(3_000);
    bench.keys("B");
    assert!(
        bench.status().contains("nothing to reset"),
        "{}",
        bench.status()
    );
}

#[test]
fn k_says_what_a_kill_refuses_asks_why_and_the_same_key_revives() {
    let mut bench = on_billing();
    bench.keys("K");
    let screen = bench.screen();
    assert!(
        screen.contains("new intents from billing-webhook and to it are refused"),
        "{screen}"
    );
    assert!(screen.contains("4,296 open intents"), "{screen}");
    bench.pass(1_000);
    bench.key(KeyCode::Enter);
    assert_eq!(bench.acts(), [], "a reason is asked for first");
    bench.keys("double sends");
    bench.key(KeyCode::Enter);
    let (agent, reason) = (
        fixtures::address("billing-webhook"),
        "double sends".to_owned(),
    );
    let kill = Act::Kill {
        agent: agent.clone(),
        reason,
    };
    assert_eq!(bench.acts(), std::slice::from_ref(&kill));
    bench.desk.script(|script| {
        for row in &mut script.agents {
            if row.address == agent {
                row.kill = Some(crate::desk::rows::PauseRow {
                    by: "agent://acme/prod/bob".to_owned(),
                    reason: "double sends".to_owned(),
                    at: fixtures::now(),
                });
                row.state = crate::desk::rows::AgentState::Killed;
            }
        }
    });
    bench.pass(3_000);
    let screen = bench.screen();
    assert!(
        screen.contains("killed by bob") && screen.contains("K revive"),
        "{screen}"
    );
    bench.keys("K");
    bench.pass(1_000);
    bench.keys("patched");
    bench.key(KeyCode::Enter);
    let reason = "patched".to_owned();
    assert_eq!(bench.acts(), [kill, Act::Revive { agent, reason }]);
}

#[test]
fn what_became_of_attempts_is_told_of_the_agent_under_the_cursor_and_of_no_other() {
    let mut bench = on_billing();
    let screen = bench.screen();
    for words in [
        "503 ×1,702   timeout ×88   connect ×7",
        "p50 62ms   p95 10.0s   p99 10.2s",
        "opened 4× today",
        "max 3, lease 15s",
    ] {
        assert!(screen.contains(words), "{words}: {screen}");
    }
    bench.keys("j");
    let screen = bench.screen();
    assert!(!screen.contains("503 ×1,702"), "{screen}");
    assert!(
        screen.contains("no attempt of it has ended since the start"),
        "{screen}"
    );
}
