//! What the scripted desk knows: the morning of the specification's pictures.

pub(super) mod deliveries;
pub(super) mod work;

use std::collections::BTreeMap;

use serde_json::json;

use crate::desk::rows::agents::{AgentView, EndpointRow};
use crate::desk::rows::{
    AgentRow, AgentState, Hello, Overview, PauseRow, RetryRule, TaskRow, ThreadEvent,
};
use crate::domain::activity::{Activity, BUCKETS, BreakerHistory, ErrorCount};
use crate::domain::address::Address;
use crate::domain::agent::Binding;
use crate::domain::endpoint::Breaker;
use crate::domain::failure::ErrorClass;
use crate::domain::ids::{Cursor, IntentId, ThreadId};
use crate::domain::mesh::Health;
use crate::domain::payload::Payload;
use crate::domain::policy::Policy;
use crate::domain::time::{Span, Timestamp};
use crate::store::query::ThreadKind;

/// 2026-03-05T09:41:07Z.
pub(super) fn now() -> Timestamp {
    "2026-03-05T09:41:07Z".parse().unwrap()
}

fn ago(seconds: i64) -> Timestamp {
    now().before(Span::from_seconds(seconds))
}

fn ahead(seconds: i64) -> Timestamp {
    now().after(Span::from_seconds(seconds))
}

pub(super) fn address(name: &str) -> Address {
    Address::trusted(format!("acme/prod/{name}"))
}

/// An intent id whose label is `short`, accepted so many seconds ago.
pub(super) fn id(short: &str, seconds: i64) -> IntentId {
    let millis = ago(seconds).as_millis();
    let text = format!("{millis:012x}");
    let (high, low) = text.split_at(8);
    let text = format!("{high}-{low}-7e86-8a07-6b2a{short}");
    text.parse().unwrap()
}

fn payload_of(value: &serde_json::Value) -> Payload {
    Payload::of(value)
}

pub(super) fn hello() -> Hello {
    Hello {
        version: "0.1.0".to_owned(),
        storage: "sqlite".to_owned(),
        environment: "PROD".to_owned(),
        identity: address("alice"),
        may_write: true,
        place: "embedded".to_owned(),
        org: "acme".to_owned(),
        workspace: "prod".to_owned(),
        hold_seconds: 5,
        is_protected: false,
        retry: RetryRule::of(&Policy::default()),
        letters_kept: Policy::default().retention.dead_letters,
    }
}

fn wave(top: u32, count: u32) -> Vec<u32> {
    (0..count)
        .map(|second| top / 2 + (second * 7 % 13) * top / 26)
        .collect()
}

pub(super) fn overview() -> Overview {
    Overview {
        at: now(),
        cursor: Cursor(88_120_417),
        uptime_seconds: 7_200,
        states: [1_902, 318, 3_204, 9, 27, 992_945, 311, 1_284],
        statuses: [0, 0, 5_106, 200, 118, 36, 992_945, 204, 68, 39],
        bindings: Vec::new(),
        accepted: wave(190, 300),
        delivered: wave(182, 300),
        failed: wave(6, 300),
        in_per_second: 190.0,
        out_per_second: 182.0,
        ok_percent: Some(96.7),
        latency_ms: [Some(41.0), Some(380.0), Some(1_900.0)],
        attempts_running: 41,
        slots: 64,
        retries_due: 112,
        next_due_at: Some(now().after(Span::from_millis(400))),
        oldest_at: Some(ago(3 * 3_600 + 28 * 60)),
        oldest: None,
        due_lag_ms: 100,
        dead_last_hour: 37,
        tasks_open: 9,
        tasks_overdue: 2,
        completed_last_day: 214_880,
        store_bytes: 0,
        disk: crate::desk::rows::disk::DiskState::Fine,
        commit_p99_ms: None,
    }
}

fn agent(name: &str, binding: Binding, state: AgentState) -> AgentRow {
    AgentRow {
        address: address(name),
        display_name: None,
        binding,
        callback_url: None,
        is_registered: true,
        state,
        out_per_second: 0.0,
        error_percent: None,
        p95_ms: None,
        last_seen_at: None,
        health: Health::Unknown,
        lag_ms: None,
        listeners: 0,
        queued: 0,
        leased: 0,
        retrying: 0,
        held: 0,
        dead: 0,
        dead_last_hour: 0,
        pause: None,
        kill: None,
        max_in_flight: None,
        endpoint: None,
    }
}

pub(super) fn agents() -> Vec<AgentRow> {
    vec![
        AgentRow {
            out_per_second: 109.0,
            error_percent: Some(0.0),
            lag_ms: Some(100),
            listeners: 3,
            queued: 3,
            retrying: 9,
            ..agent("order-processor", Binding::Stream, AgentState::Ok)
        },
        AgentRow {
            callback_url: Some("https://billing.example/hooks".to_owned()),
            out_per_second: 4.0,
            error_percent: Some(18.4),
            lag_ms: Some(147_000),
            queued: 1_204,
            retrying: 3_088,
            leased: 4,
            dead: 1_247,
            dead_last_hour: 37,
            p95_ms: Some(10_000.0),
            endpoint: Some(EndpointRow {
                breaker: Breaker::HalfOpen,
                in_flight: 1,
                ..EndpointRow::NEW
            }),
            ..agent("billing-webhook", Binding::Http, AgentState::Degraded)
        },
        AgentRow {
            lag_ms: Some(39 * 60_000),
            listeners: 1,
            queued: 188,
            pause: Some(PauseRow {
                by: "agent://acme/prod/bob".to_owned(),
                reason: "cutover".to_owned(),
                at: ago(39 * 60),
            }),
            ..agent("partner-export", Binding::Poll, AgentState::Paused)
        },
        AgentRow {
            lag_ms: Some(3 * 3_600_000 + 28 * 60_000),
            held: 9,
            ..agent("ops-desk", Binding::Inbox, AgentState::Ok)
        },
        AgentRow {
            out_per_second: 36.0,
            error_percent: Some(0.0),
            lag_ms: Some(100),
            listeners: 2,
            queued: 1,
            retrying: 5,
            dead: 9,
            ..agent("ledger", Binding::Poll, AgentState::Ok)
        },
    ]
}

/// What is told of the agent that fails, as in the specification's picture.
pub(super) fn agent_views() -> BTreeMap<Address, AgentView> {
    let falls = |at: u32| if at < 40 { 70 + at * 7 % 13 } else { 80 - at };
    let rises = |at: u32| {
        if at < 38 {
            at % 9 / 8
        } else {
            40 + at * 5 % 11
        }
    };
    let buckets = u32::try_from(BUCKETS).unwrap();
    let error = |class, http_status, count| ErrorCount {
        class,
        http_status,
        count,
    };
    let activity = Activity {
        measured_since: ago(7_200),
        running_seconds: 11,
        succeeded: (0..buckets).map(falls).collect(),
        failed: (0..buckets).map(rises).collect(),
        p95_ms: (0..buckets)
            .map(|at| Some(if at < 38 { 61.0 } else { 10_000.0 }))
            .collect(),
        lengths_ms: [Some(62.0), Some(10_000.0), Some(10_200.0)],
        errors: vec![
            error(ErrorClass::Http5xx, Some(503), 1_702),
            error(ErrorClass::Timeout, None, 88),
            error(ErrorClass::Connect, None, 7),
        ],
        breaker: BreakerHistory {
            opened_on_day: 4,
            opened_at: Some(ago(147)),
            opened_for: Some(ErrorClass::Http5xx),
            closed_at: Some(ago(15)),
        },
    };
    let view = AgentView {
        activity,
        signing_keys: 1,
        older_key_until: None,
        lease: Span::from_seconds(15),
    };
    BTreeMap::from([(address("billing-webhook"), view)])
}

fn task(short: &str, kind: &str, title: &str, sender: &str, due: i64, age: i64) -> TaskRow {
    let intent = id(short, age);
    TaskRow {
        thread: ThreadId(intent.0),
        intent,
        kind: ThreadKind::Task,
        owner: address("ops-desk"),
        from: address(sender),
        intent_type: format!("intent.{kind}.v1"),
        title: title.to_owned(),
        description: None,
        task_type: kind.to_owned(),
        outcomes: Vec::new(),
        is_comment_required: false,
        is_evidence_required: false,
        form: None,
        assignees: Vec::new(),
        version: 1,
        is_open: true,
        opened_at: ago(age),
        due_at: Some(if due < 0 { ago(-due) } else { ahead(due) }),
        is_overdue: due < 0,
        deadline: Some(ahead(3_533)),
        reminded: 0,
        reminders_max: None,
        escalates_to: None,
        decision: None,
        held: None,
        delegated_to: None,
    }
}

pub(super) fn tasks() -> Vec<TaskRow> {
    vec![
        task(
            "c41f07d2",
            "override",
            "skip dedupe for 3 intents, agent ledger",
            "bob",
            -720,
            2_520,
        ),
        task(
            "3da8b560",
            "approval",
            "wire 12,400.00 EUR → ACME GmbH",
            "payouts",
            -180,
            3_780,
        ),
        TaskRow {
            owner: address("alice"),
            outcomes: vec!["approved".to_owned(), "rejected".to_owned()],
            is_comment_required: true,
            version: 7,
            description: Some("First payment to this IBAN. Q3 invoice 2231.".to_owned()),
            ..task(
                "8fd03e1b",
                "approval",
                "wire 48,000.00 EUR → NORDWIND AB",
                "payouts",
                540,
                65,
            )
        },
        task(
            "7e12c9af",
            "review",
            "template change \"invoice-v4\" (+12 −3)",
            "carol",
            1_320,
            480,
        ),
        task(
            "b90d4421",
            "form",
            "missing VAT id (2 fields)",
            "onboarding",
            2_460,
            1_140,
        ),
        task(
            "06f3ea78",
            "clarification",
            "which ledger account for refund?",
            "refunds",
            7_200,
            3_600,
        ),
        task(
            "fa610b92",
            "confirmation",
            "delete 212 expired leases",
            "janitor",
            21_600,
            12_480,
        ),
    ]
}

pub(super) fn payload() -> Payload {
    payload_of(&json!({
        "amount": "48,000.00 EUR", "beneficiary": "NORDWIND AB",
        "iban": "SE45 5000 0000 0583 9825 7466", "previous": 0, "lines": [1, 2, 3],
    }))
}

pub(super) fn thread() -> Vec<ThreadEvent> {
    let event = |seconds: i64, kind: &str, who: &str, text: Option<&str>| ThreadEvent {
        at: ago(seconds),
        event_type: kind.to_owned(),
        actor: format!("agent://acme/prod/{who}"),
        text: text.map(str::to_owned),
    };
    vec![
        event(65, "intent_received", "payouts", None),
        event(
            9,
            "inbox.replied",
            "carol",
            Some("PO is on file, I called them back"),
        ),
    ]
}
