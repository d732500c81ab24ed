//! Pages of intents: which index leads, and what is checked on the way.
//!
//! Everything given must hold, so one condition leads over an index that has the order of the page, and the
//! rest is checked row by row. Ends of ids, correlation ids and origins are searched first and checked whole
//! afterwards, since few intents share one.

use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};

use crate::domain::address::Address;
use crate::domain::intent::Kind;
use crate::domain::time::Timestamp;
use crate::store::derive::Depth;
use crate::store::error::StoreError;
use crate::store::query::IntentFilter;

use super::columns::{self, Place};
use super::failure::Named as _;
use super::flush::{SPAN_ATTEMPTS, SPAN_INTENTS};
use super::schema::SHELF_BITS;
use super::{names, rows, shelves};

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
    if let Some(mut found) = shelves::search(connection, filter)? {
        found.retain(|local| (range.0..range.1).contains(local));
        found.sort_unstable_by(|a, b| b.cmp(a));
        found.dedup();
        return Ok(Found::Among(found));
    }
    led(connection, filter, range, limit).map(Found::Exactly)
}

/// The intents in a range of numbers, newest first, one more than the page holds if there is one.
fn led(
    connection: &Connection,
    filter: &IntentFilter,
    (first, end): (i64, i64),
    limit: u32,
) -> Result<Vec<i64>, StoreError> {
    let limit = i64::from(limit.max(1)) + 1;
    let mut all = Conditions::default();
    all.and("local >=", first);
    all.and("local <", end);
    let Some(Placed { leads, count }) = placed(connection, filter, &mut all)? else {
        return Ok(Vec::new());
    };
    let Some(parties) = parties(connection, filter, &mut all)? else {
        return Ok(Vec::new());
    };
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
    let most = all.parameter(limit);
    if parties.is_empty() || count <= FEW || is_rare(connection, filter, limit)? {
        return all.column(connection, &union(&leads, &all.sql, &most));
    }
    let last = shelves::newest(connection)?.min(end.saturating_sub(1));
    shelves::one_by_one(
        connection,
        all,
        (first, last),
        limit,
        |shelf, conditions| {
            let leads: Vec<(&str, String)> = parties
                .iter()
                .map(|(index, lead)| (*index, format!("local >> 12 = {shelf} AND {lead}")))
                .collect();
            union(&leads, conditions, &most)
        },
    )
}

/// True when the receiver has less unfinished intents than a page holds: looking through all of its intents
/// would never end early.
fn is_rare(connection: &Connection, filter: &IntentFilter, limit: i64) -> Result<bool, StoreError> {
    let is_unfinished = filter.is_unfinished
        || !(filter.statuses.is_empty() || filter.statuses.iter().any(|one| one.is_terminal()));
    let Some(to) = filter.to.as_ref().filter(|_| is_unfinished) else {
        return Ok(false);
    };
    let Some(receiver) = names::find(connection, to.key())? else {
        return Ok(false);
    };
    let unfinished = rows::column(
        connection,
        "SELECT coalesce(sum(count), 0) FROM tally WHERE kind IN (?1, ?2, ?3, ?4) AND key = ?5",
        params![
            columns::agent_tally(Depth::Ready),
            columns::agent_tally(Depth::Leased),
            columns::agent_tally(Depth::BackingOff),
            columns::agent_tally(Depth::Held),
            receiver,
        ],
    )?;
    Ok(unfinished.first().is_some_and(|count| *count < limit))
}

/// Which places lead, each over its index, and how many intents they have.
struct Placed {
    leads: Vec<(&'static str, String)>,
    count: i64,
}

/// Adds the condition on the place, if there is one; `None` when nothing is in such a place.
fn placed(
    connection: &Connection,
    filter: &IntentFilter,
    all: &mut Conditions,
) -> Result<Option<Placed>, StoreError> {
    let IntentFilter {
        statuses,
        states,
        kinds,
        ..
    } = filter;
    let is_anywhere = !filter.is_unfinished && statuses.is_empty() && states.is_empty();
    let has_party = filter.to.is_some() || filter.from.is_some() || filter.party.is_some();
    // The indices of parties know kinds too.
    if is_anywhere && (kinds.is_empty() || has_party) {
        let leads = vec![("", "1".to_owned())];
        return Ok(Some(Placed {
            leads,
            count: i64::MAX,
        }));
    }
    let places = places(connection, |place| {
        (statuses.is_empty() || statuses.contains(&place.status))
            && (states.is_empty() || states.contains(&place.state))
            && (kinds.is_empty() || kinds.contains(&place.kind))
            && !(filter.is_unfinished && place.status.is_terminal())
    })?;
    let leads: Vec<(&str, String)> = places
        .iter()
        .map(|(place, _)| {
            let number = all.parameter(place.number);
            ("intents_by_place", format!("place = {number}"))
        })
        .collect();
    if leads.is_empty() {
        return Ok(None);
    }
    if !is_anywhere {
        let any: Vec<&str> = leads.iter().map(|(_, lead)| lead.as_str()).collect();
        all.and_sql(&format!("({})", any.join(" OR ")));
    }
    let count = places.iter().map(|(_, count)| count).sum();
    Ok(Some(Placed { leads, count }))
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
    let kinds = match filter.kinds.as_slice() {
        [] => &Kind::ALL[..],
        kinds => kinds,
    };
    if kinds.len() < Kind::ALL.len() {
        let numbers: Vec<_> = kinds
            .iter()
            .map(|kind| columns::kind_number(*kind).to_string())
            .collect();
        all.and_sql(&format!("kind IN ({})", numbers.join(", ")));
    }
    // A lead for each kind, so that every one of them is in the order of the page.
    let of_kinds = leads.into_iter().flat_map(|(index, lead)| {
        kinds.iter().map(move |kind| {
            let kind = columns::kind_number(*kind);
            (index, format!("{lead} AND kind = {kind}"))
        })
    });
    Ok(Some(of_kinds.collect()))
}
