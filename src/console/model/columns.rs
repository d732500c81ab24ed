//! Which columns of a list its operator wants to see.

use std::collections::BTreeMap;

use crate::console::action::place::Place;
use crate::console::model::Model;
use crate::console::widgets::table::columns::Column;

/// A list whose columns can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ListName {
    /// Tasks.
    Inbox,
    /// Intents.
    Intents,
    /// Attempts.
    Attempts,
    /// Groups of dead letters.
    Groups,
    /// The letters of a group.
    Letters,
    /// Agents.
    Agents,
    /// Jobs.
    Jobs,
    /// Who did what.
    Audit,
}

impl ListName {
    /// Every one.
    pub(crate) const ALL: [Self; 8] = [
        Self::Inbox,
        Self::Intents,
        Self::Attempts,
        Self::Groups,
        Self::Letters,
        Self::Agents,
        Self::Jobs,
        Self::Audit,
    ];

    /// Its name in the memory and on the screen.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Intents => "intents",
            Self::Attempts => "attempts",
            Self::Groups => "groups",
            Self::Letters => "letters",
            Self::Agents => "agents",
            Self::Jobs => "jobs",
            Self::Audit => "audit",
        }
    }

    /// The list of that name.
    pub(crate) fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|list| list.word() == word)
    }

    /// The list that has the focus; none where there is none with columns to choose.
    pub(crate) fn in_focus(model: &Model) -> Option<Self> {
        if model.view.intent.is_some() {
            return None;
        }
        Some(match (model.view.place, model.pane()) {
            (Place::Inbox, 0) => Self::Inbox,
            (Place::Intents, 0) => Self::Intents,
            (Place::Attempts, 0) => Self::Attempts,
            (Place::DeadLetters, 0) => Self::Groups,
            (Place::DeadLetters, 1) => Self::Letters,
            (Place::Agents, 0) => Self::Agents,
            (Place::Jobs, 0) => Self::Jobs,
            (Place::Audit, 0) => Self::Audit,
            _ => return None,
        })
    }
}

/// What was chosen, by list and heading; the rest is as it comes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Chosen(BTreeMap<ListName, BTreeMap<String, bool>>);

impl Chosen {
    /// Whether a column is shown where there is room for it.
    pub(crate) fn is_shown(&self, list: ListName, column: &Column) -> bool {
        let said = self.0.get(&list).and_then(|said| said.get(column.title));
        column.importance == 0 || said.copied().unwrap_or(!column.is_optional)
    }

    /// Shows what was hidden and the other way round. What a list is about stays.
    pub(crate) fn toggle(&mut self, list: ListName, column: &Column) {
        if column.importance == 0 {
            return;
        }
        let is_shown = self.is_shown(list, column);
        let said = self.0.entry(list).or_default();
        if is_shown == column.is_optional {
            // As it comes.
            said.remove(column.title);
        } else {
            said.insert(column.title.to_owned(), !is_shown);
        }
    }

    /// The places of the columns that are shown, with each column. One that was asked for does not leave before
    /// others do.
    pub(crate) fn of(&self, list: ListName, columns: &[Column]) -> Vec<(usize, Column)> {
        let shown = columns.iter().copied().enumerate();
        shown
            .filter(|(_, column)| self.is_shown(list, column))
            .map(|(place, column)| {
                let importance = if column.is_optional {
                    column.importance.min(1)
                } else {
                    column.importance
                };
                (
                    place,
                    Column {
                        importance,
                        ..column
                    },
                )
            })
            .collect()
    }

    /// For the memory: lists by name, headings and whether each is shown.
    pub(crate) fn words(&self) -> BTreeMap<String, BTreeMap<String, bool>> {
        let lists = self.0.iter().filter(|(_, said)| !said.is_empty());
        lists
            .map(|(list, said)| (list.word().to_owned(), said.clone()))
            .collect()
    }

    /// From the memory. What is unknown here is left out.
    pub(crate) fn of_words(words: BTreeMap<String, BTreeMap<String, bool>>) -> Self {
        let lists = words.into_iter();
        Self(
            lists
                .filter_map(|(list, said)| Some((ListName::named(&list)?, said)))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[
        Column::new("JOB", 0, 3, 3),
        Column::new("RATE", 7, 4, 4),
        Column::new("WHY", 8, 4, 4).optional(),
    ];

    fn shown(chosen: &Chosen) -> Vec<&'static str> {
        let columns = chosen.of(ListName::Jobs, COLUMNS);
        columns.iter().map(|(_, column)| column.title).collect()
    }

    #[test]
    fn what_is_toggled_twice_is_as_it_comes_and_what_a_list_is_about_stays() {
        let mut chosen = Chosen::default();
        assert_eq!(shown(&chosen), ["JOB", "RATE"]);
        for column in COLUMNS {
            chosen.toggle(ListName::Jobs, column);
        }
        assert_eq!(shown(&chosen), ["JOB", "WHY"]);
        assert_eq!(chosen.of(ListName::Jobs, COLUMNS)[1].0, 2);
        let again = Chosen::of_words(chosen.words());
        assert_eq!(shown(&again), ["JOB", "WHY"]);
        for column in COLUMNS {
            chosen.toggle(ListName::Jobs, column);
        }
        assert_eq!(chosen.words(), BTreeMap::new());
    }
}
