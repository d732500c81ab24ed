//! From keys to actions. Speed matters here: what comes faster than anybody types is a paste.

use crossterm::event::{KeyEvent, KeyEventKind};

use crate::console::action::{Action, Context};
use crate::console::keymap::chord::{key_of, key_text};
use crate::console::keymap::{Lookup, is_text_key};
use crate::console::model::overlay::Overlay;
use crate::console::model::{GUARD_MS, Model, Pressed, Weight};
use crate::console::task::Task;
use crate::console::widgets::field::Field;
use crate::console::widgets::json::Direction;

use super::{
    acts, comparing, copy, decide, editing, explain, handing, intent, moves, navigate, order,
    overlays, panels, sorting,
};

/// Keys that follow each other faster than this were not typed one by one.
const BURST_GAP_MS: u64 = 8;
/// So many of them make a paste that the terminal did not mark.
const BURST_KEYS: u32 = 4;
/// Ctrl-C twice within this quits.
const CLOSE_TWICE_MS: u64 = 1_000;

/// Takes a key.
pub(super) fn key(model: &mut Model, event: KeyEvent, tasks: &mut Vec<Task>) {
    if event.kind == KeyEventKind::Release {
        return;
    }
    let is_repeat = event.kind == KeyEventKind::Repeat;
    if !is_repeat {
        model.typing.opened_by = None;
    }
    let now = model.at;
    let is_fast = model
        .typing
        .last
        .is_some_and(|last| now.millis_since(last) < BURST_GAP_MS);
    model.typing.burst = if is_fast {
        model.typing.burst.saturating_add(1)
    } else {
        0
    };
    model.typing.last = Some(now.mono);
    let key = key_of(event);
    let context = model.context();
    let is_typing = context.is_text()
        || matches!(&model.overlay, Some(Overlay::Panel(panel)) if panel.is_typing());
    let mut pressed = std::mem::take(&mut model.pressed).keys;
    let is_first = pressed.is_empty();
    pressed.push(key);
    if !is_first && key_text(key) == "Esc" {
        return;
    }
    let looking = if decide::is_looking(model) && is_first {
        model.keymap.lookup(Context::Diff, false, &pressed)
    } else {
        Lookup::None
    };
    let found = match looking {
        Lookup::None => model.keymap.lookup(context, is_typing, &pressed),
        found => found,
    };
    match found {
        Lookup::Action(Action::StripAnswer) => decide::answer(model, digit_of(key)),
        // A key that opened the strip and is still held down is not meant for its field.
        Lookup::None if is_repeat && model.typing.opened_by == Some(event.code) => {}
        Lookup::Action(action) if leads_out_of_panel(model, action) && is_text_key(key) => {
            model.say(Weight::Info, "Esc leaves the panel first");
        }
        Lookup::Action(action) => {
            let had_strip = model.strip.is_some();
            run(model, action, is_repeat, tasks);
            if !had_strip && model.strip.is_some() {
                model.typing.opened_by = Some(event.code);
            }
        }
        Lookup::Pending(follows) => {
            model.pressed = Pressed {
                keys: pressed,
                follows,
                since: now.mono,
            };
        }
        Lookup::None if !is_first => {
            let keys: Vec<String> = pressed.into_iter().map(key_text).collect();
            model.say(
                Weight::Warn,
                format!("{} means nothing here", keys.join(" ")),
            );
        }
        Lookup::None if is_typing => type_key(model, event),
        Lookup::None => means_nothing(model, key, is_repeat),
    }
}

/// Silence would look like a console that hangs. Over a desk the hint line has every key that there is.
fn means_nothing(model: &mut Model, key: crokey::KeyCombination, is_repeat: bool) {
    if !is_repeat && model.overlay.is_none() && model.strip.is_none() {
        let text = format!("{} means nothing here; ? shows what does", key_text(key));
        model.say(Weight::Info, text);
    }
}

/// Whether an action has nothing to do with the panel that is open. A letter of it was meant for a field, and
/// must neither close the panel nor put something in its place.
fn leads_out_of_panel(model: &Model, action: Action) -> bool {
    model.context() == Context::Panel
        && !action.spec().contexts.contains(&Context::Panel)
        && !matches!(
            action,
            Action::Help | Action::Back | Action::Quit | Action::QuitAll
        )
}

/// The number of the answer that a chord stands for: its digit.
fn digit_of(key: crokey::KeyCombination) -> usize {
    let digit = key_text(key)
        .chars()
        .last()
        .and_then(|last| last.to_digit(10));
    digit
        .and_then(|digit| usize::try_from(digit).ok())
        .unwrap_or(0)
}

/// Gives a key to the text field that has the focus.
fn type_key(model: &mut Model, event: KeyEvent) {
    let is_text = is_text_key(key_of(event));
    if let Some(Overlay::Filter(picker)) = &mut model.overlay
        && is_text
        && !picker.is_touched
        && key_text(key_of(event)) == "/"
    {
        super::filter::clear(model);
        return;
    }
    if model.overlay.is_none() && model.strip.is_some() {
        return decide::press(model, event);
    }
    if let Some(field) = field(model) {
        field.input(event);
    }
    touched(model);
}

/// The text field that has the focus.
fn field(model: &mut Model) -> Option<&mut Field> {
    match &mut model.overlay {
        Some(
            Overlay::Help(picker)
            | Overlay::Palette(picker)
            | Overlay::Filter(picker)
            | Overlay::Search(picker),
        ) => Some(&mut picker.field),
        Some(Overlay::Panel(panel)) => panel.field(),
        Some(Overlay::Edit(edit)) => Some(&mut edit.editor),
        Some(_) | None => None,
    }
}

/// What follows from a change of a text field.
fn touched(model: &mut Model) {
    match &mut model.overlay {
        Some(
            Overlay::Help(picker)
            | Overlay::Palette(picker)
            | Overlay::Filter(picker)
            | Overlay::Search(picker),
        ) => {
            picker.cursor = 0;
            picker.is_touched = true;
            picker.problem = None;
        }
        Some(Overlay::Panel(panel)) => {
            panel.problem = None;
            super::agents::reckon(model);
            handing::reckon(model);
        }
        Some(Overlay::Edit(edit)) => edit.problem = None,
        Some(_) | None => {}
    }
}

/// Takes a paste: text for a field, and never a command.
pub(super) fn paste(model: &mut Model, text: &str) {
    model.typing.paste = Some(model.at.mono);
    let is_typing = model.context().is_text()
        || matches!(&model.overlay, Some(Overlay::Panel(panel)) if panel.is_typing());
    if !is_typing {
        model.say(
            Weight::Info,
            "pasted text does nothing here; a paste is never a command",
        );
        return;
    }
    if model.overlay.is_none() && model.strip.is_some() {
        return decide::paste(model, text);
    }
    if let Some(field) = field(model) {
        field.paste(text);
    }
    touched(model);
}

/// Whether an act may be staged by this key now.
///
/// # Errors
/// A sentence that asks for the key once more.
pub(super) fn armed(
    model: &Model,
    from: crate::clock::Mono,
    is_repeat: bool,
    key: &str,
) -> Result<(), String> {
    let again = |why: &str| Err(format!("{why}: press {key} again"));
    if is_repeat {
        return again("a held key stages nothing");
    }
    if model.typing.burst >= BURST_KEYS {
        return again("that came as fast as a paste");
    }
    if model
        .typing
        .paste
        .is_some_and(|paste| model.at.millis_since(paste) < GUARD_MS)
    {
        return again("a paste stages nothing");
    }
    if model.at.millis_since(from) < GUARD_MS {
        return again("that was quick");
    }
    Ok(())
}

/// Runs an action where we are.
pub(super) fn run(model: &mut Model, action: Action, is_repeat: bool, tasks: &mut Vec<Task>) {
    model.hush();
    model.ran = Some(action);
    if let Some(later) = action.spec().later
        && action.place().is_none()
    {
        model.say(Weight::Info, format!("not yet: {later}"));
        return;
    }
    let is_done = go(model, action, is_repeat, tasks)
        || list(model, action)
        || act(model, action, is_repeat, tasks)
        || overlay(model, action, is_repeat, tasks);
    if !is_done {
        model.say(
            Weight::Info,
            format!("not in this release: {}", action.spec().sentence),
        );
    }
}

/// Where the operator goes. Says whether the action was one of these, as the next ones do.
fn go(model: &mut Model, action: Action, is_repeat: bool, tasks: &mut Vec<Task>) -> bool {
    use Action as A;
    match action {
        A::GoOverview
        | A::GoInbox
        | A::GoIntents
        | A::GoAttempts
        | A::GoDeadLetters
        | A::GoAgents
        | A::GoJobs
        | A::GoAudit => navigate::go_to_desk(model, action),
        A::Back => navigate::back(model),
        A::LastView => navigate::last_view(model),
        A::HistoryBack => navigate::history(model, true),
        A::HistoryForth => navigate::history(model, false),
        A::NextPane | A::PreviousPane if matches!(model.overlay, Some(Overlay::Compare(_))) => {
            comparing::turn(model, action == A::NextPane, tasks);
        }
        A::NextPane | A::PreviousPane if matches!(model.overlay, Some(Overlay::Crumbs { .. })) => {
            super::crumbs::turn(model, action == A::NextPane);
        }
        A::NextPane => navigate::turn_pane(model, true),
        A::PreviousPane => navigate::turn_pane(model, false),
        A::Open => navigate::open(model, is_repeat, tasks),
        A::SheetTimeline
        | A::SheetAttempts
        | A::SheetPayload
        | A::SheetHeaders
        | A::SheetLineage
        | A::SheetRaw => navigate::sheet(model, action),
        A::Pause => navigate::pause(model),
        A::Follow => navigate::follow(model),
        A::Quit => navigate::quit(model, tasks),
        A::QuitAll => navigate::quit_all(model, tasks),
        A::Close => close(model, tasks),
        A::Redraw => tasks.push(Task::Redraw),
        A::Record => tasks.push(Task::Record),
        A::Suspend => tasks.push(Task::Suspend),
        A::Detach => navigate::detach(model, tasks),
        _ => return false,
    }
    true
}

/// Within a list, and what has no consequence.
fn list(model: &mut Model, action: Action) -> bool {
    use Action as A;
    match action {
        A::MoveDown
        | A::MoveUp
        | A::MoveTop
        | A::MoveBottom
        | A::HalfPageDown
        | A::HalfPageUp
        | A::PageDown
        | A::PageUp => moves::go(model, action),
        A::Mark | A::MarkRange | A::MarkClear | A::MarkAll => moves::mark(model, action),
        A::Fold | A::FoldAll | A::Axis | A::AsOfBack | A::AsOfForth => moves::shape(model, action),
        A::NextLane => super::news::next_lane(model),
        A::NextUndecided => decide::go_to_undecided(model, true),
        A::PreviousUndecided => decide::go_to_undecided(model, false),
        A::Sort | A::SortReverse => sorting::turn(model, action == A::SortReverse),
        A::NextMatch => intent::step(model, Direction::Forth),
        A::PreviousMatch => intent::step(model, Direction::Back),
        A::NextHunk | A::PreviousHunk if decide::is_looking(model) => {
            decide::hunk(model, action == A::NextHunk);
        }
        A::NextHunk => comparing::step(model, true),
        A::PreviousHunk => comparing::step(model, false),
        A::Explain => explain::open(model),
        A::FilterClear => super::filter::clear(model),
        _ => return false,
    }
    true
}

/// What acts, or opens what acts.
fn act(model: &mut Model, action: Action, is_repeat: bool, tasks: &mut Vec<Task>) -> bool {
    use Action as A;
    match action {
        A::Approve => decide::open(model, true),
        A::Reject => decide::open(model, false),
        A::Reply => decide::open_reply(model),
        A::StripStage => decide::stage(model, is_repeat, tasks),
        A::StripNextOutcome => decide::turn(model, true),
        A::StripPreviousOutcome => decide::turn(model, false),
        A::StripNewLine => decide::new_line(model),
        A::StripShowChange => decide::change::show(model),
        A::StripClose => decide::close(model),
        A::Replay => acts::replay(model, is_repeat, tasks),
        A::EditReplay => acts::edit(model, tasks),
        A::Diff => comparing::open(model, tasks),
        A::StripEditor | A::FieldEditor => editing::ask(model, tasks),
        A::Undo => acts::undo(model, tasks),
        A::ReplayMany
        | A::DiscardMany
        | A::CancelMany
        | A::AgentPause
        | A::AgentLimit
        | A::AgentBreaker
        | A::AgentKill
        | A::Delegate
        | A::Take
        | A::Compose
        | A::ApproveMany
        | A::JobPause
        | A::JobCancel
        | A::JobReplayFailed
        | A::OwnGroup
        | A::TakeGroup
        | A::MuteGroup
        | A::Export
        | A::RejectMany => {
            panels::open(model, action);
        }
        A::PanelRate
        | A::PanelInFlight
        | A::PanelOrder
        | A::PanelCanary
        | A::PanelStop
        | A::PanelAttempts
        | A::PanelTo
        | A::PanelForce => order::set_option(model, action),
        A::PanelChoose => order::choose(model),
        A::PanelSkipped => order::list_skipped(model),
        A::PanelSave => order::save_preset(model),
        A::PanelScrollDown => panels::scroll(model, true),
        A::PanelScrollUp => panels::scroll(model, false),
        A::PanelPress => panels::press(model, is_repeat, tasks),
        A::PanelNext => panels::turn(model, true),
        A::PanelPrevious => panels::turn(model, false),
        _ => return false,
    }
    true
}

/// What lies over a desk, and copying.
fn overlay(model: &mut Model, action: Action, is_repeat: bool, tasks: &mut Vec<Task>) -> bool {
    use Action as A;
    match action {
        A::Palette | A::Filter | A::Help | A::Held | A::Messages | A::Themes | A::GroupBy => {
            overlays::open(model, action);
        }
        A::Columns => super::columns::open(model),
        A::Crumbs => super::crumbs::open(model),
        A::FieldAccept => overlays::accept(model, is_repeat, tasks),
        A::FieldComplete => overlays::complete(model),
        A::FieldPrevious => overlays::step(model, false),
        A::FieldNext => overlays::step(model, true),
        A::FieldSave => overlays::save(model, is_repeat, tasks),
        A::FieldNewLine => overlays::new_line(model),
        A::PanelCancel | A::FieldLeave => overlays::close(model),
        A::YankId
        | A::YankKey
        | A::YankPayload
        | A::YankJson
        | A::YankError
        | A::YankTrace
        | A::YankCommand
        | A::CopyPath => copy::copy(model, action, tasks),
        _ => return false,
    }
    true
}

/// Ctrl-C: closes what is open, twice within a second quits.
fn close(model: &mut Model, tasks: &mut Vec<Task>) {
    let before = model.typing.close.replace(model.at.mono);
    if before.is_some_and(|before| model.at.millis_since(before) < CLOSE_TWICE_MS) {
        navigate::quit_all(model, tasks);
        return;
    }
    if model.overlay.is_some() || model.strip.is_some() {
        navigate::back(model);
    } else {
        model.say(Weight::Info, "Ctrl-C again quits");
    }
}
