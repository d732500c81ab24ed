//! Somebody who sends whatever comes to mind: every answer has the documented status, code and a
//! sentence, nobody else notices, and the log says nothing about it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use crate::broker::Broker;

/// Longer than anything takes; only a broken broker lets it pass.
const PATIENCE: Duration = Duration::from_secs(20);

struct Reply {
    status: u16,
    head: String,
    body: Value,
}

impl Reply {
    /// The shape that every refusal has, and which one it is.
    fn refused(&self, what: &str, status: u16, code: &str) {
        let Self { body, head, .. } = self;
        let error = &body["error"];
        assert_eq!(
            (self.status, &error["code"]),
            (status, &json!(code)),
            "{what}: {head}\n{body}"
        );
        let message = error["message"].as_str().unwrap();
        assert!(message.len() > 8, "{what}: {message}");
        assert!(error["retryable"].is_boolean(), "{what}: {error}");
        assert!(error["details"].is_object(), "{what}: {error}");
        assert_eq!(body["ok"], json!(false), "{what}");
        match code {
            "schema_invalid" => assert!(body["detail"][0]["loc"].is_array(), "{what}: {body}"),
            _ => assert_eq!(body["detail"], json!(message), "{what}"),
        }
        for name in ["x-request-id: ", "x-trace-id: ", "server: Postroom/"] {
            assert!(head.contains(name), "{what}: no {name}in {head}");
        }
    }

    fn says(&self, what: &str, words: &str) {
        let message = self.body["error"]["message"].as_str().unwrap();
        assert!(message.contains(words), "{what}: {message}");
    }
}

/// Sends bytes as they are and reads one answer, or to the end of the connection.
fn raw(broker: &Broker, bytes: &[u8]) -> Vec<u8> {
    let address = broker.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // Whoever is refused early may find the connection closed while still sending.
    drop(stream.write_all(bytes));
    read_answer(&mut stream)
}

fn read_answer(stream: &mut TcpStream) -> Vec<u8> {
    let (mut answer, mut buffer) = (Vec::new(), [0; 16 * 1024]);
    while !is_whole(&answer) {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => answer.extend_from_slice(buffer.get(..count).unwrap()),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&answer)),
        }
    }
    answer
}

fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    length.is_some_and(|length| body.len() >= length.parse::<usize>().unwrap())
}

fn parsed(answer: &[u8]) -> Reply {
    let text = String::from_utf8_lossy(answer).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|text| text.parse().ok());
    Reply {
        status: status.unwrap_or_default(),
        head: head.to_owned(),
        body: serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {text}")),
    }
}

/// A request that is whole.
fn ask(broker: &Broker, key: &str, line: &str, body: &[u8]) -> Reply {
    let mut request = format!("{line} HTTP/1.1\r\nHost: outsider\r\n").into_bytes();
    if !key.is_empty() {
        request.extend_from_slice(format!("x-api-key: {key}\r\n").as_bytes());
    }
    request.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
    request.extend_from_slice(body);
    parsed(&raw(broker, &request))
}

fn post(broker: &Broker, path: &str, body: &Value) -> Reply {
    let line = format!("POST {path}");
    ask(broker, &broker.key, &line, body.to_string().as_bytes())
}

fn with(key: &str, value: Value) -> Value {
    let mut body = json!({ "intent_type": "intent.a.v1", "to_agent": "orders", "payload": {} });
    body.as_object_mut().unwrap().insert(key.to_owned(), value);
    body
}

/// Nothing of all that is worth a line, and the broker is well.
fn nobody_noticed(broker: Broker) {
    let health = ask(&broker, "", "GET /health", b"");
    assert_eq!((health.status, &health.body["ok"]), (200, &json!(true)));
    let log = broker.stop();
    let said: Vec<_> = log
        .lines()
        .filter(|line| line.contains("WARN") || line.contains("ERROR"))
        .collect();
    assert_eq!(said, Vec::<&str>::new());
}

#[test]
fn bodies_that_are_none() {
    let broker = Broker::start(&[]);
    let deep = format!(
        "{{\"payload\":{}1{}",
        "{\"a\":".repeat(5000),
        "}".repeat(5001)
    );
    let large = format!("{{\"a\":\"{}\"}}", "a".repeat(1024 * 1024 - 7));
    let larger = format!("{{\"a\":\"{}\"}}", "a".repeat(5 * 1024 * 1024));
    assert_eq!(large.len(), 1024 * 1024 + 1);
    for (body, status, code, words) in [
        (&b"{"[..], 400, "malformed_json", "EOF while parsing"),
        (b"[", 400, "malformed_json", "EOF while parsing"),
        (b"\xff\xfe", 400, "malformed_json", "not UTF-8"),
        (b"{}{}", 400, "malformed_json", "trailing characters"),
        (b"{\0}", 400, "malformed_json", "line 1 column 2"),
        (deep.as_bytes(), 400, "malformed_json", "deeper than 100"),
        (b"[]", 422, "schema_invalid", "must be a JSON object"),
        (b"null", 422, "schema_invalid", "must be a JSON object"),
        (b"\"x\"", 422, "schema_invalid", "must be a JSON object"),
        (b"", 422, "schema_invalid", "intent_type: field required"),
        (large.as_bytes(), 413, "payload_too_large", "1048576"),
        (larger.as_bytes(), 413, "payload_too_large", "1048576"),
    ] {
        let what = String::from_utf8_lossy(body.get(..body.len().min(20)).unwrap()).into_owned();
        let reply = ask(&broker, &broker.key, "POST /v1/intents", body);
        reply.refused(&what, status, code);
        reply.says(&what, words);
    }
    nobody_noticed(broker);
}

#[test]
fn fields_of_the_wrong_kind() {
    let broker = Broker::start(&[]);
    let long = "a".repeat(400);
    let too_much = json!({ "x": "a".repeat(131_072) });
    for (key, value, status, code) in [
        ("intent_type", json!(5), 422, "schema_invalid"),
        ("intent_type", json!("Order"), 422, "schema_invalid"),
        ("intent_type", Value::Null, 422, "schema_invalid"),
        ("to_agent", json!(["x"]), 422, "schema_invalid"),
        ("to_agent", json!(""), 422, "invalid_agent_address"),
        ("to_agent", json!("a b"), 422, "invalid_agent_address"),
        (
            "to_agent",
            json!("a\u{2028}b"),
            422,
            "invalid_agent_address",
        ),
        ("to_agent", json!("\0"), 422, "invalid_agent_address"),
        ("to_agent", json!("a/b/c/d"), 422, "invalid_agent_address"),
        ("to_agent", json!("agent://"), 422, "invalid_agent_address"),
        (
            "to_agent",
            json!("agent://a//b"),
            422,
            "invalid_agent_address",
        ),
        (
            "to_agent",
            json!("webhook://x"),
            422,
            "invalid_agent_address",
        ),
        ("to_agent", json!(long), 422, "invalid_agent_address"),
        ("reply_to", json!("a b"), 422, "invalid_agent_address"),
        ("payload", json!([1]), 422, "schema_invalid"),
        ("payload", json!("x"), 422, "schema_invalid"),
        ("payload", too_much, 413, "payload_too_large"),
        ("correlation_id", json!("x"), 422, "schema_invalid"),
        ("ttl_seconds", json!(-5), 422, "schema_invalid"),
        ("ttl_seconds", json!(1e300), 422, "schema_invalid"),
        ("ttl_seconds", json!("60"), 422, "schema_invalid"),
        ("ttl_seconds", json!(u64::MAX), 422, "schema_invalid"),
        ("max_delivery_attempts", json!(0), 422, "schema_invalid"),
        ("max_delivery_attempts", json!(2.5), 422, "schema_invalid"),
        (
            "max_delivery_attempts",
            json!(i64::MAX),
            422,
            "schema_invalid",
        ),
        ("deadline_at", json!("yesterday"), 422, "schema_invalid"),
        (
            "deadline_at",
            json!("2001-01-01T00:00:00Z"),
            422,
            "invalid_deadline",
        ),
        ("human_task", json!(5), 422, "schema_invalid"),
        ("remind_after_seconds", json!(0), 422, "schema_invalid"),
    ] {
        let what = format!("{key} {}", value.to_string().get(..8).unwrap_or("short"));
        let reply = post(&broker, "/v1/intents", &with(key, value));
        reply.refused(&what, status, code);
        reply.says(&what, if status == 413 { "131072" } else { key });
    }
    // Numbers that mean "never" are taken, and shown as instants like any other.
    let never = with("deadline_at", json!("9999-12-31T23:59:59Z"));
    let mut patient = with("remind_after_seconds", json!(i64::MAX / 1000));
    patient["human_task"] = json!({ "title": "some day" });
    for body in [never, patient] {
        let made = post(&broker, "/v1/intents", &body).body;
        let path = format!("GET /v1/intents/{}", made["intent_id"].as_str().unwrap());
        let shown = ask(&broker, &broker.key, &path, b"");
        assert_eq!(shown.status, 200, "{}", shown.body);
        assert!(!shown.body.to_string().contains("\"@"), "{}", shown.body);
    }
    nobody_noticed(broker);
}

#[test]
fn paths_and_methods_that_are_none() {
    let broker = Broker::start(&[]);
    let long = format!("GET /v1/agents/{}/intents", "a".repeat(400));
    for (line, status, code) in [
        ("GET /", 404, "not_found"),
        ("GET /v1/intents/", 404, "not_found"),
        ("GET //v1/intents", 404, "not_found"),
        ("GET /V1/intents", 404, "not_found"),
        ("GET /v1/intents/x", 404, "intent_not_found"),
        ("GET /v1/intents/..%2f..%2fetc", 404, "intent_not_found"),
        ("GET /v1/intents/%00", 404, "intent_not_found"),
        ("GET /v1/intents/%ff", 404, "not_found"),
        ("GET /v1/agents/%ff/intents", 404, "not_found"),
        ("GET /v1/agents/nobody", 404, "agent_not_found"),
        ("GET /v1/agents//intents", 422, "invalid_agent_address"),
        ("GET /v1/agents/a%20b/intents", 422, "invalid_agent_address"),
        (long.as_str(), 422, "invalid_agent_address"),
        ("PUT /v1/intents", 405, "method_not_allowed"),
        ("BREW /v1/intents", 405, "method_not_allowed"),
        ("TRACE /health", 405, "method_not_allowed"),
        ("POST /v1/agents/orders/intents", 405, "method_not_allowed"),
        ("GET /v1/inbox/x", 404, "thread_not_found"),
        ("GET /v1/dead-letters/x", 404, "dead_letter_not_found"),
        ("POST /v1/approvals/x/decision", 422, "schema_invalid"),
        ("POST /v1/holds/x/cancel", 404, "hold_not_found"),
        ("GET /v1/service-accounts/sa_-1", 404, "account_not_found"),
        (
            "POST /v1/service-accounts/sa_1/keys/x/revoke",
            404,
            "key_not_found",
        ),
        ("GET /v1/users/x", 501, "not_supported"),
    ] {
        let reply = ask(&broker, &broker.key, line, b"");
        reply.refused(line, status, code);
        if status == 405 {
            assert!(reply.head.contains("\r\nallow: "), "{line}: {}", reply.head);
        }
    }
    // The same mailbox, however its address is written.
    post(&broker, "/v1/intents", &with("n", json!(1)));
    for path in [
        "agent://local/default/orders",
        "agent%3A%2F%2Flocal%2Fdefault%2Forders",
        "local%2Fdefault%2Forders",
        "local/default/orders",
        "ORDERS",
    ] {
        let line = format!("GET /v1/agents/{path}");
        let agent = ask(&broker, &broker.key, &line, b"").body;
        let address = &agent["agent"]["address"];
        assert_eq!(*address, json!("agent://local/default/orders"), "{path}");
    }
    nobody_noticed(broker);
}

#[test]
fn queries_that_ask_for_nothing_there_is() {
    let broker = Broker::start(&[]);
    for (path, status, code) in [
        ("intents?limit=0", 422, "schema_invalid"),
        ("intents?limit=501", 422, "schema_invalid"),
        ("intents?limit=99999999999999999999", 422, "schema_invalid"),
        ("intents?status=NOPE", 422, "schema_invalid"),
        ("intents?since=x", 422, "schema_invalid"),
        ("intents?cursor=x", 400, "bad_cursor"),
        ("intents?cursor=%00", 400, "bad_cursor"),
        ("attempts?cursor=x", 400, "bad_cursor"),
        ("attempts?binding=x", 422, "schema_invalid"),
        ("dead-letters?cursor=x", 400, "bad_cursor"),
        ("dead-letters?reason=x", 422, "schema_invalid"),
        ("inbox?cursor=x", 400, "bad_cursor"),
        ("inbox/changes?cursor=x", 400, "bad_cursor"),
        ("audit/events?cursor=x", 400, "bad_cursor"),
        ("agents?cursor=x", 400, "bad_cursor"),
        ("inbox?owner_agent=a%20b", 422, "invalid_agent_address"),
        ("events?since=-1", 422, "schema_invalid"),
        ("agents/orders/intents?limit=101", 422, "schema_invalid"),
        (
            "agents/orders/intents/stream?since=x",
            422,
            "schema_invalid",
        ),
        (
            "agents/orders/intents/stream?max_in_flight=x",
            422,
            "schema_invalid",
        ),
    ] {
        let reply = ask(&broker, &broker.key, &format!("GET /v1/{path}"), b"");
        reply.refused(path, status, code);
        if code == "schema_invalid" {
            let key = path.split(['?', '=']).nth(1).unwrap();
            reply.says(path, key);
        }
    }
    // Beyond the end there is nothing, and no number is so large that it begins again.
    let path = format!("GET /v1/events?since={}", u64::MAX);
    let beyond = ask(&broker, &broker.key, &path, b"").body;
    assert_eq!(beyond["events"], json!([]), "{beyond}");
    nobody_noticed(broker);
}

#[test]
fn keys_that_open_nothing_or_not_this() {
    let broker = Broker::start(&[]);
    let wrong = format!("axme_sa_sa_1_{}", "x".repeat(43));
    let cut = broker.key.get(..broker.key.len() - 1).unwrap();
    ask(&broker, "", "GET /v1/me", b"").refused("none", 401, "missing_platform_api_key");
    for key in [wrong.as_str(), cut, "k", " ", &"k".repeat(10_000)] {
        let reply = ask(&broker, key, "GET /v1/me", b"");
        reply.refused("a wrong one", 401, "invalid_platform_api_key");
        assert!(!reply.body.to_string().contains(&wrong), "it is said again");
    }
    let made = post(&broker, "/v1/service-accounts", &json!({ "name": "web" })).body;
    let account = made["service_account"]["service_account_id"]
        .as_str()
        .unwrap();
    let keys = format!("/v1/service-accounts/{account}/keys");
    let key = post(&broker, &keys, &json!({})).body["api_key"].clone();
    let key = key.as_str().unwrap();
    let foreign = post(&broker, "/v1/intents", &with("n", json!(1))).body;
    let id = foreign["intent_id"].as_str().unwrap();
    for (line, status, code) in [
        ("GET /v1/agents/orders/intents", 403, "forbidden"),
        ("GET /v1/agents/orders/intents/stream", 403, "forbidden"),
        ("GET /v1/inbox?owner_agent=orders", 403, "forbidden"),
        ("GET /v1/overview", 403, "forbidden"),
        ("GET /v1/events/stream", 403, "forbidden"),
        ("GET /v1/dead-letters", 403, "forbidden"),
        ("GET /v1/service-accounts", 403, "forbidden"),
        ("POST /v1/service-accounts/sa_1/keys", 403, "forbidden"),
        ("POST /v1/intents/bulk-cancel", 403, "forbidden"),
        (&format!("GET /v1/intents/{id}"), 404, "intent_not_found"),
        (
            &format!("GET /v1/intents/{id}/events"),
            404,
            "intent_not_found",
        ),
        (
            &format!("POST /v1/intents/{id}/resume"),
            404,
            "intent_not_found",
        ),
        (
            &format!("POST /v1/intents/{id}/cancel"),
            404,
            "intent_not_found",
        ),
    ] {
        ask(&broker, key, line, b"").refused(line, status, code);
    }
    // Nobody locks the door from the inside.
    let path = "PATCH /v1/service-accounts/sa_1";
    let body = b"{\"status\":\"suspended\"}";
    ask(&broker, &broker.key, path, body).refused(path, 403, "forbidden");
    nobody_noticed(broker);
}

#[test]
fn secrets_that_could_not_sign() {
    let broker = Broker::start(&[]);
    let made = post(&broker, "/v1/service-accounts", &json!({ "name": "web" })).body;
    let account = made["service_account"]["service_account_id"]
        .as_str()
        .unwrap();
    for secret in ["short", "whsec_%%%%%%%%%%%%%%%%%%%%"] {
        let path = format!("/v1/service-accounts/{account}/webhook-secret");
        let rotated = post(&broker, &path, &json!({ "secret": secret }));
        let line = format!("PATCH /v1/service-accounts/{account}");
        let body = json!({ "webhook_secret": secret }).to_string();
        let patched = ask(&broker, &broker.key, &line, body.as_bytes());
        for reply in [rotated, patched] {
            reply.refused(secret, 422, "schema_invalid");
            assert!(!reply.body.to_string().contains(secret), "{}", reply.body);
        }
    }
    nobody_noticed(broker);
}

#[test]
fn bytes_that_are_no_request() {
    let broker = Broker::start(&[]);
    let key = format!("x-api-key: {}\r\n", broker.key);
    let post = format!("POST /v1/intents HTTP/1.1\r\nHost: x\r\n{key}");
    let bomb = format!("GET /health HTTP/1.1\r\n{}\r\n", "h: x\r\n".repeat(5000));
    let fat = format!("GET /health HTTP/1.1\r\nh: {}\r\n\r\n", "x".repeat(300_000));
    for (what, bytes, statuses) in [
        ("no HTTP", "\0\u{1}\u{2}\r\n\r\n".to_owned(), &[400][..]),
        (
            "a TLS hello",
            format!("\u{16}\u{3}\u{1}\0{}", "\0".repeat(300)),
            &[400],
        ),
        (
            "HTTP/2",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
            &[400, 0],
        ),
        ("many headers", bomb, &[431]),
        ("a fat header", fat, &[431]),
        (
            "a length below zero",
            format!("{post}Content-Length: -5\r\n\r\n"),
            &[400],
        ),
        (
            "two lengths",
            format!("{post}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}"),
            &[400],
        ),
        (
            "no length at all",
            format!("{post}Content-Length: {}0\r\n\r\n", u64::MAX),
            &[400],
        ),
        (
            "a chunk that is none",
            format!("{post}Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
            &[400],
        ),
    ] {
        let answer = raw(&broker, bytes.as_bytes());
        let text = String::from_utf8_lossy(&answer).into_owned();
        let status = text.split(' ').nth(1).and_then(|text| text.parse().ok());
        assert!(statuses.contains(&status.unwrap_or(0)), "{what}: {text:?}");
    }
    nobody_noticed(broker);
}

#[test]
fn a_request_that_does_not_come_to_its_end_holds_nothing() {
    let settings = ["limits.header_read_seconds=1", "limits.body_read_seconds=1"];
    let broker = Broker::start(&settings);
    let address = broker.url.strip_prefix("http://").unwrap().to_owned();
    let connect = || {
        let stream = TcpStream::connect(&address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    };
    // Nothing at all, half a head, and a head that begins again on a used connection.
    let silent = connect();
    let mut half = connect();
    half.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: a")
        .unwrap();
    let mut body = connect();
    let head = format!(
        "POST /v1/intents HTTP/1.1\r\nHost: x\r\nx-api-key: {}\r\nContent-Length: 50\r\n\r\n{{",
        broker.key
    );
    body.write_all(head.as_bytes()).unwrap();
    let late = parsed(&read_answer(&mut body));
    late.refused("half a body", 400, "malformed_json");
    late.says("half a body", "did not arrive within 1 s");
    for (what, mut stream) in [("silence", silent), ("half a head", half)] {
        let answer = read_answer(&mut stream);
        let text = String::from_utf8_lossy(&answer);
        assert!(text.is_empty() || text.contains(" 408 "), "{what}: {text}");
    }
    nobody_noticed(broker);
}
