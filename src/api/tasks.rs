//! Open tasks of a person, soonest due first.

use axum::extract::State;

use crate::api::Api;
use crate::api::answer::{Answer, Result};
use crate::api::auth::is_asked;
use crate::api::call::Call;
use crate::domain::address::{Address, Home};
use crate::store::Reader;
use crate::store::error::StoreError;
use crate::store::query::{Page, PageRequest, Thread, ThreadFilter, ThreadKind};
use crate::wire::json::Object;
use crate::wire::tasks;

/// Most tasks in one answer, and in one that does not say: the published command line asks once.
const PAGE_MAX: u32 = 500;

/// Open tasks that are read at once.
const READ_AT_ONCE: u32 = 500;

/// Open tasks that one call looks at: an answer may be short, or empty, and yet say where to go on.
const LOOKED_AT_MAX: usize = 10_000;

/// `GET /v1/me/tasks`.
pub(super) async fn mine(State(api): State<Api>, call: Call) -> Result {
    let owner = call.owner(&api)?;
    let request = call.query.page(PAGE_MAX, PAGE_MAX)?;
    let asked = Asked {
        is_everybody: call.caller.is_admin() && owner == call.caller.address,
        who: owner,
        home: api.broker().registry().home.clone(),
    };
    let page = api
        .broker()
        .read(move |reader| asked.page(reader, &request))
        .await?;
    let items = page.items.iter().filter_map(|thread| {
        let task = thread.intent.open_task()?;
        Some(tasks::open_task(&thread.intent, task))
    });
    Ok(Answer(
        Object::ok()
            .list("tasks", items)
            .text_or_null("next_cursor", page.next.as_deref()),
    ))
}

/// Whose open tasks.
struct Asked {
    who: Address,
    /// An admin who asks for nobody else.
    is_everybody: bool,
    home: Home,
}

impl Asked {
    fn has(&self, thread: &Thread) -> bool {
        let (who, owner) = (&self.who, &thread.owner);
        self.is_everybody || is_asked(who, owner, &thread.intent, &self.home)
    }

    /// The tasks after the request's cursor, as many as it wants, out of those that one call looks at.
    fn page(
        &self,
        reader: &mut dyn Reader,
        request: &PageRequest,
    ) -> Result<Page<Thread>, StoreError> {
        let wanted = usize::try_from(request.limit).unwrap_or(usize::MAX);
        let mut page = Page {
            items: Vec::new(),
            next: request.cursor.clone(),
        };
        let mut looked_at = 0;
        loop {
            let from = page.next.take();
            let mut open = open_tasks(reader, READ_AT_ONCE, from.clone())?;
            let missing = wanted.saturating_sub(page.items.len());
            let last = open
                .items
                .iter()
                .enumerate()
                .filter(|(_, thread)| self.has(thread));
            if let Some((index, _)) = last.clone().nth(missing.saturating_sub(1)) {
                // Read again as far as the page goes, so that its cursor is that of its end.
                let limit = u32::try_from(index.saturating_add(1)).unwrap_or(READ_AT_ONCE);
                open = open_tasks(reader, limit, from)?;
            }
            looked_at = open.items.len().saturating_add(looked_at);
            page.next = open.next;
            page.items
                .extend(open.items.into_iter().filter(|thread| self.has(thread)));
            if page.next.is_none() || page.items.len() >= wanted || looked_at >= LOOKED_AT_MAX {
                return Ok(page);
            }
        }
    }
}

fn open_tasks(
    reader: &mut dyn Reader,
    limit: u32,
    cursor: Option<String>,
) -> Result<Page<Thread>, StoreError> {
    let filter = ThreadFilter {
        owner: None,
        is_pending: Some(true),
        kind: Some(ThreadKind::Task),
        is_due_first: true,
    };
    reader.threads(&filter, &PageRequest { limit, cursor })
}
