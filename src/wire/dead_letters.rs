//! Dead letters, alone and in groups.

use crate::domain::address::{Address, Home};
use crate::domain::failure::DeadReason;
use crate::domain::ids::IntentId;
use crate::domain::intent::{End, Intent};
use crate::domain::payload::Payload;
use crate::domain::time::{Span, Timestamp};
use crate::wire::body::{Body, Fields};
use crate::wire::errors::Problem;
use crate::wire::intents;
use crate::wire::json::Object;

/// The longest hold of a command.
pub(super) const HOLD_SECONDS_MAX: i64 = 60;

/// The dead-letter object; none for an intent that is none.
#[must_use]
pub fn letter(intent: &Intent, now: Timestamp) -> Option<Object> {
    let letter = intent.dead_letter.as_ref()?;
    let failure = intent.last_failure.as_ref();
    let error = match &intent.end {
        Some(End::Failed { error } | End::TimedOut { error }) => Some(error),
        _ => None,
    };
    let object = Object::new()
        .shown("intent_id", intent.id)
        .shown("origin_id", intent.origin)
        .shown_or_null("replay_of", intent.replay_of)
        .text("intent_type", &intent.intent_type)
        .shown("from_agent", &intent.from)
        .shown("to_agent", &intent.to)
        .text("binding", intent.binding.name())
        .text("reason", letter.reason.name())
        .text_or_null("error_class", failure.map(|failure| failure.class.name()))
        .number_or_null(
            "http_status",
            failure.and_then(|failure| failure.http_status),
        )
        .maybe_object("error", error.map(|error| intents::error(error, None)))
        .text("message", &message(intent))
        .number("attempts", intent.attempts)
        .shown("created_at", intent.created_at)
        .shown("dead_at", letter.at)
        .text("correlation_id", &intent.correlation_id)
        .text("fingerprint", &letter.fingerprint);
    let (replayed_as, discard_reason) = match &letter.state {
        crate::domain::intent::DeadLetterState::Open => (None, None),
        crate::domain::intent::DeadLetterState::Replayed { as_intent } => (Some(*as_intent), None),
        crate::domain::intent::DeadLetterState::Discarded { reason } => {
            (None, Some(reason.as_str()))
        }
    };
    Some(
        object
            .text("state", intents::letter_state(&letter.state))
            .shown_or_null("replayed_as", replayed_as)
            .text_or_null("discard_reason", discard_reason)
            .number("age_seconds", now.since(letter.at).as_seconds())
            .text("intent_status", intent.status.name())
            .with(|object| match intent.holds.first() {
                Some(hold) => object.object("held", intents::held(intent, hold)),
                None => object,
            }),
    )
}

/// The error in a line: of the last attempt, else of the end.
#[must_use]
pub fn message(intent: &Intent) -> String {
    if let Some(failure) = &intent.last_failure {
        return failure.message.clone();
    }
    match &intent.end {
        Some(End::Failed { error } | End::TimedOut { error }) => error.message.clone(),
        Some(End::Canceled { reason }) => reason.clone().unwrap_or_default(),
        Some(End::Completed { .. }) | None => String::new(),
    }
}

/// Dead letters that look alike.
#[derive(Debug, Clone, Copy)]
pub struct Group<'group> {
    /// The rule's version and a hash.
    pub fingerprint: &'group str,
    /// How many.
    pub count: u64,
    /// When the first died.
    pub first_at: Timestamp,
    /// When the last died.
    pub last_at: Timestamp,
    /// The newest of them; the first is the sample.
    pub newest: &'group [std::sync::Arc<Intent>],
    /// Deaths in each of the last 24 hours, oldest first.
    pub hourly: &'group [u32],
}

impl Group<'_> {
    /// The group object.
    #[must_use]
    pub fn object(&self) -> Object {
        let sample = self.newest.first();
        let failure = sample.and_then(|intent| intent.last_failure.as_ref());
        let reason = sample
            .and_then(|intent| intent.dead_letter.as_ref())
            .map(|letter| letter.reason.name());
        Object::new()
            .text("fingerprint", self.fingerprint)
            .number("count", self.count)
            .text_or_null("reason", reason)
            .text_or_null("error_class", failure.map(|failure| failure.class.name()))
            .number_or_null(
                "http_status",
                failure.and_then(|failure| failure.http_status),
            )
            .text_or_null(
                "intent_type",
                sample.map(|intent| intent.intent_type.as_str()),
            )
            .shown_or_null("to_agent", sample.map(|intent| &intent.to))
            .text_or_null(
                "sample_message",
                sample.map(|intent| message(intent)).as_deref(),
            )
            .shown("first_at", self.first_at)
            .shown("last_at", self.last_at)
            .texts(
                "intent_ids",
                self.newest.iter().map(|intent| intent.id.to_string()),
            )
            .raw(
                "hourly",
                &serde_json::Value::from(self.hourly.to_vec()).to_string(),
            )
    }
}

/// A replay as it is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplayBody {
    /// Another payload.
    pub payload: Option<Payload>,
    /// Another receiver.
    pub to: Option<Address>,
    /// Another budget.
    pub max_attempts: Option<u32>,
    /// Also when it has been replayed before.
    pub is_forced: bool,
    /// Why.
    pub reason: Option<String>,
    /// Take effect so much later.
    pub hold: Span,
}

/// Reads a replay.
///
/// # Errors
/// `schema_invalid` or `invalid_agent_address`.
pub fn replay(body: &Body<'_>, home: &Home) -> Result<ReplayBody, Problem> {
    let mut fields = Fields::of(body);
    let replay = ReplayBody {
        payload: fields.object("payload"),
        to: fields.address("to_agent", home),
        max_attempts: fields.count("max_delivery_attempts", 1, u32::MAX),
        is_forced: fields.flag("force"),
        reason: fields.text("reason", 2000),
        hold: hold(&mut fields),
    };
    fields.done()?;
    Ok(replay)
}

/// Reads a discard: its reason and its hold.
///
/// # Errors
/// `schema_invalid`.
pub fn discard(body: &Body<'_>) -> Result<(String, Span), Problem> {
    let mut fields = Fields::of(body);
    let reason = fields.required_text("reason", 2000);
    let hold = hold(&mut fields);
    fields.done()?;
    Ok((reason.unwrap_or_default(), hold))
}

/// Takes `hold_seconds`.
pub fn hold(fields: &mut Fields<'_, '_>) -> Span {
    fields
        .seconds("hold_seconds", 0, HOLD_SECONDS_MAX)
        .unwrap_or(Span::ZERO)
}

/// The reason of that name, or what is wrong with it.
///
/// # Errors
/// `schema_invalid`.
pub fn reason(name: &str) -> Result<DeadReason, Problem> {
    DeadReason::from_name(name).ok_or_else(|| {
        let names: Vec<_> = DeadReason::ALL.iter().map(|reason| reason.name()).collect();
        Problem::field(
            "query",
            "reason",
            format!("must be one of {}", names.join(", ")),
            "string",
        )
    })
}

/// No such dead letter.
#[must_use]
pub fn not_found(id: IntentId) -> Problem {
    Problem::new(
        "dead_letter_not_found",
        format!("no dead letter {id}; only failed and undelivered intents are"),
    )
}
