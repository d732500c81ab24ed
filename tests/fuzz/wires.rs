//! Bytes on connections: requests at the door of a broker, and answers of a broker that is none.

use std::io::{Read, Write};
use std::net::{Shutdown as Half, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt;
use postroom::api::{ApiParts, Settings, serve};
use postroom::cli::client::{Call, Client, Frame};
use postroom::desk::remote::RemoteDesk;
use postroom::desk::{Desk, DeskError};
use postroom::domain::ids::{Cursor, IntentId, JobId, ThreadId};
use postroom::shutdown::Shutdown;
use postroom::store::query::{
    AttemptFilter, AuditFilter, IntentFilter, LetterFilter, PageRequest, ThreadFilter,
};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::events::Decoder;
use crate::{Campaign, Verdict, is_sentence, memory, tally};

/// Longer than any answer takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a door that has everything may take; after that it is told that nothing more comes.
const WAIT: Duration = Duration::from_millis(300);
/// What ends a connection whose requests are whole.
const LAST: &[u8] = b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
/// Requests after which a broker with everything in memory makes room for a fresh one.
const REQUESTS_MAX: u64 = 5000;
/// Stands for the admin key in a request.
const KEY: &str = "KEYKEYKEY";
/// Stands for the id of an intent.
const INTENT: &str = "018f3c5e-7a10-7c3a-9b1e-5d2f6a7b8c9d";

/// A broker in memory with its door open.
struct House {
    address: SocketAddr,
    admin: String,
    /// An intent that exists.
    intent: String,
    // Its end stops everything.
    _runtime: Runtime,
}

impl House {
    fn open() -> Self {
        let _installed_before = rustls::crypto::ring::default_provider().install_default();
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).enable_all().build().unwrap();
        let (address, admin) = runtime.block_on(async {
            let shutdown = Shutdown::new(tokio::runtime::Handle::current());
            let (broker, admin) = memory::broker(&shutdown).await;
            let parts = ApiParts {
                broker,
                settings: Settings::default(),
                listener: TcpListener::bind("127.0.0.1:0").unwrap(),
            };
            (serve(parts, &shutdown.tasks("doors")).unwrap(), admin)
        });
        let mut house = Self {
            address,
            admin,
            intent: INTENT.to_owned(),
            _runtime: runtime,
        };
        let made = house
            .ask(&request(
                "POST /v1/intents",
                "",
                r#"{"intent_type":"a.b.v1","to_agent":"orders","payload":{"a":1}}"#,
            ))
            .unwrap();
        let id = made[0]
            .1
            .as_ref()
            .and_then(|body| body["intent_id"].as_str());
        id.unwrap().clone_into(&mut house.intent);
        house
    }

    /// Everything that is answered to some bytes: statuses, and bodies as far as they are JSON.
    fn ask(&self, bytes: &[u8]) -> Result<Vec<(u16, Option<Value>)>, String> {
        let bytes = replaced(&replaced(bytes, KEY, &self.admin), INTENT, &self.intent);
        let mut connection = TcpStream::connect(self.address).unwrap();
        // The door may have closed on what it does not want.
        if connection.write_all(&[&bytes[..], LAST].concat()).is_err() {
            return Ok(Vec::new());
        }
        let mut answer = Vec::new();
        let mut wait = WAIT;
        loop {
            connection.set_read_timeout(Some(wait)).unwrap();
            match connection.read_to_end(&mut answer) {
                Err(error) if is_late(&error) && wait == WAIT => {
                    // It waits for more, which is not to come.
                    wait = PATIENCE;
                    if connection.shutdown(Half::Write).is_err() {
                        break;
                    }
                }
                Err(error) if is_late(&error) => return Err("no end of an answer".to_owned()),
                Ok(_) | Err(_) => break,
            }
        }
        answers(&answer)
    }
}

fn is_late(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
    )
}

fn replaced(bytes: &[u8], word: &str, by: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest
        .windows(word.len())
        .position(|window| window == word.as_bytes())
    {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(by.as_bytes());
        rest = &rest[at + word.len()..];
    }
    out.extend_from_slice(rest);
    out
}

fn request(line: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("{line} HTTP/1.1\r\nhost: x\r\nx-api-key: {KEY}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n{body}").into_bytes()
}

/// Takes the answers of one connection apart.
fn answers(mut bytes: &[u8]) -> Result<Vec<(u16, Option<Value>)>, String> {
    let mut answers = Vec::new();
    while !bytes.is_empty() {
        let head = bytes
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .ok_or("an answer without an end of its head")?;
        let text = std::str::from_utf8(&bytes[..head])
            .map_err(|error| error.to_string())?
            .to_ascii_lowercase();
        let status = text
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .ok_or("an answer without a status")?;
        bytes = &bytes[head + 4..];
        let header = |name: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        };
        let is_json =
            header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
        let Some(length) = header("content-length").and_then(|length| length.parse::<usize>().ok())
        else {
            // A stream, to the end of the connection; or nothing, as after 204.
            answers.push((status, None));
            break;
        };
        // The answer to a HEAD has none.
        let body = bytes.get(..length.min(bytes.len())).unwrap_or_default();
        bytes = &bytes[body.len()..];
        let value = if is_json && !body.is_empty() {
            Some(
                serde_json::from_slice(body)
                    .map_err(|error| format!("an answer of {status} is no JSON: {error}"))?,
            )
        } else {
            None
        };
        answers.push((status, value));
    }
    Ok(answers)
}

fn told(answers: Vec<(u16, Option<Value>)>) -> Verdict {
    let mut words = Vec::new();
    for (status, body) in answers {
        let code = body
            .as_ref()
            .and_then(|body| body.pointer("/error/code")?.as_str());
        if status == 500 || code == Some("internal_error") {
            return Err(format!("a fault: {status} {body:?}"));
        }
        if status >= 400
            && let Some(body) = &body
        {
            let message = body.pointer("/error/message").and_then(Value::as_str);
            if code.is_none() || body["ok"] != Value::Bool(false) {
                return Err(format!("a refusal without a code: {status}"));
            }
            is_sentence(message.unwrap_or_default())?;
        }
        let message = body
            .as_ref()
            .and_then(|body| body.pointer("/error/message")?.as_str());
        words.push(format!(
            "{status} {} {}",
            code.unwrap_or_default(),
            message.unwrap_or_default()
        ));
    }
    Ok(words.join(" | "))
}

/// Every route of the document, by its method and an example of its path.
fn requests(house: &House) -> Vec<Vec<u8>> {
    let document = house.ask(&request("GET /openapi.json", "", "")).unwrap();
    let document = document[0].1.clone().unwrap();
    let mut requests = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let mut path = path.clone();
        while let (Some(from), Some(to)) = (path.find('{'), path.find('}')) {
            path.replace_range(from..=to, INTENT);
        }
        for method in methods.as_object().unwrap().keys() {
            let line = format!(
                "{} {path}?limit=2&cursor=aXN&wait_seconds=0&owner_agent=*&since=1",
                method.to_uppercase()
            );
            requests.push(request(&line, "idempotency-key: k1\r\nx-request-id: r1\r\ntraceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\nx-owner-agent: orders\r\n", r#"{"reason":"r","comment":"c","limit":3}"#));
        }
    }
    requests
}

#[test]
fn doors() {
    let mut house = House::open();
    let mut count = 0_u64;
    Campaign::new("doors")
        .seeds(requests(&house))
        .seeds([
            request("POST /v1/intents", "idempotency-key: k2\r\n", r#"{"intent_type":"a.b.v1","to_agent":"orders","payload":{"a":1}}"#),
            request("POST /v1/intents/batch", "", r#"{"intents":[{"intent_type":"a.b.v1","to_agent":"orders","idempotency_key":"k"},{"intent_type":"x"}]}"#),
            request("POST /mcp", "", r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"axme.send","arguments":{"to":"orders"}}}"#),
            request("POST /mcp", "", r#"[{"jsonrpc":"2.0","id":"a","method":"initialize"},{"jsonrpc":"2.0","method":"tools/list","id":null}]"#),
            request("POST /v1/agents/orders/poll?limit=1", "accept: text/event-stream\r\n", "{}"),
            request("GET /v1/intents?state=dead&status=FAILED&agent=orders&from=x&since=2026-01-01T00:00:00Z&q=91b4", "last-event-id: 7\r\n", ""),
            request("GET /v1/audit?who=x&action=task.&via=api&is=refused&cursor=dQAAAAAAAAAH", "", ""),
            b"GET /health HTTP/1.1\r\nhost: x\r\n\r\nGET /ready HTTP/1.0\r\n\r\n".to_vec(),
            b"POST /v1/intents HTTP/1.1\r\nhost: x\r\nauthorization: Bearer KEYKEYKEY\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n".to_vec(),
        ])
        .words(&[
            "GET ", "POST ", "PATCH ", "DELETE ", "HEAD ", "OPTIONS ", " HTTP/1.1\r\n", " HTTP/1.0\r\n", "\r\n", "\r\n\r\n", ": ", "?", "&", "=", "%2F",
            "%00", "%ff", "cursor", "limit", "since", "wait_seconds", "state", "status", "idempotency-key: ", "x-api-key: ", "x-request-id: ",
            "x-trace-id: ", "traceparent: ", "x-owner-agent: ", "last-event-id: ", "content-length: ", "transfer-encoding: chunked", "expect: 100-continue",
            "authorization: Bearer ", KEY, INTENT, "x-postroom-via: ", "accept-encoding: gzip", "connection: upgrade", "host: ",
        ])
        .cases(600)
        .run(|input| {
            count += 1;
            if count.is_multiple_of(REQUESTS_MAX) {
                house = House::open();
            }
            let verdict = told(house.ask(input)?)?;
            if count.is_multiple_of(64)
                && house.ask(b"")?.first().is_none_or(|(status, _)| *status != 200)
            {
                return Err("nobody is at the door any more".to_owned());
            }
            Ok(verdict)
        });
}

/// Status, kind, body, and where it is cut in two.
type Said = (u16, &'static str, Vec<u8>, usize);

/// A server that gives everybody the same answer, and knows what it was asked.
struct Parrot {
    address: SocketAddr,
    answer: Arc<Mutex<Said>>,
    asked: Arc<Mutex<String>>,
}

impl Parrot {
    fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let parrot = Self {
            address: listener.local_addr().unwrap(),
            answer: Arc::new(Mutex::new((200, "application/json", Vec::new(), 0))),
            asked: Arc::default(),
        };
        let (answer, asked) = (Arc::clone(&parrot.answer), Arc::clone(&parrot.asked));
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let answer = answer.lock().unwrap().clone();
                // Whoever hangs up does not want the answer.
                drop(say(connection.unwrap(), &answer, &asked));
            }
        });
        parrot
    }

    fn says(&self, status: u16, kind: &'static str, body: &[u8], cut: usize) {
        *self.answer.lock().unwrap() = (status, kind, body.to_vec(), cut.min(body.len()));
    }
}

fn say(
    mut connection: TcpStream,
    (status, kind, body, cut): &Said,
    asked: &Mutex<String>,
) -> std::io::Result<()> {
    connection.set_nodelay(true)?;
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && connection.read(&mut byte)? == 1 {
        head.push(byte[0]);
    }
    let line = String::from_utf8_lossy(&head);
    line.lines()
        .next()
        .unwrap_or_default()
        .clone_into(&mut asked.lock().unwrap());
    write!(
        connection,
        "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\nconnection: close\r\n\r\n"
    )?;
    connection.write_all(&body[..*cut])?;
    connection.flush()?;
    connection.write_all(&body[*cut..])?;
    connection.shutdown(Half::Write)
}

/// Asks a desk the question of that number: what came, or why not.
async fn question(desk: &RemoteDesk, number: usize) -> Result<String, DeskError> {
    let id = IntentId::new(1, [7; 10]);
    let page = PageRequest::default;
    Ok(match number {
        0 => format!("{:?}", desk.hello().await?),
        1 => format!("{:?}", desk.overview().await?),
        2 => format!("{:?}", desk.intents(IntentFilter::default(), page()).await?),
        3 => format!("{:?}", desk.intent(id).await?),
        4 => format!(
            "{:?}",
            desk.attempts(AttemptFilter::default(), page()).await?
        ),
        5 => format!("{:?}", desk.letters(LetterFilter::default(), page()).await?),
        6 => format!("{:?}", desk.letter_groups(LetterFilter::default()).await?),
        7 => format!("{:?}", desk.tasks(ThreadFilter::default(), page()).await?),
        8 => format!("{:?}", desk.thread(ThreadId(id.0)).await?),
        9 => format!("{:?}", desk.agents().await?),
        10 => format!("{:?}", desk.held().await?),
        11 => format!("{:?}", desk.feed(Some(Cursor(0)), 0).await?),
        12 => format!("{:?}", desk.audit(AuditFilter::default(), page()).await?),
        13 => format!("{:?}", desk.jobs(None, page()).await?),
        _ => format!("{:?}", desk.job(JobId(1), page()).await?),
    })
}

const QUESTIONS: usize = 15;

/// The first byte is the question, the second the status; the rest is the answer.
#[test]
fn answers_to_a_desk() {
    let (house, parrot) = (House::open(), Parrot::open());
    let desk = RemoteDesk::new(&format!("http://{}", parrot.address), "k", "console").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut seeds = Vec::new();
    for number in 0..QUESTIONS {
        // What a real broker answers to what is really asked.
        let _nothing_yet = runtime.block_on(question(&desk, number));
        let asked = parrot.asked.lock().unwrap().replace(" HTTP/1.1", "");
        let asked = asked.replace(&IntentId::new(1, [7; 10]).to_string(), INTENT);
        let line = request(&asked, "", "");
        let answers = house.ask(&line).unwrap();
        let body = answers.first().and_then(|(_, body)| body.clone());
        let body = body.unwrap_or_default().to_string();
        let mut seed = vec![u8::try_from(number).unwrap(), 0];
        seed.extend_from_slice(body.as_bytes());
        seeds.push(seed);
    }
    Campaign::new("answers to a desk")
        .seeds(seeds)
        .words(&[
            "null",
            "true",
            "\"\"",
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"ok\":true",
            "\"items\"",
            "\"cursor\"",
            "\"next_cursor\"",
            "error",
            "code",
            "message",
            "details",
            "\"2026-04-11T10:00:00Z\"",
            "FAILED",
            "COMPLETED",
            INTENT,
        ])
        .cases(1500)
        .run(|input| {
            let number = usize::from(input.first().copied().unwrap_or_default()) % QUESTIONS;
            let status = [
                200, 200, 200, 201, 302, 400, 401, 404, 409, 422, 429, 500, 503,
            ];
            let status =
                status[usize::from(input.get(1).copied().unwrap_or_default()) % status.len()];
            let body = input.get(2..).unwrap_or_default();
            parrot.says(status, "application/json", body, body.len() / 2);
            let answer = runtime.block_on(question(&desk, number));
            match answer {
                Ok(_) if (200..300).contains(&status) => Ok(format!("{number} answered")),
                Ok(_) => Err(format!("status {status} is an answer")),
                Err(DeskError::Unreachable { url, reason }) => {
                    Err(format!("{url} is there: {reason}"))
                }
                Err(DeskError::Fault(sentence)) if (200..300).contains(&status) => {
                    is_sentence(&sentence)?;
                    Ok(format!("{number} {sentence}"))
                }
                Err(error) => Ok(format!(
                    "{number} {status} {:?}",
                    std::mem::discriminant(&error)
                )),
            }
        });
}

/// The frames of an event stream, or where it broke.
async fn frames(client: &Client) -> Vec<Result<Frame, String>> {
    let stream = client.stream(Call::get("/v1/agents/a/stream")).await;
    let mut stream = stream.unwrap();
    let mut frames = Vec::new();
    while let Some(frame) = stream.next().await {
        let is_end = frame.is_err();
        frames.push(frame.map_err(|failure| format!("{failure:?}")));
        if is_end {
            break;
        }
    }
    frames
}

/// The stream means what the standard says, wherever the network cuts it.
#[test]
fn event_streams() {
    let parrot = Parrot::open();
    let _installed_before = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let url = format!("http://{}", parrot.address).parse().unwrap();
    let client = Client::with_key(&url, "k", "a test").unwrap();
    Campaign::new("event streams")
        .seeds([
            "id: 7\nevent: intent.delivered\ndata: {\"a\":1}\n\n: keepalive\n\nid: 8\nevent: stream.timeout\ndata: {\"ok\":true}\n\n",
            "data: a\r\ndata: b\r\n\r\nretry: 100\r\n\r\n", "\u{feff}data:x\n\ndata\n\nid\n\n", "event: x\rdata: y\r\r",
        ])
        .words(&["data: ", "id: ", "event: ", "retry: ", "\n\n", "\r\n", "\r", ": ", "\u{feff}", "{\"a\":", "\0", "18446744073709551616"])
        .cases(1000)
        .run(|input| {
            let events = Decoder::default().take(input);
            parrot.says(200, "text/event-stream", input, input.len() / 2);
            let frames = runtime.block_on(frames(&client));
            let read = frames.iter().flatten().map(|frame| (frame.event.clone(), frame.id, frame.data.clone()));
            let meant = events.iter().map(|event| {
                let data = serde_json::from_str(&event.data).unwrap_or(Value::Null);
                (event.name.clone(), event.id.parse().ok(), data)
            });
            if read.eq(meant) {
                Ok(format!("{} {:?}", tally(events.len()), events.last().map(|last| last.id.is_empty())))
            } else {
                Err("a stream means something else than it says".to_owned())
            }
        });
}
