//! Page cursors: opaque text over the key of the last row. One list's cursor is no other's.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::store::error::StoreError;
use crate::store::query::{Page, PageRequest};

/// The lists that give out cursors; the letter is the first byte inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    Intents,
    Attempts,
    Letters,
    Threads,
    ThreadsByDue,
    Audit,
    Jobs,
    JobItems,
}

impl List {
    const fn letter(self) -> u8 {
        match self {
            Self::Intents => b'i',
            Self::Attempts => b'a',
            Self::Letters => b'l',
            Self::Threads => b't',
            Self::ThreadsByDue => b'd',
            Self::Audit => b'u',
            Self::Jobs => b'j',
            Self::JobItems => b'm',
        }
    }
}

/// The cursor after the row with this key.
pub(super) fn encode<const N: usize>(list: List, key: [i64; N]) -> String {
    let mut bytes = Vec::with_capacity(1 + N * 8);
    bytes.push(list.letter());
    for part in key {
        bytes.extend_from_slice(&part.to_be_bytes());
    }
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The key in the request's cursor, if it has one.
///
/// # Errors
/// [`StoreError::BadCursor`] for anything that [`encode`] did not make for this list.
pub(super) fn decode<const N: usize>(
    list: List,
    request: &PageRequest,
) -> Result<Option<[i64; N]>, StoreError> {
    let Some(text) = &request.cursor else {
        return Ok(None);
    };
    let bad = || StoreError::BadCursor(text.clone());
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_ignored| bad())?;
    let (letter, parts) = bytes.split_first().ok_or_else(bad)?;
    let (parts, rest) = parts.as_chunks::<8>();
    if *letter != list.letter() || !rest.is_empty() {
        return Err(bad());
    }
    let key: [[u8; 8]; N] = parts.try_into().map_err(|_ignored| bad())?;
    Ok(Some(key.map(i64::from_be_bytes)))
}

/// Cuts a page out of rows that start where it does; there is a next one when a row is left over.
pub(super) fn page<T, const N: usize>(
    list: List,
    request: &PageRequest,
    rows: impl IntoIterator<Item = Result<([i64; N], T), StoreError>>,
) -> Result<Page<T>, StoreError> {
    let limit = usize::try_from(request.limit.max(1)).unwrap_or(usize::MAX);
    let mut rows = rows.into_iter();
    let mut items = Vec::new();
    let mut last = None;
    for row in rows.by_ref().take(limit) {
        let (key, item) = row?;
        items.push(item);
        last = Some(key);
    }
    let next = match rows.next().transpose()? {
        Some(_) => last.map(|key| encode(list, key)),
        None => None,
    };
    Ok(Page { items, next })
}

/// Takes what is asked for out of as many rows as the page has room for. There is a next page when a row is
/// left over.
pub(super) fn looked_through<T>(
    list: List,
    request: &PageRequest,
    rows: impl IntoIterator<Item = Result<(i64, T), StoreError>>,
    is_wanted: impl Fn(&T) -> bool,
) -> Result<Page<T>, StoreError> {
    let every = |row: Result<(i64, T), StoreError>| row.map(|(key, item)| ([key], item));
    let mut page = page(list, request, rows.into_iter().map(every))?;
    page.items.retain(is_wanted);
    Ok(page)
}

/// Takes what is asked for out of rows that start where the page does and are at most `examined_max`.
/// There is a next page when a wanted row is left over, or when the rows were cut.
pub(super) fn sifted<T>(
    list: List,
    request: &PageRequest,
    examined_max: u32,
    rows: impl IntoIterator<Item = Result<(i64, T), StoreError>>,
    is_wanted: impl Fn(&T) -> bool,
) -> Result<Page<T>, StoreError> {
    let limit = usize::try_from(request.limit.max(1)).unwrap_or(usize::MAX);
    let mut items = Vec::new();
    let (mut last, mut examined) = (None, 0_u32);
    for row in rows {
        let (key, item) = row?;
        let is_wanted = is_wanted(&item);
        if (is_wanted && items.len() == limit) || examined == examined_max {
            return Ok(Page {
                items,
                next: last.map(|key| encode(list, [key])),
            });
        }
        if is_wanted {
            items.push(item);
        }
        last = Some(key);
        examined = examined.saturating_add(1);
    }
    Ok(Page { items, next: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(cursor: &str) -> PageRequest {
        PageRequest {
            limit: 2,
            cursor: Some(cursor.to_owned()),
        }
    }

    #[test]
    fn a_cursor_reads_back_and_serves_its_own_list_only() {
        let cursor = encode(List::Letters, [-5, i64::MAX]);
        assert_eq!(
            decode::<2>(List::Letters, &request(&cursor)),
            Ok(Some([-5, i64::MAX]))
        );
        for foreign in [cursor.as_str(), "", "x", "i", "AAAA", "näh"] {
            assert!(
                matches!(
                    decode::<1>(List::Intents, &request(foreign)),
                    Err(StoreError::BadCursor(_))
                ),
                "{foreign:?}"
            );
        }
    }

    #[test]
    fn the_last_page_says_so_even_when_it_is_full() {
        let rows = |count: i64| (0..count).map(|key| Ok(([key], key)));
        let full = page(List::Audit, &request(""), rows(2)).unwrap();
        assert_eq!((full.items, full.next), (vec![0, 1], None));
        let more = page(List::Audit, &request(""), rows(3)).unwrap();
        assert_eq!(more.items, vec![0, 1]);
        assert_eq!(more.next, Some(encode(List::Audit, [1])));
    }
}
