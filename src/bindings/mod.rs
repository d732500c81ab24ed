//! The ways an intent reaches somebody: what happens between a committed attempt and its outcome.
//!
//! 1. A binding acts only on an attempt that is committed; what it learns goes back as a command.
//! 2. Nothing here decides about retries, budgets or states: it says what it saw.
//! 3. A push connects only to an address that [`guard`] passed, and to that very address.
//! 4. Bytes of a receiver are read up to a limit and inside a deadline, and are redacted before
//!    anybody keeps them.
//! 5. Only [`http`] names the HTTP client, and only [`mail`] the mail library.
//!
//! Not here: the engine's rules, the store, the routes that pulling receivers call (`api`).
//! Tested by unit tests beside the rules and by `http/tests.rs` over real sockets.

pub mod guard;
pub mod http;
pub mod mail;
mod ranges;
pub mod signature;
