//! Software that nobody here wrote, against the real program: the published Python client of the
//! protocol, a published verifier of webhook signatures, and plain HTTP from somebody who has read
//! the contract and nothing else.
//!
//! The walks are Python programs beside this file; each test starts a broker of its own, runs one
//! walk against it and shows what the walk said when it failed. Python is `$POSTROOM_TEST_PYTHON`,
//! else what `.ci/run` prepared in `target/python`, else `python3`. Where the published packages
//! are missing, a test that needs them is not run, unless it must be: with `CI=true` or
//! `POSTROOM_TEST_CLIENTS_REQUIRED=1` it fails.
//!
//! All of a file of payloads, one `{"event": NAME, "payload": {...}}` a line, goes through every
//! binding with `POSTROOM_PAYLOADS=FILE cargo nextest run --test clients payloads`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "tests, and what only tests use"
)]

mod broker;
mod durable;
mod fuzz;
mod identity;
mod inbox;
mod kept;
mod mail;
mod mcp;
mod mesh;
mod methods;
mod outsider;
mod page;
mod payloads;
mod poll;
mod push;
mod python;
mod readme;
mod scenarios;
mod signatures;
mod stream;
mod timers;
mod webhooks;
