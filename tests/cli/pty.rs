//! The console in a terminal: what a person sees, read back from a pseudo-terminal.

use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use postroom::clock::{Clock as _, SystemClock};

use crate::broker::{Broker, PROGRAM};

/// How long something is awaited. A console draws its clock every second, so that silence never comes.
const PATIENCE: Duration = Duration::from_secs(40);

/// Reads on a thread of its own, to the end or until nobody listens.
fn read_all(mut reader: Box<dyn Read + Send>) -> Receiver<Vec<u8>> {
    let (sender, pieces) = sync_channel(64);
    std::thread::spawn(move || {
        let mut buffer = [0; 16_384];
        while let Ok(count) = reader.read(&mut buffer) {
            if count == 0 || sender.send(buffer[..count].to_vec()).is_err() {
                break;
            }
        }
    });
    pieces
}

/// The program in a terminal of 140 by 40.
pub(crate) struct Terminal {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    pieces: Receiver<Vec<u8>>,
    writer: Box<dyn Write + Send>,
    screen: vt100::Parser,
    master: Box<dyn portable_pty::MasterPty + Send>,
}

impl Terminal {
    pub(crate) fn open(data: &Path, words: &[&str]) -> Self {
        let mut command = CommandBuilder::new(PROGRAM);
        command.args(words);
        command.arg("--data");
        command.arg(data);
        Self::run(data, command)
    }

    fn run(data: &Path, command: CommandBuilder) -> Self {
        Self::sized(data, command, 40, 140)
    }

    /// `COLORTERM` and the key stay as the command has them, all else is ours.
    pub(crate) fn sized(data: &Path, mut command: CommandBuilder, rows: u16, cols: u16) -> Self {
        let size = PtySize {
            rows,
            cols,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system().openpty(size).unwrap();
        let kept = ["COLORTERM", "POSTROOM_KEY"]
            .map(|name| (name, command.get_env(name).map(ToOwned::to_owned)));
        command.env_clear();
        for (name, value) in kept {
            if let Some(value) = value {
                command.env(name, value);
            }
        }
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.env("HOME", data);
        command.env("TMPDIR", data);
        command.env("PATH", std::env::var("PATH").unwrap_or_default());
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        Self {
            child,
            pieces: read_all(pair.master.try_clone_reader().unwrap()),
            writer: pair.master.take_writer().unwrap(),
            screen: vt100::Parser::new(rows.try_into().unwrap(), cols.try_into().unwrap(), 0),
            master: pair.master,
        }
    }

    pub(crate) fn text(&self) -> String {
        self.screen.screen().contents()
    }

    pub(crate) fn screen(&self) -> &vt100::Screen {
        self.screen.screen()
    }

    /// Reads until the screen shows all of this.
    pub(crate) fn await_text(&mut self, wanted: &[&str]) {
        let is_there = |text: &str| wanted.iter().all(|wanted| text.contains(wanted));
        let is_shown = self.await_screen(is_there, &mut |_| ());
        assert!(is_shown, "{wanted:?} did not come:\n{}", self.text());
    }

    /// Reads until the screen is as wanted, and gives every piece of output away.
    pub(crate) fn await_screen(
        &mut self,
        is_there: impl Fn(&str) -> bool,
        see: &mut dyn FnMut(&[u8]),
    ) -> bool {
        let clock = SystemClock::new();
        let begun = clock.elapsed();
        loop {
            if is_there(&self.text()) {
                return true;
            }
            let left = PATIENCE.saturating_sub(clock.elapsed().since(begun));
            match self.pieces.recv_timeout(left) {
                Ok(piece) if !left.is_zero() => {
                    self.screen.process(&piece);
                    see(&piece);
                }
                Ok(_) | Err(_) => return false,
            }
        }
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }

    /// Quits, from wherever it is.
    pub(crate) fn leave(mut self) {
        self.press("Q");
        let (code, left) = self.end();
        assert_eq!(code, 0, "{left}");
    }

    /// Another size, as of a window that is dragged.
    pub(crate) fn resize(&mut self, rows: u16, cols: u16) {
        let size = PtySize {
            rows,
            cols,
            pixel_width: 0,
            pixel_height: 0,
        };
        self.master.resize(size).unwrap();
        let (rows, cols) = (rows.try_into().unwrap(), cols.try_into().unwrap());
        self.screen.screen_mut().set_size(rows, cols);
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.process_id().unwrap().to_string();
        let status = std::process::Command::new("kill")
            .arg(format!("-{name}"))
            .arg(id)
            .status();
        assert!(status.unwrap().success());
    }

    /// Closes the terminal, as a lost connection does; the process goes on as it likes.
    fn hang_up(self) -> Box<dyn portable_pty::Child + Send + Sync> {
        let Self {
            child,
            pieces,
            writer,
            master,
            ..
        } = self;
        drop((pieces, writer, master));
        child
    }

    /// Fills the terminal with what nobody reads any more, as a connection does that hangs. `end` reads on.
    pub(crate) fn hang(&self) {
        const NO_WAITING: i32 = 0o4000 | 0o400;
        let device = self.master.tty_name().unwrap();
        let mut options = std::fs::OpenOptions::new();
        let device = options.write(true).custom_flags(NO_WAITING).open(device);
        let mut device = device.unwrap();
        // Who reads here gives up when nobody takes the pieces; then the terminal itself is full.
        let mut in_a_row = 0;
        while in_a_row < 100_000 {
            match device.write(&[b'.'; 4096]) {
                Ok(_) => in_a_row = 0,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => in_a_row += 1,
                Err(error) => panic!("{error}"),
            }
            std::thread::yield_now();
        }
    }

    /// Waits for its end without reading what it writes.
    pub(crate) fn exit_code(&mut self) -> u32 {
        self.child.wait().unwrap().exit_code()
    }

    /// Reads to the end; answers with the exit code and what is left on the screen.
    pub(crate) fn end(mut self) -> (u32, String) {
        while let Ok(piece) = self.pieces.recv_timeout(PATIENCE) {
            self.screen.process(&piece);
        }
        assert!(
            !self.screen.screen().alternate_screen(),
            "the terminal was not given back"
        );
        assert!(
            !self.screen.screen().hide_cursor(),
            "the cursor was not given back"
        );
        let code = self.child.wait().unwrap().exit_code();
        (code, self.text())
    }
}

#[test]
fn a_second_postroom_attaches_to_the_first_and_leaves_it_running() {
    let broker = Broker::start();
    broker.json(&["send", "intent.order.process.v1", "orders"]);
    let mut terminal = Terminal::open(broker.data(), &[]);
    terminal.await_text(&["1 Overview", "queued", "orders"]);
    terminal.press("3");
    terminal.await_text(&["[3 Intents]", "order.process"]);
    terminal.press("1");
    terminal.await_text(&["[1 Overview]"]);
    terminal.press("q");
    let (code, left) = terminal.end();
    assert_eq!(code, 0, "{left}");
    assert!(
        left.contains("attached to it at") && left.contains(&broker.url),
        "{left}"
    );
    assert_eq!(broker.json(&["status"])["ok"], true);
}

#[test]
fn a_postroom_alone_is_broker_and_console_and_ends_on_term() {
    let data = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::open(data.path(), &["--listen", "127.0.0.1:0"]);
    terminal.await_text(&["LIVE embedded", "1 Overview"]);
    let words = ["send", "intent.order.process.v1", "orders"];
    let sent = crate::broker::program(data.path(), &words)
        .output()
        .unwrap();
    assert_eq!(sent.status.code(), Some(0), "{sent:?}");
    terminal.await_text(&["nobody listens", "orders"]);
    terminal.signal("TERM");
    let (code, left) = terminal.end();
    assert_eq!(code, 0, "{left}");
    assert!(left.contains("stopped; nothing left behind"), "{left}");
}

#[test]
fn a_lost_terminal_ends_the_console_and_the_broker_in_it_goes_on() {
    let data = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::open(data.path(), &["--listen", "127.0.0.1:0"]);
    terminal.await_text(&["LIVE embedded", "1 Overview"]);
    let mut child = terminal.hang_up();
    let words = ["send", "intent.order.process.v1", "orders", "--json"];
    let sent = crate::broker::program(data.path(), &words)
        .output()
        .unwrap();
    assert_eq!(sent.status.code(), Some(0), "{sent:?}");
    let logged = || {
        let files = std::fs::read_dir(data.path().join("log")).unwrap();
        files
            .flatten()
            .map(|file| std::fs::read_to_string(file.path()).unwrap_or_default())
            .collect::<String>()
    };
    // Each run of the program takes its time; the console notices within a second.
    let has_noticed = (0..200).any(|_| {
        let status = crate::broker::program(data.path(), &["status"]).output();
        assert_eq!(status.unwrap().status.code(), Some(0));
        logged().contains("the broker goes on delivering without it")
    });
    assert!(has_noticed, "{}", logged());
    assert!(child.try_wait().unwrap().is_none(), "it goes on");
    let mut again = Terminal::open(data.path(), &[]);
    again.await_text(&["1 Overview", "orders"]);
    again.press("q");
    let (code, left) = again.end();
    assert_eq!(code, 0, "{left}");
    let status = std::process::Command::new("kill")
        .arg(child.process_id().unwrap().to_string())
        .status();
    assert!(status.unwrap().success());
    assert_eq!(child.wait().unwrap().exit_code(), 0);
    assert!(!data.path().join("address").exists(), "it stopped in order");
}

#[test]
fn with_the_broker_inside_ctrl_z_steps_aside_and_enter_returns() {
    let data = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::open(data.path(), &["--listen", "127.0.0.1:0"]);
    terminal.await_text(&["LIVE embedded", "1 Overview"]);
    terminal.press("\u{1a}");
    terminal.await_text(&["still delivering, pid"]);
    assert!(!terminal.screen.screen().alternate_screen());
    let words = ["send", "intent.order.process.v1", "orders"];
    let sent = crate::broker::program(data.path(), &words)
        .output()
        .unwrap();
    assert_eq!(sent.status.code(), Some(0), "{sent:?}");
    terminal.press("\r");
    terminal.await_text(&["LIVE embedded", "nobody listens", "orders"]);
    assert!(terminal.screen.screen().alternate_screen());
    terminal.press("\u{1a}");
    terminal.await_text(&["still delivering, pid"]);
    terminal.signal("TERM");
    let (code, left) = terminal.end();
    assert_eq!(code, 0, "{left}");
    assert!(left.contains("stopped; nothing left behind"), "{left}");
}

#[test]
fn an_attached_console_suspends_like_any_program_and_fg_brings_it_back() {
    let broker = Broker::start();
    let mut shell = CommandBuilder::new("bash");
    shell.args(["--norc", "--noprofile", "-i"]);
    let mut terminal = Terminal::run(broker.data(), shell);
    terminal.await_text(&["bash-"]);
    terminal.press("PS1='shell \\#> '\r");
    terminal.await_text(&["shell 2> "]);
    let data = broker.data().display();
    terminal.press(&format!("{PROGRAM} --data {data}\r"));
    terminal.await_text(&["[1 Overview]"]);
    terminal.press("\u{1a}");
    terminal.await_text(&["Stopped", "shell 3> "]);
    let text = terminal.text();
    assert!(!terminal.screen.screen().alternate_screen(), "{text}");
    terminal.press("fg\r");
    terminal.await_text(&["[1 Overview]", "LIVE"]);
    terminal.press("3");
    terminal.await_text(&["[3 Intents]"]);
    terminal.press("q");
    terminal.await_text(&["shell 4> "]);
    terminal.press("exit\r");
    let (code, left) = terminal.end();
    assert_eq!(code, 0, "{left}");
}

#[test]
fn the_demonstration_has_something_on_every_desk_within_seconds() {
    let data = tempfile::tempdir().unwrap();
    let mut command = CommandBuilder::new(PROGRAM);
    command.args(["demo", "--rate", "2"]);
    let mut terminal = Terminal::run(data.path(), command);
    terminal.await_text(&["Needs attention", "overdue"]);
    for (key, shown) in [
        ("2", ["[2 Inbox", "approval"]),
        ("G", ["manual_action", "assignment"]),
        ("3", ["[3 Intents]", "order.process"]),
        ("4", ["[4 Attempts]", "completed"]),
        ("5", ["[5 Dead letters", "410 Gone"]),
        ("6", ["[6 Agents]", "worst first"]),
        ("7", ["dana", "the carrier says"]),
        ("8", ["[8 Audit]", "job.start"]),
    ] {
        terminal.press(key);
        terminal.await_text(&shown);
    }
    terminal.signal("TERM");
    let (code, left) = terminal.end();
    assert_eq!(code, 0, "{left}");
    let left: Vec<_> = std::fs::read_dir(data.path()).unwrap().flatten().collect();
    assert!(
        left.iter().all(|entry| !entry
            .file_name()
            .to_string_lossy()
            .starts_with("postroom-demo")),
        "{left:?}"
    );
}
