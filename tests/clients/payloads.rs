//! Real payloads of another service, through every binding that carries them.

use crate::broker::Broker;
use crate::python::{here, walk};

#[test]
fn payloads_of_another_service_arrive_as_they_were_sent_by_every_binding() {
    let sample = here().join("payloads.ndjson");
    let file = std::env::var_os("POSTROOM_PAYLOADS").map_or(sample, std::path::PathBuf::from);
    let words = ["everything", file.to_str().unwrap()];
    walk(&Broker::start(&[]), "payloads.py", &words);
}
