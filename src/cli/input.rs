//! JSON that is given on the command line, in a file, or on standard input.

use std::io::Read;

use serde_json::Value;

use super::failure::Failure;

/// Reads `JSON`, `@FILE` or `-`; `what` names it in a failure.
pub(super) fn object(given: &str, what: &str) -> Result<Value, Failure> {
    let (text, from) = match given {
        "-" => {
            let mut text = String::new();
            std::io::stdin()
                .read_to_string(&mut text)
                .map_err(|error| {
                    Failure::refused(format!("read {what} from standard input: {error}"))
                })?;
            (text, "standard input".to_owned())
        }
        _ => match given.strip_prefix('@') {
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|error| Failure::usage(format!("read {what} from {path}: {error}")))?;
                (text, path.to_owned())
            }
            None => (given.to_owned(), "the command line".to_owned()),
        },
    };
    let value: Value = serde_json::from_str(&text).map_err(|error| {
        Failure::usage(format!("read {what} from {from}: not valid JSON: {error}")).hint(
            "an object such as '{\"order_id\":\"ORD-1\"}', @file.json, or - for standard input",
        )
    })?;
    if value.is_object() {
        Ok(value)
    } else {
        Err(Failure::usage(format!(
            "read {what} from {from}: must be a JSON object"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_objects_are_taken() {
        assert!(object("{\"a\":1}", "payload").is_ok());
        assert_eq!(object("[1]", "payload").unwrap_err().exit_code(), 2);
        assert_eq!(object("{", "payload").unwrap_err().exit_code(), 2);
        assert_eq!(
            object("@/no/such/file", "payload").unwrap_err().exit_code(),
            2
        );
    }
}
