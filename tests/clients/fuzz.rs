//! The document of the API before a validator and a fuzzer that nobody here wrote.

use crate::broker::Broker;
use crate::python::walk_with;

const PACKAGES: &[&str] = &["axme", "openapi_spec_validator", "schemathesis"];

#[test]
fn the_document_is_valid() {
    let words = ["the_document_is_valid"];
    walk_with(&Broker::start(&[]), PACKAGES, "fuzz.py", &words);
}

#[test]
fn a_fuzzer_finds_no_fault_and_no_answer_outside_the_document() {
    let words = ["every_operation_is_as_documented"];
    walk_with(&Broker::start(&[]), PACKAGES, "fuzz.py", &words);
}
