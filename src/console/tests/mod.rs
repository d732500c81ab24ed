//! Keys in, screens and tasks out: the reducer and the view over a desk that answers from a script.

mod acting;
mod agents;
mod behaviour;
mod bulk;
mod chance;
mod columns;
mod comparing;
mod crumbs;
mod deciding;
mod exporting;
mod fake;
mod filtering;
mod fixtures;
mod groups;
mod guards;
mod handing;
mod hostile;
mod jobs;
mod kinds;
mod lanes;
mod looking;
mod matrix;
mod memory;
mod notices;
mod plain;
mod recording;
mod regrouping;
mod telling;

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use futures_util::FutureExt as _;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::clock::Mono;
use crate::config::Notices;
use crate::console::event::Event;
use crate::console::feed;
use crate::console::keymap::Keymap;
use crate::console::model::{Model, Settings};
use crate::console::task::{Moment, News, Task};
use crate::console::theme::depth::Depth;
use crate::console::theme::glyphs::{Glyphs, UNICODE};
use crate::console::theme::{Theme, Themes};
use crate::console::update::{Input, update};
use crate::console::view::view;
use crate::console::widgets::Paint;
use crate::desk::act::Act;
use crate::desk::rows::FeedRow;
use crate::desk::{DeskError, FeedPage};
use crate::domain::ids::Cursor;
use crate::domain::time::Span;

use fake::FakeDesk;

/// The console with a desk of its own, and a clock that moves when told.
struct Bench {
    model: Model,
    desk: Arc<FakeDesk>,
    elapsed_ms: u64,
    size: (u16, u16),
    glyphs: &'static Glyphs,
    tasks: Vec<Task>,
    cursor: u64,
}

impl Bench {
    /// The console on the scripted desk, everything read once, long enough ago that no guard is on.
    fn at(width: u16, height: u16) -> Self {
        Self::with(FakeDesk::new(), width, height)
    }

    fn with(desk: FakeDesk, width: u16, height: u16) -> Self {
        let settings = Settings {
            is_read_only: false,
            is_embedded: true,
            is_plain: false,
            themes: Themes::built_in().names().map(str::to_owned).collect(),
            log_path: None,
            notices: Notices {
                dead_letters_per_hour: 100,
                ..Notices::default()
            },
            header: crate::config::Header::default(),
        };
        let at = Moment {
            wall: fixtures::now(),
            mono: Mono::default(),
        };
        let model = Model::new(settings, Keymap::default(), "terminal".to_owned(), at);
        let mut bench = Self {
            model,
            desk: Arc::new(desk),
            elapsed_ms: 0,
            size: (width, height),
            glyphs: &UNICODE,
            tasks: Vec::new(),
            cursor: 41,
        };
        bench.input(Input::Terminal(Event::Resize { width, height }));
        bench.feed(Vec::new());
        bench.settle();
        bench.pass(1_000);
        bench
    }

    fn moment(&self) -> Moment {
        let span = Span::from_millis(i64::try_from(self.elapsed_ms).unwrap());
        Moment {
            wall: fixtures::now().after(span),
            mono: Mono::from_start(Duration::from_millis(self.elapsed_ms)),
        }
    }

    /// Takes one input and keeps what should be done.
    fn input(&mut self, input: Input) {
        let at = self.moment();
        let tasks = update(&mut self.model, at, input);
        self.tasks.extend(tasks);
    }

    /// Lets the desk answer until it is asked nothing more.
    fn settle(&mut self) {
        for _ in 0..20 {
            self.draw();
            let asked: Vec<Task> =
                self.take(|task| matches!(task, Task::Read(_) | Task::Act(..) | Task::Order(..)));
            if asked.is_empty() {
                return;
            }
            for task in asked {
                let desk = Arc::clone(&self.desk);
                let news = feed::work(desk, task).now_or_never().unwrap().unwrap();
                self.input(Input::News(Box::new(news)));
            }
        }
    }

    fn take(&mut self, wanted: impl Fn(&Task) -> bool) -> Vec<Task> {
        let (taken, kept) = std::mem::take(&mut self.tasks)
            .into_iter()
            .partition(wanted);
        self.tasks = kept;
        taken
    }

    /// Lets time pass, with a feed that has nothing to tell, and lets the desk answer.
    fn pass(&mut self, ms: u64) {
        self.elapsed_ms += ms;
        self.feed(Vec::new());
        self.input(Input::Tick);
        self.settle();
    }

    fn feed(&mut self, rows: Vec<FeedRow>) {
        self.feed_thinned(rows, 0);
    }

    fn feed_thinned(&mut self, rows: Vec<FeedRow>, skipped: u64) {
        self.cursor += u64::try_from(rows.len()).unwrap() + skipped;
        let cursor = Cursor(self.cursor);
        let page = FeedPage {
            rows,
            skipped,
            next: cursor,
            head: cursor,
        };
        self.input(Input::News(Box::new(News::Feed(Ok(page)))));
    }

    fn feed_error(&mut self) {
        let error = DeskError::Unreachable {
            url: "http://host:8100".to_owned(),
            reason: "connection refused".to_owned(),
        };
        self.input(Input::News(Box::new(News::Feed(Err(error)))));
    }

    /// Presses a key; nothing is answered and no time passes.
    fn press(&mut self, code: KeyCode, modifiers: KeyModifiers) {
        self.input(Input::Terminal(Event::Key(KeyEvent::new(code, modifiers))));
    }

    /// A key that repeats because it is held down.
    fn hold_down(&mut self, code: KeyCode) {
        let mut key = KeyEvent::new(code, KeyModifiers::NONE);
        key.kind = KeyEventKind::Repeat;
        self.input(Input::Terminal(Event::Key(key)));
    }

    /// Types keys as a person does: some time between them, and the desk answers.
    fn keys(&mut self, text: &str) {
        for letter in text.chars() {
            self.elapsed_ms += 120;
            self.feed(Vec::new());
            let modifiers = if letter.is_uppercase() {
                KeyModifiers::SHIFT
            } else {
                KeyModifiers::NONE
            };
            self.press(KeyCode::Char(letter), modifiers);
            self.settle();
        }
    }

    fn key(&mut self, code: KeyCode) {
        self.elapsed_ms += 120;
        self.feed(Vec::new());
        self.press(code, KeyModifiers::NONE);
        self.settle();
    }

    fn ctrl(&mut self, letter: char) {
        self.elapsed_ms += 120;
        self.press(KeyCode::Char(letter), KeyModifiers::CONTROL);
        self.settle();
    }

    /// What the desk was made to do.
    fn acts(&self) -> Vec<Act> {
        self.desk.acts()
    }

    /// What the screen shows, drawn as the loop does it.
    fn draw(&mut self) -> Buffer {
        let theme = theme(&self.model.theme);
        self.draw_with(&theme)
    }

    fn draw_with(&mut self, theme: &Theme) -> Buffer {
        let (width, height) = self.size;
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        let paint = Paint {
            theme,
            glyphs: self.glyphs,
        };
        let drawn = view(&self.model, paint, &mut buffer);
        self.input(Input::Drawn(drawn));
        buffer
    }

    fn screen(&mut self) -> String {
        text_of(&self.draw())
    }

    /// The status line.
    fn status(&mut self) -> String {
        let screen = self.screen();
        let lines: Vec<&str> = screen.lines().collect();
        let hints = if self.size.0 >= 110 && self.size.1 >= 30 {
            2
        } else {
            1
        };
        lines[lines.len() - 1 - hints].trim_end().to_owned()
    }
}

fn theme(name: &str) -> Theme {
    Themes::built_in().load(name, Depth::Ansi16).0
}

/// The cells as text, one line to a row; every row has its full width.
fn text_of(buffer: &Buffer) -> String {
    let area = buffer.area;
    let mut text = String::new();
    for y in area.top()..area.bottom() {
        let mut skip = 0;
        for x in area.left()..area.right() {
            let symbol = buffer[(x, y)].symbol();
            if skip > 0 {
                skip -= 1;
                continue;
            }
            skip = crate::console::sanitise::width(symbol).saturating_sub(1);
            text.push_str(symbol);
        }
        text.push('\n');
    }
    text
}
