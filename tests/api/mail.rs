//! Mails to people: who gets one, about what, and what a server that fails costs.

use std::sync::Arc;

use postroom::api::Settings;
use postroom::bindings::http::Redactor;
use postroom::bindings::mail::{self, Contacts, Links, MailConfig, Reach};
use postroom::config::MailTls;
use postroom::domain::address::Home;
use postroom::domain::time::Span;
use postroom::shutdown::Tasks;
use serde_json::{Value, json};

use crate::house::{House, house_with};
use crate::sink::Sink;

/// Links that work for three days.
pub(crate) fn reach() -> Reach {
    Reach {
        links: Arc::new(Links::new([7; 32], Span::from_seconds(3 * 86_400))),
        stats: Arc::default(),
        masks: Arc::new(Redactor::new(&[])),
    }
}

fn config(port: u16) -> MailConfig {
    let contacts = [
        "finance=anna@example.com".to_owned(),
        "lead=lead@example.com".to_owned(),
    ];
    let domains = ["example.test".to_owned()];
    MailConfig {
        host: "127.0.0.1".to_owned(),
        port,
        tls: MailTls::None,
        authorities: None,
        login: None,
        from: "Postroom <postroom@example.com>".to_owned(),
        page: "http://broker.example/base/".parse().unwrap(),
        contacts: Arc::new(Contacts::read(&contacts, &domains, &Home::default()).unwrap()),
        lifetime: Span::from_seconds(3 * 86_400),
        timeout: Span::from_seconds(10),
        retry_base: Span::from_millis(5),
        retry_max: Span::from_millis(20),
        waiting_max: 100,
    }
}

/// A broker that writes to people through that server.
struct Office {
    house: House,
    reach: Reach,
    tasks: Tasks,
}

async fn office(port: u16) -> Office {
    let reach = reach();
    let settings = Settings {
        reach: Some(reach.clone()),
        ..Settings::default()
    };
    let house = house_with(settings).await;
    let tasks = house.tasks("mail");
    mail::start(house.broker.clone(), config(port), &reach, &tasks).unwrap();
    Office {
        house,
        reach,
        tasks,
    }
}

async fn ask(house: &House, to: &str, more: Value) -> String {
    let mut body = json!({
        "intent_type": "intent.refund.v1", "to_agent": to, "payload": { "amount": 12 },
        "human_task": { "title": "Approve refund" },
    });
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    let made = house.post("/v1/intents", &house.admin, body).await.ok();
    made["intent_id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_task_is_one_mail_whose_link_shows_it() {
    let mut sink = Sink::open(&[]);
    let office = office(sink.port).await;
    let id = ask(&office.house, "finance", json!({})).await;
    let mail = sink.next().await;
    assert_eq!(mail.to, "anna@example.com");
    assert_eq!(mail.header("Subject"), "To decide: Approve refund");
    assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
    assert_eq!(mail.header("References"), format!("<{id}@example.com>"));
    assert!(
        mail.text.contains("http://broker.example/base/decide/"),
        "{}",
        mail.text
    );
    assert!(
        !mail.text.contains("12"),
        "no payload leaves by mail: {}",
        mail.text
    );
    let page = office.house.get(&mail.link(), "").await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(page.text.contains("Approve refund") && page.text.contains("12"));
    // A later one is the second mail: there was no other between.
    ask(&office.house, "nobody", json!({})).await;
    ask(&office.house, "somebody@elsewhere.test", json!({})).await;
    ask(&office.house, "ops@example.test", json!({})).await;
    assert_eq!(sink.next().await.to, "ops@example.test");
    assert!(sink.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn reminders_go_to_the_holder_and_the_escalation_to_the_next() {
    let mut sink = Sink::open(&[]);
    let office = office(sink.port).await;
    let reminders = json!({ "remind_after_seconds": 60, "remind_interval_seconds": 60,
        "max_reminders": 1, "escalate_to": "lead" });
    ask(&office.house, "finance", reminders).await;
    assert_eq!(sink.next().await.to, "anna@example.com");
    office.house.pass(60).await;
    let reminder = sink.next().await;
    assert_eq!(reminder.to, "anna@example.com");
    assert_eq!(reminder.header("Subject"), "Reminder 1: Approve refund");
    office.house.pass(60).await;
    let escalated = sink.next().await;
    assert_eq!(escalated.to, "lead@example.com");
    assert_eq!(
        escalated.header("Subject"),
        "Escalated to you: Approve refund"
    );
    for link in [reminder.link(), escalated.link()] {
        assert_eq!(office.house.get(&link, "").await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_who_may_decide_has_a_link_of_their_own() {
    let mut sink = Sink::open(&[]);
    let office = office(sink.port).await;
    let task = json!({ "title": "Both", "assignees": ["lead", "finance", "nobody"] });
    let id = ask(&office.house, "finance", json!({ "human_task": task })).await;
    let (anna, lead) = (sink.next().await, sink.next().await);
    assert_eq!(
        (anna.to.as_str(), lead.to.as_str()),
        ("anna@example.com", "lead@example.com")
    );
    assert_ne!(anna.link(), lead.link());
    assert_ne!(anna.header("Message-ID"), lead.header("Message-ID"));
    let path = format!("/v1/inbox/{id}/delegate?owner_agent=finance");
    let body = json!({ "delegate_to": "ops@example.test", "note": "please" });
    office
        .house
        .post(&path, &office.house.admin, body)
        .await
        .ok();
    let handed = sink.next().await;
    assert_eq!(handed.to, "ops@example.test");
    assert!(handed.text.contains("please"), "{}", handed.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_does_not_take_now_is_tried_again() {
    let mut sink = Sink::open(&["451 greylisted", "421 away", "451 greylisted"]);
    let office = office(sink.port).await;
    ask(&office.house, "finance", json!({})).await;
    assert_eq!(sink.next().await.to, "anna@example.com");
    ask(&office.house, "lead", json!({})).await;
    sink.next().await;
    let stats = office.reach.stats.view();
    assert_eq!((stats.failed, stats.given_up), (3, 0));
    let metrics = office.house.get("/metrics", &office.house.admin).await.text;
    assert!(
        metrics.contains("\npostroom_mails_failed_total 3\n"),
        "{metrics}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_is_refused_for_good_does_not_hold_up_the_next() {
    let mut sink = Sink::open(&["550 no such mailbox"]);
    let office = office(sink.port).await;
    ask(&office.house, "finance", json!({})).await;
    ask(&office.house, "lead", json!({})).await;
    assert_eq!(sink.next().await.to, "lead@example.com");
    assert_eq!(office.reach.stats.view().given_up, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_taken_is_sent_after_a_restart_unless_it_was_decided() {
    // Nobody listens there any more.
    let closed = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    let office = office(port).await;
    let decided = ask(&office.house, "finance", json!({})).await;
    let open = ask(&office.house, "lead", json!({})).await;
    let path = format!("/v1/inbox/{decided}/approve?owner_agent=finance");
    office
        .house
        .post(&path, &office.house.admin, json!({}))
        .await
        .ok();
    office.tasks.stop();
    office.tasks.stopped().await;
    // What happens while nothing is written is not forgotten either.
    ask(&office.house, "ops@example.test", json!({})).await;

    let mut sink = Sink::open(&[]);
    let tasks = office.house.tasks("mail again");
    mail::start(
        office.house.broker.clone(),
        config(sink.port),
        &office.reach,
        &tasks,
    )
    .unwrap();
    let first = sink.next().await;
    assert_eq!(first.to, "lead@example.com");
    assert_eq!(first.header("References"), format!("<{open}@example.com>"));
    assert_eq!(sink.next().await.to, "ops@example.test");
    tasks.stop();
    tasks.stopped().await;
    assert!(sink.is_empty(), "nothing of the one that was decided");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_never_answers_delays_no_decision() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let office = office(silent.local_addr().unwrap().port()).await;
    let id = ask(&office.house, "finance", json!({})).await;
    // It is being sent now, and will be for ten seconds.
    let (_held, _) = silent.accept().await.unwrap();
    let path = format!("/v1/inbox/{id}/approve?owner_agent=finance");
    office
        .house
        .post(&path, &office.house.admin, json!({}))
        .await
        .ok();
    assert_eq!(office.house.intent(&id).await["status"], "COMPLETED");
    assert_eq!(office.reach.stats.view().sent, 0);
}
