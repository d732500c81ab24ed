//! The program with a disk that obeys.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};

/// Longer than anything takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A data directory, and the flags that its disk obeys.
pub(crate) struct Place {
    scratch: TempDir,
    library: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Self {
        postroom::bindings::http::install_crypto_provider();
        let scratch = tempfile::tempdir().unwrap();
        std::fs::create_dir(scratch.path().join("flags")).unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pressure/faults.c");
        let library = scratch.path().join("faults.so");
        let compiler = std::env::var("CC").unwrap_or_else(|_unset| "cc".to_owned());
        let mut command = std::process::Command::new(compiler);
        command.args(["-shared", "-fPIC", "-O2", "-o"]);
        command.arg(&library).arg(&source);
        assert!(command.status().unwrap().success(), "{command:?}");
        Self { scratch, library }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.scratch.path().join("data")
    }

    /// Tells the disk how to behave from now on.
    pub(crate) fn raise(&self, flag: &str) {
        std::fs::write(self.scratch.path().join("flags").join(flag), "").unwrap();
    }

    /// The disk behaves again.
    pub(crate) fn lower(&self, flag: &str) {
        std::fs::remove_file(self.scratch.path().join("flags").join(flag)).unwrap();
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postroom"));
        command.args(words).arg("--data").arg(self.data());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("POSTROOM_") {
                command.env_remove(name);
            }
        }
        command
            .env("XDG_CONFIG_HOME", self.data().join("no-config"))
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    fn server(&self, settings: &[&str]) -> Command {
        let mut words = vec!["serve", "--listen", "127.0.0.1:0"];
        for setting in settings {
            words.extend(["--set", setting]);
        }
        let mut command = self.command(&words);
        command
            .env("LD_PRELOAD", &self.library)
            .env("FAULT_FILE", self.data().join("postroom.db"))
            .env("FAULT_FLAGS", self.scratch.path().join("flags"));
        command
    }

    /// A broker that cannot start: its exit code, and what it said.
    pub(crate) async fn serve_in_vain(&self) -> (Option<i32>, String) {
        let ended = tokio::time::timeout(PATIENCE, self.server(&[]).output()).await;
        let output = ended.unwrap().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), said)
    }

    /// A broker that takes requests.
    pub(crate) async fn serve(&self, settings: &[&str]) -> Running {
        let mut command = self.server(settings);
        let mut child = command.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        let read = out.read_line(&mut line);
        tokio::time::timeout(PATIENCE, read).await.unwrap().unwrap();
        let Some((_, url)) = line.trim_end().split_once("listens on ") else {
            panic!("serve said {line:?} and {}", rest(&mut child).await);
        };
        let key = std::fs::read_to_string(self.data().join("admin.key")).unwrap();
        Running {
            url: url.to_owned(),
            key: key.trim().to_owned(),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            child,
            _out: out,
        }
    }

    /// Runs a verb to its end: whether it was done, and what it said.
    pub(crate) async fn run(&self, words: &[&str]) -> (bool, String) {
        let output = self.command(words).output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        (output.status.success(), said)
    }
}

async fn rest(child: &mut Child) -> String {
    let mut said = String::new();
    let mut err = child.stderr.take().unwrap();
    err.read_to_string(&mut said).await.unwrap();
    said
}

/// A broker that takes requests.
pub(crate) struct Running {
    url: String,
    key: String,
    client: reqwest::Client,
    child: Child,
    _out: BufReader<ChildStdout>,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<String>,
    pub(crate) text: String,
}

impl Said {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
}

impl Running {
    pub(crate) async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Said {
        self.try_ask(method, path, body).await.unwrap()
    }

    pub(crate) async fn try_ask(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> reqwest::Result<Said> {
        let method = method.parse::<http::Method>().unwrap();
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.url))
            .header("x-api-key", &self.key)
            .timeout(PATIENCE);
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let response = request.send().await?;
        let retry_after = response
            .headers()
            .get("retry-after")
            .map(|value| value.to_str().unwrap().to_owned());
        Ok(Said {
            status: response.status().as_u16(),
            retry_after,
            text: response.text().await?,
        })
    }

    /// Asks until the answer is as wanted.
    pub(crate) async fn until(&self, path: &str, wanted: impl Fn(&Said) -> bool) -> Said {
        let asking = async {
            loop {
                let said = self.ask("GET", path, None).await;
                if wanted(&said) {
                    return said;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, asking).await.unwrap()
    }

    /// Waits until it has ended by itself: its exit code, and what it said on standard error.
    pub(crate) async fn ended(mut self) -> (Option<i32>, String) {
        let said = tokio::time::timeout(PATIENCE, rest(&mut self.child))
            .await
            .unwrap();
        (self.child.wait().await.unwrap().code(), said)
    }

    /// Asks it to stop and waits.
    pub(crate) async fn stop(self) -> (Option<i32>, String) {
        let id = self.child.id().unwrap().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().await;
        assert!(sent.unwrap().success());
        self.ended().await
    }
}
