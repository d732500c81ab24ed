//! `intents`: list, show, withdraw, hurry.

use serde_json::{Value, json};

use super::arguments::IntentsVerb;
use super::client::{Call, list, segment, text};
use super::failure::Failure;
use super::output::Output;
use super::{Context, export, terms, when};

pub(super) async fn run(verb: IntentsVerb, context: &Context) -> Result<(), Failure> {
    let client = context.client()?;
    match verb {
        IntentsVerb::List {
            status,
            to,
            from,
            intent_type,
            correlation,
            filter,
            window,
        } => {
            let terms = terms::read(filter.as_deref(), terms::INTENTS, context.clock.now())?;
            let call = Call::get("/v1/intents")
                .with_some("status", status.map(|status| statuses(&status)))
                .with_some("to_agent", to)
                .with_some("from_agent", from)
                .with_some("intent_type", intent_type)
                .with_some("correlation_id", correlation)
                .with_all(terms);
            if export::pages(context, &window, export::INTENTS, &call).await? {
                return Ok(());
            }
            let answer = client.call(window.first(call)).await?;
            context
                .out
                .either(&answer, |_out| print_list(&answer, context))
        }
        IntentsVerb::Show { id } => {
            let path = format!("/v1/intents/{}", segment(&id));
            let intent = client.call(Call::get(path.clone())).await?;
            let events = client.call(Call::get(format!("{path}/events"))).await?;
            let attempts = Call::get("/v1/attempts")
                .with("intent_id", &id)
                .with("limit", 100_u32);
            let attempts = client.call(attempts).await?;
            let whole = json!({
                "ok": true,
                "intent": intent.get("intent"),
                "events": events.get("events"),
                "attempts": attempts.get("attempts"),
            });
            let intent = whole.get("intent").unwrap_or(&Value::Null);
            context.out.either(&whole, |out| {
                print_intent(intent, context)?;
                print_events(&whole, out)?;
                super::attempts::print_of_intent(&whole, context)?;
                print_ends(intent, out)
            })
        }
        IntentsVerb::Cancel { ids, why } => {
            let body = json!({ "reason": why });
            each(context, &ids, "canceled", |id| {
                Call::post(format!("/v1/intents/{}/cancel", segment(id)), body.clone())
            })
            .await
        }
        IntentsVerb::RetryNow { ids, why } => {
            let body = why.map_or_else(|| json!({}), |why| json!({ "reason": why }));
            each(context, &ids, "due now", |id| {
                let path = format!("/v1/intents/{}/retry-now", segment(id));
                Call::post(path, body.clone())
            })
            .await
        }
    }
}

/// Does one call per id. A no to one is said and does not keep the others from being tried.
pub(super) async fn each(
    context: &Context,
    ids: &[String],
    word: &str,
    call: impl Fn(&str) -> Call,
) -> Result<(), Failure> {
    let client = context.client()?;
    let mut has_failed = false;
    for id in ids {
        match client.call(call(id)).await {
            Ok(answer) => context.out.either(&answer, |out| {
                out.line(match answer.get("held") {
                    Some(held) if held.is_object() => format!(
                        "{id}  held as {} until {}; hint: postroom undo {}",
                        text(held, "/hold_id"),
                        when::clock_time(held, "/effective_at"),
                        text(held, "/hold_id"),
                    ),
                    _ => match text(&answer, "/dead_letter/replayed_as").as_str() {
                        "" => format!("{id}  {word}"),
                        new => format!("{id}  {word} as {new}"),
                    },
                })
            })?,
            Err(failure @ Failure::Refused(_)) => {
                super::output::complain(&failure);
                has_failed = true;
            }
            Err(failure) => return Err(failure),
        }
    }
    if has_failed {
        Err(Failure::Silent)
    } else {
        Ok(())
    }
}

/// `pending` stays as it is, statuses are upper case on the wire.
fn statuses(given: &str) -> String {
    if given.eq_ignore_ascii_case("pending") {
        "pending".to_owned()
    } else {
        given.to_uppercase()
    }
}

fn print_list(answer: &Value, context: &Context) -> Result<(), Failure> {
    let now = context.clock.now();
    let rows = list(answer, "/intents").iter().map(|intent| {
        vec![
            text(intent, "/intent_id"),
            standing(intent),
            text(intent, "/intent_type"),
            context.short(&text(intent, "/from_agent")),
            context.short(&text(intent, "/to_agent")),
            format!(
                "{}/{}",
                text(intent, "/delivery_attempt"),
                text(intent, "/max_delivery_attempts")
            ),
            when::ago(intent, "/created_at", now),
        ]
    });
    let headings = ["id", "status", "type", "from", "to", "tries", "age"];
    context.out.table(&headings, rows.collect(), "no intents")?;
    print_more(answer);
    Ok(())
}

/// Says how to see the next page, if there is one.
pub(super) fn print_more(answer: &Value) {
    let next = text(answer, "/next_cursor");
    if !next.is_empty() {
        super::output::note(&format!("more: --cursor {next}"));
    }
}

/// The status with what it waits for, or where its delivery stands.
fn standing(intent: &Value) -> String {
    let status = text(intent, "/status");
    let waiting = text(intent, "/waiting_reason");
    let delivery = text(intent, "/delivery/state");
    match (waiting.strip_prefix("WAITING_FOR_"), delivery.as_str()) {
        (Some(whom), _) => format!("{status} ({})", whom.to_lowercase()),
        (None, state @ ("leased" | "backing_off" | "parked")) => format!("{status} ({state})"),
        _ => status,
    }
}

fn print_intent(intent: &Value, context: &Context) -> Result<(), Failure> {
    let out = &context.out;
    let now = context.clock.now();
    let mut facts = vec![
        ("intent", text(intent, "/intent_id")),
        ("type", text(intent, "/intent_type")),
        ("status", standing(intent)),
        ("from", text(intent, "/from_agent")),
        ("to", text(intent, "/to_agent")),
        (
            "tries",
            format!(
                "{} of {}",
                text(intent, "/delivery_attempt"),
                text(intent, "/max_delivery_attempts")
            ),
        ),
        ("age", when::ago(intent, "/created_at", now)),
        (
            "next try",
            when::until(intent, "/delivery/next_attempt_at", now),
        ),
        (
            "lease ends",
            when::until(intent, "/delivery/lease_expires_at", now),
        ),
        ("deadline", when::until(intent, "/deadline_at", now)),
        ("reply to", text(intent, "/reply_to")),
        ("correlation", text(intent, "/correlation_id")),
        ("replays", text(intent, "/replay_of")),
        ("replayed as", text(intent, "/dead_letter/replayed_as")),
        ("dead because", text(intent, "/dead_letter/reason")),
        ("asks", text(intent, "/human_task/title")),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    print_facts(out, &facts)
}

/// Names and values, one a line.
pub(super) fn print_facts(out: &Output, facts: &[(&str, String)]) -> Result<(), Failure> {
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in facts {
        out.line(format!("{name:width$}  {value}"))?;
    }
    Ok(())
}

fn print_events(whole: &Value, out: &Output) -> Result<(), Failure> {
    out.line("")?;
    let rows = list(whole, "/events").iter().map(|event| {
        let details = event.get("details").filter(|details| {
            details
                .as_object()
                .is_some_and(|details| !details.is_empty())
        });
        vec![
            text(event, "/seq"),
            when::clock_time(event, "/at"),
            text(event, "/event_type"),
            text(event, "/status"),
            text(event, "/actor"),
            super::handler::shortened(&details.map(Value::to_string).unwrap_or_default(), 100),
        ]
    });
    let headings = ["seq", "at", "event", "status", "by", "details"];
    out.table(&headings, rows.collect(), "no events")
}

fn print_ends(intent: &Value, out: &Output) -> Result<(), Failure> {
    for (name, pointer) in [
        ("payload", "/payload"),
        ("result", "/result"),
        ("error", "/error"),
    ] {
        if let Some(value) = intent.pointer(pointer).filter(|value| !value.is_null()) {
            out.line(format!("\n{name}"))?;
            let pretty = serde_json::to_string_pretty(value);
            out.line(pretty.unwrap_or_else(|_| value.to_string()))?;
        }
    }
    Ok(())
}
