//! Postroom.
pub mod domain;
