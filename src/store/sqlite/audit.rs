//! Pages of the audit log: newest first, sifted row by row.

use rusqlite::{Connection, params};

use crate::domain::ids::AuditId;
use crate::store::cursor::{self, List};
use crate::store::error::StoreError;
use crate::store::matching::{self, AUDIT_EXAMINED_MAX};
use crate::store::query::{AuditEntry, AuditFilter, Audited, Page, PageRequest};
use crate::store::record::Record as _;

use super::columns;
use super::failure::Named as _;

/// The page that a request asks for.
pub(super) fn page(
    file: &Connection,
    filter: &AuditFilter,
    request: &PageRequest,
) -> Result<Page<Audited>, StoreError> {
    let end = cursor::decode(List::Audit, request)?.map_or(i64::MAX, |[id]| id);
    let mut statement = file
        .prepare_cached("SELECT id, record FROM audit WHERE id < ?1 ORDER BY id DESC LIMIT ?2")
        .named("read audit")?;
    let rows = statement
        .query_map(params![end, AUDIT_EXAMINED_MAX.saturating_add(1)], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
        })
        .named("read audit")?
        .map(|row| {
            let (id, bytes) = row.named("read audit")?;
            let entry = AuditEntry::decode(&bytes).map_err(|broken| broken.of("audit entry"))?;
            let id_of_entry = AuditId(columns::unsigned(id));
            Ok((
                id,
                Audited {
                    id: id_of_entry,
                    entry,
                },
            ))
        });
    cursor::sifted(List::Audit, request, AUDIT_EXAMINED_MAX, rows, |audited| {
        matching::audit_matches(filter, &audited.entry)
    })
}
