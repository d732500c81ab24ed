//! Metrics in the text form that scrapers read, version 0.0.4.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::response::Response;
use http::{HeaderValue, header};
use parking_lot::Mutex;

use crate::api::Api;
use crate::api::answer::Result;
use crate::api::call::Call;
use crate::broker::push::view::EndpointView;
use crate::broker::stats::Snapshot;
use crate::broker::vitals::Room;
use crate::domain::address::Address;
use crate::domain::agent::Binding;
use crate::domain::endpoint::Breaker;
use crate::domain::status::{State as IntentState, Status};
use crate::store::query::Counters;

/// Upper bounds of the buckets of request times, in seconds.
const BOUNDS: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0];

/// Requests answered, by route and status, with their times until the head of the answer.
#[derive(Debug, Default)]
pub(super) struct HttpCounters {
    routes: Mutex<BTreeMap<String, RouteCounts>>,
}

#[derive(Debug, Default, Clone)]
struct RouteCounts {
    statuses: BTreeMap<u16, u64>,
    buckets: [u64; BOUNDS.len()],
    count: u64,
    sum: Duration,
}

impl HttpCounters {
    pub(super) fn count(&self, route: &str, status: u16, took: Duration) {
        let mut routes = self.routes.lock();
        if !routes.contains_key(route) {
            routes.insert(route.to_owned(), RouteCounts::default());
        }
        let Some(counts) = routes.get_mut(route) else {
            return;
        };
        let seen = counts.statuses.entry(status).or_default();
        *seen = seen.saturating_add(1);
        counts.count = counts.count.saturating_add(1);
        counts.sum = counts.sum.saturating_add(took);
        let seconds = took.as_secs_f64();
        for (bucket, bound) in counts.buckets.iter_mut().zip(BOUNDS) {
            if seconds <= bound {
                *bucket = bucket.saturating_add(1);
            }
        }
    }
}

/// `GET /metrics`: an admin's, or everybody's where the config says so.
pub(super) async fn metrics(State(api): State<Api>, request: Request) -> Result<Response> {
    if !api.settings().is_metrics_public {
        let (mut parts, _body) = request.into_parts();
        let call = Call::from_request_parts(&mut parts, &api).await?;
        call.caller.must_be_admin()?;
    }
    let broker = api.broker();
    let (counters, oldest, bytes) = broker
        .read(|reader| {
            Ok((
                reader.counters()?,
                reader.oldest_unfinished()?,
                reader.bytes()?,
            ))
        })
        .await?;
    let now = broker.clock().now();
    let snapshot = broker.stats().snapshot();
    let mut page = MetricsPage::default();
    page.stored(&counters);
    let seconds = |millis: i64| i64_to_f64(millis) / 1000.0;
    let oldest = oldest.map_or(0, |intent| now.since(intent.created_at).as_millis());
    let late = broker
        .next_due()
        .map_or(0, |due| now.since(due).as_millis());
    page.gauge("oldest_waiting_seconds", seconds(oldest));
    page.gauge("due_lag_seconds", seconds(late));
    page.gauge(
        "commit_queue",
        u32::try_from(broker.queue_depth()).map_or(f64::MAX, f64::from),
    );
    page.gauge("store_bytes", u64_to_f64(bytes));
    page.room(&broker.vitals().room());
    page.endpoints(&broker.endpoints().all(now));
    page.measured(&snapshot);
    page.http(&api.counters().routes.lock().clone());
    let mut response = Response::new(Body::from(page.text));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"),
    );
    Ok(response)
}

#[expect(clippy::cast_precision_loss, reason = "metrics are floating point")]
const fn u64_to_f64(value: u64) -> f64 {
    value as f64
}

#[expect(clippy::cast_precision_loss, reason = "metrics are floating point")]
const fn i64_to_f64(value: i64) -> f64 {
    value as f64
}

#[derive(Debug, Default)]
struct MetricsPage {
    text: String,
}

impl MetricsPage {
    fn head(&mut self, name: &str, kind: &str) {
        self.put(format_args!("# TYPE postroom_{name} {kind}\n"));
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.put(format_args!("postroom_{name}"));
        for (index, (label, text)) in labels.iter().enumerate() {
            let opening = if index == 0 { '{' } else { ',' };
            let text = text.replace('\\', "\\\\").replace('"', "\\\"");
            self.put(format_args!("{opening}{label}=\"{text}\""));
        }
        let closing = if labels.is_empty() { "" } else { "}" };
        self.put(format_args!("{closing} {value}\n"));
    }

    fn gauge(&mut self, name: &str, value: f64) {
        self.head(name, "gauge");
        self.line(name, &[], value);
    }

    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        let written = self.text.write_fmt(text);
        debug_assert!(written.is_ok(), "a String takes everything");
    }

    fn stored(&mut self, counters: &Counters) {
        self.head("build_info", "gauge");
        self.line("build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1.0);
        self.head("intents", "gauge");
        for (status, count) in Status::ALL.into_iter().zip(counters.by_status) {
            self.line("intents", &[("status", status.name())], u64_to_f64(count));
        }
        self.head("binding_depth", "gauge");
        for (binding, depth) in Binding::ALL.into_iter().zip(counters.by_binding) {
            for (state, count) in [
                ("ready", depth.ready),
                ("leased", depth.leased),
                ("backing_off", depth.backing_off),
                ("held", depth.held),
            ] {
                let labels = [("binding", binding.name()), ("state", state)];
                self.line("binding_depth", &labels, u64_to_f64(count));
            }
        }
        let dead = IntentState::ALL
            .into_iter()
            .zip(counters.by_state)
            .find(|(state, _)| *state == IntentState::DeadLetter);
        self.gauge(
            "dead_letters",
            dead.map_or(0.0, |(_, count)| u64_to_f64(count)),
        );
        self.gauge("inbox_pending", u64_to_f64(counters.open_tasks));
    }

    fn room(&mut self, room: &Room) {
        self.gauge("disk_low", f64::from(u8::from(room.is_low)));
        self.gauge("disk_full", f64::from(u8::from(room.is_full)));
        if let Some(free) = room.free_bytes {
            self.gauge("disk_free_bytes", u64_to_f64(free));
        }
    }

    /// One line for each agent that was called.
    fn endpoints(&mut self, endpoints: &[(Address, EndpointView)]) {
        self.head("breaker_open", "gauge");
        for (agent, endpoint) in endpoints {
            let is_open = endpoint.breaker != Breaker::Closed;
            let labels = [("agent", agent.key())];
            self.line("breaker_open", &labels, f64::from(u8::from(is_open)));
        }
        self.head("endpoint_in_flight", "gauge");
        for (agent, endpoint) in endpoints {
            let labels = [("agent", agent.key())];
            self.line("endpoint_in_flight", &labels, f64::from(endpoint.in_flight));
        }
        self.head("endpoint_limit", "gauge");
        for (agent, endpoint) in endpoints {
            let labels = [("agent", agent.key())];
            self.line("endpoint_limit", &labels, f64::from(endpoint.limit));
        }
    }

    fn measured(&mut self, snapshot: &Snapshot) {
        self.gauge("connections", u64_to_f64(snapshot.connections.iter().sum()));
        self.head("intents_accepted_total", "counter");
        self.line(
            "intents_accepted_total",
            &[],
            u64_to_f64(snapshot.accepted_total),
        );
        self.head("intents_finished_total", "counter");
        for (status, count) in Status::ALL.into_iter().zip(snapshot.finished_total) {
            if status.is_terminal() {
                let labels = [("status", status.name())];
                self.line("intents_finished_total", &labels, u64_to_f64(count));
            }
        }
        self.head("attempts_total", "counter");
        for row in &snapshot.attempts_total {
            let labels = [
                ("binding", row.binding),
                ("outcome", row.outcome),
                ("error_class", row.error_class),
            ];
            self.line("attempts_total", &labels, u64_to_f64(row.count));
        }
        for (name, quantiles) in [
            ("deliver_seconds", snapshot.deliver),
            ("complete_seconds", snapshot.complete),
            ("attempt_seconds", snapshot.attempt),
            ("commit_seconds", snapshot.commit),
        ] {
            self.head(name, "summary");
            for (quantile, value) in [
                ("0.5", quantiles.p50),
                ("0.9", quantiles.p90),
                ("0.95", quantiles.p95),
                ("0.99", quantiles.p99),
            ] {
                if let Some(millis) = value {
                    self.line(name, &[("quantile", quantile)], millis / 1000.0);
                }
            }
        }
    }

    fn http(&mut self, routes: &BTreeMap<String, RouteCounts>) {
        self.head("http_requests_total", "counter");
        for (route, counts) in routes {
            for (status, count) in &counts.statuses {
                let labels = [("route", route.as_str()), ("status", &status.to_string())];
                self.line("http_requests_total", &labels, u64_to_f64(*count));
            }
        }
        self.head("http_request_seconds", "histogram");
        for (route, counts) in routes {
            for (bound, count) in BOUNDS.into_iter().zip(counts.buckets) {
                let labels = [("route", route.as_str()), ("le", &bound.to_string())];
                self.line("http_request_seconds_bucket", &labels, u64_to_f64(count));
            }
            let all = [("route", route.as_str()), ("le", "+Inf")];
            self.line(
                "http_request_seconds_bucket",
                &all,
                u64_to_f64(counts.count),
            );
            let label = [("route", route.as_str())];
            self.line("http_request_seconds_sum", &label, counts.sum.as_secs_f64());
            self.line(
                "http_request_seconds_count",
                &label,
                u64_to_f64(counts.count),
            );
        }
    }
}
