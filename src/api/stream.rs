//! The `stream` binding: a receiver keeps a connection open and gets its intents over it.

use std::time::Duration;

use axum::response::Response;

use crate::api::Api;
use crate::api::answer::Result;
use crate::api::call::Call;
use crate::api::line::{Kind, Line};
use crate::api::mesh;
use crate::api::sse::{self, Source, Turn, Window};
use crate::broker::request::BrokerError;
use crate::broker::session::{Handover, Session, SessionMode, SessionSpec};
use crate::domain::address::Address;
use crate::domain::agent::Binding;
use crate::wire::errors::Problem;
use crate::wire::rows::Row;

/// Rows that are written in one piece.
const ROWS_AT_ONCE: usize = 64;

/// How long a stream waits before it tries again to be let in by a busy broker.
const BUSY_WAIT: Duration = Duration::from_millis(100);

/// `GET {addr}/intents/stream`. Never an error for load: the stream is held instead.
pub(super) fn stream(api: &Api, call: &Call, agent: &Address) -> Result<Response> {
    call.caller.must_receive_at(agent)?;
    mesh::must_live(api, agent)?;
    let since = call.query.number("since", 0)?;
    let wait = call.query.seconds("wait_seconds", 1, 60, 15)?;
    let credit = credit(api, call, agent)?;
    let spec = SessionSpec {
        agent: agent.clone(),
        binding: Binding::Stream,
        credit,
        mode: SessionMode::Standing {
            is_cold_start: since == 0,
        },
    };
    let closes_early = Window::closes_early(api, &call.headers, sse::Stream::Rows);
    let window = Window::open(api, call, wait, closes_early).at(agent);
    let takes_rows = is_pull(api, agent) && wants_open_rows(call)?;
    Ok(sse::respond(AgentStream {
        api: api.clone(),
        spec,
        since,
        window,
        phase: if takes_rows {
            Phase::Entering
        } else {
            Phase::Idle
        },
        line: Line::of(api, call, Kind::Rows),
    }))
}

/// How many unfinished rows a connection may have: as the request, the agent or the config says.
fn credit(api: &Api, call: &Call, agent: &Address) -> Result<u32, Problem> {
    let asked = match call.query.get("max_in_flight") {
        None => None,
        Some(_given) => {
            let number = call.query.number("max_in_flight", 0)?;
            Some(u32::try_from(number).unwrap_or(u32::MAX))
        }
    };
    let registered = api
        .broker()
        .registry()
        .agent(agent)
        .and_then(|agent| agent.max_in_flight);
    Ok(asked
        .or(registered)
        .unwrap_or(api.settings().stream_credit)
        .clamp(1, 4096))
}

/// True when receivers come for their intents there; everywhere else a stream only idles.
pub(super) fn is_pull(api: &Api, agent: &Address) -> bool {
    api.broker()
        .registry()
        .agent(agent)
        .is_none_or(|agent| agent.binding.is_pull())
}

/// False when `status` asks for ended intents alone, which are never handed over.
pub(super) fn wants_open_rows(call: &Call) -> Result<bool, Problem> {
    let names = call.query.names("status");
    let mut has_open = names.is_empty();
    for name in names {
        has_open |= name == "pending" || !crate::api::intents::status(name)?.is_terminal();
    }
    Ok(has_open)
}

enum Phase {
    /// Not let in yet.
    Entering,
    /// Rows come.
    Live(Session),
    /// Nothing will come; the window is held to its end.
    Idle,
    /// The farewell is written; the session ends when it has been taken.
    Leaving(Option<Session>),
    /// Over.
    Gone,
}

struct AgentStream {
    api: Api,
    spec: SessionSpec,
    /// The last row sent, or what the reader has already.
    since: u64,
    window: Window,
    phase: Phase,
    line: Line,
}

impl AgentStream {
    fn rows(&mut self, session: &mut Session, first: &Handover) -> String {
        let mut text = String::new();
        self.row(&mut text, first);
        for _ in 1..ROWS_AT_ONCE {
            match session.try_next() {
                Some(next) => self.row(&mut text, &next),
                None => break,
            }
        }
        self.window.has_sent();
        text
    }

    fn row(&mut self, text: &mut String, handover: &Handover) {
        let row = row(handover);
        self.since = self.since.max(row.seq);
        sse::frame(text, row.seq, "intent.delivered", &row.line());
    }

    fn leave(&mut self, session: Option<Session>) -> String {
        self.phase = Phase::Leaving(session);
        sse::farewell("next_seq", self.since)
    }

    async fn enter(&mut self) -> Option<String> {
        match self.window.turn(self.line.place()).await {
            Turn::Item(()) => {}
            Turn::Silence => return Some(sse::keepalive()),
            Turn::End | Turn::Revoked => return Some(self.leave(None)),
        }
        match self
            .window
            .turn(self.api.broker().open_session(self.spec.clone()))
            .await
        {
            Turn::Item(Ok(session)) => {
                self.phase = Phase::Live(session);
                None
            }
            Turn::Item(Err(BrokerError::Busy)) => {
                match self.window.turn(tokio::time::sleep(BUSY_WAIT)).await {
                    Turn::Item(()) => None,
                    Turn::Silence => Some(sse::keepalive()),
                    Turn::End | Turn::Revoked => Some(self.leave(None)),
                }
            }
            Turn::Item(Err(error)) => {
                tracing::debug!(%error, agent = %self.spec.agent, "stream was not let in");
                self.phase = Phase::Idle;
                None
            }
            Turn::Silence => Some(sse::keepalive()),
            Turn::End | Turn::Revoked => Some(self.leave(None)),
        }
    }

    async fn live(&mut self, mut session: Session) -> Option<String> {
        match self.window.turn(session.next()).await {
            Turn::Item(Some(first)) => {
                let text = self.rows(&mut session, &first);
                self.phase = Phase::Live(session);
                Some(text)
            }
            Turn::Item(None) => {
                self.phase = Phase::Idle;
                None
            }
            Turn::Silence => {
                self.phase = Phase::Live(session);
                Some(sse::keepalive())
            }
            Turn::End => Some(self.leave(Some(session))),
            Turn::Revoked => {
                // Whoever has no key any more can report nothing: its rows go back at once.
                drop(session);
                Some(self.leave(None))
            }
        }
    }

    async fn idle(&mut self) -> Option<String> {
        match self.window.turn(std::future::pending::<()>()).await {
            Turn::Item(()) => None,
            Turn::Silence => Some(sse::keepalive()),
            Turn::End | Turn::Revoked => Some(self.leave(None)),
        }
    }
}

impl Source for AgentStream {
    async fn next(&mut self) -> Option<String> {
        loop {
            let text = match std::mem::replace(&mut self.phase, Phase::Gone) {
                Phase::Entering => {
                    self.phase = Phase::Entering;
                    self.enter().await
                }
                Phase::Live(session) => self.live(session).await,
                Phase::Idle => {
                    self.phase = Phase::Idle;
                    self.idle().await
                }
                Phase::Leaving(session) => {
                    // The farewell has been taken over for writing: the window ended well, and the
                    // receiver keeps what it has.
                    if let Some(session) = session {
                        session.end_window();
                    }
                    return None;
                }
                Phase::Gone => return None,
            };
            if text.is_some() {
                return text;
            }
        }
    }
}

/// A hand-over as the wire shows it.
pub(super) fn row(handover: &Handover) -> Row<'_> {
    Row {
        intent: &handover.intent,
        payload: &handover.payload,
        seq: handover.row_seq(),
        attempt: handover.attempt,
        number: handover.number,
        at: handover.started_at,
        lease_until: handover.lease_until,
    }
}
