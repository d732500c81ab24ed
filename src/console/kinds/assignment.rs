//! Assignment: who takes this? The people with what they have open; `candidates` of the payload first.

use serde_json::{Map, json};

use super::{Brief, Fact, Fault, Filled, HandedIn, Kind, comment, leaves, names};
use crate::console::model::strip::entry::{Choice, Entry, Input, Key, Need};
use crate::console::widgets::field::{Field, Lines};
use crate::domain::task::is_negative;

const CANDIDATES: [&str; 2] = ["candidates", "people"];

/// An assignment.
#[derive(Debug)]
pub(super) struct Assignment;

impl Kind for Assignment {
    fn question(&self, brief: &Brief<'_>, outcome: &str) -> String {
        let id = brief.task.intent.short();
        if is_negative(outcome) {
            format!("decline {id}?")
        } else {
            format!("who takes this? {id}")
        }
    }

    fn facts(&self, brief: &Brief<'_>) -> Vec<Fact> {
        let mut facts = vec![Fact::new("work", brief.task.title.clone())];
        facts.extend(leaves(brief.payload, &CANDIDATES));
        facts
    }

    fn entries(&self, brief: &Brief<'_>) -> Vec<Entry> {
        let input = Input::Pick(Field::new(Lines::One), choices(brief));
        vec![
            Entry::new(Key::Assignee, "assignee", input, Need::ForYes)
                .hinted("up and down pick a name"),
            comment(brief),
        ]
    }

    fn needs_more(&self, _brief: &Brief<'_>) -> Option<&'static str> {
        Some("want an assignee each")
    }

    fn hand_in(&self, brief: &Brief<'_>, filled: &Filled<'_>) -> HandedIn {
        let Some(typed) = filled.text(&Key::Assignee).filter(|_| !filled.is_no()) else {
            return Ok(Map::new());
        };
        let assignee =
            resolved(brief, &typed).map_err(|text| vec![Fault::at(Key::Assignee, text)])?;
        Ok(Map::from_iter([("assignee".to_owned(), json!(assignee))]))
    }
}

/// Who can be picked: those the payload or the task names, then everybody who has an inbox.
pub(crate) fn choices(brief: &Brief<'_>) -> Vec<Choice> {
    let wanted = names(brief.payload, &CANDIDATES);
    let is_wanted = |person: &&super::Person| {
        let named = wanted.iter().chain(&brief.task.assignees);
        named
            .into_iter()
            .any(|name| *name == person.name || *name == person.address)
    };
    let (first, rest): (Vec<_>, Vec<_>) = brief.people.iter().partition(is_wanted);
    first
        .into_iter()
        .chain(rest)
        .map(|person| Choice {
            label: person.name.clone(),
            note: match person.open {
                0 => "nothing open".to_owned(),
                open => format!("{open} open"),
            },
            value: json!(person.address),
        })
        .collect()
}

/// The address of a name: as it stands, or the only one that begins so.
fn resolved(brief: &Brief<'_>, typed: &str) -> Result<String, String> {
    if typed.contains("://") {
        return Ok(typed.to_owned());
    }
    let exact = brief.people.iter().find(|person| person.name == typed);
    if let Some(person) = exact {
        return Ok(person.address.clone());
    }
    let mut fits = brief
        .people
        .iter()
        .filter(|person| person.name.starts_with(typed));
    match (fits.next(), fits.next()) {
        (Some(person), None) => Ok(person.address.clone()),
        (Some(_), Some(_)) => Err(format!("several begin with {typed}")),
        (None, _) => Err(format!(
            "nobody is called {typed}; agent://… takes any address"
        )),
    }
}
