//! Whether it is up, whether it is ready, what it can, who one is.

use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::api::Api;
use crate::api::answer::{self, Answer, Result};
use crate::api::call::Call;
use crate::wire::agents;
use crate::wire::errors::Problem;
use crate::wire::json::Object;

/// `GET /health`: up means answers. Never touches the store.
pub(super) async fn health(State(api): State<Api>) -> Answer {
    Answer(
        Object::ok()
            .text("service", "postroom")
            .text("version", env!("CARGO_PKG_VERSION"))
            .text("storage", api.broker().store_kind())
            .text("deployment_profile", "self-hosted"),
    )
}

/// `GET /ready`: whether work goes on behind the door.
pub(super) async fn ready(State(api): State<Api>) -> Response {
    let broker = api.broker();
    let now = broker.clock().now();
    let late = broker.next_due().map(|due| now.since(due).to_std());
    let late = late.unwrap_or_default();
    let room = broker.vitals().room();
    let commit_at_work = broker.vitals().commit_at_work();
    let lag_max = api.settings().lag_max;
    let reason = if api.is_stopping() {
        Some("stopping")
    } else if room.is_full {
        Some("storage full")
    } else if commit_at_work > lag_max || late > lag_max {
        Some("accepting without applying")
    } else {
        None
    };
    let millis = |length: Duration| u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
    let last_commit_at = broker.stats().last_commit_at();
    let commit_age = last_commit_at.map(|at| now.since(at).as_millis());
    let depth = u64::try_from(broker.queue_depth()).unwrap_or(u64::MAX);
    if let Some(reason) = reason {
        let problem =
            Problem::new("not_ready", format!("the broker is not ready: {reason}")).with(json!({
                "reason": reason,
                "oldest_due_ms": millis(late),
                "commit_age_ms": commit_age,
                "commit_at_work_ms": millis(commit_at_work),
                "queue_depth": depth,
                "disk_low": room.is_low,
            }));
        return answer::problem(&problem, false);
    }
    Answer(
        Object::ok()
            .flag("ready", true)
            .number("oldest_due_ms", millis(late))
            .number_or_null("commit_age_ms", commit_age)
            .number("queue_depth", depth)
            .flag("disk_low", room.is_low),
    )
    .into_response()
}

/// `GET /v1/capabilities`.
pub(super) async fn capabilities(_call: Call) -> Answer {
    Answer(
        Object::ok()
            .texts(
                "capabilities",
                [
                    "intents.submit",
                    "intents.batch",
                    "intents.stream",
                    "intents.poll",
                    "inbox.read",
                    "inbox.decide",
                    "tasks.read",
                    "dead_letters.replay",
                    "jobs",
                ],
            )
            .texts(
                "supported_intent_types",
                ["intent.ask.v1", "intent.notify.v1"],
            ),
    )
}

/// `GET /v1/me`.
pub(super) async fn me(State(api): State<Api>, call: Call) -> Result {
    let registry = api.broker().registry();
    let place = call.place(&api);
    let agent = registry
        .account(call.caller.account)
        .ok_or_else(Problem::internal)?;
    let settings = api.broker().settings();
    let account = agents::account(
        agent,
        &place,
        settings.policy.ack_timeout,
        api.settings().stream_credit,
    );
    Ok(Answer(
        Object::ok()
            .shown("address", &call.caller.address)
            .text("role", call.caller.role.name())
            .shown("key_id", call.caller.key)
            .text("org", &registry.home.org)
            .text("workspace", &registry.home.workspace)
            .text("environment", &api.settings().environment)
            .flag("protected", api.settings().is_protected)
            .object("retry", agents::retry(&settings.policy))
            .number(
                "dead_letter_retention_seconds",
                settings.policy.retention.dead_letters.as_seconds(),
            )
            .text("org_id", &place.org_id)
            .text("workspace_id", &place.workspace_id)
            .object("service_account", account),
    ))
}
