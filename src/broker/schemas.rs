//! Registering schemas. The compiled form travels with the command and is part of the registry's snapshot.

use std::sync::Arc;

use serde_json::json;

use crate::broker::admin::tell;
use crate::broker::batch::Batch;
use crate::broker::registry::Registered;
use crate::broker::request::{AdminReceipt, AdminRefusal, AuditNote, BrokerError};
use crate::domain::schema::{Schema, SchemaMode};
use crate::engine::schema::newly_required;
use crate::store::Write;

/// Registers a schema, or replaces the one of its type. The same again changes nothing.
pub(super) fn put(
    batch: &mut Batch<'_>,
    new: &Registered,
    note: &AuditNote,
) -> Result<AdminReceipt, BrokerError> {
    let semantic_type = &new.schema.semantic_type;
    let known = batch.registry().schema(semantic_type).cloned();
    if let Some(known) = &known {
        if is_same(&known.schema, &new.schema) {
            return Ok(receipt(Arc::clone(known), true));
        }
        let names = newly_required(&known.schema.json, &new.schema.json);
        if new.schema.mode == SchemaMode::Backward && known.schema.is_active && !names.is_empty() {
            let semantic_type = semantic_type.clone();
            let refusal = AdminRefusal::SchemaIncompatible {
                semantic_type,
                names,
            };
            return Err(refusal.into());
        }
    }
    let created_at = known.map_or(batch.now, |known| known.schema.created_at);
    let registered = Arc::new(Registered {
        schema: Schema {
            created_at,
            updated_at: batch.now,
            ..new.schema.clone()
        },
        checker: Arc::clone(&new.checker),
    });
    let schema = &registered.schema;
    batch.txn.put(Write::Schema(Box::new(schema.clone())))?;
    batch.registry_mut().put_schema(Arc::clone(&registered));
    let data = json!({
        "semantic_type": schema.semantic_type, "schema_hash": schema.hash,
        "compatibility_mode": schema.mode.name(), "active": schema.is_active,
    });
    tell(batch, "schema.upserted", None, &data, note)?;
    Ok(receipt(registered, false))
}

/// True when but for its instants nothing differs.
fn is_same(known: &Schema, new: &Schema) -> bool {
    let new = Schema {
        created_at: known.created_at,
        updated_at: known.updated_at,
        ..new.clone()
    };
    *known == new
}

fn receipt(schema: Arc<Registered>, is_repeat: bool) -> AdminReceipt {
    AdminReceipt {
        schema: Some(schema),
        is_repeat,
        ..AdminReceipt::default()
    }
}
