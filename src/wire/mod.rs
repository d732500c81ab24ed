//! Bodies of the HTTP API: reading requests into the vocabulary, writing the vocabulary as JSON.
//!
//! 1. Foreign JSON passes through as text: its key order and number spelling are kept.
//! 2. Whatever is wrong with a request is a [`errors::Problem`] that names the field and the way out.
//! 3. Every body is one JSON object, written once, in one pass.
//!
//! Not here: routes, statuses of success, who may see what (`api`); what happens (`engine`).
//! Tested beside each conversion, and end to end by `tests/api`.

pub mod activity;
pub mod agents;
pub mod attempts;
pub mod audit;
pub mod body;
mod bundle;
pub mod controls;
pub mod dead_letters;
pub mod deliveries;
pub mod errors;
pub mod events;
pub mod facts;
pub mod feed;
pub mod groups;
pub mod inbox;
pub mod intents;
pub mod jobs;
pub mod json;
pub mod mesh;
pub mod policy;
pub mod resume;
pub mod rows;
pub mod scenarios;
pub mod schemas;
mod steps;
pub mod submit;
pub mod tasks;
pub mod webhooks;
