//! Ctrl-E: what stands in the field goes to the operator's own editor and comes back.

use crate::console::model::overlay::Overlay;
use crate::console::model::panel::Focus;
use crate::console::model::{Model, Weight};
use crate::console::task::Task;

use super::decide;

/// Asks for the editor with the text of the field that has the focus.
pub(super) fn ask(model: &mut Model, tasks: &mut Vec<Task>) {
    let text = match &model.overlay {
        Some(Overlay::Edit(edit)) => Some(edit.editor.text()),
        Some(Overlay::Panel(panel)) => match panel.focus {
            Focus::Ask(index) => panel.asks.get(index).map(|ask| ask.field.text()),
            Focus::Button | Focus::Nothing => None,
        },
        Some(_) => None,
        None => decide::text(model),
    };
    match text {
        Some(text) => tasks.push(Task::Edit(text)),
        None => model.say(
            Weight::Info,
            "$EDITOR is for the strip, payloads and panels",
        ),
    }
}

/// What the editor left. Nothing is staged by it: Enter or Ctrl-S still has to be pressed.
pub(super) fn take(model: &mut Model, edited: Result<String, String>) {
    let now = model.at.mono;
    model.reads.touch_all();
    let text = match edited {
        Ok(text) => text,
        Err(problem) => return model.say(Weight::Warn, problem),
    };
    match &mut model.overlay {
        Some(Overlay::Edit(edit)) => {
            edit.editor.set_text(&text);
            edit.problem = None;
            edit.opened = now;
        }
        Some(Overlay::Panel(panel)) => {
            // JSON becomes one line; any other text keeps its words.
            let compact = serde_json::from_str::<serde_json::Value>(&text).map(|it| it.to_string());
            if let Some(field) = panel.field() {
                field.set_text(&compact.unwrap_or(text));
            }
            panel.problem = None;
            panel.opened = now;
        }
        Some(_) => {}
        None => decide::set_text(model, &text),
    }
}
