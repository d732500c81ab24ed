//! Scenarios: checking a bundle, and applying it: its agents are made, its run begins.
//!
//! Agents are registered one by one before the run is submitted. Each registration is the same again when it is
//! repeated, so an apply that broke off half-way is finished by sending it again.

use axum::extract::{Path, State};
use serde_json::{Value, json};

use crate::api::Api;
use crate::api::answer::{Answer, Result};
use crate::api::call::{Call, Upload};
use crate::api::schemas;
use crate::broker::request::{AdminCommand, AgentPatch, NewAgent, Receipt, Request};
use crate::domain::agent::{AgentStatus, Binding};
use crate::domain::key::Role;
use crate::engine::command::{Command, Part, PayloadSource, Submit};
use crate::wire::body::Body;
use crate::wire::errors::Problem;
use crate::wire::intents;
use crate::wire::json::Object;
use crate::wire::scenarios::{self, Bundle, BundleAgent, Reading, ScenarioRules};

/// Reads a bundle against what this broker knows.
fn read(api: &Api, call: &Call, body: &Body<'_>) -> Reading {
    let registry = api.broker().registry();
    let rules = ScenarioRules {
        home: &registry.home,
        caller: &call.caller.address,
        payload_bytes_max: api.settings().payload_bytes_max,
    };
    let name = format!("scenario-{}", api.broker().new_thread_id());
    scenarios::read(body, rules, &name)
}

fn is_known(api: &Api, agent: &BundleAgent) -> bool {
    let registry = api.broker().registry();
    registry
        .agent(&agent.address)
        .is_some_and(|known| known.status != AgentStatus::Deleted)
}

/// `POST /v1/scenarios/validate`: nothing happens.
pub(super) async fn validate(State(api): State<Api>, call: Call, Upload(bytes): Upload) -> Result {
    must_apply(&call)?;
    let body = Body::parse(&bytes)?;
    let mut reading = read(&api, &call, &body);
    let agents = reading.bundle.as_ref().map(|bundle| &bundle.agents);
    for agent in agents.into_iter().flatten() {
        if !agent.is_made && !is_known(&api, agent) {
            reading.warnings.push(format!(
                "agents: no agent at {} yet, and create_if_missing is not set",
                agent.address
            ));
        }
    }
    if let Some(bundle) = &reading.bundle {
        match schemas::check(&api, &bundle.intent_type, &bundle.payload) {
            Ok(warnings) => reading.warnings.extend(warnings),
            Err(problem) => reading
                .errors
                .push(format!("intent.payload: {}", problem.message)),
        }
    }
    Ok(Answer(reading.answer()))
}

/// `POST /v1/scenarios/apply`.
pub(super) async fn apply(State(api): State<Api>, call: Call, Upload(bytes): Upload) -> Result {
    must_apply(&call)?;
    let body = Body::parse(&bytes)?;
    let fingerprint = || body.fingerprint(&["idempotency_key"]);
    let remember = match call.remember(fingerprint)? {
        Some(key) => Some(key),
        None => match body.to_map().get("idempotency_key") {
            Some(Value::String(key)) if !key.is_empty() => {
                Some(call.remember_as(key, &call.path, fingerprint())?)
            }
            _ => None,
        },
    };
    let Reading {
        bundle,
        errors,
        mut warnings,
    } = read(&api, &call, &body);
    let bundle = bundle.ok_or_else(|| {
        Problem::new("bundle_invalid", errors.join("; ")).with(json!({ "errors": errors }))
    })?;
    // Before anybody is registered: a refused scenario leaves nothing behind.
    let (intent_type, payload) = (&bundle.intent_type, &bundle.payload);
    warnings.extend(schemas::check_new(&api, remember.as_ref(), intent_type, payload).await?);
    let mut agents = Vec::new();
    for agent in &bundle.agents {
        let is_created = provision(&api, &call, agent, &mut warnings).await?;
        agents.push((agent.clone(), is_created));
    }
    let request = request(&api, &call, bundle.clone());
    let request = Request {
        remember,
        ..request
    };
    let receipt = api.broker().run(request).await?;
    Ok(Answer(applied(&api, &bundle, &receipt, &agents, &warnings)))
}

fn must_apply(call: &Call) -> Result<(), Problem> {
    if call.caller.role == Role::Agent {
        return Err(Problem::new(
            "forbidden",
            "an agent's key may not apply scenarios; hint: use an admin's or a sender's",
        ));
    }
    Ok(())
}

/// `GET /v1/tool-registry/macros/{macro_id}`: there is none.
pub(super) async fn macro_of(_call: Call, Path(id): Path<String>) -> Result {
    Err(Problem::new("not_found", format!("no macro {id:?}")).into())
}

/// Makes a receiver of the bundle where it is missing. True when it was made.
async fn provision(
    api: &Api,
    call: &Call,
    agent: &BundleAgent,
    warnings: &mut Vec<String>,
) -> Result<bool> {
    if let Some(url) = agent.callback_url.as_deref() {
        let checked = api.settings().guard.check_url(url);
        checked.map_err(|refused| Problem::new("callback_url_refused", refused.to_string()))?;
    }
    let known = api.broker().registry().agent(&agent.address).cloned();
    let known = known.filter(|known| known.status != AgentStatus::Deleted);
    if let Some(account) = known.as_ref().and_then(|known| known.account) {
        let stored = known.and_then(|known| known.callback_url.clone());
        let is_other = agent.callback_url.is_some() && agent.callback_url != stored;
        if is_other && call.caller.is_admin() {
            let patch = AgentPatch {
                binding: Some(agent.binding),
                callback_url: agent.callback_url.clone(),
                ..AgentPatch::default()
            };
            let command = AdminCommand::Update {
                account,
                patch: Box::new(patch),
            };
            let note = call.note("account.update", &agent.address, None);
            api.broker().administer(command, note).await?;
        }
        return Ok(false);
    }
    if agent.is_made {
        return make(api, call, agent, warnings).await;
    }
    if known.is_some() {
        return Ok(false);
    }
    Err(Problem::new(
        "agent_not_found",
        format!(
            "no agent at {}; hint: create_if_missing makes it",
            agent.address
        ),
    )
    .with(json!({ "to_agent": agent.address.to_string() }))
    .into())
}

async fn make(
    api: &Api,
    call: &Call,
    agent: &BundleAgent,
    warnings: &mut Vec<String>,
) -> Result<bool> {
    match (agent.binding, &agent.callback_url) {
        (Binding::Http, None) => warnings.push(format!(
            "agents: {} has no callback_url: its intents wait parked until it has one",
            agent.address
        )),
        (Binding::Http, Some(_)) if !call.caller.is_admin() => {
            return Err(Problem::new(
                "forbidden",
                format!(
                    "only an admin's key makes {}, which is called over http",
                    agent.address
                ),
            )
            .into());
        }
        _ => {}
    }
    let command = AdminCommand::Register(Box::new(NewAgent {
        address: agent.address.clone(),
        name: agent.name.clone(),
        display_name: agent.display_name.clone(),
        description: None,
        binding: agent.binding,
        callback_url: agent.callback_url.clone(),
        ack_timeout: None,
        max_in_flight: None,
    }));
    let note = call.note("account.create", &agent.address, None);
    let receipt = api.broker().administer(command, note).await?;
    Ok(!receipt.is_repeat)
}

fn request(api: &Api, call: &Call, bundle: Bundle) -> Request {
    let broker = api.broker();
    let id = broker.new_intent_id();
    let payload_bytes = u32::try_from(bundle.payload.len()).unwrap_or(u32::MAX);
    let submit = Submit {
        id,
        thread: broker.new_thread_id(),
        intent_type: bundle.intent_type,
        correlation_id: broker.new_thread_id().to_string(),
        from: call.caller.address.clone(),
        to: bundle.to,
        reply_to: bundle.reply_to,
        trace_id: call.trace_id.clone(),
        payload: PayloadSource::Given(bundle.payload),
        payload_bytes,
        deadline: bundle.deadline,
        ttl: None,
        max_attempts: bundle.max_attempts,
        reminders: bundle.reminders,
        task: bundle.task,
        replay: None,
        part: bundle.workflow.map_or(Part::Plain, Part::Run),
    };
    let mut request = Request::plain(id, Command::Submit(Box::new(submit)));
    request.audit = Some(call.note("scenario.apply", &bundle.scenario, None));
    request
}

fn applied(
    api: &Api,
    bundle: &Bundle,
    receipt: &Receipt,
    agents: &[(BundleAgent, bool)],
    warnings: &[String],
) -> Object {
    let intent = &receipt.intent;
    let scenario = match &intent.run {
        Some(run) => &run.workflow.scenario,
        None => &bundle.scenario,
    };
    let compile = format!("wf_{}", intent.id.short());
    let registry = api.broker().registry();
    let provisioned = agents.iter().map(|(agent, _)| {
        let account = registry
            .agent(&agent.address)
            .and_then(|known| known.account);
        let account = account.map_or_else(|| "sa_unregistered".to_owned(), |id| id.to_string());
        Object::new()
            .text("role", &agent.role)
            .shown("address", &agent.address)
            .shown("agent_address", &agent.address)
            .text("service_account_id", &account)
            .text("sa_id", &account)
    });
    let roles = agents.iter().map(|(agent, is_created)| {
        Object::new()
            .text("role", &agent.role)
            .shown("address", &agent.address)
            .flag("created", *is_created)
    });
    let holder = intents::holder(intent).map(|holder| holder.reference);
    Object::ok()
        .shown("intent_id", intent.id)
        .text("scenario_id", scenario)
        .text("status", intent.status.name())
        .text_or_null("pending_with", holder.as_deref())
        .text("workflow_compile_id", &compile)
        .text("compile_id", &compile)
        .flag("idempotent", receipt.is_repeat)
        .list("agents", roles)
        .list("agents_provisioned", provisioned)
        .shown_or_null("deadline_at", intent.deadline)
        .shown("created_at", intent.created_at)
        .texts("warnings", warnings)
}

/// `GET /v1/tool-registry/macros`: there are none.
pub(super) async fn macros(_call: Call) -> Result {
    Ok(Answer(Object::ok().list("macros", [])))
}
