//! Registered schemas: what the payload of a type of intent must look like.

use crate::domain::address::Address;
use crate::domain::payload::Payload;
use crate::domain::time::Timestamp;

/// A schema as it is registered, under the type of intent it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// The type of intent, such as `intent.order.process.v1`.
    pub semantic_type: String,
    /// Where its owner keeps it; only shown.
    pub reference: Option<String>,
    /// SHA-256 of its canonical form, in hexadecimal.
    pub hash: String,
    /// The JSON Schema itself, an object.
    pub json: Payload,
    /// What a payload that does not fit comes to.
    pub mode: SchemaMode,
    /// Whose it is; only shown.
    pub scope: SchemaScope,
    /// Who registered it last.
    pub owner: Address,
    /// Whether payloads are held against it.
    pub is_active: bool,
    /// When the type was registered first.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// What a payload that does not fit comes to, and which changes are let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaMode {
    /// It is refused.
    Strict,
    /// It is refused, and so is a change that requires more than before.
    Backward,
    /// It is taken, with a warning.
    Warn,
}

impl SchemaMode {
    /// Every mode.
    pub const ALL: [Self; 3] = [Self::Strict, Self::Backward, Self::Warn];

    /// Its name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Backward => "backward",
            Self::Warn => "warn",
        }
    }

    /// The mode of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }
}

/// Whose a schema is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaScope {
    /// The organisation's.
    Tenant,
    /// The protocol's.
    Core,
}

impl SchemaScope {
    /// Every scope.
    pub const ALL: [Self; 2] = [Self::Tenant, Self::Core];

    /// Its name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Core => "core",
        }
    }

    /// The scope of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }
}
