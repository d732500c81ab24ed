//! Who asks, what is refused, and the same request made twice.

use crate::broker::Broker;
use crate::python::walk;

#[test]
fn an_account_listens_at_its_own_address_and_at_no_other() {
    walk(&Broker::start(&[]), "identity.py", &["accounts_and_keys"]);
}

#[test]
fn refusals_arrive_as_the_exceptions_made_for_them() {
    let words = ["refusals_are_told_as_the_client_tells_them"];
    walk(&Broker::start(&[]), "identity.py", &words);
}

#[test]
fn a_request_made_twice_acts_once() {
    let words = ["the_same_request_twice"];
    walk(&Broker::start(&[]), "identity.py", &words);
}

#[test]
fn twenty_twins_at_once_are_one_intent() {
    walk(&Broker::start(&[]), "identity.py", &["twenty_twins"]);
}
