//! Receivers of webhooks: small HTTP servers on loopback, each with its own troubles.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::Stage;
use crate::cli::client::{Call, text};
use crate::cli::failure::Failure;

/// Seconds for which the warehouse is under maintenance after the start, and how often again.
const MAINTENANCE_SECONDS: u64 = 40;
const MAINTENANCE_EVERY_SECONDS: u64 = 240;

/// Where the receivers listen.
#[derive(Debug, Clone)]
pub(super) struct Doors(HashMap<&'static str, SocketAddr>);

impl Doors {
    /// The callback URL of a receiver; none for who is none.
    pub(super) fn url(&self, name: &str) -> Option<String> {
        self.0
            .get(name)
            .map(|address| format!("http://{address}/intents"))
    }
}

#[derive(Debug, Clone, Copy)]
enum Receiver {
    Billing,
    Texts,
    Warehouse,
    Gone,
}

const RECEIVERS: [(&str, Receiver); 4] = [
    ("billing-webhook", Receiver::Billing),
    ("sms-relay", Receiver::Texts),
    ("warehouse-webhook", Receiver::Warehouse),
    ("legacy-crm", Receiver::Gone),
];

/// Opens a door for each, on a free port of loopback.
pub(super) fn open(stage: &Stage) -> Result<Doors, Failure> {
    let mut doors = HashMap::new();
    for (name, receiver) in RECEIVERS {
        let fault =
            |error: std::io::Error| Failure::refused(format!("open a port for {name}: {error}"));
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).map_err(fault)?;
        listener.set_nonblocking(true).map_err(fault)?;
        doors.insert(name, listener.local_addr().map_err(fault)?);
        let listener = tokio::net::TcpListener::from_std(listener).map_err(fault)?;
        let (stage, stop) = (stage.clone(), stage.tasks.token().clone());
        let tasks = stage.tasks.clone();
        let app = Router::new().fallback(move |headers: HeaderMap, body: Bytes| {
            let stage = stage.clone();
            async move { receive(&stage, receiver, &headers, &body).await }
        });
        tasks.spawn("demo receiver", async move {
            let serving = axum::serve(listener, app).with_graceful_shutdown(stop.cancelled_owned());
            if let Err(error) = serving.await {
                tracing::warn!(name, %error, "demo receiver stopped");
            }
        });
    }
    Ok(Doors(doors))
}

async fn receive(stage: &Stage, receiver: Receiver, headers: &HeaderMap, body: &[u8]) -> Response {
    let push: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    match receiver {
        Receiver::Billing => billing(stage, headers, &push).await,
        Receiver::Texts => texts(stage, &push).await,
        Receiver::Warehouse => warehouse(stage, &push).await,
        Receiver::Gone => (
            StatusCode::GONE,
            "this system was switched off on 2026-01-31\n",
        )
            .into_response(),
    }
}

/// Overloaded one time in five; one in ten takes the work and reports later.
async fn billing(stage: &Stage, headers: &HeaderMap, push: &Value) -> Response {
    work(stage, 20, 350).await;
    if stage.dice.percent(20) {
        let wait = stage.dice.between(1, 4).to_string();
        let body =
            json!({"error": "billing engine is saturated", "queue": stage.dice.between(400, 900)});
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            [(header::RETRY_AFTER, wait)],
            body.to_string(),
        )
            .into_response();
    }
    let result = json!({
        "invoice": text(push, "/payload/invoice"),
        "pdf": format!("https://billing.example/{}.pdf", text(push, "/payload/invoice")),
        "was_signed": headers.contains_key("webhook-signature"),
    });
    if stage.dice.percent(10) {
        later(stage, push, result);
        return (StatusCode::ACCEPTED, json!({"ack": true}).to_string()).into_response();
    }
    done(&result)
}

/// The result of work that was only acknowledged.
fn later(stage: &Stage, push: &Value, result: Value) {
    let id = text(push, "/intent_id");
    let (stage, tasks) = (stage.clone(), stage.tasks.clone());
    tasks.spawn("demo invoice", async move {
        if stage
            .pause(Duration::from_millis(stage.dice.between(1500, 7000)))
            .await
        {
            let body = json!({"action": "complete", "result": result});
            let call = Call::post(format!("/v1/intents/{id}/resume"), body);
            // The attempt's lease asks again if this is lost.
            let _lost = stage.admin.call(call).await;
        }
    });
}

/// Knows no numbers that begin with +00.
async fn texts(stage: &Stage, push: &Value) -> Response {
    work(stage, 15, 90).await;
    let number = text(push, "/payload/number");
    if number.starts_with("+00") {
        let body =
            json!({"error": "invalid_number", "message": format!("no carrier takes {number}")});
        return (StatusCode::BAD_REQUEST, body.to_string()).into_response();
    }
    done(
        &json!({"carrier": stage.dice.pick(&["TDC", "Orange", "NTT", "Telia"]), "segments": stage.dice.between(1, 2)}),
    )
}

/// Under maintenance at first and now and then, well in between.
async fn warehouse(stage: &Stage, push: &Value) -> Response {
    work(stage, 30, 250).await;
    if stage.seconds() % MAINTENANCE_EVERY_SECONDS < MAINTENANCE_SECONDS {
        let page =
            "<html><body><h1>502 Bad Gateway</h1>wms-2 is down for maintenance</body></html>";
        return (StatusCode::BAD_GATEWAY, page).into_response();
    }
    done(&json!({
        "booking": format!("WB{}", stage.dice.between(1_000_000, 9_999_999)),
        "shipment": text(push, "/payload/shipment"),
        "dock": stage.dice.between(1, 14),
    }))
}

fn done(result: &Value) -> Response {
    (
        StatusCode::OK,
        [(header::CONTENT_TYPE, "application/json")],
        json!({ "result": result }).to_string(),
    )
        .into_response()
}

async fn work(stage: &Stage, low_ms: u64, high_ms: u64) {
    tokio::time::sleep(Duration::from_millis(stage.dice.between(low_ms, high_ms))).await;
}
