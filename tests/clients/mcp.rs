//! The Model Context Protocol, with clients that nobody here wrote.

use crate::broker::Broker;
use crate::python::{walk, walk_with};

#[test]
fn the_published_client_calls_tools() {
    walk(&Broker::start(&[]), "tools.py", &["the_published_client"]);
}

#[test]
fn the_official_client_lists_the_inbox_approves_and_replays() {
    let packages = ["axme", "mcp", "httpx2"];
    let words = ["the_official_client"];
    walk_with(&Broker::start(&[]), &packages, "tools.py", &words);
}
