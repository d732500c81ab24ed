//! A store with something of everything, its files as a stopped and as a killed broker leaves them, and what a
//! broker then says of them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use postroom::broker::Settings;
use postroom::broker::core::Core;
use postroom::broker::request::{AdminCommand, AuditNote, NewAgent, RememberKey, Request};
use postroom::broker::session::{SessionMode, SessionSpec};
use postroom::broker::vitals::RoomSettings;
use postroom::clock::{Clock, Entropy, ManualClock, SeededEntropy};
use postroom::domain::address::{Address, Home};
use postroom::domain::agent::Binding;
use postroom::domain::fact::{Actor, Fact};
use postroom::domain::ids::{IntentId, ThreadId};
use postroom::domain::intent::Intent;
use postroom::domain::payload::Payload;
use postroom::domain::policy::Policy;
use postroom::domain::status::Status;
use postroom::domain::time::{Span, Timestamp};
use postroom::engine::command::{Command, Resolve, Submit};
use postroom::store::query::{IntentFilter, PageRequest};
use postroom::store::sqlite::{Settings as Sqlite, SqliteStore, watermark};
use postroom::store::{Reader, Store};

use super::Fate;

const START: Timestamp = Timestamp::from_millis(1_775_901_600_000);
/// Intents of the store.
const INTENTS: u32 = 60;

/// What is known of each intent: its state, its facts, its payload.
type Told = BTreeMap<IntentId, (Intent, Vec<Fact>, String)>;

/// What was acknowledged, and what that looked like after each step on the way there.
pub(crate) struct History {
    last: Told,
    /// The facts of each intent, of which a shorter log leaves a beginning.
    is_log_kept: bool,
}

pub(crate) struct House {
    stopped: (Vec<u8>, History),
    killed: (Vec<u8>, Vec<u8>, History),
    /// What lay beside the file of the killed broker.
    pub(crate) mark: Vec<u8>,
}

pub(crate) fn address(name: &str) -> Address {
    Address::parse(name, &Home::default()).unwrap()
}

pub(crate) fn core(path: &Path, clock: &Arc<ManualClock>, seed: u64) -> Result<Core, String> {
    let store = SqliteStore::open(path, Sqlite::default()).map_err(|error| error.to_string())?;
    let settings = Settings {
        policy: Policy::default(),
        queue_max: 64,
        batch_commands_max: 64,
        batch_bytes_max: 1 << 20,
        busy_wait: Duration::from_secs(1),
        bus_lag_max: 16,
        readers: 1,
        room: RoomSettings::default(),
        fresh_ids: ("org".to_owned(), "ws".to_owned()),
        webhook_words: postroom::broker::webhooks::plain_words,
    };
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(clock);
    let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(seed));
    let store: Box<dyn Store> = Box::new(store);
    Core::start(store, settings, clock, entropy).map_err(|error| error.to_string())
}

fn note() -> AuditNote {
    AuditNote {
        actor: "ops".to_owned(),
        key: None,
        via: "api".to_owned(),
        action: "test".to_owned(),
        target: "test".to_owned(),
        owner: None,
        reason: None,
        trace_id: None,
    }
}

fn told(reader: &mut dyn Reader) -> Told {
    let page = PageRequest {
        limit: 500,
        cursor: None,
    };
    let found = reader.intents(&IntentFilter::default(), &page).unwrap();
    let one = |intent: Arc<Intent>| {
        let id = intent.id;
        let facts = reader.facts(id, 0).unwrap();
        let payload = reader.payload(id).unwrap().unwrap().as_str().to_owned();
        (id, ((*intent).clone(), facts, payload))
    };
    found.items.into_iter().map(one).collect()
}

impl House {
    pub(crate) fn build(directory: &Path) -> Self {
        let path = directory.join("postroom.db");
        let clock = Arc::new(ManualClock::at(START));
        let mut broker = core(&path, &clock, 1).unwrap();
        for (name, binding) in [
            ("orders", Binding::Stream),
            ("ledger", Binding::Poll),
            ("finance", Binding::Inbox),
            ("timer", Binding::Internal),
        ] {
            let new = NewAgent {
                address: address(name),
                name: name.to_owned(),
                display_name: None,
                description: None,
                binding,
                callback_url: None,
                ack_timeout: None,
                max_in_flight: None,
            };
            let command = AdminCommand::Register(Box::new(new));
            broker.administer(command, note()).unwrap().unwrap();
        }
        live(&mut broker, &clock, 0);
        let last = told(broker.reader().unwrap().as_mut());
        drop(broker.into_store());
        let stopped = std::fs::read(&path).unwrap();
        let stopped = (
            stopped,
            History {
                last,
                is_log_kept: false,
            },
        );

        let mut broker = core(&path, &clock, 2).unwrap();
        live(&mut broker, &clock, INTENTS / 2);
        let last = told(broker.reader().unwrap().as_mut());
        let file = std::fs::read(&path).unwrap();
        let log = std::fs::read(directory.join("postroom.db-wal")).unwrap();
        assert!(!log.is_empty(), "nothing was written since the last start");
        let killed = (
            file,
            log,
            History {
                last,
                is_log_kept: true,
            },
        );
        let mark = std::fs::read(watermark::path_of(&path)).unwrap();
        Self {
            stopped,
            killed,
            mark,
        }
    }

    pub(crate) fn stopped(&self) -> (&[u8], &[u8]) {
        (&self.stopped.0, &[])
    }

    pub(crate) fn killed(&self) -> (&[u8], &[u8]) {
        (&self.killed.0, &self.killed.1)
    }

    pub(crate) fn history(&self, is_stopped: bool) -> &History {
        if is_stopped {
            &self.stopped.1
        } else {
            &self.killed.2
        }
    }
}

/// Some of everything: taken, ended, dead, waiting for a person, for an instant, for its next try.
fn live(broker: &mut Core, clock: &ManualClock, from: u32) {
    let names = ["orders", "ledger", "finance", "timer"];
    let spec = |name: &str, binding| SessionSpec {
        agent: address(name),
        binding,
        credit: 8,
        mode: SessionMode::Standing {
            is_cold_start: false,
        },
    };
    let (_id, mut orders) = broker.open(spec("orders", Binding::Stream)).unwrap();
    for number in from..from + INTENTS / 2 {
        let mut bytes = [0; 10];
        bytes[..4].copy_from_slice(&number.wrapping_mul(0x9e37_79b9).to_be_bytes());
        let id = IntentId::new(clock.now().as_millis(), bytes);
        let place = usize::try_from(number).unwrap();
        let pad = "carried ".repeat(place * 7 % 300);
        let submit = Submit {
            ttl: (number % 5 == 0).then(|| Span::from_seconds(30)),
            ..Submit::plain(
                id,
                ThreadId(id.0),
                "intent.order.process.v1",
                address("web"),
                address(names[place % 4]),
                Payload::of(
                    &serde_json::json!({ "number": number, "seconds": number * 40, "pad": pad }),
                ),
            )
        };
        let request = Request {
            intent: id,
            command: Command::Submit(Box::new(submit)),
            remember: Some(RememberKey {
                scope: "test".to_owned(),
                key: number.to_string(),
                fingerprint: [7; 32],
            }),
            audit: None,
        };
        broker.run(vec![request]).unwrap().pop().unwrap().unwrap();
        if number % 7 == 3 {
            let end = Command::Resolve(Resolve {
                status: Status::Completed,
                result: Some(Payload::of(&serde_json::json!({ "is": number }))),
                error: None,
                reason: None,
                by: Actor::at(&address("orders")),
                expected_generation: None,
            });
            drop(broker.run(vec![Request::plain(id, end)]).unwrap());
        }
        clock.advance(Span::from_seconds(3));
        broker.tick().unwrap();
        while orders.try_recv().is_ok() {}
    }
}

/// Opens it as a broker does, and compares.
pub(crate) fn seen(
    path: &Path,
    history: &History,
    is_clean: bool,
    is_log: bool,
) -> Result<Fate, String> {
    let clock = Arc::new(ManualClock::at(START));
    let broker = match core(path, &clock, 3) {
        Ok(broker) => broker,
        Err(error) if error.is_empty() => return Err("it is refused without a word".to_owned()),
        Err(_said) => return Ok(Fate::Refused),
    };
    let mut reader = broker.reader().map_err(|error| error.to_string())?;
    let (mut silent, mut refused, mut earlier) = (Vec::new(), 0, 0);
    for (id, (state, facts, payload)) in &history.last {
        let now = (
            reader.intent(*id),
            reader.facts(*id, 0),
            reader.payload(*id),
        );
        let (Ok(found), Ok(chain), Ok(carried)) = now else {
            refused += 1;
            continue;
        };
        // Starting again, it offers anew what nobody holds any more: its facts then go on.
        let is_kept = found.as_deref() == Some(state) || chain.len() > facts.len();
        let is_same = is_kept
            && chain.get(..facts.len()) == Some(facts)
            && carried.as_ref().map(Payload::as_str) == Some(payload);
        if is_same {
            continue;
        }
        let is_before = facts.get(..chain.len()) == Some(&chain[..])
            && found.is_some() == carried.is_some()
            && carried.is_none_or(|carried| carried.as_str() == payload);
        if is_log && history.is_log_kept && is_before {
            earlier += 1;
        } else {
            silent.push(format!("{id} is {:?}", found.map(|intent| intent.status)));
        }
    }
    if !silent.is_empty() && is_clean {
        return Err(format!("verify finds nothing, and {}", silent.join(", ")));
    }
    Ok(match (silent.len() + refused, earlier) {
        (0, 0) => Fate::Whole,
        (0, _) if is_clean => {
            return Err("it is as it was earlier, and verify finds nothing".to_owned());
        }
        (0, _) => Fate::Earlier,
        _ => Fate::Found,
    })
}
