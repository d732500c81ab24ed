//! JSON that is given on the command line, in a file, or on standard input.

use std::io::Read;

use serde_json::Value;

use super::failure::Failure;
use crate::domain::payload::{BadPayload, Payload};

/// Reads `JSON`, `@FILE` or `-`; `what` names it in a failure.
pub(super) fn object(given: &str, what: &str) -> Result<Value, Failure> {
    as_given(given, what).map(|payload| payload.to_value())
}

/// The same in the order in which it was written: the fields of a form are shown in theirs.
pub(super) fn as_given(given: &str, what: &str) -> Result<Payload, Failure> {
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
    Payload::typed(&text).map_err(|error| match error {
        BadPayload::NotJson(_) => Failure::usage(format!("read {what} from {from}: {error}")).hint(
            "an object such as '{\"order_id\":\"ORD-1\"}', @file.json, or - for standard input",
        ),
        BadPayload::NotObject => {
            Failure::usage(format!("read {what} from {from}: must be a JSON object"))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_keeps_its_order() {
        let form = "{\"zip\": 1, \"city\": {\"b\": [2.50], \"a\": 1}}";
        let read = as_given(form, "form").unwrap();
        assert_eq!(read.as_str(), "{\"zip\":1,\"city\":{\"b\":[2.50],\"a\":1}}");
    }

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
