//! An intent to push, and a receiver that answers as a test says.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::message::Push;
use crate::domain::address::{Address, Home};
use crate::domain::agent::Binding;
use crate::domain::ids::{AttemptId, IntentId};
use crate::domain::intent::{Delivery, Intent};
use crate::domain::payload::Payload;
use crate::domain::status::Status;
use crate::domain::task::ReminderPlan;
use crate::domain::time::{Span, Timestamp};

/// An intent from web to orders, accepted at 2026-04-11T10:00:00Z.
pub(super) fn intent() -> Intent {
    let now = Timestamp::from_millis(1_775_901_600_000);
    let id = IntentId::new(now.as_millis(), [7; 10]);
    let address = |name| Address::parse(name, &Home::default()).unwrap();
    Intent {
        id,
        intent_type: "intent.order.process.v1".to_owned(),
        correlation_id: "c-1".to_owned(),
        from: address("web"),
        to: address("orders"),
        first_to: None,
        reply_to: None,
        trace_id: None,
        origin: id,
        replay_of: None,
        is_edited_replay: false,
        binding: Binding::Http,
        created_at: now,
        updated_at: now,
        deadline: None,
        ttl: None,
        ack_timeout: Span::from_seconds(300),
        max_attempts: 3,
        reminders: ReminderPlan::default(),
        seq: 3,
        event_seq: 3,
        status: Status::Delivered,
        waiting: None,
        delivery: Delivery::Ready { since: now },
        attempts: 1,
        acknowledged_at: None,
        last_failure: None,
        reminded: 0,
        reminder_base: None,
        escalated_to: None,
        task: None,
        holds: Vec::new(),
        end: None,
        dead_letter: None,
        policy_generation: 1,
        controls: None,
        run: None,
        handed_to: None,
        read_by: Vec::new(),
        step: None,
    }
}

/// The first attempt, not signed.
pub(super) fn push<'a>(url: &'a str, intent: &'a Intent, payload: &'a Payload) -> Push<'a> {
    Push {
        url,
        intent,
        payload,
        attempt: AttemptId(9),
        number: 1,
        secrets: &[],
        now: intent.created_at,
    }
}

/// How a receiver answers one request.
#[derive(Debug)]
pub(super) enum Reply<'a> {
    /// These bytes, then the end of the connection.
    Close(&'a str),
    /// These bytes, and the connection stays open.
    Keep(&'a str),
    /// These bytes, then a reset.
    Reset(&'a str),
    /// These bytes, then so many bytes of body unless the sender stops reading.
    Flood(&'a str, usize),
}

/// Reads one request, head and body.
async fn read_request(stream: &mut TcpStream) -> String {
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let count = stream.read(&mut buffer).await.unwrap();
        request.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&request);
        if count == 0 {
            return text.into_owned();
        }
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head.lines().find_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("content-length: ")?
                .parse()
                .ok()
        });
        if body.len() >= length.unwrap_or(0) {
            return text.into_owned();
        }
    }
}

/// Answers one request; gives it back with the connection, when that stays, and whether all was sent.
pub(super) async fn answer(
    mut stream: TcpStream,
    reply: Reply<'_>,
) -> (String, Option<TcpStream>, bool) {
    let request = read_request(&mut stream).await;
    let head = match &reply {
        Reply::Close(head) | Reply::Keep(head) | Reply::Reset(head) | Reply::Flood(head, _) => head,
    };
    stream
        .write_all(head.replace('\n', "\r\n").as_bytes())
        .await
        .unwrap();
    match reply {
        Reply::Close(_) => (request, None, true),
        Reply::Keep(_) => (request, Some(stream), true),
        Reply::Reset(_) => {
            stream.set_zero_linger().unwrap();
            (request, None, true)
        }
        Reply::Flood(_, bytes) => {
            let chunk = vec![b'x'; 65_536];
            for _ in 0..bytes / chunk.len() {
                if stream.write_all(&chunk).await.is_err() {
                    return (request, None, false);
                }
            }
            (request, None, true)
        }
    }
}
