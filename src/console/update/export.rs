//! The export panel: the scope of a list to a file, on record.

use crate::console::action::place::Place;
use crate::console::export::Format;
use crate::console::model::panel::{Ask, Deed, Focus, Panel, Rule};
use crate::console::model::{Model, Weight};
use crate::console::task::{ExportOf, ExportOrder, Exported, Task};
use crate::desk::DeskError;
use crate::domain::ids::IntentId;

use super::panels::{fact, panel};
use super::plan;

/// `E`: opens the panel.
pub(super) fn open(model: &Model) -> Result<Panel, String> {
    let (name, all) = matching(model)?;
    let deed = Deed::Export(Box::new(all));
    let mut panel = panel(model, deed, format!("Export {name}"), "Write the file");
    let marked = marked(model);
    let mut scopes = vec!["all matching".to_owned()];
    if !marked.is_empty() {
        scopes.insert(0, format!("{} marked", marked.len()));
    }
    let formats = Format::ALL.map(|format| format.name().to_owned()).to_vec();
    let mut path = Ask::new("file", Rule::Required);
    let stamp = model.at.wall.to_string().replace([':', '.'], "-");
    path.set(&format!("postroom-{name}-{stamp}"));
    panel.asks = vec![
        Ask::choice("scope", scopes),
        Ask::choice("format", formats),
        path,
    ];
    panel.focus = Focus::Ask(0);
    let filter = super::filter::of(model, model.view.place)
        .filter(|filter| !filter.is_empty())
        .map_or_else(|| "none".to_owned(), |filter| filter.text.clone());
    panel.facts = vec![
        fact("filter", filter),
        fact(
            "writes",
            "the original text, for its owner alone; the format is the file's ending",
        ),
        fact(
            "record",
            "who exported what, and how many rows, goes into the audit log",
        ),
    ];
    Ok(panel)
}

/// Everything that the list in view is a window on.
fn matching(model: &Model) -> Result<(&'static str, ExportOf), String> {
    if model.view.intent.is_some() {
        return Err("a list is exported; y p copies this payload".to_owned());
    }
    Ok(match (model.view.place, model.pane()) {
        (Place::Inbox, _) => ("inbox", ExportOf::Tasks(model.inbox.query())),
        (Place::Intents, _) => ("intents", ExportOf::Intents(model.intents.wanted.clone())),
        (Place::Attempts, _) => (
            "attempts",
            ExportOf::Attempts(model.attempts.wanted.clone()),
        ),
        (Place::DeadLetters, 0) => ("groups", ExportOf::Groups(model.dead.wanted.clone())),
        (Place::DeadLetters, _) => {
            let filter = plan::letters_of(model).ok_or("no group here")?;
            ("letters", ExportOf::Letters(filter))
        }
        (Place::Agents, _) => ("agents", ExportOf::Agents),
        (Place::Jobs, _) => ("jobs", ExportOf::Jobs),
        (Place::Audit, _) => ("audit", ExportOf::Audit(model.audit.wanted.clone())),
        (Place::Overview, _) => {
            return Err("this desk is no list; 3 goes to the intents".to_owned());
        }
    })
}

/// The marked rows, where rows can be marked.
fn marked(model: &Model) -> Vec<IntentId> {
    match (model.view.place, model.pane()) {
        (Place::Intents, _) => model.intents.rows.marked_rows().map(|row| row.id).collect(),
        (Place::Inbox, _) => model
            .inbox
            .tasks
            .marked_rows()
            .map(|row| row.intent)
            .collect(),
        (Place::DeadLetters, 1) => {
            let rows = model.dead.letters.marked_rows();
            rows.map(|row| row.intent).collect()
        }
        _ => Vec::new(),
    }
}

/// The panel was pressed.
pub(super) fn send(model: &mut Model, panel: &Panel, of: ExportOf, tasks: &mut Vec<Task>) {
    let format = Format::from_name(&panel.text("format")).unwrap_or(Format::Ndjson);
    let ending = format!(".{}", format.name());
    let mut path = panel.text("file");
    if !path.ends_with(&ending) {
        path.push_str(&ending);
    }
    let is_marked = panel.text("scope").ends_with(" marked");
    let only = if is_marked { marked(model) } else { Vec::new() };
    let filter = super::filter::of(model, model.view.place).map(|filter| filter.text.clone());
    model.say(Weight::Info, format!("writing {path}"));
    tasks.push(Task::Export(Box::new(ExportOrder {
        of,
        only,
        format,
        path,
        filter: filter.unwrap_or_default(),
    })));
}

/// What became of it.
pub(super) fn done(model: &mut Model, path: &str, result: Result<Exported, DeskError>) {
    match result {
        Ok(Exported {
            rows,
            is_cut,
            shown,
        }) => {
            let cut = if is_cut {
                "; there are more, a filter makes them fewer"
            } else {
                ""
            };
            let rows = crate::console::panes::words::counted(rows, "row");
            model.say(Weight::Info, format!("{rows} in {shown}{cut}"));
        }
        Err(error) => model.say(
            Weight::Error,
            format!("could not export to {path}: {error}"),
        ),
    }
}
