//! A desk that answers from a script and remembers what it was made to do.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use serde_json::json;

use crate::desk::act::{Act, Done};
use crate::desk::rows::agents::AgentView;
use crate::desk::rows::jobs::{AuditRow, JobItemRow, JobPlan, JobRow, JobView};
use crate::desk::rows::{
    AgentRow, AttemptRow, HeldRow, Hello, IntentRow, IntentView, LetterGroupRow, LetterRow,
    Overview, TaskRow, ThreadEvent, ThreadView,
};
use crate::desk::{Answer, Desk, DeskError, FeedPage};
use crate::domain::address::Address;
use crate::domain::ids::{Cursor, HoldId, IntentId, JobId, ThreadId};
use crate::domain::job::{JobControl, JobState, NewJob};
use crate::domain::payload::Payload;
use crate::domain::time::Span;
use crate::store::query::{
    AttemptFilter, AuditFilter, IntentFilter, LetterFilter, Page, PageRequest, ThreadFilter,
};

use super::fixtures;

/// What the desk knows.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) hello: Hello,
    pub(super) overview: Overview,
    pub(super) agents: Vec<AgentRow>,
    pub(super) tasks: Vec<TaskRow>,
    pub(super) intents: Vec<IntentRow>,
    pub(super) attempts: Vec<AttemptRow>,
    pub(super) groups: Vec<LetterGroupRow>,
    pub(super) letters: Vec<LetterRow>,
    pub(super) view: IntentView,
    /// Another intent, known by its own id.
    pub(super) other: Option<IntentView>,
    pub(super) held: Vec<HeldRow>,
    pub(super) thread: Vec<ThreadEvent>,
    pub(super) payload: Payload,
    /// The next act is refused with this.
    pub(super) refusal: Option<DeskError>,
    /// The filters that were asked for.
    pub(super) asked: Vec<IntentFilter>,
    pub(super) jobs: Vec<JobRow>,
    pub(super) items: Vec<JobItemRow>,
    pub(super) plan: Option<JobPlan>,
    pub(super) audit: Vec<AuditRow>,
    /// The jobs that were ordered.
    pub(super) ordered: Vec<NewJob>,
    /// What was done to jobs.
    pub(super) controlled: Vec<(JobId, JobControl)>,
    /// What is told of agents beside their rows.
    pub(super) agent_views: BTreeMap<Address, AgentView>,
    acts: Vec<Act>,
    next_hold: u64,
}

/// The desk.
#[derive(Debug)]
pub(super) struct FakeDesk(Mutex<Script>);

impl FakeDesk {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Script {
            hello: fixtures::hello(),
            overview: fixtures::overview(),
            agents: fixtures::agents(),
            tasks: fixtures::tasks(),
            intents: fixtures::deliveries::intents(),
            attempts: fixtures::deliveries::attempts(),
            groups: fixtures::deliveries::groups(),
            letters: fixtures::deliveries::letters(),
            view: fixtures::deliveries::view(),
            other: None,
            held: Vec::new(),
            thread: fixtures::thread(),
            payload: fixtures::payload(),
            refusal: None,
            asked: Vec::new(),
            jobs: fixtures::work::jobs(),
            items: fixtures::work::items(),
            plan: Some(fixtures::work::plan()),
            audit: fixtures::work::audit(),
            ordered: Vec::new(),
            controlled: Vec::new(),
            agent_views: fixtures::agent_views(),
            acts: Vec::new(),
            next_hold: 1,
        }))
    }

    /// Changes what the desk knows.
    pub(super) fn script(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.0.lock());
    }

    pub(super) fn acts(&self) -> Vec<Act> {
        self.0.lock().acts.clone()
    }

    fn ready<'desk, T: Send + 'desk>(
        &'desk self,
        get: impl FnOnce(&mut Script) -> T,
    ) -> Answer<'desk, T> {
        let value = get(&mut self.0.lock());
        Box::pin(std::future::ready(Ok(value)))
    }
}

fn page<T>(items: Vec<T>) -> Page<T> {
    Page { items, next: None }
}

impl Desk for FakeDesk {
    fn hello(&self) -> Answer<'_, Hello> {
        self.ready(|script| script.hello.clone())
    }

    fn overview(&self) -> Answer<'_, Overview> {
        self.ready(|script| script.overview.clone())
    }

    fn intents(&self, filter: IntentFilter, page: PageRequest) -> Answer<'_, Page<IntentRow>> {
        self.ready(|script| {
            script.asked.push(filter.clone());
            let fits = |row: &&IntentRow| {
                (filter.states.is_empty() || filter.states.contains(&row.state))
                    && filter.to.as_ref().is_none_or(|to| *to == row.to)
                    && filter
                        .text
                        .as_ref()
                        .is_none_or(|text| row.id.to_string().ends_with(text))
            };
            let fitting: Vec<IntentRow> = script.intents.iter().filter(fits).cloned().collect();
            let mut page = cut(&fitting, &page);
            page.items.retain(|row| {
                let note = row.note.as_deref().unwrap_or_default();
                filter.contains.iter().all(|text| note.contains(text))
            });
            page
        })
    }

    fn intent(&self, id: IntentId) -> Answer<'_, IntentView> {
        self.ready(|script| {
            if let Some(other) = script.other.as_ref().filter(|other| other.row.id == id) {
                return other.clone();
            }
            let mut view = script.view.clone();
            view.row.id = id;
            view
        })
    }

    fn attempts(&self, filter: AttemptFilter, _page: PageRequest) -> Answer<'_, Page<AttemptRow>> {
        self.ready(|script| {
            let fits = |row: &&AttemptRow| {
                filter
                    .agent
                    .as_ref()
                    .is_none_or(|agent| *agent == row.agent)
            };
            page(script.attempts.iter().filter(fits).cloned().collect())
        })
    }

    fn letters(&self, _filter: LetterFilter, _page: PageRequest) -> Answer<'_, Page<LetterRow>> {
        self.ready(|script| page(script.letters.clone()))
    }

    fn letter_groups(&self, _filter: LetterFilter) -> Answer<'_, Vec<LetterGroupRow>> {
        self.ready(|script| script.groups.clone())
    }

    fn tasks(&self, _filter: ThreadFilter, _page: PageRequest) -> Answer<'_, Page<TaskRow>> {
        self.ready(|script| page(script.tasks.clone()))
    }

    fn thread(&self, id: ThreadId) -> Answer<'_, ThreadView> {
        self.ready(|script| {
            let row = script.tasks.iter().find(|task| task.thread == id).cloned();
            ThreadView {
                row: row.unwrap_or_else(|| script.tasks[0].clone()),
                payload: script.payload.clone(),
                timeline: script.thread.clone(),
                after: None,
            }
        })
    }

    fn agents(&self) -> Answer<'_, Vec<AgentRow>> {
        self.ready(|script| script.agents.clone())
    }

    fn agent(&self, address: Address) -> Answer<'_, AgentView> {
        self.ready(|script| {
            let view = script.agent_views.get(&address).cloned();
            view.unwrap_or_default()
        })
    }

    fn held(&self) -> Answer<'_, Vec<HeldRow>> {
        self.ready(|script| script.held.clone())
    }

    fn feed(&self, _since: Option<Cursor>, _wait_ms: u64) -> Answer<'_, FeedPage> {
        self.ready(|_| FeedPage {
            rows: Vec::new(),
            skipped: 0,
            next: Cursor(41),
            head: Cursor(41),
        })
    }

    fn audit(&self, filter: AuditFilter, _page: PageRequest) -> Answer<'_, Page<AuditRow>> {
        self.ready(|script| {
            let fits = |row: &&AuditRow| {
                let is_refused = !matches!(row.result.as_str(), "done" | "held");
                filter.is_refused.is_none_or(|wanted| wanted == is_refused)
            };
            page(script.audit.iter().filter(fits).cloned().collect())
        })
    }

    fn jobs(&self, _state: Option<JobState>, _page: PageRequest) -> Answer<'_, Page<JobRow>> {
        self.ready(|script| page(script.jobs.clone()))
    }

    fn job(&self, id: JobId, _page: PageRequest) -> Answer<'_, JobView> {
        let script = self.0.lock();
        let row = script.jobs.iter().find(|job| job.id == id).cloned();
        let items = script.items.clone();
        Box::pin(std::future::ready(row.ok_or_else(no_jobs).map(|row| {
            JobView {
                row,
                items,
                next: None,
                outcomes: fixtures::work::outcomes(),
            }
        })))
    }

    fn plan_job(&self, _job: NewJob) -> Answer<'_, JobPlan> {
        let plan = self.0.lock().plan.clone();
        Box::pin(std::future::ready(plan.ok_or_else(no_jobs)))
    }

    fn start_job(&self, job: NewJob) -> Answer<'_, JobRow> {
        self.ready(|script| {
            script.ordered.push(job);
            script.jobs[0].clone()
        })
    }

    fn control_job(&self, id: JobId, control: JobControl) -> Answer<'_, JobRow> {
        self.ready(|script| {
            script.controlled.push((id, control));
            script.jobs[0].clone()
        })
    }

    fn act(&self, act: Act) -> Answer<'_, Done> {
        let result = {
            let mut script = self.0.lock();
            script.acts.push(act.clone());
            match script.refusal.take() {
                Some(refusal) => Err(refusal),
                None => Ok(perform(&mut script, act)),
            }
        };
        Box::pin(std::future::ready(result))
    }
}

fn no_jobs() -> DeskError {
    DeskError::Fault("the script has no jobs".to_owned())
}

/// Staged acts are held from the fixtures' instant on; the rest is done at once.
fn perform(script: &mut Script, act: Act) -> Done {
    let (intent, word, hold) = match act {
        Act::Decide {
            intent,
            choice,
            hold,
            ..
        } => {
            let word = match choice {
                crate::engine::command::Choice::Outcome(outcome) => outcome,
                other => format!("{other:?}"),
            };
            (Some(intent), word, hold)
        }
        Act::Replay { intent, hold, .. } => (Some(intent), "replay".to_owned(), hold),
        Act::Discard { intent, hold, .. } => (Some(intent), "discard".to_owned(), hold),
        Act::Undo { hold } => {
            script.held.retain(|held| held.hold != hold);
            (None, String::new(), Span::ZERO)
        }
        _ => (None, String::new(), Span::ZERO),
    };
    let mut done = Done {
        intent,
        new_intent: None,
        hold: None,
        effective_at: None,
        status: None,
    };
    if let Some(intent) = intent
        && hold > Span::ZERO
    {
        let id = HoldId(script.next_hold);
        script.next_hold += 1;
        // The clock of the bench is near the fixtures' instant in every test.
        let effective_at = fixtures::now().after(Span::from_seconds(60)).after(hold);
        let held = HeldRow {
            hold: id,
            intent,
            act: word,
            by: "agent://acme/prod/alice".to_owned(),
            effective_at,
        };
        for task in &mut script.tasks {
            if task.intent == intent {
                task.held = Some(held.clone());
            }
        }
        script.held.push(held);
        done.hold = Some(id);
        done.effective_at = Some(effective_at);
    }
    done
}

/// A refusal as the wire gives it when somebody else was faster.
pub(super) fn decided_by_bob() -> DeskError {
    DeskError::Refused {
        code: "already_decided".to_owned(),
        message: "agent://acme/prod/bob decided rejected".to_owned(),
        details: json!({
            "by": "agent://acme/prod/bob", "outcome": "rejected",
            "at": "2026-03-05T09:41:06.000Z", "comment": "duplicate",
        }),
    }
}

/// The page that is asked for; its cursor is the place of its first row.
fn cut<T: Clone>(rows: &[T], page: &PageRequest) -> Page<T> {
    let from: usize = page
        .cursor
        .as_ref()
        .map_or(0, |cursor| cursor.parse().unwrap());
    let until = rows.len().min(from + usize::try_from(page.limit).unwrap());
    Page {
        items: rows[from..until].to_vec(),
        next: (until < rows.len()).then(|| until.to_string()),
    }
}
