//! Agents: lists, and everything below an address. An address has slashes of its own, so what
//! stands behind it is matched from the right.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Path, Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, header};

use crate::api::answer::{Answer, ApiError, Result, problem};
use crate::api::call::{Call, LargeUpload, Upload};
use crate::api::routes::method_not_allowed;
use crate::api::unsupported::not_part_of_postroom;
use crate::api::{Api, leases, policy, poll, stream};
use crate::broker::push::view::EndpointView;
use crate::broker::request::AdminCommand;
use crate::broker::stats::Snapshot;
use crate::domain::address::Address;
use crate::domain::agent::{Agent, Binding};
use crate::domain::endpoint::Breaker;
use crate::store::query::Counters;
use crate::wire::activity;
use crate::wire::agents::{self, Depth, Endpoint};
use crate::wire::body::{Body, Fields};
use crate::wire::errors::Problem;
use crate::wire::json::Object;

/// What stands behind an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Below {
    Itself,
    Stream,
    Poll,
    Results,
    Lease(String, LeaseCall),
    Pause,
    Resume,
    Limit,
    ResetBreaker,
    Activity,
    Policy,
    PolicyEntries,
    PolicyEntry(String),
    ReceiveOverride,
}

/// Calls on an attempt that is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LeaseCall {
    Ack,
    Nack,
    Extend,
}

/// Splits what follows `/v1/agents/` into an address and what stands behind it.
pub(super) fn split(rest: &str) -> (&str, Below) {
    let rest = rest.trim_end_matches('/');
    for (suffix, below) in [
        ("/intents/stream", Below::Stream),
        ("/intents/results", Below::Results),
        ("/intents", Below::Poll),
        ("/pause", Below::Pause),
        ("/resume", Below::Resume),
        ("/limit", Below::Limit),
        ("/reset-breaker", Below::ResetBreaker),
        ("/activity", Below::Activity),
        ("/policy", Below::Policy),
        ("/policy/entries", Below::PolicyEntries),
        ("/receive-override", Below::ReceiveOverride),
    ] {
        if let Some(address) = rest.strip_suffix(suffix) {
            return (address, below);
        }
    }
    for (suffix, lease) in [
        ("/ack", LeaseCall::Ack),
        ("/nack", LeaseCall::Nack),
        ("/extend", LeaseCall::Extend),
    ] {
        if let Some((address, id)) = rest
            .strip_suffix(suffix)
            .and_then(|before| before.rsplit_once('/'))
            .and_then(|(before, id)| Some((before.strip_suffix("/intents")?, id)))
        {
            return (address, Below::Lease(id.to_owned(), lease));
        }
    }
    if let Some((before, entry)) = rest.rsplit_once('/')
        && let Some(address) = before.strip_suffix("/policy/entries")
    {
        return (address, Below::PolicyEntry(entry.to_owned()));
    }
    (rest, Below::Itself)
}

impl Below {
    /// What stands behind an address, with nothing of one request's in it.
    pub(super) const fn template(&self) -> &'static str {
        match self {
            Self::Itself => "",
            Self::Stream => "/intents/stream",
            Self::Poll => "/intents",
            Self::Results => "/intents/results",
            Self::Lease(_, LeaseCall::Ack) => "/intents/{id}/ack",
            Self::Lease(_, LeaseCall::Nack) => "/intents/{id}/nack",
            Self::Lease(_, LeaseCall::Extend) => "/intents/{id}/extend",
            Self::Pause => "/pause",
            Self::Resume => "/resume",
            Self::Limit => "/limit",
            Self::ResetBreaker => "/reset-breaker",
            Self::Activity => "/activity",
            Self::Policy => "/policy",
            Self::PolicyEntries => "/policy/entries",
            Self::PolicyEntry(_) => "/policy/entries/{id}",
            Self::ReceiveOverride => "/receive-override",
        }
    }

    const fn allowed(&self) -> &'static str {
        match self {
            Self::Itself | Self::Stream | Self::Poll | Self::Activity => "GET,HEAD",
            Self::Results
            | Self::Lease(..)
            | Self::Pause
            | Self::Resume
            | Self::Limit
            | Self::ResetBreaker
            | Self::PolicyEntries => "POST",
            Self::Policy => "GET,HEAD,PUT",
            Self::PolicyEntry(_) => "DELETE",
            Self::ReceiveOverride => "GET,HEAD,PUT,POST,DELETE",
        }
    }
}

/// Everything under `/v1/agents/`.
pub(super) async fn dispatch(
    State(api): State<Api>,
    Path(rest): Path<String>,
    request: Request,
) -> Response {
    let (address, below) = split(&rest);
    let method = if request.method() == Method::HEAD {
        Method::GET
    } else {
        request.method().clone()
    };
    let allowed = below.allowed();
    if !allowed.split(',').any(|name| name == method.as_str()) {
        let mut response = problem(&method_not_allowed(&method, allowed), false);
        response
            .headers_mut()
            .insert(header::ALLOW, HeaderValue::from_static(allowed));
        return response;
    }
    route(&api, address, below, request)
        .await
        .unwrap_or_else(ApiError::into_response)
}

async fn route(api: &Api, address: &str, below: Below, request: Request) -> Result<Response> {
    let (mut parts, body) = request.into_parts();
    let call = Call::from_request_parts(&mut parts, api).await?;
    let address = Address::parse(address, &api.broker().registry().home)
        .map_err(|error| Problem::address("address", &error))?;
    let request = Request::from_parts(parts, body);
    Ok(match below {
        Below::Itself => show(api, &address).await?.into_response(),
        Below::Stream => stream::stream(api, &call, &address)?,
        Below::Poll => poll::poll(api, &call, address).await?.into_response(),
        Below::Results => {
            let LargeUpload(bytes) = LargeUpload::from_request(request, api).await?;
            leases::results(api, &call, &address, &bytes)
                .await?
                .into_response()
        }
        Below::Lease(id, lease) => {
            let Upload(bytes) = Upload::from_request(request, api).await?;
            leases::change(api, &call, &address, &id, lease, &bytes)
                .await?
                .into_response()
        }
        Below::Pause => {
            let Upload(bytes) = Upload::from_request(request, api).await?;
            pause(api, &call, address, &bytes).await?.into_response()
        }
        Below::Resume => {
            let Upload(bytes) = Upload::from_request(request, api).await?;
            unpause(api, &call, address, &bytes).await?.into_response()
        }
        Below::Activity => lately(api, &call, &address)?.into_response(),
        Below::Policy => policy::whole(api, &call, &address, request)
            .await?
            .into_response(),
        Below::PolicyEntries => {
            let Upload(bytes) = Upload::from_request(request, api).await?;
            policy::add(api, &call, &address, &bytes)
                .await?
                .into_response()
        }
        Below::PolicyEntry(entry) => policy::remove(api, &call, &address, &entry)
            .await?
            .into_response(),
        Below::Limit => {
            let Upload(bytes) = Upload::from_request(request, api).await?;
            limit(api, &call, address, &bytes).await?.into_response()
        }
        Below::ResetBreaker => {
            let Upload(bytes) = Upload::from_request(request, api).await?;
            let answer = reset_breaker(api, &call, address, &bytes).await?;
            answer.into_response()
        }
        Below::ReceiveOverride => return Err(not_part_of_postroom("receive-override").into()),
    })
}

/// `GET /v1/agents`.
pub(super) async fn list(State(api): State<Api>, call: Call) -> Result {
    let limit = call.query.limit(500, 10_000)?;
    let registry = api.broker().registry();
    let after = call.query.get("cursor");
    if let Some(cursor) = after
        && !Address::parse(cursor, &registry.home).is_ok_and(|address| address.key() == cursor)
    {
        return Err(Problem::new(
            "bad_cursor",
            format!("cursor {cursor:?} was not issued here; hint: start without one"),
        )
        .into());
    }
    let (counters, oldest) = api
        .broker()
        .read(|reader| {
            let counters = reader.counters()?;
            let mut oldest = HashMap::new();
            for (address, depth) in &counters.by_agent {
                if depth.ready > 0
                    && let Some(since) = reader.oldest_ready(address)?
                {
                    oldest.insert(address.clone(), since);
                }
            }
            Ok((counters, oldest))
        })
        .await?;
    let now = api.broker().clock().now();
    let snapshot = api.broker().stats().snapshot();
    let mut agents = registry.agents();
    if let Some(after) = after {
        agents.retain(|agent| agent.address.key() > after);
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = agents.len() > limit;
    agents.truncate(limit);
    let next = agents
        .last()
        .filter(|_last| has_more)
        .map(|agent| agent.address.key().to_owned());
    let items = agents.iter().map(|agent| {
        let mut depth = depth(&api, agent, &counters, &snapshot);
        let since = oldest.get(&agent.address);
        depth.oldest_waiting = since.map(|since| now.since(*since));
        agents::agent(agent, depth)
    });
    Ok(Answer(
        Object::ok()
            .shown("at", now)
            .list("agents", items)
            .text_or_null("next_cursor", next.as_deref()),
    ))
}

fn find(api: &Api, address: &Address) -> Result<Arc<Agent>> {
    let registry = api.broker().registry();
    let agent = registry.agent(address).cloned().ok_or_else(|| {
        Problem::new("agent_not_found", format!("no agent at {address}"))
            .with(serde_json::json!({ "address": address.to_string() }))
    })?;
    Ok(agent)
}

/// `GET /v1/agents/{address}/activity`.
fn lately(api: &Api, call: &Call, address: &Address) -> Result {
    call.caller.must_be_admin()?;
    let agent = find(api, address)?;
    let broker = api.broker();
    let measured = broker.stats().activity(address);
    let lease = broker.settings().policy.ack_timeout;
    Ok(Answer(
        Object::ok()
            .shown("at", broker.clock().now())
            .object("activity", activity::object(&agent, &measured, lease)),
    ))
}

async fn show(api: &Api, address: &Address) -> Result {
    let agent = find(api, address)?;
    Ok(Answer(
        Object::ok().object("agent", object(api, &agent).await?),
    ))
}

/// The agent with its numbers.
async fn object(api: &Api, agent: &Arc<Agent>) -> Result<Object> {
    let address = agent.address.clone();
    let (counters, oldest) = api
        .broker()
        .read(move |reader| Ok((reader.counters()?, reader.oldest_ready(&address)?)))
        .await?;
    let now = api.broker().clock().now();
    let mut depth = depth(api, agent, &counters, &api.broker().stats().snapshot());
    depth.oldest_waiting = oldest.map(|since| now.since(since));
    Ok(agents::agent(agent, depth))
}

fn depth(api: &Api, agent: &Agent, counters: &Counters, snapshot: &Snapshot) -> Depth {
    let stored = counters
        .by_agent
        .iter()
        .find(|(address, _)| *address == agent.address)
        .map(|(_, depth)| *depth)
        .unwrap_or_default();
    let seen = snapshot
        .agents
        .iter()
        .find(|(address, _)| *address == agent.address)
        .map(|(_, rates)| rates);
    Depth {
        connections: seen.map_or(0, |rates| rates.connections),
        ready: stored.ready,
        leased: stored.leased,
        backing_off: stored.backing_off,
        held: stored.held,
        dead_letters: stored.dead,
        oldest_waiting: None,
        last_seen_at: seen.and_then(|rates| rates.last_seen_at),
        out_per_second: seen.map_or(0.0, |rates| rates.out_per_second),
        succeeded: seen.map_or(0, |rates| rates.succeeded),
        failed: seen.map_or(0, |rates| rates.failed),
        p95_ms: seen.and_then(|rates| rates.p95_ms),
        dead_last_hour: seen.map_or(0, |rates| rates.dead_last_hour),
        health: api.broker().health(&agent.address),
        parked: api.broker().parked(&agent.address),
        endpoint: endpoint(api, agent),
    }
}

/// The endpoint of an agent that is called. One that was never called is as new.
fn endpoint(api: &Api, agent: &Agent) -> Option<Endpoint> {
    if agent.binding != Binding::Http {
        return None;
    }
    let now = api.broker().clock().now();
    let Some(known) = api.broker().endpoints().of(&agent.address, now) else {
        return Some(Endpoint {
            breaker: Breaker::Closed,
            open_until: None,
            held_until: None,
            in_flight: 0,
            limit: 1,
            rate_millihertz: None,
        });
    };
    let EndpointView {
        breaker,
        open_until,
        held_until,
        in_flight,
        limit,
        rate_millihertz,
        is_at_rate: _,
    } = known;
    Some(Endpoint {
        breaker,
        open_until,
        held_until,
        in_flight,
        limit,
        rate_millihertz,
    })
}

async fn pause(api: &Api, call: &Call, address: Address, bytes: &[u8]) -> Result {
    call.caller.must_be_admin()?;
    let body = Body::parse(bytes)?;
    let mut fields = Fields::of(&body);
    let reason = fields.text("reason", 2000).unwrap_or_default();
    fields.done()?;
    let note = call.note("agent.pause", &address, Some(&reason));
    administer(api, AdminCommand::Pause { address, reason }, note).await
}

async fn unpause(api: &Api, call: &Call, address: Address, bytes: &[u8]) -> Result {
    call.caller.must_be_admin()?;
    let body = Body::parse(bytes)?;
    let mut fields = Fields::of(&body);
    let reason = fields.text("reason", 2000);
    fields.done()?;
    let note = call.note("agent.resume", &address, reason.as_deref());
    administer(api, AdminCommand::Unpause { address }, note).await
}

/// `POST /v1/agents/{address}/limit`.
async fn limit(api: &Api, call: &Call, address: Address, bytes: &[u8]) -> Result {
    call.caller.must_be_admin()?;
    let (limit, reason) = agents::limit(&Body::parse(bytes)?)?;
    let note = call.note("agent.limit", &address, reason.as_deref());
    administer(api, AdminCommand::Limit { address, limit }, note).await
}

/// `POST /v1/agents/{address}/reset-breaker`.
async fn reset_breaker(api: &Api, call: &Call, address: Address, bytes: &[u8]) -> Result {
    call.caller.must_be_admin()?;
    let body = Body::parse(bytes)?;
    let mut fields = Fields::of(&body);
    let reason = fields.text("reason", 2000);
    fields.done()?;
    let note = call.note("agent.reset_breaker", &address, reason.as_deref());
    administer(api, AdminCommand::ResetBreaker { address }, note).await
}

async fn administer(
    api: &Api,
    command: AdminCommand,
    note: crate::broker::request::AuditNote,
) -> Result {
    let receipt = api.broker().administer(command, note).await?;
    let agent = receipt.agent.ok_or_else(Problem::internal)?;
    Ok(Answer(
        Object::ok().object("agent", object(api, &agent).await?),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_behind_an_address_is_matched_from_the_right() {
        let lease = |id: &str, call| Below::Lease(id.to_owned(), call);
        for (rest, address, below) in [
            ("orders", "orders", Below::Itself),
            (
                "local/default/orders",
                "local/default/orders",
                Below::Itself,
            ),
            ("orders/intents/stream", "orders", Below::Stream),
            ("agent://a/b/c/intents", "agent://a/b/c", Below::Poll),
            ("a/b/intents/intents", "a/b/intents", Below::Poll),
            ("orders/intents/results", "orders", Below::Results),
            (
                "orders/intents/018f/ack",
                "orders",
                lease("018f", LeaseCall::Ack),
            ),
            ("a/b/c/intents/x/nack", "a/b/c", lease("x", LeaseCall::Nack)),
            (
                "agent://a/b/c/intents/x/extend",
                "agent://a/b/c",
                lease("x", LeaseCall::Extend),
            ),
            (
                "agent://a/b/c/policy/entries/pol_1",
                "agent://a/b/c",
                Below::PolicyEntry("pol_1".to_owned()),
            ),
            ("orders/policy/entries", "orders", Below::PolicyEntries),
            ("orders/activity", "orders", Below::Activity),
            ("orders/policy", "orders", Below::Policy),
            ("orders/pause/", "orders", Below::Pause),
            ("orders/resume", "orders", Below::Resume),
        ] {
            assert_eq!(split(rest), (address, below), "{rest}");
        }
    }
}
