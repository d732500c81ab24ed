//! The loop: events in, tasks out, one frame at a time.
//!
//! Three threads: this one changes the model and draws, one reads the terminal, one waits for the
//! desk. They share nothing but two bounded channels. Whatever waits is taken before a frame is
//! drawn, a key is echoed at once, data at most thirty times a second, and without either the loop
//! sleeps until the clock on the screen changes.

mod aside;
mod editor;
mod options;
mod recording;
mod remember;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use tokio::sync::mpsc as feed_channel;
use tokio_util::sync::CancellationToken;

use super::event::Event;
use super::feed;
use super::keymap::Keymap;
use super::memory::Memory;
use super::model::{Model, Settings, Weight};
use super::task::{Moment, News, Task};
use super::terminal::input::Input as Keyboard;
use super::terminal::{Options, Screen, TerminalError};
use super::theme::Theme;
use super::update::{self, Input};
use super::view::view;
use super::widgets::Paint;
use crate::clock::{Clock, Mono};
use crate::desk::Desk;
use aside::{Signal, Signals};

pub use self::options::ConsoleOptions;

/// Events that may wait for the screen; what comes then waits at its source.
const EVENTS: usize = 1_024;
/// Questions that may wait for the desk.
const TASKS: usize = 256;
/// Least time between two frames after a key.
const KEY_FRAME_MS: u64 = 16;
/// Least time between two frames otherwise.
const DATA_FRAME_MS: u64 = 33;
/// The same where the screen is read aloud.
const PLAIN_FRAME_MS: u64 = 1_000;
/// Most events that are taken before a frame is drawn.
const BATCH: usize = 512;

/// Why the console ended before its time.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// The terminal could not be used.
    #[error(transparent)]
    Terminal(#[from] TerminalError),
    /// The system gave no thread.
    #[error("start console: {0}")]
    Thread(#[from] std::io::Error),
}

/// Starts a thread of that name. The caller decides which set of the process it belongs to.
pub type Spawn<'a> =
    &'a dyn Fn(&'static str, Box<dyn FnOnce() + Send>) -> Result<(), std::io::Error>;

/// What comes to the screen's thread.
enum Arrival {
    Terminal(Moment, Event),
    News(Box<News>),
    Signal(Signal),
    Stop,
}

/// How the console ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// Its operator quit.
    Quit,
    /// It was told to stop.
    Stopped,
    /// Its terminal is gone; why.
    Gone(String),
}

/// Runs the console on this thread until the operator quits, the terminal is gone, or `stop`.
///
/// The terminal is given back before this returns, whatever happens.
///
/// # Errors
/// [`ConsoleError`] when the terminal cannot be taken or a thread cannot be started.
pub fn run(
    desk: Arc<dyn Desk>,
    options: ConsoleOptions,
    clock: Arc<dyn Clock>,
    stop: &CancellationToken,
    spawn: Spawn<'_>,
) -> Result<Ended, ConsoleError> {
    let mut screen = Screen::open(Options {
        mouse: options.mouse,
    })?;
    let (arrivals, inbox) = sync_channel(EVENTS);
    let (tasks, wanted) = feed_channel::channel(TASKS);
    let ended = CancellationToken::new();
    start_feed(desk, wanted, arrivals.clone(), stop, &ended, spawn)?;
    let keyboard = start_keyboard(arrivals, Arc::clone(&clock))?;
    let mut shell = Shell::new(options, clock, tasks);
    shell.remember();
    let result = shell.run(&mut screen, &inbox, &keyboard);
    shell.keep();
    ended.cancel();
    drop(screen);
    // The keyboard's thread may wait for room in the channel; without a reader it ends.
    drop(inbox);
    keyboard.stop();
    drop(shell.tasks);
    match (result, shell.model.gone) {
        // A terminal that cannot be drawn on is gone; the broker in this process is not.
        (Err(error), _) if shell.model.settings.is_embedded => Ok(Ended::Gone(error.to_string())),
        (Err(error), _) => Err(error.into()),
        (Ok(()), Some(reason)) => Ok(Ended::Gone(reason)),
        (Ok(()), None) if shell.model.is_ending => Ok(Ended::Quit),
        (Ok(()), None) => Ok(Ended::Stopped),
    }
}

fn start_keyboard(
    arrivals: SyncSender<Arrival>,
    clock: Arc<dyn Clock>,
) -> Result<Keyboard, std::io::Error> {
    // Stamped where it is read: how fast keys follow each other must not depend on the screen.
    Keyboard::start(move |event| {
        let at = Moment {
            wall: clock.now(),
            mono: clock.elapsed(),
        };
        arrivals.send(Arrival::Terminal(at, event)).is_ok()
    })
}

fn start_feed(
    desk: Arc<dyn Desk>,
    wanted: feed_channel::Receiver<Task>,
    arrivals: SyncSender<Arrival>,
    stop: &CancellationToken,
    ended: &CancellationToken,
    spawn: Spawn<'_>,
) -> Result<(), std::io::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let stop = stop.clone();
    let ended = ended.clone();
    let signals = {
        let _runtime = runtime.enter();
        Signals::watch()?
    };
    spawn(
        "console-feed",
        Box::new(move || {
            runtime.block_on(async move {
                let (news, told) = feed_channel::channel(TASKS);
                let work = feed::run(desk, wanted, news, ended);
                // Whichever ends first ends the other: neither is of use alone.
                tokio::select! {
                    () = work => {}
                    () = forward(told, signals, arrivals, stop) => {}
                }
            });
        }),
    )
}

/// Hands news to the screen's thread, until `stop` or until nobody listens.
async fn forward(
    mut told: feed_channel::Receiver<News>,
    mut signals: Signals,
    arrivals: SyncSender<Arrival>,
    stop: CancellationToken,
) {
    loop {
        // `cancelled`, both `recv` and `next` are cancel-safe.
        let arrival = tokio::select! {
            () = stop.cancelled() => Arrival::Stop,
            signal = signals.next() => Arrival::Signal(signal),
            news = told.recv() => match news {
                Some(news) => Arrival::News(Box::new(news)),
                None => return,
            },
        };
        let is_stop = matches!(arrival, Arrival::Stop);
        // Blocks this thread alone when the screen does not keep up.
        if arrivals.send(arrival).is_err() || is_stop {
            return;
        }
    }
}

/// The model with what surrounds it.
struct Shell {
    model: Model,
    options: ConsoleOptions,
    clock: Arc<dyn Clock>,
    tasks: feed_channel::Sender<Task>,
    theme: Theme,
    is_key_waiting: bool,
    is_dirty: bool,
    drawn_at: Mono,
    /// What the file of the console's memory says.
    remembered: Memory,
    /// The number of the newest log line that was looked at.
    log_seen: u64,
    /// The record of the session, while there is one.
    recorder: Option<recording::Recorder>,
    /// Set from the moment we stop ourselves until somebody continues us.
    is_suspended: bool,
}

impl Shell {
    fn new(
        options: ConsoleOptions,
        clock: Arc<dyn Clock>,
        tasks: feed_channel::Sender<Task>,
    ) -> Self {
        let at = Moment {
            wall: clock.now(),
            mono: clock.elapsed(),
        };
        let settings = Settings {
            is_read_only: options.is_read_only,
            is_embedded: options.is_embedded,
            is_plain: options.is_plain,
            themes: options.themes.names().map(str::to_owned).collect(),
            log_path: options.log_path.clone(),
            notices: options.notices,
            header: options.header,
        };
        let (keymap, problems) = if options.keys.is_empty() {
            (Keymap::default(), Vec::new())
        } else {
            Keymap::with_overrides(&options.keys)
        };
        let (theme, warnings) = options.themes.load(&options.theme, options.depth);
        let mut model = Model::new(settings, keymap, theme.name().to_owned(), at);
        model.view.place = options.desk;
        for problem in problems {
            model.say(Weight::Warn, format!("keys file: {problem}"));
        }
        for warning in warnings {
            model.say(Weight::Warn, format!("theme: {warning}"));
        }
        Self {
            model,
            options,
            clock,
            tasks,
            theme,
            is_key_waiting: false,
            is_dirty: true,
            drawn_at: Mono::default(),
            remembered: Memory::default(),
            log_seen: 0,
            recorder: None,
            is_suspended: false,
        }
    }

    fn now(&self) -> Moment {
        Moment {
            wall: self.clock.now(),
            mono: self.clock.elapsed(),
        }
    }

    fn run(
        &mut self,
        screen: &mut Screen,
        arrivals: &Receiver<Arrival>,
        keyboard: &Keyboard,
    ) -> Result<(), TerminalError> {
        let (width, height) = screen.size()?;
        let now = self.now();
        let resize = Event::Resize { width, height };
        self.take(now, Input::Terminal(resize), screen, keyboard)?;
        // The first frame stands before anything is known.
        self.draw(screen, keyboard)?;
        if self.options.is_theme_automatic {
            screen.ask_background()?;
            self.model.asked_background = Some(self.clock.elapsed());
        }
        while !self.model.is_ending {
            let wait = self.wait_ms();
            match arrivals.recv_timeout(Duration::from_millis(wait)) {
                Ok(arrival) => {
                    if self.arrive(arrival, arrivals, screen, keyboard)? {
                        return Ok(());
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.keep();
                    let now = self.now();
                    self.take(now, Input::Tick, screen, keyboard)?;
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            if std::mem::take(&mut self.model.wants_keeping) {
                self.keep_words();
            }
            self.look_at_log(screen, keyboard)?;
            if self.is_dirty && !self.model.is_aside && self.frame_in_ms() == 0 {
                self.draw(screen, keyboard)?;
            }
        }
        Ok(())
    }

    /// Takes everything that waits; says whether to stop.
    fn arrive(
        &mut self,
        first: Arrival,
        arrivals: &Receiver<Arrival>,
        screen: &mut Screen,
        keyboard: &Keyboard,
    ) -> Result<bool, TerminalError> {
        let mut next = Some(first);
        for _ in 0..BATCH {
            let (at, input) = match next {
                None => break,
                Some(Arrival::Stop) => return Ok(true),
                Some(Arrival::Signal(signal)) => {
                    self.obey(signal, screen, keyboard)?;
                    next = arrivals.try_recv().ok();
                    continue;
                }
                Some(Arrival::Terminal(at, event)) => {
                    self.is_key_waiting = true;
                    (at, Input::Terminal(event))
                }
                Some(Arrival::News(news)) => (self.now(), Input::News(news)),
            };
            self.take(at, input, screen, keyboard)?;
            if self.model.is_ending {
                break;
            }
            next = arrivals.try_recv().ok();
        }
        Ok(false)
    }

    /// Milliseconds until something has to happen.
    fn wait_ms(&self) -> u64 {
        let wake = update::wake_in(&self.model);
        let frame = if self.is_dirty && !self.model.is_aside {
            self.frame_in_ms()
        } else {
            u64::MAX
        };
        wake.min(frame).max(1)
    }

    fn frame_in_ms(&self) -> u64 {
        let gap = if self.is_key_waiting {
            KEY_FRAME_MS
        } else if self.options.is_plain {
            PLAIN_FRAME_MS
        } else {
            DATA_FRAME_MS
        };
        let since = self.now().millis_since(self.drawn_at);
        gap.saturating_sub(since)
    }

    fn take(
        &mut self,
        at: Moment,
        input: Input,
        screen: &mut Screen,
        keyboard: &Keyboard,
    ) -> Result<(), TerminalError> {
        self.is_dirty = true;
        let noted = self.note_before(&input);
        let mut tasks = update::update(&mut self.model, at, input);
        self.note_after(at, noted, &tasks);
        if self.model.theme != self.theme.name() {
            let (theme, _) = self
                .options
                .themes
                .load(&self.model.theme, self.options.depth);
            self.model.theme = theme.name().to_owned();
            self.theme = theme;
        }
        while let Some(task) = tasks.pop() {
            match task {
                Task::Read(_) | Task::Act(..) | Task::Order(..) | Task::Export(_) => {
                    match self.tasks.try_send(task) {
                        Ok(()) => {}
                        Err(
                            feed_channel::error::TrySendError::Full(task)
                            | feed_channel::error::TrySendError::Closed(task),
                        ) => {
                            let refused = Input::Refused(Box::new(task));
                            drop(update::update(&mut self.model, at, refused));
                        }
                    }
                }
                Task::Copy(text) => {
                    if let Err(error) = screen.copy(&text, self.options.between) {
                        self.model.say(Weight::Warn, error.to_string());
                    }
                }
                Task::Edit(text) => self.edit(&text, screen, keyboard)?,
                Task::Redraw => screen.redraw(),
                Task::Record => self.record(),
                Task::Bell => screen.bell()?,
                Task::Notify(text) => {
                    screen.notify(&text, self.options.notices.how, self.options.between)?;
                }
                Task::Suspend => self.suspend(screen, keyboard)?,
                Task::Return => self.come_back(screen, keyboard)?,
                Task::Quit => {}
            }
        }
        Ok(())
    }

    fn draw(&mut self, screen: &mut Screen, keyboard: &Keyboard) -> Result<(), TerminalError> {
        let mut drawn = None;
        let paint = Paint {
            theme: &self.theme,
            glyphs: self.options.glyphs,
        };
        let model = &self.model;
        screen.draw(|frame| {
            let seen = view(model, paint, frame.buffer_mut());
            if let Some(cursor) = seen.cursor {
                frame.set_cursor_position(cursor);
            }
            drawn = Some(seen);
        })?;
        self.is_dirty = false;
        self.is_key_waiting = false;
        self.drawn_at = self.clock.elapsed();
        if let Some(drawn) = drawn {
            let now = self.now();
            self.take(now, Input::Drawn(drawn), screen, keyboard)?;
            self.is_dirty = false;
        }
        Ok(())
    }
}
