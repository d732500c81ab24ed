//! Every verb: what it ends with when it is asked wrongly, when nobody is there, when it is refused and
//! when it is done; and what it prints.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::process::Stdio;

use clap::CommandFactory as _;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use postroom::cli::arguments::Arguments;
use serde_json::{Value, json};

use crate::broker::{Broker, Ended, PROGRAM, program};

const UNKNOWN: &str = "018f3c5e-7a10-7c3a-9b1e-5d2f6a7b8c9d";
const ORDER: &str = "intent.order.process.v1";

/// What one verb is asked.
struct Row {
    /// Its words without what follows them.
    verb: &'static str,
    /// What makes it do something; the words in braces are of the world.
    done: &'static str,
    /// What it refuses; empty when it refuses nothing but a missing broker.
    refused: &'static str,
    /// Whether it asks a broker.
    asks: Asks,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Asks {
    /// A running broker.
    Broker,
    /// Nobody.
    Nobody,
    /// It runs until it is stopped, or is a screen: only its usage is looked at here.
    GoesOn,
}

use Asks::{Broker as Asked, GoesOn, Nobody};

const fn row(verb: &'static str, done: &'static str, refused: &'static str, asks: Asks) -> Row {
    Row {
        verb,
        done,
        refused,
        asks,
    }
}

#[rustfmt::skip]
const ROWS: &[Row] = &[
    row("serve", "", "", GoesOn),
    row("attach", "", "", GoesOn),
    row("demo", "", "", GoesOn),
    row("listen", "", "", GoesOn),
    row("reset-tty", "", "", GoesOn),
    row("bench", "", "", GoesOn),
    row("send", "intent.order.process.v1 orders", "intent.order.process.v1 orders --deadline 2020-01-01T00:00:00Z", Asked),
    row("poll", "orders --echo --once", "", Asked),
    row("status", "", "", Asked),
    row("intents list", "", "--cursor nonsense", Asked),
    row("intents show", "{intent}", "{unknown}", Asked),
    row("intents cancel", "{intent} --why test", "{unknown}", Asked),
    row("intents retry-now", "{backing_off}", "{unknown}", Asked),
    row("attempts list", "", "--cursor nonsense", Asked),
    row("explain", "{intent}", "{unknown}", Asked),
    row("inbox list", "", "--cursor nonsense", Asked),
    row("inbox show", "{task}", "{unknown}", Asked),
    row("inbox approve", "{task}", "{unknown}", Asked),
    row("inbox reject", "{task}", "{unknown}", Asked),
    row("inbox decide", "{task} --outcome approved", "{task} --outcome maybe", Asked),
    row("inbox reply", "{task} words", "{unknown} words", Asked),
    row("inbox delegate", "{task} --to lead", "{unknown} --to lead", Asked),
    row("inbox take", "{task} --as lead", "{unknown}", Asked),
    row("tasks list", "", "", Asked),
    row("tasks show", "{task}", "{unknown}", Asked),
    row("tasks decide", "{task} --outcome approved", "{unknown} --outcome approved", Asked),
    row("tasks reply", "{task} words", "{unknown} words", Asked),
    row("tasks delegate", "{task} --to lead", "{unknown} --to lead", Asked),
    row("scenarios validate", "{scenario}", "", Asked),
    row("scenarios apply", "{scenario}", "", Asked),
    row("dead list", "", "--cursor nonsense", Asked),
    row("dead groups", "", "", Asked),
    row("dead show", "{letter}", "{unknown}", Asked),
    row("dead diff", "{letter} --with {intent}", "{unknown}", Asked),
    row("dead replay", "{letter}", "{unknown}", Asked),
    row("dead discard", "{letter} --why test", "{unknown} --why test", Asked),
    row("jobs list", "", "--cursor nonsense", Asked),
    row("jobs show", "{job}", "job_999", Asked),
    row("jobs watch", "{over}", "job_999", Asked),
    row("jobs start", "replay", "replay --since yesterday", Asked),
    row("jobs pause", "{running}", "job_999", Asked),
    row("jobs resume", "{paused}", "job_999", Asked),
    row("jobs cancel", "{running}", "job_999", Asked),
    row("replay", "--filter agent:orders", "{unknown}", Asked),
    row("held", "", "", Asked),
    row("undo", "{hold}", "hld_999", Asked),
    row("agents list", "", "", Asked),
    row("agents show", "orders", "nobody-knows", Asked),
    row("agents add", "fresh", "fresh-http --binding http", Asked),
    row("agents pause", "orders --why test", "nobody-knows", Asked),
    row("agents resume", "orders", "nobody-knows", Asked),
    row("agents kill", "hooks --why test", "nobody-knows", Asked),
    row("agents revive", "hooks", "nobody-knows", Asked),
    row("agents limit", "orders --at-once 4", "nobody-knows --at-once 4", Asked),
    row("agents reset-breaker", "hooks", "nobody-knows", Asked),
    row("agents secret", "hooks", "nobody-knows", Asked),
    row("keys list", "", "", Asked),
    row("keys create", "orders", "orders --role king", Asked),
    row("keys revoke", "{key}", "key_999", Asked),
    row("events", "", "", Asked),
    row("audit", "", "--cursor nonsense", Asked),
    row("doctor", "", "", Nobody),
    row("backup", "{new}", "{old}", Nobody),
    row("restore", "", "{missing}", Nobody),
    row("verify", "{backup}", "{missing}", Nobody),
    row("config", "", "", Nobody),
    row("keymap check", "{keys}", "{file}", Nobody),
    row("completions", "bash", "", Nobody),
    row("man", "", "", Nobody),
];

/// Every verb that has none below it.
fn leaves(command: &clap::Command, before: &str, into: &mut BTreeSet<String>) {
    for below in command.get_subcommands().filter(|one| !one.is_hide_set()) {
        let words = format!("{before} {}", below.get_name());
        let words = words.trim().to_owned();
        if below.has_subcommands() {
            leaves(below, &words, into);
        } else {
            into.insert(words);
        }
    }
}

#[test]
fn every_verb_has_its_row_here() {
    let mut verbs = BTreeSet::new();
    leaves(&Arguments::command(), "", &mut verbs);
    let rows: BTreeSet<String> = ROWS.iter().map(|row| row.verb.to_owned()).collect();
    assert_eq!(verbs, rows);
}

#[test]
fn what_no_verb_knows_is_wrong_usage_with_exit_code_2() {
    let scratch = tempfile::tempdir().unwrap();
    for row in ROWS {
        let words = split(row.verb).chain(["--no-such-flag".to_owned()]);
        let words: Vec<String> = words.collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let ended = Ended::of(program(scratch.path(), &words).output().unwrap());
        assert_eq!(ended.code, 2, "{}: {ended:?}", row.verb);
        assert!(
            ended.err.contains("--no-such-flag"),
            "{}: {}",
            row.verb,
            ended.err
        );
    }
}

#[test]
fn a_broker_that_is_not_there_is_exit_code_3_with_a_way_out() {
    let scratch = tempfile::tempdir().unwrap();
    let world = World::nowhere();
    for row in ROWS.iter().filter(|row| row.asks == Asked) {
        let words = world.words(row.verb, row.done);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut command = program(scratch.path(), &words);
        // The port of echo, which no broker listens on.
        command
            .args(["--url", "http://127.0.0.1:7"])
            .env("POSTROOM_KEY", "x");
        let ended = Ended::of(command.output().unwrap());
        assert_eq!(ended.code, 3, "{words:?}: {ended:?}");
        assert!(ended.err.contains("hint:"), "{words:?}: {}", ended.err);
        assert_eq!(ended.out, "", "{words:?}");
    }
}

#[test]
fn what_is_refused_is_exit_code_1_with_a_reason() {
    let broker = Broker::start();
    let world = World::of(&broker);
    for row in ROWS.iter().filter(|row| !row.refused.is_empty()) {
        let words = world.words(row.verb, row.refused);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let ended = broker.run(&words);
        assert_eq!(ended.code, 1, "{words:?}: {ended:?}");
        let is_told = ended.err.contains("error:") || !ended.out.is_empty();
        assert!(is_told, "{words:?}: {ended:?}");
        assert!(!ended.err.contains("panicked"), "{words:?}: {}", ended.err);
    }
}

#[test]
fn what_is_given_and_cannot_be_read_is_wrong_usage_with_exit_code_2() {
    let broker = Broker::start();
    let world = World::of(&broker);
    let (broken, missing) = (world.get("file"), world.get("missing"));
    let list = broker.data().join("list.json");
    std::fs::write(&list, "[{}]").unwrap();
    for (file, why) in [
        (broken.as_str(), "not valid JSON"),
        (missing.as_str(), "No such file"),
        (list.to_str().unwrap(), "must be a JSON object"),
    ] {
        let given = format!("@{file}");
        for words in [
            &["scenarios", "validate", file][..],
            &["scenarios", "apply", file],
            &["send", ORDER, "orders", "--payload", &given],
            &["send", ORDER, "orders", "--human-task", &given],
            &["replay", UNKNOWN, "--edit", &given],
            &[
                "tasks",
                "decide",
                &world.get("task"),
                "--outcome",
                "x",
                "--form",
                &given,
            ],
        ] {
            let ended = broker.run(words);
            assert_eq!(ended.code, 2, "{words:?}: {ended:?}");
            let is_told = ended.err.contains("error:") && ended.err.contains(why);
            assert!(
                is_told && ended.err.contains(file),
                "{words:?}: {}",
                ended.err
            );
        }
    }
    let sent = broker.json(&["intents", "list", "--limit", "9"]);
    let intents = sent["intents"].as_array().unwrap();
    assert_eq!(intents.len(), 3, "only the questions of this test: {sent}");
}

#[test]
fn what_is_done_is_exit_code_0_and_json_reads() {
    for is_json in [false, true] {
        let broker = Broker::start();
        let world = World::of(&broker);
        for row in ROWS.iter().filter(|row| row.asks != GoesOn) {
            if row.verb == "restore" {
                continue; // A directory of its own: `backup.rs` has it.
            }
            let mut words = world.words(row.verb, row.done);
            if is_json {
                words.push("--json".to_owned());
            }
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let ended = broker.run(&words);
            assert_eq!(ended.code, 0, "{words:?}: {ended:?}");
            assert!(
                !ended.out.contains('\u{1b}'),
                "{words:?}: colours in a pipe"
            );
            let has_json = is_json && !matches!(row.verb, "completions" | "man");
            if has_json {
                assert!(is_json_all(&ended.out), "{words:?}: {}", ended.out);
            }
        }
    }
}

/// One value, or one a line.
fn is_json_all(text: &str) -> bool {
    let reads = |text: &str| serde_json::from_str::<Value>(text).is_ok();
    reads(text) || (!text.is_empty() && text.lines().all(reads))
}

#[test]
fn a_reader_that_goes_away_ends_a_verb_without_a_word() {
    let broker = Broker::start();
    let world = World::of(&broker);
    for row in ROWS.iter().filter(|row| row.asks != GoesOn) {
        if matches!(row.verb, "restore" | "backup") {
            continue;
        }
        let words = world.words(row.verb, row.done);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut child = program(broker.data(), &words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let ended = Ended::of(child.wait_with_output().unwrap());
        assert!(!ended.err.contains("panicked"), "{words:?}: {}", ended.err);
        assert_eq!(ended.code, 0, "{words:?}: {}", ended.err);
        assert!(!ended.err.contains("error:"), "{words:?}: {}", ended.err);
    }
}

#[test]
fn colours_are_for_terminals_that_want_them_and_never_those_of_others() {
    let broker = Broker::start();
    let world = World::of(&broker);
    let words = [
        "dead",
        "diff",
        &world.get("letter"),
        "--with",
        &world.get("intent"),
    ];
    let coloured = in_a_terminal(&broker, &words, &[]);
    assert!(coloured.contains("\u{1b}[32m"), "{coloured:?}");
    for plain in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let plain = in_a_terminal(&broker, &words, &[plain]);
        assert!(!plain.contains('\u{1b}'), "{plain:?}");
        assert!(plain.contains("+ /n: 2"), "{plain:?}");
    }
    // A letter of others that would turn the terminal red is shown, and goes to a file as it is.
    let evil = "\u{1b}[31m\u{202e}";
    let task = json!({ "title": evil }).to_string();
    broker.json(&["send", ORDER, "finance", "--human-task", &task]);
    for format in ["ndjson", "csv"] {
        let words = ["tasks", "list", "--format", format];
        let shown = in_a_terminal(&broker, &words, &[]);
        assert!(
            !shown.contains('\u{202e}') && !shown.contains('\u{1b}'),
            "{shown:?}"
        );
        assert!(shown.contains("⟨U+202E⟩"), "{shown:?}");
        assert!(broker.run(&words).out.contains('\u{202e}'), "{format}");
    }
}

/// What a verb writes to a terminal.
fn in_a_terminal(broker: &Broker, words: &[&str], variables: &[(&str, &str)]) -> String {
    let size = PtySize {
        rows: 40,
        cols: 200,
        pixel_width: 0,
        pixel_height: 0,
    };
    let pair = native_pty_system().openpty(size).unwrap();
    let mut command = CommandBuilder::new(PROGRAM);
    command.args(words);
    command.arg("--data");
    command.arg(broker.data());
    command.env_clear();
    command.env("TERM", "xterm-256color");
    for (name, value) in variables {
        command.env(name, value);
    }
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let mut reader = pair.master.try_clone_reader().unwrap();
    let reading = std::thread::spawn(move || {
        let mut all = Vec::new();
        // The end of a terminal is an error on this system.
        drop(reader.read_to_end(&mut all));
        String::from_utf8(all).unwrap()
    });
    assert!(child.wait().unwrap().success(), "{words:?}");
    drop(pair.master);
    reading.join().unwrap()
}

fn split(text: &str) -> impl Iterator<Item = String> {
    text.split_whitespace().map(str::to_owned)
}

/// What the words in braces are. A verb may use up what it is given, so each gets its own.
struct World<'broker> {
    broker: Option<&'broker Broker>,
    scratch: tempfile::TempDir,
}

impl<'broker> World<'broker> {
    fn nowhere() -> Self {
        Self {
            broker: None,
            scratch: scratch(),
        }
    }

    /// A broker with an agent that is called and one that polls.
    fn of(broker: &'broker Broker) -> Self {
        let add = [
            "agents",
            "add",
            "hooks",
            "--binding",
            "http",
            "--callback",
            "http://127.0.0.1:9/x",
        ];
        broker.json(&add);
        broker.json(&["agents", "add", "orders", "--binding", "poll"]);
        Self {
            broker: Some(broker),
            scratch: scratch(),
        }
    }

    fn words(&self, verb: &str, rest: &str) -> Vec<String> {
        let rest = split(rest).map(|word| {
            match word
                .strip_prefix('{')
                .and_then(|word| word.strip_suffix('}'))
            {
                Some(name) => self.get(name),
                None => word,
            }
        });
        split(verb).chain(rest).collect()
    }

    fn get(&self, name: &str) -> String {
        let file = |name: &str| self.scratch.path().join(name).display().to_string();
        match name {
            "unknown" => UNKNOWN.to_owned(),
            "file" | "old" => file("broken"),
            "keys" => file("keys.toml"),
            "missing" => file("missing"),
            "scenario" => format!(
                "{}/tests/scenarios/order-stream.json",
                env!("CARGO_MANIFEST_DIR")
            ),
            "new" => file(&format!(
                "backup-{}",
                std::fs::read_dir(self.scratch.path()).unwrap().count()
            )),
            _ => match self.broker {
                Some(broker) => self.made(broker, name),
                None => UNKNOWN.to_owned(),
            },
        }
    }

    fn made(&self, broker: &Broker, name: &str) -> String {
        let text = |value: &Value| {
            value
                .as_str()
                .unwrap_or_else(|| panic!("{name}: {value}"))
                .to_owned()
        };
        let sent = |to: &str, more: &[&str]| {
            let words: Vec<&str> = ["send", ORDER, to].iter().chain(more).copied().collect();
            text(&broker.json(&words)["intent_id"])
        };
        match name {
            "intent" => sent("orders", &["-p", "{\"n\":1}"]),
            "task" => sent("finance", &["--human-task", "{\"title\":\"May we?\"}"]),
            "letter" => {
                // It can be replayed once; each gets the one that died of its replay.
                let listener = broker.keep_running(&["listen", "dying", "--exec", "exit 9"]);
                let words = [
                    "send",
                    ORDER,
                    "dying",
                    "-p",
                    "{\"n\":2}",
                    "--wait",
                    "--json",
                ];
                let ended: Value = serde_json::from_str(&broker.run(&words).out).unwrap();
                drop(listener);
                text(&ended["intent"]["intent_id"])
            }
            // Nobody listens at that port, so that its first try fails at once.
            "backing_off" => {
                let id = sent("hooks", &[]);
                let words = ["attempts", "list", "--intent", &id, "--json"];
                broker.until(&words, |out| out.contains("connect"));
                id
            }
            "hold" => {
                let task = self.made(broker, "task");
                text(&broker.json(&["inbox", "approve", &task, "--hold", "60"])["held"]["hold_id"])
            }
            "job" => {
                self.made(broker, "letter");
                let words = ["replay", "--filter", "agent:dying", "--apply"];
                text(&broker.json(&words)["job"]["job_id"])
            }
            // The second waits for ten seconds.
            "running" => {
                self.made(broker, "letter");
                self.made(broker, "letter");
                let words = [
                    "replay",
                    "--filter",
                    "agent:dying",
                    "--apply",
                    "--in-flight",
                    "1",
                    "--rate",
                    "0.1",
                ];
                text(&broker.json(&words)["job"]["job_id"])
            }
            "paused" => {
                let job = self.made(broker, "running");
                broker.json(&["jobs", "pause", &job]);
                job
            }
            "over" => {
                let job = self.made(broker, "running");
                broker.json(&["jobs", "cancel", &job]);
                job
            }
            "key" => text(&broker.json(&["keys", "create", "orders"])["key"]["key_id"]),
            "backup" => {
                let file = self.get("new");
                broker.json(&["backup", &file]);
                file
            }
            _ => panic!("{name} is nothing of the world"),
        }
    }
}

/// A folder with a file that is no JSON, no TOML and no store, and one with good keys.
fn scratch() -> tempfile::TempDir {
    let scratch = tempfile::tempdir().unwrap();
    std::fs::write(scratch.path().join("broken"), "{\"steps\": [\n").unwrap();
    std::fs::write(
        scratch.path().join("keys.toml"),
        "[global]\n\"ctrl-p\" = \"palette.open\"\n",
    )
    .unwrap();
    scratch
}
