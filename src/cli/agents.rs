//! `agents`: who receives, and how.

use serde_json::{Map, Value, json};

use super::arguments::{AddArguments, AgentsVerb, Window};
use super::client::{Call, Client, address_in_path, list, segment, text};
use super::failure::Failure;
use super::intents::print_facts;
use super::{Context, export, when};
use crate::domain::time::Timestamp;

pub(super) async fn run(verb: AgentsVerb, context: &Context) -> Result<(), Failure> {
    let client = context.client()?;
    match verb {
        AgentsVerb::List(export) => {
            let window = Window::whole(export);
            let call = Call::get("/v1/agents");
            if export::pages(context, &window, export::AGENTS, &call).await? {
                return Ok(());
            }
            let answer = client
                .call(Call::get("/v1/agents").with("limit", 500_u32))
                .await?;
            context
                .out
                .either(&answer, |_out| print_list(&answer, context))
        }
        AgentsVerb::Show { address } => {
            let answer = client.call(Call::get(path(&address, context)?)).await?;
            context.out.either(&answer, |_out| {
                print_agent(answer.get("agent").unwrap_or(&Value::Null), context)
            })
        }
        AgentsVerb::Add(arguments) => add(arguments, &client, context).await,
        steer @ (AgentsVerb::Pause { .. }
        | AgentsVerb::Resume { .. }
        | AgentsVerb::Kill { .. }
        | AgentsVerb::Revive { .. }
        | AgentsVerb::Limit { .. }
        | AgentsVerb::ResetBreaker { .. }) => steer_one(steer, &client, context).await,
        AgentsVerb::Secret { address, overlap } => {
            let account = account_of(&client, &address, context).await?;
            let mut body = Map::new();
            if let Some(seconds) = overlap {
                body.insert("overlap_seconds".to_owned(), json!(seconds));
            }
            let path = format!("/v1/service-accounts/{}/webhook-secret", segment(&account));
            let answer = client.call(Call::post(path, Value::Object(body))).await?;
            context.out.either(&answer, |out| {
                super::output::note("the secret is shown once; the receiver verifies with it:");
                out.line(text(&answer, "/secret"))
            })
        }
    }
}

/// What changes how an agent is served: the call, and what is said when it is done.
async fn steer_one(verb: AgentsVerb, client: &Client, context: &Context) -> Result<(), Failure> {
    let why = |why: Option<String>| why.unwrap_or_else(|| "no reason given".to_owned());
    let of =
        |address: &str, verb: &str| path(address, context).map(|path| format!("{path}/{verb}"));
    let mesh = |address: &str, verb: &str| {
        mesh_id(address, context).map(|id| format!("/v1/mesh/agents/{id}/{verb}"))
    };
    let (path, body, address, done) = match verb {
        AgentsVerb::Pause {
            address,
            why: given,
        } => (
            of(&address, "pause")?,
            json!({"reason": why(given)}),
            address,
            "paused: intents are accepted and wait",
        ),
        AgentsVerb::Resume { address, why } => (
            of(&address, "resume")?,
            json!({ "reason": why }),
            address,
            "resumed",
        ),
        AgentsVerb::Kill {
            address,
            why: given,
        } => (
            mesh(&address, "kill")?,
            json!({"reason": why(given)}),
            address,
            "killed: nothing goes to it or comes from it",
        ),
        AgentsVerb::Revive { address, why } => (
            mesh(&address, "resume")?,
            json!({ "reason": why }),
            address,
            "revived",
        ),
        AgentsVerb::Limit {
            address,
            rate,
            at_once,
            why,
        } => (
            of(&address, "limit")?,
            json!({"rate_per_second": rate, "max_in_flight": at_once, "reason": why}),
            address,
            "limited",
        ),
        AgentsVerb::ResetBreaker { address, why } => (
            of(&address, "reset-breaker")?,
            json!({ "reason": why }),
            address,
            "breaker reset: what waits is tried",
        ),
        _ => return Ok(()),
    };
    let answer = client.call(Call::post(path, given(body))).await?;
    context
        .out
        .either(&answer, |out| out.line(format!("{address}  {done}")))
}

/// The keys of an object that say something.
fn given(body: Value) -> Value {
    match body {
        Value::Object(mut map) => {
            map.retain(|_, value| !value.is_null());
            Value::Object(map)
        }
        other => other,
    }
}

/// `/v1/agents/org/ws/name`.
fn path(address: &str, context: &Context) -> Result<String, Failure> {
    let address = context.address(address)?;
    Ok(format!("/v1/agents/{}", address_in_path(&address)))
}

/// The address as one segment of a path.
fn mesh_id(address: &str, context: &Context) -> Result<String, Failure> {
    Ok(segment(&context.address(address)?))
}

/// The account behind an address.
pub(super) async fn account_of(
    client: &Client,
    address: &str,
    context: &Context,
) -> Result<String, Failure> {
    let answer = client.call(Call::get(path(address, context)?)).await?;
    match text(&answer, "/agent/service_account_id") {
        account if account.is_empty() || account == "sa_unregistered" => {
            Err(Failure::refused(format!("agent {address} has no account"))
                .hint(format!("postroom agents add {address}")))
        }
        account => Ok(account),
    }
}

async fn add(arguments: AddArguments, client: &Client, context: &Context) -> Result<(), Failure> {
    let mut body = Map::new();
    body.insert("name".to_owned(), json!(arguments.name));
    body.insert("delivery_mode".to_owned(), json!(arguments.binding));
    let texts = [
        ("callback_url", &arguments.callback),
        ("display_name", &arguments.display_name),
        ("description", &arguments.description),
    ];
    for (name, value) in texts {
        if let Some(value) = value {
            body.insert(name.to_owned(), json!(value));
        }
    }
    let numbers = [
        ("ack_timeout_seconds", arguments.ack_timeout),
        ("max_in_flight", arguments.max_in_flight),
    ];
    for (name, value) in numbers {
        if let Some(value) = value {
            body.insert(name.to_owned(), json!(value));
        }
    }
    let mut answer = client
        .call(Call::post("/v1/service-accounts", Value::Object(body)))
        .await?;
    let account = text(&answer, "/service_account/service_account_id");
    let mut token = None;
    if arguments.with_key {
        let path = format!("/v1/service-accounts/{}/keys", segment(&account));
        let made = client
            .call(Call::post(path, json!({"role": "agent"})))
            .await?;
        token = Some(text(&made, "/key/token"));
        if let Some(object) = answer.as_object_mut() {
            object.insert(
                "key".to_owned(),
                made.get("key").cloned().unwrap_or_default(),
            );
        }
    }
    context.out.either(&answer, |out| {
        out.line(format!(
            "{account}  {}  {}",
            text(&answer, "/service_account/address"),
            text(&answer, "/service_account/delivery_mode")
        ))?;
        match &token {
            Some(token) => out.line(token),
            None => Ok(()),
        }
    })
}

fn print_list(answer: &Value, context: &Context) -> Result<(), Failure> {
    let rows = list(answer, "/agents").iter().map(|agent| {
        vec![
            context.short(&text(agent, "/address")),
            text(agent, "/delivery_mode"),
            standing(agent),
            text(agent, "/connections"),
            text(agent, "/ready"),
            text(agent, "/leased"),
            text(agent, "/backing_off"),
            text(agent, "/parked"),
            breaker(agent, context.clock.now()),
            match text(agent, "/oldest_waiting_seconds").as_str() {
                "" => String::new(),
                seconds => format!("{seconds}s"),
            },
            text(agent, "/service_account_id"),
            text(agent, "/callback_url"),
        ]
    });
    let headings = [
        "agent", "binding", "state", "online", "ready", "leased", "retrying", "parked", "breaker",
        "oldest", "account", "url",
    ];
    context.out.table(&headings, rows.collect(), "no agents")
}

fn standing(agent: &Value) -> String {
    let is = |key: &str| agent.get(key).and_then(Value::as_bool) == Some(true);
    if is("killed") {
        "killed".to_owned()
    } else if is("paused") {
        "paused".to_owned()
    } else {
        text(agent, "/status")
    }
}

/// `closed 1/4`, calls under way of those allowed at once, or `open, probe in 22s`; empty where nothing is pushed.
fn breaker(agent: &Value, now: Timestamp) -> String {
    let state = text(agent, "/endpoint/breaker");
    match state.as_str() {
        "closed" => format!(
            "closed {}/{}",
            text(agent, "/endpoint/in_flight"),
            text(agent, "/endpoint/limit")
        ),
        "open" => match when::until(agent, "/endpoint/open_until", now) {
            probe if probe.is_empty() => state,
            probe => format!("open, probe {probe}"),
        },
        _ => state,
    }
}

fn print_agent(agent: &Value, context: &Context) -> Result<(), Failure> {
    let mut facts = vec![
        ("agent", text(agent, "/address")),
        ("name", text(agent, "/display_name")),
        ("account", text(agent, "/service_account_id")),
        ("binding", text(agent, "/delivery_mode")),
        ("url", text(agent, "/callback_url")),
        ("state", standing(agent)),
        ("health", text(agent, "/health_status")),
        ("online", text(agent, "/connections")),
        ("ready", text(agent, "/ready")),
        ("leased", text(agent, "/leased")),
        ("retrying", text(agent, "/backing_off")),
        ("parked", text(agent, "/parked")),
        ("breaker", breaker(agent, context.clock.now())),
        (
            "known for",
            when::ago(agent, "/created_at", context.clock.now()),
        ),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    print_facts(&context.out, &facts)
}
