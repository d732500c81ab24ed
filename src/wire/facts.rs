//! Every fact of an intent, also those that its sender does not see: what operators read.

use crate::domain::fact::Fact;
use crate::wire::events::{self, Teller};
use crate::wire::json::Object;

/// The facts of one intent, which must start with the first one, each with the status after it.
#[must_use]
pub fn objects(facts: &[Fact]) -> Vec<Object> {
    let mut teller = Teller::new();
    facts
        .iter()
        .map(|fact| {
            teller.tell(fact);
            Object::new()
                .number("fact_seq", fact.seq)
                .number_or_null("seq", fact.event)
                .text("event_type", fact.body.type_name())
                .text("status", teller.status().name())
                .shown("at", fact.at)
                .text("actor", fact.actor.name())
                .object("details", events::fact_details(&fact.body))
        })
        .collect()
}
