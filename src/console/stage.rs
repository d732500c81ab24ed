//! The console without a terminal: keys in, bytes out. For measurements, and for what is run again.
//!
//! 1. It is the same reducer and the same view as in `run`; only the loop is the caller's.
//! 2. It reads no clock but the one it is given, and waits for nothing but the desk's answers.

use std::sync::Arc;

use crossterm::event::KeyEvent;

use super::event::Event;
use super::feed;
use super::keymap::Keymap;
use super::model::{Model, Settings};
use super::task::{Moment, News, Task};
use super::terminal::memory::{self, Written};
use super::terminal::{Screen, TerminalError};
use super::theme::depth::Depth;
use super::theme::glyphs::UNICODE;
use super::theme::{Theme, Themes};
use super::update::{self, Input};
use super::view::view;
use super::widgets::Paint;
use crate::clock::Clock;
use crate::desk::{Desk, FeedPage};

/// Rounds of questions and answers after which it is left as it is.
const ROUNDS_MAX: usize = 50;

/// A console that is driven by hand.
#[derive(Debug)]
pub struct Stage {
    model: Model,
    desk: Arc<dyn Desk>,
    clock: Arc<dyn Clock>,
    theme: Theme,
    screen: Screen<Written>,
    written: Written,
    asked: Vec<Task>,
}

impl Stage {
    /// A console of that size over a desk; nothing is read or drawn yet.
    ///
    /// # Errors
    /// [`TerminalError`] when the size is none.
    pub fn new(
        desk: Arc<dyn Desk>,
        clock: Arc<dyn Clock>,
        (columns, rows): (u16, u16),
        theme: &str,
    ) -> Result<Self, TerminalError> {
        let (screen, written) = memory::screen(columns, rows)?;
        let (theme, _warnings) = Themes::built_in().load(theme, Depth::True);
        let at = moment(clock.as_ref());
        let settings = Settings {
            is_embedded: true,
            ..Settings::default()
        };
        let name = theme.name().to_owned();
        let mut stage = Self {
            model: Model::new(settings, Keymap::default(), name, at),
            desk,
            clock,
            theme,
            screen,
            written,
            asked: Vec::new(),
        };
        stage.take(Input::Terminal(Event::Resize {
            width: columns,
            height: rows,
        }));
        Ok(stage)
    }

    /// Takes a key.
    pub fn press(&mut self, key: KeyEvent) {
        self.take(Input::Terminal(Event::Key(key)));
    }

    /// Takes a page of the feed.
    pub fn hear(&mut self, page: FeedPage) {
        self.take(Input::News(Box::new(News::Feed(Ok(page)))));
    }

    /// Lets time pass.
    pub fn tick(&mut self) {
        self.take(Input::Tick);
    }

    /// Lets the desk answer until it is asked nothing more.
    pub async fn settle(&mut self) {
        for _ in 0..ROUNDS_MAX {
            let asked = std::mem::take(&mut self.asked);
            if asked.is_empty() {
                return;
            }
            for task in asked {
                if let Some(news) = feed::work(Arc::clone(&self.desk), task).await {
                    self.take(Input::News(Box::new(news)));
                }
            }
        }
    }

    /// Draws a frame; answers with the bytes that a terminal would get.
    ///
    /// # Errors
    /// [`TerminalError`] never in practice: memory takes every write.
    pub fn frame(&mut self) -> Result<Vec<u8>, TerminalError> {
        let mut drawn = None;
        let paint = Paint {
            theme: &self.theme,
            glyphs: &UNICODE,
        };
        let model = &self.model;
        self.screen
            .draw(|frame| drawn = Some(view(model, paint, frame.buffer_mut())))?;
        if let Some(drawn) = drawn {
            self.take(Input::Drawn(drawn));
        }
        Ok(self.written.take())
    }

    /// Milliseconds until it changes by itself.
    #[must_use]
    pub fn wake_in_ms(&self) -> u64 {
        update::wake_in(&self.model)
    }

    fn take(&mut self, input: Input) {
        let at = moment(self.clock.as_ref());
        let tasks = update::update(&mut self.model, at, input);
        let is_asked =
            |task: &Task| matches!(task, Task::Read(_) | Task::Act(..) | Task::Order(..));
        self.asked.extend(tasks.into_iter().filter(is_asked));
    }
}

fn moment(clock: &dyn Clock) -> Moment {
    Moment {
        wall: clock.now(),
        mono: clock.elapsed(),
    }
}
