//! Details of what happens between the broker and a receiver.

use crate::domain::attempt::Outcome;
use crate::domain::fact::FactBody;
use crate::domain::failure::Failure;
use crate::wire::json::Object;

/// Details of what happened between the broker and a receiver.
pub(super) fn details(object: Object, body: &FactBody) -> Object {
    match body {
        FactBody::Delivered { binding, attempts } => object
            .text("binding", binding.name())
            .number("delivery_attempt", *attempts),
        FactBody::AttemptStarted {
            attempt,
            number,
            binding,
            lease_until,
            ..
        } => object
            .shown("attempt_id", attempt)
            .text("binding", binding.name())
            .number("delivery_attempt", *number)
            .shown("lease_expires_at", lease_until),
        FactBody::AttemptFailed {
            attempt,
            number,
            failure,
            next_at,
            ..
        } => failure_details(
            object
                .shown("attempt_id", attempt)
                .number("delivery_attempt", *number),
            failure,
        )
        .shown("next_attempt_at", next_at),
        FactBody::Acknowledged {
            attempt,
            lease_until,
            ..
        }
        | FactBody::LeaseExtended {
            attempt,
            lease_until,
        } => object
            .shown("attempt_id", attempt)
            .shown("lease_expires_at", lease_until),
        FactBody::InProgress {
            attempt,
            lease_until,
        } => object
            .maybe_shown("attempt_id", *attempt)
            .maybe_shown("lease_expires_at", *lease_until),
        FactBody::DeliveryFailed {
            attempt,
            attempts,
            reason,
            failure,
            ..
        } => object
            .maybe_shown("attempt_id", *attempt)
            .number("delivery_attempt", *attempts)
            .text("reason", reason.name())
            .with(|object| match failure {
                Some(failure) => failure_details(object, failure),
                None => object,
            }),
        _ => object,
    }
}

fn failure_details(object: Object, failure: &Failure) -> Object {
    let outcome = Outcome::of_failure(failure.class);
    object
        .text("outcome", outcome.name())
        .text("error_class", failure.class.name())
        .number_or_null("http_status", failure.http_status)
        .text("message", &failure.message)
}
