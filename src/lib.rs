//! Postroom.
pub mod clock;
pub mod domain;
