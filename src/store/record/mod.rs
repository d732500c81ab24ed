//! The only serialised form on disk: compact, ours, and read back exactly.
//!
//! 1. A record begins with its version and ends with a sum over all before it, so that a byte which the
//!    medium has changed is never taken for what was written. A newer program reads every version that was ever released;
//!    golden bytes of each are in the tests.
//! 2. Writing takes every type apart completely, so that a new field cannot be forgotten.
//! 3. Variants have explicit numbers, which never change their meaning.
//! 4. Reading never panics and never reserves more than the record is long: any bytes give a value or a
//!    [`Broken`].
//!
//! Forms: numbers are LEB128 (signed ones in zigzag), texts have their length before them (a lower-case
//! UUID is packed), an absent value is a zero byte. An intent's id and a fact's intent are not in the
//! record; they are columns beside it.
//!
//! Not here: where records lie (`sqlite/schema.rs`). Tested by round trips of arbitrary values, by golden
//! bytes and by arbitrary bytes (`tests.rs`).

mod codec;
mod facts;
mod jobs;
mod mesh;
mod others;
mod runs;
pub(super) mod seal;
mod states;
#[cfg(test)]
mod tests;

use crate::domain::agent::Agent;
use crate::domain::endpoint::Endpoint;
use crate::domain::fact::{Actor, Fact, FactBody, Notice};
use crate::domain::ids::IntentId;
use crate::domain::intent::Intent;
use crate::domain::job::{Job, JobItem};
use crate::domain::key::Key;
use crate::domain::mesh::Beats;
use crate::domain::schema::Schema;
use crate::domain::subscription::Subscription;
use crate::store::error::StoreError;
use crate::store::query::AuditEntry;

use self::codec::{Field, Input};

/// The version that is written.
const VERSION: u8 = 1;

/// Why bytes are no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Broken {
    #[error("record version {0} is unknown")]
    Version(u8),
    #[error("record is not what was written: its sum differs")]
    Changed,
    #[error("record ends early")]
    Short,
    #[error("record goes on after its end")]
    Long,
    #[error("{number} is no {what}")]
    Number { what: &'static str, number: u64 },
    #[error("text is not UTF-8")]
    Text,
}

impl Broken {
    /// The error of the store, naming the record.
    pub(super) fn of(self, what: impl Into<String>) -> StoreError {
        StoreError::Corrupt {
            what: what.into(),
            reason: self.to_string(),
        }
    }
}

/// A kind of record that is complete in itself.
pub(super) trait Record: Sized {
    /// Replaces the content of `out` with the record.
    fn encode_into(&self, out: &mut Vec<u8>);

    /// Reads it back.
    ///
    /// # Errors
    /// [`Broken`] says what is wrong with the bytes.
    fn decode(bytes: &[u8]) -> Result<Self, Broken>;

    /// The record in bytes of its own.
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode_into(&mut out);
        out
    }
}

/// The records that stand for themselves.
trait Whole: Field {}
impl Whole for Notice {}
impl Whole for Agent {}
impl Whole for Key {}
impl Whole for AuditEntry {}
impl Whole for Endpoint {}
impl Whole for Schema {}
impl Whole for Subscription {}
impl Whole for Beats {}
impl Whole for Job {}
impl Whole for JobItem {}

impl<T: Whole> Record for T {
    fn encode_into(&self, out: &mut Vec<u8>) {
        sealed(out, |out| self.put(out));
    }

    fn decode(bytes: &[u8]) -> Result<Self, Broken> {
        whole(bytes, Field::read)
    }
}

/// Replaces the content of `out` with the state of an intent, without its id.
pub(super) fn encode_intent(intent: &Intent, out: &mut Vec<u8>) {
    sealed(out, |out| states::put_intent(intent, out));
}

/// The intent of this id whose state was encoded.
///
/// # Errors
/// [`Broken`] says what is wrong with the bytes.
pub(super) fn decode_intent(id: IntentId, bytes: &[u8]) -> Result<Intent, Broken> {
    whole(bytes, |input| states::take_intent(id, input))
}

/// Replaces the content of `out` with a fact, without its intent.
pub(super) fn encode_fact(fact: &Fact, out: &mut Vec<u8>) {
    let Fact {
        intent: _,
        seq,
        event,
        at,
        actor,
        body,
    } = fact;
    sealed(out, |out| {
        body.put(out);
        seq.put(out);
        event.put(out);
        at.put(out);
        actor.put(out);
    });
}

/// The fact of this intent that was encoded.
///
/// # Errors
/// [`Broken`] says what is wrong with the bytes.
pub(super) fn decode_fact(intent: IntentId, bytes: &[u8]) -> Result<Fact, Broken> {
    whole(bytes, |input| {
        let body = FactBody::read(input)?;
        Ok(Fact {
            intent,
            seq: u32::read(input)?,
            event: Field::read(input)?,
            at: Field::read(input)?,
            actor: Actor::read(input)?,
            body,
        })
    })
}

fn sealed(out: &mut Vec<u8>, put: impl FnOnce(&mut Vec<u8>)) {
    out.clear();
    out.push(VERSION);
    put(out);
    out.extend(seal::short_sum(out));
}

fn whole<T>(
    bytes: &[u8],
    take: impl FnOnce(&mut Input<'_>) -> Result<T, Broken>,
) -> Result<T, Broken> {
    let version = bytes.first().ok_or(Broken::Short)?;
    if *version != VERSION {
        return Err(Broken::Version(*version));
    }
    let (all, sum) = bytes.split_last_chunk().ok_or(Broken::Short)?;
    if seal::short_sum(all) != *sum {
        return Err(Broken::Changed);
    }
    let mut input = Input::new(all.get(1..).ok_or(Broken::Short)?);
    let value = take(&mut input)?;
    if input.is_empty() {
        Ok(value)
    } else {
        Err(Broken::Long)
    }
}
