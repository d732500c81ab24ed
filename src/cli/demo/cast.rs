//! Who plays: an account and a key for each.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::Stage;
use super::receivers::Doors;
use crate::cli::client::{Call, Client, text};
use crate::cli::failure::Failure;

/// The clients of everybody, by name.
#[derive(Debug, Clone)]
pub(super) struct Cast(HashMap<&'static str, Client>);

impl Cast {
    /// The client of a member.
    pub(super) fn client(&self, name: &str, stage: &Stage) -> Client {
        self.0.get(name).unwrap_or(&stage.admin).clone()
    }
}

/// Name, how it receives, what it is called, what it does.
type Part = (&'static str, &'static str, &'static str, &'static str);

const PARTS: &[Part] = &[
    (
        "order-processor",
        "stream",
        "Order processor",
        "takes orders apart and reserves stock",
    ),
    (
        "search-indexer",
        "stream",
        "Search indexer",
        "keeps the catalogue findable; restarts often",
    ),
    (
        "fraud-check",
        "stream",
        "Fraud check",
        "scores orders, refuses a few",
    ),
    (
        "night-batch",
        "stream",
        "Night batch",
        "builds reports; asleep during the day",
    ),
    ("ledger", "poll", "Ledger", "books entries in batches"),
    (
        "billing-webhook",
        "http",
        "Billing",
        "issues invoices; overloaded at times",
    ),
    (
        "sms-relay",
        "http",
        "SMS relay",
        "sends text messages; refuses unknown numbers",
    ),
    (
        "warehouse-webhook",
        "http",
        "Warehouse",
        "books shipments; under maintenance at first",
    ),
    ("legacy-crm", "http", "Legacy CRM", "has been switched off"),
    ("finance", "inbox", "Finance", "people who approve refunds"),
    ("ops", "inbox", "Operations", "people who release"),
    (
        "ops-lead",
        "inbox",
        "Head of operations",
        "gets what others leave lying",
    ),
    (
        "dana",
        "inbox",
        "Dana",
        "is on shift, and operates the broker",
    ),
    ("web-shop", "inbox", "Web shop", "sends orders"),
    (
        "back-office",
        "inbox",
        "Back office",
        "sends entries and invoices",
    ),
    (
        "deploy-bot",
        "inbox",
        "Deploy bot",
        "asks before it releases",
    ),
];

/// Who signs what it gets: receivers with a secret of their own.
const SIGNED: [&str; 2] = ["billing-webhook", "warehouse-webhook"];

/// Who operates the broker.
const OPERATORS: [&str; 1] = ["dana"];

/// Registers everybody.
pub(super) async fn assemble(stage: &Stage, doors: &Doors) -> Result<Cast, Failure> {
    let mut clients = HashMap::new();
    for (name, binding, display_name, description) in PARTS {
        let account = json!({
            "name": name,
            "delivery_mode": binding,
            "display_name": display_name,
            "description": description,
            "callback_url": doors.url(name),
            "max_in_flight": (*binding == "stream").then_some(8),
        });
        let made = stage
            .admin
            .call(Call::post("/v1/service-accounts", without_nulls(account)))
            .await?;
        let id = text(&made, "/service_account/service_account_id");
        let path = format!("/v1/service-accounts/{id}");
        if SIGNED.contains(name) {
            let call = Call::post(format!("{path}/webhook-secret"), json!({}));
            stage.admin.call(call).await?;
        }
        let role = if OPERATORS.contains(name) {
            "admin"
        } else {
            "agent"
        };
        let call = Call::post(format!("{path}/keys"), json!({"role": role}));
        let key = text(&stage.admin.call(call).await?, "/key/token");
        let client = Client::with_key(&stage.base, &key, "the demonstration")?;
        clients.insert(*name, client);
    }
    Ok(Cast(clients))
}

fn without_nulls(mut value: Value) -> Value {
    if let Some(object) = value.as_object_mut() {
        object.retain(|_, value| !value.is_null());
    }
    value
}
