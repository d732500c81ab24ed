//! What was said beside intents.

use crate::broker::Broker;
use crate::python::{Walking, walk};

#[test]
fn schemas_and_what_governs_an_intent_are_kept_over_the_broker_s_death() {
    let broker = Broker::start(&[]);
    let Some(mut walking) = Walking::start(&broker, "kept.py", &["said_before"]) else {
        return;
    };
    let said: Vec<String> = serde_json::from_str(&walking.line()).unwrap();
    walking.end();
    let broker = Broker::start_in(broker.kill(), &[]);
    let mut words = vec!["held_after"];
    words.extend(said.iter().map(String::as_str));
    walk(&broker, "kept.py", &words);
}
