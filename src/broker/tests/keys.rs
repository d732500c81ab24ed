//! Idempotency keys at the end of their time.

use serde_json::json;

use crate::broker::request::{RememberKey, Request};
use crate::broker::vitals::RoomSettings;
use crate::domain::status::Status;
use crate::store::memory::MemoryStore;

use super::{House, house_of, settings};

fn under_a_key(house: &House) -> Request {
    Request {
        remember: Some(RememberKey {
            scope: "s".to_owned(),
            key: "k".to_owned(),
            fingerprint: [1; 32],
        }),
        ..house.submit(1)
    }
}

#[tokio::test]
async fn a_key_whose_intent_was_removed_makes_a_new_one_although_the_sweep_has_not_come_to_it() {
    let mut settings = settings(RoomSettings::default());
    // As soon as the key may be forgotten, the intent may be removed.
    let kept = settings.policy.retention.answers;
    settings.policy.retention.finished = kept;
    let house = house_of(MemoryStore::new(), settings).await;
    let first = house.broker.run(under_a_key(&house)).await.unwrap();
    let id = first.intent.id;
    house.resume(id, None, json!({ "ok": 1 })).await.unwrap();
    // To the millisecond: the intent is old enough, the key not yet older than it is kept.
    house.clock.advance(kept);
    house.broker.tick().await.unwrap();
    let there = house.broker.read(move |reader| reader.intent(id)).await;
    assert_eq!(there.unwrap(), None, "the sweep removed it");

    let second = house.broker.run(under_a_key(&house)).await.unwrap();
    assert!(!second.is_repeat);
    assert_ne!(second.intent.id, id);
    assert_eq!(second.intent.status, Status::Delivered);
    let third = house.broker.run(under_a_key(&house)).await.unwrap();
    assert!(third.is_repeat, "the key names the new one from here on");
    assert_eq!(third.intent.id, second.intent.id);
}
