//! What the filter line offers while it is typed, and what it says about the terms that stand there.

use std::collections::BTreeSet;

use crate::console::action::place::Place;
use crate::console::filter::asked::is_at_once;
use crate::console::filter::{fields, pieces};
use crate::console::model::Model;
use crate::console::panes::words;
use crate::console::theme::Role;
use crate::domain::attempt::Outcome;
use crate::domain::failure::{DeadReason, ErrorClass};

/// Offers that are made at most.
const OFFERS_MAX: usize = 40;

/// What the last piece of the line could become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offer {
    /// The piece.
    pub(crate) text: String,
    /// What it asks for.
    pub(crate) about: String,
}

/// A term of the line with what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chip {
    /// As it stands in the line.
    pub(crate) text: String,
    /// How it is answered.
    pub(crate) verdict: Verdict,
}

/// How a term is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// By an index.
    AtOnce,
    /// By a search through everything else that fits.
    Searched,
    /// It is still being typed.
    Open,
    /// Not at all.
    Wrong,
}

impl Verdict {
    /// What stands beside the term, for those who see no colour.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::AtOnce => "",
            Self::Searched => " searches",
            Self::Open => " …",
            Self::Wrong => " ?",
        }
    }
}

/// The piece at the end of a line, and what stands before it; quotes keep spaces.
fn last_piece(line: &str) -> (&str, &str) {
    let mut is_quoted = false;
    let mut start = 0;
    for (at, letter) in line.char_indices() {
        is_quoted ^= letter == '"';
        if letter == ' ' && !is_quoted {
            start = at + 1;
        }
    }
    line.split_at_checked(start).unwrap_or((line, ""))
}

/// The terms of a line.
pub(crate) fn chips(place: Place, line: &str) -> Vec<Chip> {
    let (_, last) = last_piece(line);
    let all = pieces(line);
    let count = all.len();
    all.into_iter()
        .enumerate()
        .map(|(index, text)| {
            let is_typed = index + 1 == count && text == last;
            let verdict = match is_at_once(place, &text) {
                _ if is_typed && !offers_of_fields(place, &text).is_empty() => Verdict::Open,
                Ok(true) => Verdict::AtOnce,
                Ok(false) => Verdict::Searched,
                Err(_) if is_typed && is_begun(place, &text) => Verdict::Open,
                Err(_) => Verdict::Wrong,
            };
            Chip { text, verdict }
        })
        .collect()
}

/// Whether a piece may still become a term of this desk.
fn is_begun(place: Place, piece: &str) -> bool {
    let body = piece.trim_start_matches('!').to_lowercase();
    let Some(at) = body.find([':', '>', '<', '=']) else {
        return true;
    };
    let (name, rest) = body.split_at_checked(at).unwrap_or((&body, ""));
    let value = rest.trim_start_matches([':', '>', '<', '=']);
    fields::find(place, name).is_some_and(|field| {
        value.is_empty() || field.values.iter().any(|(one, _)| one.starts_with(value))
    })
}

/// A sentence about the last piece of a line.
pub(crate) fn about(place: Place, line: &str) -> (String, Role) {
    let (_, last) = last_piece(line);
    if last.is_empty() {
        let text = "fields and words; ! before one means not; the list says what fits";
        return (text.to_owned(), Role::Dim);
    }
    if let Err(problem) = is_at_once(place, last)
        && !is_begun(place, last)
    {
        return (problem, Role::Warn);
    }
    let body = last.trim_start_matches('!');
    let name = body.split([':', '>', '<', '=']).next().unwrap_or_default();
    let field = fields::find(place, name).filter(|_| name.len() < body.len());
    let how = match is_at_once(place, last) {
        Ok(true) => ", answered at once",
        Ok(false) => ", looked for in the background, Esc stops that",
        Err(_) => "",
    };
    let text = match field {
        Some(field) => format!("{} {}{how}", field.name, field.about),
        None if offers_of_fields(place, last).is_empty() => format!("the text {body}{how}"),
        None => "Tab takes the field; a word that is no field is looked for as text".to_owned(),
    };
    (text, Role::Dim)
}

fn offers_of_fields(place: Place, piece: &str) -> Vec<Offer> {
    let (not, body) = match piece.strip_prefix('!') {
        Some(body) => ("!", body.to_lowercase()),
        None => ("", piece.to_lowercase()),
    };
    fields::of(place)
        .iter()
        .filter(|field| field.name.starts_with(&body) && field.name != body)
        .map(|field| Offer {
            text: format!("{not}{}", field.name),
            about: field.about.to_owned(),
        })
        .collect()
}

/// What the last piece of a line could become.
pub(crate) fn offers(model: &Model, place: Place, line: &str) -> Vec<Offer> {
    let (_, last) = last_piece(line);
    let Some((name, typed)) = last.split_once(':') else {
        return offers_of_fields(place, last);
    };
    let Some(field) = fields::find(place, name.trim_start_matches('!')) else {
        return Vec::new();
    };
    let typed = typed.to_lowercase();
    let mut values: Vec<(String, String)> = if field.values.is_empty() {
        known_values(model, place, field.name)
    } else {
        let owned = |(value, about): &(&str, &str)| ((*value).to_owned(), (*about).to_owned());
        field.values.iter().map(owned).collect()
    };
    values.retain(|(value, _)| value.to_lowercase().contains(&typed) && *value != typed);
    values.sort_by_key(|(value, _)| !value.to_lowercase().starts_with(&typed));
    values.truncate(OFFERS_MAX);
    values
        .into_iter()
        .map(|(value, about)| Offer {
            text: format!("{name}:{value}"),
            about,
        })
        .collect()
}

/// The line with an offer taken; after a value the next term can begin.
pub(crate) fn completed(line: &str, offer: &Offer) -> String {
    let (before, _) = last_piece(line);
    let gap = if offer.text.ends_with([':', '>', '<', '=']) {
        ""
    } else {
        " "
    };
    format!("{before}{}{gap}", offer.text)
}

/// The values of a field that are on the desk now.
fn known_values(model: &Model, place: Place, field: &str) -> Vec<(String, String)> {
    let named = |names: &[&str], about: &str| -> Vec<(String, String)> {
        let pair = |name: &&str| ((*name).to_owned(), about.to_owned());
        names.iter().map(pair).collect()
    };
    match field {
        "agent:" => {
            let agents = model.agents.all.iter();
            agents
                .map(|agent| {
                    let about = format!("{} {}", agent.binding, agent.state.name());
                    (agent.address.name().to_owned(), about)
                })
                .collect()
        }
        "from:" => {
            let rows = model.intents.rows.rows().iter().map(|row| row.from.name());
            let tasks = model.inbox.open.iter().map(|task| task.from.name());
            distinct(rows.chain(tasks).collect(), "a sender on this list")
        }
        "type:" => {
            let rows = model.intents.rows.rows().iter();
            let groups = model.dead.read.iter();
            let types = rows
                .map(|row| row.intent_type.as_str())
                .chain(groups.map(|group| group.intent_type.as_str()));
            distinct(types.collect(), "a type on this list")
        }
        "group:" => {
            let groups = model.dead.read.iter();
            groups
                .map(|group| {
                    let label = words::group_label(&group.fingerprint);
                    (label, format!("{} {}", group.to.name(), group.message))
                })
                .collect()
        }
        "outcome:" => named(&Outcome::ALL.map(Outcome::name), "an outcome"),
        "reason:" => named(&DeadReason::ALL.map(DeadReason::name), "a reason"),
        "err:" if place != Place::Intents => named(
            &ErrorClass::ALL.map(ErrorClass::name),
            "a class of failures",
        ),
        "who:" => {
            let rows = model.audit.rows.rows().iter();
            let names = rows.filter_map(|row| row.actor.rsplit('/').next());
            distinct(names.collect(), "on this list")
        }
        "action:" => {
            let rows = model.audit.rows.rows().iter();
            distinct(
                rows.map(|row| row.action.as_str()).collect(),
                "on this list",
            )
        }
        "via:" => named(&["api", "console", "cli"], "a way in"),
        _ => Vec::new(),
    }
}

fn distinct(texts: BTreeSet<&str>, about: &str) -> Vec<(String, String)> {
    texts
        .into_iter()
        .map(|text| (text.to_owned(), about.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts(line: &str) -> Vec<Verdict> {
        let chips = chips(Place::Intents, line);
        chips.into_iter().map(|chip| chip.verdict).collect()
    }

    #[test]
    fn each_term_says_how_it_is_answered() {
        use Verdict::{AtOnce, Open, Searched, Wrong};
        assert_eq!(
            verdicts("state:dead agent:b* \"some text\" colour:red "),
            [AtOnce, Searched, Searched, Wrong]
        );
        assert_eq!(verdicts("sta"), [Open]);
        assert_eq!(verdicts("state:"), [Open]);
        assert_eq!(verdicts("state:de"), [Open]);
        assert_eq!(verdicts("state:purple"), [Wrong]);
        assert_eq!(verdicts("state:dead-letters"), [AtOnce]);
    }

    #[test]
    fn an_unknown_field_is_explained_as_soon_as_it_cannot_become_one() {
        assert_eq!(about(Place::Intents, "col").1, Role::Dim);
        let (said, role) = about(Place::Intents, "agnt:x");
        assert_eq!(role, Role::Warn);
        assert!(said.contains("did you mean agent:?"), "{said}");
        let (said, _) = about(Place::Intents, "state:dead agent:b*");
        assert!(said.contains("in the background"), "{said}");
    }

    #[test]
    fn a_taken_value_ends_its_term_and_a_taken_field_waits_for_its_value() {
        let offer = |text: &str| Offer {
            text: text.to_owned(),
            about: String::new(),
        };
        assert_eq!(
            completed("state:dead ag", &offer("agent:")),
            "state:dead agent:"
        );
        assert_eq!(
            completed("agent:bil", &offer("agent:billing")),
            "agent:billing "
        );
        assert_eq!(
            completed("\"a b\" at", &offer("attempts>=")),
            "\"a b\" attempts>="
        );
    }
}
