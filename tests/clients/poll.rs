//! Receivers that ask.

use crate::broker::Broker;
use crate::python::walk;

#[test]
fn short_windows_of_a_stream_are_a_way_to_poll() {
    let words = ["short_stream_windows"];
    walk(&Broker::start(&[]), "poll.py", &words);
}

#[test]
fn a_row_that_was_given_out_is_not_shown_twice() {
    walk(&Broker::start(&[]), "poll.py", &["asked_for"]);
}

#[test]
fn a_poll_that_waits_returns_with_the_first_row() {
    walk(&Broker::start(&[]), "poll.py", &["waited_for"]);
}

#[test]
fn the_list_of_what_is_pending_is_the_simplest_poll() {
    walk(&Broker::start(&[]), "poll.py", &["seen_in_the_list"]);
}

#[test]
fn what_is_given_back_or_forgotten_comes_again_until_it_is_a_dead_letter() {
    let broker = Broker::start(&["retry.stream_base_ms=100"]);
    walk(&broker, "poll.py", &["given_back_and_forgotten"]);
}
