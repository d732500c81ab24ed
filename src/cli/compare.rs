//! `dead diff`: what is different about the one that died.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Context;
use super::client::{Call, Client, list, segment, text};
use super::failure::Failure;
use super::output::Tone;

/// Compares the payload of an intent with another's; without one, with the newest that went well of its
/// type to its receiver.
pub(super) async fn run(id: &str, with: Option<&str>, context: &Context) -> Result<(), Failure> {
    let client = context.client()?;
    let mine = intent(&client, id).await?;
    let other = match with {
        Some(with) => intent(&client, with).await?,
        None => intent(&client, &last_success(&client, &mine).await?).await?,
    };
    let changes = changes(&payload(&other), &payload(&mine));
    let answer = json!({
        "ok": true,
        "intent_id": mine.get("intent_id"),
        "compared_with": other.get("intent_id"),
        "changes": changes.iter().map(Change::object).collect::<Vec<_>>(),
    });
    context.out.either(&answer, |out| {
        out.line(format!(
            "- {}  {}",
            text(&other, "/intent_id"),
            text(&other, "/status")
        ))?;
        out.line(format!(
            "+ {}  {}",
            text(&mine, "/intent_id"),
            text(&mine, "/status")
        ))?;
        if changes.is_empty() {
            return out.line("the payloads are the same");
        }
        for Change {
            path,
            before,
            after,
        } in &changes
        {
            if let Some(before) = before {
                let line = super::output::harmless(&format!("- {path}: {before}"));
                out.painted_line(&out.toned(Tone::Bad, &line))?;
            }
            if let Some(after) = after {
                let line = super::output::harmless(&format!("+ {path}: {after}"));
                out.painted_line(&out.toned(Tone::Good, &line))?;
            }
        }
        Ok(())
    })
}

async fn intent(client: &Client, id: &str) -> Result<Value, Failure> {
    let call = Call::get(format!("/v1/intents/{}", segment(id)));
    let answer = client.call(call).await?;
    Ok(answer.get("intent").cloned().unwrap_or(Value::Null))
}

async fn last_success(client: &Client, mine: &Value) -> Result<String, Failure> {
    let (to, intent_type) = (text(mine, "/to_agent"), text(mine, "/intent_type"));
    let call = Call::get("/v1/intents")
        .with("to_agent", to.clone())
        .with("intent_type", intent_type.clone())
        .with("status", "COMPLETED")
        .with("limit", 1_u32);
    let found = client.call(call).await?;
    list(&found, "/intents")
        .first()
        .map(|intent| text(intent, "/intent_id"))
        .ok_or_else(|| {
            Failure::refused(format!("no {intent_type} to {to} has been completed"))
                .hint("compare with another intent: --with ID")
        })
}

fn payload(intent: &Value) -> Value {
    intent.get("payload").cloned().unwrap_or(Value::Null)
}

/// A place where two payloads differ.
#[derive(Debug, PartialEq)]
struct Change {
    path: String,
    before: Option<Value>,
    after: Option<Value>,
}

impl Change {
    fn object(&self) -> Value {
        json!({ "path": self.path, "before": self.before, "after": self.after })
    }
}

/// Every leaf that is not the same on both sides, by its JSON pointer.
fn changes(before: &Value, after: &Value) -> Vec<Change> {
    let (mut left, mut right) = (BTreeMap::new(), BTreeMap::new());
    leaves(String::new(), before, &mut left);
    leaves(String::new(), after, &mut right);
    let mut paths: Vec<&String> = left.keys().chain(right.keys()).collect();
    paths.sort();
    paths.dedup();
    paths
        .into_iter()
        .filter(|path| left.get(*path) != right.get(*path))
        .map(|path| Change {
            path: if path.is_empty() {
                "/".to_owned()
            } else {
                path.clone()
            },
            before: left.get(path).cloned(),
            after: right.get(path).cloned(),
        })
        .collect()
}

fn leaves(path: String, value: &Value, into: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(object) if !object.is_empty() => {
            for (key, value) in object {
                let key = key.replace('~', "~0").replace('/', "~1");
                leaves(format!("{path}/{key}"), value, into);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (at, value) in items.iter().enumerate() {
                leaves(format!("{path}/{at}"), value, into);
            }
        }
        leaf => {
            into.insert(path, leaf.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_named_by_its_place() {
        let before =
            json!({"same": 1, "amount": 4, "items": ["a", "b"], "gone": {"x": true}, "a/b": 1});
        let after =
            json!({"same": 1, "amount": "4", "items": ["a", "c", "d"], "gone": {}, "a/b": 2});
        let told: Vec<String> = changes(&before, &after)
            .iter()
            .map(|change| {
                format!(
                    "{} {:?}",
                    change.path,
                    change.after.as_ref().map(Value::to_string)
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                "/amount Some(\"\\\"4\\\"\")",
                "/a~1b Some(\"2\")",
                "/gone Some(\"{}\")",
                "/gone/x None",
                "/items/1 Some(\"\\\"c\\\"\")",
                "/items/2 Some(\"\\\"d\\\"\")"
            ]
        );
        assert!(changes(&before, &before).is_empty());
    }
}
