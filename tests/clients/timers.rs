//! What the broker does by itself.

use crate::broker::Broker;
use crate::python::{Walking, walk};

#[test]
fn timers_go_on_over_the_broker_s_death_and_an_agent_is_offered_what_is_escalated_to_it() {
    let broker = Broker::start(&[]);
    let Some(mut walking) = Walking::start(&broker, "timers.py", &["begin"]) else {
        return;
    };
    let ids: Vec<String> = serde_json::from_str(&walking.line()).unwrap();
    let broker = Broker::start_in(broker.kill(), &[]);
    let mut words = vec!["go_on"];
    words.extend(ids.iter().map(String::as_str));
    walk(&broker, "timers.py", &words);
}
