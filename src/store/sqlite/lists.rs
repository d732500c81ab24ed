//! Pages of intents: which index leads, and what is checked on the way.
//!
//! Everything given must hold, so one condition leads over an index that has the order of the page, and the
//! rest is checked row by row. Ends of ids, correlation ids and origins are searched first and checked whole
//! afterwards, since few intents share one.

use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};

use crate::domain::address::Address;
use crate::domain::time::Timestamp;
use crate::store::error::StoreError;
use crate::store::matching;
use crate::store::query::IntentFilter;

use super::columns::{self, HEADLESS, Place};
use super::failure::Named as _;
use super::flush::{SPAN_ATTEMPTS, SPAN_INTENTS};
use super::schema::SHELF_BITS;
use super::{names, rows};

/// Most intents that a search for a part of an id looks at, newest first. Whoever finds more must type more.
const FOUND_MAX: u32 = 20_000;

/// Up to so many intents in the wanted places, those places lead.
const FEW: i64 = 20_000;

/// The places that have intents and are wanted, with how many they have.
pub(super) fn places(
    connection: &Connection,
    is_wanted: impl Fn(&Place) -> bool,
) -> Result<Vec<(Place, i64)>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT key, count FROM tally WHERE kind = ?1 AND count > 0")
        .named("read places")?;
    let found = statement
        .query_map(params![columns::TALLY_PLACES], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .and_then(Iterator::collect::<rusqlite::Result<Vec<(i64, i64)>>>)
        .named("read places")?;
    Ok(found
        .into_iter()
        .filter_map(|(number, count)| Some((Place::of(number)?, count)))
        .filter(|(place, _)| is_wanted(place))
        .collect())
}

/// The numbers between which everything lies that began in these times: from, to (exclusive).
pub(super) fn span(
    connection: &Connection,
    kind: i64,
    since: Option<i64>,
    until: Option<i64>,
) -> Result<(i64, i64), StoreError> {
    if since.is_none() && until.is_none() {
        return Ok((0, i64::MAX));
    }
    let (first, last): (Option<i64>, Option<i64>) = connection
        .prepare_cached(
            "SELECT min(shelf), max(shelf) FROM spans
             WHERE kind = ?1 AND last_at >= ?2 AND first_at < ?3",
        )
        .named("read spans")?
        .query_row(
            params![kind, since.unwrap_or(i64::MIN), until.unwrap_or(i64::MAX)],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .named("read spans")?;
    Ok(match (first, last) {
        (Some(first), Some(last)) => (first << SHELF_BITS, (last + 1) << SHELF_BITS),
        _ => (0, 0),
    })
}

/// The span of attempts that started at or after an instant.
pub(super) fn attempts_since(
    connection: &Connection,
    since: Option<i64>,
) -> Result<i64, StoreError> {
    Ok(span(connection, SPAN_ATTEMPTS, since, None)?.0)
}

/// SQL conditions and the values of their numbered parameters.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
}

impl Conditions {
    /// The parameter for a value.
    pub(super) fn parameter(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("?{}", self.values.len())
    }

    /// One more condition: column, operator, value.
    pub(super) fn and(&mut self, left: &str, value: impl Into<Value>) {
        let parameter = self.parameter(value);
        self.and_sql(&format!("{left} {parameter}"));
    }

    pub(super) fn and_sql(&mut self, condition: &str) {
        self.sql.push_str(" AND ");
        self.sql.push_str(condition);
    }

    /// An intent type, or the beginning of one.
    pub(super) fn and_type(
        &mut self,
        connection: &Connection,
        pattern: &str,
    ) -> Result<bool, StoreError> {
        match pattern.strip_suffix('*') {
            Some("") => {}
            Some(prefix) => {
                let first = self.parameter(prefix.to_owned());
                let last = self.parameter(format!("{prefix}\u{10ffff}"));
                self.and_sql(&format!(
                    "type IN (SELECT id FROM names WHERE text >= {first} AND text < {last})"
                ));
            }
            None => match names::find(connection, pattern)? {
                Some(number) => self.and("type =", number),
                None => return Ok(false),
            },
        }
        Ok(true)
    }

    /// The first column of everything that a statement with these parameters gives.
    pub(super) fn column(
        &self,
        connection: &Connection,
        sql: &str,
    ) -> Result<Vec<i64>, StoreError> {
        rows::column(connection, sql, params_from_iter(&self.values))
    }
}

/// Where a page of intents comes from.
pub(super) enum Found {
    /// Exactly these, newest first, with one more than the page holds if there is one.
    Exactly(Vec<i64>),
    /// Among these, newest first; each is still to be checked.
    Among(Vec<i64>),
}

/// The local numbers below `end` of the intents that a filter lets through.
pub(super) fn intents(
    connection: &Connection,
    filter: &IntentFilter,
    end: i64,
    limit: u32,
) -> Result<Found, StoreError> {
    let (first, last) = span(
        connection,
        SPAN_INTENTS,
        filter.since.map(Timestamp::as_millis),
        filter.until.map(Timestamp::as_millis),
    )?;
    let range = (first, last.min(end));
    if let Some(mut found) = search(connection, filter)? {
        found.retain(|local| (range.0..range.1).contains(local));
        found.sort_unstable_by(|a, b| b.cmp(a));
        found.dedup();
        return Ok(Found::Among(found));
    }
    led(connection, filter, range, limit).map(Found::Exactly)
}

/// The intents that share what is nearly unique, when the filter names such a thing.
fn search(connection: &Connection, filter: &IntentFilter) -> Result<Option<Vec<i64>>, StoreError> {
    let text = filter
        .text
        .as_deref()
        .map(matching::needle)
        .filter(|needle| !needle.is_empty());
    if let Some(origin) = filter.origin {
        let sql = "SELECT local FROM intents WHERE origin = ?1
                   UNION ALL SELECT local FROM intents WHERE id = ?1";
        return rows::column(connection, sql, params![origin.0.as_bytes()]).map(Some);
    }
    if let Some(correlation) = &filter.correlation_id {
        let head = columns::head(correlation);
        return on_shelves(connection, BY_HEAD, &[(head, head)]).map(Some);
    }
    let Some(needle) = text else {
        return Ok(None);
    };
    let mut heads = vec![(HEADLESS, HEADLESS)];
    heads.extend(columns::head_range(&needle));
    let mut found = on_shelves(connection, BY_HEAD, &heads)?;
    if let Some(tail) = columns::tail_range(&needle) {
        found.append(&mut on_shelves(connection, BY_TAIL, &[tail])?);
    }
    if let Some((first, last)) = columns::id_range(&needle) {
        found.append(&mut rows::column(
            connection,
            "SELECT local FROM intents INDEXED BY intents_by_id
             WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT ?3",
            params![first, last, FOUND_MAX],
        )?);
    }
    Ok(Some(found))
}

const BY_HEAD: &str = "SELECT local FROM intents INDEXED BY intents_by_head
     WHERE local >> 12 = ?1 AND head BETWEEN ?2 AND ?3";
const BY_TAIL: &str = "SELECT local FROM intents INDEXED BY intents_by_tail
     WHERE local >> 12 = ?1 AND tail BETWEEN ?2 AND ?3";

/// What lies in these ranges on any shelf, from the newest shelf on until enough is found.
fn on_shelves(
    connection: &Connection,
    sql: &str,
    ranges: &[(i64, i64)],
) -> Result<Vec<i64>, StoreError> {
    let newest: Option<i64> = connection
        .query_row("SELECT max(local) FROM intents", [], |row| row.get(0))
        .named("search intents")?;
    let mut statement = connection.prepare_cached(sql).named("search intents")?;
    let mut found = Vec::new();
    for shelf in (0..=newest.unwrap_or(0) >> SHELF_BITS).rev() {
        for (first, last) in ranges {
            let mut rows = statement
                .query(params![shelf, first, last])
                .named("search intents")?;
            while let Some(row) = rows.next().named("search intents")? {
                found.push(row.get(0).named("search intents")?);
            }
        }
        if found.len() >= usize::try_from(FOUND_MAX).unwrap_or(usize::MAX) {
            break;
        }
    }
    Ok(found)
}

/// The intents in a range of numbers, newest first, one more than the page holds if there is one.
fn led(
    connection: &Connection,
    filter: &IntentFilter,
    (first, end): (i64, i64),
    limit: u32,
) -> Result<Vec<i64>, StoreError> {
    let mut all = Conditions::default();
    all.and("local >=", first);
    all.and("local <", end);
    let limit = all.parameter(i64::from(limit.max(1)) + 1);
    let mut leads: Vec<(&str, String)> = Vec::new();

    let is_placed =
        filter.is_unfinished || !filter.statuses.is_empty() || !filter.states.is_empty();
    let places = if is_placed {
        places(connection, |place| is_wanted(filter, place))?
    } else {
        Vec::new()
    };
    let in_places: i64 = places.iter().map(|(_, count)| count).sum();
    if is_placed {
        if places.is_empty() {
            return Ok(Vec::new());
        }
        for (place, _) in &places {
            let number = all.parameter(place.number);
            leads.push(("intents_by_place", format!("place = {number}")));
        }
        let is_any: Vec<&str> = leads.iter().map(|(_, lead)| lead.as_str()).collect();
        let is_any = format!("({})", is_any.join(" OR "));
        all.and_sql(&is_any);
    }
    let Some(parties) = parties(connection, filter, &mut all)? else {
        return Ok(Vec::new());
    };
    if !parties.is_empty() && (leads.is_empty() || in_places > FEW) {
        leads = parties;
    }
    if let Some(pattern) = &filter.intent_type
        && !all.and_type(connection, pattern)?
    {
        return Ok(Vec::new());
    }
    if let Some(since) = filter.since {
        all.and("created_at >=", since.as_millis());
    }
    if let Some(until) = filter.until {
        all.and("created_at <", until.as_millis());
    }
    if leads.is_empty() {
        leads.push(("", "1".to_owned()));
    }
    all.column(connection, &union(&leads, &all.sql, &limit))
}

/// The newest of each index, then the newest of those.
fn union(leads: &[(&str, String)], conditions: &str, limit: &str) -> String {
    let parts: Vec<String> = leads
        .iter()
        .map(|(index, lead)| {
            let by = match *index {
                "" => "NOT INDEXED".to_owned(),
                index => format!("INDEXED BY {index}"),
            };
            format!(
                "SELECT local FROM (SELECT local FROM intents {by}
                 WHERE {lead}{conditions} ORDER BY local DESC LIMIT {limit})"
            )
        })
        .collect();
    let parts = parts.join(" UNION ");
    format!("{parts} ORDER BY local DESC LIMIT {limit}")
}

fn is_wanted(filter: &IntentFilter, place: &Place) -> bool {
    (filter.statuses.is_empty() || filter.statuses.contains(&place.status))
        && (filter.states.is_empty() || filter.states.contains(&place.state))
        && !(filter.is_unfinished && place.status.is_terminal())
}

/// Adds the conditions on who an intent is from and to. Answers with the best index for them, as pairs of
/// index and condition of which any may hold; `None` when one of them has no intents at all.
fn parties(
    connection: &Connection,
    filter: &IntentFilter,
    all: &mut Conditions,
) -> Result<Option<Vec<(&'static str, String)>>, StoreError> {
    let number = |address: &Option<Address>| match address {
        None => Ok(Some(None)),
        Some(address) => names::find(connection, address.key()).map(|found| found.map(Some)),
    };
    let (Some(to), Some(from), Some(party)) = (
        number(&filter.to)?,
        number(&filter.from)?,
        number(&filter.party)?,
    ) else {
        return Ok(None);
    };
    let mut leads = Vec::new();
    if let Some(party) = party {
        let party = all.parameter(party);
        leads = vec![
            ("intents_by_receiver", format!("receiver = {party}")),
            ("intents_by_sender", format!("sender = {party}")),
            ("intents_by_reply", format!("reply = {party}")),
        ];
        all.and_sql(&format!(
            "(receiver = {party} OR sender = {party} OR reply = {party})"
        ));
    }
    for (index, column, party) in [
        ("intents_by_sender", "sender", from),
        ("intents_by_receiver", "receiver", to),
    ] {
        if let Some(party) = party {
            let lead = format!("{column} = {}", all.parameter(party));
            all.and_sql(&lead);
            leads = vec![(index, lead)];
        }
    }
    Ok(Some(leads))
}
