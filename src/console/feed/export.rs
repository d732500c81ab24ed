//! An export: page after page from the desk into one file, then onto the record.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::console::export::{Exported as Row, Lines};
use crate::console::task::{ExportOf, ExportOrder, Exported};
use crate::desk::act::{Act, Recorded};
use crate::desk::{Desk, DeskError};
use crate::domain::ids::IntentId;
use crate::domain::payload::Payload;
use crate::store::query::{Page, PageRequest};

/// Rows of one page.
const PAGE: u32 = 500;
/// Rows of one file; a filter makes them fewer.
const ROWS_MAX: u64 = 100_000;

/// Writes the file and puts it on record. The record comes first: what is not on record is not written.
pub(super) async fn export(desk: &dyn Desk, order: &ExportOrder) -> Result<Exported, DeskError> {
    let (lines, is_cut) = lines(desk, order).await?;
    let path = absolute(&order.path);
    let details = json!({
        "rows": lines.rows, "format": order.format.name(), "filter": order.filter,
        "marked": order.only.len(), "file": path.display().to_string(),
    });
    let act = Act::Record {
        action: Recorded::Export,
        target: order.of.name().to_owned(),
        reason: None,
        details: Payload::of(&details),
    };
    desk.act(act).await?;
    let rows = lines.rows;
    let shown = path.display().to_string();
    let written = tokio::task::spawn_blocking(move || write(&path, &lines.text)).await;
    match written {
        Ok(Ok(())) => Ok(Exported {
            rows,
            is_cut,
            shown,
        }),
        Ok(Err(error)) => Err(DeskError::Fault(format!("write {shown}: {error}"))),
        Err(error) => Err(DeskError::Fault(format!("write {shown}: {error}"))),
    }
}

/// For its owner alone, and never over a file that is there.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}

fn absolute(path: &str) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path))
}

/// The rows, and whether there are more than one file may have.
async fn lines(desk: &dyn Desk, order: &ExportOrder) -> Result<(Lines, bool), DeskError> {
    let mut lines = Lines::new(order.format);
    let mut cursor = None;
    loop {
        let page = PageRequest {
            limit: PAGE,
            cursor,
        };
        cursor = take(desk, order, page, &mut lines).await?;
        if cursor.is_none() {
            return Ok((lines, false));
        }
        if lines.rows >= ROWS_MAX {
            return Ok((lines, true));
        }
    }
}

/// One page of rows; where the next one starts.
async fn take(
    desk: &dyn Desk,
    order: &ExportOrder,
    page: PageRequest,
    lines: &mut Lines,
) -> Result<Option<String>, DeskError> {
    let only = &order.only;
    let wanted = |id: IntentId| only.is_empty() || only.contains(&id);
    Ok(match order.of.clone() {
        ExportOf::Intents(filter) => {
            let found = desk.intents(filter, page).await?;
            push(lines, found, |row| wanted(row.id))
        }
        ExportOf::Attempts(filter) => push(lines, desk.attempts(filter, page).await?, |_| true),
        ExportOf::Letters(filter) => {
            let found = desk.letters(filter, page).await?;
            push(lines, found, |row| wanted(row.intent))
        }
        ExportOf::Tasks(filter) => {
            let found = desk.tasks(filter, page).await?;
            push(lines, found, |row| wanted(row.intent))
        }
        ExportOf::Groups(filter) => push(lines, whole(desk.letter_groups(filter).await?), |_| true),
        ExportOf::Agents => push(lines, whole(desk.agents().await?), |_| true),
        ExportOf::Jobs => push(lines, desk.jobs(None, page).await?, |_| true),
        ExportOf::Audit(filter) => push(lines, desk.audit(filter, page).await?, |_| true),
    })
}

const fn whole<T>(items: Vec<T>) -> Page<T> {
    Page { items, next: None }
}

fn push<T: Row>(
    lines: &mut Lines,
    page: Page<T>,
    is_wanted: impl Fn(&T) -> bool,
) -> Option<String> {
    for row in page.items.iter().filter(|row| is_wanted(row)) {
        lines.push(row);
    }
    page.next
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_is_written_for_its_owner_alone_and_never_over_another() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("rows.csv");
        write(&path, "one\n").unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert!(write(&path, "two\n").is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\n");
    }
}
