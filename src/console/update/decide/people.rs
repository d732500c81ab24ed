//! Who could take a task, and how much each of them has open.

use std::collections::BTreeMap;

use crate::console::kinds::Person;
use crate::console::model::Model;
use crate::desk::rows::TaskRow;
use crate::domain::address::Address;
use crate::domain::agent::Binding;

/// Everybody with an inbox or with a task, those with the least open first.
pub(in crate::console::update) fn of(model: &Model) -> Vec<Person> {
    let mut open = BTreeMap::<String, usize>::new();
    for agent in &model.agents.all {
        if agent.binding == Binding::Inbox {
            open.entry(agent.address.to_string()).or_default();
        }
    }
    let home = model.home();
    let tasks = if model.inbox.open.is_empty() {
        model.inbox.tasks.rows()
    } else {
        &model.inbox.open
    };
    for task in tasks {
        for name in &task.assignees {
            if let Ok(address) = Address::parse(name, &home) {
                open.entry(address.to_string()).or_default();
            }
        }
        *open.entry(holder(task)).or_default() += 1;
    }
    let mut people: Vec<Person> = open
        .into_iter()
        .map(|(address, open)| Person {
            name: address.rsplit('/').next().unwrap_or(&address).to_owned(),
            address,
            open,
        })
        .collect();
    people.sort_by(|one, other| (one.open, &one.name).cmp(&(other.open, &other.name)));
    people
}

/// Who has the task now.
fn holder(task: &TaskRow) -> String {
    task.delegated_to
        .clone()
        .unwrap_or_else(|| task.owner.to_string())
}

/// Lets an open strip know of people that were read meanwhile.
pub(in crate::console::update) fn came(model: &mut Model) {
    let people = of(model);
    if let Some(strip) = model.strip.as_mut().filter(|strip| strip.people != people) {
        strip.meet(people);
    }
}

/// Whether the open strip lets one pick a person, so that agents have to be read.
pub(in crate::console::update) fn are_needed(model: &Model) -> bool {
    use crate::console::model::strip::entry::Key;
    let strip = model.strip.as_ref();
    strip.is_some_and(|strip| strip.entries.iter().any(|entry| entry.key == Key::Assignee))
}
