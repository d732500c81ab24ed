//! The real program under pressure: a disk that is low, full, broken or stuck.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on must stop"
)]

mod disk;
mod program;
