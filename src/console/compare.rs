//! Two JSON values side by side: what differs, by path.
//!
//! Values are compared leaf by leaf, so the order of keys never counts. Fields with the usual names of
//! secrets are compared and never shown. Both the work and the result are bounded.

use std::collections::HashMap;

use serde_json::Value;

use super::widgets::json::is_secret_name;

/// Leaves of one value that are compared; what lies beyond is said to be left out.
const LEAVES_MAX: usize = 5_000;
/// Most levels that are gone into.
const DEPTH_MAX: usize = 64;

/// One place where the two differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    /// Where: `data.lines[0].amount`; empty for the whole.
    pub(crate) path: String,
    /// What stands there on the left, as JSON; none when nothing does.
    pub(crate) before: Option<String>,
    /// What stands there on the right.
    pub(crate) after: Option<String>,
}

/// What two values have in common and what not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Comparison {
    /// What differs, in the order of the left side; what only the right side has comes after.
    pub(crate) differences: Vec<Difference>,
    /// Leaves that are the same.
    pub(crate) same: usize,
    /// True when there was more than could be compared.
    pub(crate) is_cut: bool,
}

/// Compares two values.
pub(crate) fn compare(before: &Value, after: &Value) -> Comparison {
    let (left, is_left_cut) = leaves(before);
    let (right, is_right_cut) = leaves(after);
    let mut others: HashMap<&str, &Leaf> = right
        .iter()
        .map(|leaf| (leaf.path.as_str(), leaf))
        .collect();
    let mut comparison = Comparison {
        is_cut: is_left_cut || is_right_cut,
        ..Comparison::default()
    };
    for leaf in &left {
        match others.remove(leaf.path.as_str()) {
            Some(other) if other.text == leaf.text => comparison.same += 1,
            other => comparison.differences.push(Difference {
                path: leaf.path.clone(),
                before: Some(leaf.shown()),
                after: other.map(Leaf::shown),
            }),
        }
    }
    for leaf in &right {
        if others.contains_key(leaf.path.as_str()) {
            comparison.differences.push(Difference {
                path: leaf.path.clone(),
                before: None,
                after: Some(leaf.shown()),
            });
        }
    }
    comparison
}

struct Leaf {
    path: String,
    text: String,
    is_secret: bool,
}

impl Leaf {
    fn shown(&self) -> String {
        if self.is_secret {
            "(secret)".to_owned()
        } else {
            self.text.clone()
        }
    }
}

fn leaves(value: &Value) -> (Vec<Leaf>, bool) {
    let mut found = Vec::new();
    let is_cut = gather(value, "", false, 0, &mut found);
    (found, is_cut)
}

/// Gathers the leaves below `value`; says whether some were left out.
fn gather(value: &Value, path: &str, is_secret: bool, depth: usize, found: &mut Vec<Leaf>) -> bool {
    if found.len() >= LEAVES_MAX || depth >= DEPTH_MAX {
        return true;
    }
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let mut is_cut = false;
            for (name, value) in fields {
                let below = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                let is_secret = is_secret || is_secret_name(name);
                is_cut |= gather(value, &below, is_secret, depth + 1, found);
            }
            is_cut
        }
        Value::Array(items) if !items.is_empty() => {
            let mut is_cut = false;
            for (index, value) in items.iter().enumerate() {
                let below = format!("{path}[{index}]");
                is_cut |= gather(value, &below, is_secret, depth + 1, found);
            }
            is_cut
        }
        leaf => {
            found.push(Leaf {
                path: path.to_owned(),
                text: leaf.to_string(),
                is_secret,
            });
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn lines(before: &Value, after: &Value) -> Vec<String> {
        let show = |side: Option<String>| side.unwrap_or_else(|| "-".to_owned());
        compare(before, after)
            .differences
            .into_iter()
            .map(|one| format!("{} {} {}", one.path, show(one.before), show(one.after)))
            .collect()
    }

    #[test]
    fn what_differs_is_told_by_path_and_the_order_of_keys_never_counts() {
        let before = json!({ "b": 1, "a": { "x": [1, 2], "y": null }, "gone": true });
        let after = json!({ "a": { "y": "set", "x": [1, 3, 4] }, "b": 1 });
        assert_eq!(
            lines(&before, &after),
            [
                "a.x[1] 2 3",
                "a.y null \"set\"",
                "gone true -",
                "a.x[2] - 4"
            ]
        );
        assert_eq!(compare(&before, &after).same, 2);
    }

    #[test]
    fn a_leaf_that_became_an_object_and_whole_values_are_told_too() {
        let told = lines(&json!({ "a": 1 }), &json!({ "a": { "b": 1 } }));
        assert_eq!(told, ["a 1 -", "a.b - 1"]);
        assert_eq!(lines(&json!({}), &json!([])), [" {} []"]);
    }

    #[test]
    fn a_secret_is_compared_and_never_shown() {
        let told = lines(
            &json!({ "api-key": "one", "auth": { "Token": { "raw": "a" } } }),
            &json!({ "api-key": "two", "auth": { "Token": { "raw": "b" } } }),
        );
        assert_eq!(
            told,
            [
                "api-key (secret) (secret)",
                "auth.Token.raw (secret) (secret)"
            ]
        );
    }

    #[test]
    fn a_large_or_deep_value_is_compared_as_far_as_it_goes() {
        let wide: Value = (0..LEAVES_MAX + 9).collect();
        let cut = compare(&wide, &wide);
        assert!(cut.is_cut && cut.same == LEAVES_MAX && cut.differences.is_empty());
        let mut deep = json!(1);
        for _ in 0..100 {
            deep = json!([deep]);
        }
        assert!(compare(&deep, &json!(1)).is_cut);
    }
}
