//! Everything the console knows: what was read, where the operator stands, what is being typed.
//!
//! 1. Only `update` changes it, and only because of an event; `view` reads it.
//! 2. It has no clock: every event carries its moment, and the last one is kept.
//! 3. Whatever an operator typed (drafts, filters) outlives the view it was typed in.
//!
//! Not here: how it is drawn (`view`, `panes`), how it is read (`feed`).

pub(crate) mod awaited;
pub(crate) mod columns;
pub(crate) mod comparing;
pub(crate) mod desks;
pub(crate) mod detail;
mod hands;
mod hits;
pub(crate) mod link;
mod message;
pub(crate) mod notices;
pub(crate) mod overlay;
pub(crate) mod panel;
pub(crate) mod reads;
pub(crate) mod scan;
pub(crate) mod strip;

use std::collections::{BTreeMap, VecDeque};

use crate::clock::Mono;
use crate::config::{Header, Notices};
use crate::console::action::place::Place;
use crate::console::action::{Action, Context};
use crate::console::keymap::Keymap;
use crate::console::memory::{Preset, SavedView};
use crate::console::task::{Moment, Ticket};
use crate::desk::rows::{HeldRow, Hello, Overview};
use crate::domain::address::{Address, Home};
use crate::domain::ids::{Cursor, IntentId};
use crate::domain::time::Span;

pub(crate) use self::hands::{Pressed, Sent, Staged, Typing};
pub(crate) use self::hits::{Drawn, Hit, Target};
pub(crate) use self::message::{Message, Weight};

use self::desks::{
    AgentsDesk, AttemptsDesk, AuditDesk, DeadDesk, Inbox, IntentsDesk, JobsDesk, OverviewDesk, Tail,
};
use self::detail::Detail;
use self::link::Link;
use self::overlay::Overlay;
use self::reads::Reads;
use self::strip::{Draft, Strip};

/// Messages that are kept for the message log.
const MESSAGES_MAX: usize = 300;
/// Views that the history keeps.
const HISTORY_MAX: usize = 50;
/// How long a message stands on the status line.
const MESSAGE_MS: u64 = 8_000;
/// How long after something opened or changed an acting key is answered with a question.
pub(crate) const GUARD_MS: u64 = 400;

/// How long after a sequence began its continuations are shown.
pub(crate) const FOLLOWS_AFTER_MS: u64 = 300;

/// What the console was started with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    /// Whether acts are off by the operator's own wish.
    pub(crate) is_read_only: bool,
    /// Whether the broker runs in this process, so that quitting stops it.
    pub(crate) is_embedded: bool,
    /// Whether the screen is lines of words, for those who listen to it.
    pub(crate) is_plain: bool,
    /// Names of the themes that can be chosen.
    pub(crate) themes: Vec<String>,
    /// Where the log is, for help and messages.
    pub(crate) log_path: Option<String>,
    /// What is told without being asked.
    pub(crate) notices: Notices,
    /// The limits of the header.
    pub(crate) header: Header,
}

/// The place on the screen: a desk, or an intent seen from a desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct View {
    /// The desk.
    pub(crate) place: Place,
    /// The intent that is open.
    pub(crate) intent: Option<IntentId>,
}

/// Everything.
#[derive(Debug)]
pub(crate) struct Model {
    /// What it was started with.
    pub(crate) settings: Settings,
    /// Which key does what.
    pub(crate) keymap: Keymap,
    /// Columns and rows of the terminal.
    pub(crate) size: (u16, u16),
    /// When the last event happened.
    pub(crate) at: Moment,
    /// The name of the theme.
    pub(crate) theme: String,
    /// Who is on the other side.
    pub(crate) hello: Option<Hello>,
    /// How well the feed comes.
    pub(crate) link: Link,
    /// The numbers.
    pub(crate) overview: Option<Overview>,
    /// Where the operator is.
    pub(crate) view: View,
    /// How many views were opened from the desk that a number key led to: the way Esc leads back.
    pub(crate) depth: usize,
    /// Where the operator was, newest last.
    pub(crate) back: Vec<View>,
    /// Where `[` came from, newest last.
    pub(crate) forth: Vec<View>,
    /// Since when the view is the view.
    pub(crate) entered: Mono,
    /// The pane that has the focus, by desk.
    pub(crate) panes: BTreeMap<Place, usize>,
    /// The first screen.
    pub(crate) front: OverviewDesk,
    /// Tasks.
    pub(crate) inbox: Inbox,
    /// Intents.
    pub(crate) intents: IntentsDesk,
    /// Attempts.
    pub(crate) attempts: AttemptsDesk,
    /// Dead letters.
    pub(crate) dead: DeadDesk,
    /// Agents.
    pub(crate) agents: AgentsDesk,
    /// Jobs.
    pub(crate) jobs: JobsDesk,
    /// Who did what.
    pub(crate) audit: AuditDesk,
    /// The intent that is open.
    pub(crate) detail: Detail,
    /// What was committed lately.
    pub(crate) tail: Tail,
    /// What is staged, by anybody.
    pub(crate) held: Vec<HeldRow>,
    /// What this console staged, oldest first.
    pub(crate) staged: Vec<Staged>,
    /// What it staged and has not been told the fate of.
    pub(crate) awaited: awaited::AwaitedActs,
    /// Acts without an answer yet.
    pub(crate) sent: BTreeMap<Ticket, Sent>,
    /// What lies over the desk.
    pub(crate) overlay: Option<Overlay>,
    /// The strip under a task.
    pub(crate) strip: Option<Strip>,
    /// What was typed and not sent.
    pub(crate) drafts: BTreeMap<IntentId, Draft>,
    /// What the operator was told of.
    pub(crate) notices: notices::Notices,
    /// Set when a draft was kept: the memory is written soon, whatever else goes on.
    pub(crate) wants_keeping: bool,
    /// Lines for the operator, oldest first.
    pub(crate) messages: VecDeque<Message>,
    /// Since when the rows are frozen, and how much has happened meanwhile.
    pub(crate) paused: Option<(Mono, u64)>,
    /// The order of each desk's list, where it is not the usual one.
    pub(crate) orders: BTreeMap<Place, desks::Order>,
    /// The columns of each list, where they are not as they come.
    pub(crate) columns: columns::Chosen,
    /// Filters under names.
    pub(crate) views: Vec<SavedView>,
    /// Options of replays under names, beside those that are there from the start.
    pub(crate) presets: Vec<Preset>,
    /// Remembered filters that wait for the broker's first answer.
    pub(crate) waiting_filters: BTreeMap<Place, String>,
    /// The letter whose payload was asked for to be edited, and how often the cursor had been moved then.
    pub(crate) wants_edit: Option<(IntentId, u64)>,
    /// Whether new rows stream in at the top.
    pub(crate) is_following: bool,
    /// The sequence that has begun.
    pub(crate) pressed: Pressed,
    /// How fast keys come.
    pub(crate) typing: Typing,
    /// What is being read, and what should be.
    pub(crate) reads: Reads,
    /// How often the cursor was moved.
    pub(crate) moves: u64,
    /// The next ticket and batch.
    pub(crate) next_number: u64,
    /// What the last frame put where.
    pub(crate) drawn: Drawn,
    /// What the log of this process warns of, oldest first.
    pub(crate) log: VecDeque<Message>,
    /// Since when the terminal's background is asked for, until it is told.
    pub(crate) asked_background: Option<Mono>,
    /// Set while the terminal is given up for a while.
    pub(crate) is_aside: bool,
    /// How far the feed had come when it was last heard.
    pub(crate) feed_head: Option<Cursor>,
    /// Whether the session is recorded.
    pub(crate) is_recorded: bool,
    /// The action that the last event ran, for the record.
    pub(crate) ran: Option<Action>,
    /// Why the terminal is gone, once it is.
    pub(crate) gone: Option<String>,
    /// Set when the console should end.
    pub(crate) is_ending: bool,
}

impl Model {
    /// Nothing read yet; the overview.
    pub(crate) fn new(settings: Settings, keymap: Keymap, theme: String, at: Moment) -> Self {
        Self {
            settings,
            keymap,
            size: (80, 24),
            at,
            theme,
            hello: None,
            link: Link::new(at.mono),
            overview: None,
            view: View {
                place: Place::Overview,
                intent: None,
            },
            depth: 0,
            back: Vec::new(),
            forth: Vec::new(),
            entered: at.mono,
            panes: BTreeMap::new(),
            front: OverviewDesk::default(),
            inbox: Inbox::default(),
            intents: IntentsDesk::default(),
            attempts: AttemptsDesk::default(),
            dead: DeadDesk::default(),
            agents: AgentsDesk::default(),
            jobs: JobsDesk::default(),
            audit: AuditDesk::default(),
            detail: Detail::default(),
            tail: Tail::default(),
            held: Vec::new(),
            staged: Vec::new(),
            awaited: awaited::AwaitedActs::default(),
            sent: BTreeMap::new(),
            overlay: None,
            strip: None,
            drafts: BTreeMap::new(),
            notices: notices::Notices::default(),
            wants_keeping: false,
            messages: VecDeque::new(),
            paused: None,
            orders: BTreeMap::new(),
            columns: columns::Chosen::default(),
            views: Vec::new(),
            presets: Vec::new(),
            waiting_filters: BTreeMap::new(),
            wants_edit: None,
            is_following: true,
            pressed: Pressed::default(),
            typing: Typing::default(),
            reads: Reads::default(),
            moves: 0,
            next_number: 1,
            drawn: Drawn::default(),
            log: VecDeque::new(),
            asked_background: None,
            is_aside: false,
            feed_head: None,
            is_recorded: false,
            ran: None,
            gone: None,
            is_ending: false,
        }
    }

    /// The innermost context: it answers a key first.
    pub(crate) fn context(&self) -> Context {
        match (&self.overlay, &self.strip) {
            (Some(overlay), _) => overlay.context(),
            (None, Some(_)) if self.view.place == Place::Inbox && self.view.intent.is_none() => {
                Context::Strip
            }
            (None, _) if self.view.intent.is_some() => Context::Intent,
            (None, _) => self.view.place.context(),
        }
    }

    /// The context of the desk below whatever lies over it.
    pub(crate) const fn desk_context(&self) -> Context {
        if self.view.intent.is_some() {
            Context::Intent
        } else {
            self.view.place.context()
        }
    }

    /// The pane that has the focus on the current desk.
    pub(crate) fn pane(&self) -> usize {
        self.panes.get(&self.view.place).copied().unwrap_or(0)
    }

    /// How many panes of the current desk can have the focus.
    pub(crate) const fn panes_of(place: Place) -> usize {
        match place {
            Place::Overview => 3,
            Place::DeadLetters | Place::Agents | Place::Jobs => 2,
            Place::Inbox | Place::Intents | Place::Attempts | Place::Audit => 1,
        }
    }

    /// Puts the focus on a pane.
    pub(crate) fn set_pane(&mut self, pane: usize) {
        self.panes.insert(self.view.place, pane);
    }

    /// Goes into a view, so that Esc leads back.
    pub(crate) fn go_in(&mut self, view: View) {
        let depth = self.depth + usize::from(view != self.view);
        self.go(view);
        self.depth = depth;
    }

    /// Goes to a view that stands for itself, and remembers where we were.
    pub(crate) fn go(&mut self, view: View) {
        self.depth = 0;
        if view == self.view {
            return;
        }
        self.back.push(self.view);
        if self.back.len() > HISTORY_MAX {
            self.back.remove(0);
        }
        self.forth.clear();
        self.enter(view);
    }

    /// Goes to a view without a trace in the history.
    pub(crate) fn enter(&mut self, view: View) {
        self.view = view;
        self.entered = self.at.mono;
        self.paused = None;
        if let Some(id) = view.intent
            && self.detail.id != Some(id)
        {
            self.detail = Detail::of(id);
        }
        self.reads.touch_all();
    }

    /// Says something to the operator.
    pub(crate) fn say(&mut self, weight: Weight, text: impl Into<String>) {
        let text = text.into();
        if self.messages.len() >= MESSAGES_MAX {
            self.messages.pop_front();
        }
        let message = Message {
            at: self.at.wall,
            mono: self.at.mono,
            weight,
            text,
            is_read: false,
        };
        self.messages.push_back(message);
    }

    /// The message that stands on the status line now.
    pub(crate) fn fresh_message(&self) -> Option<&Message> {
        self.messages
            .back()
            .filter(|message| !message.is_read && self.at.millis_since(message.mono) < MESSAGE_MS)
    }

    /// Takes the message off the status line; it stays in the log.
    pub(crate) fn hush(&mut self) {
        if let Some(message) = self.messages.back_mut() {
            message.is_read = true;
        }
    }

    /// Whether acts are possible now.
    ///
    /// # Errors
    /// The reason why not.
    pub(crate) fn may_act(&self) -> Result<(), String> {
        if self.settings.is_read_only {
            return Err("read-only: started with --read-only".to_owned());
        }
        if let Some(reason) = self.link.blocks(self.at.mono) {
            return Err(format!("read-only: {reason}"));
        }
        match &self.hello {
            None => Err("read-only: the broker has not answered yet".to_owned()),
            Some(hello) if !hello.may_write => Err(format!(
                "read-only: the key of {} may only look",
                hello.identity.name()
            )),
            Some(_) => Ok(()),
        }
    }

    /// Whether acts on many ask for their count, however few they are.
    pub(crate) fn is_protected(&self) -> bool {
        self.hello.as_ref().is_some_and(|hello| hello.is_protected)
    }

    /// The names that complete a short address.
    pub(crate) fn home(&self) -> Home {
        self.hello
            .as_ref()
            .map_or_else(Home::default, |hello| Home {
                org: hello.org.clone(),
                workspace: hello.workspace.clone(),
            })
    }

    /// Who we are.
    pub(crate) fn identity(&self) -> Option<&Address> {
        self.hello.as_ref().map(|hello| &hello.identity)
    }

    /// How long our acts are held.
    pub(crate) fn hold(&self) -> Span {
        let seconds = self.hello.as_ref().map_or(5, |hello| hello.hold_seconds);
        Span::from_seconds(i64::from(seconds))
    }

    /// What is held on an intent, by anybody, and is not final yet.
    pub(crate) fn held_on(&self, intent: IntentId) -> Option<&HeldRow> {
        self.held
            .iter()
            .find(|held| held.intent == intent && held.effective_at > self.at.wall)
    }

    /// Everything that is held and not final yet, the next to become final first.
    pub(crate) fn held_now(&self) -> Vec<&HeldRow> {
        let mut held: Vec<&HeldRow> = self
            .held
            .iter()
            .filter(|held| held.effective_at > self.at.wall)
            .collect();
        held.sort_by_key(|held| held.effective_at);
        held
    }

    /// Whether an act on this intent waits for its answer.
    pub(crate) fn is_sent(&self, intent: IntentId) -> bool {
        self.sent.values().any(|sent| sent.intent == Some(intent))
    }

    /// A number that was not given out before.
    pub(crate) const fn number(&mut self) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        number
    }
}
