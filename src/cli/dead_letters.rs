//! `dead` and `replay`: intents that were given up, and their second chance.

use serde_json::{Value, json};

use super::arguments::{DeadVerb, DiscardArguments, LetterSelection, ReplayArguments};
use super::client::{Call, list, segment, text};
use super::failure::Failure;
use super::intents::{each, print_facts, print_more};
use super::{Context, export, input, terms, when};
use crate::wire::json::Object;

pub(super) async fn run(verb: DeadVerb, context: &Context) -> Result<(), Failure> {
    match verb {
        DeadVerb::List {
            selection,
            state,
            window,
        } => {
            let call = select(&selection, context)?.with_some("state", state);
            if export::pages(context, &window, export::LETTERS, &call).await? {
                return Ok(());
            }
            let answer = context.client()?.call(window.first(call)).await?;
            context
                .out
                .either(&answer, |_out| print_list(&answer, context))
        }
        DeadVerb::Groups { selection, export } => {
            let call = select(&selection, context)?.with("group_by", "fingerprint");
            if export::one(context, export.format, export::GROUPS, call.clone()).await? {
                return Ok(());
            }
            let answer = context.client()?.call(call).await?;
            context
                .out
                .either(&answer, |_out| print_groups(&answer, context))
        }
        DeadVerb::Show { id } => {
            let call = Call::get(format!("/v1/dead-letters/{}", segment(&id)));
            let answer = context.client()?.call(call).await?;
            context
                .out
                .either(&answer, |_out| print_letter(&answer, context))
        }
        DeadVerb::Replay(arguments) => replay(arguments, context).await,
        DeadVerb::Discard(arguments) => discard(arguments, context).await,
        DeadVerb::Diff { id, with } => super::compare::run(&id, with.as_deref(), context).await,
    }
}

async fn discard(arguments: DiscardArguments, context: &Context) -> Result<(), Failure> {
    let DiscardArguments {
        ids,
        filter,
        bulk,
        why,
        hold,
    } = arguments;
    if filter.is_some() {
        let selection = LetterSelection {
            filter,
            ..LetterSelection::default()
        };
        return super::jobs::of_letters("discard", selection, bulk, None, Some(why), context).await;
    }
    let body = json!({"reason": why, "hold_seconds": hold});
    each(context, &ids, "discarded", |id| {
        Call::post(
            format!("/v1/dead-letters/{}/discard", segment(id)),
            body.clone(),
        )
    })
    .await
}

pub(super) async fn replay(arguments: ReplayArguments, context: &Context) -> Result<(), Failure> {
    if arguments.matching || arguments.selection.filter.is_some() {
        let ReplayArguments {
            selection,
            bulk,
            to,
            why,
            ..
        } = arguments;
        return super::jobs::of_letters("replay", selection, bulk, to, why, context).await;
    }
    let mut body = Object::new()
        .maybe_text("to_agent", arguments.to.as_deref())
        .maybe_text("reason", arguments.why.as_deref());
    if let Some(given) = &arguments.edit {
        body = body.payload("payload", &input::as_given(given, "payload")?);
    }
    if arguments.force {
        body = body.flag("force", true);
    }
    if arguments.hold > 0 {
        body = body.number("hold_seconds", arguments.hold);
    }
    each(context, &arguments.ids, "replayed", |id| {
        Call::post(
            format!("/v1/dead-letters/{}/replay", segment(id)),
            body.clone(),
        )
    })
    .await
}

fn select(selection: &LetterSelection, context: &Context) -> Result<Call, Failure> {
    let terms = terms::read(
        selection.filter.as_deref(),
        terms::LETTERS,
        context.clock.now(),
    )?;
    let call = Call::get("/v1/dead-letters")
        .with_some("agent", selection.agent.as_ref())
        .with_some("intent_type", selection.intent_type.as_ref())
        .with_some("reason", selection.because.as_ref())
        .with_some("fingerprint", selection.group.as_ref());
    Ok(call.with_all(terms))
}

fn print_list(answer: &Value, context: &Context) -> Result<(), Failure> {
    let now = context.clock.now();
    let rows = list(answer, "/dead_letters").iter().map(|letter| {
        vec![
            text(letter, "/intent_id"),
            text(letter, "/state"),
            text(letter, "/intent_type"),
            context.short(&text(letter, "/to_agent")),
            text(letter, "/reason"),
            text(letter, "/error_class"),
            text(letter, "/attempts"),
            text(letter, "/error/message"),
            when::ago(letter, "/dead_at", now),
        ]
    });
    let headings = [
        "intent", "state", "type", "to", "reason", "class", "tries", "error", "dead for",
    ];
    context
        .out
        .table(&headings, rows.collect(), "no dead letters")?;
    print_more(answer);
    Ok(())
}

fn print_groups(answer: &Value, context: &Context) -> Result<(), Failure> {
    let now = context.clock.now();
    let rows = list(answer, "/groups").iter().map(|group| {
        vec![
            text(group, "/count"),
            text(group, "/fingerprint"),
            context.short(&text(group, "/to_agent")),
            text(group, "/intent_type"),
            text(group, "/reason"),
            text(group, "/error_class"),
            text(group, "/sample_message"),
            when::ago(group, "/last_at", now),
        ]
    });
    let headings = [
        "letters", "group", "to", "type", "reason", "class", "error", "last",
    ];
    context
        .out
        .table(&headings, rows.collect(), "no dead letters")
}

fn print_letter(answer: &Value, context: &Context) -> Result<(), Failure> {
    let now = context.clock.now();
    let letter = answer.get("dead_letter").unwrap_or(&Value::Null);
    let mut facts = vec![
        ("intent", text(letter, "/intent_id")),
        ("state", text(letter, "/state")),
        ("type", text(letter, "/intent_type")),
        ("from", text(letter, "/from_agent")),
        ("to", text(letter, "/to_agent")),
        ("reason", text(letter, "/reason")),
        ("class", text(letter, "/error_class")),
        ("http status", text(letter, "/http_status")),
        ("error", text(letter, "/error/message")),
        ("dead for", when::ago(letter, "/dead_at", now)),
        ("group", text(letter, "/fingerprint")),
        ("replays", text(letter, "/replay_of")),
        ("replayed as", text(letter, "/replayed_as")),
        ("put aside", text(letter, "/discard_reason")),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    print_facts(&context.out, &facts)?;
    super::attempts::print_of_intent(answer, context)?;
    if let Some(payload) = answer.pointer("/intent/payload") {
        context.out.line("\npayload")?;
        let pretty = serde_json::to_string_pretty(payload);
        context
            .out
            .line(pretty.unwrap_or_else(|_| payload.to_string()))?;
    }
    Ok(())
}
