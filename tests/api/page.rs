//! The page that a link in a mail leads to.

use postroom::api::Settings;
use postroom::domain::address::{Address, Home};
use postroom::domain::ids::IntentId;
use postroom::domain::via::Via;
use serde_json::{Value, json};

use crate::house::{House, Reply, house, house_with};
use crate::mail::reach;

async fn open() -> House {
    house_with(Settings {
        reach: Some(reach()),
        ..Settings::default()
    })
    .await
}

/// An intent with that task, and the path of `finance`'s link.
async fn ask(house: &House, task: Value, more: Value) -> (String, String) {
    let mut body = json!({
        "intent_type": "intent.refund.v1", "to_agent": "finance",
        "payload": { "amount": 4990, "customer": { "name": "Ada", "api_token": "t0p" } },
        "human_task": task,
    });
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    let made = house.post("/v1/intents", &house.admin, body).await.ok();
    let id = made["intent_id"].as_str().unwrap().to_owned();
    let path = link(&id, "finance");
    (id, path)
}

/// The fifth fact of an intent with a task is that it was opened.
fn link(id: &str, person: &str) -> String {
    let id: IntentId = id.parse().unwrap();
    let person = Address::parse(person, &Home::default()).unwrap();
    format!("/decide/{}", reach().links.text(id, 5, &person))
}

/// Sends the form back as a browser does: what is hidden in it, and these.
async fn send(house: &House, path: &str, page: &str, fields: &[(&str, &str)]) -> Reply {
    let hidden = page.split("type=\"hidden\" name=\"").skip(1).map(|rest| {
        let mut parts = rest.split('"');
        let name = parts.next().unwrap().to_owned();
        (name, parts.nth(1).unwrap().to_owned())
    });
    let own = fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(hidden.chain(own))
        .finish();
    let request = house
        .request("POST", path, "")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body);
    house.send(request).await
}

/// Opens the page and sends it back.
async fn decide(house: &House, path: &str, fields: &[(&str, &str)]) -> Reply {
    let page = house.get(path, "").await;
    assert_eq!(page.status, 200, "{}", page.text);
    send(house, path, &page.text, fields).await
}

#[tokio::test(flavor = "multi_thread")]
async fn getting_the_page_decides_nothing_and_sending_it_decides_once() {
    let house = open().await;
    let (id, path) = ask(&house, json!({ "title": "Approve refund" }), json!({})).await;
    for _ in 0..3 {
        let page = house.get(&path, "").await;
        assert_eq!(page.status, 200);
        assert!(
            page.text.contains("<h1>Approve refund</h1>"),
            "{}",
            page.text
        );
        assert!(
            page.text.contains("customer.name</dt><dd>Ada"),
            "{}",
            page.text
        );
        assert!(!page.text.contains("t0p"), "secrets are masked");
    }
    assert_eq!(house.intent(&id).await["status"], "WAITING");
    let page = house.get(&path, "").await.text;
    let done = send(
        &house,
        &path,
        &page,
        &[("comment", "fine"), ("outcome", "approved")],
    )
    .await;
    assert_eq!(done.status, 200, "{}", done.text);
    assert!(done.text.contains("Decided: Approved"));
    let intent = house.intent(&id).await;
    assert_eq!(intent["status"], "COMPLETED");
    let decision = &intent["human_task"]["decision"];
    assert_eq!(decision["by"], "agent://local/default/finance");
    assert_eq!(decision["comment"], "fine");
    let stored = house
        .broker
        .intent(id.parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    let made = stored.task.as_ref().unwrap().decision.as_ref().unwrap();
    assert_eq!(made.via, Via::Page);
    let audit = house
        .get("/v1/audit/events?via=page", &house.admin)
        .await
        .ok();
    assert_eq!(audit["events"][0]["target"], json!(id));
    assert_eq!(audit["events"][0]["result"], "done");

    let again = send(&house, &path, &page, &[("outcome", "rejected")]).await;
    let opened = house.get(&path, "").await;
    for refused in [again, opened] {
        assert_eq!(refused.status, 410);
        assert!(
            refused
                .text
                .contains("finance decided “Approved” on 2026-04-11 10:00 UTC, through this page"),
            "{}",
            refused.text
        );
        assert!(
            refused
                .text
                .contains("<p class=\"subject\">Approve refund</p>"),
            "{}",
            refused.text
        );
        assert!(!refused.text.contains("<form") && !refused.text.contains("4990"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_outcome_of_every_type_can_be_chosen() {
    let house = open().await;
    for (task_type, outcomes) in [
        ("approval", &["approved", "rejected"][..]),
        ("review", &["approved", "changes_requested", "rejected"]),
        ("clarification", &["provided", "rejected"]),
        ("manual_action", &["completed", "failed"]),
        ("confirmation", &["confirmed", "rejected"]),
        ("assignment", &["assigned", "declined"]),
        ("override", &["override_approved", "rejected"]),
        ("form", &["submitted", "rejected"]),
        ("reroute", &["anything"]),
    ] {
        for outcome in outcomes {
            let task = json!({ "title": "x", "task_type": task_type });
            let (id, path) = ask(&house, task, json!({})).await;
            let page = house.get(&path, "").await.text;
            let is_offered = page.contains(&format!("value=\"{outcome}\""));
            assert_eq!(
                is_offered,
                task_type != "reroute",
                "{task_type} {outcome}: {page}"
            );
            let fields = [("comment", "because"), ("outcome", *outcome)];
            let done = send(&house, &path, &page, &fields).await;
            assert_eq!(done.status, 200, "{task_type} {outcome}: {}", done.text);
            let intent = house.intent(&id).await;
            assert_eq!(intent["human_task"]["decision"]["outcome"], *outcome);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_said_beside_its_field_and_what_was_typed_stays() {
    let house = open().await;
    let form = json!({ "type": "object", "required": ["amount", "reason"], "additionalProperties": false,
        "properties": { "amount": { "type": "integer", "maximum": 500 },
            "reason": { "type": "string", "enum": ["late", "damaged"] }, "note": { "type": "string" } } });
    let task = json!({ "title": "Refund", "task_type": "form", "required_comment": true,
        "evidence_required": true, "form_schema": form });
    let (id, path) = ask(&house, task, json!({})).await;
    let bare = decide(
        &house,
        &path,
        &[("field.note", "a \"b\" <c>"), ("outcome", "submitted")],
    )
    .await;
    assert_eq!(bare.status, 422);
    assert!(
        bare.text.contains("This decision needs a comment."),
        "{}",
        bare.text
    );
    assert!(
        bare.text.contains("This decision needs evidence."),
        "{}",
        bare.text
    );
    assert!(
        bare.text.contains("value=\"a &quot;b&quot; &lt;c&gt;\""),
        "{}",
        bare.text
    );
    let whole = [
        ("comment", "ok"),
        ("evidence", "ticket 7"),
        ("field.amount", "501"),
        ("field.reason", "\"late\""),
        ("outcome", "submitted"),
    ];
    let wrong = send(&house, &path, &bare.text, &whole).await;
    assert_eq!(wrong.status, 422);
    assert!(
        wrong
            .text
            .contains("value is greater than the maximum of 500"),
        "{}",
        wrong.text
    );
    assert!(wrong.text.contains("value=\"501\""), "{}", wrong.text);
    assert!(
        wrong.text.contains("value=\"&quot;late&quot;\" checked"),
        "{}",
        wrong.text
    );
    assert!(wrong.text.contains(">\nok</textarea>"), "{}", wrong.text);
    assert_eq!(house.intent(&id).await["status"], "WAITING");
    let mut right = whole;
    right[2].1 = "42";
    let done = send(&house, &path, &wrong.text, &right).await;
    assert_eq!(done.status, 200, "{}", done.text);
    let result = house.intent(&id).await["result"].clone();
    assert_eq!(
        (&result["amount"], &result["reason"]),
        (&json!(42), &json!("late"))
    );
    assert_eq!(result["evidence"], "ticket 7");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_needs_no_form() {
    let house = open().await;
    let form = json!({ "type": "object", "required": ["amount"], "properties": { "amount": { "type": "integer" } } });
    let task = json!({ "title": "Refund", "task_type": "form", "form_schema": form });
    let (id, path) = ask(&house, task, json!({})).await;
    let done = decide(
        &house,
        &path,
        &[("field.amount", ""), ("outcome", "rejected")],
    )
    .await;
    assert_eq!(done.status, 200, "{}", done.text);
    assert_eq!(house.intent(&id).await["status"], "FAILED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_out_of_date_is_shown_anew_and_decides_nothing() {
    let house = open().await;
    let (id, path) = ask(&house, json!({ "title": "Refund" }), json!({})).await;
    let old = house.get(&path, "").await.text;
    let delegate = format!("/v1/inbox/{id}/delegate?owner_agent=finance");
    house
        .post(&delegate, &house.admin, json!({ "delegate_to": "lead" }))
        .await
        .ok();
    let stale = send(
        &house,
        &path,
        &old,
        &[("comment", "mine"), ("outcome", "approved")],
    )
    .await;
    assert_eq!(stale.status, 409, "{}", stale.text);
    assert!(stale.text.contains("has changed since"), "{}", stale.text);
    assert!(stale.text.contains(">\nmine</textarea>"), "{}", stale.text);
    assert_eq!(house.intent(&id).await["status"], "WAITING");
    let done = send(&house, &path, &stale.text, &[("outcome", "approved")]).await;
    assert_eq!(done.status, 200, "{}", done.text);
    // Who has it by delegation has a link of their own, and sees who was first.
    let late = house.get(&link(&id, "lead"), "").await;
    assert_eq!(late.status, 410);
    assert!(late.text.contains("finance decided"), "{}", late.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_ends_with_its_time_and_with_its_task() {
    let house = open().await;
    let (_, path) = ask(&house, json!({ "title": "Refund" }), json!({})).await;
    let page = house.get(&path, "").await.text;
    house.pass(3 * 86_400).await;
    let expired = send(&house, &path, &page, &[("outcome", "approved")]).await;
    assert_eq!(expired.status, 410);
    assert!(
        expired.text.contains("This link has expired"),
        "{}",
        expired.text
    );

    let (id, path) = ask(&house, json!({ "title": "Refund" }), json!({})).await;
    let cancel = format!("/v1/intents/{id}/cancel");
    house
        .post(
            &cancel,
            &house.admin,
            json!({ "reason": "<b>not</b> needed" }),
        )
        .await
        .ok();
    let gone = house.get(&path, "").await;
    assert_eq!(gone.status, 410);
    assert!(
        gone.text.contains("withdrawn") && gone.text.contains("&lt;b&gt;not"),
        "{}",
        gone.text
    );

    let ttl = json!({ "ttl_seconds": 60 });
    let (_, path) = ask(&house, json!({ "title": "Refund" }), ttl).await;
    house.pass(61).await;
    let late = house.get(&path, "").await;
    assert_eq!(late.status, 410);
    assert!(late.text.contains("Its deadline passed"), "{}", late.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_not_ours_or_a_form_from_elsewhere_decides_nothing() {
    let house = open().await;
    let (id, path) = ask(&house, json!({ "title": "Refund" }), json!({})).await;
    let page = house.get(&path, "").await.text;
    // The last letter holds bits of the code; another of them is another code.
    let last = if path.ends_with('A') { "B" } else { "A" };
    let forged = format!("{}{last}", path.get(..path.len() - 1).unwrap());
    for bad in [
        &link(&id, "stranger"),
        &forged,
        "/decide/x",
        "/decide/%F0%9F%92%A9",
    ] {
        let fields = [("outcome", "approved")];
        assert_eq!(house.get(bad, "").await.status, 404, "{bad}");
        assert_eq!(send(&house, bad, &page, &fields).await.status, 404, "{bad}");
    }
    // Neither a key nor the link alone is enough: what is sent back must come from the page.
    let blind = house
        .request("POST", &path, &house.admin)
        .body("outcome=approved&version=1");
    assert_eq!(house.send(blind).await.status, 403);
    let large = house.request("POST", &path, "").body("x".repeat(2 << 20));
    assert_eq!(house.send(large).await.status, 413);
    assert_eq!(house.intent(&id).await["status"], "WAITING");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_mail_there_is_no_page() {
    let house = house().await;
    let (_, path) = ask(&house, json!({ "title": "Refund" }), json!({})).await;
    assert_eq!(house.get(&path, "").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_text_is_text_everywhere() {
    let house = open().await;
    let evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u{202E}";
    let form = json!({ "type": "object", "properties": {
        "<script>k": { "type": "string", "title": evil, "description": evil, "default": evil },
        "c": { "enum": [evil, "b"], "default": evil }, "m": { "type": "array", "items": { "enum": [evil] } },
        "s": { "enum": [evil, "1", "2", "3", "4", "5"] }, "f": { "const": evil },
        "n": { "type": "integer", "minimum": 1 } } });
    let task = json!({ "title": evil, "description": evil, "task_type": "<script>x",
        "allowed_outcomes": ["<script>", "b\"><script>"], "form_schema": form });
    let payload = json!({ "payload": { evil: evil, "nested": { evil: [evil] } } });
    let (_, path) = ask(&house, task, payload).await;
    let page = house.get(&path, "").await;
    assert_eq!(page.status, 200);
    let fields = [
        ("comment", evil),
        ("field.<script>k", evil),
        ("field.n", evil),
        ("outcome", "<script>"),
    ];
    let wrong = send(&house, &path, &page.text, &fields).await;
    assert_eq!(wrong.status, 422, "{}", wrong.text);
    for text in [&page.text, &wrong.text] {
        let lower = text.to_lowercase();
        assert!(
            !lower.contains("<script") && !lower.contains("<img"),
            "{text}"
        );
        let shown = text
            .split("value=\"")
            .map(|part| part.split_once('"').map_or(part, |(_, rest)| rest));
        assert!(
            shown.clone().any(|part| part.contains("⟨U+202E⟩")),
            "{text}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_headers_keep_the_page_to_itself() {
    let house = open().await;
    let (_, path) = ask(&house, json!({ "title": "Refund" }), json!({})).await;
    let page = house.get(&path, "").await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert_eq!(page.header("x-robots-tag"), "noindex, nofollow");
    assert_eq!(page.header("x-frame-options"), "DENY");
    let policy = page.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    assert!(policy.contains("form-action 'self'") && policy.contains("frame-ancestors 'none'"));
    assert!(
        !page.text.contains("http://") && !page.text.contains("https://"),
        "nothing is loaded"
    );
    let head = house.send(house.request("HEAD", &path, "")).await;
    assert_eq!(head.status, 200);
    let put = house.send(house.request("PUT", &path, "")).await;
    put.refused(405, "method_not_allowed");
}
