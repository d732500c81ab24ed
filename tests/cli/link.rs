//! A console attached over a bad line.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

use portable_pty::CommandBuilder;

use crate::broker::{Broker, PROGRAM};
use crate::pty::Terminal;

/// What the line does with what is on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// It carries everything.
    Good,
    /// It holds everything back, as a path that lost its way.
    Silent,
    /// It is cut, and takes nothing new.
    Cut,
}

#[derive(Debug)]
struct State {
    line: Line,
    open: Vec<TcpStream>,
}

/// A line between the console and the broker.
struct Proxy {
    address: SocketAddr,
    state: Arc<(Mutex<State>, Condvar)>,
}

impl Proxy {
    fn to(target: &str) -> Self {
        let target = target
            .trim_start_matches("http://")
            .trim_end_matches('/')
            .to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = State {
            line: Line::Good,
            open: Vec::new(),
        };
        let state = Arc::new((Mutex::new(state), Condvar::new()));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                if shared.0.lock().unwrap().line == Line::Cut {
                    drop(near.shutdown(Shutdown::Both));
                    continue;
                }
                let Ok(far) = TcpStream::connect(&target) else {
                    continue;
                };
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    let shared = Arc::clone(&shared);
                    std::thread::spawn(move || carry(from, to, &shared));
                }
                shared.0.lock().unwrap().open.extend([near, far]);
            }
        });
        Self { address, state }
    }

    fn set(&self, line: Line) {
        let mut state = self.state.0.lock().unwrap();
        state.line = line;
        if line == Line::Cut {
            for stream in state.open.drain(..) {
                drop(stream.shutdown(Shutdown::Both));
            }
        }
        self.state.1.notify_all();
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, state: &(Mutex<State>, Condvar)) {
    let mut buffer = [0; 16_384];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let held = state.0.lock().unwrap();
        let held = state
            .1
            .wait_while(held, |state| state.line == Line::Silent)
            .unwrap();
        drop(held);
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    drop(to.shutdown(Shutdown::Both));
}

#[test]
fn a_bad_line_is_named_makes_the_console_read_only_and_nothing_is_missing_afterwards() {
    let broker = Broker::start();
    let send = || {
        let sent = broker.json(&["send", "intent.order.process.v1", "orders"]);
        let id = sent["intent_id"].as_str().unwrap().to_owned();
        id[id.len() - 8..].to_owned()
    };
    let first = send();
    let proxy = Proxy::to(&broker.url);
    let key = std::fs::read_to_string(broker.data().join("admin.key")).unwrap();
    let mut command = CommandBuilder::new(PROGRAM);
    let url = format!("http://{}", proxy.address);
    command.args(["attach", &url, "--data"]);
    let own = tempfile::tempdir().unwrap();
    command.arg(own.path());
    command.env("POSTROOM_KEY", key.trim());
    let mut terminal = Terminal::sized(own.path(), command, 36, 120);
    terminal.await_text(&["LIVE", "rw "]);
    terminal.press("3");
    terminal.await_text(&["[3 Intents]", &first]);
    // The line falls silent: late, then stale or down, and acting is off.
    proxy.set(Line::Silent);
    terminal.await_text(&["LAG"]);
    let silent = [send(), send()];
    let is_off =
        |text: &str| (text.contains("STALE") || text.contains("DOWN")) && text.contains("ro ");
    assert!(
        terminal.await_screen(is_off, &mut |_| ()),
        "{}",
        terminal.text()
    );
    terminal.await_text(&["read-only: "]);
    proxy.set(Line::Good);
    terminal.await_text(&["LIVE", "rw ", &silent[0], &silent[1]]);
    // The line is cut, and comes back.
    proxy.set(Line::Cut);
    terminal.await_text(&["DOWN retry", "ro "]);
    let cut = [send(), send(), send()];
    terminal.press("C");
    terminal.await_text(&["read-only: "]);
    proxy.set(Line::Good);
    terminal.await_text(&["LIVE", "rw ", &cut[0], &cut[1], &cut[2], &silent[0], &first]);
    terminal.press("q");
    let (code, left) = terminal.end();
    assert_eq!(code, 0, "{left}");
}
