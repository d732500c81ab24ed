//! Hiding secrets in what operators get to see.

/// What stands where a secret stood.
const REDACTED: &str = "[redacted]";

/// Parts of JSON keys and header names whose values are hidden; `redact.keys` adds more.
const SECRET_WORDS: [&str; 6] = [
    "password",
    "secret",
    "token",
    "api_key",
    "authorization",
    "cookie",
];

/// More parts of header names whose values are hidden.
const SECRET_HEADER_WORDS: [&str; 2] = ["signature", "key"];

/// Headers that look like keys and are none.
const PLAIN_HEADERS: [&str; 1] = ["idempotency-key"];

/// Which keys hide their values.
#[derive(Debug, Clone)]
pub struct Redactor {
    words: Vec<String>,
}

impl Redactor {
    /// Hides the contract's words and `more`, in any case and anywhere in a key.
    #[must_use]
    pub fn new(more: &[String]) -> Self {
        let words = SECRET_WORDS
            .iter()
            .map(|&word| word.to_owned())
            .chain(more.iter().map(|word| word.trim().to_lowercase()))
            .filter(|word| !word.is_empty())
            .collect();
        Self { words }
    }

    /// The value of a header as it may be shown.
    pub(super) fn header<'a>(&self, name: &str, value: &'a str) -> &'a str {
        let name = name.to_ascii_lowercase();
        let is_secret = !PLAIN_HEADERS.contains(&name.as_str())
            && (self.is_secret(&name)
                || SECRET_HEADER_WORDS.iter().any(|word| name.contains(word)));
        if is_secret { REDACTED } else { value }
    }

    /// A query string as it may be shown: `a=1&token=[redacted]`.
    pub(super) fn query(&self, query: &str) -> String {
        let pairs: Vec<String> = query
            .split('&')
            .map(|pair| match pair.split_once('=') {
                Some((key, _)) if self.is_secret(key) => format!("{key}={REDACTED}"),
                _ => pair.to_owned(),
            })
            .collect();
        pairs.join("&")
    }

    /// A body as it may be shown, at most `bytes_max` of it, and whether that is all of it.
    ///
    /// Works on text that is cut off or no JSON at all: a value that follows `"key":` is hidden,
    /// everything else is copied.
    #[must_use]
    pub fn body(&self, text: &str, bytes_max: usize) -> (String, bool) {
        let mut out = String::with_capacity(text.len().min(bytes_max));
        let mut rest = text;
        while !rest.is_empty() {
            if out.len() > bytes_max {
                break;
            }
            let token_bytes = token_len(rest);
            let (token, after) = rest.split_at_checked(token_bytes).unwrap_or((rest, ""));
            out.push_str(token);
            rest = after;
            let Some(value) = token.starts_with('"').then(|| value_after(after)).flatten() else {
                continue;
            };
            let key: String = serde_json::from_str(token).unwrap_or_else(|_| token.to_owned());
            if self.is_secret(&key) {
                let (gap, value) = after.split_at_checked(value).unwrap_or((after, ""));
                out.push_str(gap);
                out.push('"');
                out.push_str(REDACTED);
                out.push('"');
                rest = skip_value(value);
            }
        }
        let is_cut = out.len() > bytes_max || !rest.is_empty();
        if out.len() > bytes_max {
            out.truncate(out.floor_char_boundary(bytes_max));
        }
        (out, is_cut)
    }

    fn is_secret(&self, key: &str) -> bool {
        let key = key.to_lowercase();
        self.words.iter().any(|word| key.contains(word))
    }
}

/// Bytes of the token that `text` starts with: a whole string, or the run up to the next one.
fn token_len(text: &str) -> usize {
    if text.starts_with('"') {
        string_len(text)
    } else {
        text.find('"').unwrap_or(text.len())
    }
}

/// Bytes of the string that `text` starts with, quotes included; all of it when it never ends.
fn string_len(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at.saturating_add(1),
            _ => {}
        }
    }
    text.len()
}

/// Where the value starts when a colon comes next, so that the string before was a key.
fn value_after(text: &str) -> Option<usize> {
    let colon = text.len() - text.trim_start().len();
    let after = text.trim_start().strip_prefix(':')?;
    let gap = after.len() - after.trim_start().len();
    Some(colon.saturating_add(1).saturating_add(gap))
}

/// What follows the JSON value that `text` starts with.
fn skip_value(text: &str) -> &str {
    let mut rest = text;
    let mut depth = 0_usize;
    loop {
        let bytes = match rest.bytes().next() {
            None => return rest,
            Some(b'"') => string_len(rest),
            Some(b'{' | b'[') => {
                depth = depth.saturating_add(1);
                1
            }
            Some(b'}' | b']' | b',') if depth == 0 => return rest,
            Some(b'}' | b']') => {
                depth = depth.saturating_sub(1);
                1
            }
            Some(_) => rest
                .char_indices()
                .skip(1)
                .find(|(_, character)| matches!(character, '"' | '{' | '}' | '[' | ']' | ','))
                .map_or(rest.len(), |(at, _)| at),
        };
        let is_scalar = !rest.starts_with(['{', '[', '}', ']', ',']);
        let is_close = rest.starts_with(['}', ']']);
        rest = rest.split_at_checked(bytes).map_or("", |(_, after)| after);
        if depth == 0 && (is_scalar || is_close) {
            return rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        Redactor::new(&["PIN".to_owned()]).body(text, 4096).0
    }

    #[test]
    fn values_under_secret_keys_are_hidden_at_any_depth_and_of_any_type() {
        for (text, expected) in [
            (r#"{"a":1,"b":"x"}"#, r#"{"a":1,"b":"x"}"#),
            (
                r#"{"Password" : "hunter2", "b":2}"#,
                r#"{"Password" : "[redacted]", "b":2}"#,
            ),
            (
                r#"{"x":[{"access_token":"t\"}","y":1}]}"#,
                r#"{"x":[{"access_token":"[redacted]","y":1}]}"#,
            ),
            (
                r#"{"secrets":{"a":["}",2],"b":{}},"z":3}"#,
                r#"{"secrets":"[redacted]","z":3}"#,
            ),
            (r#"{"pin_code":1234}"#, r#"{"pin_code":"[redacted]"}"#),
            (r#"{"secret":-1.5e3 }"#, r#"{"secret":"[redacted]"}"#),
            (
                r#"{"pass\u0077ord":"hunter2"}"#,
                r#"{"pass\u0077ord":"[redacted]"}"#,
            ),
            (r#"["token","b"]"#, r#"["token","b"]"#),
            (r#"{"a":"token: 7"}"#, r#"{"a":"token: 7"}"#),
            ("plain text", "plain text"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn a_secret_is_hidden_although_the_text_was_cut_off_inside_it() {
        assert_eq!(shown(r#"{"token":"hun"#), r#"{"token":"[redacted]""#);
        assert_eq!(shown(r#"{"token":{"a":["b"#), r#"{"token":"[redacted]""#);
        assert_eq!(shown(r#"{"token":"#), r#"{"token":"[redacted]""#);
        assert_eq!(shown(r#"{"tok"#), r#"{"tok"#);
    }

    #[test]
    fn a_long_body_is_cut_at_a_character_and_secrets_beyond_the_cut_stay_out() {
        let redactor = Redactor::new(&[]);
        let long = format!(r#"{{"a":"{}","token":"hunter2"}}"#, "ä".repeat(4000));
        let (text, is_cut) = redactor.body(&long, 4096);
        assert!(is_cut && text.len() <= 4096 && text.len() > 4090);
        assert_eq!(redactor.body("abc", 3), ("abc".to_owned(), false));
        assert_eq!(redactor.body("abcd", 3), ("abc".to_owned(), true));
    }

    #[test]
    fn any_text_is_survived() {
        use proptest::prelude::*;
        proptest!(|(text in r#"[\\"{}\[\]:, a-ctokenä]{0,60}"#)| {
            let (out, _) = Redactor::new(&[]).body(&text, 4096);
            prop_assert!(out.len() <= 4096);
        });
    }

    #[test]
    fn headers_and_query_values_that_are_keys_are_hidden() {
        let redactor = Redactor::new(&[]);
        for name in [
            "webhook-signature",
            "X-Api-Key",
            "Set-Cookie",
            "Authorization",
        ] {
            assert_eq!(redactor.header(name, "x"), REDACTED, "{name}");
        }
        for name in ["idempotency-key", "retry-after", "content-type"] {
            assert_eq!(redactor.header(name, "x"), "x", "{name}");
        }
        assert_eq!(redactor.query("a=1&token=x&b"), "a=1&token=[redacted]&b");
    }
}
