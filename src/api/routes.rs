//! The table of routes, and what surrounds every one of them.

use std::any::Any;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{any, delete, get, post};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use tower_http::catch_panic::CatchPanicLayer;

use crate::api::answer::Said;
use crate::api::call::{DRAINED_BODIES, Traces};
use crate::api::unread::Unread;
use crate::api::{
    Api, accounts, agents, answer, attempts, audit, controls, dead_letters, deliveries, events,
    feed, health, holds, inbox, intents, jobs, mcp, mesh, metrics, moves, openapi, overview, page,
    scenarios, scheduler, schemas, submit, tasks, unsupported, webhooks,
};
use crate::wire::errors::Problem;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");
const SERVER: &str = concat!("Postroom/", env!("CARGO_PKG_VERSION"));

/// Every route of the door.
pub fn router(api: Api) -> Router {
    Router::new()
        .merge(plumbing())
        .merge(intent_routes())
        .merge(people())
        .merge(scenario_routes())
        .merge(operator())
        .merge(scheduler_routes())
        .route("/v1/schemas", post(schemas::upsert))
        .route("/v1/schemas/{semantic_type}", get(schemas::show))
        .merge(mesh())
        .merge(webhook_routes())
        .route("/v1/agents", get(agents::list))
        .route("/v1/agents/{*rest}", any(agents::dispatch))
        .route(
            "/v1/service-accounts",
            get(accounts::list).post(accounts::create),
        )
        .route(
            "/v1/service-accounts/{id}",
            get(accounts::show)
                .delete(accounts::delete)
                .patch(accounts::patch),
        )
        .route(
            "/v1/service-accounts/{id}/webhook-secret",
            post(accounts::webhook_secret),
        )
        .route(
            "/v1/service-accounts/{id}/keys",
            get(accounts::keys).post(accounts::create_key),
        )
        .route(
            "/v1/service-accounts/{id}/keys/{key_id}/revoke",
            post(accounts::revoke_key),
        )
        .fallback(unsupported::fallback)
        .layer(CatchPanicLayer::custom(on_panic))
        .layer(from_fn_with_state(api.clone(), surround))
        .with_state(api)
}

fn plumbing() -> Router<Api> {
    Router::new()
        .route("/health", get(health::health))
        .route("/v1/health", get(health::health))
        .route("/ready", get(health::ready))
        .route("/openapi.json", get(openapi::show))
        .route("/mcp", post(mcp::serve))
        .route("/metrics", get(metrics::metrics))
        .route("/v1/capabilities", get(health::capabilities))
        .route("/v1/me", get(health::me))
}

fn intent_routes() -> Router<Api> {
    Router::new()
        .route("/v1/intents", get(intents::list).post(submit::create))
        .route("/v1/intents/batch", post(submit::batch))
        .route("/v1/intents/bulk-cancel", post(moves::bulk_cancel))
        .route("/v1/intents/{id}", get(intents::show))
        .route("/v1/intents/{id}/events", get(events::list))
        .route("/v1/intents/{id}/events/stream", get(events::stream))
        .route("/v1/intents/{id}/facts", get(events::facts))
        .route("/v1/intents/{id}/resolve", post(moves::resolve))
        .route("/v1/intents/{id}/resume", post(moves::resume))
        .route("/v1/intents/{id}/cancel", post(moves::cancel))
        .route("/v1/intents/{id}/retry-now", post(moves::retry_now))
        .route("/v1/intents/{id}/controls", post(controls::controls))
        .route("/v1/intents/{id}/policy", post(controls::policy))
}

fn people() -> Router<Api> {
    Router::new()
        .route("/v1/inbox", get(inbox::list))
        .route("/v1/inbox/changes", get(inbox::changes::changes))
        .route("/v1/inbox/{id}", get(inbox::show))
        .route("/v1/inbox/{id}/reply", post(inbox::reply))
        .route("/v1/inbox/{id}/approve", post(inbox::approve))
        .route("/v1/inbox/{id}/reject", post(inbox::reject))
        .route("/v1/inbox/{id}/read", post(inbox::hand::read))
        .route("/v1/inbox/{id}/delegate", post(inbox::hand::delegate))
        .route("/v1/inbox/{id}/messages/delete", post(inbox::hand::empty))
        .route("/v1/approvals/{id}/decision", post(inbox::decision))
        .route("/v1/me/tasks", get(tasks::mine))
        .route("/decide/{token}", get(page::show).post(page::decide))
}

fn scenario_routes() -> Router<Api> {
    Router::new()
        .route("/v1/scenarios/validate", post(scenarios::validate))
        .route("/v1/scenarios/apply", post(scenarios::apply))
        .route("/v1/tool-registry/macros", get(scenarios::macros))
        .route(
            "/v1/tool-registry/macros/{macro_id}",
            get(scenarios::macro_of),
        )
}

/// Where an outside clock would ask.
fn scheduler_routes() -> Router<Api> {
    Router::new()
        .route(
            "/internal/scheduler/workflow-tick",
            post(scheduler::workflow_tick),
        )
        .route(
            "/internal/scheduler/webhook-tick",
            post(scheduler::webhook_tick),
        )
        .route(
            "/internal/scheduler/reconcile-safety",
            post(scheduler::reconcile_safety),
        )
}

fn webhook_routes() -> Router<Api> {
    Router::new()
        .route(
            "/v1/webhooks/subscriptions",
            get(webhooks::list).post(webhooks::subscribe),
        )
        .route(
            "/v1/webhooks/subscriptions/{id}",
            delete(webhooks::unsubscribe),
        )
        .route("/v1/webhooks/events", post(webhooks::publish))
        .route("/v1/webhooks/events/{id}/replay", post(webhooks::replay))
}

fn mesh() -> Router<Api> {
    Router::new()
        .route("/v1/mesh/heartbeat", post(mesh::heartbeat))
        .route("/v1/mesh/agents", get(mesh::list))
        .route("/v1/mesh/agents/{id}", get(mesh::show))
        .route("/v1/mesh/events", get(mesh::events))
        .route("/v1/mesh/agents/{id}/kill", post(mesh::kill))
        .route("/v1/mesh/agents/{id}/resume", post(mesh::revive))
}

fn operator() -> Router<Api> {
    Router::new()
        .route("/v1/overview", get(overview::overview))
        .route("/v1/attempts", get(attempts::list))
        .route("/v1/events", get(feed::list))
        .route("/v1/events/stream", get(feed::stream))
        .route("/v1/audit/events", get(audit::list).post(audit::note))
        .route("/v1/dead-letters", get(dead_letters::list))
        .route(
            "/v1/dead-letters/groups/{fingerprint}",
            post(dead_letters::mark),
        )
        .route("/v1/dead-letters/replay", post(jobs::replay))
        .route("/v1/dead-letters/discard", post(jobs::discard))
        .route("/v1/dead-letters/{id}", get(dead_letters::show))
        .route("/v1/dead-letters/{id}/replay", post(dead_letters::replay))
        .route("/v1/dead-letters/{id}/discard", post(dead_letters::discard))
        .route("/v1/jobs", get(jobs::list).post(jobs::create))
        .route("/v1/jobs/{id}", get(jobs::show))
        .route("/v1/jobs/{id}/pause", post(jobs::pause))
        .route("/v1/jobs/{id}/resume", post(jobs::resume))
        .route("/v1/jobs/{id}/cancel", post(jobs::cancel))
        .route(
            "/v1/deliveries",
            get(deliveries::list).post(unsupported::never),
        )
        .route("/v1/deliveries/reconcile", post(unsupported::never))
        .route("/v1/deliveries/{id}", get(deliveries::show))
        .route("/v1/deliveries/{id}/replay", post(deliveries::replay))
        .route("/v1/holds", get(holds::list))
        .route("/v1/holds/{id}/cancel", post(holds::cancel))
}

/// What every response carries, and the shape of what no handler answers.
async fn surround(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let started = api.broker().clock().elapsed();
    let traces = traces(&api, request.headers());
    let path = request.uri().path();
    let is_scenario = path.starts_with("/v1/scenarios");
    let route = metrics::route_of(request.extensions(), path);
    request.extensions_mut().insert(traces.clone());
    let method = request.method().clone();
    let unread = Unread::of(&mut request);
    let mut response = next.run(request).await;
    if response.status() == StatusCode::METHOD_NOT_ALLOWED
        && !response.headers().contains_key(header::CONTENT_TYPE)
    {
        response = answer::problem(&not_allowed(&method), is_scenario);
    } else if response.status().is_client_error() && !is_of_a_handler(&response) {
        // What the router itself refuses: a path whose bytes are no text names nothing.
        let problem = Problem::new("not_found", "the path is not UTF-8 once decoded");
        response = answer::problem(&problem, is_scenario);
    }
    let said = response.extensions_mut().remove::<Said>();
    if let Some(Said(problem)) = said.filter(|_| is_scenario) {
        response = answer::problem(&problem, true);
    }
    let took = api.broker().clock().elapsed().since(started);
    api.counters()
        .count(&route, response.status().as_u16(), took);
    // What is not supported is no fault; clients that beat every few seconds would fill the log.
    if response.status().is_server_error() && response.status() != StatusCode::NOT_IMPLEMENTED {
        tracing::warn!(
            request_id = traces.request_id,
            %method,
            route,
            status = response.status().as_u16(),
            "request failed"
        );
    }
    let headers = response.headers_mut();
    for (name, value) in [(REQUEST_ID, traces.request_id), (TRACE_ID, traces.trace_id)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::SERVER, HeaderValue::from_static(SERVER));
    let settings = api.settings();
    let bytes_max = settings.body_bytes_max.saturating_mul(DRAINED_BODIES);
    let wait = settings.body_wait.saturating_sub(took);
    unread.finish(&mut response, bytes_max, wait).await;
    response
}

fn is_of_a_handler(response: &Response) -> bool {
    let media = response.headers().get(header::CONTENT_TYPE);
    media.is_some_and(|value| value == "application/json" || value == "text/html; charset=utf-8")
}

/// What the router itself refuses. Which methods it allows it says afterwards, in the header alone.
fn not_allowed(method: &http::Method) -> Problem {
    Problem::new(
        "method_not_allowed",
        format!("{method} is not allowed here; the Allow header names what is"),
    )
}

/// A known route, another method.
pub(super) fn method_not_allowed(method: &http::Method, allowed: &str) -> Problem {
    Problem::new(
        "method_not_allowed",
        format!("{method} is not allowed here; allowed: {allowed}"),
    )
    .with(serde_json::json!({ "allow": allowed }))
}

/// Takes the request's ids over where they are fit, and makes them otherwise.
fn traces(api: &Api, headers: &HeaderMap) -> Traces {
    let request_id = visible(headers, &REQUEST_ID)
        .unwrap_or_else(|| format!("req_{:016x}", api.broker().entropy().u64()));
    let trace_id = visible(headers, &TRACE_ID).unwrap_or_else(|| request_id.clone());
    Traces {
        request_id,
        trace_id,
    }
}

fn visible(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?;
    let is_fit =
        (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    is_fit.then(|| text.to_owned())
}

/// A handler's panic ends its request, not the broker: nothing was committed by it that is not whole.
#[expect(clippy::needless_pass_by_value, reason = "the layer gives it away")]
fn on_panic(panic: Box<dyn Any + Send>) -> Response {
    let why = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned());
    tracing::error!(why, "a handler panicked");
    answer::problem(&Problem::internal(), false)
}
