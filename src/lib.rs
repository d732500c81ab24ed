//! Postroom.
pub mod clock;
pub mod domain;
pub mod shutdown;
