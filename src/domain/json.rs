//! What is not taken from others although it is JSON: passed on as text, it would be something else, or nothing,
//! to whoever looks inside.

use crate::domain::excerpt::{WORD_CHARS_MAX, excerpt};

/// Deeper nesting is refused: every reader of JSON has such a limit, ours is the same for all.
const DEPTH_MAX: u32 = 100;

/// What is wrong with a text that the grammar of JSON allows: a number that is infinite to all who count with it,
/// half of a surrogate pair, more than 100 levels. None for a text that is no JSON at all: that is for a parser.
#[must_use]
pub fn fault_of(text: &str) -> Option<String> {
    let mut depth = 0_u32;
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = match byte {
            b'"' => match after_string(after) {
                Ok(rest) => rest,
                Err(fault) => return Some(fault),
            },
            b'{' | b'[' => {
                depth = depth.saturating_add(1);
                after
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                after
            }
            b'0'..=b'9' => match after_number(rest) {
                Ok(rest) => rest,
                Err(fault) => return Some(fault),
            },
            _ => after,
        };
        if depth > DEPTH_MAX {
            return Some(format!("is nested deeper than {DEPTH_MAX} levels"));
        }
    }
    None
}

/// A value that somebody wrote into a text, such as a number in a form.
///
/// # Errors
/// Why it is no JSON, or JSON that nobody takes.
pub fn read(text: &str) -> Result<serde_json::Value, String> {
    match fault_of(text) {
        Some(fault) => Err(format!("it {fault}")),
        None => serde_json::from_str(text).map_err(|error| error.to_string()),
    }
}

/// Behind the quote that ends a string. Half of a surrogate pair stands for no character.
fn after_string(mut rest: &[u8]) -> Result<&[u8], String> {
    loop {
        rest = match rest {
            [] => return Ok(rest),
            [b'"', after @ ..] => return Ok(after),
            [b'\\', b'u', after @ ..] => match (unit(after), after.get(4..)) {
                (Some(0xd800..=0xdbff), Some([b'\\', b'u', low @ ..]))
                    if matches!(unit(low), Some(0xdc00..=0xdfff)) =>
                {
                    low.get(4..).unwrap_or_default()
                }
                (Some(half @ 0xd800..=0xdfff), _) => {
                    return Err(format!("has a string with half of a pair, \\u{half:04x}"));
                }
                _ => after,
            },
            [b'\\', _, after @ ..] | [_, after @ ..] => after,
        };
    }
}

/// The number of four hexadecimal digits.
fn unit(digits: &[u8]) -> Option<u16> {
    let digits = std::str::from_utf8(digits.get(..4)?).ok()?;
    u16::from_str_radix(digits, 16).ok()
}

/// Behind a number. One beyond 1.8e308 is infinite to all who count with it.
fn after_number(text: &[u8]) -> Result<&[u8], String> {
    let is_part =
        |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-');
    let length = text.iter().take_while(|byte| is_part(byte)).count();
    let (number, rest) = text.split_at(length);
    let may_be_large = length > 300 || number.iter().any(|byte| matches!(byte, b'e' | b'E'));
    let number = std::str::from_utf8(number).unwrap_or_default();
    if may_be_large && number.parse::<f64>().is_ok_and(f64::is_infinite) {
        let shown = excerpt(number, WORD_CHARS_MAX);
        return Err(format!("has a number out of range, {shown}"));
    }
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_reader_of_values_takes_is_named() {
        let long = "9".repeat(400);
        for (value, named) in [
            (r#""\ud800""#, "\\ud800"),
            (r#""\udc00\ud800""#, "\\udc00"),
            (r#""\ud800\ud800""#, "\\ud800"),
            (r#""\uD83D x""#, "\\ud83d"),
            ("1e400", "1e400"),
            ("-1E999", "1E999"),
            (long.as_str(), "999…"),
        ] {
            let fault = fault_of(&format!("{{\"a\":{{\"b\":[{value}]}}}}"));
            let fault = fault.unwrap_or_default();
            assert!(fault.contains(named), "{value}: {fault}");
        }
        let deep = format!("{}1{}", "[".repeat(101), "]".repeat(101));
        assert!(fault_of(&deep).is_some());
        for value in [
            r#""\ud83d\ude00 \\ud800 \u00fc""#,
            "1e-400",
            "1.7e308",
            "[true,false]",
            r#""1e400""#,
        ] {
            assert_eq!(fault_of(&format!("{{\"a\":{value}}}")), None, "{value}");
        }
    }
}
