//! Receivers that are called.

use crate::broker::Broker;
use crate::python::walk;

/// Short distances between attempts, as a setting and in seconds.
const DELAYS: &str = "http.retry_delays=400ms 900ms";
const STEPS: [&str; 2] = ["0.4", "0.9"];

fn broker() -> Broker {
    Broker::start(&[DELAYS])
}

#[test]
fn two_failures_and_a_success_are_three_signed_posts_at_the_scheduled_distances() {
    let words = ["two_failures_and_a_success", STEPS[0], STEPS[1]];
    walk(&broker(), "push.py", &words);
}

#[test]
fn an_answer_may_carry_the_result() {
    walk(&broker(), "push.py", &["a_result_in_the_answer"]);
}

#[test]
fn a_receiver_that_always_fails_makes_a_dead_letter_and_its_replay_completes() {
    walk(&broker(), "push.py", &["always_failing_then_replayed"]);
}

#[test]
fn a_receiver_that_is_gone_is_called_once() {
    walk(&broker(), "push.py", &["gone"]);
}

#[test]
fn redirections_are_not_followed() {
    walk(&broker(), "push.py", &["redirected"]);
}

#[test]
fn a_receiver_that_asks_for_time_gets_it() {
    walk(&broker(), "push.py", &["told_to_wait"]);
}

#[test]
fn both_secrets_sign_while_they_overlap_and_none_does_without() {
    walk(&broker(), "push.py", &["secrets_change"]);
}

#[test]
fn a_receiver_that_was_away_gets_its_intents_when_it_is_back() {
    walk(&broker(), "push.py", &["nobody_there"]);
}

#[test]
fn addresses_nobody_may_be_made_to_call_are_refused() {
    walk(&broker(), "push.py", &["refused_targets"]);
}
