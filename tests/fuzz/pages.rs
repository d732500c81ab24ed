//! The page that decides: whatever comes back as a link, and as its form.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::Request;
use postroom::api::{Api, Settings, router};
use postroom::bindings::http::Redactor;
use postroom::bindings::mail::{Links, Reach};
use postroom::broker::Broker;
use postroom::domain::address::{Address, Home};
use postroom::domain::ids::IntentId;
use postroom::domain::time::Span;
use postroom::shutdown::Shutdown;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

use crate::{Campaign, Verdict, memory};

/// Stands for the token of the open question.
const TOKEN: &str = "TOKENTOKEN";
const EVIL: &str = "<script>harm()</script><img src=x onerror=harm()>\"'&lt;</textarea>\u{202e}";
/// Every element that a page of ours has. What others wrote is text.
const ELEMENTS: [&str; 32] = [
    "!doctype", "b", "body", "button", "dd", "div", "dl", "dt", "fieldset", "footer", "form", "h1",
    "h2", "head", "header", "html", "input", "label", "legend", "main", "meta", "option", "p",
    "section", "select", "span", "style", "textarea", "title", "ul", "li", "small",
];
/// After so many decisions a broker with everything in memory makes room for a fresh one.
const DECISIONS_MAX: u32 = 500;

/// A broker in memory with one open question.
struct Desk {
    runtime: Runtime,
    router: Router,
    broker: Broker,
    links: Arc<Links>,
    admin: String,
    decisions: u32,
    id: IntentId,
    token: String,
}

impl Desk {
    fn open() -> Self {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).enable_all().build().unwrap();
        let links = Arc::new(Links::new([7; 32], Span::from_seconds(3 * 86_400)));
        let reach = Reach {
            links: Arc::clone(&links),
            stats: Arc::default(),
            masks: Arc::new(Redactor::new(&[])),
        };
        let (router, broker, admin) = runtime.block_on(async {
            let shutdown = Shutdown::new(tokio::runtime::Handle::current());
            let (broker, admin) = memory::broker(&shutdown).await;
            let settings = Settings {
                reach: Some(reach),
                ..Settings::default()
            };
            let api = Api::new(broker.clone(), settings, &shutdown.tasks("doors"));
            (router(api), broker, admin)
        });
        let mut desk = Self {
            runtime,
            router,
            broker,
            links,
            admin,
            decisions: 0,
            id: IntentId(uuid::Uuid::nil()),
            token: String::new(),
        };
        desk.question();
        desk
    }

    /// Asks anew.
    fn question(&mut self) {
        let form = json!({ "type": "object", "required": ["amount", "reason"], "properties": {
            "amount": { "type": "integer", "minimum": 1, "maximum": 500 }, "reason": { "enum": ["late", EVIL] },
            "when": { "type": "string", "format": "date" }, "parts": { "type": "array", "items": { "enum": ["a", "b"] } },
            "sure": { "type": "boolean" }, "note": { "type": "string", "title": EVIL, "default": EVIL }, "any": {} } });
        let body = json!({ "intent_type": "intent.x.v1", "to_agent": "desk", "payload": { EVIL: EVIL },
            "human_task": { "title": EVIL, "description": EVIL, "task_type": "form", "form_schema": form } });
        let request = Request::post("/v1/intents").header("x-api-key", &self.admin);
        let (status, text) = self.ask(request.body(Body::from(body.to_string())).unwrap());
        assert_eq!(status, 200, "{text}");
        let made: Value = serde_json::from_str(&text).unwrap();
        self.id = made["intent_id"].as_str().unwrap().parse().unwrap();
        let person = Address::parse("desk", &Home::default()).unwrap();
        // The fifth fact of an intent with a task is that it was opened.
        self.token = self.links.text(self.id, 5, &person);
    }

    fn ask(&self, request: Request<Body>) -> (u16, String) {
        self.runtime.block_on(async {
            let answer = self.router.clone().oneshot(request).await.unwrap();
            let status = answer.status().as_u16();
            let bytes = axum::body::to_bytes(answer.into_body(), 16 << 20).await;
            (status, String::from_utf8(bytes.unwrap().to_vec()).unwrap())
        })
    }

    /// The outcome of the question, once there is one.
    fn outcome(&self) -> Option<String> {
        let intent = self.runtime.block_on(self.broker.intent(self.id));
        let intent = intent.unwrap().unwrap();
        let task = intent.task.as_ref().unwrap();
        task.decision
            .as_ref()
            .map(|decision| decision.outcome.clone())
    }

    /// The first line is the link's token, the rest its form.
    fn visit(&mut self, input: &[u8]) -> Verdict {
        let mut parts = input.splitn(2, |byte| *byte == b'\n');
        let token = replaced(parts.next().unwrap_or_default(), &self.token);
        let form = replaced(parts.next().unwrap_or_default(), &self.token);
        let path = format!("/decide/{}", encoded(&token));
        let (status, page) = self.ask(Request::get(&path).body(Body::empty()).unwrap());
        checked(status, &page, &[200, 404, 405])?;
        if self.outcome().is_some() {
            return Err("a visit decided".to_owned());
        }
        let post = Request::post(&path).header("content-type", "application/x-www-form-urlencoded");
        let (status, page) = self.ask(post.body(Body::from(form)).unwrap());
        checked(status, &page, &[200, 403, 404, 405, 409, 422])?;
        let outcome = self.outcome();
        let is_one = outcome
            .as_deref()
            .is_none_or(|outcome| matches!(outcome, "submitted" | "rejected"));
        if !is_one || outcome.is_some() != (status == 200) {
            return Err(format!("{status} and the outcome {outcome:?}"));
        }
        let said = format!(
            "{status} {outcome:?} {}",
            page.matches("class=\"fault\"").count()
        );
        if outcome.is_some() {
            let (status, page) = self.ask(Request::get(&path).body(Body::empty()).unwrap());
            checked(status, &page, &[410])?;
            self.decisions += 1;
            if self.decisions.is_multiple_of(DECISIONS_MAX) {
                *self = Self::open();
            } else {
                self.question();
            }
        }
        Ok(said)
    }
}

/// A status of these, and of a page no element that is not ours.
fn checked(status: u16, page: &str, wanted: &[u16]) -> Result<(), String> {
    if !wanted.contains(&status) {
        return Err(format!("{status}: {page}"));
    }
    if !page.starts_with("<!doctype html>") {
        // What is no path of a link is answered as everywhere.
        let is_told = serde_json::from_str::<Value>(page).is_ok() && matches!(status, 404 | 405);
        return if is_told {
            Ok(())
        } else {
            Err(format!("{status}, no page: {page}"))
        };
    }
    let known: BTreeSet<&str> = ELEMENTS.into();
    for rest in page.split('<').skip(1) {
        let name = rest.trim_start_matches('/');
        let end = name.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '!');
        let name = end.and_then(|end| name.get(..end)).unwrap_or(name);
        if !known.contains(name) {
            return Err(format!("an element that is not ours: <{name}"));
        }
    }
    Ok(())
}

fn encoded(token: &[u8]) -> String {
    let letters = token.iter().map(|byte| match byte {
        b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_' => char::from(*byte).to_string(),
        other => format!("%{other:02X}"),
    });
    letters.collect()
}

fn replaced(bytes: &[u8], token: &str) -> Vec<u8> {
    // Bytes that are no text have no token in them.
    match std::str::from_utf8(bytes) {
        Ok(text) => text.replace(TOKEN, token).into_bytes(),
        Err(_no_text) => bytes.to_vec(),
    }
}

#[test]
fn decisions_by_link() {
    let mut desk = Desk::open();
    let whole = "field.amount=12&field.reason=late";
    let seeds = [
        format!("{TOKEN}\ntoken={TOKEN}&version=1&{whole}&comment=ok&outcome=submitted"),
        format!("{TOKEN}\ntoken={TOKEN}&version=1&comment=no&outcome=rejected"),
        format!("{TOKEN}\ntoken={TOKEN}&version=7&{whole}&outcome=submitted"),
        format!(
            "{TOKEN}\ntoken={TOKEN}&version=1&field.amount=&field.sure=true&field.parts=a&field.parts=b&field.when=2026-12-01&field.any=%7B%22x%22%3A1%7D&outcome=submitted"
        ),
        format!("{TOKEN}\ntoken=other&version=1&outcome=submitted"),
        format!("{TOKEN}\n{whole}"),
        format!("AAAA\ntoken={TOKEN}&version=1&outcome=rejected"),
    ];
    Campaign::new("decisions by link")
        .seeds(seeds)
        .words(&[
            TOKEN,
            "token=",
            "version=",
            "outcome=",
            "submitted",
            "rejected",
            "maybe",
            "comment=",
            "evidence=",
            "field.amount=",
            "field.reason=",
            "field.when=",
            "field.parts=",
            "field.sure=",
            "field.note=",
            "field.any=",
            "&",
            "=",
            "\n",
            "%00",
            "%FF",
            "%3Cscript%3E",
            "%E2%80%AE",
            "+",
            "1e400",
        ])
        .cases(600)
        .run(|input| desk.visit(input));
}
