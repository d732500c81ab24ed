//! The mesh of the published client: heartbeats, health, kill and resume.

use crate::broker::Broker;
use crate::python::walk;

#[test]
fn an_agent_that_beats_is_healthy_and_its_work_is_added_up() {
    walk(&Broker::start(&[]), "mesh.py", &["beats_and_metrics"]);
}

#[test]
fn a_killed_agent_is_cut_off_and_gets_what_waited_once_it_is_resumed() {
    walk(&Broker::start(&[]), "mesh.py", &["killed_and_resumed"]);
}

#[test]
fn only_an_operator_kills_and_resumes() {
    walk(&Broker::start(&[]), "mesh.py", &["who_may"]);
}
