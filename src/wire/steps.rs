//! The steps of a bundle: who does what, and where it goes on.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::domain::address::{Address, Home};
use crate::domain::agent::Binding;
use crate::domain::scenario::{Step, StepWork, Workflow};
use crate::domain::task::{ReminderPlan, TaskSpec, TaskType};
use crate::domain::time::Span;
use crate::wire::body::role_fault;
use crate::wire::bundle::{self, Notes, Part};
use crate::wire::scenarios::BundleAgent;

/// Most seconds of a delay: a year.
const DELAY_SECONDS_MAX: f64 = 366.0 * 86_400.0;

/// Tools that ask a person.
const HUMAN_TOOLS: [&str; 2] = ["tool.approval.human_signoff", "tool.human.approval.v1"];

/// Who is in a bundle.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cast<'bundle> {
    pub(super) agents: &'bundle [BundleAgent],
    pub(super) humans: &'bundle [(String, Address)],
    pub(super) home: &'bundle Home,
    pub(super) caller: &'bundle Address,
}

/// What the whole bundle says of every step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outline<'bundle> {
    pub(super) scenario: &'bundle str,
    pub(super) intent_type: &'bundle str,
    pub(super) reminders: &'bundle ReminderPlan,
}

/// Somebody named in a step.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Named {
    Agent(Address, Binding),
    Human(Address),
    /// An address that is in no list.
    Stranger(Address),
}

impl Cast<'_> {
    /// A role, or an address of the bundle, or any address that is spelled as one.
    fn find(&self, text: &str) -> Option<Named> {
        if let Some(agent) = self.agents.iter().find(|agent| agent.role == text) {
            return Some(Named::Agent(agent.address.clone(), agent.binding));
        }
        if let Some((_, address)) = self.humans.iter().find(|(role, _)| role == text) {
            return Some(Named::Human(address.clone()));
        }
        let address = Address::parse(text, self.home).ok()?;
        if let Some(agent) = self.agents.iter().find(|agent| agent.address == address) {
            return Some(Named::Agent(address, agent.binding));
        }
        if self.humans.iter().any(|(_, human)| *human == address) {
            return Some(Named::Human(address));
        }
        text.contains(['/', '@'])
            .then_some(Named::Stranger(address))
    }

    /// Whom the reminders of a part end with: the address of a role, or a word that may become one.
    pub(super) fn escalation(&self, part: &mut Part<'_, '_>, plan: &mut ReminderPlan) {
        let Some(text) = plan.escalate_to.take() else {
            return;
        };
        if let Some(address) = self.address(&text) {
            plan.escalate_to = Some(address.to_string());
            return;
        }
        match role_fault(&text, self.home) {
            None => plan.escalate_to = Some(text),
            Some(fault) => part.wrong("escalate_to", fault.to_string()),
        }
    }

    fn address(&self, text: &str) -> Option<Address> {
        match self.find(text) {
            Some(Named::Agent(address, _) | Named::Human(address) | Named::Stranger(address)) => {
                Some(address)
            }
            None => None,
        }
    }
}

/// Reads the steps.
pub(super) fn workflow(
    mut part: Part<'_, '_>,
    cast: &Cast<'_>,
    outline: &Outline<'_>,
) -> Option<Workflow> {
    part.unknown(&["macro_id", "parameters", "entry_step", "steps"]);
    let items = part
        .get("steps")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    if !(1..=100).contains(&items.len()) {
        part.wrong("steps", "must be a list of 1 to 100 objects");
        return None;
    }
    if part.word("macro_id", 255).is_some() {
        part.warn(
            "macro_id",
            "this broker has no macros; the steps run as they are",
        );
    }
    let entry = part.word("entry_step", 255);
    let written = bundle::written_items(bundle::written(part.written, "steps"));
    let notes = part.notes;
    let names = names(&items, notes);
    let steps: Vec<_> = items
        .iter()
        .enumerate()
        .filter_map(|(index, item)| {
            let path = format!("steps[{index}]");
            let Some(object) = item.as_object() else {
                notes.error(&path, "must be an object");
                return None;
            };
            step(
                Part {
                    path,
                    object,
                    written: written.get(index).copied(),
                    notes,
                },
                cast,
                outline,
                &names,
            )
        })
        .collect();
    let place = entry.as_ref().map(|name| names.get(name).copied());
    if let (Some(name), Some(None)) = (&entry, place) {
        notes.error("workflow.entry_step", format!("unknown step {name:?}"));
    }
    let entry = place.flatten().unwrap_or(0);
    (steps.len() == items.len()).then(|| Workflow {
        scenario: outline.scenario.to_owned(),
        entry,
        steps,
    })
}

fn names(items: &[Value], notes: &mut Notes) -> HashMap<String, u32> {
    let mut names = HashMap::new();
    for (place, item) in (0_u32..).zip(items) {
        let name = item
            .get("step_id")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if name.trim().is_empty() {
            notes.error(&format!("steps[{place}].step_id"), "field required");
        } else if names.insert(name.to_owned(), place).is_some() {
            notes.error(
                &format!("steps[{place}].step_id"),
                format!("{name:?} is the name of an earlier step"),
            );
        }
    }
    names
}

fn step(
    mut part: Part<'_, '_>,
    cast: &Cast<'_>,
    outline: &Outline<'_>,
    names: &HashMap<String, u32>,
) -> Option<Step> {
    part.unknown(&[
        "step_id",
        "tool_id",
        "assigned_to",
        "runtime_type",
        "runtime_config",
        "config",
        "input",
        "requires_approval",
        "human_task",
        "step_deadline_seconds",
        "retry",
        "remind_after_seconds",
        "remind_interval_seconds",
        "max_reminders",
        "escalate_to",
        "on_success",
        "on_failure",
        "title",
        "description",
    ]);
    let id = part.text("step_id", 255)?;
    let deadline = part
        .number("step_deadline_seconds", 1, u32::MAX)
        .map(|seconds| Span::from_seconds(seconds.into()));
    let (retries_max, retry_delay) = retry(&mut part);
    let mut reminders = part.reminders();
    if reminders == ReminderPlan::default() {
        reminders = outline.reminders.clone();
    }
    cast.escalation(&mut part, &mut reminders);
    let mut jump = |key: &str| {
        let name = part.word(key, 255)?;
        let place = names.get(&name).copied();
        if place.is_none() {
            part.wrong(key, format!("unknown step {name:?}"));
        }
        place
    };
    let (on_success, on_failure) = (jump("on_success"), jump("on_failure"));
    let input = part.carried("input");
    let (work, holder) = work(&mut part, cast, outline, &id)?;
    Some(Step {
        id,
        work,
        holder,
        input,
        deadline,
        retries_max,
        retry_delay,
        reminders,
        on_success,
        on_failure,
    })
}

fn retry(part: &mut Part<'_, '_>) -> (u32, Span) {
    let standard = Span::from_seconds(30);
    let Some(object) = part.object("retry") else {
        return (0, standard);
    };
    let mut retry = Part {
        path: format!("{}.retry", part.path),
        object,
        written: None,
        notes: &mut *part.notes,
    };
    retry.unknown(&["max_retries", "retry_delay_seconds"]);
    let max = retry.number("max_retries", 0, 1000).unwrap_or(0);
    let delay = retry.number("retry_delay_seconds", 0, u32::MAX);
    (
        max,
        delay.map_or(standard, |seconds| Span::from_seconds(seconds.into())),
    )
}

/// What a step does and who does it, by its runtime, its tool and whom it is assigned to.
fn work(
    part: &mut Part<'_, '_>,
    cast: &Cast<'_>,
    outline: &Outline<'_>,
    id: &str,
) -> Option<(StepWork, Address)> {
    let tool = part.text("tool_id", 255).unwrap_or_default();
    let runtime = part.word("runtime_type", 64);
    let needs_approval = part.flag("requires_approval");
    let text = part.word("assigned_to", 383);
    let assigned = text.as_ref().and_then(|text| cast.find(text));
    if let (Some(text), None) = (&text, &assigned) {
        part.wrong("assigned_to", format!("unknown role {text:?}"));
        return None;
    }
    let title = part
        .word("title", 255)
        .unwrap_or_else(|| format!("{} ({id})", outline.intent_type));
    let spec = part.task("human_task", &title);
    let kind = runtime.as_deref().or_else(|| internal(&tool));
    match kind {
        Some("delay" | "timeout") => return delay(part, cast),
        Some("notification" | "reminder") if !needs_approval => return notice(part, cast),
        Some("notification" | "reminder") => return acknowledged(part, cast, id),
        Some("escalation") => return escalation(part, cast),
        Some("human_approval") | None => {}
        Some(other) => {
            part.wrong("runtime_type", format!("{other:?} is not known"));
            return None;
        }
    }
    let is_human = HUMAN_TOOLS.contains(&tool.as_str())
        || needs_approval
        || spec.is_some()
        || kind == Some("human_approval")
        || matches!(
            &assigned,
            Some(Named::Human(_) | Named::Agent(_, Binding::Inbox))
        );
    match (is_human, assigned) {
        (true, assigned) => {
            let holder = match assigned {
                Some(
                    Named::Agent(address, _) | Named::Human(address) | Named::Stranger(address),
                ) => address,
                None => match cast.humans.first() {
                    Some((_, address)) => address.clone(),
                    None => cast.caller.clone(),
                },
            };
            let spec = spec.unwrap_or_else(|| plain_task(&title, TaskType::Approval));
            Some((StepWork::Person(Box::new(spec)), holder))
        }
        (
            false,
            Some(Named::Agent(address, _) | Named::Human(address) | Named::Stranger(address)),
        ) => Some((StepWork::Agent, address)),
        (false, None) => {
            part.wrong(
                "tool_id",
                format!("{tool:?} with neither assigned_to nor a human part is nobody's step"),
            );
            None
        }
    }
}

/// The runtime that a tool of the broker's own stands for.
fn internal(tool: &str) -> Option<&'static str> {
    match tool {
        "tool.internal.delay" => Some("delay"),
        "tool.internal.notification" | "tool.notification.notify_owner" => Some("notification"),
        "tool.internal.escalation" => Some("escalation"),
        _ => None,
    }
}

fn plain_task(title: &str, task_type: TaskType) -> TaskSpec {
    TaskSpec {
        title: title.chars().take(255).collect(),
        description: None,
        task_type,
        allowed_outcomes: Vec::new(),
        is_comment_required: false,
        assignees: Vec::new(),
        is_evidence_required: false,
        form_schema: None,
        notify_email: None,
    }
}

/// Calls `read` with the step's `runtime_config`, or `config`.
fn with_config<T>(part: &mut Part<'_, '_>, read: impl FnOnce(&mut Part<'_, '_>) -> T) -> T {
    let key = if part.get("runtime_config").is_some() {
        "runtime_config"
    } else {
        "config"
    };
    let empty = Map::new();
    let object = part.object(key).unwrap_or(&empty);
    let mut config = Part {
        path: format!("{}.{key}", part.path),
        object,
        written: None,
        notes: &mut *part.notes,
    };
    read(&mut config)
}

fn delay(part: &mut Part<'_, '_>, cast: &Cast<'_>) -> Option<(StepWork, Address)> {
    let seconds = with_config(part, |config| {
        let seconds = config
            .get("seconds")
            .or_else(|| config.get("delay_seconds"))
            .and_then(Value::as_f64)
            .filter(|seconds| (0.0..=DELAY_SECONDS_MAX).contains(seconds));
        if seconds.is_none() {
            config.wrong("seconds", "must be a number of seconds from 0 to a year");
        }
        seconds
    })?;
    let span = Span::from_seconds_f64(seconds);
    Some((StepWork::Delay { span }, cast.caller.clone()))
}

/// Whom a step tells: the config's `to`, its assignee, the sender.
fn told(part: &mut Part<'_, '_>, cast: &Cast<'_>) -> Option<Address> {
    let named = with_config(part, |config| config.word("to", 383));
    let (key, text) = match named {
        Some(text) => ("runtime_config", text),
        None => match part.word("assigned_to", 383) {
            Some(text) => ("assigned_to", text),
            None => return Some(cast.caller.clone()),
        },
    };
    let address = cast.address(&text);
    if address.is_none() {
        part.wrong(key, format!("unknown role {text:?}"));
    }
    address
}

fn words(part: &mut Part<'_, '_>) -> (String, String) {
    with_config(part, |config| {
        let channels = config
            .get("channels")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let others: Vec<_> = channels
            .iter()
            .filter_map(Value::as_str)
            .filter(|one| *one != "inbox")
            .collect();
        if !others.is_empty() {
            config.warn(
                "channels",
                format!("only the inbox is told; ignored: {}", others.join(", ")),
            );
        }
        let subject = config
            .word("subject", 255)
            .unwrap_or_else(|| "Notice".to_owned());
        (subject, config.text("body", 2000).unwrap_or_default())
    })
}

fn notice(part: &mut Part<'_, '_>, cast: &Cast<'_>) -> Option<(StepWork, Address)> {
    let to = told(part, cast)?;
    let (subject, body) = words(part);
    Some((StepWork::Notice { subject, body }, to))
}

/// A notice that is done when a person has acknowledged it.
fn acknowledged(part: &mut Part<'_, '_>, cast: &Cast<'_>, id: &str) -> Option<(StepWork, Address)> {
    let to = told(part, cast)?;
    let (subject, body) = words(part);
    let task = part.task("human_task", id);
    let spec = task.unwrap_or_else(|| TaskSpec {
        description: Some(body).filter(|body| !body.is_empty()),
        ..plain_task(&subject, TaskType::Confirmation)
    });
    Some((StepWork::Person(Box::new(spec)), to))
}

fn escalation(part: &mut Part<'_, '_>, cast: &Cast<'_>) -> Option<(StepWork, Address)> {
    let to = told(part, cast)?;
    let reason = with_config(part, |config| config.text("reason", 2000)).unwrap_or_default();
    Some((StepWork::Escalation { reason }, to))
}
