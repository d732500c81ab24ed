//! Whether a key would do something here, for the hint lines: the same questions that the keys ask.

use crate::console::action::Action;
use crate::console::action::place::Place;
use crate::console::model::Model;
use crate::console::model::detail::Sheet;
use crate::console::regroup::GroupBy;
use crate::domain::ids::IntentId;
use crate::domain::job::JobState;

use super::{acts, agents, comparing, handing, panels, scopes};

/// Whether an action does something where we are that is worth a hint.
pub(crate) fn is_of_use(model: &Model, action: Action) -> bool {
    let is_intent = model.view.intent.is_some();
    let place = model.view.place;
    match action {
        Action::Sort => !is_intent && !super::sorting::orders(place).is_empty(),
        Action::Filter if is_intent => super::intent::can_search(model),
        Action::Filter => !matches!(place, Place::Overview | Place::Jobs),
        Action::Mark => {
            !is_intent
                && (matches!(place, Place::Intents | Place::Inbox)
                    || (place == Place::DeadLetters && model.pane() == 1))
        }
        Action::NextPane => is_intent || Model::panes_of(place) > 1,
        Action::Follow | Action::Pause => {
            !is_intent && !matches!(place, Place::Inbox | Place::Agents)
        }
        Action::Undo => !model.staged.is_empty(),
        Action::Back => is_intent || model.pane() > 0 || model.depth > 0,
        Action::LastView => !model.back.is_empty(),
        Action::Explain => {
            is_intent || !matches!(place, Place::Attempts | Place::Jobs | Place::Audit)
        }
        Action::Open => has_row(model),
        Action::Replay => acts::again(model).is_ok(),
        Action::EditReplay => matches!(acts::again(model), Ok(acts::Again::Replay(_))),
        Action::TakeGroup | Action::OwnGroup | Action::MuteGroup => {
            has_group(model) && model.dead.by == GroupBy::Error
        }
        Action::Export => !is_intent && place != Place::Overview,
        Action::JobReplayFailed => super::jobs::replay_failed(model).is_ok(),
        Action::ReplayMany | Action::DiscardMany => {
            scopes::letters(model).is_ok() || has_group(model)
        }
        Action::JobPause | Action::JobCancel => {
            let job = model.jobs.rows.live_row();
            job.is_ok_and(|job| !job.state.is_finished())
        }
        Action::CancelMany => panels::to_cancel(model).is_ok(),
        Action::AgentPause | Action::AgentKill => model.agents.rows.live_row().is_ok(),
        Action::Diff => comparing::is_possible(model),
        Action::Take | Action::Delegate => {
            let task = model.inbox.tasks.live_row();
            task.is_ok_and(|task| task.is_open && !model.is_sent(task.intent))
        }
        Action::AgentLimit => agents::limit(model).is_ok(),
        Action::AgentBreaker => agents::reset_breaker(model).is_ok(),
        Action::ApproveMany | Action::RejectMany => model.inbox.tasks.marked() > 0,
        Action::Approve | Action::Reject | Action::Reply => {
            let task = model.inbox.tasks.live_row();
            task.is_ok_and(|task| task.decision.is_none() && !model.is_sent(task.intent))
        }
        Action::StripShowChange => {
            let strip = model.strip.as_ref();
            strip.is_some_and(|strip| strip.change.is_some())
        }
        Action::NextUndecided => model.inbox.tasks.rows().len() > 1,
        Action::Fold => match model.detail.sheet {
            Sheet::Payload => true,
            Sheet::Timeline => super::intent::can_fold(model),
            Sheet::Attempts | Sheet::Headers | Sheet::Lineage | Sheet::Raw => false,
        },
        Action::NextMatch => !model.detail.search.is_empty(),
        Action::CopyPath => model.detail.sheet == Sheet::Payload,
        Action::Axis => model.detail.sheet == Sheet::Attempts,
        _ => true,
    }
}

/// The words on the hint line, where they follow the row under the cursor.
pub(crate) fn label(model: &Model, action: Action) -> Option<&'static str> {
    match action {
        Action::Replay => match acts::again(model) {
            Ok(acts::Again::RetryNow(_)) => Some("retry now"),
            _ => None,
        },
        Action::AgentKill => {
            let agent = model.agents.rows.live_row().ok()?;
            Some(if agent.kill.is_some() {
                "revive"
            } else {
                "kill"
            })
        }
        Action::TakeGroup | Action::MuteGroup => super::groups::label(model, action),
        Action::Filter if model.view.intent.is_some() => Some("search"),
        Action::Take => {
            let task = model.inbox.tasks.live_row().ok()?;
            let is_taken = task.delegated_to.is_some() && handing::is_mine(model, task);
            Some(if is_taken { "give back" } else { "take" })
        }
        Action::StripNextOutcome => {
            let strip = model.strip.as_ref().filter(|strip| strip.is_long())?;
            Some(if strip.focus < strip.entries.len() {
                "next field"
            } else {
                "next outcome"
            })
        }
        Action::AgentPause => {
            let agent = model.agents.rows.live_row().ok()?;
            Some(if agent.pause.is_some() {
                "resume"
            } else {
                "pause"
            })
        }
        Action::JobPause => {
            let job = model.jobs.rows.live_row().ok()?;
            Some(if job.state == JobState::Paused {
                "resume"
            } else {
                "pause"
            })
        }
        _ => None,
    }
}

fn has_group(model: &Model) -> bool {
    model.view.intent.is_none()
        && model.view.place == Place::DeadLetters
        && model.dead.groups.live_row().is_ok()
}

/// Whether the entry under the cursor is about an intent.
fn opens(model: &Model) -> bool {
    let entry = model.audit.rows.cursor_row();
    entry.is_some_and(|entry| entry.target.parse::<IntentId>().is_ok())
}

fn has_row(model: &Model) -> bool {
    if model.view.intent.is_some() {
        return true;
    }
    match (model.view.place, model.pane()) {
        (Place::Inbox, _) => !model.inbox.tasks.is_empty(),
        (Place::Intents, _) => !model.intents.rows.is_empty(),
        (Place::Attempts, _) => !model.attempts.rows.is_empty(),
        (Place::DeadLetters, 0) => !model.dead.groups.is_empty(),
        (Place::DeadLetters, _) => !model.dead.letters.is_empty(),
        (Place::Agents | Place::Overview, 0) => !model.agents.rows.is_empty(),
        (Place::Agents, _) => !model.agents.attempts.is_empty(),
        (Place::Overview, _) => true,
        (Place::Jobs, 0) => !model.jobs.rows.is_empty(),
        (Place::Jobs, _) => {
            let job = model.jobs.job.as_ref();
            job.is_some_and(|job| !job.items.is_empty())
        }
        (Place::Audit, _) => opens(model),
    }
}
