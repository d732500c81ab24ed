//! What the palette and help propose: actions, desks, agents, themes, ids, filters.

use crate::console::action::place::Place;
use crate::console::action::{Action, Context, Spec};
use crate::console::model::Model;
use crate::console::model::overlay::{Choice, Overlay, Proposal};
use crate::console::regroup::GroupBy;

/// Fewest characters of an id that are looked up.
const ID_LEAST: usize = 4;

/// The proposals for what is typed, best first.
pub(crate) fn proposals(model: &Model) -> Vec<Proposal> {
    match &model.overlay {
        Some(Overlay::Help(picker)) => {
            let text = picker.text().to_lowercase();
            let mut actions = actions(model);
            actions.sort_by_key(|action| action.off.is_some());
            actions
                .into_iter()
                .filter(|one| contains(one, text.trim()))
                .collect()
        }
        Some(Overlay::Palette(picker)) => palette(model, picker.text().trim()),
        _ => Vec::new(),
    }
}

/// Help finds what contains every word.
fn contains(proposal: &Proposal, text: &str) -> bool {
    let whole = format!("{} {} {}", proposal.key, proposal.name, proposal.sentence).to_lowercase();
    text.split_whitespace().all(|word| whole.contains(word))
}

fn palette(model: &Model, text: &str) -> Vec<Proposal> {
    let (verb, rest) = match text.split_once(' ') {
        Some((verb, rest)) => (verb, rest.trim()),
        None => (text, ""),
    };
    let mut all = Vec::new();
    match verb {
        "theme" | "themes" => all.extend(themes(model, rest)),
        "intent" | "id" => all.extend(ids(model, rest)),
        "agent" => all.extend(agents(model, rest)),
        "group" | "groups" => all.extend(gatherings(model, rest)),
        "view" | "views" => all.extend(super::views::proposals(model, rest)),
        "dead" if !rest.is_empty() => all.push(filter_of(Place::DeadLetters, rest)),
        "intents" if !rest.is_empty() => all.push(filter_of(Place::Intents, rest)),
        "attempts" if !rest.is_empty() => all.push(filter_of(Place::Attempts, rest)),
        "inbox" if !rest.is_empty() => all.push(filter_of(Place::Inbox, rest)),
        "q" | "quit" | "exit" => all.push(run(Action::QuitAll, "quit", "Quit", model)),
        _ => {}
    }
    let looks_like_id = text.len() >= ID_LEAST
        && text
            .chars()
            .all(|one| one.is_ascii_hexdigit() || one == '-')
        && text.chars().any(|one| one.is_ascii_digit());
    if looks_like_id {
        all.extend(ids(model, text));
    }
    let mut ranked: Vec<(i64, Proposal)> = actions(model)
        .into_iter()
        .chain(desks(model))
        .filter_map(|one| score(text, &one).map(|score| (score, one)))
        .collect();
    ranked.sort_by_key(|(score, one)| (one.off.is_some(), -score));
    all.extend(ranked.into_iter().map(|(_, one)| one));
    if all.is_empty() || (rest.is_empty() && text.len() >= 2) {
        all.extend(agents(model, text));
    }
    all
}

fn desks(model: &Model) -> impl Iterator<Item = Proposal> {
    Place::ALL.into_iter().map(|place| {
        let (title, _) = place.titles();
        run(
            place.action(),
            &title.to_lowercase(),
            &format!("Go to {title}"),
            model,
        )
    })
}

fn run(action: Action, name: &str, sentence: &str, model: &Model) -> Proposal {
    let context = model.desk_context();
    let key = model
        .keymap
        .chords_of(action, context)
        .first()
        .map(ToString::to_string);
    Proposal {
        choice: Choice::Run(action),
        name: name.to_owned(),
        sentence: sentence.to_owned(),
        key: key.unwrap_or_default(),
        off: None,
    }
}

/// Every action of the registry, those of this place first.
fn actions(model: &Model) -> Vec<Proposal> {
    let context = model.desk_context();
    model
        .keymap
        .entries(context)
        .into_iter()
        .filter(|entry| !belongs_to_overlays(entry.spec))
        .map(|entry| Proposal {
            choice: Choice::Run(entry.spec.action),
            name: entry.spec.name.to_owned(),
            sentence: entry.spec.sentence.to_owned(),
            key: entry.keys.join(" "),
            off: why_off(entry.spec, entry.applies),
        })
        .collect()
}

fn belongs_to_overlays(spec: &Spec) -> bool {
    spec.contexts
        .iter()
        .all(|context| matches!(context, Context::Strip | Context::Panel | Context::Field))
}

fn why_off(spec: &Spec, applies: bool) -> Option<String> {
    if spec.action.place().is_some() {
        return None;
    }
    if let Some(later) = spec.later {
        return Some(format!("not yet: {later}"));
    }
    if !applies {
        let places: Vec<&str> = spec.contexts.iter().map(|context| context.name()).collect();
        return Some(format!("only in {}", places.join(", ")));
    }
    None
}

/// How well a proposal fits what was typed; none when it does not.
fn score(text: &str, proposal: &Proposal) -> Option<i64> {
    if text.is_empty() {
        return Some(0);
    }
    let text = text.to_lowercase();
    let name = proposal.name.to_lowercase();
    let sentence = proposal.sentence.to_lowercase();
    if name.starts_with(&text) {
        return Some(100);
    }
    // A part of the name that begins so is meant rather than letters within one; a verb rather than its end.
    let parts = name.split(['.', '-', ' ']);
    if let Some(place) = parts.into_iter().position(|part| part.starts_with(&text)) {
        return Some(if place == 1 { 95 } else { 90 });
    }
    if name.contains(&text) {
        return Some(80);
    }
    if text
        .split_whitespace()
        .all(|word| name.contains(word) || sentence.contains(word))
    {
        return Some(60);
    }
    let mut letters = name.chars();
    let is_subsequence = text
        .chars()
        .filter(|one| *one != ' ')
        .all(|one| letters.any(|letter| letter == one));
    is_subsequence.then_some(20)
}

fn themes(model: &Model, rest: &str) -> Vec<Proposal> {
    let names = model
        .settings
        .themes
        .iter()
        .filter(|name| name.starts_with(rest));
    names
        .map(|name| Proposal {
            choice: Choice::Theme(name.clone()),
            name: format!("theme {name}"),
            sentence: "Use this theme".to_owned(),
            key: String::new(),
            off: None,
        })
        .collect()
}

fn gatherings(model: &Model, rest: &str) -> Vec<Proposal> {
    let now = model.dead.by;
    let fitting = GroupBy::ALL.into_iter();
    let fitting = fitting.filter(move |by| by.word().starts_with(rest));
    fitting
        .map(|by| Proposal {
            choice: Choice::Group(by),
            name: format!("group {}", by.word()),
            sentence: if by == now {
                format!("{} (as now)", by.sentence())
            } else {
                by.sentence().to_owned()
            },
            key: String::new(),
            off: None,
        })
        .collect()
}

fn agents(model: &Model, text: &str) -> Vec<Proposal> {
    let fitting = model
        .agents
        .all
        .iter()
        .filter(|agent| agent.address.key().contains(text));
    fitting
        .take(8)
        .map(|agent| Proposal {
            choice: Choice::Agent(agent.address.clone()),
            name: format!("agent {}", agent.address.name()),
            sentence: format!(
                "{} {}, {} queued",
                agent.binding,
                agent.state.name(),
                agent.queued
            ),
            key: String::new(),
            off: None,
        })
        .collect()
}

fn ids(model: &Model, text: &str) -> Vec<Proposal> {
    if text.len() < ID_LEAST {
        return Vec::new();
    }
    if let Ok(id) = text.parse() {
        return vec![Proposal {
            choice: Choice::Intent(id),
            name: format!("intent {text}"),
            sentence: "Open this intent".to_owned(),
            key: String::new(),
            off: None,
        }];
    }
    let found = match &model.overlay {
        Some(Overlay::Palette(picker)) => picker.found.as_ref(),
        _ => None,
    };
    match found.filter(|(asked, _)| asked == text) {
        Some((_, ids)) => ids
            .iter()
            .map(|(id, about)| Proposal {
                choice: Choice::Intent(*id),
                name: format!("intent {}", id.short()),
                sentence: about.clone(),
                key: String::new(),
                off: None,
            })
            .collect(),
        None => vec![Proposal {
            choice: Choice::Find(text.to_owned()),
            name: format!("find {text}"),
            sentence: "Look for intents whose id begins or ends so".to_owned(),
            key: String::new(),
            off: None,
        }],
    }
}

fn filter_of(place: Place, text: &str) -> Proposal {
    let (title, _) = place.titles();
    Proposal {
        choice: Choice::Filter(place, text.to_owned()),
        name: format!("{} {text}", title.to_lowercase()),
        sentence: format!("Go to {title} with this filter"),
        key: String::new(),
        off: None,
    }
}
