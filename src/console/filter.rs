//! The filter line: words and `field:value` terms to what the desk understands, and the rest.
//!
//! 1. A filter belongs to a desk. A term that the desk does not know is explained, never ignored.
//! 2. What the desk has an index for is asked of it and holds at once; every other term is kept as the
//!    rest, and rows are sifted by it as they come.
//! 3. Both say the same: a term means the same asked or sifted.
//!
//! Not here: the line being typed (`update::filter`), its proposals (`update::proposals`).

pub mod asked;
pub(crate) mod fields;
pub(crate) mod rest;

use std::cmp::Ordering;

use crate::domain::time::Span;

/// One term of a filter line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// As it was typed.
    pub text: String,
    /// True when it must not hold: `!state:dead`.
    pub is_not: bool,
    /// What it says.
    pub claim: Claim,
}

/// What a term says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// `field:value`.
    Pair(String, String),
    /// `age>1h`: older (`Greater`) or younger than that.
    Age(Ordering, Span),
    /// `attempts>=5`: at least (`Greater`), at most (`Less`) or exactly so many.
    Attempts(Ordering, u32),
    /// A word, or a text in quotes.
    Word(String),
}

/// A filter line that was understood.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// The line as it was typed.
    pub text: String,
    /// Its terms.
    pub terms: Vec<Term>,
    /// Those of them that rows are sifted by, because no index knows them.
    pub rest: Vec<Term>,
}

impl Filter {
    /// Takes a line apart.
    ///
    /// # Errors
    /// A sentence that says which piece makes no sense.
    pub fn parse(text: &str) -> Result<Self, String> {
        let terms = pieces(text)
            .iter()
            .map(|piece| term(piece))
            .collect::<Result<_, _>>()?;
        let separators = [' ', '\t'];
        let kept = text.trim_start_matches(separators);
        // Behind a quote that is still open a space belongs to the word.
        let is_open = text.matches('"').count() % 2 == 1;
        let kept = if is_open {
            kept
        } else {
            kept.trim_end_matches(separators)
        };
        Ok(Self {
            text: kept.to_owned(),
            terms,
            rest: Vec::new(),
        })
    }

    /// True when it lets everything through.
    pub const fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The first value of a field that must hold.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.terms.iter().find_map(|term| match &term.claim {
            Claim::Pair(one, value) if one == name && !term.is_not => Some(value.as_str()),
            _ => None,
        })
    }
}

/// The pieces of a line: separated by spaces, quotes keep spaces.
pub(crate) fn pieces(text: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    let mut is_quoted = false;
    for character in text.chars() {
        match character {
            ' ' | '\t' if !is_quoted => {
                if !piece.is_empty() {
                    pieces.push(std::mem::take(&mut piece));
                }
            }
            other => {
                is_quoted ^= other == '"';
                piece.push(other);
            }
        }
    }
    if !piece.is_empty() {
        pieces.push(piece);
    }
    pieces
}

/// One piece as a term.
///
/// # Errors
/// A sentence about what is missing or makes no sense in it.
pub(crate) fn term(piece: &str) -> Result<Term, String> {
    let (is_not, body) = match piece.strip_prefix('!') {
        Some(body) if !body.is_empty() => (true, body),
        _ => (false, piece),
    };
    let plain = body.replace('"', "");
    let claim = if let Some((order, number)) = compared(body, "age") {
        Claim::Age(order, span_of(number)?)
    } else if let Some((order, number)) = compared(body, "attempts") {
        Claim::Attempts(order, count_of(order, number, body)?)
    } else {
        match body.split_once(':') {
            Some((name, "")) => return Err(format!("{name}: has no value yet")),
            Some((name, value))
                if !name.is_empty() && name.chars().all(|one| one.is_ascii_lowercase()) =>
            {
                Claim::Pair(name.to_owned(), value.replace('"', ""))
            }
            _ => Claim::Word(plain),
        }
    };
    Ok(Term {
        text: piece.to_owned(),
        is_not,
        claim,
    })
}

/// The comparison and the number of `name>=5`, `name<5`, `name:5`.
fn compared<'a>(body: &'a str, name: &str) -> Option<(Ordering, &'a str)> {
    let rest = body.strip_prefix(name)?;
    let sign = rest.chars().next()?;
    let order = match sign {
        '>' => Ordering::Greater,
        '<' => Ordering::Less,
        ':' | '=' => Ordering::Equal,
        _ => return None,
    };
    Some((order, rest.strip_prefix(sign)?))
}

/// The least or most attempts of a comparison: `>5` is at least six.
fn count_of(order: Ordering, text: &str, whole: &str) -> Result<u32, String> {
    let (is_strict, digits) = match text.strip_prefix('=') {
        Some(digits) => (false, digits),
        None => (true, text),
    };
    let number: u32 = digits
        .parse()
        .map_err(|_ignored| format!("{whole} has no number; attempts>=5 has one"))?;
    Ok(match order {
        Ordering::Greater if is_strict => number.saturating_add(1),
        Ordering::Less if is_strict => number.saturating_sub(1),
        _ => number,
    })
}

fn span_of(text: &str) -> Result<Span, String> {
    let text = text.strip_prefix('=').unwrap_or(text);
    let wrong = || {
        if text.is_empty() {
            "age has no value yet; 30s, 5m, 2h or 1d is one".to_owned()
        } else {
            format!("{text:?} is no age; 30s, 5m, 2h or 1d is one")
        }
    };
    let unit = text.chars().last().ok_or_else(wrong)?;
    let number: i64 = text
        .strip_suffix(unit)
        .unwrap_or(text)
        .parse()
        .map_err(|_ignored| wrong())?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    Ok(Span::from_seconds(number.saturating_mul(seconds)))
}

/// Whether `text` fits a pattern with `*` for any letters, in any case.
pub(crate) fn is_like(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut last = None;
    for part in parts {
        if let Some(part) = last.replace(part) {
            let Some((_, after)) = rest.split_once(part) else {
                return false;
            };
            rest = after;
        }
    }
    last.map_or(rest.is_empty(), |last| rest.ends_with(last))
}

/// Whether a word is meant as an id or the beginning or end of one: hexadecimal, with a digit or long.
pub(crate) fn is_id_like(word: &str) -> bool {
    let is_hex = |one: char| one.is_ascii_hexdigit() || one == '-';
    word.len() >= 4
        && word.chars().all(is_hex)
        && (word.len() >= 8 || word.chars().any(|one| one.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_words_quotes_negation_and_comparisons_are_told_apart() {
        let filter =
            Filter::parse("state:dead !agent:billing-* age>1h attempts>=5 \"free text\" !x")
                .unwrap();
        let claims: Vec<_> = filter
            .terms
            .into_iter()
            .map(|term| (term.is_not, term.claim))
            .collect();
        assert_eq!(
            claims,
            [
                (false, Claim::Pair("state".to_owned(), "dead".to_owned())),
                (
                    true,
                    Claim::Pair("agent".to_owned(), "billing-*".to_owned())
                ),
                (
                    false,
                    Claim::Age(Ordering::Greater, Span::from_seconds(3_600))
                ),
                (false, Claim::Attempts(Ordering::Greater, 5)),
                (false, Claim::Word("free text".to_owned())),
                (true, Claim::Word("x".to_owned())),
            ]
        );
        let strict = |text: &str| term(text).unwrap().claim;
        assert_eq!(strict("attempts>5"), Claim::Attempts(Ordering::Greater, 6));
        assert_eq!(strict("attempts<5"), Claim::Attempts(Ordering::Less, 4));
        assert_eq!(strict("attempts:5"), Claim::Attempts(Ordering::Equal, 5));
        for wrong in ["state:", "age>never", "age>", "attempts>many"] {
            assert!(Filter::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_line_that_is_kept_is_the_line_that_was_meant() {
        for (typed, kept) in [
            ("  is:open  ", "is:open"),
            ("\"a b\" ", "\"a b\""),
            ("\"a ", "\"a "),
        ] {
            let line = Filter::parse(typed).unwrap();
            assert_eq!(line.text, kept);
            assert_eq!(Filter::parse(kept).unwrap().terms, line.terms);
        }
    }

    #[test]
    fn a_star_stands_for_any_letters() {
        for (pattern, text, fits) in [
            ("billing-*", "billing-webhook", true),
            ("billing-*", "my-billing-webhook", false),
            ("*hook", "billing-webhook", true),
            ("b*web*k", "billing-webhook", true),
            ("b*x*k", "billing-webhook", false),
            ("Ledger", "ledger", true),
            ("ledger", "ledger2", false),
            ("*", "", true),
            ("a*a", "a", false),
        ] {
            assert_eq!(is_like(pattern, text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn what_may_be_an_id_is_looked_up_and_what_is_a_word_is_looked_for() {
        for id in ["91b4f6c3", "deadbeef", "0197", "019cdc1c-872c"] {
            assert!(is_id_like(id), "{id}");
        }
        for word in ["dead", "face", "invoice", "91z", "7"] {
            assert!(!is_id_like(word), "{word}");
        }
    }
}
