//! The binding `http`: one signed POST for each attempt, and what came of it.
//!
//! 1. One call of [`Pusher::post`] is at most one request: no redirect is followed, nothing is
//!    repeated, no proxy of the environment is asked.
//! 2. The connection goes to an address that the guard passed after resolution.
//! 3. Everything ends within one deadline, the answer's body included, and no more of the body is
//!    held than the configured limit.
//! 4. What is reported is capped and redacted.
//! 5. Every call holds the place that its attempt was started with, from the hand-over to its end.
//!
//! Not here: when to try again (`engine`), what an endpoint can take (`broker/push`).
//! Tested beside the rules, in `tests.rs` against receivers that misbehave on real
//! sockets, and in `tests/push.rs` from the accepted intent to its outcome.

mod answer;
mod call;
mod dispatcher;
mod excerpt;
mod fault;
#[cfg(test)]
mod fixture;
mod message;
mod probe;
mod pusher;
mod redact;
pub mod resolver;
#[cfg(test)]
mod tests;
mod trust;

pub use self::answer::{Answer, classify};
pub use self::dispatcher::{DispatcherConfig, start};
pub use self::message::Push;
pub use self::pusher::{PushResult, Pusher, PusherConfig, PusherError};
pub use self::redact::Redactor;
pub use self::trust::TrustFiles;

/// Makes ring the process's TLS provider. Call it first thing in `main`; a second call is harmless.
pub fn install_crypto_provider() {
    // An error says that some provider is installed already, which is all we want.
    let _installed_before = rustls::crypto::ring::default_provider().install_default();
}
