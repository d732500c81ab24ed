//! People.

use crate::broker::Broker;
use crate::python::walk;

#[test]
fn a_completion_reaches_the_inbox_that_the_sender_named() {
    let words = ["a_completion_is_sent_where_the_sender_wants_it"];
    walk(&Broker::start(&[]), "inbox.py", &words);
}

#[test]
fn what_a_person_approves_completes() {
    walk(&Broker::start(&[]), "inbox.py", &["approved"]);
}

#[test]
fn what_a_person_rejects_fails_and_is_no_dead_letter_to_look_at() {
    walk(&Broker::start(&[]), "inbox.py", &["rejected"]);
}

#[test]
fn a_reply_is_the_answer_of_an_inbox() {
    walk(&Broker::start(&[]), "inbox.py", &["replied"]);
}

#[test]
fn a_decision_is_checked_against_its_task() {
    walk(&Broker::start(&[]), "inbox.py", &["decided_by_its_id"]);
}

#[test]
fn unknown_and_foreign_threads_are_not_there() {
    walk(&Broker::start(&[]), "inbox.py", &["unknown_and_foreign"]);
}

#[test]
fn every_change_of_an_inbox_is_given_once() {
    walk(&Broker::start(&[]), "inbox.py", &["changes"]);
}

#[test]
fn a_task_is_handed_to_a_colleague_who_decides() {
    walk(&Broker::start(&[]), "inbox.py", &["handed_on"]);
}
