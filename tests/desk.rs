//! One suite of behaviours for both desks, over the same running broker.
#![expect(clippy::panic, clippy::unwrap_used, reason = "tests")]

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use postroom::api::{self, ApiParts};
use postroom::broker::request::{AdminCommand, AuditNote, NewAgent, Request};
use postroom::broker::session::{Handover, Session, SessionMode, SessionSpec};
use postroom::broker::{Broker, Settings};
use postroom::clock::{Clock, ManualClock, SeededEntropy};
use postroom::desk::act::{Act, Done, NewIntent, Recorded};
use postroom::desk::local::{LocalDesk, LocalOptions};
use postroom::desk::remote::RemoteDesk;
use postroom::desk::rows::{AgentState, IntentRow};
use postroom::desk::{Desk, DeskError};
use postroom::domain::address::{Address, Home};
use postroom::domain::agent::{AgentLimit, Binding};
use postroom::domain::fact::Actor;
use postroom::domain::failure::{ErrorClass, Failure};
use postroom::domain::group::{GroupChange, GroupStand, GroupState};
use postroom::domain::ids::{Cursor, HoldId, IntentId, JobId};
use postroom::domain::job::{JobControl, JobKind, JobState, NewJob, ReplayTerms, Selection};
use postroom::domain::key::Role;
use postroom::domain::payload::Payload;
use postroom::domain::policy::Policy;
use postroom::domain::status::{State, Status};
use postroom::domain::task::{ReminderPlan, TaskSpec, TaskType};
use postroom::domain::time::{Span, Timestamp};
use postroom::domain::via::Via;
use postroom::engine::command::{Choice, Command, Fail, PayloadSource, Submit};
use postroom::shutdown::Shutdown;
use postroom::store::memory::MemoryStore;
use postroom::store::query::{
    AttemptFilter, AuditFilter, IntentFilter, LetterFilter, LetterState, PageRequest, ThreadFilter,
    ThreadKind,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const START_MS: i64 = 1_775_901_600_000;

struct House {
    broker: Broker,
    clock: Arc<ManualClock>,
    local: LocalDesk,
    remote: RemoteDesk,
    url: String,
}

fn address(name: &str) -> Address {
    Address::parse(name, &Home::default()).unwrap()
}

fn note() -> AuditNote {
    AuditNote {
        actor: "test".to_owned(),
        key: None,
        via: "cli".to_owned(),
        action: "test".to_owned(),
        target: "test".to_owned(),
        owner: None,
        reason: None,
        trace_id: None,
    }
}

async fn house() -> House {
    let clock = Arc::new(ManualClock::at(Timestamp::from_millis(START_MS)));
    let shutdown = Shutdown::new(tokio::runtime::Handle::current());
    let settings = Settings {
        policy: Policy {
            jitter_percent: 0,
            ..Policy::default()
        },
        queue_max: 1024,
        batch_commands_max: 4096,
        batch_bytes_max: 1 << 20,
        busy_wait: Duration::from_secs(5),
        bus_lag_max: 1024,
        readers: 2,
        room: postroom::broker::vitals::RoomSettings::default(),
        fresh_ids: ("org".to_owned(), "ws".to_owned()),
        webhook_words: postroom::broker::webhooks::plain_words,
    };
    let shared: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
    let entropy = Arc::new(SeededEntropy::new(7));
    let store = Box::new(MemoryStore::new());
    let broker = Broker::start(store, settings, shared, entropy, &shutdown.tasks("broker"))
        .await
        .unwrap();
    let key = admin_key(&broker).await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let parts = ApiParts {
        broker: broker.clone(),
        settings: api::Settings::default(),
        listener,
    };
    let bound = api::serve(parts, &shutdown.tasks("api")).unwrap();
    let url = format!("http://{bound}");
    let options = LocalOptions {
        identity: address("operator"),
        via: Via::Console,
        environment: String::new(),
        is_protected: false,
        hold: Span::from_seconds(5),
        is_read_only: false,
        payload_bytes_max: 131_072,
        is_strict: false,
    };
    House {
        local: LocalDesk::new(broker.clone(), options),
        remote: RemoteDesk::new(&url, &key, "console").unwrap(),
        broker,
        clock,
        url,
    }
}

/// The operator's account and its key.
async fn admin_key(broker: &Broker) -> String {
    let account = NewAgent {
        address: address("operator"),
        name: "operator".to_owned(),
        display_name: None,
        description: None,
        binding: Binding::Inbox,
        callback_url: None,
        ack_timeout: None,
        max_in_flight: None,
    };
    let registered = broker
        .administer(AdminCommand::Register(Box::new(account)), note())
        .await
        .unwrap();
    let account = registered.agent.unwrap().account.unwrap();
    let token = format!("axme_sa_{account}_{}", "k".repeat(43));
    let create = AdminCommand::CreateKey {
        id: broker.next_key_id(),
        account,
        hash: api::hash_token(&token),
        hint: "k".to_owned(),
        role: Role::Admin,
        expires_at: None,
    };
    broker.administer(create, note()).await.unwrap();
    token
}

/// Runs a scenario twice, each time in a house of its own: once acted through the local desk, once
/// through the remote one. Afterwards both desks must show the same in both houses.
async fn through_both(scenario: impl AsyncFn(&House, &dyn Desk)) {
    let first = house().await;
    scenario(&first, &first.local).await;
    first.agree("acted locally").await;
    let second = house().await;
    scenario(&second, &second.remote).await;
    second.agree("acted remotely").await;
}

impl House {
    /// Both desks show the same, wherever one looks.
    async fn agree(&self, when: &str) {
        // Two passes of the writer: what lay in its queue is done, and so is what follows a commit.
        self.pass(0).await;
        self.pass(0).await;
        let (one, other): (&dyn Desk, &dyn Desk) = (&self.local, &self.remote);
        let overview = one.overview().await.unwrap();
        assert_eq!(overview, other.overview().await.unwrap(), "{when}");
        assert_eq!(
            one.agents().await.unwrap(),
            other.agents().await.unwrap(),
            "{when}"
        );
        for row in one.agents().await.unwrap() {
            assert_eq!(
                one.agent(row.address.clone()).await.unwrap(),
                other.agent(row.address).await.unwrap(),
                "{when}"
            );
        }
        assert_eq!(
            one.held().await.unwrap(),
            other.held().await.unwrap(),
            "{when}"
        );
        self.agree_on_intents(when).await;
        self.agree_on_letters(when).await;
        self.agree_on_threads(when).await;
        self.agree_on_jobs(when).await;
        let page = PageRequest::default;
        let attempts = one.attempts(AttemptFilter::default(), page()).await;
        assert_eq!(
            attempts,
            other.attempts(AttemptFilter::default(), page()).await,
            "{when}"
        );
        let feed = one.feed(Some(Cursor(0)), 0).await.unwrap();
        let (rows, remote) = (feed.rows, other.feed(Some(Cursor(0)), 0).await.unwrap());
        for (local, remote) in rows.iter().zip(&remote.rows) {
            assert_eq!(
                (local, local.data.as_str()),
                (remote, remote.data.as_str()),
                "{when}"
            );
        }
        assert_eq!(
            (rows.len(), feed.next, feed.head),
            (remote.rows.len(), remote.next, remote.head),
            "{when}"
        );
    }

    async fn agree_on_jobs(&self, when: &str) {
        let (one, other): (&dyn Desk, &dyn Desk) = (&self.local, &self.remote);
        let page = PageRequest::default;
        for filter in [
            AuditFilter::default(),
            AuditFilter {
                action_prefix: Some("job.".to_owned()),
                party: Some(address("operator")),
                via: Some("console".to_owned()),
                is_refused: Some(false),
                ..AuditFilter::default()
            },
        ] {
            let audit = one.audit(filter.clone(), page()).await;
            assert_eq!(audit, other.audit(filter, page()).await, "{when}");
        }
        let jobs = one.jobs(None, page()).await.unwrap();
        assert_eq!(jobs, other.jobs(None, page()).await.unwrap(), "{when}");
        for job in jobs.items {
            let view = one.job(job.id, page()).await.unwrap();
            assert_eq!(view.row, job, "{when}");
            assert_eq!(view, other.job(job.id, page()).await.unwrap(), "{when}");
        }
    }

    async fn agree_on_intents(&self, when: &str) {
        let filters = [
            IntentFilter::default(),
            IntentFilter {
                is_unfinished: true,
                ..IntentFilter::default()
            },
            IntentFilter {
                states: vec![State::DeadLetter, State::Queued],
                ..IntentFilter::default()
            },
            IntentFilter {
                statuses: vec![Status::Completed, Status::Failed],
                to: Some(address("orders")),
                ..IntentFilter::default()
            },
            IntentFilter {
                contains: vec!["agent".to_owned(), "ORDERS, or not".to_owned()],
                ..IntentFilter::default()
            },
            IntentFilter {
                contains: vec!["orders".to_owned(), "v1".to_owned()],
                ..IntentFilter::default()
            },
        ];
        for filter in filters {
            let page = PageRequest::default();
            let local = self.local.intents(filter.clone(), page.clone()).await;
            let remote = self.remote.intents(filter.clone(), page).await;
            assert_eq!(local, remote, "{when}, {filter:?}");
        }
        for row in self.all(&self.local).await {
            let local = self.local.intent(row.id).await.unwrap();
            let remote = self.remote.intent(row.id).await.unwrap();
            assert_eq!(local.payload.as_str(), remote.payload.as_str(), "{when}");
            assert_eq!(
                local.end.as_ref().map(Payload::as_str),
                remote.end.as_ref().map(Payload::as_str),
                "{when}"
            );
            for (one, other) in local.events.iter().zip(&remote.events) {
                assert_eq!(one.details.as_str(), other.details.as_str(), "{when}");
            }
            assert_eq!(local, remote, "{when}");
        }
    }

    async fn agree_on_letters(&self, when: &str) {
        for state in [
            None,
            Some(LetterState::Replayed),
            Some(LetterState::Discarded),
        ] {
            let filter = LetterFilter {
                state,
                ..LetterFilter::default()
            };
            let page = PageRequest::default();
            let local = self.local.letters(filter.clone(), page.clone()).await;
            let remote = self.remote.letters(filter, page).await;
            assert_eq!(local, remote, "{when}, {state:?}");
        }
        assert_eq!(
            self.local.letter_groups(LetterFilter::default()).await,
            self.remote.letter_groups(LetterFilter::default()).await,
            "{when}"
        );
    }

    async fn agree_on_threads(&self, when: &str) {
        let filters = [
            ThreadFilter::default(),
            ThreadFilter {
                is_pending: Some(true),
                kind: Some(ThreadKind::Task),
                is_due_first: true,
                ..ThreadFilter::default()
            },
            ThreadFilter {
                is_pending: Some(false),
                ..ThreadFilter::default()
            },
            ThreadFilter {
                kind: Some(ThreadKind::Completion),
                ..ThreadFilter::default()
            },
            ThreadFilter {
                owner: Some(address("finance")),
                ..ThreadFilter::default()
            },
        ];
        for filter in filters {
            let page = PageRequest::default();
            let local = self.local.tasks(filter.clone(), page.clone()).await;
            let remote = self.remote.tasks(filter.clone(), page).await;
            assert_eq!(local, remote, "{when}, {filter:?}");
            for row in local.unwrap().items {
                assert_eq!(
                    self.local.thread(row.thread).await,
                    self.remote.thread(row.thread).await,
                    "{when}"
                );
            }
        }
    }

    async fn all(&self, desk: &dyn Desk) -> Vec<IntentRow> {
        desk.intents(IntentFilter::default(), PageRequest::default())
            .await
            .unwrap()
            .items
    }

    async fn listen(&self, name: &str) -> Session {
        let spec = SessionSpec {
            agent: address(name),
            binding: Binding::Stream,
            credit: 8,
            mode: SessionMode::Standing {
                is_cold_start: false,
            },
        };
        self.broker.open_session(spec).await.unwrap()
    }

    async fn fail(&self, handover: &Handover, message: &str) {
        let fail = Command::Fail(Fail {
            attempt: Some(handover.attempt),
            failure: Failure {
                http_status: Some(503),
                ..Failure::new(ErrorClass::Http5xx, message)
            },
            delay: None,
            by: Actor::Broker,
            report: None,
        });
        let request = Request::plain(handover.intent.id, fail);
        self.broker.run(request).await.unwrap();
    }

    /// Sends one with a budget of one, and fails it.
    async fn dead_letter(&self, desk: &dyn Desk) -> IntentId {
        let mut session = self.listen("orders").await;
        let sent = send(
            desk,
            NewIntent {
                max_attempts: Some(1),
                ..new("orders")
            },
        )
        .await;
        let handover = session.next().await.unwrap();
        self.fail(&handover, "503 upstream 17 unavailable").await;
        session.end_window();
        sent
    }

    /// Asks a person something, with a first reminder and a deadline.
    async fn ask(&self, remind_after: Option<Span>, ttl: Option<Span>) -> IntentId {
        let id = self.broker.new_intent_id();
        let task = TaskSpec {
            title: "May it happen?".to_owned(),
            description: None,
            task_type: TaskType::Approval,
            allowed_outcomes: Vec::new(),
            is_comment_required: false,
            assignees: Vec::new(),
            is_evidence_required: false,
            form_schema: None,
            notify_email: None,
        };
        let submit = Submit {
            id,
            thread: self.broker.new_thread_id(),
            intent_type: "intent.ask.v1".to_owned(),
            correlation_id: "0d3e0000-0000-4000-8000-000000000001".to_owned(),
            from: address("web"),
            to: address("finance"),
            reply_to: None,
            trace_id: None,
            payload: PayloadSource::Given(Payload::empty()),
            payload_bytes: 2,
            deadline: None,
            ttl,
            max_attempts: None,
            reminders: ReminderPlan {
                after: remind_after,
                ..ReminderPlan::default()
            },
            task: Some(Box::new(task)),
            replay: None,
            part: postroom::engine::command::Part::Plain,
        };
        let request = Request::plain(id, Command::Submit(Box::new(submit)));
        self.broker.run(request).await.unwrap();
        id
    }

    async fn pass(&self, seconds: i64) {
        self.clock.advance(Span::from_seconds(seconds));
        self.broker.tick().await.unwrap();
    }
}

fn new(to: &str) -> NewIntent {
    NewIntent {
        intent_type: "intent.order.process.v1".to_owned(),
        to: to.to_owned(),
        payload: Payload::object(r#"{"order_id":"ORD-1","amount":1.50,"a":[null,"é\u2028"]}"#)
            .unwrap(),
        reply_to: None,
        correlation_id: None,
        deadline: None,
        max_attempts: None,
        human_task: None,
        key: None,
    }
}

fn approval() -> NewIntent {
    let task = r#"{"title":"Approve refund","description":"of 12 EUR","required_comment":true}"#;
    NewIntent {
        human_task: Some(Payload::object(task).unwrap()),
        reply_to: Some("web".to_owned()),
        ..new("finance")
    }
}

async fn send(desk: &dyn Desk, new: NewIntent) -> IntentId {
    desk.act(Act::Send(Box::new(new)))
        .await
        .unwrap()
        .intent
        .unwrap()
}

fn decide(intent: IntentId, choice: Choice, comment: Option<&str>) -> Act {
    Act::Decide {
        intent,
        choice,
        comment: comment.map(str::to_owned),
        data: None,
        version: Some(1),
        hold: Span::ZERO,
    }
}

fn replay(intent: IntentId, hold_seconds: i64) -> Act {
    Act::Replay {
        intent,
        payload: None,
        to: None,
        is_forced: false,
        reason: Some("receiver fixed".to_owned()),
        hold: Span::from_seconds(hold_seconds),
    }
}

fn hasten(intent: IntentId) -> Act {
    Act::RetryNow {
        intent,
        reason: "vendor is back".to_owned(),
    }
}

/// The newest entry of that action in the audit log gives this reason.
async fn on_record(desk: &dyn Desk, action: &str, reason: &str) {
    let page = PageRequest::default();
    let audit = desk.audit(AuditFilter::default(), page).await.unwrap();
    let entry = audit.items.iter().find(|entry| entry.action == action);
    let why = entry.and_then(|entry| entry.reason.as_deref());
    assert_eq!(why, Some(reason), "{action}: {:?}", audit.items);
}

fn code(result: Result<Done, DeskError>) -> (String, serde_json::Value) {
    match result {
        Err(DeskError::Refused { code, details, .. }) => (code, details),
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[tokio::test]
async fn an_intent_is_sent_handed_over_and_completed() {
    through_both(async |house, desk| {
        let id = send(desk, new("orders")).await;
        assert_eq!(desk.intent(id).await.unwrap().row.state, State::Queued);
        house.agree("ready").await;
        let mut session = house.listen("orders").await;
        let handover = session.next().await.unwrap();
        house.agree("leased").await;
        let done = desk
            .act(Act::Resume {
                intent: id,
                body: Payload::object(r#"{"action":"complete","total":2.50}"#).unwrap(),
                attempt: Some(handover.attempt),
            })
            .await
            .unwrap();
        assert_eq!(
            (done.intent, done.status),
            (Some(id), Some(Status::Completed))
        );
        let view = desk.intent(id).await.unwrap();
        assert_eq!(view.end.unwrap().as_str(), r#"{"total":2.50}"#);
        let told: Vec<_> = view
            .events
            .iter()
            .map(|event| (event.event_type.as_str(), event.status))
            .collect();
        assert_eq!(
            told,
            [
                ("intent.created", Status::Created),
                ("intent.submitted", Status::Submitted),
                ("intent.delivered", Status::Delivered),
                ("intent.attempt_started", Status::Delivered),
                ("intent.completed", Status::Completed),
            ]
        );
        assert_eq!(view.attempts.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_failed_attempt_is_retried_now_and_ends_as_a_dead_letter_in_a_group() {
    through_both(async |house, desk| {
        let id = send(
            desk,
            NewIntent {
                max_attempts: Some(2),
                ..new("orders")
            },
        )
        .await;
        let mut session = house.listen("orders").await;
        let handover = session.next().await.unwrap();
        house.fail(&handover, "503 busy").await;
        let row = desk.intent(id).await.unwrap().row;
        assert_eq!(
            (row.state, row.note.as_deref()),
            (State::Retrying, Some("503 busy"))
        );
        house.agree("backing off").await;
        desk.act(hasten(id)).await.unwrap();
        on_record(desk, "intent.retry_now", "vendor is back").await;
        let handover = session.next().await.unwrap();
        assert_eq!(handover.number, 2);
        house.fail(&handover, "503 still busy").await;
        let letters = desk
            .letters(LetterFilter::default(), PageRequest::default())
            .await
            .unwrap();
        assert_eq!(letters.items[0].message, "503 still busy");
        let groups = desk.letter_groups(LetterFilter::default()).await.unwrap();
        assert_eq!(
            (groups[0].count, groups[0].newest.as_slice()),
            (1, [id].as_slice())
        );
        let again = code(desk.act(hasten(id)).await);
        assert_eq!(again.0, "intent_terminal");
    })
    .await;
}

#[tokio::test]
async fn a_held_replay_is_taken_back_then_takes_effect_once() {
    through_both(async |house, desk| {
        let id = house.dead_letter(desk).await;
        let staged = desk.act(replay(id, 5)).await.unwrap();
        assert_eq!(
            staged.effective_at,
            Some(Timestamp::from_millis(START_MS + 5000))
        );
        let held = desk.held().await.unwrap();
        assert_eq!(
            (held.len(), held[0].act.as_str(), held[0].intent),
            (1, "replay", id)
        );
        house.agree("held").await;
        let hold = staged.hold.unwrap();
        let undone = desk.act(Act::Undo { hold }).await.unwrap();
        assert_eq!(undone.intent, Some(id));
        assert!(desk.held().await.unwrap().is_empty());

        let staged = desk.act(replay(id, 5)).await.unwrap();
        house.pass(5).await;
        let hold = staged.hold.unwrap();
        let late = code(desk.act(Act::Undo { hold }).await);
        assert_eq!(late.0, "hold_elapsed");
        let view = desk.intent(id).await.unwrap();
        let new = desk.intent(view.replayed_as.unwrap()).await.unwrap();
        assert_eq!((new.row.replay_of, new.origin), (Some(id), id));
        let (code, details) = code(desk.act(replay(id, 0)).await);
        assert_eq!(code, "already_replayed");
        assert_eq!(details["replayed_as"], new.row.id.to_string());
    })
    .await;
}

#[tokio::test]
async fn a_replay_may_be_edited_and_a_discarded_letter_is_closed() {
    through_both(async |house, desk| {
        let id = house.dead_letter(desk).await;
        let done = desk
            .act(Act::Replay {
                intent: id,
                payload: Some(Payload::object(r#"{"z":1,"b":2.50}"#).unwrap()),
                to: Some(address("billing")),
                is_forced: false,
                reason: None,
                hold: Span::ZERO,
            })
            .await
            .unwrap();
        let new = desk.intent(done.new_intent.unwrap()).await.unwrap();
        assert_eq!(new.payload.as_str(), r#"{"z":1,"b":2.50}"#);
        assert_eq!(new.row.to, address("billing"));
        assert_eq!((done.intent, done.status), (Some(id), Some(Status::Failed)));

        let other = house.dead_letter(desk).await;
        let discard = Act::Discard {
            intent: other,
            reason: "test data".to_owned(),
            hold: Span::ZERO,
        };
        desk.act(discard).await.unwrap();
        assert_eq!(
            code(desk.act(replay(other, 0)).await).0,
            "dead_letter_closed"
        );
        let sent = send(desk, new_to_nobody()).await;
        assert_eq!(
            code(desk.act(replay(sent, 0)).await).0,
            "dead_letter_not_found"
        );
    })
    .await;
}

#[tokio::test]
async fn a_timeline_tells_also_what_people_did() {
    through_both(async |house, desk| {
        let id = house.dead_letter(desk).await;
        desk.act(Act::Discard {
            intent: id,
            reason: "test data".to_owned(),
            hold: Span::ZERO,
        })
        .await
        .unwrap();
        let events = desk.intent(id).await.unwrap().events;
        let seqs: Vec<u32> = events.iter().map(|event| event.seq).collect();
        assert!(
            seqs.iter()
                .copied()
                .eq(1..=u32::try_from(seqs.len()).unwrap())
        );
        let last = events.last().unwrap();
        assert_eq!(last.event_type, "dead_letter.discarded");
        assert_eq!(last.actor, address("operator").to_string());
        assert_eq!(last.details.as_str(), r#"{"reason":"test data"}"#);
    })
    .await;
}

#[tokio::test]
async fn what_a_desk_shows_or_writes_is_on_record_and_nothing_else_can_be_put_there() {
    through_both(async |house, desk| {
        let id = house.dead_letter(desk).await;
        let before = desk.intent(id).await.unwrap();
        let record = |action, details: &str| Act::Record {
            action,
            target: id.to_string(),
            reason: None,
            details: Payload::object(details).unwrap(),
        };
        desk.act(record(Recorded::Reveal, r#"{"path":"/token"}"#))
            .await
            .unwrap();
        desk.act(record(Recorded::Export, r#"{"rows":3}"#))
            .await
            .unwrap();
        assert_eq!(desk.intent(id).await.unwrap(), before);
        let entries = desk
            .audit(AuditFilter::default(), PageRequest::default())
            .await
            .unwrap()
            .items;
        let [export, reveal] = [&entries[0], &entries[1]];
        assert_eq!(
            (export.action.as_str(), export.result.as_str()),
            ("export", "done")
        );
        assert_eq!(reveal.action, "payload.reveal");
        assert_eq!(
            (
                reveal.target.as_str(),
                reveal.via.as_str(),
                reveal.actor.as_str()
            ),
            (
                id.to_string().as_str(),
                "console",
                address("operator").to_string().as_str()
            )
        );
        let details = reveal.details.as_ref().map(Payload::as_str);
        assert_eq!(details, Some(r#"{"path":"/token"}"#));
    })
    .await;
}

#[tokio::test]
async fn a_group_is_taken_noted_and_resolved_and_regresses_when_it_grows() {
    through_both(async |house, desk| {
        house.dead_letter(desk).await;
        let group = async || {
            let groups = desk.letter_groups(LetterFilter::default()).await.unwrap();
            groups.into_iter().next().unwrap()
        };
        let first = group().await;
        assert_eq!(first.state, GroupState::Said(GroupStand::New));
        let mark = |fingerprint: &str, change| Act::MarkGroup {
            fingerprint: fingerprint.to_owned(),
            change,
            reason: Some("vendor call".to_owned()),
        };
        let taken = GroupChange {
            stand: Some(GroupStand::Acknowledged),
            owner: Some(Some(address("alice"))),
            note: Some(Some("vendor looks at it".to_owned())),
        };
        desk.act(mark(&first.fingerprint, taken)).await.unwrap();
        let now = group().await;
        assert_eq!(now.state, GroupState::Said(GroupStand::Acknowledged));
        assert_eq!(
            (now.owner, now.note.as_deref()),
            (Some(address("alice")), Some("vendor looks at it"))
        );
        assert_eq!(now.marked.unwrap().0, address("operator").to_string());
        let resolved = GroupChange {
            stand: Some(GroupStand::Resolved),
            owner: Some(None),
            ..GroupChange::default()
        };
        desk.act(mark(&first.fingerprint, resolved)).await.unwrap();
        let now = group().await;
        assert_eq!(
            (now.state, now.owner),
            (GroupState::Said(GroupStand::Resolved), None)
        );
        assert_eq!(
            now.note.as_deref(),
            Some("vendor looks at it"),
            "what is not named stays"
        );
        house.pass(60).await;
        house.dead_letter(desk).await;
        assert_eq!(group().await.state, GroupState::Regressed);
        let nothing = desk.act(mark("1:nothing", GroupChange::default())).await;
        assert_eq!(code(nothing).0, "dead_letter_not_found");
        let entries = desk
            .audit(AuditFilter::default(), PageRequest::default())
            .await
            .unwrap()
            .items;
        let marks: Vec<(&str, Option<&str>)> = entries
            .iter()
            .filter(|entry| entry.action == "dead_letter.group")
            .map(|entry| (entry.result.as_str(), entry.reason.as_deref()))
            .collect();
        assert_eq!(
            marks,
            [
                ("dead_letter_not_found", Some("vendor call")),
                ("done", Some("vendor call")),
                ("done", Some("vendor call")),
            ]
        );
    })
    .await;
}

fn new_to_nobody() -> NewIntent {
    new("nobody")
}

#[tokio::test]
async fn the_second_of_two_decisions_hears_who_decided_what_and_when() {
    through_both(async |house, desk| {
        let id = send(desk, approval()).await;
        house.agree("open").await;
        let bare = code(desk.act(decide(id, Choice::Yes, None)).await);
        assert_eq!(bare.0, "comment_required");
        let odd = Choice::Outcome("maybe".to_owned());
        let (odd, details) = code(desk.act(decide(id, odd, Some("?"))).await);
        assert_eq!(odd, "outcome_not_allowed");
        assert_eq!(
            details["allowed"],
            serde_json::json!(["approved", "rejected"])
        );

        let done = desk
            .act(decide(id, Choice::Yes, Some("looks right")))
            .await
            .unwrap();
        assert_eq!(
            (done.intent, done.status),
            (Some(id), Some(Status::Completed))
        );
        let no = Choice::Outcome("rejected".to_owned());
        let (late, details) = code(desk.act(decide(id, no, Some("no"))).await);
        assert_eq!(late, "already_decided");
        assert_eq!(details["by"], "agent://local/default/operator");
        assert_eq!(details["outcome"], "approved");
        assert_eq!(details["at"], "2026-04-11T10:00:00.000Z");

        let task = desk.intent(id).await.unwrap().task.unwrap();
        let decision = task.decision.unwrap();
        assert_eq!(decision.comment.as_deref(), Some("looks right"));
        let thread = desk.thread(task.thread).await.unwrap();
        let told: Vec<_> = thread
            .timeline
            .iter()
            .map(|event| event.event_type.as_str())
            .collect();
        assert_eq!(told, ["intent_received", "inbox.approved"]);
        let plain = send(desk, new("orders")).await;
        let none = code(desk.act(decide(plain, Choice::Yes, None)).await);
        assert_eq!(none.0, "task_not_pending");
    })
    .await;
}

#[tokio::test]
async fn a_task_is_handed_on_taken_and_given_back() {
    through_both(async |_house, desk| {
        let id = send(desk, approval()).await;
        let hand = async |to: Option<&str>, version: Option<u32>| {
            let act = Act::Delegate {
                intent: id,
                to: to.map(address),
                note: Some("please".to_owned()),
                version,
            };
            desk.act(act).await
        };
        let task = async || desk.intent(id).await.unwrap().task.unwrap();
        hand(Some("bob"), Some(1)).await.unwrap();
        let bob = Some("agent://local/default/bob".to_owned());
        let handed = task().await;
        assert_eq!((handed.version, &handed.delegated_to), (2, &bob));
        assert_eq!(code(hand(None, Some(1)).await).0, "task_version_stale");
        let filter = ThreadFilter {
            owner: Some(address("bob")),
            ..ThreadFilter::default()
        };
        let rows = desk.tasks(filter, PageRequest::default()).await.unwrap();
        assert_eq!(rows.items.len(), 1);
        assert_eq!(rows.items[0], handed);
        let thread = desk.thread(handed.thread).await.unwrap();
        let entry = thread.timeline.last().unwrap();
        assert_eq!(entry.event_type, "inbox.delegated");
        assert_eq!(entry.text.as_deref(), Some("please"));
        hand(None, None).await.unwrap();
        let identity = desk.hello().await.unwrap().identity;
        assert_eq!(task().await.delegated_to, Some(identity.to_string()));
        let owner = task().await.owner;
        hand(Some(owner.key()), None).await.unwrap();
        assert_eq!(task().await.delegated_to, None);
        let current = task().await.version;
        let act = Act::Decide {
            intent: id,
            choice: Choice::Yes,
            comment: Some("fine".to_owned()),
            data: None,
            version: Some(current),
            hold: Span::ZERO,
        };
        desk.act(act).await.unwrap();
        assert_eq!(code(hand(None, None).await).0, "already_decided");
        let plain = send(desk, new("orders")).await;
        let act = Act::Delegate {
            intent: plain,
            to: None,
            note: None,
            version: None,
        };
        assert_eq!(code(desk.act(act).await).0, "task_not_pending");
    })
    .await;
}

#[tokio::test]
async fn a_held_decision_is_shown_on_its_task_and_a_reply_in_its_thread() {
    through_both(async |house, desk| {
        let id = send(desk, approval()).await;
        let message = "which account?".to_owned();
        desk.act(Act::Reply {
            intent: id,
            message,
        })
        .await
        .unwrap();
        let version = desk.intent(id).await.unwrap().task.unwrap().version;
        let staged = desk
            .act(Act::Decide {
                intent: id,
                choice: Choice::No,
                comment: Some("not ours".to_owned()),
                data: None,
                version: Some(version),
                hold: Span::from_seconds(5),
            })
            .await
            .unwrap();
        assert_eq!(staged.status, Some(Status::Waiting));
        let held = desk.intent(id).await.unwrap().task.unwrap().held.unwrap();
        assert_eq!(
            (held.act.as_str(), Some(held.hold)),
            ("rejected", staged.hold)
        );
        house.agree("held").await;
        house.pass(5).await;
        assert_eq!(desk.intent(id).await.unwrap().row.status, Status::Failed);
        let nothing = code(desk.act(Act::Undo { hold: HoldId(999) }).await);
        assert_eq!(nothing.0, "hold_not_found");
    })
    .await;
}

/// A question with a form that asks for evidence as well.
fn vat_form() -> NewIntent {
    let task = r#"{"title":"Missing VAT id","task_type":"form","evidence_required":true,
        "assignees":["bob"],"form_schema":{"type":"object","required":["vat_id"],"properties":{
        "vat_id":{"type":"string","pattern":"^[A-Z]{2}[0-9]+$"},"share":{"type":"number"}}}}"#;
    NewIntent {
        human_task: Some(Payload::object(task).unwrap()),
        ..new("finance")
    }
}

#[tokio::test]
async fn a_held_decision_keeps_what_was_handed_in_and_takes_effect_with_it() {
    through_both(async |house, desk| {
        let id = send(desk, vat_form()).await;
        let staged = async |data: &str, seconds: i64| {
            let act = Act::Decide {
                intent: id,
                choice: Choice::Outcome("submitted".to_owned()),
                comment: None,
                data: Some(Payload::object(data).unwrap()),
                version: Some(1),
                hold: Span::from_seconds(seconds),
            };
            desk.act(act).await
        };
        let task = desk.intent(id).await.unwrap().task.unwrap();
        assert!(task.is_evidence_required && task.form.is_some());
        assert_eq!(task.assignees, ["bob"]);
        let bare = code(staged(r#"{"vat_id":"SE5560"}"#, 5).await);
        assert_eq!(bare.0, "evidence_required");
        let wrong = r#"{"vat_id":"5560","evidence":"register"}"#;
        assert_eq!(code(staged(wrong, 5).await).0, "form_invalid");
        let right = r#"{"vat_id":"SE5560","share":0.50,"evidence":"register"}"#;
        let done = staged(right, 5).await.unwrap();
        assert_eq!(done.status, Some(Status::Waiting));
        house.agree("held with a form").await;
        house.pass(4).await;
        assert_eq!(desk.intent(id).await.unwrap().row.status, Status::Waiting);
        house.pass(1).await;
        let view = desk.intent(id).await.unwrap();
        assert_eq!(view.row.status, Status::Completed);
        let result = view.end.unwrap().to_value();
        assert_eq!(result["vat_id"], "SE5560");
        assert_eq!(result["share"], 0.5);
        assert_eq!(result["evidence"], "register");
        assert_eq!(result["outcome"], "submitted");

        let id = send(desk, vat_form()).await;
        let list = Act::Decide {
            intent: id,
            choice: Choice::Yes,
            comment: None,
            data: Some(Payload::any("[1]").unwrap()),
            version: None,
            hold: Span::ZERO,
        };
        assert_eq!(code(desk.act(list).await).0, "schema_invalid");
        assert_eq!(desk.intent(id).await.unwrap().row.status, Status::Waiting);
    })
    .await;
}

#[tokio::test]
async fn open_tasks_are_listed_by_when_they_should_be_answered_and_are_overdue_once_reminded() {
    through_both(async |house, desk| {
        let now = house.clock.now();
        let seconds = |seconds| Some(Span::from_seconds(seconds));
        let calm = house.ask(None, None).await;
        let reminded = house.ask(seconds(60), None).await;
        let first = house.ask(seconds(90), seconds(30)).await;
        let open = ThreadFilter {
            is_pending: Some(true),
            is_due_first: true,
            ..ThreadFilter::default()
        };
        let rows = desk
            .tasks(open.clone(), PageRequest::default())
            .await
            .unwrap();
        let due: Vec<_> = rows
            .items
            .iter()
            .map(|row| (row.intent, row.due_at))
            .collect();
        assert_eq!(
            due,
            [
                (first, seconds(30).map(|span| now.after(span))),
                (reminded, seconds(60).map(|span| now.after(span))),
                (calm, None),
            ]
        );
        house.pass(61).await;
        let rows = desk.tasks(open, PageRequest::default()).await.unwrap();
        let overdue: Vec<_> = rows
            .items
            .iter()
            .map(|row| (row.intent, row.is_overdue))
            .collect();
        assert_eq!(overdue, [(reminded, true), (calm, false)]);
        let overview = desk.overview().await.unwrap();
        assert_eq!((overview.tasks_open, overview.tasks_overdue), (2, 1));
    })
    .await;
}

#[tokio::test]
async fn a_paused_agent_keeps_its_intents_parked_until_it_is_let_go_on() {
    through_both(async |house, desk| {
        let mut session = house.listen("orders").await;
        let agent = address("orders");
        send(desk, new("orders")).await;
        let first = session.next().await.unwrap();
        desk.act(Act::Pause {
            agent: agent.clone(),
            reason: "cutover".to_owned(),
        })
        .await
        .unwrap();
        let id = send(desk, new("orders")).await;
        assert_eq!(desk.intent(id).await.unwrap().row.delivery, "parked");
        let rows = desk.agents().await.unwrap();
        let row = rows.iter().find(|row| row.address == agent).unwrap();
        assert_eq!(
            (row.state, row.queued, row.leased),
            (AgentState::Paused, 1, 1)
        );
        let pause = row.pause.as_ref().unwrap();
        assert_eq!(
            (pause.by.as_str(), pause.reason.as_str()),
            ("agent://local/default/operator", "cutover")
        );
        house.agree("paused").await;
        let reason = "cut over".to_owned();
        desk.act(Act::Unpause { agent, reason }).await.unwrap();
        on_record(desk, "agent.resume", "cut over").await;
        assert_eq!(session.next().await.unwrap().intent.id, id);
        session.end_window();
        drop(first);
    })
    .await;
}

#[tokio::test]
async fn a_killed_agent_gets_nothing_and_goes_on_where_it_was_once_it_is_revived() {
    through_both(async |house, desk| {
        let agent = address("orders");
        let waits = send(desk, new("orders")).await;
        let kill = Act::Kill {
            agent: agent.clone(),
            reason: "runs wild".to_owned(),
        };
        desk.act(kill).await.unwrap();
        let refused = desk.act(Act::Send(Box::new(new("orders")))).await;
        let DeskError::Refused { code, .. } = refused.unwrap_err() else {
            panic!("a killed agent was sent to")
        };
        assert_eq!(code, "policy_denied");
        let mut session = house.listen("orders").await;
        assert!(session.try_next().is_none());
        assert_eq!(desk.intent(waits).await.unwrap().row.delivery, "parked");
        let rows = desk.agents().await.unwrap();
        let row = rows.iter().find(|row| row.address == agent).unwrap();
        assert_eq!((row.state, row.queued), (AgentState::Killed, 1));
        assert_eq!(row.kill.as_ref().unwrap().reason, "runs wild");
        house.agree("killed").await;
        let reason = "patched".to_owned();
        desk.act(Act::Revive { agent, reason }).await.unwrap();
        on_record(desk, "agent.revive", "patched").await;
        assert_eq!(session.next().await.unwrap().intent.id, waits);
        session.end_window();
    })
    .await;
}

#[tokio::test]
async fn what_became_of_an_agent_s_attempts_is_told_by_bucket_with_lengths_and_errors() {
    through_both(async |house, desk| {
        let agent = address("orders");
        house.dead_letter(desk).await;
        let mut session = house.listen("orders").await;
        send(desk, new("orders")).await;
        let handover = session.next().await.unwrap();
        house.pass(20).await;
        desk.act(Act::Resume {
            intent: handover.intent.id,
            body: Payload::object(r#"{"action":"complete"}"#).unwrap(),
            attempt: Some(handover.attempt),
        })
        .await
        .unwrap();
        let view = desk.agent(agent.clone()).await.unwrap();
        let sum = |counts: &[u32]| counts.iter().sum::<u32>();
        let activity = &view.activity;
        assert_eq!((sum(&activity.succeeded), sum(&activity.failed)), (1, 1));
        assert_eq!(activity.succeeded.last(), Some(&1));
        let p95 = activity.p95_ms.last().copied().flatten().unwrap();
        assert!((20_000.0..21_000.0).contains(&p95), "{p95}");
        assert_eq!(activity.lengths_ms[1], Some(p95));
        let [error] = activity.errors.as_slice() else {
            panic!("{:?}", activity.errors)
        };
        assert_eq!(
            (error.class, error.http_status, error.count),
            (ErrorClass::Http5xx, Some(503), 1)
        );
        let rows = desk.agents().await.unwrap();
        let row = rows.iter().find(|row| row.address == agent).unwrap();
        assert_eq!((row.p95_ms, row.dead_last_hour), (Some(p95), 1));
        let nobody = desk.agent(address("nobody")).await.unwrap_err();
        let DeskError::Refused { code, .. } = nobody else {
            panic!("{nobody:?}")
        };
        assert_eq!(code, "agent_not_found");
        session.end_window();
    })
    .await;
}

#[tokio::test]
async fn an_agent_is_bounded_and_a_rate_is_refused_for_one_that_is_not_called() {
    through_both(async |house, desk| {
        let agent = address("orders");
        send(desk, new("orders")).await;
        let limit = |rate_millihertz, max_in_flight| Act::Limit {
            agent: agent.clone(),
            limit: AgentLimit {
                rate_millihertz,
                max_in_flight,
            },
            reason: "slowly".to_owned(),
        };
        desk.act(limit(None, Some(7))).await.unwrap();
        let rows = desk.agents().await.unwrap();
        let row = rows.iter().find(|row| row.address == agent).unwrap();
        assert_eq!(row.max_in_flight, Some(7));
        house.agree("limited").await;
        let refused = desk.act(limit(Some(2_000), None)).await.unwrap_err();
        assert!(matches!(refused, DeskError::Refused { .. }), "{refused:?}");
        let reset = Act::ResetBreaker {
            agent: agent.clone(),
            reason: "see".to_owned(),
        };
        let refused = desk.act(reset).await.unwrap_err();
        assert!(refused.to_string().contains("not called"), "{refused:?}");
        desk.act(limit(None, Some(0))).await.unwrap();
        let rows = desk.agents().await.unwrap();
        let row = rows.iter().find(|row| row.address == agent).unwrap();
        assert_eq!(row.max_in_flight, None);
    })
    .await;
}

#[tokio::test]
async fn the_feed_tells_or_counts_every_item_and_wakes_whoever_waits() {
    through_both(async |_house, desk| {
        let before = desk.feed(None, 0).await.unwrap();
        assert!(before.rows.is_empty());
        let (page, ()) = tokio::join!(desk.feed(Some(before.next), 20_000), async {
            for _ in 0..250 {
                send(desk, new("orders")).await;
            }
        });
        let mut page = page.unwrap();
        assert!(!page.rows.is_empty());
        let mut last = before.next;
        let mut count = 0;
        while !page.rows.is_empty() {
            let cursors: Vec<Cursor> = page.rows.iter().map(|row| row.cursor).collect();
            assert!(cursors.is_sorted_by(|one, next| one < next));
            assert!(cursors.first() > Some(&last) && cursors.last() <= Some(&page.next));
            assert_eq!(page.next, Cursor(last.0 + page.count()));
            count += page.count();
            last = page.next;
            page = desk.feed(Some(last), 0).await.unwrap();
        }
        assert_eq!((count >= 750, page.head), (true, last));
        let idle = desk.feed(Some(last), 20).await.unwrap();
        assert_eq!((idle.rows.len(), idle.next), (0, last));
    })
    .await;
}

#[tokio::test]
async fn a_flood_is_told_by_its_newest_items_and_by_what_somebody_waits_for() {
    let house = house().await;
    let desk: &dyn Desk = &house.local;
    let before = desk.feed(None, 0).await.unwrap();
    let asked = send(desk, approval()).await;
    desk.act(decide(asked, Choice::Yes, Some("fine")))
        .await
        .unwrap();
    for _ in 0..300 {
        send(desk, new("orders")).await;
    }
    // What lay in the writer's queue is done, and so is what follows a commit.
    house.pass(0).await;
    house.pass(0).await;
    let page = desk.feed(Some(before.next), 1000).await.unwrap();
    assert_eq!(page.next, Cursor(before.next.0 + page.count()));
    assert!(page.skipped > 300, "{} left out", page.skipped);
    let first = page.rows.first().unwrap();
    assert_eq!(
        (first.kind.as_str(), first.intent),
        ("inbox.task_decided", Some(asked))
    );
    assert_eq!(page.rows.len(), 501);
    let rest = desk.feed(Some(page.next), 0).await.unwrap();
    assert_eq!((rest.count(), rest.next), (0, page.next));
}

#[tokio::test]
async fn pages_follow_each_other_and_a_cursor_from_elsewhere_is_refused() {
    through_both(async |_house, desk| {
        let mut sent = Vec::new();
        for _ in 0..7 {
            sent.push(send(desk, new("orders")).await);
        }
        sent.reverse();
        let mut found = Vec::new();
        let mut cursor = None;
        loop {
            let request = PageRequest { limit: 3, cursor };
            let page = desk
                .intents(IntentFilter::default(), request)
                .await
                .unwrap();
            assert!(page.items.len() <= 3);
            found.extend(page.items.into_iter().map(|row| row.id));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(found, sent);
        let foreign = PageRequest {
            limit: 3,
            cursor: Some("nonsense".to_owned()),
        };
        let refused = desk.intents(IntentFilter::default(), foreign).await;
        assert!(
            matches!(&refused, Err(DeskError::Refused { code, .. }) if code == "bad_cursor"),
            "{refused:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn what_the_contract_refuses_is_refused_alike() {
    through_both(async |house, desk| {
        let attempt = async |change: fn(&mut NewIntent)| {
            let mut new = new("orders");
            change(&mut new);
            code(desk.act(Act::Send(Box::new(new))).await).0
        };
        assert_eq!(
            attempt(|new| new.intent_type = "Order".to_owned()).await,
            "schema_invalid"
        );
        assert_eq!(
            attempt(|new| new.to = "a b".to_owned()).await,
            "invalid_agent_address"
        );
        assert_eq!(
            attempt(|new| new.deadline = Some(Timestamp::from_millis(1))).await,
            "invalid_deadline"
        );
        assert_eq!(
            attempt(|new| new.max_attempts = Some(0)).await,
            "schema_invalid"
        );
        let letter = house.dead_letter(desk).await;
        let long = "x".repeat(2001);
        let blank = " ".to_owned();
        for act in [
            Act::Discard {
                intent: letter,
                reason: blank.clone(),
                hold: Span::ZERO,
            },
            replay(letter, 61),
            Act::Cancel {
                intent: letter,
                reason: Some(long.clone()),
            },
            decide(letter, Choice::Yes, Some(&long)),
            Act::Reply {
                intent: letter,
                message: blank,
            },
            Act::Pause {
                agent: address("orders"),
                reason: long,
            },
            Act::Resume {
                intent: letter,
                body: Payload::any("[1]").unwrap(),
                attempt: None,
            },
        ] {
            assert_eq!(
                code(desk.act(act.clone()).await).0,
                "schema_invalid",
                "{act:?}"
            );
        }
        let unknown = house.broker.new_intent_id();
        let cancel = Act::Cancel {
            intent: unknown,
            reason: None,
        };
        assert_eq!(code(desk.act(cancel).await).0, "intent_not_found");
        let missing = desk.intent(unknown).await;
        assert!(
            matches!(&missing, Err(DeskError::Refused { code, .. }) if code == "intent_not_found"),
            "{missing:?}"
        );
        let keyed = NewIntent {
            key: Some("same".to_owned()),
            ..new("orders")
        };
        let first = send(desk, keyed.clone()).await;
        // A repeat is one through either desk: one sender, one key, one answer.
        assert_eq!(send(&house.local, keyed.clone()).await, first);
        assert_eq!(send(&house.remote, keyed.clone()).await, first);
        let other = NewIntent {
            payload: Payload::empty(),
            ..keyed
        };
        let conflict = code(desk.act(Act::Send(Box::new(other))).await);
        assert_eq!(conflict.0, "idempotency_conflict");
        let cancel = Act::Cancel {
            intent: first,
            reason: Some("not needed".to_owned()),
        };
        let done = desk.act(cancel.clone()).await.unwrap();
        assert_eq!(done.status, Some(Status::Canceled));
        let (again, details) = code(desk.act(cancel).await);
        assert_eq!(
            (again.as_str(), &details["status"]),
            ("intent_terminal", &"CANCELED".into())
        );
    })
    .await;
}

#[tokio::test]
async fn both_desks_say_who_they_are() {
    let house = house().await;
    let local = house.local.hello().await.unwrap();
    let remote = house.remote.hello().await.unwrap();
    assert_eq!(local.place, "embedded");
    assert_eq!(remote.place, house.url);
    let same = postroom::desk::rows::Hello {
        place: local.place.clone(),
        ..remote
    };
    assert_eq!(same, local);
}

#[tokio::test]
async fn a_wrong_key_and_a_closed_door_are_told_apart() {
    let house = house().await;
    let stranger = RemoteDesk::new(&house.url, "axme_sa_sa_1_wrong", "cli").unwrap();
    let answer = stranger.hello().await;
    assert!(
        matches!(answer, Err(DeskError::Unauthorised { .. })),
        "{answer:?}"
    );
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let nobody = RemoteDesk::new(&url, "k", "cli").unwrap();
    let answer = nobody.overview().await;
    assert!(
        matches!(answer, Err(DeskError::Unreachable { .. })),
        "{answer:?}"
    );
}

/// A door that hangs up on the first caller and answers the second. Gives the requests it read.
async fn hang_up_once(answer: &'static str) -> (String, impl Future<Output = Vec<String>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let door = async move {
        let mut requests = Vec::new();
        for answer in ["", answer] {
            let accepted = tokio::time::timeout(Duration::from_secs(2), listener.accept());
            let Ok(Ok((mut connection, _))) = accepted.await else {
                break;
            };
            let mut bytes = [0; 4096];
            let count = connection.read(&mut bytes).await.unwrap();
            let text = String::from_utf8_lossy(bytes.get(..count).unwrap()).into_owned();
            requests.push(text.lines().next().unwrap_or_default().to_owned());
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n",
                answer.len()
            );
            if !answer.is_empty() {
                connection.write_all(head.as_bytes()).await.unwrap();
                connection.write_all(answer.as_bytes()).await.unwrap();
            }
        }
        requests
    };
    (url, door)
}

#[tokio::test]
async fn a_read_is_tried_again_on_a_broken_connection_and_an_act_is_not() {
    let (url, door) = hang_up_once(r#"{"holds":[]}"#).await;
    let desk = RemoteDesk::new(&url, "k", "cli").unwrap();
    let (held, requests) = tokio::join!(desk.held(), door);
    assert_eq!(held, Ok(Vec::new()));
    let get = "GET /v1/holds HTTP/1.1".to_owned();
    assert_eq!(requests, [get.clone(), get]);

    let (url, door) = hang_up_once("{}").await;
    let desk = RemoteDesk::new(&url, "k", "cli").unwrap();
    let (answer, requests) = tokio::join!(desk.act(Act::Undo { hold: HoldId(1) }), door);
    assert!(
        matches!(answer, Err(DeskError::Unreachable { .. })),
        "{answer:?}"
    );
    assert_eq!(
        requests,
        ["POST /v1/holds/hld_1/cancel HTTP/1.1".to_owned()]
    );
}

#[tokio::test]
async fn a_read_only_desk_looks_and_does_nothing() {
    let house = house().await;
    let options = LocalOptions {
        identity: address("operator"),
        via: Via::Console,
        environment: "PROD".to_owned(),
        is_protected: false,
        hold: Span::from_seconds(5),
        is_read_only: true,
        payload_bytes_max: 131_072,
        is_strict: false,
    };
    let desk = LocalDesk::new(house.broker.clone(), options);
    let hello = desk.hello().await.unwrap();
    assert_eq!(
        (hello.may_write, hello.environment.as_str()),
        (false, "PROD")
    );
    let refused = code(desk.act(Act::Send(Box::new(new("orders")))).await);
    assert_eq!(refused.0, "forbidden");
    assert!(house.all(&desk).await.is_empty());
}

#[tokio::test]
async fn a_job_replays_elsewhere_with_its_own_budget_also_what_was_replayed_and_what_failed_in_a_job()
 {
    through_both(async |house, desk| {
        let first = house.dead_letter(desk).await;
        let second = house.dead_letter(desk).await;
        desk.act(replay(first, 0)).await.unwrap();
        let selection = Selection {
            intents: vec![first, second],
            ..Selection::default()
        };
        let mut job = NewJob {
            reason: Some("fixed".to_owned()),
            ..NewJob::new(JobKind::Replay, selection)
        };
        job.pace.per_1000_seconds = 1_000_000;
        let plan = desk.plan_job(job.clone()).await.unwrap();
        assert_eq!(plan.skipped, [("already_replayed".to_owned(), 1)]);
        job.to = Some(address("ledger"));
        job.terms = ReplayTerms {
            max_attempts: Some(1),
            is_forced: true,
        };
        let plan = desk.plan_job(job.clone()).await.unwrap();
        assert_eq!((plan.selected, plan.skipped), (2, Vec::new()));
        let started = desk.start_job(job).await.unwrap();
        house.pass(5).await;
        let mut session = house.listen("ledger").await;
        for _ in 0..2 {
            let handover = session.next().await.unwrap();
            assert_eq!(handover.intent.max_attempts, 1);
            house.fail(&handover, "503 still down").await;
        }
        session.end_window();
        house.pass(5).await;
        let view = desk.job(started.id, PageRequest::default()).await.unwrap();
        let [class] = view.outcomes.as_slice() else {
            panic!("{:?}", view.outcomes);
        };
        assert_eq!(
            (class.outcome.as_str(), class.code.as_deref(), class.count),
            ("failed", Some("503"), 2)
        );
        let again = Selection {
            failed_of: Some(started.id),
            ..Selection::default()
        };
        let plan = desk
            .plan_job(NewJob::new(JobKind::Replay, again))
            .await
            .unwrap();
        let dead: Vec<IntentId> = view
            .items
            .iter()
            .filter_map(|item| item.new_intent)
            .collect();
        assert_eq!((plan.selected, plan.sample), (2, dead));
    })
    .await;
}

#[tokio::test]
async fn a_job_is_planned_started_steered_and_reported() {
    through_both(async |house, desk| {
        for _ in 0..3 {
            let id = send(desk, new("orders")).await;
            let body = Payload::object(r#"{"action":"fail","reason":"no stock"}"#).unwrap();
            let act = Act::Resume {
                intent: id,
                body,
                attempt: None,
            };
            desk.act(act).await.unwrap();
        }
        let selection = Selection {
            agent: Some(address("orders")),
            ..Selection::default()
        };
        let mut job = NewJob {
            limit: 2,
            reason: Some("fixed".to_owned()),
            ..NewJob::new(JobKind::Replay, selection.clone())
        };
        job.pace.per_1000_seconds = 1_000;
        let plan = desk.plan_job(job.clone()).await.unwrap();
        assert_eq!((plan.matched, plan.selected, plan.sample.len()), (3, 2, 2));
        assert_eq!(plan.skipped, [("over_limit".to_owned(), 1)]);
        assert_eq!(desk.jobs(None, PageRequest::default()).await.unwrap().items, []);
        let started = desk.start_job(job).await.unwrap();
        assert_eq!((started.selected, started.state), (2, JobState::Running));
        let paused = desk.control_job(started.id, JobControl::Pause).await.unwrap();
        assert_eq!(paused.state, JobState::Paused);
        house.pass(5).await;
        desk.control_job(started.id, JobControl::Resume).await.unwrap();
        house.pass(5).await;
        let view = desk.job(started.id, PageRequest::default()).await.unwrap();
        assert_eq!((view.row.in_flight, view.items.len()), (2, 2));
        assert_eq!(view.items[0].outcome, "in_flight");
        desk.control_job(started.id, JobControl::Cancel).await.unwrap();
        let refused = desk.control_job(started.id, JobControl::Resume).await;
        assert!(matches!(refused, Err(DeskError::Refused { code, .. }) if code == "job_finished"));
        let nowhere = desk.job(JobId(99), PageRequest::default()).await;
        assert!(matches!(nowhere, Err(DeskError::Refused { code, .. }) if code == "job_not_found"));
        // A discard without a reason, and a pace that is none.
        let bare = NewJob::new(JobKind::Discard, selection.clone());
        let mut idle = NewJob::new(JobKind::Replay, selection);
        idle.pace.per_1000_seconds = 0;
        for bad in [bare, idle] {
            let refused = desk.start_job(bad).await;
            assert!(
                matches!(&refused, Err(DeskError::Refused { code, .. }) if code == "schema_invalid"),
                "{refused:?}"
            );
        }
    })
    .await;
}
