//! The mesh: what is said of agents that beat, and of those that were killed.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::domain::address::Address;

/// The opaque id of an address, the same on every broker and at every time.
#[must_use]
pub fn address_id(address: &Address) -> String {
    let digest = Sha256::digest(address.key().as_bytes());
    let mut id = "adr_".to_owned();
    for byte in digest.iter().take(8) {
        // Writing to a string cannot fail.
        let _infallible = write!(id, "{byte:02x}");
    }
    id
}
