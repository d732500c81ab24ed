//! The one writer and what hangs on a commit.
pub mod registry;
pub mod request;
