//! `` ` ``: the way to what is on the screen, and what stands beside it at each level of it.

use crate::console::action::Action;
use crate::console::action::place::Place;
use crate::console::format;
use crate::console::model::overlay::Overlay;
use crate::console::model::{Model, View, Weight};
use crate::console::task::Task;
use crate::domain::address::Address;
use crate::domain::ids::IntentId;

use super::{keys, moves, navigate};

/// One level of the way.
#[derive(Debug)]
pub(crate) struct Level {
    /// What we are in at this level.
    pub(crate) name: String,
    /// Everything at this level, itself among them.
    pub(crate) siblings: Vec<Sibling>,
}

/// Something at a level.
#[derive(Debug)]
pub(crate) struct Sibling {
    /// Its name.
    pub(crate) name: String,
    /// What it is.
    pub(crate) about: String,
    goal: Goal,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Goal {
    Desk(Place),
    Group(String),
    Task(IntentId),
    Agent(Address),
    Intent(IntentId),
}

/// The levels, the desk first.
pub(crate) fn levels(model: &Model) -> Vec<Level> {
    let mut levels = vec![desks(model)];
    levels.extend(match model.view.place {
        Place::DeadLetters if model.pane() == 1 || model.view.intent.is_some() => groups(model),
        Place::Inbox if model.view.intent.is_none() => tasks(model),
        Place::Agents if model.view.intent.is_none() => agents(model),
        _ => None,
    });
    levels.extend(intents(model));
    levels
}

/// The place of what we are in, among its siblings.
pub(crate) fn here(level: &Level) -> usize {
    let mut siblings = level.siblings.iter();
    siblings
        .position(|sibling| sibling.name == level.name)
        .unwrap_or(0)
}

fn desks(model: &Model) -> Level {
    let desk = |(place, number): (Place, u8)| Sibling {
        name: place.titles().0.to_owned(),
        about: format!("key {number}"),
        goal: Goal::Desk(place),
    };
    Level {
        name: model.view.place.titles().0.to_owned(),
        siblings: Place::ALL.into_iter().zip(1..).map(desk).collect(),
    }
}

fn groups(model: &Model) -> Option<Level> {
    let group = model.dead.letters_of.as_deref()?;
    let siblings = model.dead.groups.rows().iter().map(|group| Sibling {
        name: model.dead.label(&group.fingerprint),
        about: format!(
            "{} of {}: {}",
            format::count(group.count),
            group.to.name(),
            group.message
        ),
        goal: Goal::Group(group.fingerprint.clone()),
    });
    Some(Level {
        name: model.dead.label(group),
        siblings: siblings.collect(),
    })
}

fn tasks(model: &Model) -> Option<Level> {
    let here = model.inbox.tasks.cursor()?.short();
    let siblings = model.inbox.tasks.rows().iter().map(|task| Sibling {
        name: task.intent.short(),
        about: format!("{}: {}", task.task_type, task.title),
        goal: Goal::Task(task.intent),
    });
    Some(Level {
        name: here,
        siblings: siblings.collect(),
    })
}

fn agents(model: &Model) -> Option<Level> {
    let here = model.agents.rows.cursor()?.name().to_owned();
    let siblings = model.agents.rows.rows().iter().map(|agent| Sibling {
        name: agent.address.name().to_owned(),
        about: format!("{}, {}", agent.binding, agent.state.name()),
        goal: Goal::Agent(agent.address.clone()),
    });
    Some(Level {
        name: here,
        siblings: siblings.collect(),
    })
}

/// The intent that is open, among those of the list it was opened from.
fn intents(model: &Model) -> Option<Level> {
    let open = model.view.intent?;
    let sibling = |id: IntentId, about: String| Sibling {
        name: id.short(),
        about,
        goal: Goal::Intent(id),
    };
    let mut siblings: Vec<Sibling> = match model.view.place {
        Place::DeadLetters => {
            let letters = model.dead.letters.rows().iter();
            let about = |at| format!("dead at {}", format::clock(at));
            letters
                .map(|letter| sibling(letter.intent, about(letter.dead_at)))
                .collect()
        }
        Place::Inbox => {
            let tasks = model.inbox.tasks.rows().iter();
            tasks
                .map(|task| sibling(task.intent, format!("{}: {}", task.task_type, task.title)))
                .collect()
        }
        Place::Intents => {
            let rows = model.intents.rows.rows().iter();
            rows.map(|row| sibling(row.id, format!("{} to {}", row.status, row.to.name())))
                .collect()
        }
        Place::Overview | Place::Attempts | Place::Agents | Place::Jobs | Place::Audit => {
            Vec::new()
        }
    };
    if siblings
        .iter()
        .all(|sibling| sibling.goal != Goal::Intent(open))
    {
        siblings.insert(0, sibling(open, "this one".to_owned()));
    }
    Some(Level {
        name: open.short(),
        siblings,
    })
}

/// Opens them at the innermost level; closes them again.
pub(super) fn open(model: &mut Model) {
    if matches!(model.overlay, Some(Overlay::Crumbs { .. })) {
        model.overlay = None;
        return;
    }
    let levels = levels(model);
    let level = levels.len().saturating_sub(1);
    let cursor = levels.last().map_or(0, here);
    model.overlay = Some(Overlay::Crumbs { level, cursor });
}

/// Tab: the next level, or the one before.
pub(super) fn turn(model: &mut Model, is_forward: bool) {
    let levels = levels(model);
    let count = levels.len().max(1);
    if let Some(Overlay::Crumbs { level, cursor }) = &mut model.overlay {
        *level = (*level + if is_forward { 1 } else { count - 1 }) % count;
        *cursor = levels.get(*level).map_or(0, here);
    }
}

/// The cursor moves among siblings.
pub(super) fn go(model: &mut Model, action: Action) {
    let levels = levels(model);
    if let Some(Overlay::Crumbs { level, cursor }) = &mut model.overlay {
        let count = levels.get(*level).map_or(0, |level| level.siblings.len());
        *cursor = moves::step(*cursor, count, 8, action);
    }
}

/// Enter: to the sibling under the cursor.
pub(super) fn accept(model: &mut Model, is_repeat: bool, tasks: &mut Vec<Task>) {
    let Some(Overlay::Crumbs { level, cursor }) = model.overlay else {
        return;
    };
    let goal = levels(model)
        .into_iter()
        .nth(level)
        .and_then(|level| level.siblings.into_iter().nth(cursor))
        .map(|sibling| sibling.goal);
    model.overlay = None;
    match goal {
        None => model.say(Weight::Info, "nothing stands there any more"),
        Some(Goal::Desk(place)) => {
            keys::run(model, place.action(), is_repeat, tasks);
        }
        Some(Goal::Group(fingerprint)) => {
            if model.view.intent.is_some() {
                navigate::back(model);
            }
            model.dead.groups.go_to_key(&fingerprint);
            navigate::set_pane(model, 1);
        }
        Some(Goal::Task(intent)) => {
            model.inbox.tasks.go_to_key(&intent);
        }
        Some(Goal::Agent(agent)) => {
            model.agents.rows.go_to_key(&agent);
        }
        Some(Goal::Intent(intent)) => beside(model, intent),
    }
}

/// Opens an intent in the place of the one that is open: Esc leads from both to the same list.
fn beside(model: &mut Model, intent: IntentId) {
    match model.view.place {
        Place::DeadLetters => drop(model.dead.letters.go_to_key(&intent)),
        Place::Inbox => drop(model.inbox.tasks.go_to_key(&intent)),
        Place::Intents => drop(model.intents.rows.go_to_key(&intent)),
        Place::Overview | Place::Attempts | Place::Agents | Place::Jobs | Place::Audit => {}
    }
    let (back, depth) = (model.back.clone(), model.depth);
    model.go(View {
        place: model.view.place,
        intent: Some(intent),
    });
    (model.back, model.depth) = (back, depth);
}
