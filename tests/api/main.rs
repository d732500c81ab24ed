//! The HTTP API over real connections, against a real broker with its own clock.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on must stop"
)]

mod accounts;
mod bundles;
mod connections;
mod controls;
mod dead_letters;
mod document;
mod door;
mod endpoints;
mod escalation;
mod events;
mod hand;
mod house;
mod intents;
mod jobs;
mod limits;
mod mail;
mod mcp;
mod mesh;
mod metrics;
mod operator;
mod page;
mod people;
mod receive;
mod reminders;
mod resume;
mod roles;
mod scenarios;
mod schemas;
mod sink;
mod task_types;
mod transcript;
mod webhooks;
