//! Deliveries: the public vocabulary for how far an intent has got to its receiver.

use crate::domain::agent::{Agent, Binding};
use crate::domain::failure::DeadReason;
use crate::domain::ids::IntentId;
use crate::domain::intent::{End, Intent, Kind};
use crate::domain::payload::Payload;
use crate::domain::status::Status;
use crate::wire::agents::Place;
use crate::wire::errors::Problem;
use crate::wire::json::Object;

/// What a delivery's id starts with; behind it stands the id of its intent.
const PREFIX: &str = "dlv_";

/// How far a delivery has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryStatus {
    /// Never attempted.
    Submitted,
    /// Attempted, not acknowledged, more to come.
    Pending,
    /// Acknowledged, in progress, completed, or failed by its receiver.
    Delivered,
    /// Canceled before it was acknowledged.
    Failed,
    /// Given up by delivery.
    DeadLettered,
}

impl DeliveryStatus {
    /// Every status.
    pub const ALL: [Self; 5] = [
        Self::Submitted,
        Self::Pending,
        Self::Delivered,
        Self::Failed,
        Self::DeadLettered,
    ];

    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::DeadLettered => "dead_lettered",
        }
    }

    /// The status of that name.
    ///
    /// # Errors
    /// `schema_invalid`.
    pub fn from_name(name: &str) -> Result<Self, Problem> {
        Self::ALL
            .into_iter()
            .find(|status| status.name() == name)
            .ok_or_else(|| {
                let names = Self::ALL.map(Self::name).join(", ");
                let message = format!("{name:?} is none of {names}");
                Problem::field("query", "status", message, "string")
            })
    }

    /// The status of an intent's delivery.
    #[must_use]
    pub fn of(intent: &Intent) -> Self {
        let letter = intent.dead_letter.as_ref();
        if letter.is_some_and(|letter| is_given_up(letter.reason)) {
            return Self::DeadLettered;
        }
        let is_acknowledged = intent.acknowledged_at.is_some();
        match intent.status {
            Status::Acknowledged | Status::InProgress | Status::Completed | Status::Failed => {
                Self::Delivered
            }
            Status::Canceled | Status::TimedOut if is_acknowledged => Self::Delivered,
            Status::Canceled | Status::TimedOut => Self::Failed,
            Status::Created | Status::Submitted | Status::Delivered | Status::Waiting => {
                match (is_acknowledged, intent.attempts) {
                    (true, _) => Self::Delivered,
                    (false, 0) => Self::Submitted,
                    (false, _) => Self::Pending,
                }
            }
        }
    }
}

/// True for letters that delivery gave up; the others were delivered and answered with a no.
const fn is_given_up(reason: DeadReason) -> bool {
    match reason {
        DeadReason::Attempts
        | DeadReason::Permanent
        | DeadReason::SsrfBlocked
        | DeadReason::PoisonCrash
        | DeadReason::Deadline
        | DeadReason::Schema => true,
        DeadReason::HandlerFailed | DeadReason::Rejected | DeadReason::Operator => false,
    }
}

/// The intent that a delivery's id names; an intent's id is accepted too.
///
/// # Errors
/// `delivery_not_found`.
pub fn id(text: &str) -> Result<IntentId, Problem> {
    let bare = text.strip_prefix(PREFIX).unwrap_or(text);
    bare.parse().map_err(|_not_an_id| not_found(text))
}

/// No such delivery, or none of the caller's business.
#[must_use]
pub fn not_found(text: &str) -> Problem {
    Problem::new("delivery_not_found", format!("no delivery {text:?}"))
}

/// The delivery of an intent.
#[must_use]
pub fn delivery(
    intent: &Intent,
    payload: &Payload,
    receiver: Option<&Agent>,
    place: &Place,
) -> Object {
    let transport = match intent.binding {
        Binding::Http if intent.kind() == Kind::Webhook => "webhook",
        Binding::Http => "http",
        Binding::Stream | Binding::Poll | Binding::Inbox | Binding::Internal => "queue",
    };
    let principal = receiver.and_then(|agent| agent.account);
    Object::new()
        .text("delivery_id", &format!("{PREFIX}{}", intent.id))
        .text_or_null(
            "replay_of_delivery_id",
            intent
                .replay_of
                .map(|id| format!("{PREFIX}{id}"))
                .as_deref(),
        )
        .text("org_id", &place.org_id)
        .text("workspace_id", &place.workspace_id)
        .shown_or_null("principal_id", principal)
        .shown("alias", &intent.to)
        .text("transport_type", transport)
        .text("route_id", &format!("{transport}:{}", intent.to.key()))
        .text("status", DeliveryStatus::of(intent).name())
        .text("correlation_id", &intent.correlation_id)
        .null("idempotency_key")
        .payload("payload", payload)
        .text_or_null("error_detail", error(intent).as_deref())
        .shown("created_at", intent.created_at)
        .shown("updated_at", intent.updated_at)
        .shown("intent_id", intent.id)
}

/// The sentence of what went wrong, while nothing went well after it.
fn error(intent: &Intent) -> Option<String> {
    match &intent.end {
        Some(End::Failed { error } | End::TimedOut { error }) => Some(error.message.clone()),
        Some(End::Canceled { reason }) => reason.clone(),
        Some(End::Completed { .. }) => None,
        None => intent
            .last_failure
            .as_ref()
            .map(|failure| format!("{}: {}", failure.class, failure.message)),
    }
}
