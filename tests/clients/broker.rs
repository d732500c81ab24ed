//! The real program, serving a directory of its own.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;

use tempfile::TempDir;

/// A running `postroom serve`.
pub(crate) struct Broker {
    pub(crate) url: String,
    pub(crate) key: String,
    child: Child,
    /// Kept open: a broker that cannot write to it would be another test.
    _out: BufReader<ChildStdout>,
    said: Option<JoinHandle<String>>,
    data: Option<TempDir>,
}

impl Broker {
    pub(crate) fn start(settings: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), settings)
    }

    /// On a directory that may have been another's. `settings` are `key=value`.
    pub(crate) fn start_in(data: TempDir, settings: &[&str]) -> Self {
        let mut command = program(data.path());
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        for setting in settings {
            command.args(["--set", setting]);
        }
        let mut child = command.spawn().unwrap();
        let said = read_all(child.stderr.take().unwrap());
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        assert!(
            !line.is_empty(),
            "the broker did not start: {}",
            said.join().unwrap()
        );
        let read = |name: &str| std::fs::read_to_string(data.path().join(name)).unwrap();
        Self {
            url: read("address").trim().to_owned(),
            key: read("admin.key").trim().to_owned(),
            child,
            _out: out,
            said: Some(said),
            data: Some(data),
        }
    }

    /// Its data directory.
    pub(crate) fn data(&self) -> &Path {
        self.data.as_ref().unwrap().path()
    }

    /// Ends it as a power cut would, and keeps its directory.
    pub(crate) fn kill(mut self) -> TempDir {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.data.take().unwrap()
    }

    /// Asks it to stop, and reads its whole log.
    pub(crate) fn stop(mut self) -> String {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").arg(id).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
        self.said.take().unwrap().join().unwrap()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The program with nothing of ours in its environment.
fn program(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postroom"));
    let ours =
        std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("POSTROOM_"));
    for (name, _) in ours {
        command.env_remove(name);
    }
    command
        .env("XDG_CONFIG_HOME", data.join("no-config"))
        .env("POSTROOM_DATA", data)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Reads in a thread of its own, so that the broker never waits for its reader.
fn read_all(mut from: ChildStderr) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut all = String::new();
        from.read_to_string(&mut all).unwrap();
        all
    })
}
