//! Scenarios, from the bundle to the end of their runs.

use crate::broker::Broker;
use crate::python::{Walking, walk};

const SETTINGS: [&str; 2] = ["http.retry_delays=200ms", "retry.stream_base_ms=100"];

fn runs(words: &[&str]) {
    walk(&Broker::start(&SETTINGS), "scenarios.py", words);
}

#[test]
fn an_order_is_processed_over_a_stream() {
    runs(&["order_stream"]);
}

#[test]
fn a_report_is_polled_and_its_failure_is_its_run_s() {
    runs(&["report_poll"]);
}

#[test]
fn an_invoice_is_posted_signed_and_retried() {
    runs(&["invoice_webhook"]);
}

#[test]
fn an_invoice_s_step_is_tried_anew_after_it_failed_for_good() {
    runs(&["invoice_is_tried_anew"]);
}

#[test]
fn a_refund_is_accepted_on_the_command_line_and_paid() {
    runs(&["refund_accepted"]);
}

#[test]
fn a_refund_is_rejected_clarified_assessed_again_and_paid() {
    runs(&["refund_rejected"]);
}

#[test]
fn a_refund_goes_both_ways_on_the_command_line() {
    runs(&["refund_on_the_command_line"]);
}

#[test]
fn a_refund_is_filled_in_over_the_api_and_paid() {
    runs(&["refund_over_the_api"]);
}

#[test]
fn a_deployment_is_approved_and_rejected_over_the_api() {
    runs(&["deploy_over_the_api"]);
}

#[test]
fn a_deployment_is_rejected_on_the_command_line() {
    runs(&["deploy_rejected_on_the_command_line"]);
}

#[test]
fn a_refund_that_nobody_clarifies_fails_with_the_person_s_words() {
    runs(&["refund_given_up"]);
}

#[test]
fn a_deployment_waits_over_the_broker_s_death_is_escalated_and_approved() {
    let broker = Broker::start(&SETTINGS);
    let words = ["deploy_until_it_waits"];
    let Some(mut walking) = Walking::start(&broker, "scenarios.py", &words) else {
        return;
    };
    let ids: Vec<String> = serde_json::from_str(&walking.line()).unwrap();
    let broker = Broker::start_in(broker.kill(), &SETTINGS);
    let mut words = vec!["deploy_after_the_crash"];
    words.extend(ids.iter().map(String::as_str));
    walk(&broker, "scenarios.py", &words);
}

#[test]
fn a_deployment_that_nobody_decides_in_time_fails() {
    runs(&["deploy_too_late"]);
}
