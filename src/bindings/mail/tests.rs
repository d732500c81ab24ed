//! What tests of mails share, and the words of a mail.

use super::letter::{Letter, holders, told};
use super::words::{self, Occasion};
use crate::clock::{Entropy, SeededEntropy};
use crate::domain::address::{Address, Home};
use crate::domain::agent::Agent;
use crate::domain::fact::{Actor, Fact, FactBody};
use crate::domain::ids::{AttemptId, HoldId, IntentId, ThreadId};
use crate::domain::intent::Intent;
use crate::domain::payload::Payload;
use crate::domain::policy::Policy;
use crate::domain::task::{TaskSpec, TaskType};
use crate::domain::time::{Span, Timestamp};
use crate::engine::command::{Command, Delegate, Submit};
use crate::engine::evolve::evolve;
use crate::engine::{Context, decide};

const NOW: Timestamp = Timestamp::from_millis(1_775_901_600_000);

pub(super) fn person(name: &str) -> Address {
    Address::parse(name, &Home::default()).unwrap()
}

pub(super) fn letter(seq: u32, name: &str) -> Letter {
    Letter {
        intent: IntentId::new(NOW.as_millis(), [7; 10]),
        seq,
        person: person(name),
    }
}

/// An intent from `web` whose open task lies with `owner` and these assignees.
pub(super) fn task(owner: &str, assignees: &[&str]) -> Intent {
    let id = IntentId::new(NOW.as_millis(), [7; 10]);
    let spec = TaskSpec {
        title: "Approve refund".to_owned(),
        description: Some("Line one\r\nline\u{202E}two".to_owned()),
        task_type: TaskType::Approval,
        allowed_outcomes: Vec::new(),
        is_comment_required: true,
        assignees: assignees.iter().map(|one| (*one).to_owned()).collect(),
        is_evidence_required: false,
        form_schema: None,
        notify_email: None,
    };
    let submit = Submit {
        task: Some(Box::new(spec)),
        deadline: Some(NOW.after(Span::from_seconds(3600))),
        ..Submit::plain(
            id,
            ThreadId(id.0),
            "intent.refund.v1",
            person("web"),
            person(owner),
            Payload::empty(),
        )
    };
    run(None, &Command::Submit(Box::new(submit))).0
}

fn run(before: Option<Intent>, command: &Command) -> (Intent, Vec<Fact>) {
    let id = IntentId::new(NOW.as_millis(), [7; 10]);
    let policy = Policy::default();
    let ctx = Context {
        now: NOW,
        entropy: SeededEntropy::new(7).u64(),
        policy: &policy,
        agent: &Agent::mailbox(person("finance"), NOW),
        attempt: AttemptId(1),
        hold: HoldId(1),
        escalation: None,
    };
    let decided = decide(id, before.as_ref(), command, &ctx).unwrap();
    let after = decided.facts.iter().fold(before, evolve).unwrap();
    (after, decided.facts)
}

fn fact(body: FactBody) -> Fact {
    Fact {
        intent: IntentId::new(NOW.as_millis(), [7; 10]),
        seq: 9,
        event: None,
        at: NOW,
        actor: Actor::Broker,
        body,
    }
}

fn reminder(holder: &str) -> Fact {
    let holder = person(holder).to_string();
    fact(FactBody::Reminded { number: 2, holder })
}

#[test]
fn everybody_who_was_assigned_is_told_once_of_a_new_task() {
    let intent = task("finance", &["lead", "finance", "lead"]);
    let opened = fact(FactBody::TaskOpened {
        thread: ThreadId(intent.id.0),
        owner: person("finance"),
        spec: Box::new(intent.task.clone().unwrap().spec),
    });
    let people = told(&opened, &intent, &Home::default());
    assert_eq!(people, [person("finance"), person("lead")]);
}

#[test]
fn a_reminder_goes_to_whoever_has_to_act_now() {
    let home = Home::default();
    let intent = task("finance", &["lead"]);
    let first = told(&reminder("finance"), &intent, &home);
    assert_eq!(first, [person("finance"), person("lead")]);
    let delegate = Command::Delegate(Delegate {
        to: person("deputy"),
        note: None,
        version: None,
        by: person("finance"),
    });
    let (intent, facts) = run(Some(intent), &delegate);
    let handed = facts.iter().flat_map(|fact| told(fact, &intent, &home));
    assert_eq!(handed.collect::<Vec<_>>(), [person("deputy")]);
    assert_eq!(
        told(&reminder("deputy"), &intent, &home),
        [person("deputy")]
    );
    assert!(holders(&intent, &home).contains(&person("deputy")));
}

#[test]
fn nobody_is_told_of_a_task_that_is_over() {
    let mut intent = task("finance", &[]);
    assert_eq!(
        told(&reminder("finance"), &intent, &Home::default()).len(),
        1
    );
    intent.task = None;
    assert!(told(&reminder("finance"), &intent, &Home::default()).is_empty());
}

#[test]
fn a_mail_says_what_is_asked_and_where_it_is_decided() {
    let intent = task("finance", &[]);
    let occasion = Occasion {
        fact: &reminder("finance"),
        intent: &intent,
        task: intent.task.as_ref().unwrap(),
        person: &person("finance"),
        link: "https://postroom.example/decide/abc",
        expires: NOW.after(Span::from_seconds(3600)),
    };
    assert_eq!(words::subject(&occasion), "Reminder 2: Approve refund");
    insta::assert_snapshot!(words::body(&occasion), @r"
    Approve refund

    This still waits for your decision. It is reminder 2.

      Asked by  agent://local/default/web
      Due       2026-04-11 11:00 UTC
      Outcomes  approved, rejected
      Comment   required

    Line one
    line⟨U+202E⟩two

    Read it and decide here; opening the page decides nothing:
    https://postroom.example/decide/abc

    The link decides once, until 2026-04-11 11:00 UTC, as finance.
    Whoever has it can decide: please do not pass it on.
    ");
}

#[test]
fn a_title_with_line_ends_stays_one_subject() {
    let mut intent = task("finance", &[]);
    intent.task.as_mut().unwrap().spec.title = "Refund\r\nBcc: all@example.com".to_owned();
    let occasion = Occasion {
        fact: &reminder("finance"),
        intent: &intent,
        task: intent.task.as_ref().unwrap(),
        person: &person("finance"),
        link: "",
        expires: NOW,
    };
    assert_eq!(
        words::subject(&occasion),
        "Reminder 2: Refund Bcc: all@example.com"
    );
}
