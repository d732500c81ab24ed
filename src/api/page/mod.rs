//! The page that a link in a mail leads to: it shows one task and takes one decision.
//!
//! 1. Getting it changes nothing, however often and by whomever it is fetched.
//! 2. The link is the right: it names the person whose decision it is, and decides only while that
//!    person has the task. What is sent back must carry it once more, and the version that was seen.
//! 3. Nothing of others is markup, nothing is loaded, nothing is run, and no address of it leaves:
//!    the headers say so and browsers keep to it.
//! 4. Payloads are shown with their secrets masked, and only while there is something to decide.
//!
//! Not here: links and mails (`bindings/mail`), what a decision does (`engine/inbox.rs`).
//! Tested beside the rules, over HTTP in `tests/api/page.rs`, and in a browser in `tests/clients`.

mod facts;
mod fields;
mod html;
mod inputs;
mod view;

use std::sync::{Arc, LazyLock};

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use self::fields::Submitted;
use self::view::{Draft, Mark, Question, Words};
use crate::api::Api;
use crate::api::answer::ApiError;
use crate::api::call::Upload;
use crate::bindings::mail::Link;
use crate::broker::request::{AuditNote, BrokerError, Receipt, Request};
use crate::domain::intent::{End, Intent};
use crate::domain::payload::Payload;
use crate::domain::task::{Decision, Task, is_negative};
use crate::domain::time::{Span, Timestamp};
use crate::domain::via::Via;
use crate::engine::command::{Choice, Command, Decide};
use crate::engine::refusal::Refusal;
use crate::wire::resume::COMMENT_CHARS_MAX;

/// Only our own style, by its hash; nothing else is loaded, framed or sent elsewhere.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let style = STANDARD.encode(Sha256::digest(view::STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    )
});

/// What a link leads to.
enum Found {
    /// Something to decide.
    Open(Question),
    /// Decided before: the task as it is now, and the decision.
    Decided(Arc<Intent>, Box<Decision>),
    /// Ended without a decision.
    Over(Arc<Intent>),
    /// The link has expired.
    Expired(Timestamp),
    /// No link of ours, or of nobody who has the task.
    Nothing,
}

/// `GET /decide/{token}`.
pub(super) async fn show(State(api): State<Api>, Path(token): Path<String>) -> Response {
    match find(&api, &token).await {
        Ok(Found::Open(question)) => match question.intent.open_task() {
            Some(task) => page(
                StatusCode::OK,
                view::question(&question, task, &token, &Draft::default()),
            ),
            None => closed(StatusCode::GONE, &over(&question.intent)),
        },
        Ok(found) => nothing_to_decide(&found),
        Err(error) => trouble(&error),
    }
}

/// `POST /decide/{token}`.
pub(super) async fn decide(
    State(api): State<Api>,
    Path(token): Path<String>,
    upload: Result<Upload, ApiError>,
) -> Response {
    let Ok(Upload(bytes)) = upload else {
        let words = Words::plain(
            "That was too much",
            "What was sent is too large, or did not arrive. Nothing was decided.",
        );
        return closed(StatusCode::PAYLOAD_TOO_LARGE, &words);
    };
    let question = match find(&api, &token).await {
        Ok(Found::Open(question)) => question,
        Ok(found) => return nothing_to_decide(&found),
        Err(error) => return trouble(&error),
    };
    let Some(task) = question.intent.open_task() else {
        return closed(StatusCode::GONE, &over(&question.intent));
    };
    let submitted = Submitted::read(&bytes);
    if submitted.get("token") != Some(token.as_str()) {
        let words = Words::plain(
            "Nothing was decided",
            "This did not come from the page itself. Open the link of the mail again.",
        );
        return closed(StatusCode::FORBIDDEN, &words);
    }
    let faults = own_faults(task, &submitted);
    if !faults.is_empty() {
        let draft = Draft {
            submitted: Some(submitted),
            faults,
        };
        return page(
            StatusCode::UNPROCESSABLE_ENTITY,
            view::question(&question, task, &token, &draft),
        );
    }
    let answer = api.broker().run(request(&question, task, &submitted)).await;
    match answer {
        Ok(receipt) => taken(&receipt, &question),
        Err(error) => not_taken(&api, &token, submitted, &question, &error).await,
    }
}

/// What a link leads to now.
async fn find(api: &Api, token: &str) -> Result<Found, BrokerError> {
    let (Some(reach), Some(link)) = (&api.settings().reach, Link::read(token)) else {
        return Ok(Found::Nothing);
    };
    let (id, before) = (link.intent, link.seq.saturating_sub(1));
    let read = api.broker().read(move |reader| {
        let fact = reader.facts(id, before)?.into_iter().next();
        Ok((reader.intent(id)?, fact, reader.payload(id)?))
    });
    let (Some(intent), Some(fact), payload) = read.await? else {
        return Ok(Found::Nothing);
    };
    let home = &api.broker().registry().home;
    let Some(person) = reach.links.person(&link, &intent, home) else {
        return Ok(Found::Nothing);
    };
    let Some(task) = &intent.task else {
        return Ok(Found::Nothing);
    };
    if let Some(decision) = &task.decision {
        let decision = Box::new(decision.clone());
        return Ok(Found::Decided(intent, decision));
    }
    if intent.is_finished() {
        return Ok(Found::Over(intent));
    }
    let expires = reach.links.expires(fact.at);
    // It ends with its task at the latest.
    let expires = intent
        .deadline
        .map_or(expires, |deadline| deadline.min(expires));
    if expires <= api.broker().clock().now() {
        return Ok(Found::Expired(expires));
    }
    let payload = payload.unwrap_or_else(Payload::empty);
    Ok(Found::Open(Question {
        payload: reach.masks.body(payload.as_str(), usize::MAX).0,
        intent,
        person,
        expires,
    }))
}

/// What is wrong before the engine is asked: all of it at once.
fn own_faults(task: &Task, submitted: &Submitted) -> Vec<(String, String)> {
    let is_blank = |name: &str| {
        submitted
            .get(name)
            .is_none_or(|text| text.trim().is_empty())
    };
    let chars = |name: &str| submitted.get(name).map_or(0, |text| text.chars().count());
    let mut faults = Vec::new();
    let mut wrong = |key: &str, fault: String| faults.push((key.to_owned(), fault));
    if is_blank("outcome") {
        wrong("outcome", "Please choose an outcome.".to_owned());
    }
    if task.spec.needs_comment() && is_blank("comment") {
        wrong("comment", "This decision needs a comment.".to_owned());
    }
    if chars("comment") > usize::from(COMMENT_CHARS_MAX) {
        wrong(
            "comment",
            format!("At most {COMMENT_CHARS_MAX} characters are kept."),
        );
    }
    if task.spec.is_evidence_required && is_blank("evidence") {
        wrong("evidence", "This decision needs evidence.".to_owned());
    }
    faults
}

fn request(question: &Question, task: &Task, submitted: &Submitted) -> Request {
    let text = |name: &str| {
        let text = submitted.get(name).map(str::trim).unwrap_or_default();
        (!text.is_empty()).then(|| text.replace("\r\n", "\n"))
    };
    let outcome = text("outcome").unwrap_or_default();
    let mut data = match &task.spec.form_schema {
        // A no needs no form.
        Some(form) if !is_negative(&outcome) => fields::filled(&fields::of(form), submitted),
        _ => Map::new(),
    };
    if let Some(evidence) = text("evidence") {
        data.insert("evidence".to_owned(), Value::String(evidence));
    }
    let comment = text("comment");
    let note = AuditNote {
        actor: question.person.to_string(),
        key: None,
        via: Via::Page.name().to_owned(),
        action: "task.decide".to_owned(),
        target: question.intent.id.to_string(),
        owner: None,
        reason: comment.clone(),
        trace_id: question.intent.trace_id.clone(),
    };
    let decide = Decide {
        choice: Choice::Outcome(outcome),
        comment,
        data: (!data.is_empty()).then(|| Payload::of(&Value::Object(data))),
        // What names no version has seen none.
        version: Some(
            submitted
                .get("version")
                .and_then(|text| text.parse().ok())
                .unwrap_or(0),
        ),
        hold: Span::ZERO,
        by: question.person.clone(),
        via: Via::Page,
    };
    Request {
        audit: Some(note),
        ..Request::plain(question.intent.id, Command::Decide(Box::new(decide)))
    }
}

/// The decision is committed; or somebody else's was the same, a moment before.
fn taken(receipt: &Receipt, question: &Question) -> Response {
    let task = receipt.intent.task.as_ref();
    let Some(decision) = task.and_then(|task| task.decision.as_ref()) else {
        return closed(StatusCode::GONE, &over(&receipt.intent));
    };
    if receipt.facts.is_empty() {
        return closed(StatusCode::CONFLICT, &decided(&receipt.intent, decision));
    }
    let mark = if is_negative(&decision.outcome) {
        Mark::No
    } else {
        Mark::Yes
    };
    let words = Words {
        title: format!("Decided: {}", fields::title_of(&decision.outcome)),
        subject: subject(&receipt.intent),
        text: vec![format!(
            "Your decision as {} is recorded. The link is used up; this page can be closed.",
            view::name(&question.person)
        )],
        mark,
    };
    closed(StatusCode::OK, &words)
}

/// The page again, with what was typed and what is wrong with it; or why nothing can be decided any more.
async fn not_taken(
    api: &Api,
    token: &str,
    submitted: Submitted,
    question: &Question,
    error: &BrokerError,
) -> Response {
    let (status, faults) = match error {
        BrokerError::Refused(refusal) => match refusal {
            Refusal::AlreadyDecided(decision) => {
                return closed(StatusCode::CONFLICT, &decided(&question.intent, decision));
            }
            Refusal::StaleVersion { .. } => (
                StatusCode::CONFLICT,
                vec![(String::new(), "The task has changed since this page was opened. It is shown as it is now; please decide again.".to_owned())],
            ),
            Refusal::FormInvalid(problems) => (StatusCode::UNPROCESSABLE_ENTITY, fields::faults(problems)),
            Refusal::OutcomeNotAllowed { .. } => {
                (StatusCode::UNPROCESSABLE_ENTITY, vec![("outcome".to_owned(), "This outcome cannot be chosen.".to_owned())])
            }
            Refusal::CommentRequired | Refusal::EvidenceRequired => {
                (StatusCode::UNPROCESSABLE_ENTITY, vec![(String::new(), refusal.to_string())])
            }
            _ => return show(State(api.clone()), Path(token.to_owned())).await,
        },
        BrokerError::Busy | BrokerError::StorageFull | BrokerError::Stopping => (
            StatusCode::SERVICE_UNAVAILABLE,
            vec![(String::new(), "It could not be written down just now. Please try again in a moment.".to_owned())],
        ),
        _ => return trouble(error),
    };
    let draft = Draft {
        submitted: Some(submitted),
        faults,
    };
    // As it is now: who lost a race sees what won.
    let current = match find(api, token).await {
        Ok(Found::Open(current)) => current,
        Ok(found) => return nothing_to_decide(&found),
        Err(_unreadable) => question.clone(),
    };
    match current.intent.open_task() {
        Some(task) => page(status, view::question(&current, task, token, &draft)),
        None => closed(StatusCode::GONE, &over(&current.intent)),
    }
}

fn nothing_to_decide(found: &Found) -> Response {
    match found {
        Found::Decided(intent, decision) => closed(StatusCode::GONE, &decided(intent, decision)),
        Found::Over(intent) => closed(StatusCode::GONE, &over(intent)),
        Found::Open(question) => closed(StatusCode::GONE, &over(&question.intent)),
        Found::Expired(at) => {
            let text = format!(
                "It decided until {}. If the task is still open, the next reminder brings a new link, and it can be decided in the console.",
                view::minute(*at)
            );
            closed(
                StatusCode::GONE,
                &Words::plain("This link has expired", &text),
            )
        }
        Found::Nothing => closed(
            StatusCode::NOT_FOUND,
            &Words::plain(
                "This link leads nowhere",
                "It may have been cut off in the mail, the task may have been given to somebody else, or it is long over.",
            ),
        ),
    }
}

/// What the task asked, for people.
fn subject(intent: &Intent) -> Option<String> {
    intent.task.as_ref().map(|task| task.spec.title.clone())
}

fn decided(intent: &Intent, decision: &Decision) -> Words {
    let mut text = vec![view::told(decision)];
    if let Some(comment) = &decision.comment {
        text.push(format!("“{comment}”"));
    }
    text.push("The first decision counts. Nothing can be changed here any more.".to_owned());
    Words {
        title: "This has been decided".to_owned(),
        subject: subject(intent),
        text,
        mark: if is_negative(&decision.outcome) {
            Mark::No
        } else {
            Mark::Yes
        },
    }
}

/// Ended without anybody's decision.
fn over(intent: &Intent) -> Words {
    let at = view::minute(intent.updated_at);
    let text = match &intent.end {
        Some(End::TimedOut { .. }) => {
            format!("Its deadline passed on {at}, before anybody decided.")
        }
        Some(End::Canceled {
            reason: Some(reason),
            ..
        }) => format!("It was withdrawn on {at}: {reason}"),
        Some(End::Canceled { .. }) => format!("It was withdrawn on {at}."),
        _ => format!("It ended on {at} without a decision."),
    };
    Words {
        subject: subject(intent),
        ..Words::plain("There is nothing to decide any more", &text)
    }
}

impl Words {
    fn plain(title: &str, text: &str) -> Self {
        Self {
            title: title.to_owned(),
            subject: None,
            text: vec![text.to_owned()],
            mark: Mark::None,
        }
    }
}

/// The broker cannot answer now.
fn trouble(error: &BrokerError) -> Response {
    tracing::warn!(%error, "the page for deciding could not be made");
    let words = Words::plain(
        "Not just now",
        "The broker cannot answer at the moment. Please try again in a minute.",
    );
    closed(StatusCode::SERVICE_UNAVAILABLE, &words)
}

fn closed(status: StatusCode, words: &Words) -> Response {
    page(status, view::closed(words))
}

fn page(status: StatusCode, text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    headers(response.headers_mut());
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    }
    response
}

/// That it is stored nowhere is said for every answer of the door.
fn headers(headers: &mut HeaderMap) {
    let fixed = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(&POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
}
