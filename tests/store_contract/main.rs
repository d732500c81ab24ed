//! What a store promises, as sentences that are true of every memory.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::assigning_clones,
    reason = "tests"
)]

mod attempts;
mod durability;
mod feed;
mod jobs;
mod letters;
mod lists;
mod moves;
mod random;
mod retention;
mod threads;
mod transactions;
mod world;

/// Runs every named check on both memories.
macro_rules! contract {
    ($($check:ident),* $(,)?) => {
        mod in_memory {
            $(#[test]
            fn $check() {
                super::$check(&mut crate::world::World::in_memory());
            })*
        }
        mod in_sqlite {
            $(#[test]
            fn $check() {
                super::$check(&mut crate::world::World::in_sqlite());
            })*
        }
    };
}
pub(crate) use contract;
