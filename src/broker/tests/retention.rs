//! How fast what is old goes.

use serde_json::json;

use crate::domain::time::Span;

use super::{House, house};

/// Two passes of the writer: what is due next is said after a commit is answered.
async fn settle(house: &House) {
    house.broker.tick().await.unwrap();
    house.broker.tick().await.unwrap();
}

#[tokio::test]
async fn a_sweep_goes_on_by_itself_at_forty_pages_a_second_while_every_intent_is_old() {
    let house = house().await;
    let mut listener = house.listen(1000, true).await;
    let mut ids = Vec::new();
    for number in 0..350 {
        let id = house.send(number).await;
        let attempt = listener.next().await.unwrap().attempt;
        house
            .resume(id, Some(attempt), json!({ "done": true }))
            .await
            .unwrap();
        ids.push(id);
    }
    drop(listener);
    house.clock.advance(Span::from_seconds(31 * 86_400));
    settle(&house).await;
    let mut pauses = Vec::new();
    loop {
        let now = house.broker.clock().now();
        let Some(due) = house.broker.next_due() else {
            break;
        };
        pauses.push(due.since(now).as_millis());
        house.clock.advance(due.since(now));
        settle(&house).await;
    }
    assert_eq!(pauses, [25, 25, 25], "three full pages and a half");
    for id in ids {
        let found = house.broker.read(move |reader| reader.intent(id)).await;
        assert!(found.unwrap().is_none(), "{id} is still there");
    }
}
