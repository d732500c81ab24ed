//! Mails before a server that nobody here wrote.

use crate::broker::Broker;
use crate::python::walk_with;

const PACKAGES: &[&str] = &["axme", "aiosmtpd"];

#[test]
fn a_mail_leads_to_a_decision() {
    let broker = Broker::start(&[]);
    walk_with(
        &broker,
        PACKAGES,
        "mail.py",
        &["a_mail_leads_to_a_decision"],
    );
}

#[test]
fn a_mail_outlives_a_crash_of_the_broker_and_a_server_that_refuses() {
    let broker = Broker::start(&[]);
    walk_with(&broker, PACKAGES, "mail.py", &["a_mail_outlives_a_crash"]);
}

#[test]
fn a_wrong_password_is_told_and_loses_nothing() {
    let broker = Broker::start(&[]);
    walk_with(&broker, PACKAGES, "mail.py", &["a_wrong_password"]);
}
