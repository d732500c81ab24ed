//! Runs the walks.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::broker::Broker;

/// Fails unless the packages that it is given are there; looks for them without loading them.
const LOOK: &str = "import importlib.util as u, sys
sys.exit(any(u.find_spec(name) is None for name in sys.argv[1:]))";

/// What every walk needs.
const CLIENTS: &[&str] = &["axme", "standardwebhooks"];

/// Runs one walk of one program to its end. The walk is a function there, and fails by itself.
/// False when it could not be made and need not.
pub(crate) fn walk(broker: &Broker, file: &str, words: &[&str]) -> bool {
    walk_with(broker, CLIENTS, file, words)
}

/// The same for a walk that needs other packages.
pub(crate) fn walk_with(broker: &Broker, packages: &[&str], file: &str, words: &[&str]) -> bool {
    let Some(mut command) = python(broker, packages, file, words) else {
        return false;
    };
    let ended = command.output().unwrap();
    let out = String::from_utf8_lossy(&ended.stdout);
    let err = String::from_utf8_lossy(&ended.stderr);
    let status = ended.status;
    assert!(status.success(), "{status}: {file} {words:?}\n{out}{err}");
    eprint!("{out}");
    true
}

/// A walk that goes on while the test does something to its broker.
pub(crate) struct Walking {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Walking {
    /// None when the published packages are missing.
    pub(crate) fn start(broker: &Broker, file: &str, words: &[&str]) -> Option<Self> {
        let mut command = python(broker, CLIENTS, file, words)?;
        let mut child = command.stdout(Stdio::piped()).spawn().ok()?;
        let out = BufReader::new(child.stdout.take()?);
        Some(Self { child, out })
    }

    /// The next line it prints.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "a walk ended too early, see above");
        line.trim_end().to_owned()
    }

    /// Waits for its end, which must be a good one.
    pub(crate) fn end(mut self) {
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}: a walk, see above");
    }
}

impl Drop for Walking {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The command, or none when there is no Python with the published packages.
fn python(broker: &Broker, packages: &[&str], file: &str, words: &[&str]) -> Option<Command> {
    let program = interpreter();
    let mut command = Command::new(&program);
    command
        .args(["-B", "-u"])
        .arg(here().join(file))
        .args(words)
        .env("POSTROOM_URL", &broker.url)
        .env("POSTROOM_KEY", &broker.key)
        .env("POSTROOM_PROGRAM", env!("CARGO_BIN_EXE_postroom"))
        .env("NO_PROXY", "127.0.0.1")
        .stdin(Stdio::piped());
    let looked = Command::new(&program)
        .args(["-c", LOOK])
        .args(packages)
        .output();
    match looked {
        Ok(looked) if looked.status.success() => Some(command),
        Ok(_) => missing(&packages.join(" and "), &program),
        Err(_) => missing("Python", &program),
    }
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
fn missing(what: &str, program: &Path) -> Option<Command> {
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|text| text == value);
    let program = program.display();
    assert!(
        !is("CI", "true") && !is("POSTROOM_TEST_CLIENTS_REQUIRED", "1"),
        "{program} has no {what}: see .ci/run for what to install, or set POSTROOM_TEST_PYTHON"
    );
    eprintln!("NOT RUN: {program} has no {what}; .ci/run installs what is needed");
    None
}

/// Its output is shown when it passes too: see `.config/nextest.toml`.
#[test]
fn published_clients_are_there_or_it_is_said_that_nothing_was_run_with_them() {
    let broker = Broker::start(&[]);
    walk(&broker, "identity.py", &["the_broker_is_reached"]);
}
