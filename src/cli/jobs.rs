//! `jobs`, and `replay --matching`: one order about many intents.

use serde_json::{Map, Value, json};

use super::arguments::{BulkArguments, JobsVerb, LetterSelection, StartJobArguments};
use super::client::{Call, list, segment, text};
use super::failure::Failure;
use super::intents::{print_facts, print_more};
use super::{Context, export, terms, when};

/// Pause between two looks at a job.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_secs(1);

pub(super) async fn run(verb: JobsVerb, context: &Context) -> Result<(), Failure> {
    match verb {
        JobsVerb::List { state, window } => {
            let call = Call::get("/v1/jobs").with_some("state", state);
            if export::pages(context, &window, export::JOBS, &call).await? {
                return Ok(());
            }
            let answer = context.client()?.call(window.first(call)).await?;
            context
                .out
                .either(&answer, |_out| print_list(&answer, context))
        }
        JobsVerb::Show { job, window } => {
            let call = Call::get(format!("/v1/jobs/{}", segment(&job)));
            if export::pages(context, &window, export::ITEMS, &call).await? {
                return Ok(());
            }
            let answer = context.client()?.call(window.first(call)).await?;
            context
                .out
                .either(&answer, |_out| print_job(&answer, context))
        }
        JobsVerb::Watch { job } => watch(&job, context).await,
        JobsVerb::Start(arguments) => start(*arguments, context).await,
        JobsVerb::Pause { job } => steer(&job, "pause", context).await,
        JobsVerb::Resume { job } => steer(&job, "resume", context).await,
        JobsVerb::Cancel { job } => steer(&job, "cancel", context).await,
    }
}

/// A line whenever the job has moved, until it is over. A job that was paused goes on being watched.
async fn watch(job: &str, context: &Context) -> Result<(), Failure> {
    let client = context.client()?;
    let path = format!("/v1/jobs/{}", segment(job));
    let mut before = Value::Null;
    loop {
        let answer = client
            .call(Call::get(path.clone()).with("limit", 1_u32))
            .await?;
        let now = answer.get("job").cloned().unwrap_or(Value::Null);
        if now != before {
            context.out.either(&answer, |out| {
                out.line(format!(
                    "{job}  {}  {} of {}  {} well  {} died  {} skipped  {}",
                    text(&now, "/state"),
                    text(&now, "/done"),
                    text(&now, "/selected"),
                    text(&now, "/succeeded"),
                    text(&now, "/failed"),
                    text(&now, "/skipped"),
                    text(&now, "/stopped_because"),
                ))
            })?;
        }
        if matches!(text(&now, "/state").as_str(), "done" | "canceled") {
            return Ok(());
        }
        before = now;
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn steer(job: &str, verb: &str, context: &Context) -> Result<(), Failure> {
    let call = Call::post(format!("/v1/jobs/{}/{verb}", segment(job)), json!({}));
    let answer = context.client()?.call(call).await?;
    context.out.either(&answer, |out| {
        out.line(format!("{job}  {}", text(&answer, "/job/state")))
    })
}

/// Replays or discards everything that matches.
pub(super) async fn of_letters(
    kind: &str,
    selection: LetterSelection,
    bulk: BulkArguments,
    to: Option<String>,
    why: Option<String>,
    context: &Context,
) -> Result<(), Failure> {
    let arguments = StartJobArguments {
        kind: kind.to_owned(),
        selection,
        from: None,
        status: Vec::new(),
        bulk,
        to,
        why,
    };
    start(arguments, context).await
}

async fn start(arguments: StartJobArguments, context: &Context) -> Result<(), Failure> {
    let is_applied = arguments.bulk.apply;
    let filter = arguments.selection.filter.clone();
    let terms = terms::read(filter.as_deref(), terms::LETTERS, context.clock.now())?;
    let call = Call::post("/v1/jobs", body(arguments, terms));
    let answer = context.client()?.call(call).await?;
    context.out.either(&answer, |out| {
        let selected = text(&answer, "/selected");
        out.line(format!(
            "{selected} of {} that match",
            text(&answer, "/matched")
        ))?;
        for skipped in list(&answer, "/skipped") {
            let (count, reason) = (text(skipped, "/count"), text(skipped, "/reason"));
            out.line(format!("{count} left out: {reason}"))?;
        }
        if is_applied {
            let job = text(&answer, "/job/job_id");
            out.line(format!("{job}  started; hint: postroom jobs show {job}"))
        } else {
            out.line("nothing done yet; hint: --apply does it")
        }
    })
}

fn body(arguments: StartJobArguments, terms: Vec<(&'static str, String)>) -> Value {
    let StartJobArguments {
        kind,
        selection,
        from,
        status,
        bulk,
        to,
        why,
    } = arguments;
    let mut filter = given([
        ("agent", selection.agent.map(Value::from)),
        ("from_agent", from.map(Value::from)),
        ("intent_type", selection.intent_type.map(Value::from)),
        ("reason", selection.because.map(Value::from)),
        ("fingerprint", selection.group.map(Value::from)),
        ("since", bulk.since.map(Value::from)),
        ("until", bulk.until.map(Value::from)),
        ("status", (!status.is_empty()).then(|| json!(status))),
    ]);
    if let Some(filter) = filter.as_object_mut() {
        let terms = terms.into_iter();
        filter.extend(terms.map(|(name, value)| (name.to_owned(), json!(value))));
    }
    given([
        ("kind", Some(json!(kind))),
        ("filter", Some(filter)),
        ("limit", Some(json!(bulk.limit))),
        ("order", bulk.newest.then(|| json!("newest"))),
        ("rate_per_second", bulk.rate.map(Value::from)),
        ("max_in_flight", bulk.in_flight.map(Value::from)),
        ("canary", bulk.canary.map(Value::from)),
        ("stop_after_failures", bulk.stop_after.map(Value::from)),
        ("to_agent", to.map(Value::from)),
        ("reason", why.map(Value::from)),
        ("dry_run", Some(json!(!bulk.apply))),
    ])
}

fn given<const COUNT: usize>(keys: [(&str, Option<Value>); COUNT]) -> Value {
    let map: Map<String, Value> = keys
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)))
        .collect();
    Value::Object(map)
}

fn print_list(answer: &Value, context: &Context) -> Result<(), Failure> {
    let now = context.clock.now();
    let rows = list(answer, "/jobs").iter().map(|job| {
        vec![
            text(job, "/job_id"),
            text(job, "/kind"),
            text(job, "/state"),
            format!("{}/{}", text(job, "/done"), text(job, "/selected")),
            text(job, "/succeeded"),
            text(job, "/failed"),
            text(job, "/skipped"),
            context.short(&text(job, "/by")),
            when::ago(job, "/created_at", now),
            text(job, "/stopped_because"),
            text(job, "/reason"),
        ]
    });
    let headings = [
        "job",
        "does",
        "state",
        "done",
        "well",
        "died",
        "skipped",
        "by",
        "age",
        "stopped because",
        "why",
    ];
    context.out.table(&headings, rows.collect(), "no jobs")?;
    print_more(answer);
    Ok(())
}

fn print_job(answer: &Value, context: &Context) -> Result<(), Failure> {
    let now = context.clock.now();
    let job = answer.get("job").unwrap_or(&Value::Null);
    let mut facts = vec![
        ("job", text(job, "/job_id")),
        ("does", text(job, "/kind")),
        ("state", text(job, "/state")),
        ("stopped because", text(job, "/stopped_because")),
        (
            "done",
            format!("{} of {}", text(job, "/done"), text(job, "/selected")),
        ),
        ("well", text(job, "/succeeded")),
        ("died again", text(job, "/failed")),
        ("skipped", text(job, "/skipped")),
        ("in flight", text(job, "/in_flight")),
        (
            "pace",
            format!("{} a second", text(job, "/rate_per_second")),
        ),
        ("filter", text(job, "/filter")),
        ("by", context.short(&text(job, "/by"))),
        ("why", text(job, "/reason")),
        ("age", when::ago(job, "/created_at", now)),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    print_facts(&context.out, &facts)?;
    let rows = list(answer, "/items").iter().map(|item| {
        vec![
            text(item, "/intent_id"),
            text(item, "/outcome"),
            text(item, "/code"),
            text(item, "/new_intent_id"),
        ]
    });
    let headings = ["intent", "outcome", "because", "replayed as"];
    context.out.line("")?;
    context
        .out
        .table(&headings, rows.collect(), "nothing has had its turn yet")?;
    print_more(answer);
    Ok(())
}
