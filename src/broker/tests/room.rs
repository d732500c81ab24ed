//! Little room on the disk, as the writer sees it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::broker::request::BrokerError;
use crate::broker::vitals::RoomSettings;
use crate::domain::time::Span;
use crate::store::memory::MemoryStore;

use super::house_on;

#[tokio::test]
async fn a_flood_is_refused_once_it_has_taken_the_room_although_nobody_has_looked_since() {
    let free = Arc::new(AtomicU64::new(5000));
    let room = RoomSettings {
        low_bytes: 1000,
        check_every: Duration::from_hours(1),
    };
    let house = house_on(MemoryStore::with_room(Arc::clone(&free)), room).await;
    house.send(1).await;
    // What the next one takes is seen by its own commit.
    free.store(900, Ordering::Relaxed);
    let taken = house.send(2).await;
    let refused = house.broker.run(house.submit(3)).await;
    let Err(BrokerError::StorageLow(room)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(room.free_bytes, Some(900));
    // Results go on, and so do intents once there is room.
    free.store(5000, Ordering::Relaxed);
    house
        .resume(taken, None, json!({ "ok": true }))
        .await
        .unwrap();
    house.send(4).await;
}

#[tokio::test]
async fn a_hand_over_for_which_there_was_no_room_costs_its_connection_nothing() {
    let free = Arc::new(AtomicU64::new(5000));
    let room = RoomSettings::default();
    let house = house_on(MemoryStore::with_room(Arc::clone(&free)), room).await;
    let mut session = house.listen(1, false).await;
    house.broker.tick().await.unwrap();
    // It would have been handed over in the commit that did not happen.
    free.store(0, Ordering::Relaxed);
    let refused = house.broker.run(house.submit(1)).await;
    assert!(
        matches!(
            refused,
            Err(BrokerError::StorageFull | BrokerError::StorageLow(_))
        ),
        "{refused:?}"
    );
    assert!(session.try_next().is_none());
    free.store(5000, Ordering::Relaxed);
    house.clock.advance(Span::from_seconds(10));
    house.broker.tick().await.unwrap();
    let id = house.send(2).await;
    house.broker.tick().await.unwrap();
    let handover = session.try_next().expect("its one place is free");
    assert_eq!(handover.intent.id, id);
}
