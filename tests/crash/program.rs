//! The program under test: started, killed, started again on the same directory.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};

/// Longer than a start takes on a busy machine.
const START_PATIENCE: Duration = Duration::from_mins(1);

/// Settings under which what is retried is retried within the test's time.
const SETTINGS: [&str; 5] = [
    "ack_timeout_seconds=1",
    "retry.stream_base_ms=40",
    "retry.stream_max_ms=400",
    "http.retry_delays=60ms 150ms 400ms",
    "shutdown.grace_seconds=3",
];

/// The program: the one that was built with this test, or another, such as an older one or an optimised one.
pub(crate) fn program() -> OsString {
    std::env::var_os("CRASH_PROGRAM").unwrap_or_else(|| env!("CARGO_BIN_EXE_postroom").into())
}

/// A data directory and where its brokers say what goes wrong.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) data: PathBuf,
    pub(crate) complaints: PathBuf,
    /// More settings.
    pub(crate) sets: Vec<&'static str>,
    /// More of its environment.
    pub(crate) env: Vec<(&'static str, OsString)>,
}

impl Place {
    pub(crate) fn in_directory(scratch: &Path) -> Self {
        Self {
            data: scratch.join("data"),
            complaints: scratch.join("stderr"),
            sets: Vec::new(),
            env: Vec::new(),
        }
    }

    /// Starts a broker. It is not ready yet.
    pub(crate) fn start(&self) -> Starting {
        let complaints: File = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.complaints)
            .unwrap();
        let mut command = Command::new(program());
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        command.arg("--data").arg(&self.data);
        for setting in SETTINGS.iter().chain(&self.sets) {
            command.args(["--set", setting]);
        }
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("POSTROOM_") {
                command.env_remove(name);
            }
        }
        command
            .env("XDG_CONFIG_HOME", self.data.join("no-config"))
            .env("NO_COLOR", "1")
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(complaints)
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Starting { child, out }
    }

    pub(crate) fn admin_key(&self) -> String {
        let text = std::fs::read_to_string(self.data.join("admin.key")).unwrap();
        text.trim().to_owned()
    }

    /// What brokers said on standard error.
    pub(crate) fn complaints(&self) -> String {
        std::fs::read_to_string(&self.complaints).unwrap_or_default()
    }
}

/// A broker that was started.
#[derive(Debug)]
pub(crate) struct Starting {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Starting {
    /// Waits until it takes requests.
    pub(crate) async fn ready(mut self, place: &Place) -> Result<Running, String> {
        let mut line = String::new();
        let read = self.out.read_line(&mut line);
        match tokio::time::timeout(START_PATIENCE, read).await {
            Err(_elapsed) => return Err("a broker did not start in time".to_owned()),
            Ok(Err(error)) => return Err(format!("reading from a broker: {error}")),
            Ok(Ok(_)) => {}
        }
        let Some((_, url)) = line.trim_end().split_once("listens on ") else {
            return Err(format!(
                "a broker did not start: it said {line:?} and {}",
                place.complaints()
            ));
        };
        let told = std::fs::read_to_string(place.data.join("address")).unwrap_or_default();
        if told.trim() != url {
            return Err(format!("the broker at {url} wrote the address {told:?}"));
        }
        Ok(Running {
            url: url.to_owned(),
            child: self.child,
            _out: self.out,
        })
    }

    /// The same for one that may not succeed: how it ended then.
    pub(crate) async fn ready_or_ended(mut self) -> Result<Running, Ended> {
        let mut line = String::new();
        let read = tokio::time::timeout(START_PATIENCE, self.out.read_line(&mut line)).await;
        if let Some((_, url)) = line.trim_end().split_once("listens on ") {
            let url = url.to_owned();
            let (child, out) = (self.child, self.out);
            return Ok(Running {
                url,
                child,
                _out: out,
            });
        }
        if read.is_err() {
            return Err(Ended::Hangs);
        }
        match tokio::time::timeout(START_PATIENCE, self.child.wait()).await {
            Ok(status) => Err(Ended::ByItself(status.unwrap().code().unwrap_or(-1))),
            Err(_elapsed) => Err(Ended::Hangs),
        }
    }

    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

/// How a broker ended that was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// With this exit code; -1 for a signal.
    ByItself(i32),
    /// It did not, and takes no requests.
    Hangs,
}

/// A broker that takes requests.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) url: String,
    child: Child,
    _out: BufReader<ChildStdout>,
}

impl Running {
    /// Ends it without a word of warning.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// The id of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Asks it to stop and waits for its exit code.
    pub(crate) async fn stop(mut self) -> Option<i32> {
        let id = self.child.id().unwrap().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().await;
        assert!(sent.unwrap().success());
        self.child.wait().await.unwrap().code()
    }

    /// Its exit code, when it has ended by itself.
    pub(crate) fn ended(&mut self) -> Option<i32> {
        let status = self.child.try_wait().unwrap()?;
        Some(status.code().unwrap_or(-1))
    }
}
