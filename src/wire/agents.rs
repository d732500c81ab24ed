//! Agents, their accounts and their keys.

use crate::domain::address::{Address, Home};
use crate::domain::agent::{Agent, AgentLimit, AgentStatus, Binding, Pause};
use crate::domain::endpoint::Breaker;
use crate::domain::key::{Key, Role};
use crate::domain::mesh::Health;
use crate::domain::policy::Policy;
use crate::domain::time::{Span, Timestamp};
use crate::wire::body::{Body, Fields};
use crate::wire::errors::Problem;
use crate::wire::json::Object;
use crate::wire::mesh;

/// Names that responses repeat: the broker's own ids unless the request brought others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The organisation's id.
    pub org_id: String,
    /// The workspace's id.
    pub workspace_id: String,
}

/// The schedule of tries, for consoles.
#[must_use]
pub fn retry(policy: &Policy) -> Object {
    let delays: Vec<i64> = policy
        .push_retry_delays
        .iter()
        .map(|delay| delay.as_millis())
        .collect();
    Object::new()
        .number("max_delivery_attempts", policy.max_delivery_attempts)
        .number("ack_timeout_seconds", policy.ack_timeout.as_seconds())
        .number("jitter_percent", policy.jitter_percent)
        .value("push_delays_ms", &serde_json::json!(delays))
        .number("pull_base_ms", policy.pull_retry_base.as_millis())
        .number("pull_max_ms", policy.pull_retry_max.as_millis())
}

/// The account object. Every agent with an account has one; so have mailboxes, under a name of their own.
#[must_use]
pub fn account(agent: &Agent, place: &Place, ack_timeout: Span, credit: u32) -> Object {
    let status = match agent.status {
        AgentStatus::Active => "active",
        AgentStatus::Suspended => "suspended",
        AgentStatus::Deleted => "revoked",
    };
    Object::new()
        .text("service_account_id", &account_id(agent))
        .text("org_id", &place.org_id)
        .text("workspace_id", &place.workspace_id)
        .text("name", &agent.name)
        .text_or_null("description", agent.description.as_deref())
        .text("status", status)
        .text("created_by_actor_id", &agent.created_by)
        .shown("created_at", agent.created_at)
        .shown("updated_at", agent.updated_at)
        .text_or_null("display_name", agent.display_name.as_deref())
        .shown("address", &agent.address)
        .shown("agent_address", &agent.address)
        .text("delivery_mode", agent.binding.name())
        .text_or_null("callback_url", agent.callback_url.as_deref())
        .number(
            "ack_timeout_seconds",
            agent.ack_timeout.unwrap_or(ack_timeout).as_seconds(),
        )
        .number("max_in_flight", agent.max_in_flight.unwrap_or(credit))
        .flag("has_webhook_secret", !agent.secrets.is_empty())
}

fn account_id(agent: &Agent) -> String {
    agent
        .account
        .map_or_else(|| "sa_unregistered".to_owned(), |id| id.to_string())
}

/// A key without its token.
#[must_use]
pub fn key(key: &Key, now: Timestamp) -> Object {
    let status = match (key.revoked_at, key.expires_at) {
        (Some(_), _) => "revoked",
        (None, Some(end)) if end <= now => "expired",
        _ => "active",
    };
    Object::new()
        .shown("key_id", key.id)
        .shown("service_account_id", key.account)
        .text("key_hint", &key.hint)
        .text("status", status)
        .text("role", key.role.name())
        .shown("created_at", key.created_at)
        .shown_or_null("expires_at", key.expires_at)
        .maybe_shown("revoked_at", key.revoked_at)
}

/// Numbers of an agent beside its registration.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Depth {
    /// Live connections.
    pub connections: u64,
    /// Ready and not handed over.
    pub ready: u64,
    /// With a lease.
    pub leased: u64,
    /// Waiting for the next try.
    pub backing_off: u64,
    /// With a person or until an instant.
    pub held: u64,
    /// Open dead letters.
    pub dead_letters: u64,
    /// Age of the oldest ready one, when asked for.
    pub oldest_waiting: Option<Span>,
    /// When it last came for intents or answered.
    pub last_seen_at: Option<Timestamp>,
    /// Successful hand-overs per second, over ten seconds.
    pub out_per_second: f64,
    /// Attempts of the last five minutes that succeeded.
    pub succeeded: u64,
    /// Attempts of the last five minutes that ended otherwise.
    pub failed: u64,
    /// The length in milliseconds that 95 % of the attempts of the last fifteen minutes did not exceed.
    pub p95_ms: Option<f64>,
    /// Dead letters opened in the last hour.
    pub dead_last_hour: u64,
    /// How its heartbeats say that it is.
    pub health: Health,
    /// Why nothing is handed over now, if so.
    pub parked: Option<&'static str>,
    /// Its endpoint, for an agent that is called.
    pub endpoint: Option<Endpoint>,
}

/// The far end of an agent that is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// What its breaker lets through.
    pub breaker: Breaker,
    /// While the breaker is open: when a probe may go out.
    pub open_until: Option<Timestamp>,
    /// Until when it asked for no calls.
    pub held_until: Option<Timestamp>,
    /// Calls that run.
    pub in_flight: u32,
    /// Calls that may run at once.
    pub limit: u32,
    /// Most calls begun per 1000 seconds.
    pub rate_millihertz: Option<u32>,
}

fn endpoint(endpoint: &Endpoint) -> Object {
    let rate = endpoint
        .rate_millihertz
        .map(|rate| f64::from(rate) / 1000.0);
    Object::new()
        .text("breaker", endpoint.breaker.name())
        .number("in_flight", endpoint.in_flight)
        .number("limit", endpoint.limit)
        .decimal("rate_per_second", rate)
        .shown_or_null("open_until", endpoint.open_until)
        .shown_or_null("held_until", endpoint.held_until)
}

/// Who stopped an agent, when and why.
fn stop(pause: &Pause) -> Object {
    Object::new()
        .text("by", &pause.by)
        .text("reason", &pause.reason)
        .shown("at", pause.at)
}

/// The agent object.
#[must_use]
pub fn agent(agent: &Agent, depth: Depth) -> Object {
    let (ready, parked) = if depth.parked.is_some() {
        (0, depth.ready)
    } else {
        (depth.ready, 0)
    };
    Object::new()
        .shown("address", &agent.address)
        .text("service_account_id", &account_id(agent))
        .text("service_account_name", &agent.name)
        .text_or_null("display_name", agent.display_name.as_deref())
        .text("status", agent.status.name())
        .shown("created_at", agent.created_at)
        .shown("updated_at", agent.updated_at)
        .text("delivery_mode", agent.binding.name())
        .text_or_null("callback_url", agent.callback_url.as_deref())
        .text("address_id", &mesh::address_id(&agent.address))
        .number_or_null("max_in_flight", agent.max_in_flight)
        .flag("paused", agent.pause.is_some())
        .maybe_object("pause", agent.pause.as_ref().map(stop))
        .flag("killed", agent.kill.is_some())
        .maybe_object("kill", agent.kill.as_ref().map(stop))
        .number("connections", depth.connections)
        .number("ready", ready)
        .number("leased", depth.leased)
        .number("backing_off", depth.backing_off)
        .number("held", depth.held)
        .number("parked", parked)
        .maybe_text("parked_reason", depth.parked)
        .number("dead_letters", depth.dead_letters)
        .number_or_null(
            "oldest_waiting_seconds",
            depth.oldest_waiting.map(Span::as_seconds),
        )
        .maybe_number(
            "oldest_waiting_ms",
            depth.oldest_waiting.map(Span::as_millis),
        )
        .object(
            "rates",
            Object::new()
                .decimal("out_per_second", Some(depth.out_per_second))
                .number("succeeded", depth.succeeded)
                .number("failed", depth.failed)
                .decimal("p95_ms", depth.p95_ms)
                .number("dead_last_hour", depth.dead_last_hour),
        )
        .text("health_status", depth.health.name())
        .shown_or_null("last_seen_at", depth.last_seen_at)
        .with(|object| match &depth.endpoint {
            None => object,
            Some(of_agent) => object.object("endpoint", endpoint(of_agent)),
        })
}

/// An account to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// The name, verbatim.
    pub name: String,
    /// The address that follows from it.
    pub address: Address,
    /// Everything else.
    pub settings: AccountSettings,
}

/// What can be said about an account at its making and later.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountSettings {
    /// A name for people.
    pub display_name: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// Whether it may be used.
    pub status: Option<AgentStatus>,
    /// How it receives.
    pub binding: Option<Binding>,
    /// Where we post.
    pub callback_url: Option<String>,
    /// Its own acknowledgement timeout.
    pub ack_timeout: Option<Span>,
    /// Most unfinished rows of one connection, or posts at once.
    pub max_in_flight: Option<u32>,
    /// Most calls begun per 1000 seconds; zero takes the bound away.
    pub rate_millihertz: Option<u32>,
    /// Its signing secret.
    pub webhook_secret: Option<String>,
}

/// Reads the body of a new account.
///
/// # Errors
/// `schema_invalid` or `invalid_agent_address`.
pub fn new_account(body: &Body<'_>, home: &Home) -> Result<NewAccount, Problem> {
    let mut fields = Fields::of(body);
    let name = fields.required_text("name", 383);
    if name.as_deref().is_some_and(|name| name.chars().count() < 2) {
        fields.wrong("name", "must have at least 2 characters", "string");
    }
    let settings = settings(&mut fields);
    fields.done()?;
    let name = name.unwrap_or_default();
    let address = address_of(&name, home)?;
    Ok(NewAccount {
        name,
        address,
        settings,
    })
}

/// Reads a change of an account.
///
/// # Errors
/// `schema_invalid`.
pub fn account_patch(body: &Body<'_>) -> Result<AccountSettings, Problem> {
    let mut fields = Fields::of(body);
    let mut settings = settings(&mut fields);
    settings.status = fields
        .text("status", 32)
        .and_then(|name| match name.as_str() {
            "active" => Some(AgentStatus::Active),
            "suspended" => Some(AgentStatus::Suspended),
            _ => {
                fields.wrong("status", "must be active or suspended", "string");
                None
            }
        });
    settings.webhook_secret = fields.text("webhook_secret", 128);
    settings.rate_millihertz = fields.rate("rate_per_second");
    fields.done()?;
    Ok(settings)
}

/// Reads the bounds of an agent and the reason for them.
///
/// # Errors
/// `schema_invalid`, also when nothing is bounded.
pub fn limit(body: &Body<'_>) -> Result<(AgentLimit, Option<String>), Problem> {
    let mut fields = Fields::of(body);
    let limit = AgentLimit {
        rate_millihertz: fields.rate("rate_per_second"),
        max_in_flight: fields.count("max_in_flight", 0, 4096),
    };
    if limit == AgentLimit::default() {
        fields.wrong(
            "rate_per_second",
            "must be given, or max_in_flight; zero takes a bound away",
            "number",
        );
    }
    let reason = fields.text("reason", 2000);
    fields.done()?;
    Ok((limit, reason))
}

fn settings(fields: &mut Fields<'_, '_>) -> AccountSettings {
    let display_name = fields.text("display_name", 255);
    let description = fields.text("description", 1024);
    let binding = fields.text("delivery_mode", 32).and_then(|name| {
        let binding = Binding::from_name(&name);
        if binding.is_none() {
            fields.wrong(
                "delivery_mode",
                "must be stream, poll, http, inbox or internal",
                "string",
            );
        }
        binding
    });
    let callback_url = fields.text("callback_url", 2048);
    if callback_url
        .as_deref()
        .is_some_and(|text| !is_http_url(text))
    {
        fields.wrong(
            "callback_url",
            "must be an http or https URL with a host, such as http://127.0.0.1:8080/intent",
            "url",
        );
    }
    AccountSettings {
        display_name,
        description,
        status: None,
        binding,
        callback_url,
        ack_timeout: fields.seconds("ack_timeout_seconds", 1, 86_400),
        max_in_flight: fields.count("max_in_flight", 1, 4096),
        rate_millihertz: None,
        webhook_secret: None,
    }
}

fn is_http_url(text: &str) -> bool {
    url::Url::parse(text)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some())
}

/// The address that a name gives: a full address is its own; otherwise lower-cased, other characters
/// become `-`, in this broker's organisation and workspace.
///
/// # Errors
/// `invalid_agent_address`.
pub fn address_of(name: &str, home: &Home) -> Result<Address, Problem> {
    let path = name.trim().trim_start_matches("agent://").trim_matches('/');
    let text = if path.split('/').count() == 3 {
        path.to_owned()
    } else {
        let mapped: String = path
            .to_lowercase()
            .chars()
            .map(|character| match character {
                'a'..='z' | '0'..='9' | '.' | '_' | '-' => character,
                _ => '-',
            })
            .collect();
        mapped.trim_matches('-').to_owned()
    };
    Address::parse(&text, home).map_err(|error| Problem::address("name", &error))
}

/// A key to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// What it allows.
    pub role: Role,
    /// When it stops working by itself.
    pub expires_at: Option<Timestamp>,
}

/// Reads the body of a new key.
///
/// # Errors
/// `schema_invalid`.
pub fn new_key(body: &Body<'_>, now: Timestamp) -> Result<NewKey, Problem> {
    let mut fields = Fields::of(body);
    let role = fields.text("role", 32);
    let role = match role.as_deref() {
        None => Some(Role::Agent),
        Some(name) => Role::from_name(name),
    };
    if role.is_none() {
        fields.wrong("role", "must be admin, sender or agent", "string");
    }
    let expires_at = fields.instant("expires_at");
    if expires_at.is_some_and(|end| end <= now) {
        fields.wrong("expires_at", "must be in the future", "datetime");
    }
    fields.done()?;
    Ok(NewKey {
        role: role.unwrap_or(Role::Agent),
        expires_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_s_address_follows_from_its_name() {
        let home = Home::default();
        for (name, address) in [
            ("orders", "agent://local/default/orders"),
            ("Billing Team", "agent://local/default/billing-team"),
            ("agent://my/own/place", "agent://my/own/place"),
            ("my/own/place", "agent://my/own/place"),
            ("a/b", "agent://local/default/a-b"),
        ] {
            assert_eq!(address_of(name, &home).unwrap().to_string(), address);
        }
        assert_eq!(
            address_of("///", &home).unwrap_err().code,
            "invalid_agent_address"
        );
    }

    #[test]
    fn a_callback_url_must_be_http_with_a_host() {
        let body = Body::parse(b"{\"name\":\"ab\",\"callback_url\":\"ftp://x\"}").unwrap();
        assert_eq!(
            new_account(&body, &Home::default()).unwrap_err().code,
            "schema_invalid"
        );
    }
}
