//! Groups of dead letters: whose they are, muting them, saying that they are dealt with.

use crate::console::action::Action;
use crate::console::action::place::Place;
use crate::console::format;
use crate::console::model::Model;
use crate::console::model::panel::{Ask, Deed, Focus, Panel, Rule};
use crate::console::panes::words;
use crate::console::regroup::GroupBy;
use crate::console::task::Task;
use crate::desk::act::Act;
use crate::desk::rows::LetterGroupRow;
use crate::domain::address::{Address, Home};
use crate::domain::group::{GroupChange, GroupStand, GroupState};

use super::acts;
use super::panels::{fact, panel};

/// The group that the keys of groups act on.
fn group(model: &Model) -> Result<&LetterGroupRow, String> {
    if model.view.place != Place::DeadLetters || model.view.intent.is_some() {
        return Err("groups are on the desk of dead letters".to_owned());
    }
    if model.dead.by != GroupBy::Error {
        return Err("whose it is is said of letters with one error: :group error".to_owned());
    }
    model.dead.groups.live_row()
}

fn is_mine(model: &Model, group: &LetterGroupRow) -> bool {
    group.owner.is_some() && group.owner.as_ref() == model.identity()
}

/// The words on the hint line.
pub(super) fn label(model: &Model, action: Action) -> Option<&'static str> {
    let group = group(model).ok()?;
    let is_muted = group.state == GroupState::Said(GroupStand::Muted);
    Some(match action {
        Action::TakeGroup if is_mine(model, group) => "give back",
        Action::TakeGroup => "take",
        _ if is_muted => "unmute",
        _ => "mute",
    })
}

/// `m`: the group is mine, or nobody's again. A panel, as everything that others feel.
pub(super) fn take(model: &Model) -> Result<Panel, String> {
    let group = group(model)?;
    let me = model.identity().ok_or("nobody is signed in")?;
    let (owner, stand, verb) = if is_mine(model, group) {
        (String::new(), GroupStand::New, "Give back")
    } else {
        (me.name().to_owned(), GroupStand::Acknowledged, "Take")
    };
    let label = words::group_label(&group.fingerprint);
    let mut panel = own(model)?;
    panel.title = format!("{verb} group {label}");
    panel.button = verb;
    for ask in &mut panel.asks {
        match ask.name {
            "owner" => ask.set(&owner),
            "state" => ask.set(stand.name()),
            _ => {}
        }
    }
    // What is to be said stands there already; only the reason is missing.
    let why = panel.asks.iter().position(|ask| ask.name == "why");
    panel.focus = why.map_or(panel.focus, Focus::Ask);
    Ok(panel)
}

/// `@`: owner, note, and whether it is dealt with.
pub(super) fn own(model: &Model) -> Result<Panel, String> {
    let group = group(model)?;
    let label = words::group_label(&group.fingerprint);
    let deed = Deed::Mark(group.fingerprint.clone(), GroupChange::default());
    let mut panel = panel(model, deed, format!("Owner of group {label}"), "Keep");
    let stands = GroupStand::ALL
        .map(|stand| stand.name().to_owned())
        .to_vec();
    let mut state = Ask::choice("state", stands);
    let now = match group.state {
        GroupState::Regressed => GroupStand::New,
        GroupState::Said(stand) => stand,
    };
    state.set(now.name());
    let mut owner = Ask::new("owner", Rule::Optional);
    owner.set(
        &group
            .owner
            .as_ref()
            .map(|one| one.name().to_owned())
            .unwrap_or_default(),
    );
    let mut note = Ask::new("note", Rule::Optional);
    note.set(group.note.as_deref().unwrap_or_default());
    let why = panel.asks.pop();
    panel.asks = vec![state, owner, note];
    panel.asks.extend(why);
    panel.focus = Focus::Ask(0);
    panel.facts = vec![
        fact(
            "group",
            format!(
                "{} of {}: {}",
                format::count(group.count),
                group.to.name(),
                group.message
            ),
        ),
        fact(
            "state",
            "Space chooses; resolved becomes regressed when another letter dies",
        ),
        fact("owner", "who looks after it; empty for nobody"),
    ];
    Ok(panel)
}

/// `M`: hides it where attention is asked for, or shows it again.
pub(super) fn mute(model: &Model) -> Result<Panel, String> {
    let group = group(model)?;
    let label = words::group_label(&group.fingerprint);
    let is_muted = group.state == GroupState::Said(GroupStand::Muted);
    let (stand, verb, button, effect) = if is_muted {
        (
            GroupStand::New,
            "Unmute",
            "Unmute",
            "it asks for attention again",
        )
    } else {
        (
            GroupStand::Muted,
            "Mute",
            "Mute",
            "hides it from what needs attention; letters are kept, and later ones die as ever",
        )
    };
    let change = GroupChange {
        stand: Some(stand),
        ..GroupChange::default()
    };
    let deed = Deed::Mark(group.fingerprint.clone(), change);
    let mut panel = panel(model, deed, format!("{verb} group {label}"), button);
    panel.facts = vec![
        fact(
            "group",
            format!(
                "{} of {}: {}",
                format::count(group.count),
                group.to.name(),
                group.message
            ),
        ),
        fact("effect", effect),
        fact("back", "M again takes it back"),
    ];
    Ok(panel)
}

/// Whether what was typed makes sense.
///
/// # Errors
/// What is wrong with the owner.
pub(super) fn check(panel: &Panel, home: &Home) -> Result<(), String> {
    let owner = panel.text("owner");
    match panel.deed {
        Deed::Mark(..) if !owner.is_empty() => Address::parse(&owner, home)
            .map(drop)
            .map_err(|error| format!("owner: {error}")),
        _ => Ok(()),
    }
}

/// The deed with what was typed.
pub(super) fn with_options(deed: Deed, panel: &Panel, home: &Home) -> Deed {
    match deed {
        Deed::Mark(fingerprint, _) if panel.asks.iter().any(|ask| ask.name == "owner") => {
            let owner = Address::parse(&panel.text("owner"), home).ok();
            let note = Some(panel.text("note")).filter(|note| !note.is_empty());
            let change = GroupChange {
                stand: GroupStand::from_name(&panel.text("state")),
                owner: Some(owner),
                note: Some(note),
            };
            Deed::Mark(fingerprint, change)
        }
        other => other,
    }
}

/// Says it.
pub(super) fn send(
    model: &mut Model,
    fingerprint: String,
    change: GroupChange,
    reason: Option<String>,
    tasks: &mut Vec<Task>,
) {
    let label = words::group_label(&fingerprint);
    let what = match change.stand {
        Some(stand) => format!("group {label} {}", stand.name()),
        None => format!("group {label}"),
    };
    let act = Act::MarkGroup {
        fingerprint,
        change,
        reason,
    };
    acts::send(model, None, what, "mark".to_owned(), act, tasks);
}
