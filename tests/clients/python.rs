//! Runs the walks.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use crate::broker::Broker;

/// What a walk says with its exit code when a published package is missing.
const PACKAGES_MISSING: i32 = 77;

/// Runs one walk of one program to its end. The walk is a function there, and fails by itself.
pub(crate) fn walk(broker: &Broker, file: &str, words: &[&str]) {
    let Some(mut command) = python(broker, file, words) else {
        return;
    };
    let ended = command.output().unwrap();
    let out = String::from_utf8_lossy(&ended.stdout);
    let err = String::from_utf8_lossy(&ended.stderr);
    if judge(ended.status, &format!("{file} {words:?}\n{out}{err}")) {
        eprint!("{out}");
    }
}

/// A walk that goes on while the test does something to its broker.
pub(crate) struct Walking {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Walking {
    /// None when the published packages are missing.
    pub(crate) fn start(broker: &Broker, file: &str, words: &[&str]) -> Option<Self> {
        let mut command = python(broker, file, words)?;
        let mut child = command.stdout(Stdio::piped()).spawn().ok()?;
        let out = BufReader::new(child.stdout.take()?);
        Some(Self { child, out })
    }

    /// The next line it prints; none when it has ended.
    pub(crate) fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let bytes = self.out.read_line(&mut line).unwrap();
        (bytes > 0).then(|| line.trim_end().to_owned())
    }

    /// Waits for its end, which must be a good one. False when the packages were missing.
    pub(crate) fn end(mut self) -> bool {
        let status = self.child.wait().unwrap();
        judge(status, "a walk, see above")
    }
}

impl Drop for Walking {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// True when the walk was made, false when it could not be and need not.
fn judge(status: ExitStatus, what: &str) -> bool {
    match status.code() {
        Some(0) => true,
        Some(PACKAGES_MISSING) => {
            missing("the packages axme and standardwebhooks");
            false
        }
        _ => panic!("{status}: {what}"),
    }
}

/// The command, or none when there is no Python.
fn python(broker: &Broker, file: &str, words: &[&str]) -> Option<Command> {
    let program = interpreter();
    let mut command = Command::new(&program);
    command
        .arg("-B")
        .arg(here().join(file))
        .args(words)
        .env("POSTROOM_URL", &broker.url)
        .env("POSTROOM_KEY", &broker.key)
        .env("NO_PROXY", "127.0.0.1")
        .stdin(Stdio::piped());
    let is_there = Command::new(&program)
        .arg("--version")
        .output()
        .is_ok_and(|ended| ended.status.success());
    if !is_there {
        missing(&program.display().to_string());
    }
    is_there.then_some(command)
}

/// Where the walks are.
pub(crate) fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

fn interpreter() -> PathBuf {
    if let Some(chosen) = std::env::var_os("POSTROOM_TEST_PYTHON") {
        return chosen.into();
    }
    let prepared = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/python/bin/python");
    if prepared.exists() {
        return prepared;
    }
    "python3".into()
}

/// Says that something is not there, or fails where it must be.
fn missing(what: &str) {
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|text| text == value);
    assert!(
        !is("CI", "true") && !is("POSTROOM_TEST_CLIENTS_REQUIRED", "1"),
        "{what} not found: pip install axme==0.2.0 standardwebhooks, or set POSTROOM_TEST_PYTHON"
    );
    eprintln!("NOT RUN: {what} not found (.ci/run installs them)");
}

/// Its output is shown when it passes too: see `.config/nextest.toml`.
#[test]
fn published_clients_are_there_or_it_is_said_that_nothing_was_run_with_them() {
    let broker = Broker::start(&[]);
    walk(&broker, "identity.py", &["the_broker_is_reached"]);
}
