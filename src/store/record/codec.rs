//! The forms of numbers, texts, options and lists, and the three tables that types are written with.

use std::sync::Arc;

use uuid::Uuid;

use crate::domain::address::Address;
use crate::domain::ids::{
    AccountId, AttemptId, HoldId, IntentId, JobId, KeyId, PolicyEntryId, SessionId, ThreadId,
};
use crate::domain::payload::Payload;
use crate::domain::time::{Span, Timestamp};

use super::Broken;

/// What is left of a record while it is read.
pub(super) struct Input<'record> {
    rest: &'record [u8],
}

impl<'record> Input<'record> {
    pub(super) const fn new(rest: &'record [u8]) -> Self {
        Self { rest }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    fn byte(&mut self) -> Result<u8, Broken> {
        let (first, rest) = self.rest.split_first().ok_or(Broken::Short)?;
        self.rest = rest;
        Ok(*first)
    }

    fn bytes(&mut self, count: usize) -> Result<&'record [u8], Broken> {
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or(Broken::Short)?;
        self.rest = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Broken> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(Broken::Short)?;
        self.rest = rest;
        Ok(*bytes)
    }

    fn text<T>(&mut self, make: impl FnOnce(&str) -> T) -> Result<T, Broken> {
        let head = u64::read(self)?;
        let Some(length) = head.checked_sub(1) else {
            let uuid = Uuid::from_bytes(self.array()?);
            return Ok(make(uuid.hyphenated().encode_lower(&mut [0; 36])));
        };
        let length = usize::try_from(length).map_err(|_ignored| Broken::Short)?;
        let text = std::str::from_utf8(self.bytes(length)?).map_err(|_ignored| Broken::Text)?;
        Ok(make(text))
    }
}

/// A value inside a record.
pub(super) trait Field: Sized {
    /// Appends it.
    fn put(&self, out: &mut Vec<u8>);

    /// Reads it back.
    fn read(input: &mut Input<'_>) -> Result<Self, Broken>;
}

impl Field for u64 {
    fn put(&self, out: &mut Vec<u8>) {
        let mut rest = *self;
        while rest >= 0x80 {
            let [low, ..] = rest.to_le_bytes();
            out.push(low | 0x80);
            rest >>= 7;
        }
        let [low, ..] = rest.to_le_bytes();
        out.push(low);
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Broken> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = input.byte()?;
            let bits = Self::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Broken::Number {
            what: "64-bit number",
            number: value,
        })
    }
}

impl Field for i64 {
    fn put(&self, out: &mut Vec<u8>) {
        ((self << 1) ^ (self >> 63)).cast_unsigned().put(out);
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Broken> {
        let zigzag = u64::read(input)?;
        Ok((zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed())
    }
}

/// Smaller numbers are written as large ones and checked when read.
macro_rules! small_numbers {
    ($($number:ty),*) => {$(
        impl Field for $number {
            fn put(&self, out: &mut Vec<u8>) {
                u64::from(*self).put(out);
            }

            fn read(input: &mut Input<'_>) -> Result<Self, Broken> {
                let number = u64::read(input)?;
                Self::try_from(number)
                    .map_err(|_ignored| Broken::Number { what: stringify!($number), number })
            }
        }
    )*};
}
small_numbers!(u16, u32);

impl Field for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Broken> {
        match input.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(Broken::Number {
                what: "truth value",
                number: other.into(),
            }),
        }
    }
}

fn put_text(text: &str, out: &mut Vec<u8>) {
    if let Some(uuid) = packed(text) {
        out.push(0);
        out.extend_from_slice(uuid.as_bytes());
    } else {
        (text.len() as u64 + 1).put(out);
        out.extend_from_slice(text.as_bytes());
    }
}

/// The UUID that prints exactly this text, if there is one.
fn packed(text: &str) -> Option<Uuid> {
    if text.len() != 36 {
        return None;
    }
    let uuid = Uuid::try_parse(text).ok()?;
    (uuid.hyphenated().encode_lower(&mut [0; 36]) == text).then_some(uuid)
}

impl Field for String {
    fn put(&self, out: &mut Vec<u8>) {
        put_text(self, out);
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Broken> {
        input.text(str::to_owned)
    }
}

impl Field for Address {
    fn put(&self, out: &mut Vec<u8>) {
        put_text(self.key(), out);
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Broken> {
        input.text(|key| Self::trusted(key))
    }
}

impl Field for Payload {
    fn put(&self, out: &mut Vec<u8>) {
        put_text(self.as_str(), out);
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Broken> {
        input.text(|text| Self::trusted(Arc::<str>::from(text)))
    }
}

impl Field for Timestamp {
    fn put(&self, out: &mut Vec<u8>) {
        self.as_millis().put(out);
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Broken> {
        i64::read(input).map(Self::from_millis)
    }
}

impl Field for Span {
    fn put(&self, out: &mut Vec<u8>) {
        self.as_millis().put(out);
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Broken> {
        i64::read(input).map(Self::from_millis)
    }
}

impl<const N: usize> Field for [u8; N] {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Broken> {
        input.array()
    }
}

impl<T: Field> Field for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Broken> {
        Ok(if bool::read(input)? {
            Some(T::read(input)?)
        } else {
            None
        })
    }
}

impl<T: Field> Field for Box<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.as_ref().put(out);
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Broken> {
        T::read(input).map(Self::new)
    }
}

impl<T: Field> Field for Arc<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.as_ref().put(out);
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Broken> {
        T::read(input).map(Self::new)
    }
}

impl<T: Field> Field for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        for item in self {
            item.put(out);
        }
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Broken> {
        // Nothing is reserved on the word of a count; every item takes at least a byte.
        let count = u64::read(input)?;
        let mut items = Self::new();
        for _ in 0..count {
            items.push(T::read(input)?);
        }
        Ok(items)
    }
}

impl<A: Field, B: Field> Field for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Broken> {
        Ok((A::read(input)?, B::read(input)?))
    }
}

/// Identifiers are what they wrap.
macro_rules! identifiers {
    ($($id:ident),*) => {$(
        impl Field for $id {
            fn put(&self, out: &mut Vec<u8>) {
                self.0.put(out);
            }

            fn read(input: &mut Input<'_>) -> Result<Self, Broken> {
                Field::read(input).map(Self)
            }
        }
    )*};
}
identifiers!(
    AccountId,
    AttemptId,
    HoldId,
    IntentId,
    JobId,
    KeyId,
    PolicyEntryId,
    SessionId,
    ThreadId
);

impl Field for Uuid {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Broken> {
        input.array().map(Self::from_bytes)
    }
}

/// A struct is its fields in this order. The order never changes; new fields come with a new version.
macro_rules! fields {
    ($type:ident { $($field:ident),* $(,)? }) => {
        impl Field for $type {
            fn put(&self, out: &mut Vec<u8>) {
                let Self { $($field),* } = self;
                $($field.put(out);)*
            }

            fn read(input: &mut Input<'_>) -> Result<Self, Broken> {
                $(let $field = Field::read(input)?;)*
                Ok(Self { $($field),* })
            }
        }
    };
}

/// An enum is the number of its variant, then the variant's fields in this order.
macro_rules! variants {
    ($type:ident, $what:literal {
        $($number:literal => $variant:ident $(($inner:ident))? $({ $($field:ident),* $(,)? })?),* $(,)?
    }) => {
        impl Field for $type {
            fn put(&self, out: &mut Vec<u8>) {
                match self {
                    $(Self::$variant $(($inner))? $({ $($field),* })? => {
                        out.push($number);
                        $($inner.put(out);)?
                        $($($field.put(out);)*)?
                    })*
                }
            }

            fn read(input: &mut Input<'_>) -> Result<Self, Broken> {
                match u64::read(input)? {
                    $($number => {
                        $(let $inner = Field::read(input)?;)?
                        $($(let $field = Field::read(input)?;)*)?
                        Ok(Self::$variant $(($inner))? $({ $($field),* })?)
                    })*
                    number => Err(Broken::Number { what: $what, number }),
                }
            }
        }
    };
}

pub(super) use {fields, variants};
