//! No thundering herd: an hour's outage is over, and everything that is overdue goes out at once.
//!
//! The real writer under a manual clock, fifty endpoints, ten of them dead for a while, and receivers
//! that take their time. `HERD=100000 cargo test --release --test herd -- --nocapture` is the large run.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;
use std::time::Duration;

use postroom::broker::Settings;
use postroom::broker::core::Core;
use postroom::broker::request::{AdminCommand, AuditNote, NewAgent, Request};
use postroom::broker::session::{Handover, SessionSpec, Slot};
use postroom::clock::{Clock, Entropy, ManualClock, SeededEntropy};
use postroom::domain::address::{Address, Home};
use postroom::domain::agent::Binding;
use postroom::domain::attempt::AttemptReport;
use postroom::domain::endpoint::Breaker;
use postroom::domain::fact::Actor;
use postroom::domain::failure::{ErrorClass, Failure};
use postroom::domain::ids::{AttemptId, IntentId, ThreadId};
use postroom::domain::payload::Payload;
use postroom::domain::policy::Policy;
use postroom::domain::status::Status;
use postroom::domain::time::{Span, Timestamp};
use postroom::domain::via::Via;
use postroom::engine::command::{Command, Fail, Resume, Submit};
use postroom::store::memory::MemoryStore;
use postroom::store::query::Counters;
use tokio::sync::mpsc;

const ENDPOINTS: usize = 50;
/// The first ten are dead, the even ones of them silent and the odd ones unreachable.
const DEAD: usize = 10;
/// Calls at once over all endpoints.
const SLOTS: u32 = 64;
/// Calls at once to a new endpoint, once it has started slowly.
const START: u32 = 4;
/// How long a healthy receiver takes, in milliseconds, and how much that varies.
const WORK_MS: u64 = 50;
const VARIES_MS: u64 = 10;
/// How long a call to a silent receiver takes: the deadline of a call.
const DEADLINE_MS: i64 = 15_000;
/// One fresh intent to some healthy endpoint in so many milliseconds, while they come.
const FRESH_EVERY_MS: i64 = 25;
const FRESH_FOR_MS: i64 = 60_000;
/// When the dead ones come back.
const BACK_AFTER_MS: i64 = 10 * 60_000;

/// A call on its way, by when it ends.
struct Call {
    agent: usize,
    intent: IntentId,
    attempt: AttemptId,
    is_well: bool,
    slot: Slot,
}

struct World {
    core: Core,
    clock: Arc<ManualClock>,
    entropy: SeededEntropy,
    start: Timestamp,
    calls: mpsc::Receiver<Handover>,
    running: BTreeMap<(Timestamp, AttemptId), Call>,
    at_once: [u32; ENDPOINTS],
    limits: [u32; ENDPOINTS],
    fresh: BTreeMap<IntentId, Timestamp>,
    /// When each fresh intent was sent, and how long it took.
    latencies: Vec<(Timestamp, i64)>,
    drained_at: Option<Timestamp>,
    most_at_once: u32,
}

fn agent(number: usize) -> Address {
    Address::parse(&format!("receiver-{number:02}"), &Home::default()).unwrap()
}

fn number_of(address: &Address) -> usize {
    address.name().rsplit('-').next().unwrap().parse().unwrap()
}

fn settings() -> Settings {
    Settings {
        policy: Policy::default(),
        queue_max: 64,
        batch_commands_max: 4096,
        batch_bytes_max: 1 << 20,
        busy_wait: Duration::from_secs(1),
        bus_lag_max: 16,
        readers: 1,
        room: postroom::broker::vitals::RoomSettings::default(),
        fresh_ids: ("org".to_owned(), "ws".to_owned()),
        webhook_words: postroom::broker::webhooks::plain_words,
    }
}

fn started(store: Box<dyn postroom::store::Store>, clock: &Arc<ManualClock>) -> Core {
    let shared: Arc<dyn Clock> = Arc::<ManualClock>::clone(clock);
    let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(11));
    Core::start(store, settings(), shared, entropy).unwrap()
}

fn submit(entropy: &SeededEntropy, now: Timestamp, to: usize) -> Request {
    let mut bytes = [0; 10];
    entropy.fill(&mut bytes);
    let id = IntentId::new(now.as_millis(), bytes);
    let command = Command::Submit(Box::new(Submit::plain(
        id,
        ThreadId(id.0),
        "intent.herd.v1",
        agent(0),
        agent(to),
        Payload::empty(),
    )));
    Request::plain(id, command)
}

impl World {
    /// So many intents wait for every endpoint since an hour, and the broker has just started.
    fn after_an_hour(each: usize) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_millis(1_775_901_600_000)));
        let entropy = SeededEntropy::new(7);
        let mut core = started(Box::new(MemoryStore::new()), &clock);
        for number in 0..ENDPOINTS {
            let new = NewAgent {
                address: agent(number),
                name: agent(number).name().to_owned(),
                display_name: None,
                description: None,
                binding: Binding::Http,
                callback_url: Some("http://127.0.0.1:1/".to_owned()),
                ack_timeout: None,
                max_in_flight: None,
            };
            let note = AuditNote {
                actor: "test".to_owned(),
                key: None,
                via: "api".to_owned(),
                action: "test".to_owned(),
                owner: None,
                target: "test".to_owned(),
                reason: None,
                trace_id: None,
            };
            let register = AdminCommand::Register(Box::new(new));
            core.administer(register, note).unwrap().unwrap();
        }
        for _ in 0..each {
            let all = (0..ENDPOINTS).map(|to| submit(&entropy, clock.now(), to));
            core.run(all.collect()).unwrap();
        }
        clock.advance(Span::from_seconds(3600));
        let mut core = started(core.into_store(), &clock);
        let (_, calls) = core.open(SessionSpec::calls(SLOTS, START)).unwrap();
        Self {
            core,
            start: clock.now(),
            clock,
            entropy,
            calls,
            running: BTreeMap::new(),
            at_once: [0; ENDPOINTS],
            limits: [1; ENDPOINTS],
            fresh: BTreeMap::new(),
            latencies: Vec::new(),
            drained_at: None,
            most_at_once: 0,
        }
    }

    fn elapsed_ms(&self) -> i64 {
        self.clock.now().since(self.start).as_millis()
    }

    /// Takes what was handed over, and looks whether there was room for it.
    fn take(&mut self) {
        let now = self.clock.now();
        let mut touched = Vec::new();
        while let Ok(mut handover) = self.calls.try_recv() {
            let number = number_of(&handover.intent.to);
            let is_dead = number < DEAD && self.elapsed_ms() < BACK_AFTER_MS;
            let varies = self.entropy.u64() % VARIES_MS;
            let takes_ms = match (is_dead, number % 2) {
                (true, 0) => DEADLINE_MS,
                (true, _) => 1,
                (false, _) => i64::try_from(WORK_MS + varies).unwrap(),
            };
            let call = Call {
                agent: number,
                intent: handover.intent.id,
                attempt: handover.attempt,
                is_well: !is_dead,
                slot: handover.slot.take().unwrap(),
            };
            let ends_at = now.after(Span::from_millis(takes_ms));
            self.running.insert((ends_at, handover.attempt), call);
            self.at_once[number] += 1;
            touched.push(number);
        }
        let all: u32 = self.at_once.iter().sum();
        assert!(all <= SLOTS, "{all} calls at once over all endpoints");
        self.most_at_once = self.most_at_once.max(all);
        for number in touched {
            let view = self.core.endpoints().of(&agent(number), now).unwrap();
            let runs = self.at_once[number];
            assert!(
                runs <= view.limit,
                "{runs} calls at once, {} may",
                view.limit
            );
            assert_eq!(runs, view.in_flight);
            if number >= DEAD {
                assert!(
                    view.limit >= self.limits[number],
                    "a healthy ramp only rises"
                );
                assert!(
                    view.limit <= self.limits[number] * 2,
                    "it starts slowly: {} after {}",
                    view.limit,
                    self.limits[number]
                );
                self.limits[number] = view.limit;
            }
        }
    }

    /// Every call that ends now ends, in one commit.
    fn end_calls(&mut self) {
        let now = self.clock.now();
        let mut requests = Vec::new();
        while let Some(entry) = self.running.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let call = entry.remove();
            self.at_once[call.agent] -= 1;
            if let Some(sent_at) = self.fresh.remove(&call.intent) {
                let took = now.since(sent_at).as_millis();
                self.latencies.push((sent_at, took));
            }
            requests.push(Request::plain(call.intent, outcome(&call)));
            drop(call.slot);
        }
        if requests.is_empty() {
            return;
        }
        for answer in self.core.run(requests).unwrap() {
            answer.unwrap();
        }
    }

    fn send_fresh(&mut self) {
        let healthy = u64::try_from(ENDPOINTS - DEAD).unwrap();
        let to = DEAD + usize::try_from(self.entropy.u64() % healthy).unwrap();
        let request = submit(&self.entropy, self.clock.now(), to);
        self.fresh.insert(request.intent, self.clock.now());
        self.core.run(vec![request]).unwrap()[0].as_ref().unwrap();
    }

    /// Runs until nothing is unfinished; only time passes by itself.
    fn drain(&mut self, fresh_for_ms: i64) {
        let mut fresh: BinaryHeap<Reverse<i64>> = (0..fresh_for_ms / FRESH_EVERY_MS)
            .map(|number| Reverse(number * FRESH_EVERY_MS))
            .collect();
        loop {
            self.take();
            let next_fresh = fresh
                .peek()
                .map(|Reverse(ms)| self.start.after(Span::from_millis(*ms)));
            let next_end = self.running.first_key_value().map(|((at, _), _)| *at);
            let due = self.core.next_due();
            let next = [next_fresh, next_end, due].into_iter().flatten().min();
            let Some(next) = next else { break };
            self.clock.advance(next.since(self.clock.now()));
            if next_fresh == Some(next) {
                fresh.pop();
                self.send_fresh();
            }
            self.end_calls();
            if due.is_some_and(|due| due <= next) {
                self.core.tick().unwrap();
            }
            if self.drained_at.is_none() && self.healthy_ready() == 0 {
                self.drained_at = Some(self.clock.now());
            }
            assert!(self.elapsed_ms() < 48 * 3_600_000, "it never ends");
        }
    }

    fn counters(&self) -> Counters {
        self.core.reader().unwrap().counters().unwrap()
    }

    fn healthy_ready(&self) -> u64 {
        let counters = self.counters();
        // The operator is told of each breaker that opens, in an inbox of its own.
        let receivers = counters
            .by_agent
            .iter()
            .filter(|(address, _)| address.name().starts_with("receiver-"));
        receivers
            .filter(|(address, _)| number_of(address) >= DEAD)
            .map(|(_, depth)| depth.ready + depth.backing_off)
            .sum()
    }

    /// Of what was sent before that instant.
    fn p99_ms(&self, until: Timestamp) -> i64 {
        let sent = self.latencies.iter().filter(|(at, _)| *at < until);
        let mut took: Vec<i64> = sent.map(|(_, took)| *took).collect();
        took.sort_unstable();
        took[took.len() * 99 / 100]
    }
}

fn outcome(call: &Call) -> Command {
    let report = Some(Arc::new(AttemptReport::default()));
    let attempt = Some(call.attempt);
    if call.is_well {
        let by = agent(call.agent);
        return Command::Resume(Box::new(Resume {
            body: Payload::trusted(r#"{"action":"done"}"#).entries().unwrap(),
            actor: Actor::at(&by),
            by,
            via: Via::Api,
            attempt,
            expected_generation: None,
            report,
        }));
    }
    let class = if call.agent.is_multiple_of(2) {
        ErrorClass::Timeout
    } else {
        ErrorClass::Connect
    };
    Command::Fail(Fail {
        attempt,
        failure: Failure::new(class, "dead"),
        delay: None,
        by: Actor::Broker,
        report,
    })
}

#[test]
fn an_hour_s_outage_drains_without_a_herd_and_healthy_endpoints_do_not_feel_it() {
    let all: usize = std::env::var("HERD").map_or(3000, |text| text.parse().unwrap());
    let mut quiet = World::after_an_hour(0);
    quiet.drain(FRESH_FOR_MS);
    let usual_ms = quiet.p99_ms(quiet.clock.now());

    let mut world = World::after_an_hour(all / ENDPOINTS);
    world.drain(FRESH_FOR_MS);
    let drained_at = world.drained_at.unwrap();
    let p99_ms = world.p99_ms(drained_at);
    let drained = drained_at.since(world.start);
    eprintln!(
        "{all} overdue: healthy endpoints drained after {} s, p99 of fresh intents until then {p99_ms} ms, usually {usual_ms} ms, all over after {} s",
        drained.as_seconds(),
        world.elapsed_ms() / 1000,
    );
    assert!(p99_ms < usual_ms * 2, "{p99_ms} ms, usually {usual_ms} ms");
    let counters = world.counters();
    for (status, count) in Status::ALL.into_iter().zip(counters.by_status) {
        let is_end = matches!(status, Status::Completed | Status::Failed);
        assert!(is_end || count == 0, "{count} intents are {status}");
    }
    for number in DEAD..ENDPOINTS {
        let view = world.core.endpoints().of(&agent(number), world.clock.now());
        assert_eq!(view.unwrap().breaker, Breaker::Closed);
    }
}

#[test]
fn what_has_waited_takes_every_place_but_those_kept_for_idle_endpoints_when_nothing_else_comes() {
    let mut world = World::after_an_hour(100);
    world.drain(0);
    let kept = SLOTS / 4;
    assert!(
        (SLOTS - kept..=SLOTS).contains(&world.most_at_once),
        "{} calls at once",
        world.most_at_once
    );
}
