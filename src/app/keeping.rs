//! `backup`, `restore`, `verify`: a copy of the store, a store from a copy, and whether one is whole.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;

use super::house::{self, STORE_FILE};
use crate::cli::Context;
use crate::cli::failure::Failure;
use crate::domain::agent::{Agent, Pause};
use crate::domain::intent::Intent;
use crate::domain::job::{Job, JobState};
use crate::domain::status::{State, Status};
use crate::engine::check::check_state;
use crate::engine::evolve::fold;
use crate::store::error::StoreError;
use crate::store::query::{IntentFilter, LetterFilter, PageRequest};
use crate::store::sqlite::{Settings, SqliteStore, backup, watermark};
use crate::store::{Reader, Store, Write};

/// Complaints that are printed; the rest is counted.
const COMPLAINTS_MAX: usize = 20;

fn failed(what: &str, error: &StoreError) -> Failure {
    Failure::refused(format!("{what}: {error}"))
}

/// Copies the store of the data directory, whether or not its broker runs, and checks the copy.
pub(super) fn backup(to: &Path, context: &Context) -> Result<(), Failure> {
    let from = context.config.data.join(STORE_FILE);
    if to.exists() {
        return Err(Failure::refused(format!("{} exists already", to.display())));
    }
    let partial = beside(to);
    backup::copy(&from, &partial).map_err(|error| failed("back up", &error))?;
    let found = inspect(&partial)?;
    if !found.complaints.is_empty() {
        // What is not whole must not be taken for a backup.
        let _gone = std::fs::remove_file(&partial);
        return Err(complained("the copy", &found));
    }
    std::fs::rename(&partial, to)
        .map_err(|error| Failure::refused(format!("name {}: {error}", to.display())))?;
    let answer = json!({
        "ok": true, "file": to.display().to_string(), "intents": found.intents, "facts": found.facts,
    });
    context.out.either(&answer, |out| {
        out.line(format!(
            "{}: {} intents, {} facts, checked",
            to.display(),
            found.intents,
            found.facts
        ))
    })
}

/// A name of its own in the same directory, so that the last step is a rename.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    PathBuf::from(name)
}

/// Makes the data directory's store from a copy. Every agent and every job in it is paused, so that nothing
/// that was sent since the copy was made is sent again before an operator says so.
pub(super) fn restore(from: &Path, context: &Context) -> Result<(), Failure> {
    let data = &context.config.data;
    let _lock = house::take(data)?
        .ok_or_else(|| Failure::refused(format!("a broker owns {}", data.display())))?;
    let to = data.join(STORE_FILE);
    if to.exists() {
        return Err(Failure::refused(format!("{} exists already", to.display()))
            .hint("restore into an empty directory, or move the old store away"));
    }
    let found = inspect(from)?;
    if !found.complaints.is_empty() {
        return Err(complained("the backup", &found));
    }
    let partial = beside(&to);
    backup::copy(from, &partial).map_err(|error| failed("restore", &error))?;
    let paused = pause_all(&partial, context).map_err(|error| failed("restore", &error))?;
    // How far the old store had come says nothing of this one.
    let _none_noted = std::fs::rename(watermark::path_of(&partial), watermark::path_of(&to));
    std::fs::rename(&partial, &to)
        .map_err(|error| Failure::refused(format!("name {}: {error}", to.display())))?;
    let answer = json!({ "ok": true, "intents": found.intents, "paused_agents": paused });
    context.out.either(&answer, |out| {
        out.line(format!(
            "{}: {} intents; {paused} agents are paused, nothing is sent until `postroom agents resume`",
            to.display(),
            found.intents
        ))
    })
}

fn pause_all(path: &Path, context: &Context) -> Result<usize, StoreError> {
    let mut store = SqliteStore::open(path, Settings::default())?;
    let mut reader = store.reader()?;
    let now = context.clock.now();
    let agents = reader.agents()?;
    let jobs = reader.live_jobs()?;
    drop(reader);
    let count = agents.len();
    let mut txn = store.begin()?;
    for agent in agents {
        let pause = Pause {
            by: "postroom restore".to_owned(),
            reason: "restored from a backup: look before it sends again".to_owned(),
            at: now,
        };
        txn.put(Write::Agent(Agent {
            pause: Some(pause),
            updated_at: now,
            ..agent
        }))?;
    }
    for job in jobs {
        if job.state == JobState::Running {
            txn.put(Write::Job(Box::new(Job {
                state: JobState::Paused,
                stopped_because: Some("restored from a backup".to_owned()),
                ..job
            })))?;
        }
    }
    txn.commit()?;
    Ok(count)
}

/// What was found in a store.
#[derive(Debug, Default)]
struct Found {
    intents: u64,
    facts: u64,
    complaints: Vec<String>,
}

fn complained(what: &str, found: &Found) -> Failure {
    let shown: Vec<&str> = found
        .complaints
        .iter()
        .take(COMPLAINTS_MAX)
        .map(String::as_str)
        .collect();
    Failure::refused(format!(
        "{what} is not whole, {} complaints:\n{}",
        found.complaints.len(),
        shown.join("\n")
    ))
}

/// Checks a store: a file, or that of the data directory. A broker that runs on it is not disturbed: what is
/// checked is a copy as of one commit.
pub(super) fn verify(file: Option<&Path>, context: &Context) -> Result<(), Failure> {
    let path = match file {
        Some(file) => file.to_owned(),
        None => context.config.data.join(STORE_FILE),
    };
    let found = examine(&path)?;
    if !found.complaints.is_empty() {
        return Err(complained("the store", &found));
    }
    let answer = json!({ "ok": true, "intents": found.intents, "facts": found.facts });
    context.out.either(&answer, |out| {
        out.line(format!(
            "{}: whole; {} intents, {} facts, every state is the fold of its facts, counters match",
            path.display(),
            found.intents,
            found.facts
        ))
    })
}

/// Looks at the file as it lies there, and then at a copy as of one commit.
fn examine(path: &Path) -> Result<Found, Failure> {
    // A copy is made from the tables: what is wrong with an index is not in it any more.
    let complaints = backup::unsound(path).map_err(|error| failed("verify", &error))?;
    if !complaints.is_empty() {
        return Ok(Found {
            complaints,
            ..Found::default()
        });
    }
    let missing = watermark::missing(path).map_err(|error| failed("verify", &error))?;
    let copy = beside(path);
    backup::copy(path, &copy).map_err(|error| failed("verify", &error))?;
    let mut found = inspect(&copy);
    if let (Ok(found), Some(missing)) = (&mut found, missing) {
        found.complaints.push(missing.to_string());
    }
    for leftover in [&copy, &with(&copy, "-wal"), &with(&copy, "-shm")] {
        // Not there is as good as gone.
        let _gone = std::fs::remove_file(leftover);
    }
    found
}

/// What `verify` finds wrong with a store that nobody uses; an error that kept it from looking is a finding.
pub(super) fn complaints(path: &Path) -> Vec<String> {
    match examine(path) {
        Ok(found) => found.complaints,
        Err(failure) => vec![failure.to_string()],
    }
}

fn with(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

fn inspect(path: &Path) -> Result<Found, Failure> {
    let mut found = Found {
        complaints: backup::unsound(path).map_err(|error| failed("verify", &error))?,
        ..Found::default()
    };
    if found.complaints.is_empty() {
        let store = SqliteStore::open(path, Settings::default())
            .map_err(|error| failed("verify", &error))?;
        let mut reader = store.reader().map_err(|error| failed("verify", &error))?;
        if let Err(error) = walk(reader.as_mut(), &mut found) {
            found.complaints.push(error.to_string());
        }
    }
    Ok(found)
}

/// Folds every intent and counts all of them anew.
fn walk(reader: &mut dyn Reader, found: &mut Found) -> Result<(), StoreError> {
    let (mut statuses, mut states, mut letters) = ([0_u64; 10], [0_u64; 8], 0_u64);
    let mut page = PageRequest {
        limit: 500,
        cursor: None,
    };
    loop {
        let items = reader.intents(&IntentFilter::default(), &page)?;
        for intent in &items.items {
            found.intents = found.intents.saturating_add(1);
            look_at(reader, intent, found)?;
            for (number, status) in statuses.iter_mut().zip(Status::ALL) {
                *number += u64::from(status == intent.status);
            }
            for (number, state) in states.iter_mut().zip(State::ALL) {
                *number += u64::from(state == intent.state());
            }
            letters += u64::from(intent.is_open_dead_letter());
        }
        page.cursor = items.next;
        if page.cursor.is_none() {
            break;
        }
    }
    let kept = reader.counters()?;
    if kept.by_status != statuses || kept.by_state != states {
        found.complaints.push(format!(
            "counters say {:?} {:?}, a recount {statuses:?} {states:?}",
            kept.by_status, kept.by_state
        ));
    }
    let counted = reader.letter_count(&LetterFilter::default())?;
    if counted != letters {
        found.complaints.push(format!(
            "{counted} open dead letters are counted, {letters} are there"
        ));
    }
    Ok(())
}

fn look_at(
    reader: &mut dyn Reader,
    intent: &Arc<Intent>,
    found: &mut Found,
) -> Result<(), StoreError> {
    let facts = reader.facts(intent.id, 0)?;
    found.facts = found
        .facts
        .saturating_add(u64::try_from(facts.len()).unwrap_or(u64::MAX));
    let is_chained = facts.iter().zip(1..).all(|(fact, seq)| fact.seq == seq);
    if !is_chained || facts.last().map(|fact| fact.seq) != Some(intent.seq) {
        found
            .complaints
            .push(format!("intent {}: its facts have a gap", intent.id));
    } else if fold(&facts).as_ref() != Some(&**intent) {
        found.complaints.push(format!(
            "intent {}: its state is not the fold of its facts",
            intent.id
        ));
    }
    if let Err(violation) = check_state(intent) {
        found
            .complaints
            .push(format!("intent {}: {violation}", intent.id));
    }
    if reader.payload(intent.id)?.is_none() {
        found
            .complaints
            .push(format!("intent {}: its payload is missing", intent.id));
    }
    Ok(())
}
