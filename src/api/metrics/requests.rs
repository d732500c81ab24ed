//! Requests by route and status. A route is a template of ours, or one word for all that have none: what
//! clients ask for cannot make the page grow.

use std::collections::BTreeMap;

use std::time::Duration;

use axum::extract::MatchedPath;
use http::Extensions;
use parking_lot::Mutex;

use super::page::{Kind, MetricsPage, number};
use crate::api::agents;
use crate::telemetry::{BucketCounts, Buckets};

/// The label of everything that no route is for.
const NO_ROUTE: &str = "none";
/// Everything behind an address goes through this one route of the router.
const AGENTS: &str = "/v1/agents/{*rest}";

/// Requests answered, by route and status, with their times until the head of the answer.
#[derive(Debug, Default)]
pub(in crate::api) struct HttpCounters {
    routes: Mutex<BTreeMap<String, RouteCounts>>,
}

#[derive(Debug, Default)]
struct RouteCounts {
    statuses: BTreeMap<u16, u64>,
    buckets: Buckets,
}

/// The template that a path was matched with.
pub(in crate::api) fn route_of(extensions: &Extensions, path: &str) -> String {
    match extensions.get::<MatchedPath>().map(MatchedPath::as_str) {
        None => NO_ROUTE.to_owned(),
        Some(AGENTS) => {
            let rest = path.strip_prefix("/v1/agents/").unwrap_or_default();
            let (_address, below) = agents::split(rest);
            format!("/v1/agents/{{addr}}{}", below.template())
        }
        Some(template) => template.to_owned(),
    }
}

impl HttpCounters {
    pub(in crate::api) fn count(&self, route: &str, status: u16, took: Duration) {
        let mut routes = self.routes.lock();
        if !routes.contains_key(route) {
            routes.insert(route.to_owned(), RouteCounts::default());
        }
        let Some(counts) = routes.get_mut(route) else {
            return;
        };
        let seen = counts.statuses.entry(status).or_default();
        *seen = seen.saturating_add(1);
        counts.buckets.record(took);
    }

    /// Both families.
    pub(super) fn show(&self, page: &mut MetricsPage) {
        let routes: Vec<(String, BTreeMap<u16, u64>, BucketCounts)> = self
            .routes
            .lock()
            .iter()
            .map(|(route, counts)| {
                (
                    route.clone(),
                    counts.statuses.clone(),
                    counts.buckets.counts(),
                )
            })
            .collect();
        page.family(
            "http_requests_total",
            Kind::Counter,
            "Requests answered, by the template of their route and the status.",
        );
        for (route, statuses, _) in &routes {
            for (status, count) in statuses {
                let labels = [("route", route.as_str()), ("status", &status.to_string())];
                page.sample("http_requests_total", &labels, number(*count));
            }
        }
        page.family(
            "http_request_seconds",
            Kind::Histogram,
            "Time until the head of the answer, by the template of the route.",
        );
        for (route, _, counts) in &routes {
            page.histogram("http_request_seconds", &[("route", route)], counts);
        }
    }
}
