//! Webhook subscriptions, with the published client and a published verifier.

use crate::broker::Broker;
use crate::python::{Walking, walk};

const SETTINGS: [&str; 1] = ["http.retry_delays=200ms"];

#[test]
fn events_of_an_intent_are_posted_signed_to_whoever_subscribed() {
    walk(
        &Broker::start(&SETTINGS),
        "webhooks.py",
        &["life_of_an_intent"],
    );
}

#[test]
fn an_event_of_one_s_own_is_delivered_and_sent_again() {
    walk(
        &Broker::start(&SETTINGS),
        "webhooks.py",
        &["published_and_sent_again"],
    );
}

#[test]
fn whatever_was_answered_for_before_a_kill_is_told_of_afterwards() {
    let scratch = tempfile::tempdir().unwrap();
    let notes = scratch.path().join("sent");
    let notes = notes.to_str().unwrap();
    // Nobody is there at first: attempts must not run out before somebody is.
    let settings = ["http.retry_delays=200ms", "max_delivery_attempts=100"];
    let broker = Broker::start(&settings);
    let words = ["send_until_the_end", notes];
    let Some(mut sender) = Walking::start(&broker, "webhooks.py", &words) else {
        return;
    };
    for _ in 0..25 {
        sender.line();
    }
    let data = broker.kill();
    sender.end();
    let broker = Broker::start_in(data, &settings);
    walk(
        &broker,
        "webhooks.py",
        &["every_answered_one_is_told", notes],
    );
}
