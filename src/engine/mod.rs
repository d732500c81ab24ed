//! The rules: pure, deterministic. No clock, no randomness, no I/O.
pub mod command;
pub mod effect;
pub mod refusal;
