//! Service accounts and their keys. An account is an agent.

use std::sync::Arc;

use axum::extract::{Path, State};

use crate::api::Api;
use crate::api::answer::{Answer, ApiError, Result};
use crate::api::auth::new_token;
use crate::api::call::{Call, Upload};
use crate::bindings::signature::{self, SECRET_BYTES};
use crate::broker::request::{AdminCommand, AgentPatch, NewAgent};
use crate::domain::agent::{Agent, AgentStatus, Binding, Secret};
use crate::domain::ids::{AccountId, KeyId};
use crate::domain::time::{Span, Timestamp};
use crate::wire::agents::{self, AccountSettings};
use crate::wire::body::{Body, Fields};
use crate::wire::errors::Problem;
use crate::wire::json::Object;

fn object(api: &Api, call: &Call, agent: &Agent) -> Object {
    agents::account(
        agent,
        &call.place(api),
        api.broker().settings().policy.ack_timeout,
        api.settings().stream_credit,
    )
    .maybe_texts("webhook_public_keys", &public_keys(agent))
}

/// What its receiver verifies signatures of its signing keys with, newest first.
fn public_keys(agent: &Agent) -> Vec<String> {
    let secrets = agent.secrets.iter();
    secrets
        .filter_map(|secret| signature::public_key(&secret.text))
        .collect()
}

fn answer(api: &Api, call: &Call, agent: Option<Arc<Agent>>) -> Result {
    let agent = agent.ok_or_else(Problem::internal)?;
    Ok(Answer(
        Object::ok().object("service_account", object(api, call, &agent)),
    ))
}

/// The account of a path.
fn account(api: &Api, text: &str) -> Result<(AccountId, Arc<Agent>), Problem> {
    let not_found = || Problem::new("account_not_found", format!("no account {text:?}"));
    let id: AccountId = text.parse().map_err(|_not_an_id| not_found())?;
    let registry = api.broker().registry();
    let agent = registry.account(id).cloned().ok_or_else(not_found)?;
    Ok((id, agent))
}

/// Refuses at once what a push would be refused for later, as far as the URL alone tells.
fn check_callback(api: &Api, settings: &AccountSettings) -> Result<(), Problem> {
    match settings.callback_url.as_deref() {
        None => Ok(()),
        Some(text) => api
            .settings()
            .guard
            .check_url(text)
            .map(drop)
            .map_err(|refused| Problem::new("callback_url_refused", refused.to_string())),
    }
}

/// Refuses an agent that is to be called and has no URL. Only a bundle may make one, which lost it on its way.
fn must_be_callable(settings: &AccountSettings) -> Result<(), Problem> {
    if settings.binding == Some(Binding::Http) && settings.callback_url.is_none() {
        let message = "delivery_mode http needs a callback_url";
        return Err(Problem::field("body", "callback_url", message, "missing"));
    }
    Ok(())
}

/// Refuses a secret that could not sign, or is too easily guessed.
fn check_secret(field: &str, secret: &str) -> Result<(), Problem> {
    if secret.len() < 16 {
        let message = "must have at least 16 characters";
        return Err(Problem::field("body", field, message, "string"));
    }
    signature::check_secret(secret)
        .map_err(|bad| Problem::field("body", field, bad.to_string(), "string"))
}

/// `POST /v1/service-accounts`. The same name gives the existing account.
pub(super) async fn create(
    State(api): State<Api>,
    mut call: Call,
    Upload(bytes): Upload,
) -> Result {
    call.caller.must_be_admin()?;
    let body = Body::parse(&bytes)?;
    call.query.take_place(&body);
    let remember = call.remember(|| body.fingerprint(&[]))?;
    let new = agents::new_account(&body, &api.broker().registry().home)?;
    check_callback(&api, &new.settings)?;
    let registry = api.broker().registry();
    let is_known = registry
        .agent(&new.address)
        .is_some_and(|agent| agent.account.is_some());
    if !is_known {
        must_be_callable(&new.settings)?;
    }
    let AccountSettings {
        display_name,
        description,
        status: _,
        binding,
        callback_url,
        ack_timeout,
        max_in_flight,
        rate_millihertz: _,
        webhook_secret: _,
    } = new.settings;
    let note = call.note("account.create", &new.address, None);
    let command = AdminCommand::Register(Box::new(NewAgent {
        address: new.address,
        name: new.name,
        display_name,
        description,
        binding: binding.unwrap_or(Binding::Stream),
        callback_url,
        ack_timeout,
        max_in_flight,
    }));
    let work = async {
        let receipt = api.broker().administer(command, note).await?;
        answer(&api, &call, receipt.agent)
    };
    api.inner.replies.once(remember, work).await
}

/// `GET /v1/service-accounts`.
pub(super) async fn list(State(api): State<Api>, call: Call) -> Result {
    call.caller.must_be_admin()?;
    let registry = api.broker().registry();
    let agents = registry.agents();
    let items = agents
        .iter()
        .filter(|agent| agent.account.is_some() && agent.status != AgentStatus::Deleted)
        .map(|agent| object(&api, &call, agent));
    Ok(Answer(Object::ok().list("service_accounts", items)))
}

/// `GET /v1/service-accounts/{id}`.
pub(super) async fn show(State(api): State<Api>, call: Call, Path(text): Path<String>) -> Result {
    call.caller.must_be_admin()?;
    let (_, agent) = account(&api, &text)?;
    answer(&api, &call, Some(agent))
}

/// `DELETE /v1/service-accounts/{id}`.
pub(super) async fn delete(State(api): State<Api>, call: Call, Path(text): Path<String>) -> Result {
    call.caller.must_be_admin()?;
    let (id, agent) = account(&api, &text)?;
    if id == call.caller.account {
        return Err(Problem::new(
            "forbidden",
            "an account cannot delete itself; hint: use another admin's key",
        )
        .into());
    }
    let note = call.note("account.delete", &agent.address, None);
    let command = AdminCommand::Delete { account: id };
    let receipt = api.broker().administer(command, note).await?;
    answer(&api, &call, receipt.agent)
}

/// `PATCH /v1/service-accounts/{id}`.
pub(super) async fn patch(
    State(api): State<Api>,
    call: Call,
    Path(text): Path<String>,
    Upload(bytes): Upload,
) -> Result {
    call.caller.must_be_admin()?;
    let body = Body::parse(&bytes)?;
    let settings = agents::account_patch(&body)?;
    check_callback(&api, &settings)?;
    if let Some(secret) = &settings.webhook_secret {
        check_secret("webhook_secret", secret)?;
    }
    let AccountSettings {
        display_name,
        description,
        status,
        binding,
        callback_url,
        ack_timeout,
        max_in_flight,
        rate_millihertz,
        webhook_secret,
    } = settings;
    let remember = call.remember(|| body.fingerprint(&[]))?;
    let (id, agent) = account(&api, &text)?;
    if id == call.caller.account && status == Some(AgentStatus::Suspended) {
        return Err(Problem::new(
            "forbidden",
            "an account cannot suspend itself; hint: use another admin's key",
        )
        .into());
    }
    let note = call.note("account.update", &agent.address, None);
    let patch = AgentPatch {
        display_name,
        description,
        status,
        binding,
        callback_url,
        ack_timeout,
        max_in_flight,
        secrets: webhook_secret.map(|text| {
            vec![Secret {
                text,
                valid_until: None,
            }]
        }),
        rate_millihertz,
    };
    let command = AdminCommand::Update {
        account: id,
        patch: Box::new(patch),
    };
    let work = async {
        let receipt = api.broker().administer(command, note).await?;
        answer(&api, &call, receipt.agent)
    };
    api.inner.replies.once(remember, work).await
}

/// `POST /v1/service-accounts/{id}/webhook-secret`: makes or rotates; shown once.
pub(super) async fn webhook_secret(
    State(api): State<Api>,
    call: Call,
    Path(text): Path<String>,
    Upload(bytes): Upload,
) -> Result {
    call.caller.must_be_admin()?;
    let body = Body::parse(&bytes)?;
    let mut fields = Fields::of(&body);
    let given = fields.text("secret", 128);
    let is_signing_key = match fields.text("algorithm", 32).as_deref() {
        None | Some("hmac-sha256") => false,
        Some("ed25519") => true,
        Some(_) => {
            fields.wrong("algorithm", "must be hmac-sha256 or ed25519", "string");
            false
        }
    };
    let overlap = fields.seconds("overlap_seconds", 0, 30 * 86_400);
    fields.done()?;
    if let Some(secret) = &given {
        check_secret("secret", secret)?;
    }
    let remember = call.remember(|| body.fingerprint(&[]))?;
    let (id, agent) = account(&api, &text)?;
    let fresh = given.unwrap_or_else(|| {
        let mut random = [0; SECRET_BYTES];
        api.broker().entropy().fill(&mut random);
        if is_signing_key {
            signature::new_signing_key(&random)
        } else {
            signature::new_secret(&random)
        }
    });
    let now = api.broker().clock().now();
    let until = now.after(overlap.unwrap_or(Span::from_seconds(86_400)));
    let secrets = rotated(&agent.secrets, &fresh, now, until);
    let previous = secrets.get(1).and_then(|secret| secret.valid_until);
    let note = call.note("account.rotate_secret", &agent.address, None);
    let command = AdminCommand::Update {
        account: id,
        patch: Box::new(AgentPatch {
            secrets: Some(secrets),
            ..AgentPatch::default()
        }),
    };
    let work = async {
        api.broker().administer(command, note).await?;
        Ok(Answer(
            Object::ok()
                .text("secret", &fresh)
                .maybe_text("public_key", signature::public_key(&fresh).as_deref())
                .shown_or_null("previous_valid_until", previous),
        ))
    };
    api.inner.replies.once(remember, work).await
}

/// The fresh secret, and the last one for as long as both sign.
fn rotated(secrets: &[Secret], fresh: &str, now: Timestamp, until: Timestamp) -> Vec<Secret> {
    let newest = Secret {
        text: fresh.to_owned(),
        valid_until: None,
    };
    let previous = secrets
        .first()
        .filter(|_last| until > now)
        .map(|last| Secret {
            text: last.text.clone(),
            valid_until: Some(until),
        });
    std::iter::once(newest).chain(previous).collect()
}

/// `GET /v1/service-accounts/{id}/keys`: never with tokens.
pub(super) async fn keys(State(api): State<Api>, call: Call, Path(text): Path<String>) -> Result {
    call.caller.must_be_admin()?;
    let (id, _) = account(&api, &text)?;
    let now = api.broker().clock().now();
    let keys = api.broker().registry().keys_of(id);
    Ok(Answer(Object::ok().list(
        "keys",
        keys.iter().map(|key| agents::key(key, now)),
    )))
}

/// `POST /v1/service-accounts/{id}/keys`: the token is in this answer and nowhere else.
pub(super) async fn create_key(
    State(api): State<Api>,
    call: Call,
    Path(text): Path<String>,
    Upload(bytes): Upload,
) -> Result {
    call.caller.must_be_admin()?;
    let body = Body::parse(&bytes)?;
    let broker = api.broker();
    let now = broker.clock().now();
    let remember = call.remember(|| body.fingerprint(&[]))?;
    let new = agents::new_key(&body, now)?;
    let (account, agent) = account(&api, &text)?;
    let token = new_token(account, broker.entropy().as_ref());
    let command = AdminCommand::CreateKey {
        id: broker.next_key_id(),
        account,
        hash: token.hash,
        hint: token.hint.clone(),
        role: new.role,
        expires_at: new.expires_at,
    };
    let note = call.note("key.create", &agent.address, None);
    let work = async {
        let receipt = broker.administer(command, note).await?;
        let key = receipt.key.ok_or_else(Problem::internal)?;
        Ok(Answer(
            Object::ok()
                .object("key", agents::key(&key, now).text("token", &token.token))
                .text("api_key", &token.token),
        ))
    };
    api.inner.replies.once(remember, work).await
}

/// `POST /v1/service-accounts/{id}/keys/{key_id}/revoke`: at once, open streams included.
pub(super) async fn revoke_key(
    State(api): State<Api>,
    call: Call,
    Path((text, key_text)): Path<(String, String)>,
) -> Result {
    call.caller.must_be_admin()?;
    let (account, agent) = account(&api, &text)?;
    let id: KeyId = key_text.parse().map_err(|_not_an_id| {
        ApiError::from(Problem::new(
            "key_not_found",
            format!("no key {key_text:?}"),
        ))
    })?;
    let note = call.note("key.revoke", format!("{} {id}", agent.address), None);
    let command = AdminCommand::RevokeKey { account, id };
    let receipt = api.broker().administer(command, note).await?;
    let key = receipt.key.ok_or_else(Problem::internal)?;
    Ok(Answer(Object::ok().object(
        "key",
        agents::key(&key, api.broker().clock().now()),
    )))
}
