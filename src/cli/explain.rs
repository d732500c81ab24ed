//! `explain`: why an intent stands where it stands, what happens next by itself, and what can be done.

use serde_json::{Value, json};

use super::arguments::ExplainArguments;
use super::client::{Call, address_in_path, list, segment, text};
use super::failure::Failure;
use super::{Context, when};

/// What is said of an intent.
#[derive(Debug, Default)]
struct Said {
    lines: Vec<String>,
    hints: Vec<String>,
}

impl Said {
    fn line(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    fn hint(&mut self, hint: impl Into<String>) {
        self.hints.push(hint.into());
    }
}

pub(super) async fn run(arguments: &ExplainArguments, context: &Context) -> Result<(), Failure> {
    let client = context.client()?;
    let path = format!("/v1/intents/{}", segment(&arguments.id));
    let answer = client.call(Call::get(path)).await?;
    let intent = answer.get("intent").unwrap_or(&Value::Null);
    // Receivers that nobody registered have an entry too; where there is none, nothing is said of it.
    let path = format!("/v1/agents/{}", address_in_path(&text(intent, "/to_agent")));
    let agent = client.call(Call::get(path)).await.ok();
    let agent = agent.and_then(|answer| answer.get("agent").cloned());
    let mut said = Said::default();
    explain(intent, agent.as_ref(), context, &mut said);
    let whole = json!({
        "ok": true,
        "intent_id": intent.get("intent_id"),
        "status": intent.get("status"),
        "says": said.lines,
        "try": said.hints,
    });
    context.out.either(&whole, |out| {
        for line in &said.lines {
            out.line(line)?;
        }
        for hint in &said.hints {
            out.line(format!("  try: {hint}"))?;
        }
        Ok(())
    })
}

fn explain(intent: &Value, agent: Option<&Value>, context: &Context, said: &mut Said) {
    let now = context.clock.now();
    let id = text(intent, "/intent_id");
    said.line(format!(
        "{id} is {} from {} to {}, accepted {} ago.",
        text(intent, "/intent_type"),
        context.short(&text(intent, "/from_agent")),
        context.short(&text(intent, "/to_agent")),
        when::ago(intent, "/created_at", now),
    ));
    let status = text(intent, "/status");
    match status.as_str() {
        "WAITING" => waiting(intent, context, said),
        "COMPLETED" | "FAILED" | "CANCELED" | "TIMED_OUT" => ended(intent, context, said),
        _ => on_its_way(intent, agent, context, said),
    }
    if text(intent, "/completed_at").is_empty() {
        for (pointer, what) in [
            ("/deadline_at", "Its deadline is"),
            ("/due_at", "It is due"),
        ] {
            let until = when::until(intent, pointer, now);
            if !until.is_empty() {
                said.line(format!("{what} {until}; then it ends as TIMED_OUT."));
                break;
            }
        }
        said.hint(format!("postroom intents cancel {id} --why TEXT"));
    }
    if !text(intent, "/parent_intent_id").is_empty() {
        said.line(format!(
            "It is step {} of the run {} ({}).",
            text(intent, "/step_id"),
            text(intent, "/parent_intent_id"),
            text(intent, "/scenario_id"),
        ));
    }
}

fn waiting(intent: &Value, context: &Context, said: &mut Said) {
    let now = context.clock.now();
    let holder = context.short(&text(intent, "/pending_with/ref"));
    let id = text(intent, "/intent_id");
    let step = text(intent, "/step_intent_id");
    if !step.is_empty() {
        said.line(format!(
            "It runs, and is at step {}.",
            text(intent, "/step_id")
        ));
    }
    match text(intent, "/waiting_reason").as_str() {
        "WAITING_FOR_HUMAN" => {
            let outcomes: Vec<String> = list(intent, "/human_task/allowed_outcomes")
                .iter()
                .map(|outcome| text(outcome, ""))
                .collect();
            said.line(format!(
                "A person has to answer, {holder}: {:?}.",
                text(intent, "/human_task/title"),
            ));
            let reminders = text(intent, "/remind_count");
            if !matches!(reminders.as_str(), "" | "0") {
                said.line(format!("Reminders sent: {reminders}."));
            }
            for held in list(intent, "/held") {
                let until = when::until(held, "/effective_at", now);
                let hold = text(held, "/hold_id");
                said.line(format!(
                    "{} by {} takes effect {until}.",
                    text(held, "/action"),
                    context.short(&text(held, "/by")),
                ));
                said.hint(format!("postroom undo {hold}"));
            }
            let outcome = match outcomes.as_slice() {
                [] => "OUTCOME".to_owned(),
                some => some.join("|"),
            };
            said.hint(format!("postroom tasks decide {id} --outcome {outcome}"));
            said.hint(format!("postroom tasks delegate {id} --to ADDRESS"));
        }
        "WAITING_FOR_TIME" => {
            let until = when::until(intent, "/delivery/until", now);
            said.line(format!(
                "It waits for time to pass{}{until}.",
                space(&until)
            ));
        }
        _ => said.line(format!("It waits for {holder}.")),
    }
    if !step.is_empty() {
        said.hint(format!("postroom explain {step}"));
    }
}

/// What stands between a word and what may follow it.
const fn space(after: &str) -> &'static str {
    if after.is_empty() { "" } else { ": " }
}

fn on_its_way(intent: &Value, agent: Option<&Value>, context: &Context, said: &mut Said) {
    let now = context.clock.now();
    let id = text(intent, "/intent_id");
    let to = context.short(&text(intent, "/to_agent"));
    let binding = text(intent, "/delivery/binding");
    let tries = format!(
        "{} of {} attempts are used",
        text(intent, "/delivery_attempt"),
        text(intent, "/max_delivery_attempts"),
    );
    match text(intent, "/delivery/state").as_str() {
        "ready" => {
            let ago = when::ago(intent, "/delivery/ready_since", now);
            said.line(format!(
                "It has lain ready at {to} ({binding}) for {ago}; {tries}."
            ));
            let connections = agent.map(|agent| text(agent, "/connections"));
            if binding == "stream" && connections.as_deref() == Some("0") {
                said.line(format!(
                    "Nobody listens at {to}. That spends no attempt; it is offered as soon as somebody does."
                ));
                said.hint(format!("postroom listen {to}"));
            }
        }
        "parked" => {
            said.line(format!(
                "It is held back at {to}: {}. That spends no attempt; {tries}.",
                text(intent, "/delivery/parked_reason"),
            ));
            said.hint(format!("postroom agents show {to}"));
            if agent.is_some_and(|agent| agent.get("paused") == Some(&Value::Bool(true))) {
                said.hint(format!("postroom agents resume {to}"));
            }
        }
        "leased" => said.line(format!(
            "{to} has it ({}); {tries}. Without an answer it is offered again {}.",
            text(intent, "/delivery/attempt_id"),
            when::until(intent, "/delivery/lease_expires_at", now),
        )),
        "backing_off" => {
            said.line(format!(
                "The last attempt failed ({}); {tries}. The next one is due {}.",
                failure(intent),
                when::until(intent, "/delivery/next_attempt_at", now),
            ));
            said.hint(format!("postroom intents retry-now {id}"));
            said.hint(format!("postroom attempts list --intent {id}"));
        }
        other => said.line(format!("Its delivery is {other}; {tries}.")),
    }
}

fn failure(intent: &Value) -> String {
    let class = text(intent, "/delivery/last_failure/error_class");
    match text(intent, "/delivery/last_failure/message").as_str() {
        "" => class,
        message => format!("{class}: {message}"),
    }
}

fn ended(intent: &Value, context: &Context, said: &mut Said) {
    let now = context.clock.now();
    let id = text(intent, "/intent_id");
    let status = text(intent, "/status");
    let ago = when::ago(intent, "/completed_at", now);
    said.line(match text(intent, "/error/message").as_str() {
        "" => format!("It ended as {status} {ago} ago."),
        message => format!(
            "It ended as {status} {ago} ago: {message} ({}).",
            text(intent, "/error/code"),
        ),
    });
    let decision = text(intent, "/human_task/decision/outcome");
    if !decision.is_empty() {
        said.line(format!(
            "{} decided {decision}.",
            context.short(&text(intent, "/human_task/decision/by")),
        ));
    }
    match text(intent, "/dead_letter/state").as_str() {
        "open" => {
            said.line(format!(
                "It is a dead letter because of {}, and nobody has dealt with it.",
                text(intent, "/dead_letter/reason"),
            ));
            said.hint(format!("postroom dead show {id}"));
            said.hint(format!("postroom replay {id}"));
            said.hint(format!("postroom dead discard {id} --why TEXT"));
        }
        "replayed" => said.line(format!(
            "It was replayed as {}.",
            text(intent, "/dead_letter/replayed_as"),
        )),
        "discarded" => said.line(format!(
            "It was put aside: {}.",
            text(intent, "/dead_letter/discard_reason"),
        )),
        _ => {}
    }
}
