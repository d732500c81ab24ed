//! `scenarios`: check a bundle, run it, follow the run.

use serde_json::Value;

use super::arguments::ScenariosVerb;
use super::client::{Call, list, text};
use super::failure::Failure;
use super::output::{Output, Tone};
use super::{Context, input, send, when};
use crate::domain::payload::Payload;

pub(super) async fn run(verb: ScenariosVerb, context: &Context) -> Result<(), Failure> {
    match verb {
        ScenariosVerb::Validate { file } => validate(&file, context).await,
        ScenariosVerb::Apply { file, watch, key } => {
            let call = Call::post("/v1/scenarios/apply", bundle(&file)?).once(key.as_deref());
            let client = context.client()?;
            let applied = client.call(call).await?;
            for warning in list(&applied, "/warnings") {
                super::output::note(&format!("warning: {}", text(warning, "")));
            }
            context
                .out
                .either(&applied, |out| print_applied(&applied, context, out))?;
            if !watch {
                return Ok(());
            }
            let id = text(&applied, "/intent_id");
            let ended = send::follow(&client, &id, |event| print_event(event, context)).await?;
            send::report(&ended, context)
        }
    }
}

/// The bundle in a file.
fn bundle(file: &str) -> Result<Payload, Failure> {
    match file {
        "-" => input::as_given("-", "bundle"),
        path => input::as_given(&format!("@{path}"), "bundle"),
    }
}

async fn validate(file: &str, context: &Context) -> Result<(), Failure> {
    let call = Call::post("/v1/scenarios/validate", bundle(file)?);
    let answer = context.client()?.call(call).await?;
    let is_valid = answer.get("valid") == Some(&Value::Bool(true));
    context.out.either(&answer, |out| {
        for (name, tone, pointer) in [
            ("error", Tone::Bad, "/errors"),
            ("warning", Tone::Warn, "/warnings"),
        ] {
            for said in list(&answer, pointer) {
                let said = super::output::harmless(&text(said, ""));
                out.painted_line(&format!("{} {said}", out.toned(tone, &format!("{name}:"))))?;
            }
        }
        if is_valid {
            out.line("valid")?;
        }
        Ok(())
    })?;
    if is_valid {
        Ok(())
    } else {
        Err(Failure::Silent)
    }
}

fn print_applied(applied: &Value, context: &Context, out: &Output) -> Result<(), Failure> {
    for agent in list(applied, "/agents") {
        let word = if agent.get("created") == Some(&Value::Bool(true)) {
            "made"
        } else {
            "there"
        };
        let address = context.short(&text(agent, "/address"));
        out.line(format!("agent {address}  {word}"))?;
    }
    let holder = context.short(&text(applied, "/pending_with"));
    let repeat = if applied.get("idempotent") == Some(&Value::Bool(true)) {
        "  (the same run as before)"
    } else {
        ""
    };
    out.line(format!(
        "{}  {}  {}  with {holder}{repeat}",
        text(applied, "/intent_id"),
        text(applied, "/scenario_id"),
        text(applied, "/status"),
    ))
}

fn print_event(event: &Value, context: &Context) -> Result<(), Failure> {
    if context.out.is_json() {
        return context.out.json(event);
    }
    let holder = context.short(&text(event, "/pending_with/ref"));
    let with = if holder.is_empty() {
        String::new()
    } else {
        format!("with {holder}")
    };
    let line = format!(
        "{:>4}  {}  {:<18}  {:<10}  {with}",
        text(event, "/seq"),
        when::clock_time(event, "/at"),
        text(event, "/event_type").trim_start_matches("intent."),
        text(event, "/status"),
    );
    context.out.line(line.trim_end())
}
