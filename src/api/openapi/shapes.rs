//! The objects of the contract, in the short notation, and the enumerations that the code has anyway.

use serde_json::{Map, Value, json};

use super::notation;
use crate::domain::agent::Binding;
use crate::domain::key::Role;
use crate::domain::schema::{SchemaMode, SchemaScope};
use crate::domain::status::Status;
use crate::wire::errors::CODES;

const SHAPES: &[(&str, &str)] = &[
    ("Problem", "ok: bool, error: Error, detail: any"),
    ("OpenApi", "openapi, jsonSchemaDialect, info: object, servers: [object], security: [object], paths: object, components: object"),
    ("Frame", "id?, event?, data?"),
    ("Error", "code: ErrorCode, message, retryable: bool, details: object"),
    ("Holder", "type: agent/human/internal, ref, name"),
    ("Hold", "hold_id, action, subject: uuid, by, placed_at: time, effective_at: time, state?"),
    ("LastFailure", "error_class, http_status?: int, message"),
    ("DeliveryState", "state, binding: Binding, ready_since?: time, parked_reason?, attempt_id?, lease_expires_at?: time,
        next_attempt_at?: time, until?: time, last_failure?: LastFailure"),
    ("LetterState", "reason, fingerprint, dead_at: time, state: LetterWord, replayed_as: uuid|null, discard_reason: string|null"),
    ("Decision", "outcome, comment?, by, via: api/console/cli/page/mcp, at: time, version: int"),
    ("HumanTask", "title, description?, task_type, allowed_outcomes: [string], required_comment: bool, evidence_required: bool,
        assignees?: [string], notify_email?, form_schema?: object, version?: int, owner_agent?, opened_at?: time, decision?: Decision,
        delegates?: [string], delegated_to?, max_reminders?: int, escalate_to?"),
    ("IntentError", "code, message, category, retryable: bool, at?: time, details: any"),
    ("Intent", "intent_id: uuid, intent_type, correlation_id, from_agent, to_agent, reply_to?, payload?: any, status: Status,
        lifecycle_status: Status, legacy_status: accepted/running/blocked/done/failed, waiting_reason?, lifecycle_waiting_reason?,
        pending_with?: Holder, max_delivery_attempts: int, delivery_attempt: int, policy_generation: int, controls?: object, policy?: IntentPolicy, created_at: time,
        updated_at: time, deadline_at?: time, origin_id: uuid, replay_of?: uuid, trace_id?, delivery: DeliveryState,
        dead_letter?: LetterState, held?: [Hold], completed_at?: time, result?: any, error?: IntentError, reason?,
        remind_count?: int, human_task?: HumanTask, thread_id?: uuid, due_at?: time, task_due_at?: time,
        parent_intent_id?: uuid, scenario_id?, step_id?, step_attempt?: int, step_intent_id?: uuid"),
    ("IntentPolicy", "grants: object, envelope: object"),
    ("Event", "intent_id: uuid, seq: int, event_type, status: Status, at: time, actor, handler: string|null,
        waiting_reason: string|null, pending_with: Holder|null, details: object, truncated?: true, result?: any,
        error?: IntentError, human_task?: HumanTask"),
    ("Fact", "fact_seq: int, seq: int|null, event_type, status: Status, at: time, actor, details: object"),
    ("Completion", "delivered: bool, reason?, reply_to?, thread_id?: uuid, message_id?, completion?: object"),
    ("BatchItem", "status: int, intent_id?: uuid, intent_status?: Status, warnings?: [string], error?: Error"),
    ("LeaseItem", "status: int, intent_id?: uuid, intent_status?: Status, attempt_id?, delivery_attempt?: int, lease_expires_at?: time,
        next_attempt_at?: time, dead_letter?: bool, error?: Error"),
    ("Row", "intent_id: uuid, seq: int, attempt_id, intent_type, correlation_id, from_agent, to_agent, reply_to?, status, payload: any,
        delivery_attempt: int, lease_expires_at: time, created_at: time, deadline_at: time|null"),
    ("Entry", "event_id, event_type, actor, at: time, details: object"),
    ("Message", "message_id, role, content, at: time, deleted?: bool"),
    ("Thread", "thread_id: uuid, intent_id: uuid, status: pending/done/active, owner_agent, from_agent, to_agent, created_at: time,
        updated_at: time, subject, intent_type, kind: task/completion/notice, read: bool, human_task?: HumanTask, due_at?: time,
        deadline_at?: time, intent_status: Status, remind_count: int, payload?: any, held?: Hold, timeline: [Entry]"),
    ("Change", "cursor, thread: Thread"),
    ("Task", "intent_id: uuid, intent_type, status: Status, from_agent, assigned_at: time, due_at: time|null, human_task: HumanTask,
        thread_id: uuid, parent_intent_id: uuid|null, scenario_id: string|null"),
    ("Approval", "approval_id, decision: approve/reject, comment: string|null, decided_at: time|null"),
    ("Account", "service_account_id, org_id, workspace_id, name, description: string|null, status, created_by_actor_id, created_at: time,
        updated_at: time, display_name: string|null, address, agent_address, delivery_mode: Binding, callback_url: string|null,
        ack_timeout_seconds: int, max_in_flight: int, has_webhook_secret: bool, webhook_public_keys?: [string]"),
    ("Key", "key_id, service_account_id, key_hint, status: active/expired/revoked, role: Role, created_at: time, expires_at: time|null,
        revoked_at?: time, token?"),
    ("Pause", "by, reason, at: time"),
    ("AgentRates", "out_per_second: number, succeeded: int, failed: int"),
    ("Endpoint", "breaker, in_flight: int, limit: int, rate_per_second: number|null, open_until: time|null, held_until: time|null"),
    ("MeshMetrics", "intents_total: int, intents_succeeded: int, intents_failed: int, avg_latency_ms: number|null, cost_usd: number|null"),
    ("MeshEvent", "event_id, address, event_type, details: object, actor_id, created_at: time"),
    ("MeshAgent", "address_id, address, display_name: string|null, health_status, last_heartbeat_at: time|null, created_at: time,
        intents_period: int, cost_period: number|null, metadata: any, metrics?: MeshMetrics, events?: [MeshEvent]"),
    ("MeshSummary", "total: int, healthy: int, degraded: int, unreachable: int, killed: int, unknown: int"),
    ("Subscription", "subscription_id: uuid, owner_agent, callback_url, event_types: [string], active: bool, description: string|null,
        created_at: time, updated_at: time, revoked_at: time|null, secret_hint, secret?"),
    ("SendPolicy", "policy_type, entries: [PolicyEntry]"),
    ("PolicyEntry", "entry_id, sender_pattern, created_at: time"),
    ("Agent", "address, address_id, killed: bool, kill?: Pause, max_in_flight: int|null, service_account_id, service_account_name, display_name: string|null, status, created_at: time, updated_at: time,
        delivery_mode: Binding, callback_url: string|null, paused: bool, pause?: Pause, connections: int, ready: int, leased: int,
        backing_off: int, held: int, parked: int, parked_reason?, dead_letters: int, oldest_waiting_seconds: int|null,
        oldest_waiting_ms?: int, rates: AgentRates, health_status, last_seen_at: time|null, endpoint?: Endpoint"),
    ("Schema", "semantic_type, schema_ref: string|null, schema_hash, compatibility_mode: SchemaMode, scope: SchemaScope, owner_agent,
        active: bool, created_at: time, updated_at: time, schema_json?: object"),
    ("ScenarioAgent", "role, address, created: bool"),
    ("Provisioned", "role, address, agent_address, service_account_id, sa_id"),
    ("Timing", "resolve_ms?: int, connect_ms?: int, tls_ms?: int, first_byte_ms?: int, total_ms?: int"),
    ("Excerpt", "line, headers: {string}, body, bytes: int, truncated: bool"),
    ("Attempt", "attempt_id, intent_id: uuid, number: int, agent, binding: Binding, started_at: time, finished_at: time|null, outcome,
        error_class: string|null, http_status: int|null, error: string|null, latency_ms: int|null, next_attempt_at: time|null,
        trace_id: string|null, timing?: Timing, remote_addr?: string|null, request?: Excerpt, response?: Excerpt, body_too_large?: bool"),
    ("DeadLetter", "intent_id: uuid, origin_id: uuid, replay_of: uuid|null, intent_type, from_agent, to_agent, binding: Binding, reason,
        error_class: string|null, http_status: int|null, error?: IntentError, attempts: int, created_at: time, first_attempt_at?: time,
        dead_at: time, correlation_id, fingerprint, state: LetterWord, replayed_as: uuid|null, discard_reason: string|null,
        age_seconds: int, intent_status: Status, message?, held?: Hold"),
    ("LetterGroup", "fingerprint, count: int, reason: string|null, error_class: string|null, http_status: int|null, intent_type: string|null,
        to_agent: string|null, sample_message: string|null, first_at: time, last_at: time, intent_ids: [uuid], hourly: [int],
        state: new/acknowledged/muted/resolved/regressed, owner: string|null, note: string|null, marked_by: string|null, marked_at: time|null"),
    ("GroupMark", "fingerprint, state: new/acknowledged/muted/resolved/regressed, owner: string|null, note: string|null,
        marked_by: string|null, marked_at: time|null"),
    ("Retry", "max_delivery_attempts: int, ack_timeout_seconds: int, jitter_percent: int, push_delays_ms: [int],
        pull_base_ms: int, pull_max_ms: int"),
    ("Skipped", "reason, count: int"),
    ("Job", "job_id, kind, state: running/paused/done/canceled, created_at: time, updated_at: time, finished_at: time|null, by, via,
        reason: string|null, filter: object, named_intents: int, order: oldest/newest, to_agent: string|null, matched: int, selected: int, done: int, in_flight: int,
        acknowledged: int, succeeded: int, failed: int, skipped: int, rate_per_second: number, max_in_flight: int, canary: int,
        canary_over: bool, stop_after_failures: int,
        max_delivery_attempts: int|null, force: bool, stopped_because: string|null"),
    ("JobOutcome", "outcome, code: string|null, count: int"),
    ("JobItem", "position: int, intent_id: uuid, new_intent_id: uuid|null, outcome, code: string|null"),
    ("FeedItem", "cursor: int, type, at: time, intent_id?: uuid, seq?: int|null, status?: Status, agent?: string|null, actor, data: any"),
    ("AuditEvent", "event_id, at: time, actor, key_id: string|null, via, action, target, owner_agent, reason: string|null, details: object|null,
        result, trace_id: string|null"),
    ("Delivery", "delivery_id, replay_of_delivery_id: string|null, org_id, workspace_id, principal_id: string|null, alias, transport_type,
        route_id, status, correlation_id, idempotency_key: string|null, payload: any, error_detail: string|null, created_at: time,
        updated_at: time, intent_id: uuid"),
    ("Quantiles", "p50: number|null, p90: number|null, p95: number|null, p99: number|null"),
    ("BindingLoad", "binding: Binding, ready: int, leased: int, backing_off: int, parked: int, held: int, connections: int,
        attempts_per_second: number, failures_per_second: number"),
    ("Second", "at: time, accepted: int, completed: int, failed: int, delivered: int, attempts_failed: int"),
    ("Rates", "window_seconds: int, accepted_per_second: number, completed_per_second: number, failed_per_second: number, series: [Second]"),
    ("Latencies", "window_seconds: int, deliver: Quantiles, complete: Quantiles, attempt: Quantiles, attempt_http: Quantiles"),
    ("Oldest", "age_seconds: int, intent_id: uuid, agent, created_at: time"),
    ("StoreState", "kind, commit_p99_ms: number|null, bytes: int, disk_low: bool, disk_full: bool, free_bytes: int|null"),
    ("Overview", "ok: true, at: time, version, uptime_seconds: int, cursor: int, intents: {int}, states: {int}, bindings: [BindingLoad],
        rates: Rates, latency_ms: Latencies, oldest_waiting: Oldest|null, next_due_at: time|null, dead_letters: {int}, inbox: {int},
        free_slots: int, agents: {int}, jobs: {int}, store: StoreState, last_five_minutes: {int}, seconds: {[int]}"),
    ("ControlsPatch", "timeout_seconds?: int(1..31622400)|null"),
    ("EnvelopePatch", "ttl_seconds?: int(1..31622400)|null, expires_at?: time|null, max_retry_count?: int(0..4294967294)|null,
        retry_backoff_seconds?: int(0..31622400)|null, execution_timeout_seconds?: int(1..31622400)|null"),
    ("NewTask", "title?, description?, task_type?, allowed_outcomes?: [string], required_comment?: bool, assignees?: [string],
        evidence_required?: bool, form_schema?: object, notify_email?"),
    ("NewIntent", "intent_type, to_agent, payload?: object, correlation_id?: uuid, from_agent?, reply_to?, deadline_at?: time,
        ttl_seconds?: int(60..604800), max_delivery_attempts?: int(1..), remind_after_seconds?: int(1..), remind_interval_seconds?: int(1..),
        max_reminders?: int(1..), escalate_to?, human_task?: NewTask, idempotency_key?"),
    ("LeaseResult", "intent_id: uuid, attempt_id?, action: complete/fail/ack/nack/extend, result?: object, reason?,
        delay_seconds?: int(0..86400), seconds?: int(1..86400)"),
    ("LetterFilter", "agent?, from_agent?, intent_type?, reason?, error_class?, since?: time, until?: time, fingerprint?, intent_ids?: [uuid],
        status?: [string], failed_of?"),
];

/// Every shape and enumeration as a JSON Schema, by name.
pub(super) fn schemas() -> Map<String, Value> {
    let words = |words: &[&str]| json!({ "type": "string", "enum": words });
    let codes: Vec<&str> = CODES
        .iter()
        .flat_map(|(_, codes)| *codes)
        .copied()
        .collect();
    let mut all: Map<String, Value> = SHAPES
        .iter()
        .map(|(name, shape)| ((*name).to_owned(), notation::schema(shape)))
        .collect();
    for (name, values) in [
        ("Status", words(&Status::ALL.map(Status::name))),
        ("Binding", words(&Binding::ALL.map(Binding::name))),
        ("Role", words(&Role::ALL.map(Role::name))),
        ("SchemaMode", words(&SchemaMode::ALL.map(SchemaMode::name))),
        (
            "SchemaScope",
            words(&SchemaScope::ALL.map(SchemaScope::name)),
        ),
        ("LetterWord", words(&["open", "replayed", "discarded"])),
        ("ErrorCode", words(&codes)),
    ] {
        all.insert(name.to_owned(), values);
    }
    all
}
