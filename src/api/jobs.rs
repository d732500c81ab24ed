//! Jobs: bulk replay, discard and cancel, watched and steered.

use axum::extract::{Path, State};

use crate::api::Api;
use crate::api::answer::{Answer, Result};
use crate::api::call::{Call, Upload};
use crate::broker::outcomes;
use crate::broker::request::AdminCommand;
use crate::broker::select::Selected;
use crate::domain::ids::JobId;
use crate::domain::job::{JobControl, JobKind, JobState};
use crate::wire::body::Body;
use crate::wire::errors::Problem;
use crate::wire::jobs::{self, Ordered};
use crate::wire::json::Object;

/// Intents that a dry run names.
const SAMPLE_MAX: usize = 100;

/// `POST /v1/jobs`: the body says which kind.
pub(super) async fn create(State(api): State<Api>, call: Call, Upload(bytes): Upload) -> Result {
    order(&api, &call, &bytes, None).await
}

/// `POST /v1/dead-letters/replay`.
pub(super) async fn replay(State(api): State<Api>, call: Call, Upload(bytes): Upload) -> Result {
    order(&api, &call, &bytes, Some(JobKind::Replay)).await
}

/// `POST /v1/dead-letters/discard`.
pub(super) async fn discard(State(api): State<Api>, call: Call, Upload(bytes): Upload) -> Result {
    order(&api, &call, &bytes, Some(JobKind::Discard)).await
}

/// A job as a body orders it: only looked at, unless the body says otherwise.
async fn order(api: &Api, call: &Call, bytes: &[u8], kind: Option<JobKind>) -> Result {
    call.caller.must_be_admin()?;
    let by = call.owner(api)?;
    let body = Body::parse(bytes)?;
    let broker = api.broker();
    let Ordered { job, is_dry_run } = jobs::ordered(&body, kind, &broker.registry().home)?;
    if let Some(to) = &job.to
        && api.settings().is_strict
        && broker.registry().agent(to).is_none()
    {
        let problem = Problem::new("agent_not_found", format!("no agent at {to}"));
        return Err(problem
            .with(serde_json::json!({ "to_agent": to.to_string() }))
            .into());
    }
    if is_dry_run {
        let selected = broker.select(job).await?;
        return Ok(Answer(selection(&selected, true)));
    }
    let remember = call.remember(|| body.fingerprint(&[]))?;
    let note = call.note("job.start", job.kind.name(), job.reason.as_deref());
    // The process remembers the answer itself; the store, in the commit of the job, which one it was.
    let stored = remember.clone();
    let work = async {
        let (job, selected) = broker.start_job(job, by, note, stored).await?;
        Ok(Answer(
            selection(&selected, false).object("job", jobs::job(&job)),
        ))
    };
    api.inner.replies.once(remember, work).await
}

fn selection(selected: &Selected, is_dry_run: bool) -> Object {
    let taken = u64::try_from(selected.intents.len()).unwrap_or(u64::MAX);
    let skipped = selected
        .skipped
        .iter()
        .map(|(reason, count)| Object::new().text("reason", reason).number("count", *count));
    let sample = selected.intents.iter().take(SAMPLE_MAX);
    Object::ok()
        .flag("dry_run", is_dry_run)
        .number("matched", selected.matched)
        .number("selected", taken)
        .list("skipped", skipped)
        .texts("intent_ids", sample.map(ToString::to_string))
}

/// `GET /v1/jobs`.
pub(super) async fn list(State(api): State<Api>, call: Call) -> Result {
    call.caller.must_be_admin()?;
    let page = call.query.page(50, 500)?;
    let state = call
        .query
        .get("state")
        .map(|name| {
            JobState::from_name(name).ok_or_else(|| {
                Problem::field(
                    "query",
                    "state",
                    format!("{name:?} is none of running, paused, done, canceled"),
                    "string",
                )
            })
        })
        .transpose()?;
    let found = api
        .broker()
        .read(move |reader| reader.jobs(state, &page))
        .await?;
    Ok(Answer(
        Object::ok()
            .list("jobs", found.items.iter().map(jobs::job))
            .text_or_null("next_cursor", found.next.as_deref()),
    ))
}

fn id(text: &str) -> Result<JobId, Problem> {
    text.parse()
        .map_err(|_not_an_id| Problem::new("job_not_found", format!("no job {text:?}")))
}

/// `GET /v1/jobs/{job_id}`: with a page of its items.
pub(super) async fn show(State(api): State<Api>, call: Call, Path(text): Path<String>) -> Result {
    call.caller.must_be_admin()?;
    let id = id(&text)?;
    let page = call.query.page(100, 1000)?;
    let (job, items, classes) = api
        .broker()
        .read(move |reader| {
            let items = reader.job_items(id, &page)?;
            Ok((reader.job(id)?, items, outcomes::classes(reader, id)?))
        })
        .await?;
    let classes = classes.iter().map(|class| {
        Object::new()
            .text("outcome", class.outcome)
            .text_or_null("code", class.code.as_deref())
            .number("count", class.count)
    });
    let job = job.ok_or_else(|| Problem::new("job_not_found", format!("no job {id}")))?;
    Ok(Answer(
        Object::ok()
            .object("job", jobs::job(&job))
            .list("items", items.items.iter().map(jobs::item))
            .list("outcomes", classes)
            .text_or_null("next_cursor", items.next.as_deref()),
    ))
}

/// `POST /v1/jobs/{job_id}/pause`.
pub(super) async fn pause(state: State<Api>, call: Call, path: Path<String>) -> Result {
    control(state, call, path, JobControl::Pause).await
}

/// `POST /v1/jobs/{job_id}/resume`.
pub(super) async fn resume(state: State<Api>, call: Call, path: Path<String>) -> Result {
    control(state, call, path, JobControl::Resume).await
}

/// `POST /v1/jobs/{job_id}/cancel`.
pub(super) async fn cancel(state: State<Api>, call: Call, path: Path<String>) -> Result {
    control(state, call, path, JobControl::Cancel).await
}

async fn control(
    State(api): State<Api>,
    call: Call,
    Path(text): Path<String>,
    word: JobControl,
) -> Result {
    call.caller.must_be_admin()?;
    let id = id(&text)?;
    let note = call.note(&format!("job.{}", word.name()), id, None);
    let receipt = api
        .broker()
        .administer(AdminCommand::ControlJob(id, word), note)
        .await?;
    let job = receipt.job.ok_or_else(Problem::internal)?;
    Ok(Answer(Object::ok().object("job", jobs::job(&job))))
}
