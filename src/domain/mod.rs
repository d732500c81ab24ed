//! The vocabulary: types and their rules, nothing that happens.
//!
//! Every other room speaks these words, and so do the API, the screens and the README.
//!
//! 1. Values are valid by construction: an [`address::Address`] is normalised, a
//!    [`payload::Payload`] is one JSON value in compact form.
//! 2. Nothing here reads a clock, draws randomness or does I/O.
//! 3. Types do not serialise themselves: the disk's form is `store/record.rs`, the wire's is `wire`.
//!
//! Not here: what happens to an intent (`engine`), how it looks in JSON (`wire`).
//! Tested by unit tests beside the rules (addresses, times, fingerprints).

pub mod activity;
pub mod address;
pub mod admission;
pub mod agent;
pub mod attempt;
pub mod controls;
pub mod endpoint;
pub mod excerpt;
pub mod fact;
pub mod failure;
pub mod group;
pub mod ids;
pub mod intent;
pub mod job;
pub mod json;
pub mod key;
pub mod mesh;
pub mod payload;
pub mod policy;
pub mod scenario;
pub mod schema;
pub mod status;
pub mod subscription;
pub mod task;
pub mod text;
pub mod time;
pub mod via;
