//! Receivers that listen.

use crate::broker::Broker;
use crate::python::walk;

#[test]
fn a_listener_and_a_sender_of_the_published_client_meet() {
    walk(&Broker::start(&[]), "stream.py", &["quick_start"]);
}

#[test]
fn a_listener_killed_with_an_intent_in_its_hands_loses_nothing() {
    let words = ["killed_between_receipt_and_answer"];
    walk(&Broker::start(&[]), "stream.py", &words);
}

#[test]
fn a_handler_that_raises_is_offered_the_intent_again() {
    let broker = Broker::start(&["retry.stream_base_ms=100"]);
    walk(&broker, "stream.py", &["a_handler_that_raises_once"]);
}

#[test]
fn intents_wait_for_a_receiver_that_comes_later() {
    let words = ["sent_before_anybody_listened"];
    walk(&Broker::start(&[]), "stream.py", &words);
}

#[test]
fn listeners_of_one_address_share_its_intents() {
    walk(&Broker::start(&[]), "stream.py", &["listeners_compete"]);
}

#[test]
fn waiting_for_what_does_not_come_ends_when_told() {
    let words = ["waiting_ends_when_told"];
    walk(&Broker::start(&[]), "stream.py", &words);
}

#[test]
fn text_that_breaks_lines_and_large_payloads_survive_every_way() {
    walk(&Broker::start(&[]), "stream.py", &["difficult_text"]);
}
