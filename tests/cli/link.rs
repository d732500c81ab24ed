//! A console over a link that stalls and breaks, and one that is suspended and pasted into.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

use portable_pty::CommandBuilder;
use serde_json::{Value, json};

use crate::broker::{Broker, PROGRAM};
use crate::journeys::{TYPE, press_until, send, short};
use crate::pty::Terminal;

/// What the wire does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wire {
    Whole,
    /// What is written waits in the wire.
    Stalled,
    /// Connections are closed as they come.
    Cut,
}

/// A wire between a console and its broker.
struct Link {
    address: SocketAddr,
    state: Arc<(Mutex<Wire>, Condvar)>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Link {
    fn to(url: &str) -> Self {
        let broker: SocketAddr = url.trim_start_matches("http://").parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let link = Self {
            address: listener.local_addr().unwrap(),
            state: Arc::new((Mutex::new(Wire::Whole), Condvar::new())),
            open: Arc::default(),
        };
        let (state, open) = (Arc::clone(&link.state), Arc::clone(&link.open));
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                if *state.0.lock().unwrap() == Wire::Cut {
                    continue;
                }
                let Ok(far) = TcpStream::connect(broker) else {
                    continue;
                };
                let mut open = open.lock().unwrap();
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    open.push(from.try_clone().unwrap());
                    let state = Arc::clone(&state);
                    std::thread::spawn(move || carry(from, to, &state));
                }
            }
        });
        link
    }

    fn set(&self, wire: Wire) {
        *self.state.0.lock().unwrap() = wire;
        if wire == Wire::Cut {
            for stream in self.open.lock().unwrap().drain(..) {
                // The other end may have closed it.
                drop(stream.shutdown(Shutdown::Both));
            }
        }
        self.state.1.notify_all();
    }
}

/// Carries bytes from one end to the other while the wire lets them.
fn carry(mut from: TcpStream, mut to: TcpStream, state: &(Mutex<Wire>, Condvar)) {
    let mut buffer = [0; 4_096];
    while let Ok(count) = from.read(&mut buffer) {
        let wire = state.0.lock().unwrap();
        let wire = state
            .1
            .wait_while(wire, |wire| *wire == Wire::Stalled)
            .unwrap();
        let is_cut = *wire == Wire::Cut;
        drop(wire);
        if count == 0 || is_cut || to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    // The other end may have closed it.
    drop(to.shutdown(Shutdown::Both));
}

#[test]
fn over_a_link_that_stalls_and_breaks_nothing_is_decided_and_nothing_is_missed() {
    let broker = Broker::start();
    let task = json!({"title": "Refund 40", "task_type": "approval"}).to_string();
    let asked = send(&broker, "finance", &["--human-task", &task]);
    let link = Link::to(&broker.url);
    let mut command = CommandBuilder::new(PROGRAM);
    command.args(["attach", &format!("http://{}", link.address), "--data"]);
    command.arg(broker.data());
    let key = std::fs::read_to_string(broker.data().join("admin.key")).unwrap();
    command.env("POSTROOM_KEY", key.trim());
    let mut terminal = Terminal::sized(broker.data(), command, 40, 140);
    terminal.await_text(&["[1 Overview]", "LIVE"]);
    terminal.press("2");
    terminal.await_text(&["[2 Inbox", "Refund 40"]);
    link.set(Wire::Stalled);
    terminal.await_text(&["LAG"]);
    link.set(Wire::Whole);
    terminal.await_text(&["LIVE"]);
    link.set(Wire::Cut);
    terminal.await_text(&["DOWN retry"]);
    terminal.press("a");
    terminal.await_text(&["read-only: the broker cannot be reached"]);
    // What happens meanwhile is there when the link is.
    let second = send(&broker, "finance", &["--human-task", &task]);
    assert!(!terminal.text().contains(short(&second)));
    link.set(Wire::Whole);
    // It says who we are once the broker has said what we may do, which it is asked anew.
    terminal.await_text(&["LIVE", "rw operator", short(&second), short(&asked)]);
    terminal.press("a");
    terminal.await_text(&["Esc keep draft", "effect"]);
    press_until(&mut terminal, "\r", "approved, held, not yet final");
    broker.until(&["intents", "show", &asked, "--json"], |out| {
        out.contains("\"COMPLETED\"")
    });
    let other = broker.json(&["intents", "show", &second]);
    assert_eq!(other["intent"]["status"], "WAITING", "{other}");
    terminal.leave();
}

#[test]
fn a_console_that_is_suspended_and_pasted_into_decides_nothing() {
    let broker = Broker::start();
    let task = json!({"title": "Refund 40", "task_type": "approval"}).to_string();
    let id = send(&broker, "finance", &["--human-task", &task]);
    let mut shell = CommandBuilder::new("bash");
    shell.args(["--norc", "--noprofile", "-i"]);
    let mut terminal = Terminal::sized(broker.data(), shell, 40, 140);
    terminal.await_text(&["bash-"]);
    terminal.press("PS1='shell \\#> '\r");
    terminal.await_text(&["shell 2> "]);
    terminal.press(&format!("{PROGRAM} --data {}\r", broker.data().display()));
    terminal.await_text(&["[1 Overview]", "LIVE"]);
    terminal.press("2");
    terminal.await_text(&["[2 Inbox", "Refund 40"]);
    // A paste that the terminal marks, then one that it does not.
    terminal.press("\u{1b}[200~aaaa\r\r\u{1b}[201~");
    terminal.await_text(&["a paste is never a command"]);
    terminal.press("aaaa\raaaa\r");
    terminal.await_text(&["press Enter again"]);
    terminal.press("\u{1a}");
    terminal.await_text(&["Stopped", "shell 3> "]);
    assert!(!terminal.screen().alternate_screen());
    // What is typed at the shell is the shell's.
    terminal.press("echo aaaa\r");
    terminal.await_text(&["shell 4> "]);
    terminal.press("fg\r");
    terminal.await_text(&["[2 Inbox", "LIVE", "Refund 40"]);
    assert!(terminal.screen().alternate_screen());
    terminal.press("\u{1b}[200~yes\r\r\u{1b}[201~");
    terminal.await_text(&["Refund 40", "yes"]);
    let shown = broker.json(&["intents", "show", &id]);
    assert_eq!(shown["intent"]["status"], "WAITING", "{shown}");
    assert_eq!(broker.json(&["held"])["holds"], json!([]));
    let sent: Value = broker.json(&["intents", "list"]);
    assert_eq!(sent["intents"][0]["intent_type"], TYPE, "{sent}");
    terminal.press("\u{1b}");
    terminal.await_text(&["a approve"]);
    terminal.press("Q");
    terminal.await_text(&["shell 5> "]);
    terminal.press("exit\r");
    let (code, left) = terminal.end();
    assert_eq!(code, 0, "{left}");
}
