//! What was answered is kept, also when the broker is killed.

use crate::broker::Broker;
use crate::python::{Walking, walk};

#[test]
fn every_intent_that_was_answered_for_survives_the_broker_s_death() {
    let scratch = tempfile::tempdir().unwrap();
    let notes = scratch.path().join("sent");
    let notes = notes.to_str().unwrap();
    let broker = Broker::start(&[]);
    let Some(mut sender) = Walking::start(&broker, "durable.py", &["send_until_the_end", notes])
    else {
        return;
    };
    for _ in 0..25 {
        sender.line();
    }
    let data = broker.kill();
    sender.end();
    let broker = Broker::start_in(data, &[]);
    walk(
        &broker,
        "durable.py",
        &["every_answered_one_is_there", notes],
    );
}

#[test]
fn what_a_receiver_held_when_the_broker_died_comes_again_once() {
    dies_between("take_two_and_finish_one", "after_the_crash");
}

#[test]
fn a_call_that_was_open_when_the_broker_died_is_made_again() {
    dies_between("called_when_it_died", "called_again");
}

/// The first walk goes on over the broker's death; what it said are words for the second.
fn dies_between(before: &str, after: &str) {
    let settings = ["retry.stream_base_ms=100", "http.retry_delays=100ms"];
    let broker = Broker::start(&settings);
    let Some(mut walking) = Walking::start(&broker, "durable.py", &[before]) else {
        return;
    };
    let intents: Vec<String> = serde_json::from_str(&walking.line()).unwrap();
    let broker = Broker::start_in(broker.kill(), &settings);
    let mut words = vec![after];
    words.extend(intents.iter().map(String::as_str));
    walk(&broker, "durable.py", &words);
}
