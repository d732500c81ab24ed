//! Postroom.
pub mod broker;
pub mod clock;
pub mod desk;
pub mod config;
pub mod domain;
pub mod engine;
pub mod shutdown;
pub mod store;
