//! The feed, one intent's facts in it, and what is stored beside intents.

use postroom::domain::agent::Agent;
use postroom::domain::endpoint::Endpoint;
use postroom::domain::fact::{Actor, FactBody, FeedEntry, Notice};
use postroom::domain::failure::{DeadReason, ErrorClass};
use postroom::domain::ids::{AccountId, Cursor, KeyId};
use postroom::domain::key::{Key, KeyHash, Role};
use postroom::domain::payload::Payload;
use postroom::domain::status::Status;
use postroom::store::Write;
use postroom::store::query::{AuditEntry, AuditFilter, FeedFilter};

use crate::contract;
use crate::moves::*;
use crate::world::{World, walk};
use postroom::domain::schema::{Schema, SchemaMode, SchemaScope};

contract!(
    the_feed_has_every_fact_and_notice_once_in_order,
    the_feed_of_one_intent_and_of_one_receiver,
    an_item_stays_with_the_receiver_that_had_it,
    facts_are_read_from_any_seq_on,
    agents_keys_numbers_texts_and_audit_read_back,
);

fn notice(kind: &str, agent: Option<&str>) -> Notice {
    Notice {
        at: at(1),
        actor: Actor::Broker,
        kind: kind.to_owned(),
        agent: agent.map(address),
        data: Payload::empty(),
    }
}

fn the_feed_has_every_fact_and_notice_once_in_order(world: &mut World) {
    let first = world.apply(accepted(intent(1)));
    world.write([Write::Notice(notice("broker.started", None))]);
    world.apply(dead(&first, 5, DeadReason::Permanent, "f1:aaaa"));
    let mut reader = world.reader();
    let mut filter = FeedFilter::default();
    let mut kinds = Vec::new();
    loop {
        let (items, examined) = reader.feed(&filter, 2).unwrap();
        for item in &items {
            assert_eq!(item.cursor.0, kinds.len() as u64 + 1);
            kinds.push(match &item.entry {
                FeedEntry::Intent {
                    fact,
                    agent,
                    status,
                } => {
                    assert_eq!(*agent, address("orders"));
                    (fact.body.type_name().to_owned(), Some(*status))
                }
                FeedEntry::Notice(notice) => (notice.kind.clone(), None),
            });
        }
        if items.is_empty() {
            assert_eq!(examined, filter.since);
            break;
        }
        filter.since = examined;
    }
    let expected = [
        ("intent.created", Some(Status::Created)),
        ("intent.submitted", Some(Status::Submitted)),
        ("intent.delivered", Some(Status::Delivered)),
        ("broker.started", None),
        ("intent.delivery_failed", Some(Status::Delivered)),
        ("intent.failed", Some(Status::Failed)),
        ("dead_letter.opened", Some(Status::Failed)),
    ]
    .map(|(kind, status)| (kind.to_owned(), status));
    assert_eq!(kinds, expected);
    assert_eq!(reader.head().unwrap(), Cursor(7));
}

fn the_feed_of_one_intent_and_of_one_receiver(world: &mut World) {
    let mut other = intent(2);
    other.to = address("billing");
    world.write(all_accepted([intent(1), other]));
    world.write([
        Write::Notice(notice("agent.paused", Some("orders"))),
        Write::Notice(notice("agent.paused", Some("billing"))),
    ]);
    let first = world.read(id(1)).unwrap();
    world.apply(started(&first, 5, 1));
    let cursors = |filter: FeedFilter, limit: u32| {
        let (items, examined) = world.reader().feed(&filter, limit).unwrap();
        let cursors: Vec<u64> = items.iter().map(|item| item.cursor.0).collect();
        (cursors, examined.0)
    };
    let of_intent = |since: u64| FeedFilter {
        since: Cursor(since),
        intent: Some(id(1)),
        ..FeedFilter::default()
    };
    assert_eq!(cursors(of_intent(0), 9), (vec![1, 2, 3, 9], 9));
    assert_eq!(cursors(of_intent(2), 9), (vec![3, 9], 9));
    let of_agent = |agent: &str| FeedFilter {
        agent: Some(address(agent)),
        ..FeedFilter::default()
    };
    assert_eq!(cursors(of_agent("orders"), 9), (vec![1, 2, 3, 7, 9], 9));
    assert_eq!(cursors(of_agent("billing"), 9), (vec![4, 5, 6, 8], 9));
    assert_eq!(cursors(of_agent("billing"), 2), (vec![4, 5], 5));
    let of_types = |types: &[&str]| FeedFilter {
        types: types.iter().map(|&name| name.to_owned()).collect(),
        ..FeedFilter::default()
    };
    assert_eq!(cursors(of_types(&["agent.*"]), 9), (vec![7, 8], 9));
    let types = ["intent.submitted", "agent.paused"];
    assert_eq!(cursors(of_types(&types), 9), (vec![2, 5, 7, 8], 9));
    assert_eq!(cursors(of_types(&["intent"]), 9), (vec![], 9));
}

fn an_item_stays_with_the_receiver_that_had_it(world: &mut World) {
    let first = world.apply(accepted(intent(1)));
    let moved = world.apply(escalated(&first, 5, "backup"));
    world.apply(completed(&moved, 9));
    let seen = |filter: FeedFilter| {
        let (items, _) = world.reader().feed(&filter, 99).unwrap();
        let seen = items.into_iter().filter_map(|item| match item.entry {
            FeedEntry::Intent { agent, .. } => Some((item.cursor.0, agent)),
            FeedEntry::Notice(_) => None,
        });
        seen.collect::<Vec<_>>()
    };
    let all: Vec<_> = (1..=6)
        .map(|cursor| {
            (
                cursor,
                address(if cursor < 4 { "orders" } else { "backup" }),
            )
        })
        .collect();
    assert_eq!(seen(FeedFilter::default()), all);
    let of_intent = FeedFilter {
        intent: Some(id(1)),
        ..FeedFilter::default()
    };
    assert_eq!(seen(of_intent), all);
    for (name, cursors) in [("orders", 0..3), ("backup", 3..6)] {
        let of_agent = FeedFilter {
            agent: Some(address(name)),
            ..FeedFilter::default()
        };
        assert_eq!(seen(of_agent), all[cursors], "{name}");
    }
}

fn facts_are_read_from_any_seq_on(world: &mut World) {
    let first = world.apply(accepted(intent(1)));
    let first = world.apply(started(&first, 2, 1));
    world.write(all_accepted([intent(3)]));
    world.apply(backed_off(&first, 4, ErrorClass::Reset));
    let mut reader = world.reader();
    let all = reader.facts(first.id, 0).unwrap();
    assert_eq!(all.len(), 5);
    assert!(matches!(all[0].body, FactBody::Created(_)));
    assert!(matches!(all[4].body, FactBody::AttemptFailed { .. }));
    for after in 0..7 {
        let expected: Vec<_> = all
            .iter()
            .filter(|fact| fact.seq > after)
            .cloned()
            .collect();
        assert_eq!(reader.facts(first.id, after).unwrap(), expected, "{after}");
    }
    assert_eq!(reader.facts(id(99), 0).unwrap(), vec![]);
}

fn schema(semantic_type: &str, is_active: bool) -> Schema {
    Schema {
        semantic_type: semantic_type.to_owned(),
        reference: None,
        hash: "00".to_owned(),
        json: Payload::empty(),
        mode: SchemaMode::Backward,
        scope: SchemaScope::Tenant,
        owner: address("operator"),
        is_active,
        created_at: at(1),
        updated_at: at(2),
    }
}

fn agents_keys_numbers_texts_and_audit_read_back(world: &mut World) {
    let mut agent = Agent::mailbox(address("orders"), at(1));
    let other = Agent::mailbox(address("billing"), at(2));
    let key = Key {
        id: KeyId(2),
        account: AccountId(1),
        hash: KeyHash([3; 32]),
        hint: "prk_ab".to_owned(),
        role: Role::Sender,
        created_at: at(3),
        expires_at: None,
        revoked_at: None,
    };
    let entry = |n: i64| AuditEntry {
        at: at(n),
        actor: "alice".to_owned(),
        key: None,
        via: "console".to_owned(),
        action: "agent.pause".to_owned(),
        target: format!("agent {n}"),
        owner: "agent://local/default/bob".to_owned(),
        reason: None,
        result: if n % 3 == 0 {
            "agent_not_found"
        } else {
            "done"
        }
        .to_owned(),
        details: Some(Payload::of(&serde_json::json!({ "before": { "n": n } }))),
        trace_id: None,
    };
    let mut writes = vec![
        Write::Agent(agent.clone()),
        Write::Agent(other.clone()),
        Write::Key(key.clone()),
        Write::Endpoint(Endpoint::new(address("orders"))),
        Write::Endpoint(Endpoint::new(address("billing"))),
        Write::Schema(Box::new(schema("intent.b.v1", false))),
        Write::Schema(Box::new(schema("intent.a.v1", false))),
        Write::Number("epoch", u64::MAX),
        Write::Number("epoch", 4),
        Write::Text("org", "local".to_owned()),
    ];
    writes.extend((0..7).map(|n| Write::Audit(entry(n))));
    world.write(writes);
    agent.display_name = Some("Orders".to_owned());
    let endpoint = Endpoint {
        trips: 3,
        open_until: Some(at(9)),
        held_until: Some(at(7)),
        rate_millihertz: Some(2500),
        notice: Some(intent(5).id),
        open_notice: Some(intent(6).id),
        ..Endpoint::new(address("orders"))
    };
    world.write([
        Write::Agent(agent.clone()),
        Write::Endpoint(endpoint.clone()),
        Write::Schema(Box::new(schema("intent.b.v1", true))),
        Write::Number("last", u64::MAX),
    ]);
    world.reopen();
    let mut reader = world.reader();
    assert_eq!(reader.agents().unwrap(), vec![other, agent]);
    assert_eq!(reader.keys().unwrap(), vec![key]);
    let schemas = [schema("intent.a.v1", false), schema("intent.b.v1", true)];
    assert_eq!(reader.schemas().unwrap(), schemas);
    let billing = Endpoint::new(address("billing"));
    assert_eq!(reader.endpoints().unwrap(), vec![billing, endpoint]);
    assert_eq!(reader.number("epoch").unwrap(), Some(4));
    assert_eq!(reader.number("last").unwrap(), Some(u64::MAX));
    assert_eq!(reader.number("none").unwrap(), None);
    assert_eq!(reader.text("org").unwrap().as_deref(), Some("local"));
    assert_eq!(reader.text("none").unwrap(), None);
    let mut audit =
        |filter: AuditFilter| {
            let found = walk(3, |page| reader.audit(&filter, page).unwrap());
            assert!(found.iter().all(|audited| audited.entry == entry(
            i64::try_from(audited.id.0).unwrap() - 1
        )));
            let ids = found.iter().map(|audited| audited.id.0);
            ids.collect::<Vec<_>>()
        };
    let all = AuditFilter::default();
    assert_eq!(audit(all.clone()), [7, 6, 5, 4, 3, 2, 1]);
    let between = AuditFilter {
        since: Some(at(2)),
        until: Some(at(5)),
        ..all.clone()
    };
    assert_eq!(audit(between), [5, 4, 3]);
    let refused = AuditFilter {
        is_refused: Some(true),
        ..all.clone()
    };
    assert_eq!(audit(refused), [7, 4, 1]);
    let target = AuditFilter {
        target: Some("agent 3".to_owned()),
        action_prefix: Some("agent.".to_owned()),
        via: Some("console".to_owned()),
        party: Some(address("bob")),
        ..all
    };
    assert_eq!(audit(target.clone()), [4]);
    for nobody in [
        AuditFilter {
            party: Some(address("eve")),
            ..target.clone()
        },
        AuditFilter {
            via: Some("cli".to_owned()),
            ..target.clone()
        },
        AuditFilter {
            action_prefix: Some("key.".to_owned()),
            ..target
        },
    ] {
        assert!(audit(nobody).is_empty());
    }
}
