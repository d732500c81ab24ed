//! Little room on the disk, as the writer sees it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::broker::request::BrokerError;
use crate::broker::vitals::RoomSettings;
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
