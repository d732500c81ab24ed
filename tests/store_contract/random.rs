//! Random work on both memories at once: the embedded one must answer every question as the reference does.

use std::collections::BTreeMap;
use std::sync::Arc;

use postroom::domain::address::Address;
use postroom::domain::agent::Binding;
use postroom::domain::attempt::Outcome;
use postroom::domain::fact::{Actor, Notice};
use postroom::domain::failure::{DeadReason, ErrorClass};
use postroom::domain::ids::{Cursor, IntentId, ThreadId};
use postroom::domain::intent::{DeadLetterState, Delivery, Intent, Kind};
use postroom::domain::job::JobOrder;
use postroom::domain::payload::Payload;
use postroom::domain::scenario::StepOf;
use postroom::domain::status::{State, Status};
use postroom::store::query::{
    AttemptFilter, FeedFilter, IntentFilter, LetterFilter, LetterState, ThreadFilter, ThreadKind,
};
use postroom::store::{Change, NewPayload, Reader, Remembered, Txn, Write};
use proptest::prelude::{ProptestConfig, any};
use proptest::proptest;

use crate::moves::*;
use crate::threads::recounted;
use crate::world::{World, walk};

proptest! {
    // A seed that fails is printed.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn both_memories_give_the_same_answers_after_any_work(seed in any::<u64>()) {
        run(seed);
    }
}

fn run(seed: u64) {
    let mut work = Work {
        chance: seed,
        clock: 0,
        attempts: 0,
        intents: BTreeMap::new(),
    };
    let mut worlds = [World::in_memory(), World::in_sqlite()];
    for _ in 0..12 {
        work.transaction(&mut worlds);
        if work.one_in(4) {
            worlds[1].reopen();
        }
        work.compare(&worlds);
    }
    for world in &worlds {
        assert_eq!(world.reader().counters().unwrap(), recounted(world));
    }
}

const PEOPLE: [&str; 4] = ["web", "orders", "billing", "alice"];
const FINGERPRINTS: [&str; 3] = ["f1:aaaa11111111", "f1:aaaa22222222", "f1:bbbb11111111"];

struct Work {
    chance: u64,
    clock: i64,
    attempts: u64,
    intents: BTreeMap<IntentId, Arc<Intent>>,
}

impl Work {
    /// SplitMix64.
    fn bits(&mut self) -> u64 {
        self.chance = self.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.chance ^ (self.chance >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn one_in(&mut self, odds: u64) -> bool {
        self.bits().is_multiple_of(odds)
    }

    fn of<T: Clone>(&mut self, all: &[T]) -> T {
        let index = self.bits() % all.len() as u64;
        all[usize::try_from(index).unwrap()].clone()
    }

    fn maybe<T: Clone>(&mut self, all: &[T]) -> Option<T> {
        self.one_in(3).then(|| self.of(all))
    }

    fn person(&mut self) -> Address {
        address(self.of(&PEOPLE))
    }

    fn tick(&mut self) -> i64 {
        self.clock += i64::try_from(self.bits() % 5).unwrap();
        self.clock
    }

    /// One transaction on both: some writes and some questions, then a commit or not.
    fn transaction(&mut self, worlds: &mut [World; 2]) {
        let before = self.intents.clone();
        let is_kept = !self.one_in(4);
        let [reference, embedded] = worlds;
        let mut txns = [
            reference.store.begin().unwrap(),
            embedded.store.begin().unwrap(),
        ];
        for _ in 0..self.bits() % 20 {
            let write = self.write();
            for txn in &mut txns {
                txn.put(write.clone()).unwrap();
            }
            if self.one_in(5) {
                self.ask_both(&mut txns);
            }
        }
        if is_kept {
            let [reference, embedded] = txns.map(|txn| txn.commit().unwrap());
            assert_eq!(reference, embedded);
        } else {
            self.intents = before;
        }
    }

    fn ask_both(&mut self, txns: &mut [Box<dyn Txn + '_>; 2]) {
        let (now, agent, limit) = (at(self.clock), self.person(), 1 + self.bits() % 9);
        let limit = u32::try_from(limit).unwrap();
        let ids: Vec<IntentId> = self.intents.keys().copied().collect();
        let key = self.of(&["k1", "k2", "k3"]);
        let [reference, embedded] = txns.each_mut().map(|txn| {
            (
                txn.load(&ids).unwrap(),
                txn.due(now, limit).unwrap(),
                txn.next_due().unwrap(),
                txn.ready(&agent, now, limit).unwrap(),
                txn.leased(None, limit).unwrap(),
                txn.leased(Some(&agent), limit).unwrap(),
                txn.remembered("scope", key).unwrap(),
            )
        });
        assert_eq!(reference, embedded);
    }

    fn write(&mut self) -> Write {
        let millis = self.tick();
        match self.bits() % 20 {
            0 => Write::Notice(Notice {
                at: at(millis),
                actor: Actor::Broker,
                kind: self.of(&["agent.paused", "key.created"]).to_owned(),
                agent: self.one_in(2).then(|| self.person()),
                data: Payload::empty(),
            }),
            1 | 2 => Write::Remember(Remembered {
                scope: "scope".to_owned(),
                key: self.of(&["k1", "k2", "k3"]).to_owned(),
                fingerprint: [1; 32],
                at: at(millis * 10_000_000),
                intent: id(millis),
                seq: 1,
            }),
            3 => Write::ForgetKeysBefore(at(millis * 10_000_000 - 20_000_000)),
            4 => Write::Number("epoch", self.bits()),
            5..9 => self.accept(millis),
            _ => self.change(millis),
        }
    }

    fn accept(&mut self, millis: i64) -> Write {
        // Some are accepted by a clock that went back, and all have ids of their own.
        let number = 1_000_000 + i64::try_from(self.intents.len()).unwrap() * 1_000 + millis;
        let mut intent = intent(number);
        intent.created_at = at(if self.one_in(9) { millis - 50 } else { millis });
        (intent.to, intent.from) = (self.person(), self.person());
        intent.binding = self.of(&Binding::ALL);
        intent.reply_to = self.one_in(3).then(|| self.person());
        intent.deadline = self.one_in(3).then(|| at(millis + 30));
        intent.intent_type = self
            .of(&["intent.a.v1", "intent.a.v2", "intent.b"])
            .to_owned();
        if self.one_in(9) {
            intent.correlation_id = "shared".to_owned();
        }
        let known: Vec<IntentId> = self.intents.keys().copied().collect();
        let origin = (!known.is_empty() && self.one_in(4)).then(|| self.of(&known));
        match self.bits() % 8 {
            0 => intent.to = Address::webhook("018f3c5e-7a10-7c3a-9b1e-5d2f6a7b8c9d"),
            1 => {
                intent.step = Some(Box::new(StepOf {
                    run: id(millis),
                    step: "one".to_owned(),
                    scenario: "s".to_owned(),
                    attempt: 1,
                }));
            }
            _ => {}
        }
        if let Some(origin) = origin {
            (intent.origin, intent.replay_of) = (origin, Some(origin));
        }
        let mut change = accepted(intent);
        if let Some(origin) = origin {
            change.payload = Some(NewPayload::SameAs(origin));
        }
        self.took(change)
    }

    fn took(&mut self, change: Change) -> Write {
        self.intents
            .insert(change.after.id, Arc::clone(&change.after));
        Write::Intent(change)
    }

    /// A move of any intent, among those that its state allows.
    fn change(&mut self, millis: i64) -> Write {
        let all: Vec<Arc<Intent>> = self.intents.values().cloned().collect();
        if all.is_empty() {
            return self.accept(millis);
        }
        let before = self.of(&all);
        let choice = self.bits() % 8;
        let change = if before.is_finished() {
            match (&before.dead_letter, choice) {
                (Some(letter), 0..4) if letter.state == DeadLetterState::Open => {
                    let state = self.of(&[
                        DeadLetterState::Replayed {
                            as_intent: id(millis),
                        },
                        DeadLetterState::Discarded {
                            reason: "noise".to_owned(),
                        },
                    ]);
                    letter_moved(&before, millis, state)
                }
                (Some(_), 4..6) => hold_placed(&before, millis, self.bits() % 99, millis + 9),
                _ if !before.holds.is_empty() => holds_lifted(&before, millis),
                _ => return self.accept(millis),
            }
        } else {
            match (&before.delivery, choice) {
                (_, 0) => canceled(&before, millis),
                (_, 1) => {
                    let reason = self.of(&DeadReason::ALL);
                    let fingerprint = self.of(&FINGERPRINTS);
                    dead(&before, millis, reason, fingerprint)
                }
                (Delivery::Ready { .. }, 2..6) => {
                    self.attempts += 1;
                    started(&before, millis, self.attempts)
                }
                (Delivery::Leased(_), 2 | 3) => acknowledged(&before, millis),
                (Delivery::Leased(_), 4 | 5) => {
                    let class = self.of(&ErrorClass::ALL);
                    backed_off(&before, millis, class)
                }
                (Delivery::HeldByPerson, 2..6) => decided(&before, millis),
                (Delivery::BackingOff { .. } | Delivery::HeldByTime { .. }, 2..6) => {
                    offered(&before, millis)
                }
                (_, 6) if before.task.is_none() => asked(&before, millis, &self.person()),
                (_, 7) => slept(&before, millis, millis + 20),
                _ => completed(&before, millis),
            }
        };
        self.took(change)
    }

    /// Asks both readers the same, and more than once with filters drawn by chance.
    fn compare(&mut self, worlds: &[World; 2]) {
        let [mut reference, mut embedded] = worlds.each_ref().map(World::reader);
        let mut both = |ask: &mut dyn FnMut(&mut dyn Reader) -> String| {
            let (reference, embedded) = (ask(&mut *reference), ask(&mut *embedded));
            assert_eq!(reference, embedded);
        };
        both(&mut |reader| format!("{:#?}", reader.counters()));
        both(&mut |reader| format!("{:?}", reader.held(9)));
        both(&mut |reader| format!("{:?}", reader.oldest_unfinished()));
        both(&mut |reader| format!("{:?}", reader.head()));
        for person in PEOPLE {
            both(&mut |reader| format!("{:?}", reader.oldest_ready(&address(person))));
        }
        for id in self.intents.keys() {
            both(&mut |reader| {
                format!(
                    "{:#?}",
                    (
                        reader.intent(*id),
                        reader
                            .payload(*id)
                            .map(|found| found.map(|found| found.to_value())),
                        reader.facts(*id, 0),
                        reader.thread(ThreadId(id.0)),
                    )
                )
            });
        }
        for _ in 0..12 {
            let limit = 1 + u32::try_from(self.bits() % 7).unwrap();
            let filter = self.intent_filter();
            both(&mut |reader| {
                let all = walk(limit, |page| reader.intents(&filter, page).unwrap());
                format!("{filter:?} {all:#?}")
            });
            let filter = self.attempt_filter();
            both(&mut |reader| {
                let all = walk(limit, |page| reader.attempts(&filter, page).unwrap());
                format!("{filter:?} {all:#?}")
            });
            let filter = self.letter_filter();
            let now = at(self.clock);
            both(&mut |reader| {
                let all = walk(limit, |page| reader.letters(&filter, page).unwrap());
                let groups = reader.letter_groups(&filter, now, limit);
                let ids = [JobOrder::Oldest, JobOrder::Newest]
                    .map(|order| reader.letter_ids(&filter, order, limit).unwrap());
                let count = reader.letter_count(&filter).unwrap();
                assert_eq!(usize::try_from(count).unwrap(), all.len());
                format!("{filter:?} {all:#?} {groups:#?} {ids:?}")
            });
            let filter = self.thread_filter();
            both(&mut |reader| {
                let all = walk(limit, |page| reader.threads(&filter, page).unwrap());
                format!("{filter:?} {all:#?}")
            });
            let filter = self.feed_filter();
            both(&mut |reader| format!("{filter:?} {:#?}", reader.feed(&filter, limit)));
        }
    }

    fn intent_filter(&mut self) -> IntentFilter {
        let people = PEOPLE.map(address);
        let known: Vec<Arc<Intent>> = self.intents.values().cloned().collect();
        let some = (!known.is_empty()).then(|| self.of(&known));
        let mut filter = IntentFilter {
            is_unfinished: self.one_in(4),
            to: self.maybe(&people),
            from: self.maybe(&people),
            party: self.maybe(&people),
            intent_type: self
                .maybe(&["intent.a.*", "intent.b", "*", "intent.c"])
                .map(str::to_owned),
            since: self.one_in(4).then(|| at(self.clock - 40)),
            until: self.one_in(4).then(|| at(self.clock - 10)),
            ..IntentFilter::default()
        };
        filter.statuses.extend(self.maybe(&Status::ALL));
        filter.statuses.extend(self.maybe(&Status::ALL));
        filter.kinds.extend(self.maybe(&Kind::ALL));
        filter.kinds.extend(self.maybe(&Kind::ALL));
        filter.states.extend(self.maybe(&State::ALL));
        filter.states.extend(self.maybe(&State::ALL));
        if let Some(intent) = some {
            let text = intent.id.to_string();
            match self.bits() % 12 {
                0 => filter.origin = Some(intent.origin),
                1 => filter.correlation_id = Some(intent.correlation_id.clone()),
                2 => filter.text = Some(text[..12].to_owned()),
                3 => filter.text = Some(text[34..].to_owned()),
                4 => filter.text = Some(intent.correlation_id[..3].to_owned()),
                _ => {}
            }
        }
        filter
    }

    fn attempt_filter(&mut self) -> AttemptFilter {
        let known: Vec<IntentId> = self.intents.keys().copied().collect();
        AttemptFilter {
            intent: self.maybe(&known.get(..1).map_or(vec![id(1)], <[_]>::to_vec)),
            agent: self.maybe(&PEOPLE.map(address)),
            binding: self.maybe(&Binding::ALL),
            outcome: self.maybe(&Outcome::ALL),
            error_class: self.maybe(&ErrorClass::ALL),
            since: self.one_in(4).then(|| at(self.clock - 30)),
        }
    }

    fn letter_filter(&mut self) -> LetterFilter {
        let states = [
            LetterState::Open,
            LetterState::Replayed,
            LetterState::Discarded,
        ];
        LetterFilter {
            agent: self.maybe(&PEOPLE.map(address)),
            intent_type: self.maybe(&["intent.a.*", "intent.b"]).map(str::to_owned),
            reason: self.maybe(&DeadReason::ALL),
            error_class: self.one_in(5).then_some(ErrorClass::Http5xx),
            since: self.one_in(4).then(|| at(self.clock - 40)),
            until: self.one_in(4).then(|| at(self.clock - 10)),
            fingerprint: self
                .maybe(&["aaaa", "bbbb", "f1:aaaa11111111"])
                .map(str::to_owned),
            state: self.maybe(&states),
        }
    }

    fn thread_filter(&mut self) -> ThreadFilter {
        ThreadFilter {
            owner: self.maybe(&PEOPLE.map(address)),
            is_pending: self.maybe(&[true, false]),
            kind: self.maybe(&[ThreadKind::Task, ThreadKind::Completion]),
            is_due_first: self.one_in(3),
        }
    }

    fn feed_filter(&mut self) -> FeedFilter {
        let known: Vec<IntentId> = self.intents.keys().copied().collect();
        let types = ["intent.*", "intent.completed", "agent.paused"].map(str::to_owned);
        FeedFilter {
            since: Cursor(self.bits() % 60),
            types: self.maybe(&types).into_iter().collect(),
            intent: self.maybe(&known.get(..1).map_or(vec![id(1)], <[_]>::to_vec)),
            agent: self.maybe(&PEOPLE.map(address)),
        }
    }
}
