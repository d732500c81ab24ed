//! Jobs: how one is ordered, and how it is shown.

use serde_json::{Map, Value, json};

use crate::domain::address::Home;
use crate::domain::failure::{DeadReason, ErrorClass};
use crate::domain::ids::IntentId;
use crate::domain::job::{
    ItemOutcome, Job, JobItem, JobKind, JobOrder, NewJob, Pace, ReplayTerms, Selection,
};
use crate::domain::status::Status;
use crate::wire::body::{Body, Fields};
use crate::wire::errors::Problem;
use crate::wire::json::Object;

/// Most intents of one job.
pub const SELECTED_MAX: u32 = 100_000;
/// Most unfinished replays of one job.
const IN_FLIGHT_MAX: u32 = 10_000;
/// The fastest pace, in intents per second.
const RATE_MAX: f64 = 1000.0;
/// Most attempts that each replay of a job may be given.
const ATTEMPTS_MAX: u32 = 20;
/// The slowest.
const RATE_MIN: f64 = 0.1;

/// A job as a body orders it, and whether only to look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ordered {
    /// The job.
    pub job: NewJob,
    /// True when nothing is to be done.
    pub is_dry_run: bool,
}

/// Reads an order. `kind` is the route's; a body says its own where the route does not.
///
/// # Errors
/// `schema_invalid` or `invalid_agent_address`.
pub fn ordered(body: &Body<'_>, kind: Option<JobKind>, home: &Home) -> Result<Ordered, Problem> {
    let mut fields = Fields::of(body);
    let kind = kind.or_else(|| word(&mut fields, "kind", true, JobKind::from_name));
    let filter = fields.object("filter");
    let limit = fields.count("limit", 1, SELECTED_MAX).unwrap_or(100);
    let order = word(&mut fields, "order", false, JobOrder::from_name).unwrap_or_default();
    let pace = pace(&mut fields, body, kind);
    let terms = ReplayTerms {
        max_attempts: fields.count("max_delivery_attempts", 1, ATTEMPTS_MAX),
        is_forced: fields.flag("force"),
    };
    let reason = match kind {
        Some(JobKind::Discard) => fields.required_text("reason", 2000),
        _ => fields.text("reason", 2000),
    };
    let to = fields.address("to_agent", home);
    if to.is_some() && kind != Some(JobKind::Replay) {
        fields.wrong("to_agent", "is for replays alone", "address");
    }
    let is_dry_run = fields.maybe_flag("dry_run").unwrap_or(true);
    fields.done()?;
    let selection = match &filter {
        None => Selection::default(),
        Some(filter) => selection(&Body::parse(filter.as_str().as_bytes())?, home)?,
    };
    let job = NewJob {
        kind: kind.ok_or_else(Problem::internal)?,
        selection,
        limit,
        order,
        pace,
        to,
        terms,
        reason,
    };
    Ok(Ordered { job, is_dry_run })
}

/// What needs no receiver needs no caution either: it goes as fast as jobs can.
fn pace(fields: &mut Fields<'_, '_>, body: &Body<'_>, kind: Option<JobKind>) -> Pace {
    let usual = Pace::default();
    let per_1000_seconds = match body.get("rate_per_second") {
        None if kind == Some(JobKind::Replay) => usual.per_1000_seconds,
        None => 1_000_000,
        Some(value) => {
            let rate = serde_json::from_str::<f64>(value.get()).unwrap_or(0.0);
            if !(RATE_MIN..=RATE_MAX).contains(&rate) {
                fields.wrong("rate_per_second", "must be between 0.1 and 1000", "number");
            }
            thousandfold(rate)
        }
    };
    Pace {
        per_1000_seconds,
        in_flight_max: fields
            .count("max_in_flight", 1, IN_FLIGHT_MAX)
            .unwrap_or(usual.in_flight_max),
        canary: fields.count("canary", 0, IN_FLIGHT_MAX).unwrap_or(0),
        stop_after_failures: fields
            .count("stop_after_failures", 0, SELECTED_MAX)
            .unwrap_or(usual.stop_after_failures),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to lie between 100 and 1000000"
)]
fn thousandfold(rate: f64) -> u32 {
    (rate.clamp(RATE_MIN, RATE_MAX) * 1000.0).round() as u32
}

fn selection(body: &Body<'_>, home: &Home) -> Result<Selection, Problem> {
    let mut fields = Fields::of(body);
    let ids = fields.texts("intent_ids", 100_000, 64).unwrap_or_default();
    let mut intents = Vec::with_capacity(ids.len());
    for text in &ids {
        match text.parse::<IntentId>() {
            Ok(id) => intents.push(id),
            Err(error) => fields.wrong("intent_ids", error.to_string(), "string"),
        }
    }
    let names = fields.texts("status", 10, 32).unwrap_or_default();
    let mut statuses = Vec::new();
    for name in &names {
        match Status::from_name(name) {
            Some(status) => statuses.push(status),
            None => fields.wrong("status", format!("no status {name:?}"), "string"),
        }
    }
    let selection = Selection {
        agent: fields.address("agent", home),
        from: fields.address("from_agent", home),
        intent_type: fields.text("intent_type", 383),
        reason: word(&mut fields, "reason", false, DeadReason::from_name),
        error_class: word(&mut fields, "error_class", false, ErrorClass::from_name),
        fingerprint: fields.text("fingerprint", 64),
        since: fields.instant("since"),
        until: fields.instant("until"),
        statuses,
        intents,
        failed_of: word(&mut fields, "failed_of", false, |text| text.parse().ok()),
    };
    fields.done()?;
    Ok(selection)
}

/// Takes one of our words.
fn word<T>(
    fields: &mut Fields<'_, '_>,
    key: &str,
    is_required: bool,
    find: impl FnOnce(&str) -> Option<T>,
) -> Option<T> {
    let text = if is_required {
        fields.required_text(key, 64)?
    } else {
        fields.text(key, 64)?
    };
    let found = find(&text);
    if found.is_none() {
        fields.wrong(key, format!("{text:?} is unknown here"), "string");
    }
    found
}

/// The body that orders this job.
#[must_use]
pub fn body(job: &NewJob, is_dry_run: bool) -> String {
    let NewJob {
        kind,
        selection,
        limit,
        order,
        pace,
        to,
        terms,
        reason,
    } = job;
    Object::new()
        .text("kind", kind.name())
        .raw("filter", &filter(selection))
        .number("limit", *limit)
        .text("order", order.name())
        .decimal("rate_per_second", Some(rate(*pace)))
        .number("max_in_flight", pace.in_flight_max)
        .number("canary", pace.canary)
        .number("stop_after_failures", pace.stop_after_failures)
        .maybe_shown("to_agent", to.as_ref())
        .maybe_number("max_delivery_attempts", terms.max_attempts)
        .with(|object| {
            if terms.is_forced {
                object.flag("force", true)
            } else {
                object
            }
        })
        .maybe_text("reason", reason.as_deref())
        .flag("dry_run", is_dry_run)
        .finish()
}

/// The filter as it was asked for, an object.
#[must_use]
pub fn filter(selection: &Selection) -> String {
    let Selection {
        agent,
        from,
        intent_type,
        reason,
        error_class,
        fingerprint,
        since,
        until,
        statuses,
        intents,
        failed_of,
    } = selection;
    let statuses: Vec<&str> = statuses.iter().map(|status| status.name()).collect();
    let intents: Vec<String> = intents.iter().map(ToString::to_string).collect();
    let keys: Map<String, Value> = [
        ("agent", agent.as_ref().map(|one| json!(one.to_string()))),
        (
            "from_agent",
            from.as_ref().map(|one| json!(one.to_string())),
        ),
        ("intent_type", intent_type.as_ref().map(|text| json!(text))),
        ("reason", reason.map(|reason| json!(reason.name()))),
        ("error_class", error_class.map(|class| json!(class.name()))),
        ("fingerprint", fingerprint.as_ref().map(|text| json!(text))),
        ("since", since.map(|at| json!(at.to_string()))),
        ("until", until.map(|at| json!(at.to_string()))),
        ("status", (!statuses.is_empty()).then(|| json!(statuses))),
        ("intent_ids", (!intents.is_empty()).then(|| json!(intents))),
        ("failed_of", failed_of.map(|job| json!(job.to_string()))),
    ]
    .into_iter()
    .filter_map(|(key, value)| Some((key.to_owned(), value?)))
    .collect();
    Value::Object(keys).to_string()
}

fn rate(pace: Pace) -> f64 {
    f64::from(pace.per_1000_seconds) / 1000.0
}

/// A job as lists show it. Of a filter by ids only how many there are.
#[must_use]
pub fn job(job: &Job) -> Object {
    let brief = Selection {
        intents: Vec::new(),
        ..job.selection.clone()
    };
    let named = job.selection.intents.len();
    Object::new()
        .shown("job_id", job.id)
        .text("kind", job.kind.name())
        .text("state", job.state.name())
        .shown("created_at", job.created_at)
        .shown("updated_at", job.updated_at)
        .shown_or_null("finished_at", job.finished_at)
        .shown("by", &job.by)
        .text("via", &job.via)
        .text_or_null("reason", job.reason.as_deref())
        .raw("filter", &filter(&brief))
        .number("named_intents", u64::try_from(named).unwrap_or(u64::MAX))
        .text("order", job.order.name())
        .shown_or_null("to_agent", job.to.as_ref())
        .number("matched", job.matched)
        .number("selected", job.selected)
        .number("done", job.done())
        .number("in_flight", job.in_flight)
        .number("acknowledged", job.acknowledged)
        .number("succeeded", job.succeeded)
        .number("failed", job.failed)
        .number("skipped", job.skipped)
        .decimal("rate_per_second", Some(rate(job.pace)))
        .number("max_in_flight", job.pace.in_flight_max)
        .number("canary", job.pace.canary)
        .flag("canary_over", job.is_canary_over)
        .number("stop_after_failures", job.pace.stop_after_failures)
        .number_or_null("max_delivery_attempts", job.terms.max_attempts)
        .flag("force", job.terms.is_forced)
        .text_or_null("stopped_because", job.stopped_because.as_deref())
}

/// One intent of a job.
#[must_use]
pub fn item(item: &JobItem) -> Object {
    let code = match &item.outcome {
        ItemOutcome::Skipped { code } => Some(code.as_str()),
        _ => None,
    };
    Object::new()
        .number("position", item.position)
        .shown("intent_id", item.intent)
        .shown_or_null("new_intent_id", item.new_intent)
        .text("outcome", item.outcome.name())
        .text_or_null("code", code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::address::Address;
    use crate::domain::time::Timestamp;

    #[test]
    fn an_order_reads_back_from_the_body_that_orders_it() {
        let job = NewJob {
            limit: 7,
            order: JobOrder::Newest,
            pace: Pace {
                per_1000_seconds: 500,
                in_flight_max: 3,
                canary: 2,
                stop_after_failures: 0,
            },
            to: Some(Address::trusted("local/default/spare")),
            terms: ReplayTerms {
                max_attempts: Some(9),
                is_forced: true,
            },
            reason: Some("fixed".to_owned()),
            ..NewJob::new(
                JobKind::Replay,
                Selection {
                    agent: Some(Address::trusted("local/default/orders")),
                    reason: Some(DeadReason::Attempts),
                    error_class: Some(ErrorClass::Http5xx),
                    until: Some(Timestamp::from_millis(1_775_901_600_000)),
                    statuses: vec![Status::Delivered],
                    intents: vec![IntentId::new(1, [7; 10])],
                    failed_of: Some(crate::domain::ids::JobId(117)),
                    ..Selection::default()
                },
            )
        };
        let text = body(&job, false);
        let read = ordered(
            &Body::parse(text.as_bytes()).unwrap(),
            None,
            &Home::default(),
        );
        let wanted = Ordered {
            job,
            is_dry_run: false,
        };
        assert_eq!(read.unwrap(), wanted);
    }

    #[test]
    fn an_order_is_a_dry_run_unless_it_says_otherwise_and_a_discard_needs_a_reason() {
        let read = |text: &str, kind| {
            ordered(
                &Body::parse(text.as_bytes()).unwrap(),
                kind,
                &Home::default(),
            )
        };
        let plain = read("{}", Some(JobKind::Replay)).unwrap();
        assert!(plain.is_dry_run);
        assert_eq!((plain.job.limit, plain.job.pace), (100, Pace::default()));
        for (text, kind) in [
            ("{}", Some(JobKind::Discard)),
            ("{}", None),
            ("{\"rate_per_second\":0}", Some(JobKind::Replay)),
            ("{\"limit\":100001}", Some(JobKind::Replay)),
            (
                "{\"reason\":\"x\",\"to_agent\":\"a\"}",
                Some(JobKind::Discard),
            ),
            ("{\"filter\":{\"reason\":\"mood\"}}", Some(JobKind::Replay)),
            (
                "{\"filter\":{\"intent_ids\":[\"x\"]}}",
                Some(JobKind::Replay),
            ),
        ] {
            assert_eq!(
                read(text, kind).unwrap_err().code,
                "schema_invalid",
                "{text}"
            );
        }
    }
}
