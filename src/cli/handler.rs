//! How an agent of the command line answers one row: by a command, by an echo, or not at all.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::arguments::Handler;
use super::client::{Call, Client, address_in_path, text};
use super::failure::Failure;
use super::output::Output;
use crate::clock::Entropy;
use crate::domain::json;

/// The exit code by which a command asks for another attempt: `EX_TEMPFAIL` of sysexits.h.
const TRY_AGAIN: i32 = 75;
/// Most bytes of a command's complaint that are sent along.
const COMPLAINT_BYTES_MAX: usize = 1500;

/// Answers rows for one address.
#[derive(Debug, Clone)]
pub(super) struct Answering {
    how: Handler,
    client: Client,
    /// `/v1/agents/org/ws/name`.
    path: String,
    entropy: Arc<dyn Entropy>,
    out: Output,
}

/// What becomes of a row.
#[derive(Debug, Clone, PartialEq)]
enum Verdict {
    Complete(Value),
    Fail(Map<String, Value>),
    GiveBack(String),
    Leave,
}

impl Answering {
    pub(super) fn new(
        how: Handler,
        client: &Client,
        address: &str,
        entropy: &Arc<dyn Entropy>,
        out: &Output,
    ) -> Result<Self, Failure> {
        if !(0.0..=1.0).contains(&how.fail_rate) {
            return Err(Failure::usage("--fail-rate must be a number from 0 to 1"));
        }
        Ok(Self {
            how,
            client: client.clone(),
            path: format!("/v1/agents/{}", address_in_path(address)),
            entropy: Arc::clone(entropy),
            out: out.clone(),
        })
    }

    /// The path of the agent.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Works on a row and tells the broker how it went. A no to the answer is reported, not fatal:
    /// somebody else may have ended the intent meanwhile.
    pub(super) async fn answer(&self, row: Value) -> Result<(), Failure> {
        let id = text(&row, "/intent_id");
        let attempt = text(&row, "/attempt_id");
        let verdict = self.verdict(&row).await?;
        let (word, told) = match verdict {
            Verdict::Leave => ("received", Ok(Value::Null)),
            Verdict::Complete(result) => {
                let body = json!({"action": "complete", "result": result, "attempt_id": attempt});
                ("completed", self.resume(&id, body).await)
            }
            Verdict::Fail(mut body) => {
                body.insert("action".to_owned(), json!("fail"));
                body.insert("attempt_id".to_owned(), json!(attempt));
                ("failed", self.resume(&id, Value::Object(body)).await)
            }
            Verdict::GiveBack(reason) => {
                let body = json!({"attempt_id": attempt, "reason": reason});
                let path = format!("{}/intents/{id}/nack", self.path);
                ("given back", self.client.call(Call::post(path, body)).await)
            }
        };
        match told {
            Ok(_) => self.report(&row, word),
            Err(Failure::Refused(said)) => {
                super::output::note(&format!("{id}  answer refused: {}", said.message));
                Ok(())
            }
            Err(failure) => Err(failure),
        }
    }

    async fn resume(&self, id: &str, body: Value) -> Result<Value, Failure> {
        let path = format!("/v1/intents/{id}/resume");
        self.client.call(Call::post(path, body)).await
    }

    fn report(&self, row: &Value, word: &str) -> Result<(), Failure> {
        if self.out.is_json() {
            let mut row = row.clone();
            if let Some(object) = row.as_object_mut() {
                object.insert("answer".to_owned(), json!(word));
            }
            return self.out.json(&row);
        }
        let payload = row.get("payload").map(Value::to_string);
        self.out.line(format!(
            "{}  {:<10}  attempt {}  {}  {}",
            text(row, "/intent_id"),
            word,
            text(row, "/delivery_attempt"),
            text(row, "/intent_type"),
            shortened(&payload.unwrap_or_default(), 60),
        ))
    }

    async fn verdict(&self, row: &Value) -> Result<Verdict, Failure> {
        if self.how.delay > 0 {
            tokio::time::sleep(Duration::from_millis(self.how.delay)).await;
        }
        if self.is_unlucky() {
            return Ok(Verdict::GiveBack("--fail-rate".to_owned()));
        }
        if self.how.echo {
            return Ok(Verdict::Complete(self.payload(row).await?));
        }
        match &self.how.exec {
            None => Ok(Verdict::Leave),
            Some(command) => {
                let payload = self.payload(row).await?;
                Ok(execute(command, row, &payload).await)
            }
        }
    }

    /// The payload of a row; a large one is not in the stream and is read by itself.
    async fn payload(&self, row: &Value) -> Result<Value, Failure> {
        if let Some(payload) = row.get("payload") {
            return Ok(payload.clone());
        }
        let path = format!("/v1/intents/{}", text(row, "/intent_id"));
        let intent = self.client.call(Call::get(path)).await?;
        Ok(intent
            .pointer("/intent/payload")
            .cloned()
            .unwrap_or(json!({})))
    }

    fn is_unlucky(&self) -> bool {
        // 32 random bits against the share of their range.
        let drawn = f64::from(u32::try_from(self.entropy.u64() >> 32).unwrap_or(0));
        drawn < self.how.fail_rate * f64::from(u32::MAX)
    }
}

/// Runs `sh -c command` on one row. A command that cannot be started gives the row back: that is
/// our trouble, not the intent's.
async fn execute(command: &str, row: &Value, payload: &Value) -> Verdict {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command).kill_on_drop(true);
    shell
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for (variable, pointer) in [
        ("POSTROOM_INTENT_ID", "/intent_id"),
        ("POSTROOM_INTENT_TYPE", "/intent_type"),
        ("POSTROOM_ATTEMPT_ID", "/attempt_id"),
        ("POSTROOM_ATTEMPT", "/delivery_attempt"),
        ("POSTROOM_CORRELATION_ID", "/correlation_id"),
        ("POSTROOM_FROM", "/from_agent"),
        ("POSTROOM_TO", "/to_agent"),
    ] {
        shell.env(variable, text(row, pointer));
    }
    let mut child = match shell.spawn() {
        Ok(child) => child,
        Err(error) => return Verdict::GiveBack(format!("start sh: {error}")),
    };
    let input = child.stdin.take();
    let bytes = payload.to_string().into_bytes();
    let feed = async move {
        if let Some(mut input) = input {
            // A command need not read its input; that it closes the pipe early is its own affair.
            let _closed = input.write_all(&bytes).await;
        }
    };
    let ((), output) = tokio::join!(feed, child.wait_with_output());
    let output = match output {
        Ok(output) => output,
        Err(error) => return Verdict::GiveBack(format!("wait for command: {error}")),
    };
    let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    let complaint = shortened(&complaint, COMPLAINT_BYTES_MAX);
    match output.status.code() {
        Some(0) => Verdict::Complete(result(&output.stdout)),
        Some(TRY_AGAIN) => Verdict::GiveBack(complaint),
        code => {
            let code_text =
                code.map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}"));
            let reason = if complaint.is_empty() {
                format!("command ended with {code_text}")
            } else {
                complaint
            };
            let mut body = Map::new();
            body.insert("reason".to_owned(), json!(reason));
            body.insert("exit_code".to_owned(), json!(code));
            Verdict::Fail(body)
        }
    }
}

/// What a command printed as a result: an object as it is, anything else inside one.
fn result(stdout: &[u8]) -> Value {
    let text = String::from_utf8_lossy(stdout);
    let text = text.trim();
    match json::read(text) {
        Ok(value) if value.is_object() => value,
        Ok(value) => json!({ "output": value }),
        Err(_) if text.is_empty() => json!({}),
        Err(_) => json!({ "output": text }),
    }
}

/// At most `chars_max` characters, with a sign that some are missing.
pub(super) fn shortened(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_command_prints_becomes_an_object() {
        assert_eq!(result(b"{\"a\":1}\n"), json!({"a": 1}));
        assert_eq!(result(b"7"), json!({"output": 7}));
        assert_eq!(result(b"{\"a\":1.10}").to_string(), "{\"a\":1.10}");
        assert_eq!(result(b"1e400"), json!({"output": "1e400"}));
        assert_eq!(result(b"hello\n"), json!({"output": "hello"}));
        assert_eq!(result(b""), json!({}));
    }

    #[tokio::test]
    async fn exit_codes_decide_between_done_failed_and_again() {
        let row = json!({"intent_id": "i", "delivery_attempt": 2});
        let payload = json!({"n": "Zürich"});
        assert_eq!(
            execute("cat", &row, &payload).await,
            Verdict::Complete(payload.clone())
        );
        let seen = execute("printf '%s' \"$POSTROOM_ATTEMPT\"", &row, &payload).await;
        assert_eq!(seen, Verdict::Complete(json!({"output": 2})));
        let again = execute("echo later >&2; exit 75", &row, &payload).await;
        assert_eq!(again, Verdict::GiveBack("later".to_owned()));
        let Verdict::Fail(body) = execute("echo no >&2; exit 3", &row, &payload).await else {
            panic!("not a failure");
        };
        assert_eq!(Value::Object(body), json!({"reason": "no", "exit_code": 3}));
    }

    #[test]
    fn shortening_keeps_whole_characters() {
        assert_eq!(shortened("äöü", 2), "äö…");
        assert_eq!(shortened("äöü", 3), "äöü");
    }
}
