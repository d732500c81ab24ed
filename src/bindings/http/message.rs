//! The request: its body and its headers.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::bindings::signature::{self, BadSecret};
use crate::domain::agent::Secret;
use crate::domain::ids::AttemptId;
use crate::domain::intent::{Intent, Kind};
use crate::domain::payload::Payload;
use crate::domain::time::Timestamp;

/// One attempt to push: everything that goes into the request.
#[derive(Debug, Clone, Copy)]
pub struct Push<'a> {
    /// The receiver's callback URL.
    pub url: &'a str,
    /// The intent as it stands.
    pub intent: &'a Intent,
    /// What it carries; sent as it is.
    pub payload: &'a Payload,
    /// The attempt, already committed.
    pub attempt: AttemptId,
    /// The attempt's number, 1 for the first.
    pub number: u32,
    /// The receiver's secrets, newest first; with none the request is not signed.
    pub secrets: &'a [Secret],
    /// The wall clock: when it is sent, and what dates in the answer are relative to.
    pub now: Timestamp,
}

/// The request as it goes out.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// The JSON body, in the contract's order of keys.
#[derive(Debug, Serialize)]
struct Body<'a> {
    r#type: &'static str,
    intent_id: String,
    delivery_id: String,
    intent_type: &'a str,
    correlation_id: &'a str,
    from_agent: String,
    to_agent: String,
    reply_to: Option<String>,
    payload: &'a RawValue,
    status: &'static str,
    delivery_attempt: u32,
    max_delivery_attempts: u32,
    deadline_at: Option<String>,
    created_at: String,
    sent_at: String,
    origin_id: String,
    replay_of: Option<String>,
}

impl Push<'_> {
    /// Writes and signs the request.
    pub(super) fn message(&self) -> Result<Message, BadSecret> {
        let body = self.body();
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        let intent_id = self.intent.id.to_string();
        let webhook_id = self.webhook_id();
        let signatures = signature::sign(self.secrets, &webhook_id, self.now, &body)?;
        let (axme, standard) = signatures.map_or((None, None), |signatures| {
            (signatures.axme, Some(signatures.standard))
        });
        let lines = [
            ("x-axme-signature", axme),
            ("webhook-id", Some(webhook_id)),
            ("webhook-timestamp", Some(self.now.as_seconds().to_string())),
            ("webhook-signature", standard),
            ("x-axme-intent-id", Some(intent_id.clone())),
            ("x-axme-delivery-id", Some(self.attempt.to_string())),
            ("x-axme-attempt", Some(self.number.to_string())),
            ("x-trace-id", self.intent.trace_id.clone()),
            ("idempotency-key", Some(intent_id)),
        ];
        for (name, value) in lines {
            // A trace id that is no header value is left out rather than spoiling the delivery.
            if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        Ok(Message {
            headers,
            body: Bytes::from(body),
        })
    }

    /// The same on every retry and every plain replay; an edited replay is another message.
    fn webhook_id(&self) -> String {
        if self.intent.is_edited_replay {
            self.intent.id.to_string()
        } else {
            self.intent.origin.to_string()
        }
    }

    fn body(&self) -> Vec<u8> {
        let intent = self.intent;
        if intent.kind() == Kind::Webhook {
            // An event is its own message; that an intent carries it is nobody's business there.
            return self.payload.as_str().as_bytes().to_vec();
        }
        let body = Body {
            r#type: "intent.delivered",
            intent_id: intent.id.to_string(),
            delivery_id: self.attempt.to_string(),
            intent_type: &intent.intent_type,
            correlation_id: &intent.correlation_id,
            from_agent: intent.from.to_string(),
            to_agent: intent.to.to_string(),
            reply_to: intent.reply_to.as_ref().map(ToString::to_string),
            // A payload was checked when it came in. Should a store give us something broken, the
            // receiver sees null, as everywhere else.
            payload: serde_json::from_str(self.payload.as_str()).unwrap_or(RawValue::NULL),
            status: "DELIVERED",
            delivery_attempt: self.number,
            max_delivery_attempts: intent.max_attempts,
            deadline_at: intent.deadline.map(|deadline| deadline.to_string()),
            created_at: intent.created_at.to_string(),
            sent_at: self.now.to_string(),
            origin_id: intent.origin.to_string(),
            replay_of: intent.replay_of.map(|id| id.to_string()),
        };
        // Strings and numbers under fixed keys always serialise; an empty body would be refused by
        // the receiver and seen.
        serde_json::to_vec(&body).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::http::fixture;

    #[test]
    fn the_payload_is_sent_as_it_came_and_the_rest_is_the_contracts() {
        let mut intent = fixture::intent();
        intent.trace_id = Some("trace-7".to_owned());
        let payload = Payload::object(r#"{"z":1.50,"a":{"k":12345678901234567890123}}"#).unwrap();
        let push = Push {
            url: "http://receiver.example/intent",
            intent: &intent,
            payload: &payload,
            attempt: AttemptId(9),
            number: 2,
            secrets: &[],
            now: Timestamp::from_millis(1_775_901_600_042),
        };
        let message = push.message().unwrap();
        let id = intent.id;
        let expected = format!(
            concat!(
                r#"{{"type":"intent.delivered","intent_id":"{id}","delivery_id":"att_9","#,
                r#""intent_type":"intent.order.process.v1","correlation_id":"c-1","#,
                r#""from_agent":"agent://local/default/web","to_agent":"agent://local/default/orders","#,
                r#""reply_to":null,"payload":{{"z":1.50,"a":{{"k":12345678901234567890123}}}},"#,
                r#""status":"DELIVERED","delivery_attempt":2,"max_delivery_attempts":3,"#,
                r#""deadline_at":null,"created_at":"2026-04-11T10:00:00.000Z","#,
                r#""sent_at":"2026-04-11T10:00:00.042Z","origin_id":"{id}","replay_of":null}}"#
            ),
            id = id
        );
        assert_eq!(std::str::from_utf8(&message.body).unwrap(), expected);
        let header = |name: &str| {
            message
                .headers
                .get(name)
                .map(|value| value.to_str().unwrap())
        };
        assert_eq!(header("x-axme-delivery-id"), Some("att_9"));
        assert_eq!(header("x-axme-attempt"), Some("2"));
        assert_eq!(header("x-trace-id"), Some("trace-7"));
        assert_eq!(header("webhook-timestamp"), Some("1775901600"));
        assert_eq!(
            header("content-length"),
            Some(expected.len().to_string().as_str())
        );
        assert_eq!(header("x-axme-signature"), None);
        assert_eq!(header("webhook-signature"), None);
    }

    #[test]
    fn a_plain_replay_keeps_the_webhook_id_and_an_edited_one_is_another_message() {
        let mut intent = fixture::intent();
        let origin = crate::domain::ids::IntentId::new(1, [1; 10]);
        intent.origin = origin;
        intent.replay_of = Some(origin);
        let payload = Payload::empty();
        let webhook_id = |intent: &Intent| {
            let push = fixture::push("http://x/", intent, &payload);
            let headers = push.message().unwrap().headers;
            assert_eq!(
                headers.get("idempotency-key").unwrap().to_str().unwrap(),
                intent.id.to_string()
            );
            headers
                .get("webhook-id")
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        };
        assert_eq!(webhook_id(&intent), origin.to_string());
        intent.is_edited_replay = true;
        assert_eq!(webhook_id(&intent), intent.id.to_string());
    }
}
