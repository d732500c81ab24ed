//! The real program from the outside: its verbs, its files, its exit codes.
//!
//! Every test has a data directory and a port of its own.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests, and what only tests use"
)]

mod backup;
mod bench;
mod broker;
mod demo;
mod export;
mod finding;
mod inbox;
mod journeys;
mod link;
mod operate;
mod people;
mod pty;
mod pty_scenarios;
mod recording;
mod serve;
mod sweep;
mod tls;
mod tour;
mod triage;
mod work;
