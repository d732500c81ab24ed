//! Scenarios: a bundle as it comes, checked as a whole, and what it says in the words of the domain.
//!
//! Every problem is named by its path in the bundle, as `steps[1].assigned_to: unknown role "x"`; what is not
//! known is no problem but a warning.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::domain::address::{Address, Home};
use crate::domain::agent::Binding;
use crate::domain::payload::Payload;
use crate::domain::scenario::Workflow;
use crate::domain::task::{ReminderPlan, TaskSpec};
use crate::domain::time::Timestamp;
use crate::engine::workflow::broker_address;
use crate::wire::body::Body;
use crate::wire::bundle::{Notes, Part};
use crate::wire::json::Object;
use crate::wire::steps::{self, Cast, Outline};
use crate::wire::submit::is_intent_type;

/// What a bundle is read against.
#[derive(Debug, Clone, Copy)]
pub struct ScenarioRules<'home> {
    /// Names that complete a bare address.
    pub home: &'home Home,
    /// Who applies it: `initiator_inbox`.
    pub caller: &'home Address,
    /// Most bytes of a payload as compact JSON.
    pub payload_bytes_max: usize,
}

/// A bundle, read and checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    /// The scenario's id.
    pub scenario: String,
    /// Receivers that it wants.
    pub agents: Vec<BundleAgent>,
    /// `intent.order.process.v1`.
    pub intent_type: String,
    /// What the run carries.
    pub payload: Payload,
    /// When it is too late.
    pub deadline: Option<Timestamp>,
    /// The budget of attempts of each child.
    pub max_attempts: Option<u32>,
    /// When to remind, where a step does not say.
    pub reminders: ReminderPlan,
    /// Whose inbox gets the completion.
    pub reply_to: Option<Address>,
    /// To whom it goes: the broker, for a workflow.
    pub to: Address,
    /// What a person is asked, without a workflow.
    pub task: Option<Box<TaskSpec>>,
    /// The steps.
    pub workflow: Option<Box<Workflow>>,
}

/// A receiver that a bundle wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleAgent {
    /// Its role in the steps.
    pub role: String,
    /// Where it is.
    pub address: Address,
    /// The address as the bundle spells it, which is its name.
    pub name: String,
    /// Whether it is made when it is missing.
    pub is_made: bool,
    /// A name for people.
    pub display_name: Option<String>,
    /// How it receives.
    pub binding: Binding,
    /// Where we post.
    pub callback_url: Option<String>,
}

/// What reading a bundle gave.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reading {
    /// The bundle, when nothing is wrong with it.
    pub bundle: Option<Bundle>,
    /// What is wrong.
    pub errors: Vec<String>,
    /// What its author should know.
    pub warnings: Vec<String>,
}

impl Reading {
    /// The answer of a check.
    #[must_use]
    pub fn answer(&self) -> Object {
        Object::ok()
            .flag("valid", self.errors.is_empty())
            .texts("errors", &self.errors)
            .texts("warnings", &self.warnings)
    }
}

/// Reads a bundle. `new_scenario` names one that has no id.
#[must_use]
pub fn read(body: &Body<'_>, rules: ScenarioRules<'_>, new_scenario: &str) -> Reading {
    let mut notes = Notes::default();
    let bundle = bundle((&body.to_map(), body), rules, new_scenario, &mut notes);
    let Notes { errors, warnings } = notes;
    Reading {
        bundle: bundle.filter(|_| errors.is_empty()),
        errors,
        warnings,
    }
}

fn bundle(
    (object, body): (&Map<String, Value>, &Body<'_>),
    rules: ScenarioRules<'_>,
    new_scenario: &str,
    notes: &mut Notes,
) -> Option<Bundle> {
    let mut top = Part {
        path: String::new(),
        object,
        written: None,
        notes,
    };
    top.unknown(&[
        "scenario_id",
        "title",
        "description",
        "idempotency_key",
        "agents",
        "humans",
        "workflow",
        "intent",
        "org_id",
        "workspace_id",
        "version",
        "owner_agent",
    ]);
    let scenario = top.word("scenario_id", 255);
    if scenario.as_ref().is_some_and(|id| id.chars().count() < 3) {
        top.wrong("scenario_id", "must have at least 3 characters");
    }
    let _checked = (top.text("title", 255), top.text("description", 1000));
    let agents: Vec<_> = top
        .list("agents", 50)
        .into_iter()
        .enumerate()
        .filter_map(|(index, object)| agent(index, object, rules.home, top.notes))
        .collect();
    let humans: Vec<_> = top
        .list("humans", 20)
        .into_iter()
        .enumerate()
        .filter_map(|(index, object)| human(index, object, rules.home, top.notes))
        .collect();
    let Some(wanted) = top.object("intent") else {
        if top.get("intent").is_none() {
            top.wrong("intent", "field required");
        }
        return None;
    };
    let wanted = (wanted, body.get("intent"));
    let workflow = top.object("workflow");
    let workflow = workflow.map(|workflow| (workflow, body.get("workflow")));
    let scenario = scenario.unwrap_or_else(|| new_scenario.to_owned());
    let cast = Cast {
        agents: &agents,
        humans: &humans,
        home: rules.home,
        caller: rules.caller,
    };
    let drawn = draw(wanted, workflow, cast, rules, &scenario, notes)?;
    Some(Bundle { agents, ..drawn })
}

/// An object of a bundle, and how it was written.
type Source<'body> = (&'body Map<String, Value>, Option<&'body RawValue>);

/// The intent of a bundle, without its agents.
fn draw(
    wanted: Source<'_>,
    workflow: Option<Source<'_>>,
    cast: Cast<'_>,
    rules: ScenarioRules<'_>,
    scenario: &str,
    notes: &mut Notes,
) -> Option<Bundle> {
    let mut intent = Part {
        path: "intent".to_owned(),
        object: wanted.0,
        written: wanted.1,
        notes,
    };
    let intent_type = intent_type(&mut intent)?;
    let task = intent.task("human_task", &intent_type).map(Box::new);
    let mut reminders = intent.reminders();
    cast.escalation(&mut intent, &mut reminders);
    let reply_to = match intent.word("reply_to", 383) {
        Some(symbol) if symbol == "initiator_inbox" => Some(rules.caller.clone()),
        Some(text) => intent.address("reply_to", &text, rules.home),
        None => None,
    };
    let deadline = deadline(&mut intent);
    let max_attempts = intent.number("max_delivery_attempts", 1, u32::MAX);
    let payload = payload(&mut intent, rules.payload_bytes_max);
    let mut bundle = Bundle {
        scenario: scenario.to_owned(),
        agents: Vec::new(),
        intent_type,
        payload,
        deadline,
        max_attempts,
        reminders,
        reply_to,
        to: broker_address(rules.home),
        task,
        workflow: None,
    };
    match workflow {
        Some((object, written))
            if object.contains_key("steps") || object.contains_key("macro_id") =>
        {
            let outline = Outline {
                scenario,
                intent_type: &bundle.intent_type,
                reminders: &bundle.reminders,
            };
            bundle.workflow = Some(Box::new(steps::workflow(
                Part {
                    path: "workflow".to_owned(),
                    object,
                    written,
                    notes,
                },
                &cast,
                &outline,
            )?));
            // Its steps have them.
            bundle.reminders = ReminderPlan::default();
            bundle.task = None;
        }
        _ => bundle.to = receiver(cast, bundle.task.is_some(), notes)?,
    }
    Some(bundle)
}

/// To whom an intent without steps goes.
fn receiver(cast: Cast<'_>, is_for_a_person: bool, notes: &mut Notes) -> Option<Address> {
    let agent = cast.agents.first().map(|agent| agent.address.clone());
    if is_for_a_person {
        let human = cast.humans.first().map(|(_, address)| address.clone());
        return human.or(agent).or_else(|| Some(cast.caller.clone()));
    }
    if agent.is_none() {
        notes.error(
            "workflow",
            "without steps the intent needs an agent in agents[0], or a human_task",
        );
    }
    agent
}

fn agent(
    index: usize,
    object: &Map<String, Value>,
    home: &Home,
    notes: &mut Notes,
) -> Option<BundleAgent> {
    let mut part = Part {
        path: format!("agents[{index}]"),
        object,
        written: None,
        notes,
    };
    part.unknown(&[
        "role",
        "address",
        "create_if_missing",
        "display_name",
        "delivery_mode",
        "callback_url",
        "description",
    ]);
    let Some(name) = part.word("address", 383) else {
        part.wrong("address", "field required");
        return None;
    };
    let address = part.address("address", &name, home)?;
    let mode = part.word("delivery_mode", 32);
    let mode = mode.unwrap_or_else(|| Binding::Stream.name().to_owned());
    let binding = Binding::from_name(&mode).filter(|binding| *binding != Binding::Internal);
    let Some(binding) = binding else {
        part.wrong(
            "delivery_mode",
            format!("{mode:?} is none of stream, poll, http, inbox"),
        );
        return None;
    };
    Some(BundleAgent {
        role: part.word("role", 255).unwrap_or_else(|| name.clone()),
        is_made: part.flag("create_if_missing"),
        display_name: part.word("display_name", 255),
        callback_url: part.word("callback_url", 2048),
        name: name.strip_prefix("agent://").unwrap_or(&name).to_owned(),
        address,
        binding,
    })
}

/// A person's role and the inbox that stands for it: that of the contact, or of the role.
fn human(
    index: usize,
    object: &Map<String, Value>,
    home: &Home,
    notes: &mut Notes,
) -> Option<(String, Address)> {
    let mut part = Part {
        path: format!("humans[{index}]"),
        object,
        written: None,
        notes,
    };
    part.unknown(&["role", "contact", "display_name"]);
    let Some(role) = part.word("role", 255) else {
        part.wrong("role", "field required");
        return None;
    };
    let _checked = part.text("display_name", 255);
    let contact = part.word("contact", 383);
    let (key, text) = match &contact {
        Some(contact) => ("contact", contact.clone()),
        None => ("role", role.replace(char::is_whitespace, "-")),
    };
    let address = part.address(key, &text, home)?;
    Some((role, address))
}

fn intent_type(intent: &mut Part<'_, '_>) -> Option<String> {
    intent.unknown(&[
        "type",
        "payload",
        "deadline_at",
        "max_delivery_attempts",
        "remind_after_seconds",
        "remind_interval_seconds",
        "max_reminders",
        "escalate_to",
        "human_task",
        "reply_to",
    ]);
    let Some(given) = intent.word("type", 255) else {
        intent.wrong("type", "field required");
        return None;
    };
    let versioned = format!("{given}.v1");
    if is_intent_type(&given) {
        Some(given)
    } else if is_intent_type(&versioned) {
        Some(versioned)
    } else {
        intent.wrong(
            "type",
            format!("{given:?} is not dotted lower-case words, such as intent.order.process.v1"),
        );
        None
    }
}

fn deadline(intent: &mut Part<'_, '_>) -> Option<Timestamp> {
    let text = intent.word("deadline_at", 64)?;
    match text.parse() {
        Ok(deadline) => Some(deadline),
        Err(error) => {
            let error: crate::domain::time::BadTimestamp = error;
            intent.wrong("deadline_at", error.to_string());
            None
        }
    }
}

fn payload(intent: &mut Part<'_, '_>, bytes_max: usize) -> Payload {
    let payload = intent.carried("payload").unwrap_or_else(Payload::empty);
    if payload.len() > bytes_max {
        intent.wrong(
            "payload",
            format!(
                "has {} bytes as compact JSON, at most {bytes_max} are allowed",
                payload.len()
            ),
        );
    }
    payload
}
