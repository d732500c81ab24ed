//! Every route and every role: who is let in, who is refused, and for whom a thing does not exist.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::house::{House, house};

const ROUTES: &str = include_str!("../../src/api/routes.rs");
const BELOW_AGENTS: &str = include_str!("../../src/api/agents.rs");

/// What the call is about. Each cell of the table gets a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    /// Nothing in particular, or the agent `orders`.
    Nothing,
    /// An intent from `web` that lies ready for `orders`.
    Intent,
    /// The same, taken by `orders`.
    Leased,
    /// The same, given back once.
    BackingOff,
    /// The same, given up.
    Letter,
    /// A job that runs.
    Job,
    /// A replay of a letter, staged.
    Hold,
    /// An intent from `web` with a question for `orders`.
    Task,
    /// A webhook subscription of `web`.
    Subscription,
    /// An event that `web` published and subscribes to.
    Event,
    /// An agent of no one in the table, by its address.
    Agent,
    /// An account of no one in the table.
    Account,
    /// A key of that account.
    Key,
}

/// Who gets what.
#[derive(Debug, Clone, Copy)]
enum Who {
    /// No key is needed; a bad one does not matter.
    Anybody,
    /// No key is needed, and a page says no.
    Page(&'static str),
    /// Admins.
    Admins,
    /// Everybody with a key, with this answer.
    Keys(&'static str),
    /// Admin, the sender `web`, the agent `orders`, another agent.
    Each([&'static str; 4]),
}

use About::{
    Account, Agent, BackingOff, Event, Hold, Intent, Job, Key, Leased, Letter, Nothing,
    Subscription, Task,
};
use Who::{Admins, Anybody, Each, Keys, Page};

type Row = (&'static str, &'static str, About, &'static str, Who);

const OK: &str = "ok";
const NO: &str = "forbidden";
const GONE: &str = "intent_not_found";
const NO_THREAD: &str = "thread_not_found";
const LATER: &str = "not_supported";

/// Senders may not receive, and nobody receives for another.
const RECEIVERS: Who = Each([OK, NO, OK, NO]);
/// An intent is its sender's and its receiver's business.
const PARTIES: Who = Each([OK, OK, OK, GONE]);
/// A thread is its owner's business.
const OWNERS: Who = Each([OK, NO_THREAD, OK, NO_THREAD]);

const NONE: &str = "{}";
const CREATE: &str = r#"{"intent_type":"intent.order.process.v1","to_agent":"orders"}"#;
const BATCH: &str =
    r#"{"intents":[{"intent_type":"intent.order.process.v1","to_agent":"orders"}]}"#;

const SCENARIO: &str = r#"{"agents":[{"address":"orders","create_if_missing":true}],
    "workflow":{"steps":[{"step_id":"one","tool_id":"tool.agent.task.v1","assigned_to":"orders"}]},
    "intent":{"type":"intent.order.process.v1"}}"#;
const SCHEMA: &str =
    r#"{"semantic_type":"intent.order.process.v1","schema_json":{},"compatibility_mode":"warn"}"#;
const NO_SUBSCRIPTION: &str = "subscription_not_found";
const SUBSCRIPTION: &str = r#"{"callback_url":"http://127.0.0.1:9/hook","event_types":["shop.*"]}"#;
const EVENT: &str = r#"{"event_type":"shop.opened","source":"shop","payload":{}}"#;
const RESULTS: &str = r#"{"results":[{"intent_id":"{id}","action":"complete"}]}"#;

/// Section 5 of the contract, route by route.
#[rustfmt::skip]
const TABLE: &[Row] = &[
    ("GET", "/health", Nothing, NONE, Anybody),
    ("GET", "/v1/health", Nothing, NONE, Anybody),
    ("GET", "/ready", Nothing, NONE, Anybody),
    ("GET", "/openapi.json", Nothing, NONE, Anybody),
    ("POST", "/mcp", Nothing, r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, Anybody),
    ("GET", "/metrics", Nothing, NONE, Admins),
    ("GET", "/v1/capabilities", Nothing, NONE, Keys(OK)),
    ("GET", "/v1/me", Nothing, NONE, Keys(OK)),

    ("GET", "/v1/intents", Nothing, NONE, Keys(OK)),
    ("POST", "/v1/intents", Nothing, CREATE, Keys(OK)),
    ("POST", "/v1/intents/batch", Nothing, BATCH, Keys(OK)),
    ("POST", "/v1/intents/bulk-cancel", Nothing, NONE, Admins),
    ("GET", "/v1/intents/{id}", Intent, NONE, PARTIES),
    ("GET", "/v1/intents/{id}/events", Intent, NONE, PARTIES),
    ("GET", "/v1/intents/{id}/events/stream", Intent, NONE, PARTIES),
    ("GET", "/v1/intents/{id}/facts", Intent, NONE, Admins),
    ("POST", "/v1/intents/{id}/resolve", Intent, r#"{"status":"COMPLETED"}"#, PARTIES),
    ("POST", "/v1/intents/{id}/resume", Intent, NONE, PARTIES),
    ("POST", "/v1/intents/{id}/cancel", Intent, NONE, Each([OK, OK, NO, GONE])),
    ("POST", "/v1/intents/{id}/retry-now", BackingOff, NONE, Admins),
    ("POST", "/v1/intents/{id}/controls", Intent, r#"{"controls_patch":{"timeout_seconds":60}}"#, PARTIES),
    ("POST", "/v1/intents/{id}/policy", Intent, r#"{"envelope_patch":{"max_retry_count":4}}"#, PARTIES),

    ("POST", "/v1/scenarios/validate", Nothing, SCENARIO, Each([OK, OK, NO, NO])),
    ("POST", "/v1/scenarios/apply", Nothing, SCENARIO, Each([OK, OK, NO, NO])),
    ("GET", "/v1/tool-registry/macros", Nothing, NONE, Keys(OK)),
    ("GET", "/v1/tool-registry/macros/{macro_id}", Nothing, NONE, Keys("not_found")),
    ("POST", "/v1/schemas", Nothing, SCHEMA, Admins),
    ("GET", "/v1/schemas/{semantic_type}", Nothing, NONE, Keys("schema_not_found")),

    ("GET", "/v1/agents", Nothing, NONE, Keys(OK)),
    ("GET", "/v1/agents/orders", Nothing, NONE, Keys(OK)),
    ("GET", "/v1/agents/orders/activity", Nothing, NONE, Admins),
    ("GET", "/v1/agents/orders/intents", Nothing, NONE, RECEIVERS),
    ("GET", "/v1/agents/orders/intents/stream", Nothing, NONE, RECEIVERS),
    ("POST", "/v1/agents/orders/intents/results", Leased, RESULTS, RECEIVERS),
    ("POST", "/v1/agents/orders/intents/{id}/ack", Leased, NONE, RECEIVERS),
    ("POST", "/v1/agents/orders/intents/{id}/nack", Leased, NONE, RECEIVERS),
    ("POST", "/v1/agents/orders/intents/{id}/extend", Leased, NONE, RECEIVERS),
    ("POST", "/v1/agents/orders/pause", Nothing, r#"{"reason":"test"}"#, Admins),
    ("POST", "/v1/agents/orders/resume", Nothing, NONE, Admins),
    ("POST", "/v1/agents/orders/limit", Nothing, r#"{"max_in_flight":4}"#, Admins),
    ("POST", "/v1/agents/orders/reset-breaker", Nothing, NONE, Each(["schema_invalid", NO, NO, NO])),
    ("GET", "/v1/agents/orders/policy", Nothing, NONE, RECEIVERS),
    ("PUT", "/v1/agents/orders/policy", Nothing, r#"{"policy_type":"open"}"#, RECEIVERS),
    ("POST", "/v1/agents/orders/policy/entries", Nothing, r#"{"sender_pattern":"*"}"#, RECEIVERS),
    ("GET", "/v1/agents/orders/receive-override", Nothing, NONE, Keys(LATER)),
    ("PUT", "/v1/agents/orders/receive-override", Nothing, NONE, Keys(LATER)),
    ("POST", "/v1/agents/orders/receive-override", Nothing, NONE, Keys(LATER)),
    ("DELETE", "/v1/agents/orders/receive-override", Nothing, NONE, Keys(LATER)),

    ("DELETE", "/v1/agents/orders/policy/entries/pol_9", Nothing, NONE, Each(["not_found", NO, "not_found", NO])),
    ("GET", "/v1/webhooks/subscriptions", Nothing, NONE, Keys(OK)),
    ("POST", "/v1/webhooks/subscriptions", Nothing, SUBSCRIPTION, Keys(OK)),
    ("DELETE", "/v1/webhooks/subscriptions/{id}", Subscription, NONE,
        Each([OK, OK, NO_SUBSCRIPTION, NO_SUBSCRIPTION])),
    ("POST", "/v1/webhooks/events", Nothing, EVENT, Keys(OK)),
    ("POST", "/v1/webhooks/events/{id}/replay", Event, NONE,
        Each([OK, OK, "event_not_found", "event_not_found"])),

    ("POST", "/v1/mesh/heartbeat", Nothing, NONE, Keys(OK)),
    ("GET", "/v1/mesh/agents", Nothing, NONE, Keys(OK)),
    ("GET", "/v1/mesh/agents/{id}", Agent, NONE, Keys(OK)),
    ("GET", "/v1/mesh/events", Nothing, NONE, Keys(OK)),
    ("POST", "/v1/mesh/agents/{id}/kill", Agent, NONE, Admins),
    ("POST", "/v1/mesh/agents/{id}/resume", Agent, NONE, Admins),

    ("GET", "/v1/service-accounts", Nothing, NONE, Admins),
    ("POST", "/v1/service-accounts", Nothing, r#"{"name":"fresh"}"#, Admins),
    ("GET", "/v1/service-accounts/{id}", Account, NONE, Admins),
    ("PATCH", "/v1/service-accounts/{id}", Account, r#"{"description":"x"}"#, Admins),
    ("DELETE", "/v1/service-accounts/{id}", Account, NONE, Admins),
    ("POST", "/v1/service-accounts/{id}/webhook-secret", Account, NONE, Admins),
    ("GET", "/v1/service-accounts/{id}/keys", Account, NONE, Admins),
    ("POST", "/v1/service-accounts/{id}/keys", Account, NONE, Admins),
    ("POST", "/v1/service-accounts/{id}/keys/{key_id}/revoke", Key, NONE, Admins),

    ("GET", "/v1/inbox", Nothing, NONE, Keys(OK)),
    ("GET", "/v1/inbox/changes", Nothing, NONE, Keys(OK)),
    ("GET", "/v1/inbox/{id}", Task, NONE, OWNERS),
    ("POST", "/v1/inbox/{id}/reply", Task, r#"{"message":"hm"}"#, OWNERS),
    ("POST", "/v1/inbox/{id}/approve", Task, NONE, OWNERS),
    ("POST", "/v1/inbox/{id}/reject", Task, NONE, OWNERS),
    ("POST", "/v1/inbox/{id}/read", Task, NONE, OWNERS),
    ("POST", "/v1/inbox/{id}/delegate", Task, r#"{"delegate_to":"desk"}"#, OWNERS),
    ("POST", "/v1/inbox/{id}/messages/delete", Task, NONE, OWNERS),
    ("POST", "/v1/approvals/{id}/decision", Task, r#"{"decision":"approve"}"#,
        Each([OK, "approval_not_found", OK, "approval_not_found"])),
    ("GET", "/v1/me/tasks", Nothing, NONE, Keys(OK)),
    // No key opens it: the link is the right, and this is none.
    ("GET", "/decide/{token}", Nothing, NONE, Page("page 404")),
    ("POST", "/decide/{token}", Nothing, NONE, Page("page 404")),

    ("GET", "/v1/overview", Nothing, NONE, Admins),
    ("GET", "/v1/attempts", Nothing, NONE, Admins),
    ("GET", "/v1/events", Nothing, NONE, Admins),
    ("GET", "/v1/events/stream", Nothing, NONE, Admins),
    ("GET", "/v1/audit/events", Nothing, NONE, Admins),
    ("POST", "/v1/audit/events", Nothing, r#"{"action":"export","target":"intents"}"#, Admins),
    ("GET", "/v1/dead-letters", Nothing, NONE, Admins),
    ("POST", "/v1/dead-letters/replay", Nothing, NONE, Admins),
    ("POST", "/v1/dead-letters/discard", Nothing, r#"{"reason":"old"}"#, Admins),
    ("GET", "/v1/dead-letters/{id}", Letter, NONE, Admins),
    ("POST", "/v1/dead-letters/{id}/replay", Letter, NONE, Admins),
    ("POST", "/v1/dead-letters/{id}/discard", Letter, r#"{"reason":"old"}"#, Admins),
    ("POST", "/v1/dead-letters/groups/none", Nothing, r#"{"state":"muted"}"#, Each(["dead_letter_not_found", NO, NO, NO])),
    ("GET", "/v1/jobs", Nothing, NONE, Admins),
    ("POST", "/v1/jobs", Nothing, r#"{"kind":"cancel"}"#, Admins),
    ("GET", "/v1/jobs/{id}", Job, NONE, Admins),
    ("POST", "/v1/jobs/{id}/pause", Job, NONE, Admins),
    ("POST", "/v1/jobs/{id}/resume", Job, NONE, Admins),
    ("POST", "/v1/jobs/{id}/cancel", Job, NONE, Admins),
    ("GET", "/v1/deliveries", Nothing, NONE, Keys(OK)),
    ("POST", "/v1/deliveries", Nothing, NONE, Keys(LATER)),
    ("POST", "/v1/deliveries/reconcile", Nothing, NONE, Keys(LATER)),
    ("GET", "/v1/deliveries/{id}", Letter, NONE,
        Each([OK, OK, OK, "delivery_not_found"])),
    // Given up by its receiver, which is a delivery.
    ("POST", "/v1/deliveries/{id}/replay", Letter, NONE, Each(["not_replayable", NO, NO, NO])),
    ("GET", "/v1/holds", Nothing, NONE, Admins),
    ("POST", "/internal/scheduler/workflow-tick", Nothing, NONE, Admins),
    ("POST", "/internal/scheduler/webhook-tick", Nothing, NONE, Admins),
    ("POST", "/internal/scheduler/reconcile-safety", Nothing, NONE, Admins),
    ("POST", "/v1/holds/{id}/cancel", Hold, NONE, Admins),
];

/// The keys of the table's columns.
struct Keyring {
    web: String,
    orders: String,
    other: String,
    revoked: String,
}

impl Keyring {
    async fn of(house: &House) -> Self {
        let (web, orders) = (
            house.key("web", "sender").await,
            house.key("orders", "agent").await,
        );
        let other = house.key("billing", "agent").await;
        // It was an admin's: what it could do must not survive its revocation.
        let account = house.account("former", json!({})).await;
        let keys = format!("/v1/service-accounts/{account}/keys");
        let made = house
            .post(&keys, &house.admin, json!({ "role": "admin" }))
            .await
            .ok();
        let path = format!("{keys}/{}/revoke", made["key"]["key_id"].as_str().unwrap());
        house.post(&path, &house.admin, json!({})).await.ok();
        let revoked = made["api_key"].as_str().unwrap().to_owned();
        Self {
            web,
            orders,
            other,
            revoked,
        }
    }
}

/// Makes what a call is about; answers with what stands for `{id}` and `{key_id}`.
async fn make(house: &House, keys: &Keyring, about: About) -> (String, String) {
    let post = async |path: String, body: Value| house.post(&path, &house.admin, body).await.ok();
    let submit = async || house.submit(&keys.web, "orders", json!({})).await;
    let id = match about {
        Nothing => String::new(),
        Intent => submit().await,
        Leased | BackingOff => {
            let id = submit().await;
            house.poll(&keys.orders, "orders").await;
            if about == BackingOff {
                post(format!("/v1/agents/orders/intents/{id}/nack"), json!({})).await;
            }
            id
        }
        Letter | Hold => {
            let id = submit().await;
            post(
                format!("/v1/intents/{id}/resume"),
                json!({ "action": "fail" }),
            )
            .await;
            if about == Letter {
                return (id, String::new());
            }
            let path = format!("/v1/dead-letters/{id}/replay");
            let held = post(path, json!({ "hold_seconds": 60 })).await;
            held["held"]["hold_id"].as_str().unwrap().to_owned()
        }
        Job => {
            let id = submit().await;
            post(
                format!("/v1/intents/{id}/resume"),
                json!({ "action": "fail" }),
            )
            .await;
            let job = post(
                "/v1/dead-letters/replay".to_owned(),
                json!({ "dry_run": false }),
            )
            .await;
            job["job"]["job_id"].as_str().unwrap().to_owned()
        }
        Task => {
            let body = json!({
                "intent_type": "intent.order.process.v1", "to_agent": "orders", "payload": {},
                "human_task": { "title": "May we?" },
            });
            let made = house.post("/v1/intents", &keys.web, body).await.ok();
            made["intent_id"].as_str().unwrap().to_owned()
        }
        Subscription | Event => {
            let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
            let path = "/v1/webhooks/subscriptions";
            let made = house.post(path, &keys.web, read(SUBSCRIPTION)).await.ok();
            let id = made["subscription"]["subscription_id"].as_str().unwrap();
            if about == Subscription {
                return (id.to_owned(), String::new());
            }
            let path = "/v1/webhooks/events";
            let sent = house.post(path, &keys.web, read(EVENT)).await.ok();
            sent["event_id"].as_str().unwrap().to_owned()
        }
        Agent => {
            house.account("victim", json!({})).await;
            "victim".to_owned()
        }
        Account => house.account("victim", json!({})).await,
        Key => {
            let account = house.account("victim", json!({})).await;
            let made = post(format!("/v1/service-accounts/{account}/keys"), json!({})).await;
            return (account, made["key"]["key_id"].as_str().unwrap().to_owned());
        }
    };
    (id, String::new())
}

/// What a call answers, in the words of the table.
async fn answer(house: &House, method: &str, path: &str, body: String, key: &str) -> String {
    let is_stream = path.ends_with("/stream");
    let path = if is_stream {
        format!("{path}?wait_seconds=1")
    } else {
        path.to_owned()
    };
    let request = house.request(method, &path, key).body(body);
    if is_stream {
        let response = request.send().await.unwrap();
        if response.status().as_u16() == 200 {
            // It need not be read to its end to know that it was opened.
            return OK.to_owned();
        }
        let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        return body["error"]["code"].as_str().unwrap().to_owned();
    }
    let reply = house.send(request).await;
    if reply.status == 200 {
        return OK.to_owned();
    }
    if reply.header("content-type").starts_with("text/html") {
        return format!("page {}", reply.status);
    }
    reply.json()["error"]["code"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_answers_every_role_as_documented() {
    let mut wrong = Vec::new();
    for row in TABLE {
        let (method, template, about, _, who) = *row;
        let house = house().await;
        let keys = Keyring::of(&house).await;
        let each = match who {
            Anybody => [OK; 6],
            Page(answer) => [answer; 6],
            Admins => [
                OK,
                NO,
                NO,
                NO,
                "missing_platform_api_key",
                "invalid_platform_api_key",
            ],
            Keys(all) => [
                all,
                all,
                all,
                all,
                "missing_platform_api_key",
                "invalid_platform_api_key",
            ],
            Each([admin, sender, agent, other]) => [
                admin,
                sender,
                agent,
                other,
                "missing_platform_api_key",
                "invalid_platform_api_key",
            ],
        };
        let columns = [
            ("admin", &house.admin),
            ("its sender", &keys.web),
            ("its agent", &keys.orders),
            ("another agent", &keys.other),
            ("no key", &String::new()),
            ("revoked key", &keys.revoked),
        ];
        for ((name, key), expected) in columns.into_iter().zip(each) {
            let (id, key_id) = make(&house, &keys, about).await;
            let path = template.replace("{id}", &id).replace("{key_id}", &key_id);
            let body = row.3.replace("{id}", &id);
            let found = answer(&house, method, &path, body, key).await;
            if found != expected {
                wrong.push(format!(
                    "{method} {template} with {name}: {found}, not {expected}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The paths of the router, those below an agent's address spelled out.
fn paths() -> Vec<String> {
    let literals = |text: &'static str, before: &'static str| {
        text.split(before)
            .skip(1)
            .filter_map(|rest| rest.trim_start().strip_prefix('"'))
            .filter_map(|rest| rest.split_once('"'))
    };
    let mut paths: Vec<String> = literals(ROUTES, ".route(")
        .map(|(path, _)| path.replace("{fingerprint}", "none"))
        .filter(|path| path != "/v1/agents/{*rest}")
        .collect();
    let table = BELOW_AGENTS.split("mod tests").next().unwrap();
    for (suffix, rest) in literals(table, "(") {
        if rest.starts_with(", Below::") {
            paths.push(format!("/v1/agents/orders{suffix}"));
        } else if rest.starts_with(", LeaseCall::") {
            paths.push(format!("/v1/agents/orders/intents/{{id}}{suffix}"));
        }
    }
    paths.push("/v1/agents/orders".to_owned());
    paths.push("/v1/agents/orders/policy/entries/pol_9".to_owned());
    paths
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_is_missing_from_the_table_of_roles() {
    let house = house().await;
    let known: BTreeSet<String> = TABLE
        .iter()
        .map(|(method, path, ..)| format!("{method} {path}"))
        .collect();
    let mut real = BTreeSet::new();
    for path in paths() {
        // A method that nobody allows makes the router say what it does allow.
        let reply = house
            .send(house.request("BREW", &path.replace(['{', '}'], ""), &house.admin))
            .await;
        assert_eq!(reply.status, 405, "{path}: {}", reply.text);
        let methods = reply.header("allow").split(',').map(str::trim);
        real.extend(
            methods
                .filter(|method| *method != "HEAD")
                .map(|method| format!("{method} {path}")),
        );
    }
    assert!(
        real.len() > 50,
        "the routes are read from the source: {real:?}"
    );
    let document = house.get("/openapi.json", "").await.json();
    let documented: BTreeSet<String> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            let path = path
                .replace("{address}", "orders")
                .replace("{entry_id}", "pol_9")
                .replace("{fingerprint}", "none");
            let methods = methods.as_object().unwrap().keys();
            methods
                .map(|method| format!("{} {path}", method.to_ascii_uppercase()))
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(documented, known, "openapi.json, and the table of roles");
    for (method, path, _, _, who) in TABLE {
        let path = path
            .replacen("orders", "{address}", 1)
            .replace("pol_9", "{entry_id}")
            .replace("groups/none", "groups/{fingerprint}");
        let roles = &document["paths"][&path][method.to_ascii_lowercase()]["x-postroom-roles"];
        let is_admins = matches!(who, Admins | Each([_, NO, NO, NO]));
        assert_eq!(*roles == json!(["admin"]), is_admins, "{method} {path}");
    }
    let missing: Vec<_> = real.difference(&known).collect();
    let extra: Vec<_> = known.difference(&real).collect();
    assert!(
        missing.is_empty() && extra.is_empty(),
        "without a row: {missing:#?}\nwithout a route: {extra:#?}"
    );
}
