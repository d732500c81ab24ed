//! Pages as they come, sifted by the terms that no index knows, and the scan that goes on behind them.

use crate::console::action::place::Place;
use crate::console::filter::rest::{self, Around};
use crate::console::filter::{Claim, Term};
use crate::console::format;
use crate::console::model::reads::Slot;
use crate::console::model::scan::{Scan, Stage};
use crate::console::model::{Model, Weight};
use crate::console::rows::{Row, Window};
use crate::console::task::Query;
use crate::desk::rows::jobs::AuditRow;
use crate::desk::rows::{AgentRow, AttemptRow, IntentRow, LetterGroupRow, LetterRow, TaskRow};
use crate::domain::address::Home;
use crate::domain::ids::IntentId;
use crate::store::query::{Page, PageRequest};

/// Keeps the rows that the rest of a filter lets through.
fn sift<T>(
    model: &Model,
    (rest, home): (&[Term], &Home),
    is_marked: &dyn Fn(IntentId) -> bool,
    rows: &mut Vec<T>,
    fits: impl Fn(&Claim, &T, &Around<'_>) -> bool,
) {
    if rest.is_empty() {
        return;
    }
    let is_held = |id: IntentId| model.held_on(id).is_some();
    let around = Around {
        home,
        now: model.at.wall,
        me: model.identity(),
        is_held: &is_held,
        is_marked,
    };
    rows.retain(|row| rest::lets_through(rest, |claim| fits(claim, row, &around)));
}

/// Puts a page that was sifted into its window.
fn put<T: Row>(
    window: &mut Window<T>,
    page: &PageRequest,
    (rows, next): (Vec<T>, Option<String>),
    oldest: Option<(i64, u128)>,
    (is_sifted, is_following): (bool, bool),
    reason: impl Fn(&T) -> String,
) {
    if page.cursor.is_some() {
        window.append(rows, next);
        window.begin();
    } else if is_sifted && window.is_loaded() {
        window.refresh(rows, oldest, is_following, reason);
    } else {
        window.absorb(rows, next, is_following, reason);
    }
}

/// Counts a page of the scan, unless it only brought the newest rows up to date.
fn count<T: Row>(
    scan: Option<&mut Scan>,
    was_loaded: bool,
    page: &PageRequest,
    window: &Window<T>,
) {
    if let Some(scan) = scan
        && (page.cursor.is_some() || !was_loaded)
    {
        scan.page_read(page.limit, window.next().is_none(), window.is_full());
    }
}

pub(super) fn intents(model: &mut Model, page: &PageRequest, answer: Page<IntentRow>) {
    let Page { mut items, next } = answer;
    let oldest = items.last().map(Row::age_order);
    let home = model.home();
    let is_marked = |id: IntentId| model.intents.rows.is_marked(&id);
    let rest = (model.intents.filter.rest.as_slice(), &home);
    sift(model, rest, &is_marked, &mut items, rest::intent);
    let is_following = model.is_following && model.paused.is_none();
    let desk = &mut model.intents;
    if page.cursor.is_some() && desk.scan.as_ref().is_some_and(|scan| !scan.is_running()) {
        // It was asked for before the operator stopped the scan.
        return;
    }
    let was_loaded = desk.rows.is_loaded();
    let kind = (desk.scan.is_some(), is_following);
    let reason = |row: &IntentRow| format!("was {}", row.status);
    put(&mut desk.rows, page, (items, next), oldest, kind, reason);
    count(desk.scan.as_mut(), was_loaded, page, &desk.rows);
    if desk.scan.as_ref().is_some_and(Scan::is_running) {
        model.reads.hurry(Slot::MoreIntents);
    }
}

pub(super) fn attempts(model: &mut Model, page: &PageRequest, answer: Page<AttemptRow>) {
    let Page { mut items, next } = answer;
    let oldest = items.last().map(Row::age_order);
    let home = model.home();
    let rest = (model.attempts.filter.rest.as_slice(), &home);
    sift(model, rest, &|_| false, &mut items, rest::attempt);
    let is_following = model.is_following && model.paused.is_none();
    let desk = &mut model.attempts;
    if page.cursor.is_some() && desk.scan.as_ref().is_some_and(|scan| !scan.is_running()) {
        return;
    }
    let was_loaded = desk.rows.is_loaded();
    let kind = (desk.scan.is_some(), is_following);
    let reason = |_: &AttemptRow| "no longer in the filter".to_owned();
    put(&mut desk.rows, page, (items, next), oldest, kind, reason);
    count(desk.scan.as_mut(), was_loaded, page, &desk.rows);
    if desk.scan.as_ref().is_some_and(Scan::is_running) {
        model.reads.hurry(Slot::MoreAttempts);
    }
}

pub(super) fn letters(model: &mut Model, page: &PageRequest, answer: Page<LetterRow>) {
    let Page { mut items, next } = answer;
    let oldest = items.last().map(Row::age_order);
    let home = model.home();
    let is_marked = |id: IntentId| model.dead.letters.is_marked(&id);
    let rest = (model.dead.filter.rest.as_slice(), &home);
    sift(model, rest, &is_marked, &mut items, rest::letter);
    let of = model.dead.letters_of.as_ref();
    let bundle = of.and_then(|key| model.dead.bundles.get(key));
    let wide = bundle.filter(|bundle| bundle.is_wide());
    if let Some(wide) = wide {
        items.retain(|letter| wide.takes(letter.http_status));
    }
    let is_following = model.is_following && model.paused.is_none();
    let is_sifted = !model.dead.filter.rest.is_empty() || wide.is_some();
    let kind = (is_sifted, is_following);
    let reason = |_: &LetterRow| "replayed or discarded".to_owned();
    put(
        &mut model.dead.letters,
        page,
        (items, next),
        oldest,
        kind,
        reason,
    );
}

pub(super) fn audit(model: &mut Model, page: &PageRequest, answer: Page<AuditRow>) {
    let Page { mut items, next } = answer;
    let oldest = items.last().map(Row::age_order);
    let home = model.home();
    let rest = (model.audit.filter.rest.as_slice(), &home);
    sift(model, rest, &|_| false, &mut items, rest::audit);
    let is_following = model.is_following && model.paused.is_none();
    let kind = (!model.audit.filter.rest.is_empty(), is_following);
    let reason = |_: &AuditRow| "no longer in the filter".to_owned();
    put(
        &mut model.audit.rows,
        page,
        (items, next),
        oldest,
        kind,
        reason,
    );
}

/// The groups that may hold letters that the filter lets through.
pub(super) fn groups(model: &Model, mut groups: Vec<LetterGroupRow>) -> Vec<LetterGroupRow> {
    let home = model.home();
    let around = Around {
        home: &home,
        now: model.at.wall,
        me: model.identity(),
        is_held: &|_| false,
        is_marked: &|_| false,
    };
    let rest = &model.dead.filter.rest;
    groups.retain(|row| rest.iter().all(|term| rest::group(term, row, &around)));
    groups
}

pub(super) fn tasks(model: &Model, mut tasks: Vec<TaskRow>) -> Vec<TaskRow> {
    let home = model.home();
    let is_marked = |id: IntentId| model.inbox.tasks.is_marked(&id);
    let rest = (model.inbox.filter.rest.as_slice(), &home);
    sift(model, rest, &is_marked, &mut tasks, rest::task);
    tasks
}

pub(super) fn agents(model: &Model, mut agents: Vec<AgentRow>) -> Vec<AgentRow> {
    let home = model.home();
    let rest = (model.agents.filter.rest.as_slice(), &home);
    sift(model, rest, &|_| false, &mut agents, rest::agent);
    agents
}

/// The scan of the desk that is looked at.
pub(crate) const fn scan_of(model: &Model, place: Place) -> Option<&Scan> {
    match place {
        Place::Intents => model.intents.scan.as_ref(),
        Place::Attempts => model.attempts.scan.as_ref(),
        _ => None,
    }
}

fn scan_mut(model: &mut Model, place: Place) -> Option<&mut Scan> {
    match place {
        Place::Intents => model.intents.scan.as_mut(),
        Place::Attempts => model.attempts.scan.as_mut(),
        _ => None,
    }
}

/// Esc: stops the scan of this desk. Says whether there was one to stop.
pub(super) fn stop(model: &mut Model) -> bool {
    if model.view.intent.is_some() {
        return false;
    }
    let place = model.view.place;
    let Some(scan) = scan_mut(model, place).filter(|scan| scan.is_running()) else {
        return false;
    };
    scan.stage = Stage::Stopped;
    let read = format::count(scan.examined);
    model.reads.switch(Slot::MoreIntents);
    model.reads.switch(Slot::MoreAttempts);
    model.say(
        Weight::Info,
        format!("search stopped, {read} looked at; / and Enter begin it again"),
    );
    true
}

/// A page of a scan was refused: it is tried again with less, and the scan gives up in the end.
pub(super) fn refused(model: &mut Model, query: &Query) -> Option<String> {
    let (place, cursor) = match query {
        Query::Intents(_, page) => (Place::Intents, &page.cursor),
        Query::Attempts(_, page) => (Place::Attempts, &page.cursor),
        _ => return None,
    };
    let scan = scan_mut(model, place).filter(|scan| scan.is_running())?;
    scan.page_refused();
    let is_over = scan.stage == Stage::Failed;
    (is_over && cursor.is_some()).then(|| "the search took too long".to_owned())
}

/// What the title says about the scan.
pub(crate) fn words(scan: &Scan) -> String {
    let read = format::count(scan.examined);
    let of = match scan.total {
        Some(total) => format!("{read} of {}", format::count(total.max(scan.examined))),
        None => read.clone(),
    };
    match scan.stage {
        Stage::Running => format!("searching, {of} looked at, Esc stops"),
        Stage::Stopped => format!("stopped, {of} looked at"),
        Stage::Whole => format!("all {read} looked at"),
        Stage::Full => format!("{of} looked at, the list is full"),
        Stage::Failed => format!("broken off, {of} looked at"),
    }
}
