//! Finding out why the HTTP client gave up: its errors say it only through what they came from.

use std::error::Error;
use std::io;

/// Characters of a reason that are kept.
const REASON_CHARS_MAX: usize = 500;

/// The error and everything it came from, outermost first.
pub(super) fn chain<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| deeper(error))
}

/// What an error came from. An I/O error hides the one it carries from `source`.
fn deeper<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref)
    {
        Some(carried) => Some(carried),
        None => error.source(),
    }
}

/// The first error of one type in the chain.
pub(super) fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    chain(error).find_map(|error| error.downcast_ref::<E>())
}

/// The innermost reason in words: what a person can act on.
pub(super) fn cause(error: &(dyn Error + 'static)) -> String {
    let reason = chain(error).last().map(ToString::to_string);
    let reason = reason.unwrap_or_default();
    reason.chars().take(REASON_CHARS_MAX).collect()
}
