//! Postroom.
pub mod app;
pub mod bindings;
pub mod broker;
pub mod cli;
pub mod clock;
pub mod config;
pub mod console;
pub mod desk;
pub mod domain;
pub mod engine;
pub mod shutdown;
pub mod store;
pub mod telemetry;
