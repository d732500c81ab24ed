//! A broker of its own for each test, and the program run against it.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_postroom");

/// The program with nothing of ours in its environment.
pub(crate) fn program(data: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(words).arg("--data").arg(data);
    let ours =
        std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("POSTROOM_"));
    for (name, _) in ours {
        command.env_remove(name);
    }
    command.env("XDG_CONFIG_HOME", data.join("no-config"));
    command.env("NO_COLOR", "1").stdin(Stdio::null());
    command
}

/// A running `postroom serve`.
pub(crate) struct Broker {
    pub(crate) url: String,
    child: Child,
    out: BufReader<ChildStdout>,
    data: TempDir,
}

impl Broker {
    pub(crate) fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), &[])
    }

    pub(crate) fn start_in(data: TempDir, more: &[&str]) -> Self {
        let mut words = vec!["serve", "--listen", "127.0.0.1:0"];
        words.extend(more);
        let mut child = program(data.path(), &words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let Some((_, url)) = line.trim_end().split_once("listens on ") else {
            let mut complaint = String::new();
            child
                .stderr
                .take()
                .unwrap()
                .read_to_string(&mut complaint)
                .unwrap();
            panic!("serve said {line:?} and {complaint:?}");
        };
        Self {
            url: url.to_owned(),
            child,
            out,
            data,
        }
    }

    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    /// Runs a verb to its end.
    pub(crate) fn run(&self, words: &[&str]) -> Ended {
        Ended::of(program(self.data(), words).output().unwrap())
    }

    /// Runs a verb that must work, and reads its JSON.
    pub(crate) fn json(&self, words: &[&str]) -> Value {
        let words: Vec<&str> = words.iter().copied().chain(["--json"]).collect();
        let ended = self.run(&words);
        assert_eq!(ended.code, 0, "{words:?}: {}", ended.err);
        serde_json::from_str(&ended.out)
            .unwrap_or_else(|error| panic!("{words:?}: {error}: {}", ended.out))
    }

    /// Starts a verb that goes on; it is killed when dropped.
    /// What a verb says once `is_enough`; each run of it takes its time, and the test's own limit ends it.
    pub(crate) fn until(&self, words: &[&str], is_enough: impl Fn(&str) -> bool) -> String {
        loop {
            let ended = self.run(words);
            if is_enough(&ended.out) {
                return ended.out;
            }
        }
    }

    pub(crate) fn keep_running(&self, words: &[&str]) -> Running {
        let mut child = program(self.data(), words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Its first words on standard error say that it is connected.
        let mut err = BufReader::new(child.stderr.take().unwrap());
        let mut first = String::new();
        err.read_line(&mut first).unwrap();
        Running { child, first }
    }

    /// Asks it to stop and waits: its exit code, the rest of its output, what it said, its directory.
    pub(crate) fn stop(mut self) -> (Option<i32>, String, String, TempDir) {
        signal(&self.child, "TERM");
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        let mut said = String::new();
        self.child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        let code = self.child.wait().unwrap().code();
        let data = std::mem::replace(&mut self.data, tempfile::tempdir().unwrap());
        (code, rest, said, data)
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(mut self) -> TempDir {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::mem::replace(&mut self.data, tempfile::tempdir().unwrap())
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

pub(crate) fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .arg(format!("-{name}"))
        .arg(child.id().to_string())
        .status();
    assert!(status.unwrap().success());
}

/// A verb that goes on.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) first: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A verb that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}
