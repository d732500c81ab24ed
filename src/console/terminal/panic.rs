//! A panic in any thread ends the process: the terminal first, then the message, then the exit.

use std::io::{self, Write as _};
use std::panic::{self, PanicHookInfo};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::restore;

/// The status a process ends with after a panic, as Rust's own runtime has it.
pub const EXIT_STATUS: i32 = 101;

static IS_ENDING: AtomicBool = AtomicBool::new(false);

/// How long the message may take. A terminal that nobody reads must not keep the process alive.
const MESSAGE_PATIENCE: Duration = Duration::from_secs(2);

/// Installs the hook. `log` is named in the message, so that the operator knows where to look.
pub fn install(log: Option<PathBuf>) {
    panic::set_hook(Box::new(move |info| {
        // Only the first panic speaks; what panics while the process ends is its consequence.
        if IS_ENDING.swap(true, Ordering::SeqCst) {
            return;
        }
        let log = log.as_deref().map(|path| path.display().to_string());
        let text = message(info, log.as_deref());
        let (done, wait) = mpsc::sync_channel::<()>(1);
        let speaker = thread::Builder::new()
            .name("last words".to_owned())
            .spawn(move || {
                restore();
                // Standard error may be gone, and then there is nobody to tell.
                drop(io::stderr().write_all(text.as_bytes()));
                drop(done);
            });
        match speaker {
            // Either it has spoken or nobody reads.
            Ok(_) => drop(wait.recv_timeout(MESSAGE_PATIENCE)),
            Err(_) => restore(),
        }
        end();
    }));
}

#[expect(clippy::exit, reason = "a panicking process stops; it never limps on")]
fn end() {
    std::process::exit(EXIT_STATUS);
}

fn message(info: &PanicHookInfo<'_>, log: Option<&str>) -> String {
    let what = info.payload_as_str().unwrap_or("no message");
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    let current = thread::current();
    text(what, &place, current.name().unwrap_or("unnamed"), log)
}

fn text(what: &str, place: &str, thread: &str, log: Option<&str>) -> String {
    let log = log
        .map(|path| format!("the log is at {path}\n"))
        .unwrap_or_default();
    format!(
        "postroom stopped: thread {thread} panicked at {place}: {what}\n\
         nothing acknowledged is lost\n{log}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_says_which_thread_where_and_where_the_log_is() {
        let text = text(
            "boom",
            "src/a.rs:1:2",
            "writer",
            Some("/var/log/postroom.log"),
        );
        assert!(
            text.starts_with("postroom stopped: thread writer panicked at src/a.rs:1:2: boom\n")
        );
        assert!(text.ends_with("the log is at /var/log/postroom.log\n"));
    }
}
