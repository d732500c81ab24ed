//! The send policy of an agent: its own and its admin's to read and to change.

use axum::extract::{FromRequest, Request};
use http::Method;

use crate::api::Api;
use crate::api::answer::{Answer, Result};
use crate::api::call::{Call, Upload};
use crate::broker::request::{AdminCommand, AdminReceipt, PolicyChange};
use crate::domain::address::Address;
use crate::domain::ids::PolicyEntryId;
use crate::wire::body::Body;
use crate::wire::errors::Problem;
use crate::wire::json::Object;
use crate::wire::policy;

/// `GET` and `PUT {addr}/policy`.
pub(super) async fn whole(api: &Api, call: &Call, address: &Address, request: Request) -> Result {
    call.caller.must_receive_at(address)?;
    let policy = if call.method == Method::PUT {
        let Upload(bytes) = Upload::from_request(request, api).await?;
        let mode = policy::mode(&Body::parse(&bytes)?)?;
        let receipt = change(api, call, address, PolicyChange::Mode(mode)).await?;
        receipt.agent.map(|agent| agent.policy.clone())
    } else {
        let registry = api.broker().registry();
        registry.agent(address).map(|agent| agent.policy.clone())
    };
    let object = policy::policy(&policy.unwrap_or_default());
    Ok(Answer(Object::ok().object("policy", object)))
}

/// `POST {addr}/policy/entries`. The same pattern again gives the entry there is.
pub(super) async fn add(api: &Api, call: &Call, address: &Address, bytes: &[u8]) -> Result {
    call.caller.must_receive_at(address)?;
    let home = &api.broker().registry().home;
    let pattern = policy::pattern(&Body::parse(bytes)?, home)?;
    let receipt = change(api, call, address, PolicyChange::Add(pattern.clone())).await?;
    let entry = receipt.agent.as_ref().and_then(|agent| {
        let mut entries = agent.policy.entries.iter();
        entries.find(|entry| entry.pattern == pattern)
    });
    let entry = entry.ok_or_else(Problem::internal)?;
    Ok(Answer(Object::ok().object("entry", policy::entry(entry))))
}

/// `DELETE {addr}/policy/entries/{entry_id}`.
pub(super) async fn remove(api: &Api, call: &Call, address: &Address, entry: &str) -> Result {
    call.caller.must_receive_at(address)?;
    let id: PolicyEntryId = entry.parse().map_err(|_not_an_id| {
        Problem::new(
            "not_found",
            format!("no entry {entry:?} in the policy of {address}"),
        )
    })?;
    change(api, call, address, PolicyChange::Remove(id)).await?;
    Ok(Answer(
        Object::ok().shown("entry_id", id).flag("removed", true),
    ))
}

async fn change(
    api: &Api,
    call: &Call,
    address: &Address,
    change: PolicyChange,
) -> Result<AdminReceipt> {
    let note = call.note("policy.change", address, None);
    let command = AdminCommand::ChangePolicy {
        address: address.clone(),
        change,
    };
    Ok(api.broker().administer(command, note).await?)
}
