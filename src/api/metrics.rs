//! Metrics in the text form that scrapers read: which there are, and where each number comes from.

mod page;
mod requests;

use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::response::Response;
use http::{HeaderValue, header};

use self::page::{Kind, MetricsPage, number};
use crate::api::Api;
use crate::api::answer::Result;
use crate::api::call::Call;
use crate::api::overview;
use crate::bindings::mail::MailView;
use crate::broker::Broker;
use crate::broker::push::view::EndpointView;
use crate::broker::stats::{Snapshot, TimingCounts};
use crate::broker::vitals::Room;
use crate::domain::address::Address;
use crate::domain::agent::Binding;
use crate::domain::endpoint::Breaker;
use crate::domain::status::{State as IntentState, Status};
use crate::domain::time::Span;
use crate::store::query::Counters;

pub(super) use self::requests::{HttpCounters, route_of};

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
    stored(&mut page, &counters, broker);
    let oldest = oldest.map_or(Span::ZERO, |intent| now.since(intent.created_at));
    let late = broker.next_due().map_or(Span::ZERO, |due| now.since(due));
    page.single(
        "oldest_waiting_seconds",
        Kind::Gauge,
        "Age of the oldest unfinished intent.",
        oldest.to_std().as_secs_f64(),
    );
    page.single(
        "due_lag_seconds",
        Kind::Gauge,
        "How long what is due first has been due.",
        late.to_std().as_secs_f64(),
    );
    page.single(
        "commit_queue",
        Kind::Gauge,
        "Commands that wait for the writer.",
        u32::try_from(broker.queue_depth()).map_or(f64::MAX, f64::from),
    );
    page.single(
        "store_bytes",
        Kind::Gauge,
        "Size of the store.",
        number(bytes),
    );
    room(&mut page, &broker.vitals().room());
    endpoints(&mut page, &broker.endpoints().all(now));
    if let Some(reach) = &api.settings().reach {
        mail(&mut page, reach.stats.view());
    }
    measured(&mut page, &snapshot);
    timings(&mut page, &snapshot.timings);
    api.counters().show(&mut page);
    let mut response = Response::new(Body::from(page.finish()));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"),
    );
    Ok(response)
}

/// Mails to people.
fn mail(page: &mut MetricsPage, mail: MailView) {
    for (name, kind, help, count) in [
        (
            "mails_sent_total",
            Kind::Counter,
            "Mails that the server took.",
            mail.sent,
        ),
        (
            "mails_failed_total",
            Kind::Counter,
            "Tries that the server did not take.",
            mail.failed,
        ),
        (
            "mails_given_up_total",
            Kind::Counter,
            "Mails refused for good, or too late to decide anything.",
            mail.given_up,
        ),
        (
            "mails_waiting",
            Kind::Gauge,
            "Mails that wait for the server.",
            mail.waiting,
        ),
    ] {
        page.single(name, kind, help, number(count));
    }
}

/// What the store counts.
fn stored(page: &mut MetricsPage, counters: &Counters, broker: &Broker) {
    page.family("build_info", Kind::Gauge, "One, with the version.");
    page.sample("build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1.0);
    page.family("intents", Kind::Gauge, "Intents in the store, by status.");
    for (status, count) in Status::ALL.into_iter().zip(counters.by_status) {
        page.sample("intents", &[("status", status.name())], number(count));
    }
    page.family(
        "binding_depth",
        Kind::Gauge,
        "Unfinished deliveries, by binding and state.",
    );
    let parked = overview::parked_by_binding(broker, counters);
    let depths = counters.by_binding.iter().zip(parked);
    for (binding, (depth, parked)) in Binding::ALL.into_iter().zip(depths) {
        for (state, count) in [
            ("ready", depth.ready.saturating_sub(parked)),
            ("leased", depth.leased),
            ("backing_off", depth.backing_off),
            ("parked", parked),
            ("held", depth.held),
        ] {
            let labels = [("binding", binding.name()), ("state", state)];
            page.sample("binding_depth", &labels, number(count));
        }
    }
    let dead = IntentState::ALL
        .into_iter()
        .zip(counters.by_state)
        .find(|(state, _)| *state == IntentState::DeadLetter);
    page.single(
        "dead_letters",
        Kind::Gauge,
        "Dead letters that are open.",
        dead.map_or(0.0, |(_, count)| number(count)),
    );
    page.single(
        "inbox_pending",
        Kind::Gauge,
        "Tasks that wait for a person.",
        number(counters.open_tasks),
    );
}

fn room(page: &mut MetricsPage, room: &Room) {
    page.single(
        "disk_low",
        Kind::Gauge,
        "One while new intents are refused for want of room on disk.",
        f64::from(u8::from(room.is_low)),
    );
    page.single(
        "disk_full",
        Kind::Gauge,
        "One while nothing can be written at all.",
        f64::from(u8::from(room.is_full)),
    );
    if let Some(free) = room.free_bytes {
        page.single(
            "disk_free_bytes",
            Kind::Gauge,
            "Free bytes of the disk at the last look.",
            number(free),
        );
    }
}

/// One sample for each agent that was called.
fn endpoints(page: &mut MetricsPage, endpoints: &[(Address, EndpointView)]) {
    let mut family = |name, help, value: &dyn Fn(&EndpointView) -> f64| {
        page.family(name, Kind::Gauge, help);
        for (agent, endpoint) in endpoints {
            page.sample(name, &[("agent", agent.key())], value(endpoint));
        }
    };
    family(
        "breaker_open",
        "One while the breaker of the agent's endpoint is not closed.",
        &|endpoint| f64::from(u8::from(endpoint.breaker != Breaker::Closed)),
    );
    family(
        "endpoint_in_flight",
        "Calls to the agent's endpoint that run.",
        &|endpoint| f64::from(endpoint.in_flight),
    );
    family(
        "endpoint_limit",
        "Calls to the agent's endpoint that may run at once.",
        &|endpoint| f64::from(endpoint.limit),
    );
}

/// What this run has counted.
fn measured(page: &mut MetricsPage, snapshot: &Snapshot) {
    page.single(
        "connections",
        Kind::Gauge,
        "Connected streams, waiting polls and pushers.",
        number(snapshot.connections.iter().sum()),
    );
    page.single(
        "intents_accepted_total",
        Kind::Counter,
        "Intents accepted since the start.",
        number(snapshot.accepted_total),
    );
    page.family(
        "intents_finished_total",
        Kind::Counter,
        "Intents finished since the start, by status.",
    );
    for (status, count) in Status::ALL.into_iter().zip(snapshot.finished_total) {
        if status.is_terminal() {
            let labels = [("status", status.name())];
            page.sample("intents_finished_total", &labels, number(count));
        }
    }
    page.family(
        "attempts_total",
        Kind::Counter,
        "Attempts that ended since the start, by binding, outcome and class of error.",
    );
    for row in &snapshot.attempts_total {
        let labels = [
            ("binding", row.binding),
            ("outcome", row.outcome),
            ("error_class", row.error_class),
        ];
        page.sample("attempts_total", &labels, number(row.count));
    }
}

fn timings(page: &mut MetricsPage, timings: &TimingCounts) {
    let TimingCounts {
        deliver,
        attempt,
        complete,
        commit,
    } = timings;
    for (name, help, by_binding) in [
        (
            "deliver_seconds",
            "Time from acceptance to the first hand-over, by binding.",
            deliver,
        ),
        (
            "attempt_seconds",
            "Time from hand-over to acknowledgement or end, by binding.",
            attempt,
        ),
    ] {
        page.family(name, Kind::Histogram, help);
        for (binding, counts) in Binding::ALL.into_iter().zip(by_binding) {
            page.histogram(name, &[("binding", binding.name())], counts);
        }
    }
    for (name, help, counts) in [
        (
            "complete_seconds",
            "Time from acceptance to completion.",
            complete,
        ),
        ("commit_seconds", "Time that commits took.", commit),
    ] {
        page.family(name, Kind::Histogram, help);
        page.histogram(name, &[], counts);
    }
}
