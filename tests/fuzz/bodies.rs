//! Bodies of requests: the JSON of intents, decisions, jobs, accounts, subscriptions, schemas and bundles.

use postroom::domain::address::{Address, Home};
use postroom::domain::payload::Payload;
use postroom::domain::time::Timestamp;
use postroom::engine::schema::Checker;
use postroom::wire::body::Body;
use postroom::wire::errors::{Problem, status_of};
use postroom::wire::scenarios::{self, ScenarioRules};
use postroom::wire::submit::{self, Create, CreateRules};
use postroom::wire::{agents, dead_letters, inbox, jobs, mesh, policy, schemas, tasks, webhooks};
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};
use proptest::{collection, sample};
use serde_json::{Map, Value, json};

use crate::{Campaign, Verdict, is_sentence, tally};

const NOW: Timestamp = Timestamp::from_millis(1_775_901_600_000);

const CREATES: [&str; 6] = [
    r#"{"intent_type":"intent.order.process.v1","to_agent":"agent://acme/production/order-processor","payload":{"order_id":"ORD-2026-00142","total":1.50,"items":[{"sku":"A","count":2}]},"correlation_id":"0d3e0000-0000-4000-8000-000000000001","deadline_at":"2030-01-01T00:00:00Z","max_delivery_attempts":5}"#,
    r#"{"intentType":"notify.message.v1","toAgent":"ops@example.test","ttlSeconds":3600,"payload":{"text":"\u00fcber \ud83d\ude00"},"replyTo":"billing","remindAfterSeconds":60,"remindIntervalSeconds":300,"maxReminders":3,"escalateTo":"agent://local/default/boss"}"#,
    r#"{"intent_type":"a.b.v1","to_agent":"o","order_id":"x","amount":1e3,"nested":{"a":[1,2,{"b":null}]}}"#,
    r#"{"intent_type":"approval.expense.v1","to_agent":"human","human_task":{"title":"Pay?","task_type":"approval","allowed_outcomes":["approved","rejected"],"required_comment":true,"assignees":["ann","bob@example.test"],"form_schema":{"type":"object","properties":{"n":{"type":"integer","minimum":1}},"required":["n"]}},"payload":{"sum":120}}"#,
    r#"{"intent_type":"a.b.v1","to_agent":"o","from_agent":"agent://x/y/z","idempotency_key":"k","trace_id":"t","org_id":"o","workspace_id":"w","owner_agent":"me","payload":{}}"#,
    "{}",
];

const KEYS: [&str; 46] = [
    "intent_type",
    "to_agent",
    "from_agent",
    "payload",
    "correlation_id",
    "deadline_at",
    "ttl_seconds",
    "max_delivery_attempts",
    "reply_to",
    "human_task",
    "toAgent",
    "comment",
    "outcome",
    "task_version",
    "hold_seconds",
    "reason",
    "force",
    "kind",
    "filter",
    "limit",
    "order",
    "rate_per_second",
    "max_in_flight",
    "canary",
    "dry_run",
    "intent_ids",
    "status",
    "name",
    "callback_url",
    "delivery_mode",
    "ack_timeout_seconds",
    "event_types",
    "secret",
    "event_type",
    "source",
    "metrics",
    "policy_type",
    "sender_pattern",
    "semantic_type",
    "schema_json",
    "compatibility_mode",
    "role",
    "expires_at",
    "delegate_to",
    "form_schema",
    "data",
];

/// Objects with our keys and anybody's values.
fn made_up() -> BoxedStrategy<Vec<u8>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        "[a-z]{1,8}(\\.[a-z]{1,8}){1,3}\\.v[0-9]{1,3}".prop_map(Value::from),
        "(agent://)?[a-zA-Z0-9/_.-]{1,30}".prop_map(Value::from),
        "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z".prop_map(Value::from),
        sample::select(vec![
            "replay",
            "discard",
            "agent",
            "open",
            "http",
            "stream",
            "oldest_first"
        ])
        .prop_map(Value::from),
    ];
    let key = || {
        prop_oneof![
            sample::select(KEYS.to_vec()).prop_map(str::to_owned),
            ".{0,12}"
        ]
    };
    let value = leaf.prop_recursive(5, 64, 8, move |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            collection::vec((key(), inner), 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    });
    let key = sample::select(KEYS.to_vec()).prop_map(str::to_owned);
    collection::vec((key, value), 0..10)
        .prop_map(|pairs| {
            let object: Map<String, Value> = pairs.into_iter().collect();
            serde_json::to_vec(&object).unwrap()
        })
        .boxed()
}

/// A refusal has a code of the table that is no fault of ours, a sentence, and a body that others can read.
fn refused(problem: &Problem) -> Verdict {
    if problem.status >= 500 || status_of(&problem.code) != problem.status {
        return Err(format!("refused with {} {}", problem.status, problem.code));
    }
    is_sentence(&problem.message)?;
    for is_scenario in [false, true] {
        let body: Value = serde_json::from_str(&problem.body(is_scenario))
            .map_err(|error| format!("the refusal itself is no JSON: {error}"))?;
        if body.pointer("/error/code") != Some(&json!(problem.code)) {
            return Err("the refusal's body has another code".to_owned());
        }
    }
    if problem.code == "schema_invalid" && problem.fields.iter().any(|field| field.place.is_empty())
    {
        return Err("a refused field has no name".to_owned());
    }
    Ok(format!("{} {}", problem.code, problem.message))
}

/// What a reader of JSON that nobody here wrote makes of the same bytes.
fn other(input: &[u8]) -> Result<Map<String, Value>, String> {
    if input.trim_ascii().is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_slice(input)
        .map_err(|error| format!("accepted, but others cannot read it: {error}"))
}

/// An address prints as text that reads back as the same address.
pub(crate) fn reads_back(address: &Address, home: &Home) -> Result<(), String> {
    match Address::parse(&address.to_string(), home) {
        Ok(other) if other == *address => Ok(()),
        Ok(other) => Err(format!("address \"{address}\" reads back as \"{other}\"")),
        Err(error) => Err(format!(
            "an accepted address is refused as it is printed: {error:?}"
        )),
    }
}

fn same_payload(payload: &Payload, given: Option<&Value>) -> Result<(), String> {
    if Payload::object(payload.as_str()).as_ref() != Ok(payload) {
        return Err("a payload is not what it reads back as".to_owned());
    }
    match given {
        Some(given) if payload.to_value() != *given => {
            Err("a payload means something else than what came".to_owned())
        }
        _ => Ok(()),
    }
}

fn created(create: &Create, given: &Map<String, Value>, home: &Home) -> Result<(), String> {
    let addresses = [
        Some(&create.to),
        create.from.as_ref(),
        create.reply_to.as_ref(),
    ];
    for address in addresses.into_iter().flatten() {
        reads_back(address, home)?;
    }
    if !submit::is_intent_type(&create.intent_type) {
        return Err("an intent of no type".to_owned());
    }
    if given
        .get("payload")
        .is_some_and(|payload| !payload.is_null())
    {
        same_payload(&create.payload, given.get("payload"))?;
    } else {
        same_payload(&create.payload, None)?;
        let value = create.payload.to_value();
        let kept = value.as_object().ok_or("a payload that is no object")?;
        if let Some(lost) = kept
            .iter()
            .find(|(key, value)| given.get(*key) != Some(value))
        {
            return Err(format!(
                "a key became another one in the payload: {:?}",
                lost.0
            ));
        }
    }
    Ok(())
}

#[test]
fn intents() {
    let home = Home::default();
    Campaign::new("intents")
        .seeds(CREATES)
        .words(&KEYS)
        .words(&[
            "\"", "{", "}", "[", "]", ":", ",", "null", "true", "\\u", "\\\"",
        ])
        .made_up(made_up())
        .run(|input| {
            let mut body = match Body::parse(input) {
                Ok(body) => body,
                Err(problem) => return refused(&problem),
            };
            let given = other(input)?;
            if body.to_map() != given {
                return Err("a body means something else than what came".to_owned());
            }
            let prints = [
                submit::fingerprint(&body, true),
                submit::fingerprint(&body, false),
            ];
            let rules = CreateRules {
                home: &home,
                payload_bytes_max: 16 * 1024,
                may_name_sender: true,
            };
            match submit::create(&mut body, &rules) {
                Ok(create) => {
                    created(
                        &create,
                        &Value::Object(given).as_object().unwrap().clone(),
                        &home,
                    )?;
                    let again = Body::parse(input).map_err(|problem| problem.message)?;
                    if prints[0] != submit::fingerprint(&again, true) {
                        return Err("a body has two fingerprints".to_owned());
                    }
                    Ok(format!("created {} warnings", create.warnings.len()))
                }
                Err(problem) => refused(&problem),
            }
        });
}

/// Every other reader of a body, on the same body.
#[test]
fn requests() {
    let home = Home::default();
    let owner = Address::parse("owner", &home).unwrap();
    Campaign::new("requests")
        .seeds([
            r#"{"comment":"fine","outcome":"approved","task_version":3,"hold_seconds":5}"#,
            r#"{"payload":{"a":1},"to_agent":"x","max_delivery_attempts":3,"force":true,"reason":"r"}"#,
            r#"{"kind":"replay","filter":{"agent":"x","reason":"attempts","since":"2026-01-01T00:00:00Z","intent_ids":["018f3c5e-7a10-7c3a-9b1e-5d2f6a7b8c9d"],"status":["FAILED"]},"limit":10,"order":"oldest_first","rate_per_second":2.5,"max_in_flight":4,"canary":1,"stop_after_failures":2,"dry_run":false,"reason":"r"}"#,
            r#"{"name":"orders","display_name":"Orders","delivery_mode":"http","callback_url":"http://127.0.0.1:8080/intent","ack_timeout_seconds":30,"max_in_flight":8}"#,
            r#"{"status":"suspended","webhook_secret":"whsec_MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0","rate_per_second":10}"#,
            r#"{"callback_url":"https://example.test/hook","event_types":["intent.*","my_app.order"],"secret":"0123456789abcdef","active":true}"#,
            r#"{"event_type":"my_app.order_shipped","source":"shop","payload":{"id":7}}"#,
            r#"{"metrics":{"intents_total":10,"intents_succeeded":9,"intents_failed":1,"avg_latency_ms":12.5,"cost_usd":0.25}}"#,
            r#"{"policy_type":"allowlist","sender_pattern":"agent://acme/*"}"#,
            r#"{"role":"agent","expires_at":"2030-01-01T00:00:00+02:00"}"#,
            r#"{"title":"t","task_type":"form","allowed_outcomes":["a"],"assignees":["x"],"form_schema":{"type":"object"}}"#,
        ])
        .words(&KEYS)
        .words(&["attempts", "newest_first", "replay", "cancel", "whsec_", "whsk_", "intent.*", "http://[::1]:8"])
        .made_up(made_up())
        .run(|input| {
            let body = match Body::parse(input) {
                Ok(body) => body,
                Err(problem) => return refused(&problem),
            };
            let mut answers = Vec::new();
            let mut note = |name: &str, problem: Option<Problem>| {
                answers.push(match problem {
                    None => name.to_owned(),
                    Some(problem) => refused(&problem)?,
                });
                Ok::<(), String>(())
            };
            note("decision", inbox::decision(&body, 2000).err())?;
            note("delegation", inbox::Delegation::read(&body, &home).err())?;
            note("discard", dead_letters::discard(&body).err())?;
            note("account", agents::account_patch(&body).err())?;
            note("limit", agents::limit(&body).err())?;
            note("key", agents::new_key(&body, NOW).err())?;
            note("subscription", webhooks::new_subscription(&body).err())?;
            note("event", webhooks::new_event(&body).err())?;
            note("metrics", mesh::metrics(&body).err())?;
            note("mode", policy::mode(&body).err())?;
            note("task", tasks::spec(&body, "a.b.v1").err())?;
            note("schema", schemas::schema(&body, &owner, NOW).err())?;
            let replay = dead_letters::replay(&body, &home);
            if let Ok(replay) = &replay {
                replay.to.iter().try_for_each(|to| reads_back(to, &home))?;
                replay.payload.iter().try_for_each(|payload| same_payload(payload, None))?;
            }
            note("replay", replay.err())?;
            let account = agents::new_account(&body, &home);
            if let Ok(account) = &account {
                reads_back(&account.address, &home)?;
            }
            note("new account", account.err())?;
            let pattern = policy::pattern(&body, &home);
            if let Ok(pattern) = &pattern {
                let printed = pattern.key();
                let again = postroom::domain::admission::SenderPattern::parse(printed, &home);
                if again.as_ref() != Ok(pattern) {
                    return Err(format!("a pattern reads back as {again:?}"));
                }
            }
            note("pattern", pattern.err())?;
            let ordered = jobs::ordered(&body, None, &home);
            if let Ok(ordered) = &ordered {
                let text = jobs::body(&ordered.job, ordered.is_dry_run);
                let again = Body::parse(text.as_bytes()).map_err(|problem| problem.message)?;
                let again = jobs::ordered(&again, None, &home).map_err(|problem| problem.message);
                if again.as_ref() != Ok(ordered) {
                    return Err(format!("a job reads back as {again:?}"));
                }
            }
            note("job", ordered.err())?;
            Ok(answers.join(" | "))
        });
}

#[test]
fn bundles() {
    let home = Home::default();
    let caller = Address::parse("caller", &home).unwrap();
    let files = [
        "order-stream",
        "report-poll",
        "deploy-approval",
        "refund-branches",
    ];
    let files = files.map(|name| {
        let path = format!("{}/tests/scenarios/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let bundle: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        serde_json::to_vec(&bundle).unwrap()
    });
    Campaign::new("bundles")
        .seeds(files)
        .words(&[
            "scenario_id",
            "agents",
            "humans",
            "workflow",
            "steps",
            "entry_step",
            "step_id",
            "tool_id",
            "assigned_to",
            "on_success",
            "on_failure",
            "role",
            "address",
            "create_if_missing",
            "delivery_mode",
            "callback_url",
            "intent",
            "type",
            "payload",
            "deadline_at",
            "step_deadline_seconds",
            "max_delivery_attempts",
            "remind_after_seconds",
            "requires_approval",
            "human_task",
            "delay_seconds",
            "\"",
            "{",
            "}",
            "[",
            "]",
        ])
        .run(|input| {
            let body = match Body::parse(input) {
                Ok(body) => body,
                Err(problem) => return refused(&problem),
            };
            let rules = ScenarioRules {
                home: &home,
                caller: &caller,
                payload_bytes_max: 16 * 1024,
            };
            let reading = scenarios::read(&body, rules, "scenario-1");
            let _answer: Value = serde_json::from_str(&reading.answer().finish())
                .map_err(|error| format!("the answer is no JSON: {error}"))?;
            for sentence in reading.errors.iter().chain(&reading.warnings) {
                is_sentence(sentence)?;
            }
            if reading.bundle.is_some() != reading.errors.is_empty() {
                return Err("a bundle and an error, or neither".to_owned());
            }
            if scenarios::read(&body, rules, "scenario-1") != reading {
                return Err("one bundle is read in two ways".to_owned());
            }
            if let Some(bundle) = &reading.bundle {
                for agent in &bundle.agents {
                    reads_back(&agent.address, &home)?;
                }
                same_payload(&bundle.payload, None)?;
            }
            Ok(format!("{:?} {:?}", reading.errors, reading.warnings))
        });
}

/// A registered schema is compiled, and then holds the payloads of others against itself.
#[test]
fn schemas_of_payloads() {
    let values = [
        json!({}),
        json!({ "n": 7, "name": "a".repeat(5000), "list": vec![1; 500], "at": "2026-01-01T00:00:00Z" }),
        json!({ "n": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", "a": { "a": { "a": { "a": {} } } } }),
    ];
    Campaign::new("schemas")
        .seeds([
            r##"{"$defs":{"tree":{"type":"object","properties":{"a":{"$ref":"#/$defs/tree"}}}},"$ref":"#/$defs/tree"}"##,
            r#"{"type":"object","properties":{"n":{"type":"integer","minimum":1,"maximum":9,"multipleOf":3},"name":{"type":"string","pattern":"^(a+)+$","maxLength":10}},"required":["n"],"additionalProperties":false}"#,
            r#"{"anyOf":[{"required":["n"]},{"not":{"const":{}}}],"patternProperties":{"^x-":{"format":"email"}},"unevaluatedProperties":false}"#,
            r#"{"properties":{"list":{"type":"array","items":{"enum":[1,2]},"uniqueItems":true,"contains":{"const":3},"minContains":2},"at":{"format":"date-time"}},"dependentRequired":{"n":["name"]}}"#,
            r##"{"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"https://example.test/s","allOf":[{"$dynamicRef":"#node"}],"$dynamicAnchor":"node","if":{"minProperties":1},"then":{"maxProperties":3},"else":false}"##,
        ])
        .words(&[
            "$ref", "$id", "$defs", "#", "#/$defs/tree", "http://127.0.0.1/s", "file:///etc/passwd", "type", "pattern",
            "(a{1000}){1000}", "(a|a)*$", "\\\\p{L}{100}", "(?=a)", "properties", "items", "allOf", "anyOf", "oneOf",
            "not", "format", "minLength", "multipleOf", "1e-300", "integer", "object", "{", "}", "[", "]", ",", ":",
        ])
        .cases(700)
        .run(|input| {
            let Ok(schema) = Payload::object(&crate::text_of(input)) else {
                return Ok("no object".to_owned());
            };
            match Checker::of(&schema) {
                Err(bad) => {
                    is_sentence(&bad.to_string())?;
                    Ok(bad.to_string())
                }
                Ok(checker) => {
                    let mut counts = Vec::new();
                    for value in &values {
                        let faults = checker.faults(value);
                        for fault in &faults {
                            is_sentence(&fault.to_string())?;
                        }
                        counts.push(tally(faults.len()));
                    }
                    Ok(format!("{counts:?}"))
                }
            }
        });
}
