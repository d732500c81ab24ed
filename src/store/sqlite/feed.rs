//! Reading the feed, and the chain of one intent's facts in it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use rusqlite::{Connection, OptionalExtension as _, ToSql, params};

use crate::domain::address::Address;
use crate::domain::fact::{Fact, FeedEntry, FeedItem, Notice};
use crate::domain::ids::{Cursor, IntentId};
use crate::domain::status::Status;
use crate::store::error::StoreError;
use crate::store::matching::{self, FEED_EXAMINED_MAX};
use crate::store::query::FeedFilter;
use crate::store::record::{self, Record as _};

use super::failure::Named as _;
use super::{columns, removal, rows};

/// The position of the last item.
pub(super) fn head(file: &Connection) -> Result<Cursor, StoreError> {
    let last: Option<i64> = file
        .prepare_cached("SELECT max(cursor) FROM feed")
        .named("read head")?
        .query_row([], |row| row.get(0))
        .named("read head")?;
    let floor = removal::number(file, removal::FLOOR)?;
    Ok(Cursor(columns::unsigned(last.unwrap_or(0).max(floor))))
}

/// The first position from which on nothing is missing.
pub(super) fn oldest(file: &Connection) -> Result<Cursor, StoreError> {
    let floor = removal::number(file, removal::FLOOR)?;
    Ok(Cursor(columns::unsigned(floor).saturating_add(1)))
}

/// One fact of a chain.
struct Link {
    cursor: i64,
    status: i64,
    fact: Fact,
}

/// The chain of an intent's facts from the last back to the first, while `is_wanted` says so.
fn chain(
    file: &Connection,
    id: IntentId,
    mut is_wanted: impl FnMut(i64, &Fact) -> bool,
) -> Result<Vec<Link>, StoreError> {
    let last: Option<i64> = file
        .prepare_cached("SELECT last_fact FROM intents WHERE id = ?1")
        .named("read facts")?
        .query_row(params![id.0.as_bytes()], |row| row.get(0))
        .optional()
        .named("read facts")?;
    let mut statement = file
        .prepare_cached("SELECT previous, status, record FROM feed WHERE cursor = ?1")
        .named("read facts")?;
    let mut links = Vec::new();
    let mut cursor = last.unwrap_or(0);
    while cursor != 0 {
        let (previous, status, bytes): (i64, i64, Vec<u8>) = statement
            .query_row(params![cursor], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .named("read facts")?;
        let fact = fact(id, cursor, &bytes)?;
        if previous >= cursor {
            return Err(StoreError::Corrupt {
                what: format!("fact {cursor}"),
                reason: "its chain goes forward".to_owned(),
            });
        }
        if !is_wanted(cursor, &fact) {
            break;
        }
        links.push(Link {
            cursor,
            status,
            fact,
        });
        cursor = previous;
    }
    links.reverse();
    Ok(links)
}

fn fact(id: IntentId, cursor: i64, bytes: &[u8]) -> Result<Fact, StoreError> {
    record::decode_fact(id, bytes).map_err(|broken| broken.of(format!("fact {cursor} of {id}")))
}

/// The fact at a position of the feed, which is one of this intent.
pub(super) fn fact_at(
    file: &Connection,
    id: IntentId,
    cursor: i64,
) -> Result<Option<Fact>, StoreError> {
    let bytes: Option<Vec<u8>> = file
        .prepare_cached("SELECT record FROM feed WHERE cursor = ?1")
        .named("read fact")?
        .query_row(params![cursor], |row| row.get(0))
        .optional()
        .named("read fact")?;
    bytes.map(|bytes| fact(id, cursor, &bytes)).transpose()
}

/// An intent's facts with `seq` above `after`, in order.
pub(super) fn facts(file: &Connection, id: IntentId, after: u32) -> Result<Vec<Fact>, StoreError> {
    let links = chain(file, id, |_cursor, fact| fact.seq > after)?;
    Ok(links.into_iter().map(|link| link.fact).collect())
}

/// Items after a cursor, and the last position that was examined.
pub(super) fn page(
    file: &Connection,
    filter: &FeedFilter,
    limit: u32,
) -> Result<(Vec<FeedItem>, Cursor), StoreError> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    match filter.intent {
        Some(id) => of_intent(file, filter, id, limit),
        None => of_all(file, filter, limit),
    }
}

fn of_intent(
    file: &Connection,
    filter: &FeedFilter,
    id: IntentId,
    limit: usize,
) -> Result<(Vec<FeedItem>, Cursor), StoreError> {
    let since = signed(filter.since);
    let links = chain(file, id, |cursor, _fact| cursor > since)?;
    let mut items = Vec::new();
    if let Some(receivers) = receivers(file, "id", id.0.as_bytes())? {
        for link in links {
            let entry = FeedEntry::Intent {
                fact: link.fact,
                agent: receivers.at(link.cursor).clone(),
                status: status(link.cursor, link.status)?,
            };
            let cursor = Cursor(columns::unsigned(link.cursor));
            if matching::feed_matches(filter, &entry) {
                items.push(FeedItem { cursor, entry });
            }
        }
    }
    // Everything was examined, unless the page is full.
    let examined = match items.get(limit.saturating_sub(1)) {
        _ if limit == 0 => filter.since,
        Some(last) => last.cursor,
        None => head(file)?.max(filter.since),
    };
    items.truncate(limit);
    Ok((items, examined))
}

/// The column's form. No cursor is past the last one it can hold, so nothing comes after that.
fn signed(cursor: Cursor) -> i64 {
    i64::try_from(cursor.0).unwrap_or(i64::MAX)
}

fn of_all(
    file: &Connection,
    filter: &FeedFilter,
    limit: usize,
) -> Result<(Vec<FeedItem>, Cursor), StoreError> {
    let mut statement = file
        .prepare_cached(
            "SELECT cursor, local, status, record FROM feed
             WHERE cursor > ?1 ORDER BY cursor LIMIT ?2",
        )
        .named("read feed")?;
    let mut rows = statement
        .query(params![signed(filter.since), i64::from(FEED_EXAMINED_MAX)])
        .named("read feed")?;
    let mut known: HashMap<i64, Receivers> = HashMap::new();
    let mut items = Vec::new();
    let mut examined = filter.since;
    while items.len() < limit {
        let Some(row) = rows.next().named("read feed")? else {
            break;
        };
        let number: i64 = row.get(0).named("read feed")?;
        let local: i64 = row.get(1).named("read feed")?;
        let bytes = row
            .get_ref(3)
            .and_then(|value| Ok(value.as_blob()?))
            .named("read feed")?;
        let cursor = Cursor(columns::unsigned(number));
        examined = cursor;
        let entry = if local == 0 {
            let notice = Notice::decode(bytes);
            FeedEntry::Notice(notice.map_err(|broken| broken.of(format!("notice {number}")))?)
        } else {
            let receivers = match known.entry(local) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => {
                    let found = receivers(file, "local", local)?;
                    place.insert(found.ok_or_else(|| StoreError::Corrupt {
                        what: format!("fact {number}"),
                        reason: "its intent is missing".to_owned(),
                    })?)
                }
            };
            let agent = receivers.at(number);
            if filter.agent.as_ref().is_some_and(|wanted| wanted != agent) {
                continue;
            }
            FeedEntry::Intent {
                fact: fact(receivers.id, number, bytes)?,
                agent: agent.clone(),
                status: status(number, row.get(2).named("read feed")?)?,
            }
        };
        if matching::feed_matches(filter, &entry) {
            items.push(FeedItem { cursor, entry });
        }
    }
    Ok((items, examined))
}

fn status(cursor: i64, number: i64) -> Result<Status, StoreError> {
    columns::status_of(number).ok_or_else(|| StoreError::Corrupt {
        what: format!("fact {cursor}"),
        reason: format!("{number} is no status"),
    })
}

/// The receivers of one intent.
struct Receivers {
    id: IntentId,
    first: Address,
    /// Those that it was moved to, each with the fact that moved it, in order.
    moves: Vec<(i64, Address)>,
}

impl Receivers {
    /// Who had it after this fact.
    fn at(&self, cursor: i64) -> &Address {
        let moves = self.moves.iter().rev();
        moves
            .skip_while(|(moved_at, _)| *moved_at > cursor)
            .map(|(_, to)| to)
            .next()
            .unwrap_or(&self.first)
    }
}

/// The receivers of the intent of which a column has this value.
fn receivers(
    file: &Connection,
    column: &'static str,
    value: impl ToSql,
) -> Result<Option<Receivers>, StoreError> {
    let intent = file
        .prepare_cached(&format!(
            "SELECT id, state FROM intents WHERE {column} = ?1"
        ))
        .named("read receiver")?
        .query_row(params![value], |row| Ok(rows::intent(row)))
        .optional()
        .named("read receiver")?;
    let Some(intent) = intent.transpose()? else {
        return Ok(None);
    };
    let mut moves = Vec::new();
    if intent.first_to.is_some() {
        for link in chain(file, intent.id, |_cursor, _fact| true)? {
            moves.extend(link.fact.body.moves_to().map(|to| (link.cursor, to)));
        }
    }
    Ok(Some(Receivers {
        id: intent.id,
        first: intent.first_receiver().clone(),
        moves,
    }))
}
