//! Events of one intent, as they happen.

use serde_json::json;

use crate::house::house;

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_tells_the_past_then_what_happens_and_ends_with_the_end() {
    let house = house().await;
    let id = house.submit(&house.admin, "orders", json!({})).await;
    let path = format!("/v1/intents/{id}/events/stream?since=0&wait_seconds=30");
    let mut stream = house.stream(&path, &house.admin).await;
    let mut types = Vec::new();
    for seq in 1..=3 {
        let frame = stream.event().await;
        let data = frame.json();
        assert_eq!(frame.id, seq.to_string());
        assert_eq!(data["seq"], json!(seq));
        assert_eq!(data["event_type"], json!(frame.event));
        assert_eq!(
            frame.raw,
            format!("id: {seq}\nevent: {}\ndata: {}", frame.event, frame.data)
        );
        types.push(frame.event);
    }
    assert_eq!(
        types,
        ["intent.created", "intent.submitted", "intent.delivered"]
    );
    house.poll(&house.admin, "orders").await;
    assert_eq!(stream.event().await.event, "intent.attempt_started");
    house
        .post(
            &format!("/v1/intents/{id}/resume"),
            &house.admin,
            json!({ "a": 1 }),
        )
        .await
        .ok();
    let last = stream.event().await;
    assert_eq!(
        (last.id.as_str(), last.event.as_str()),
        ("5", "intent.completed")
    );
    assert_eq!(last.json()["result"], json!({ "a": 1 }));
    assert_eq!(last.json()["details"]["result"], json!({ "a": 1 }));
    assert_eq!(stream.rest().await, [], "the response ends with the intent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_without_news_is_held_to_its_end_and_says_where_to_go_on() {
    let house = house().await;
    let id = house.submit(&house.admin, "orders", json!({})).await;
    let path = format!("/v1/intents/{id}/events/stream?since=3&wait_seconds=1");
    let frames = house.stream(&path, &house.admin).await.rest().await;
    assert_eq!(frames.len(), 1);
    assert_eq!(
        frames[0].raw,
        "event: stream.timeout\ndata: {\"ok\":true,\"next_seq\":3}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_intent_without_news_holds_the_window_too() {
    let house = house().await;
    let id = house.submit(&house.admin, "orders", json!({})).await;
    house
        .post(
            &format!("/v1/intents/{id}/resume"),
            &house.admin,
            json!({ "a": 1 }),
        )
        .await
        .ok();
    let path = format!("/v1/intents/{id}/events/stream?since=4&wait_seconds=1");
    let frames = house.stream(&path, &house.admin).await.rest().await;
    assert_eq!(frames.len(), 1);
    assert_eq!(frames[0].event, "stream.timeout");
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_read_to_the_end_first_get_an_early_end() {
    let house = house().await;
    let id = house.submit(&house.admin, "orders", json!({})).await;
    let path = format!("/v1/intents/{id}/events/stream?since=0&wait_seconds=60");
    let request = house
        .request("GET", &path, &house.admin)
        .header("x-axme-client", "axme-sdk-typescript/0.2.0");
    let frames = house.stream_of(request).await.rest().await;
    assert_eq!(frames.len(), 4);
    assert_eq!(frames[3].json(), json!({ "ok": true, "next_seq": 3 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_reader_counts_since_as_the_next_number() {
    let house = house().await;
    let id = house.submit(&house.admin, "orders", json!({})).await;
    let path = format!("/v1/intents/{id}/events/stream?since=3&wait_seconds=1");
    let watch = house
        .request("GET", &path, &house.admin)
        .header("user-agent", "Go-http-client/1.1");
    let frames = house.stream_of(watch).await.rest().await;
    assert_eq!(frames[0].id, "3");
    assert_eq!(frames[1].json(), json!({ "ok": true, "next_seq": 4 }));
    let sdk = house
        .request("GET", &path, &house.admin)
        .header("user-agent", "Go-http-client/1.1")
        .header("x-axme-client", "axme-cli/1.0");
    let frames = house.stream_of(sdk).await.rest().await;
    assert_eq!(frames[0].event, "stream.timeout");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_counts_the_next_number_is_told_where_to_go_on_after_the_end() {
    let house = house().await;
    let id = house.submit(&house.admin, "orders", json!({})).await;
    let end = format!("/v1/intents/{id}/resume");
    house.post(&end, &house.admin, json!({ "a": 1 })).await.ok();
    let window = async |since: u64| {
        let path = format!("/v1/intents/{id}/events/stream?since={since}&wait_seconds=1");
        let watch = house
            .request("GET", &path, &house.admin)
            .header("user-agent", "Go-http-client/1.1");
        house.stream_of(watch).await.rest().await
    };
    // It goes on where the last frame says, and not with the event it has seen last.
    let frames = window(1).await;
    assert_eq!(frames.len(), 5);
    assert_eq!(frames[3].event, "intent.completed");
    assert_eq!(frames[4].json(), json!({ "ok": true, "next_seq": 5 }));
    let frames = window(5).await;
    assert_eq!(frames.len(), 1, "held to its end, without what it has");
    assert_eq!(frames[0].json(), json!({ "ok": true, "next_seq": 5 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_watcher_of_a_busy_intent_sees_every_event_once() {
    let house = house().await;
    let id = house.submit(&house.admin, "orders", json!({})).await;
    let path = format!("/v1/intents/{id}/events/stream?since=0&wait_seconds=30");
    let mut streams = Vec::new();
    for _ in 0..5 {
        streams.push(house.stream(&path, &house.admin).await);
    }
    let resume = format!("/v1/intents/{id}/resume");
    for _ in 0..10 {
        house
            .post(&resume, &house.admin, json!({ "action": "progress" }))
            .await
            .ok();
    }
    house
        .post(&resume, &house.admin, json!({ "action": "done" }))
        .await
        .ok();
    for stream in &mut streams {
        let seen: Vec<_> = stream
            .rest()
            .await
            .into_iter()
            .map(|frame| frame.id)
            .collect();
        let wanted: Vec<_> = (1..=14).map(|seq: u32| seq.to_string()).collect();
        assert_eq!(seen, wanted);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_that_comes_in_the_middle_misses_nothing_and_sees_nothing_twice() {
    let house = house().await;
    let id = house.submit(&house.admin, "orders", json!({})).await;
    let resume = format!("/v1/intents/{id}/resume");
    let busy = async {
        for _ in 0..150 {
            house
                .post(&resume, &house.admin, json!({ "action": "progress" }))
                .await
                .ok();
        }
        house
            .post(&resume, &house.admin, json!({ "action": "done" }))
            .await
            .ok();
    };
    let path = format!("/v1/intents/{id}/events/stream?since=0&wait_seconds=60");
    let coming = async {
        let mut streams = Vec::new();
        for _ in 0..30 {
            streams.push(house.stream(&path, &house.admin).await);
        }
        streams
    };
    let ((), mut streams) = tokio::join!(busy, coming);
    let wanted: Vec<_> = (1..=154).map(|seq: u32| seq.to_string()).collect();
    for stream in &mut streams {
        let seen: Vec<_> = stream
            .rest()
            .await
            .into_iter()
            .map(|frame| frame.id)
            .collect();
        assert_eq!(seen, wanted);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_broken_by_comments() {
    let settings = postroom::api::Settings {
        keepalive: std::time::Duration::from_millis(100),
        ..postroom::api::Settings::default()
    };
    let house = crate::house::house_with(settings).await;
    let id = house.submit(&house.admin, "orders", json!({})).await;
    let path = format!("/v1/intents/{id}/events/stream?since=3&wait_seconds=1");
    let frames = house.stream(&path, &house.admin).await.rest().await;
    assert!(frames.len() > 2, "{frames:?}");
    assert_eq!(frames[0].raw, ": keepalive");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_elsewhere_does_not_hide_the_silence_of_a_stream() {
    let settings = postroom::api::Settings {
        keepalive: std::time::Duration::from_millis(50),
        ..postroom::api::Settings::default()
    };
    let house = crate::house::house_with(settings).await;
    let id = house.submit(&house.admin, "orders", json!({})).await;
    let path = format!("/v1/intents/{id}/events/stream?since=3&wait_seconds=30");
    let mut stream = house.stream(&path, &house.admin).await;
    let noise = async {
        loop {
            house.submit(&house.admin, "noise", json!({})).await;
        }
    };
    let frame = tokio::select! {
        frame = stream.next() => frame,
        () = noise => None,
    };
    assert_eq!(frame.unwrap().raw, ": keepalive");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_result_is_left_out_of_the_line_and_whole_in_the_intent() {
    let house = house().await;
    let id = house.submit(&house.admin, "orders", json!({})).await;
    let text = "x".repeat(70_000);
    house
        .post(
            &format!("/v1/intents/{id}/resume"),
            &house.admin,
            json!({ "text": text }),
        )
        .await
        .ok();
    let path = format!("/v1/intents/{id}/events/stream");
    let frames = house.stream(&path, &house.admin).await.rest().await;
    let last = frames.last().unwrap();
    assert!(last.raw.len() < 60 * 1024);
    assert_eq!(last.json()["truncated"], json!(true));
    assert_eq!(last.json()["status"], "COMPLETED");
    assert_eq!(house.intent(&id).await["result"]["text"], json!(text));
}
