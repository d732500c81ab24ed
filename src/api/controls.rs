//! Changing what governs an intent: its controls, its policy.

use axum::extract::{Path, State};

use crate::api::answer::{Answer, Result};
use crate::api::call::{Call, Upload};
use crate::api::moves::{applied, not_applied};
use crate::api::{Api, intents};
use crate::broker::request::{BrokerError, Request};
use crate::domain::controls::Granted;
use crate::domain::fact::Actor;
use crate::engine::command::{Command, Control};
use crate::engine::refusal::Refusal;
use crate::wire::body::Body;
use crate::wire::controls;
use crate::wire::errors::Problem;

/// `POST /v1/intents/{id}/controls`.
pub(super) async fn controls(
    State(api): State<Api>,
    call: Call,
    Path(text): Path<String>,
    Upload(bytes): Upload,
) -> Result {
    let by = Actor::at(&call.owner(&api)?);
    let body = Body::parse(&bytes)?;
    let change = controls::controls(&body, by)?;
    run(&api, &call, &text, &body, change, Granted::UpdateControls).await
}

/// `POST /v1/intents/{id}/policy`.
pub(super) async fn policy(
    State(api): State<Api>,
    call: Call,
    Path(text): Path<String>,
    Upload(bytes): Upload,
) -> Result {
    let by = Actor::at(&call.owner(&api)?);
    let body = Body::parse(&bytes)?;
    let home = api.broker().registry().home.clone();
    let change = controls::policy(&body, by, &home)?;
    run(&api, &call, &text, &body, change, Granted::UpdatePolicy).await
}

async fn run(
    api: &Api,
    call: &Call,
    text: &str,
    body: &Body<'_>,
    change: Control,
    needs: Granted,
) -> Result {
    let intent = intents::visible(api, call, text).await?;
    let home = &api.broker().registry().home;
    if !call.caller.may(&intent, needs, home) {
        return Err(Problem::new(
            "forbidden",
            format!(
                "{} may not do that to intent {}; its sender, its receiver and whoever was granted {} may",
                call.caller.address,
                intent.id,
                needs.name()
            ),
        )
        .into());
    }
    let action = match needs {
        Granted::UpdatePolicy => "intent.policy",
        Granted::UpdateControls | Granted::Resume => "intent.controls",
    };
    let audit = call.note(action, intent.id, change.reason.as_deref());
    let request = Request {
        intent: intent.id,
        command: Command::Control(Box::new(change)),
        remember: call.remember(|| body.fingerprint(&[]))?,
        audit: Some(audit),
    };
    match api.broker().run(request).await {
        Ok(receipt) => Ok(Answer(applied(api, &receipt))),
        Err(BrokerError::Refused(Refusal::StaleGeneration { current })) => {
            Ok(Answer(not_applied(current)))
        }
        Err(error) => Err(error.into()),
    }
}
