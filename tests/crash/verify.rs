//! What must be true in the end: the broker's word against the ledger.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::dice::Dice;
use crate::history::{History, Life, Touch};
use crate::ledger::{Accepted, Answer, End, Held, Ledger, hash_of};
use crate::senders::ARCHIVE;
use crate::world::{Ask, NOTICES, Shared, text};

/// Windows of the feed that are read once more from a random cursor.
const WINDOWS: usize = 20;

/// Everything the broker says, read page by page.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) intents: BTreeMap<String, Value>,
    pub(crate) attempts: BTreeMap<String, Value>,
    pub(crate) head: u64,
}

/// Runs every check; violations go to the ledger.
pub(crate) async fn verify(world: &Shared, dice: &Dice, starts: u64) -> Told {
    let mut told = Told {
        intents: all(
            world,
            "/v1/intents?kind=all&include=payload",
            "intents",
            "intent_id",
        )
        .await,
        attempts: all(world, "/v1/attempts?", "attempts", "attempt_id").await,
        head: 0,
    };
    let mut wrong = Vec::new();
    {
        let ledger = world.ledger();
        accepted(&ledger, &told, &mut wrong);
        ended(&told, &mut wrong);
        ends(&ledger, &told, &mut wrong);
        attempts(&ledger, &told, &mut wrong);
        letters(&ledger, &told, &mut wrong);
    }
    events(world, &told, &mut wrong).await;
    let firsts = feed(world, dice, &mut told, starts, &mut wrong).await;
    wrong.extend(history(&world.ledger(), &told, &firsts).violations());
    counters(world, &told, &mut wrong).await;
    completions(world, &told, &mut wrong).await;
    keys(world, dice, &told, &mut wrong).await;
    let mut ledger = world.ledger();
    for what in wrong {
        ledger.wrong(what);
    }
    drop(ledger);
    told
}

/// Every item of a list, by its id. An item that comes twice is a violation.
async fn all(world: &Shared, path: &str, list: &str, id: &str) -> BTreeMap<String, Value> {
    let mut items = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let path = format!("{path}&limit=500{cursor}");
        let reply = world.call(Ask::get(&world.admin, path)).await;
        for item in reply.list(&format!("/{list}")) {
            let key = text(&item, &format!("/{id}"));
            if items.insert(key.clone(), item).is_some() {
                let what = format!("{list}: {key} is on two pages");
                world.ledger().wrong(what);
            }
        }
        match reply.text("/next_cursor") {
            next if next.is_empty() => return items,
            next => cursor = format!("&cursor={next}"),
        }
    }
}

/// I1 and I5: what was acknowledged is there, once, as it was sent.
fn accepted(ledger: &Ledger, told: &Told, wrong: &mut Vec<String>) {
    let mut by_key: BTreeMap<String, Vec<&String>> = BTreeMap::new();
    for (id, intent) in &told.intents {
        // Notices to the operator are the broker's own.
        let is_notice = NOTICES.contains(&text(intent, "/intent_type").as_str());
        if intent.get("replay_of").is_none() && !is_notice {
            let key = text(intent, "/payload/key");
            by_key.entry(key).or_default().push(id);
        }
    }
    for (key, ids) in &by_key {
        if ids.len() > 1 {
            wrong.push(format!("I5: key {key} made {ids:?}"));
        }
        if !ledger.accepted.contains_key(key) {
            wrong.push(format!("I1: {ids:?} of key {key} was never answered"));
        }
    }
    for (key, Accepted { id, body, .. }) in &ledger.accepted {
        match told.intents.get(id) {
            None => wrong.push(format!("I1: acknowledged intent {id} of key {key} is gone")),
            Some(intent) => {
                if intent["payload"] != body["payload"] || intent["to_agent"] != body["to_agent"] {
                    wrong.push(format!("I1: {id} is not what was sent: {intent}"));
                }
            }
        }
    }
}

fn status(intent: &Value) -> &str {
    intent["status"].as_str().unwrap_or_default()
}

fn is_terminal(status: &str) -> bool {
    matches!(status, "COMPLETED" | "FAILED" | "CANCELED" | "TIMED_OUT")
}

/// I17: nothing is stuck.
fn ended(told: &Told, wrong: &mut Vec<String>) {
    for (id, intent) in &told.intents {
        if !is_terminal(status(intent)) {
            wrong.push(format!("I17: {id} is stuck: {intent}"));
        }
    }
}

/// True when the intent ended as reported.
fn has_end(intent: &Value, end: &End) -> bool {
    match end {
        End::Completed(nonce) => {
            status(intent) == "COMPLETED" && text(intent, "/result/nonce") == *nonce
        }
        End::Failed(nonce) => {
            status(intent) == "FAILED" && text(intent, "/error/message").contains(nonce.as_str())
        }
        End::Canceled(reason) => status(intent) == "CANCELED" && text(intent, "/reason") == *reason,
        End::Decided { outcome, comment } => {
            let is_no = outcome == "rejected";
            let expected = if is_no { "FAILED" } else { "COMPLETED" };
            status(intent) == expected && has_decision(intent, outcome, comment)
        }
    }
}

fn has_decision(intent: &Value, outcome: &str, comment: &str) -> bool {
    text(intent, "/human_task/decision/outcome") == outcome
        && text(intent, "/human_task/decision/comment") == comment
}

/// How an intent ended, in words that never change after that; none while it is open.
pub(crate) fn end_of(intent: &Value) -> Option<String> {
    is_terminal(status(intent)).then(|| {
        format!(
            "{} {}{}{}{}",
            status(intent),
            text(intent, "/result/nonce"),
            text(intent, "/error/message"),
            text(intent, "/reason"),
            text(intent, "/human_task/decision/comment"),
        )
    })
}

pub(crate) fn is_ended(intent: &Value) -> bool {
    is_terminal(status(intent))
}

/// What clients saw, for the checker.
fn history(ledger: &Ledger, told: &Told, firsts: &BTreeMap<String, u64>) -> History {
    let mut history = History {
        handed: ledger.attempts.clone(),
        fenced: ledger.fenced.clone(),
        feed: ledger.pages.clone(),
        ..History::default()
    };
    for accepted in ledger.accepted.values() {
        let register = history.registers.entry(accepted.id.clone()).or_default();
        register.accepted = Some(accepted.during);
    }
    for (id, intent) in &told.intents {
        let register = history.registers.entry(id.clone()).or_default();
        register.end = end_of(intent);
        register.cursor = firsts.get(id).copied();
    }
    for (during, id, end) in &ledger.looks {
        history.touch(id, *during, Touch::Read(end.clone()));
    }
    for (during, id, is_ended) in &ledger.glances {
        let touch = if *is_ended {
            Touch::TooLate
        } else {
            Touch::Read(None)
        };
        history.touch(id, *during, touch);
    }
    for (id, reports) in &ledger.reports {
        let intent = told.intents.get(id).unwrap_or(&Value::Null);
        for report in reports {
            let touch = match &report.answer {
                Answer::Refused(code) if code == "intent_terminal" || code == "already_decided" => {
                    Touch::TooLate
                }
                Answer::Refused(_) => continue,
                answer => Touch::Write {
                    is_the_end: has_end(intent, &report.end)
                        || is_same_outcome(intent, &report.end),
                    is_kept: *answer == Answer::Kept,
                },
            };
            history.touch(id, report.during, touch);
        }
    }
    history.lives = told
        .attempts
        .values()
        .map(|attempt| Life {
            intent: text(attempt, "/intent_id"),
            number: attempt["number"].as_u64().unwrap_or(0),
            began: text(attempt, "/started_at"),
            over: text(attempt, "/finished_at"),
        })
        .collect();
    history
}

/// I1 and I4: an acknowledged end is the end; a refused one is not; nobody made one up.
fn ends(ledger: &Ledger, told: &Told, wrong: &mut Vec<String>) {
    for (id, reports) in &ledger.reports {
        let Some(intent) = told.intents.get(id) else {
            wrong.push(format!("I1: {id}, which was handed over, is gone"));
            continue;
        };
        for report in reports {
            let is_end = has_end(intent, &report.end);
            match &report.answer {
                // The same decision by two people: the first one's words are kept.
                Answer::Kept if !is_end && !is_same_outcome(intent, &report.end) => {
                    wrong.push(format!("I1: {id} was told {report:?}, and is {intent}"));
                }
                Answer::Refused(code) if is_end => wrong.push(format!(
                    "I5: {id} ended by {:?}, whose retry was refused: {code}",
                    report.end
                )),
                Answer::Kept | Answer::Refused(_) | Answer::Unknown => {}
            }
        }
    }
    for (id, intent) in &told.intents {
        let nonce = text(intent, "/result/nonce");
        let reports = ledger.reports.get(id);
        let is_known = nonce.is_empty()
            || reports.is_some_and(|reports| {
                let end = End::Completed(nonce.clone());
                reports.iter().any(|report| report.end == end)
            });
        if !is_known {
            wrong.push(format!("I7: nobody gave {id} its result {nonce}"));
        }
    }
}

fn is_same_outcome(intent: &Value, end: &End) -> bool {
    match end {
        End::Decided { outcome, .. } => text(intent, "/human_task/decision/outcome") == *outcome,
        End::Completed(_) | End::Failed(_) | End::Canceled(_) => false,
    }
}

/// I6 and I9: ids never repeat, numbers have no gap, budgets hold, each has one end.
fn attempts(ledger: &Ledger, told: &Told, wrong: &mut Vec<String>) {
    let mut numbers: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    for (id, attempt) in &told.attempts {
        let intent = text(attempt, "/intent_id");
        let number = attempt["number"].as_u64().unwrap_or(0);
        if !numbers.entry(intent.clone()).or_default().insert(number) {
            wrong.push(format!("I9: {intent} has two attempts number {number}"));
        }
        let is_over = attempt["finished_at"].is_string() && attempt["outcome"] != "in_flight";
        if !is_over {
            wrong.push(format!(
                "I9: attempt {id} of {intent} has no end: {attempt}"
            ));
        }
    }
    for (id, intent) in &told.intents {
        let used = intent["delivery_attempt"].as_u64().unwrap_or(0);
        let most = intent["max_delivery_attempts"].as_u64().unwrap_or(0);
        let have = numbers.remove(id).unwrap_or_default();
        if used > most {
            wrong.push(format!("I9: {id} used {used} attempts of {most}"));
        }
        if !have.iter().copied().eq(1..=used) {
            wrong.push(format!("I9: {id} says {used} attempts and has {have:?}"));
        }
    }
    if let Some((id, _)) = numbers.first_key_value() {
        wrong.push(format!(
            "I9: there are attempts of {id}, which is not there"
        ));
    }
    for (id, seen) in &ledger.attempts {
        let Some(attempt) = told.attempts.get(id) else {
            wrong.push(format!(
                "I2: attempt {id} was handed over and never stored: {seen:?}"
            ));
            continue;
        };
        if text(attempt, "/intent_id") != seen.intent || attempt["number"] != seen.number {
            wrong.push(format!("I6: attempt {id} was {seen:?}, and is {attempt}"));
        }
    }
}

/// Acknowledged replays and discards are there; a letter has one replay at most.
fn letters(ledger: &Ledger, told: &Told, wrong: &mut Vec<String>) {
    let mut replays: BTreeMap<String, Vec<&String>> = BTreeMap::new();
    for (id, intent) in &told.intents {
        if let Some(old) = intent["replay_of"].as_str() {
            replays.entry(old.to_owned()).or_default().push(id);
        }
    }
    for (old, new) in &replays {
        let letter = told.intents.get(old).unwrap_or(&Value::Null);
        if new.len() > 1 || text(letter, "/dead_letter/replayed_as") != *new[0] {
            wrong.push(format!(
                "I5: {old} was replayed as {new:?}, and says {letter}"
            ));
        }
    }
    for (old, new) in &ledger.replays {
        if replays.get(old).is_none_or(|found| !found.contains(&new)) {
            wrong.push(format!(
                "I1: the acknowledged replay {new} of {old} is gone"
            ));
        }
    }
    for id in &ledger.discards {
        let letter = told.intents.get(id).unwrap_or(&Value::Null);
        if text(letter, "/dead_letter/state") != "discarded" {
            wrong.push(format!("I1: {id} was discarded, and is {letter}"));
        }
    }
}

/// I3 and I4: events of one intent are 1, 2, 3, ..., end once and say how.
async fn events(world: &Shared, told: &Told, wrong: &mut Vec<String>) {
    let acks = world.ledger().acks.clone();
    let mut acked = BTreeSet::new();
    for (id, intent) in &told.intents {
        let path = format!("/v1/intents/{id}/events?since=0");
        let reply = world.call(Ask::get(&world.admin, path)).await;
        let events = reply.list("/events");
        let mut ends = 0;
        for (event, expected) in events.iter().zip(1_u64..) {
            if event["seq"] != expected {
                wrong.push(format!("I3: event {expected} of {id} is {event}"));
            }
            let is_end = [
                "intent.completed",
                "intent.failed",
                "intent.canceled",
                "intent.timed_out",
            ]
            .contains(&event["event_type"].as_str().unwrap_or_default());
            ends += u64::from(is_end);
            if event["event_type"] == "intent.acknowledged" {
                acked.insert((id.clone(), text(event, "/details/attempt_id")));
            }
        }
        let last = events.last().map(status).unwrap_or_default().to_owned();
        if is_terminal(status(intent)) && ends != 1 || last != status(intent) {
            wrong.push(format!(
                "I4: {id} is {} and has {ends} ends, the last event says {last}",
                status(intent)
            ));
        }
    }
    for ack in acks.difference(&acked) {
        wrong.push(format!("I1: the acknowledged ack {ack:?} is gone"));
    }
}

/// What became of a hold, as the feed tells it.
#[derive(Debug, Default)]
struct Hold {
    effective_at: String,
    canceled: u64,
    elapsed: Vec<(String, String)>,
}

/// I2, I13, I14: the feed has no gap, is what readers saw, is the same from any cursor.
///
/// Gives the first item about each intent.
async fn feed(
    world: &Shared,
    dice: &Dice,
    told: &mut Told,
    starts: u64,
    wrong: &mut Vec<String>,
) -> BTreeMap<String, u64> {
    let mut firsts = BTreeMap::new();
    let mut hashes = Vec::new();
    let mut holds: BTreeMap<String, Hold> = BTreeMap::new();
    let mut seqs: BTreeMap<String, u64> = BTreeMap::new();
    let mut epochs = Vec::new();
    let mut since = 0;
    loop {
        let page = page(world, since).await;
        let events = page.list("/events");
        for event in &events {
            since += 1;
            if event["cursor"] != since {
                wrong.push(format!("I14: where {since} should be there is {event}"));
            }
            hashes.push(hash_of(event));
            follow_hold(event, &mut holds);
            if event["type"] == "broker.started" {
                epochs.push(event["data"]["epoch"].as_u64().unwrap_or(0));
            }
            if let Some(seq) = event["seq"].as_u64() {
                let intent = text(event, "/intent_id");
                firsts.entry(intent.clone()).or_insert(since);
                let last = seqs.entry(intent).or_default();
                if seq != *last + 1 {
                    wrong.push(format!("I3: in the feed {last} is followed by {event}"));
                }
                *last = seq;
            }
        }
        told.head = page.body["head"].as_u64().unwrap_or(0);
        if events.is_empty() {
            break;
        }
    }
    if since != told.head {
        wrong.push(format!(
            "I14: the feed ends at {since}, its head is {}",
            told.head
        ));
    }
    let rise = epochs.windows(2).all(|pair| pair[1] == pair[0] + 1);
    if !rise || u64::try_from(epochs.len()).unwrap() < starts {
        wrong.push(format!("starts are not counted: {epochs:?} of {starts}"));
    }
    check_holds(&world.ledger().holds, &holds, told, wrong);
    let place = |cursor: u64| usize::try_from(cursor).unwrap_or(0).wrapping_sub(1);
    for (cursor, hash) in &world.ledger().feed {
        if hashes.get(place(*cursor)) != Some(hash) {
            wrong.push(format!("I2: a reader saw another event {cursor}"));
        }
    }
    for _ in 0..WINDOWS {
        let from = dice.between(0, told.head);
        for (event, cursor) in page(world, from)
            .await
            .list("/events")
            .iter()
            .zip(from + 1..)
        {
            if event["cursor"] != cursor || hashes.get(place(cursor)) != Some(&hash_of(event)) {
                wrong.push(format!("I14: from {from} on, {cursor} is {event}"));
            }
        }
    }
    firsts
}

async fn page(world: &Shared, since: u64) -> crate::world::Reply {
    let path = format!("/v1/events?since={since}&limit=1000");
    world.call(Ask::get(&world.admin, path)).await
}

fn follow_hold(event: &Value, holds: &mut BTreeMap<String, Hold>) {
    let id = text(event, "/data/hold_id");
    match event["type"].as_str() {
        Some("hold.placed") => {
            holds.entry(id).or_default().effective_at = text(event, "/data/effective_at");
        }
        Some("hold.canceled") => holds.entry(id).or_default().canceled += 1,
        Some("hold.elapsed") => {
            let end = (text(event, "/at"), text(event, "/data/refused"));
            holds.entry(id).or_default().elapsed.push(end);
        }
        _ => {}
    }
}

/// A hold takes effect once, not early, and not when it was taken back.
fn check_holds(
    known: &BTreeMap<String, Held>,
    told: &BTreeMap<String, Hold>,
    all: &Told,
    wrong: &mut Vec<String>,
) {
    for (id, hold) in told {
        let ends = hold.canceled + u64::try_from(hold.elapsed.len()).unwrap();
        if ends != 1 || hold.effective_at.is_empty() {
            wrong.push(format!("I13: hold {id} has {ends} ends: {hold:?}"));
        }
        // Both are UTC with the same digits.
        if hold.elapsed.iter().any(|(at, _)| *at < hold.effective_at) {
            wrong.push(format!("I13: hold {id} took effect early: {hold:?}"));
        }
        if !known.contains_key(id) {
            wrong.push(format!("I5: nobody was told of hold {id}"));
        }
    }
    for (id, held) in known {
        let Some(hold) = told.get(id) else {
            wrong.push(format!("I1: acknowledged hold {id} is gone: {held:?}"));
            continue;
        };
        match (&held.cancel, hold.canceled) {
            (Some(Answer::Kept), 0) => {
                wrong.push(format!("I1: hold {id} was taken back, and {hold:?}"));
            }
            (Some(Answer::Refused(code)), 1) => wrong.push(format!(
                "I5: hold {id} was taken back, and the retry was refused: {code}"
            )),
            _ => {}
        }
        if hold.elapsed.iter().any(|(_, refused)| refused.is_empty()) {
            took_effect(id, held, all, wrong);
        }
    }
}

fn took_effect(id: &str, held: &Held, all: &Told, wrong: &mut Vec<String>) {
    let subject = all.intents.get(&held.subject).unwrap_or(&Value::Null);
    let is_done = match held.action.as_str() {
        "replay" => text(subject, "/dead_letter/state") == "replayed",
        "discard" => text(subject, "/dead_letter/state") == "discarded",
        // The same outcome by somebody else counts as well.
        _ => !text(subject, "/human_task/decision/outcome").is_empty(),
    };
    if !is_done {
        wrong.push(format!("I1: hold {id} took effect on {subject}: {held:?}"));
    }
}

/// I10: the counters of the overview against a recount.
async fn counters(world: &Shared, told: &Told, wrong: &mut Vec<String>) {
    let overview = world
        .call(Ask::get(&world.admin, "/v1/overview"))
        .await
        .body;
    let mut recount: BTreeMap<&str, u64> = BTreeMap::new();
    let mut open_letters = 0;
    for intent in told.intents.values() {
        *recount.entry(status(intent)).or_default() += 1;
        let is_open = text(intent, "/dead_letter/state") == "open";
        let is_answer = text(intent, "/dead_letter/reason") == "rejected";
        open_letters += u64::from(is_open && !is_answer);
    }
    let said = overview["intents"].as_object().cloned().unwrap_or_default();
    for (name, count) in &said {
        if *count != recount.remove(name.as_str()).unwrap_or(0) {
            wrong.push(format!("I10: {count} are said to be {name}"));
        }
    }
    if !recount.is_empty() {
        wrong.push(format!("I10: not counted: {recount:?}"));
    }
    if overview["dead_letters"]["open"] != open_letters {
        let said = &overview["dead_letters"];
        wrong.push(format!("I10: {open_letters} letters are open, not {said}"));
    }
    let listed = all(
        world,
        "/v1/dead-letters?state=open",
        "dead_letters",
        "intent_id",
    )
    .await;
    if u64::try_from(listed.len()).unwrap() != open_letters {
        wrong.push(format!(
            "I10: {open_letters} letters are open, {} listed",
            listed.len()
        ));
    }
    if overview["inbox"]["pending"] != 0 {
        wrong.push(format!("I10: tasks are open: {}", overview["inbox"]));
    }
    for binding in overview["bindings"].as_array().cloned().unwrap_or_default() {
        for depth in ["ready", "leased", "backing_off", "parked", "held"] {
            if binding[depth] != 0 {
                wrong.push(format!("I10: nothing is open, and {binding}"));
            }
        }
    }
}

/// Every end that somebody wants to hear of is in that inbox.
async fn completions(world: &Shared, told: &Told, wrong: &mut Vec<String>) {
    for (id, intent) in &told.intents {
        if intent["reply_to"] != ARCHIVE {
            continue;
        }
        let path = format!("/v1/inbox/{id}?owner_agent={ARCHIVE}");
        let reply = world.call(Ask::get(&world.admin, path)).await;
        let said = reply.text("/thread/timeline/0/details/status");
        if !reply.is_ok() || said != status(intent) {
            wrong.push(format!(
                "I1: {ARCHIVE} did not hear of {id}: {}",
                reply.body
            ));
        }
    }
}

/// I5: keys are remembered over everything.
async fn keys(world: &Shared, dice: &Dice, told: &Told, wrong: &mut Vec<String>) {
    let known: Vec<(String, Accepted)> = {
        let ledger = world.ledger();
        ledger
            .accepted
            .iter()
            .map(|(key, accepted)| (key.clone(), accepted.clone()))
            .collect()
    };
    for _ in 0..200.min(known.len()) {
        let Some((key, accepted)) = dice.pick(&known) else {
            return;
        };
        let ask = Ask::post(&accepted.token, "/v1/intents", &accepted.body).key(key);
        let reply = world.call(ask).await;
        if reply.text("/intent_id") != accepted.id || !told.intents.contains_key(&accepted.id) {
            wrong.push(format!(
                "I5: key {key} of {} gives {}",
                accepted.id, reply.body
            ));
        }
    }
}
