//! The table of operations: what each route takes, gives and refuses.

/// One method of one route.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) summary: &'static str,
    /// No key is needed.
    pub(super) is_open: bool,
    /// Not part of the public protocol.
    pub(super) is_extension: bool,
    is_admins: bool,
    /// In the notation of shapes; every field may be left out.
    pub(super) query: &'static str,
    pub(super) body: &'static str,
    pub(super) content: Content,
    codes: &'static str,
}

/// What a success carries.
#[derive(Debug, Clone, Copy)]
pub(super) enum Content {
    /// There is none: the route is not supported.
    Nothing,
    /// `ok` and these fields.
    Object(&'static str),
    /// A shape of that name.
    Whole(&'static str),
    /// Frames of an event stream.
    Stream,
    /// Plain text.
    Text,
    /// A page for people, whatever the answer is.
    Page,
    /// An answer of JSON-RPC, or of many; nothing for a notification.
    Rpc,
}

/// What any call with a key can be refused with.
const KEYED: &str = "missing_platform_api_key invalid_platform_api_key token_expired forbidden owner_mismatch \
    invalid_agent_address rate_limit_exceeded busy shutting_down internal_error";
const WITH_BODY: &str =
    "malformed_json payload_too_large schema_invalid idempotency_conflict storage_low";

impl Operation {
    const fn new(method: &'static str, path: &'static str, summary: &'static str) -> Self {
        Self {
            method,
            path,
            summary,
            is_open: false,
            is_extension: false,
            is_admins: false,
            query: "",
            body: "",
            content: Content::Object(""),
            codes: "",
        }
    }

    const fn open(self) -> Self {
        Self {
            is_open: true,
            ..self
        }
    }

    /// Ours alone.
    const fn ext(self) -> Self {
        Self {
            is_extension: true,
            ..self
        }
    }

    /// Admins alone.
    const fn admins(self) -> Self {
        Self {
            is_admins: true,
            ..self
        }
    }

    const fn query(self, query: &'static str) -> Self {
        Self { query, ..self }
    }

    const fn body(self, body: &'static str) -> Self {
        Self { body, ..self }
    }

    const fn gives(self, shape: &'static str) -> Self {
        Self {
            content: Content::Object(shape),
            ..self
        }
    }

    const fn content(self, content: Content) -> Self {
        Self { content, ..self }
    }

    const fn refuses(self, codes: &'static str) -> Self {
        Self { codes, ..self }
    }

    /// Has its place and is not supported.
    const fn never(self) -> Self {
        Self {
            content: Content::Nothing,
            codes: "not_supported",
            ..self
        }
    }

    /// The statuses under which a page says no.
    pub(super) const fn page_refusals(&self) -> &'static [u16] {
        match (self.content, self.body.is_empty()) {
            (Content::Page, true) => &[404, 410, 503],
            (Content::Page, false) => &[403, 404, 409, 410, 413, 422, 503],
            _ => &[],
        }
    }

    pub(super) fn takes_body(&self) -> bool {
        matches!(self.method, "POST" | "PUT" | "PATCH") && !matches!(self.content, Content::Nothing)
    }

    /// Whether it knows idempotency keys.
    pub(super) fn is_repeatable(&self) -> bool {
        self.takes_body() && self.path.starts_with("/v1/")
    }

    /// The roles that may call it at all; what of it is theirs is another question.
    pub(super) fn roles(&self) -> &'static [&'static str] {
        match (self.is_open, self.is_admins) {
            (true, _) => &[],
            (false, true) => &["admin"],
            (false, false) => &["admin", "sender", "agent"],
        }
    }

    /// Every code that it may answer.
    pub(super) fn codes(&self) -> Vec<&'static str> {
        if matches!(self.content, Content::Page) {
            // What the router refuses before there is a page, and its own fault.
            return vec!["internal_error", "method_not_allowed", "not_found"];
        }
        let mut sets = vec![self.codes];
        if !self.is_open {
            sets.push(KEYED);
        }
        if self.takes_body() {
            sets.push(WITH_BODY);
        }
        if !self.query.is_empty() {
            sets.push("schema_invalid");
        }
        if self.query.contains("cursor") {
            sets.push("bad_cursor");
        }
        if self.path.contains('{') {
            // What stands for a name may read as another route, or as none.
            sets.push("not_found method_not_allowed");
        }
        let mut codes: Vec<&str> = sets.iter().flat_map(|set| set.split_whitespace()).collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    }
}

const fn get(path: &'static str, summary: &'static str) -> Operation {
    Operation::new("GET", path, summary)
}

const fn post(path: &'static str, summary: &'static str) -> Operation {
    Operation::new("POST", path, summary)
}

/// Every operation.
pub(super) fn all() -> impl Iterator<Item = &'static Operation> {
    [
        BROKER, INTENTS, AGENTS, ACCOUNTS, PEOPLE, LETTERS, OPERATORS,
    ]
    .into_iter()
    .flatten()
}

const SCENARIO: &str = "scenario_id?, title?, description?, idempotency_key?, agents?: [BundleAgent], humans?: [BundleHuman], workflow?: BundleWorkflow, intent: BundleIntent";
const WINDOW: &str = "since: int(0..), wait_seconds: int(0..)";
const OWNED: &str = "owner_agent";
const JOB_ORDER: &str = "filter?: LetterFilter, limit?: int(1..100000), order?: oldest/newest, rate_per_second?: number,
    max_in_flight?: int(1..), canary?: int(0..), stop_after_failures?: int(0..), to_agent?,
    max_delivery_attempts?: int(1..20), force?: bool, reason?, dry_run?: bool";
const ORDERED: &str = "dry_run: bool, matched: int, selected: int, skipped?: [Skipped], intent_ids?: [uuid], job?: Job";

#[rustfmt::skip]
const BROKER: &[Operation] = &[
    get("/health", "Whether it is up").open().gives("service, version, storage, deployment_profile"),
    get("/v1/health", "Whether it is up").open().gives("service, version, storage, deployment_profile"),
    get("/ready", "Whether work goes on behind the door").open().ext().refuses("not_ready")
        .gives("ready: true, oldest_due_ms: int, commit_age_ms: int|null, queue_depth: int, disk_low: bool"),
    get("/openapi.json", "This document").open().ext().content(Content::Whole("OpenApi")),
    get("/metrics", "Metrics in the text form of Prometheus").admins().ext().content(Content::Text),
    post("/mcp", "The Model Context Protocol: JSON-RPC 2.0, single or batch").open().content(Content::Rpc),
    get("/v1/capabilities", "What it can").gives("capabilities: [string], supported_intent_types: [string]"),
    get("/v1/me", "Who the caller is")
        .gives("address, role: Role, key_id, org, workspace, environment, protected: bool, retry: Retry, dead_letter_retention_seconds: int, org_id, workspace_id, service_account: Account"),
    get("/v1/tool-registry/macros", "Macros of scenarios: there are none").gives("macros: [any]"),
    get("/v1/tool-registry/macros/{macro_id}", "A macro of scenarios: there is none").gives("macro: any").refuses("not_found"),
    post("/v1/schemas", "Register a schema for a type of intent, or replace it").admins().gives("schema: Schema")
        .body("semantic_type, schema_json: object, compatibility_mode: SchemaMode, schema_ref?, scope?: SchemaScope, active?: bool")
        .refuses("schema_incompatible"),
    get("/v1/schemas/{semantic_type}", "The schema of a type of intent").gives("schema: Schema").refuses("schema_not_found"),
    post("/v1/scenarios/validate", "Check a scenario; nothing happens").body(SCENARIO).gives("valid: bool, errors: [string], warnings: [string]"),
    post("/v1/scenarios/apply", "Make the agents of a scenario and begin its run").refuses("bundle_invalid agent_not_found callback_url_refused payload_schema_mismatch invalid_deadline address_taken policy_denied")
        .body(SCENARIO).gives("intent_id: uuid, scenario_id, status: Status, pending_with: string|null, workflow_compile_id, compile_id, idempotent: bool,
            agents: [ScenarioAgent], agents_provisioned: [Provisioned], deadline_at: time|null, created_at: time, warnings: [string]"),
];

#[rustfmt::skip]
const INTENTS: &[Operation] = &[
    get("/v1/intents", "Intents, newest first").gives("intents: [Intent], next_cursor: string|null")
        .query("status, state, to_agent, from_agent, party, intent_type, correlation_id, origin_id: uuid, since: time, until: time, q, contains,
            kind: intent/step/webhook/all, include, limit: int(1..500), cursor"),
    post("/v1/intents", "Send an intent").gives("intent_id: uuid, status: Status, created_at: time, warnings?: [string]")
        .body("intent_type, to_agent, payload?: object, correlation_id?: uuid, from_agent?, reply_to?, deadline_at?: time,
            ttl_seconds?: int(60..604800), max_delivery_attempts?: int(1..), remind_after_seconds?: int(1..),
            remind_interval_seconds?: int(1..), max_reminders?: int(1..), escalate_to?, human_task?: NewTask")
        .refuses("policy_denied agent_not_found invalid_deadline payload_schema_mismatch"),
    post("/v1/intents/batch", "Send many intents").ext().body("intents: [NewIntent]")
        .gives("accepted: int, refused: int, results: [BatchItem]"),
    post("/v1/intents/bulk-cancel", "Cancel what is old").admins()
        .body("older_than_hours?: number, status_filter?: [string], dry_run?: bool, reason?, limit?: int(1..5000)")
        .gives("dry_run: bool, would_cancel?: int, canceled?: int, intent_ids: [uuid]"),
    get("/v1/intents/{id}", "An intent").refuses("intent_not_found")
        .gives("intent: Intent, intent_id?: uuid, intent_type?, status?: Status, lifecycle_status?: Status, payload?: any, from_agent?, to_agent?"),
    get("/v1/intents/{id}/events", "What has happened to an intent").query("since: int(0..)").gives("events: [Event]").refuses("intent_not_found"),
    get("/v1/intents/{id}/events/stream", "The same as it happens").query(WINDOW).content(Content::Stream).refuses("intent_not_found"),
    get("/v1/intents/{id}/facts", "The same with what only operators see").ext().admins().gives("facts: [Fact]").refuses("intent_not_found"),
    post("/v1/intents/{id}/resolve", "End an intent").query(OWNED)
        .body("status: COMPLETED/FAILED/CANCELED/CANCELLED, result?: object, error?: object, reason?, actor?, expected_policy_generation?: int(0..)")
        .gives("intent?: Intent, event?: Event|null, completion_delivery?: Completion, applied?: bool, reason?, policy_generation?: int")
        .refuses("intent_not_found intent_terminal"),
    post("/v1/intents/{id}/resume", "Answer an intent, or decide its task").query(OWNED)
        .body("action?, result?: object, reason?, outcome?, approved?: bool, task_result?: object, approve_current_step?: bool, actor?,
            attempt_id?, task_version?: int(0..), hold_seconds?: int(0..60), expected_policy_generation?: int(0..)")
        .gives("applied: bool, policy_generation: int, intent?: Intent, reason?, held?: Hold")
        .refuses("intent_not_found intent_terminal attempt_stale lease_not_held already_decided task_version_stale task_not_pending task_ambiguous
            outcome_not_allowed comment_required evidence_required form_invalid"),
    post("/v1/intents/{id}/cancel", "Cancel an intent").ext().body("reason?, actor?").query(OWNED)
        .gives("intent: Intent, event: Event|null, completion_delivery: Completion").refuses("intent_not_found intent_terminal"),
    post("/v1/intents/{id}/retry-now", "Make a waiting retry due at once").ext().admins().body("reason?").gives("intent: Intent")
        .refuses("intent_not_found intent_terminal attempt_in_progress agent_paused not_replayable"),
    post("/v1/intents/{id}/controls", "Change the controls of an intent").query(OWNED)
        .body("controls_patch: ControlsPatch, actor?, reason?, expected_policy_generation?: int(0..)")
        .gives("applied: bool, policy_generation: int, intent?: Intent, reason?")
        .refuses("intent_not_found intent_terminal invalid_deadline payload_too_large"),
    post("/v1/intents/{id}/policy", "Change the envelope of an intent, and who else may act").query(OWNED)
        .body("grants_patch?: object, envelope_patch?: EnvelopePatch, actor?, reason?, expected_policy_generation?: int(0..)")
        .gives("applied: bool, policy_generation: int, intent?: Intent, reason?")
        .refuses("intent_not_found intent_terminal invalid_deadline payload_too_large"),
];

#[rustfmt::skip]
const AGENTS: &[Operation] = &[
    get("/v1/agents", "Agents, by address").query("limit: int(1..10000), cursor").gives("at: time, agents: [Agent], next_cursor: string|null"),
    get("/v1/agents/{address}", "An agent; an address may have slashes").gives("agent: Agent").refuses("agent_not_found"),
    get("/v1/agents/{address}/activity", "What became of an agent's attempts in the last fifteen minutes").ext().admins()
        .gives("at: time, activity: Activity").refuses("agent_not_found"),
    get("/v1/agents/{address}/intents", "Fetch intents: a poll, each row with a lease").query("since: int(0..), limit: int(1..100), wait_seconds: int(0..60), status, max_in_flight: int(1..)")
        .gives("intents: [Row], next_cursor, cursor: int, has_more: bool").refuses("policy_denied"),
    get("/v1/agents/{address}/intents/stream", "Intents as they come").query("since: int(0..), wait_seconds: int(0..), status, max_in_flight: int(1..)").content(Content::Stream).refuses("policy_denied"),
    post("/v1/agents/{address}/intents/results", "Many answers in one commit").ext().body("results: [LeaseResult]")
        .gives("applied: int, refused: int, results: [LeaseItem]"),
    post("/v1/agents/{address}/intents/{id}/ack", "Taken; the result comes later").ext().body("attempt_id?").gives(AFTER_LEASE).refuses(LEASE),
    post("/v1/agents/{address}/intents/{id}/nack", "Given back").ext().body("attempt_id?, delay_seconds?: int(0..86400), reason?").gives(AFTER_LEASE).refuses(LEASE),
    post("/v1/agents/{address}/intents/{id}/extend", "Keep the lease longer").ext().body("attempt_id?, seconds?: int(1..86400)").gives(AFTER_LEASE).refuses(LEASE),
    post("/v1/agents/{address}/pause", "Hold an agent's intents back").ext().admins().body("reason?").gives("agent: Agent").refuses("agent_not_found"),
    post("/v1/agents/{address}/resume", "Let them go on").ext().admins().body("reason?").gives("agent: Agent").refuses("agent_not_found"),
    post("/v1/agents/{address}/limit", "Bound how fast and how many at once an agent gets; zero takes a bound away").ext().admins()
        .body("rate_per_second?: number, max_in_flight?: int(0..4096), reason?").gives("agent: Agent").refuses("agent_not_found"),
    post("/v1/agents/{address}/reset-breaker", "Close the breaker of an agent that is called").ext().admins().body("reason?").gives("agent: Agent").refuses("agent_not_found"),
    get("/v1/agents/{address}/policy", "Who may send to an agent").gives("policy: SendPolicy"),
    Operation::new("PUT", "/v1/agents/{address}/policy", "Let everybody in, or only or all but some").body("policy_type: open/allowlist/denylist")
        .gives("policy: SendPolicy").refuses("agent_not_found"),
    post("/v1/agents/{address}/policy/entries", "Name a sender, or a pattern of senders").body("sender_pattern").gives("entry: PolicyEntry").refuses("agent_not_found"),
    Operation::new("DELETE", "/v1/agents/{address}/policy/entries/{entry_id}", "Name it no more").gives("entry_id, removed: true")
        .refuses("agent_not_found storage_low"),
    post("/v1/mesh/heartbeat", "Say that one lives, and what one counted since").body("metrics?: object")
        .gives("address, health_status, received_at: time"),
    get("/v1/mesh/agents", "Agents and how they are").query("limit: int(1..1000), health, window: day/week/month")
        .gives("agents: [MeshAgent], summary: MeshSummary"),
    get("/v1/mesh/agents/{id}", "An agent with what it counted in a month, and what became of it").gives("agent: MeshAgent").refuses("agent_not_found"),
    get("/v1/mesh/events", "What became of agents, newest first").query("limit: int(1..1000), event_type").gives("events: [MeshEvent]"),
    post("/v1/mesh/agents/{id}/kill", "Stop an agent: nothing goes to it and nothing comes from it").admins().body("reason?").gives("status").refuses("agent_not_found"),
    post("/v1/mesh/agents/{id}/resume", "Revive it").admins().body("reason?").gives("status").refuses("agent_not_found"),
    get("/v1/webhooks/subscriptions", "Webhook subscriptions").query("owner_agent, include_inactive: bool").gives("subscriptions: [Subscription]"),
    post("/v1/webhooks/subscriptions", "Subscribe, or change the subscription for this URL").query(OWNED)
        .body("callback_url, event_types: [string], secret?, active?: bool, description?").gives("subscription: Subscription")
        .refuses("callback_url_refused"),
    Operation::new("DELETE", "/v1/webhooks/subscriptions/{id}", "Unsubscribe").query(OWNED).gives("subscription_id: uuid, revoked_at: time|null")
        .refuses("subscription_not_found storage_low"),
    post("/v1/webhooks/events", "Publish an event of one's own").query(OWNED).body("event_type, source, payload: object")
        .gives("accepted_at: time, event_type, source, owner_agent, event_id: uuid, queued_deliveries: int, processed_deliveries: int,
            delivered: int, pending: int, dead_lettered: int"),
    post("/v1/webhooks/events/{id}/replay", "Send an event again").query(OWNED)
        .gives("event_type, replayed_at: time, owner_agent, event_id: uuid, queued_deliveries: int, processed_deliveries: int,
            delivered: int, pending: int, dead_lettered: int").refuses("event_not_found"),
    get("/v1/agents/{address}/receive-override", "Not part of Postroom").never(),
    Operation::new("PUT", "/v1/agents/{address}/receive-override", "Not part of Postroom").never(),
    post("/v1/agents/{address}/receive-override", "Not part of Postroom").never(),
    Operation::new("DELETE", "/v1/agents/{address}/receive-override", "Not part of Postroom").never(),
];

const AFTER_LEASE: &str = "intent_id: uuid, attempt_id?, delivery_attempt: int, lease_expires_at?: time, next_attempt_at?: time, dead_letter?: true";
const LEASE: &str = "intent_not_found agent_not_found intent_terminal lease_not_held attempt_stale";
const ACCOUNT: &str = "display_name?, description?, delivery_mode?: Binding, callback_url?, ack_timeout_seconds?: int(1..), max_in_flight?: int(1..)";

#[rustfmt::skip]
const ACCOUNTS: &[Operation] = &[
    get("/v1/service-accounts", "Accounts; an account is an agent").admins().query("org_id, workspace_id").gives("service_accounts: [Account]"),
    post("/v1/service-accounts", "Make an account; the same name gives the existing one").admins().gives("service_account: Account")
        .body("name, org_id?, workspace_id?, display_name?, description?, delivery_mode?: Binding, callback_url?, ack_timeout_seconds?: int(1..), max_in_flight?: int(1..)")
        .refuses("address_taken callback_url_refused"),
    get("/v1/service-accounts/{id}", "An account").admins().gives("service_account: Account").refuses("account_not_found"),
    Operation::new("PATCH", "/v1/service-accounts/{id}", "Change an account").admins().body(ACCOUNT).gives("service_account: Account")
        .refuses("account_not_found callback_url_refused"),
    Operation::new("DELETE", "/v1/service-accounts/{id}", "Delete an account and revoke its keys").admins().gives("service_account: Account")
        .refuses("account_not_found storage_low"),
    post("/v1/service-accounts/{id}/webhook-secret", "Make or rotate the secret that signs").ext().admins()
        .body("secret?, algorithm?: hmac-sha256/ed25519, overlap_seconds?: int(0..)").refuses("account_not_found")
        .gives("secret, algorithm?, public_key?, previous_valid_until: time|null"),
    get("/v1/service-accounts/{id}/keys", "The keys of an account, without tokens").ext().admins().gives("keys: [Key]").refuses("account_not_found"),
    post("/v1/service-accounts/{id}/keys", "Make a key; its token is shown once").admins().body("role?: Role, expires_at?: time")
        .gives("key: Key, api_key").refuses("account_not_found"),
    post("/v1/service-accounts/{id}/keys/{key_id}/revoke", "Revoke a key, at once").admins().gives("key: Key").refuses("account_not_found key_not_found"),
];

const DECISION: &str =
    "comment?, outcome?, data?: object, task_version?: int(0..), hold_seconds?: int(0..60)";
const DECIDED: &str = "thread: Thread, messages: [Message], held?: Hold";
const MAY_NOT: &str = "thread_not_found approval_not_found intent_terminal already_decided task_version_stale task_not_pending outcome_not_allowed
    comment_required evidence_required form_invalid";

#[rustfmt::skip]
const PEOPLE: &[Operation] = &[
    get("/v1/inbox", "Threads of an inbox").query("owner_agent, status, kind, order, limit: int(1..500), cursor").gives("threads: [Thread], next_cursor: string|null"),
    get("/v1/inbox/changes", "What has changed in an inbox").query("owner_agent, cursor, limit: int(1..500)")
        .gives("changes: [Change], next_cursor: string|null, has_more: bool"),
    get("/v1/inbox/{id}", "A thread").query(OWNED).gives("thread: Thread, messages: [Message]").refuses("thread_not_found"),
    post("/v1/inbox/{id}/reply", "Say something").query(OWNED).body("message").gives(DECIDED).refuses(MAY_NOT),
    post("/v1/inbox/{id}/approve", "Say yes").query(OWNED).body(DECISION).gives(DECIDED).refuses(MAY_NOT),
    post("/v1/inbox/{id}/reject", "Say no").query(OWNED).body(DECISION).gives(DECIDED).refuses(MAY_NOT),
    post("/v1/inbox/{id}/read", "Mark a thread as read").query(OWNED).gives("thread: Thread, messages: [Message]").refuses("thread_not_found"),
    post("/v1/inbox/{id}/delegate", "Hand a task on; without delegate_to, to oneself").query(OWNED).body("delegate_to?, note?, task_version?: int(1..)").gives(DECIDED)
        .refuses("thread_not_found intent_terminal already_decided task_version_stale task_not_pending invalid_agent_address"),
    post("/v1/inbox/{id}/messages/delete", "Empty words: one's own, or everybody's").query(OWNED).body("mode?: self/both, message_ids?: [string], limit?: int(1..100)")
        .gives("thread: Thread, messages: [Message], mode: self/both, deleted_count: int, message_ids: [string]").refuses("thread_not_found"),
    post("/v1/approvals/{id}/decision", "Approve or reject").query(OWNED).body("decision: approve/reject, comment?, data?: object, hold_seconds?: int(0..60)")
        .gives("approval: Approval, intent?: Intent, held?: Hold").refuses(MAY_NOT),
    get("/decide/{token}", "The page that a link in a mail leads to; it decides nothing").open().ext().content(Content::Page),
    post("/decide/{token}", "Decide on that page").open().ext().body("token, version, outcome, comment?, evidence?").content(Content::Page),
    get("/v1/me/tasks", "Open tasks, oldest due first").query("owner_agent, limit: int(1..500), cursor").gives("tasks: [Task], next_cursor: string|null"),
];

#[rustfmt::skip]
const LETTERS: &[Operation] = &[
    get("/v1/dead-letters", "Dead letters, newest first, or groups of them").ext().admins()
        .query("agent, intent_type, reason, error_class, since: time, until: time, fingerprint, state: LetterWord, group_by, limit: int(1..500), cursor")
        .gives("dead_letters?: [DeadLetter], next_cursor?: string|null, total?: int, groups?: [LetterGroup]"),
    post("/v1/dead-letters/replay", "Replay many, as a job").ext().admins().body(JOB_ORDER).gives(ORDERED),
    post("/v1/dead-letters/discard", "Discard many, as a job").ext().admins().body(JOB_ORDER).gives(ORDERED),
    get("/v1/dead-letters/{id}", "A dead letter with its attempts").ext().admins().gives("dead_letter: DeadLetter, intent: Intent, attempts: [Attempt]").refuses("dead_letter_not_found"),
    post("/v1/dead-letters/{id}/replay", "Replay it as a new intent").ext().admins().query(OWNED)
        .body("payload?: object, to_agent?, max_delivery_attempts?: int(1..), force?: bool, reason?, hold_seconds?: int(0..60)")
        .gives("intent: Intent, dead_letter?: DeadLetter, held?: Hold")
        .refuses("dead_letter_not_found already_replayed dead_letter_closed payload_schema_mismatch agent_not_found policy_denied"),
    post("/v1/dead-letters/{id}/discard", "Put it aside").ext().admins().query(OWNED).body("reason, hold_seconds?: int(0..60)")
        .gives("dead_letter?: DeadLetter, held?: Hold").refuses("dead_letter_not_found already_replayed dead_letter_closed"),
    post("/v1/dead-letters/groups/{fingerprint}", "Say whose a group of dead letters is, and whether it is dealt with").ext().admins()
        .body("state?: new/acknowledged/muted/resolved, owner?, note?, reason?").gives("group: GroupMark").refuses("dead_letter_not_found"),
    get("/v1/jobs", "Jobs, newest first").ext().admins().query("state: running/paused/done/canceled, limit: int(1..500), cursor").gives("jobs: [Job], next_cursor: string|null"),
    post("/v1/jobs", "Order a job").ext().admins().gives(ORDERED)
        .body("kind: replay/discard/cancel, filter?: LetterFilter, limit?: int(1..100000), order?: oldest/newest, rate_per_second?: number,
            max_in_flight?: int(1..), canary?: int(0..), stop_after_failures?: int(0..),
            max_delivery_attempts?: int(1..20), force?: bool, reason?, dry_run?: bool"),
    get("/v1/jobs/{id}", "A job and what became of each intent").ext().admins().query("limit: int(1..500), cursor")
        .gives("job: Job, items: [JobItem], outcomes: [JobOutcome], next_cursor: string|null").refuses("job_not_found"),
    post("/v1/jobs/{id}/pause", "Pause a job").ext().admins().gives("job: Job").refuses("job_not_found job_finished"),
    post("/v1/jobs/{id}/resume", "Let a job go on").ext().admins().gives("job: Job").refuses("job_not_found job_finished"),
    post("/v1/jobs/{id}/cancel", "End a job; nothing is undone").ext().admins().gives("job: Job").refuses("job_not_found job_finished"),
    get("/v1/holds", "What is held and can be taken back").ext().admins().query("limit: int(1..500)").gives("holds: [Hold]"),
    post("/v1/holds/{id}/cancel", "Take it back").ext().admins().query(OWNED).gives("hold: Hold").refuses("hold_not_found hold_elapsed intent_terminal"),
    get("/v1/deliveries", "Deliveries").query("status, principal_id, limit: int(1..1000), cursor").gives("deliveries: [Delivery], next_cursor: string|null").refuses("account_not_found"),
    post("/v1/deliveries", "Not part of Postroom").never(),
    post("/v1/deliveries/reconcile", "Not part of Postroom").never(),
    get("/v1/deliveries/{id}", "A delivery").gives("delivery: Delivery").refuses("delivery_not_found"),
    post("/v1/deliveries/{id}/replay", "Deliver anew what was given up").admins().gives("delivery: Delivery")
        .refuses("delivery_not_found not_replayable already_replayed dead_letter_closed policy_denied"),
];

#[rustfmt::skip]
const OPERATORS: &[Operation] = &[
    get("/v1/overview", "How the broker is doing").ext().admins().content(Content::Whole("Overview")),
    get("/v1/attempts", "Attempts, newest first").ext().admins().gives("attempts: [Attempt], next_cursor: string|null")
        .query("intent_id: uuid, agent, binding: Binding, outcome, error_class, since: time, until: time, limit: int(1..500), cursor"),
    get("/v1/events", "What has happened").ext().admins().gives("events: [FeedItem], next_since: int, oldest: int, head: int").refuses("cursor_expired")
        .query("since: int(0..), types, intent_id: uuid, agent, wait_seconds: int(0..60), wait_ms: int(0..), limit: int(1..1000)"),
    get("/v1/events/stream", "The same as it happens").ext().admins().content(Content::Stream).refuses("cursor_expired")
        .query("since: int(0..), types, intent_id: uuid, agent, wait_seconds: int(0..)"),
    post("/internal/scheduler/workflow-tick", "Do what is due now, as an outside clock would ask; the broker does by itself").admins()
        .query("dry_run: bool").body("dry_run?: bool").gives("processed: int, dry_run: bool"),
    post("/internal/scheduler/webhook-tick", "The same for events on their way to subscriptions").admins()
        .query("dry_run: bool").body("dry_run?: bool").gives("processed: int, dry_run: bool"),
    post("/internal/scheduler/reconcile-safety", "The same for everything").admins()
        .query("dry_run: bool").body("dry_run?: bool").gives("processed: int, dry_run: bool"),
    get("/v1/audit/events", "Who has done what").admins().gives("events: [AuditEvent], next_cursor: string|null")
        .query("owner_agent, action_prefix, via, target, result: done/refused, since: time, until: time, limit: int(1..1000), cursor"),
    post("/v1/audit/events", "Put on record what a console has shown or written").ext().admins()
        .body("action: payload.reveal/export, target, reason?, details?: object"),
];
