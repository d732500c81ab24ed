//! Foreign bytes for every reader of foreign bytes: real inputs with damage done to them, and made-up ones.
//!
//! No input makes a reader panic, keeps it for long or makes it large; what is accepted reads back as what it was;
//! what is refused is refused by a name and a sentence. There is no measure of coverage on a stable compiler:
//! instead an input that a reader answers as it has answered no other becomes one more to start from.
//!
//! One target is `FUZZ_SECONDS=1800 cargo test --release --test fuzz TARGET -- --nocapture`, which chooses
//! anew each time; `FUZZ_SEED=7` repeats the choices of a run. Without a time the choices are always the
//! same: a change is not refused for what a draw found in somebody else's.

#![expect(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    clippy::print_stderr,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests, and what only tests use; the campaign's own end is an instant"
)]

mod bodies;
mod events;
mod memory;
mod mutate;
mod pages;
mod screens;
mod settings;
mod wires;
mod words;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, Once};
use std::time::{Duration, Instant};

use proptest::strategy::{BoxedStrategy, Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use mutate::{Dice, descendant};

/// Most time on a processor for one input, in a debug build.
const NANOSECONDS_MAX: u64 = 2_000_000_000;
/// An input that takes so long by the clock on the wall will take for ever.
const PATIENCE: Duration = Duration::from_mins(1);
/// What a campaign may add to the most that the process ever had in memory.
const KIBIBYTES_MAX: u64 = 512 * 1024;
/// Inputs to start from are not more than this.
const CORPUS_MAX: usize = 4096;
/// Different violations that one run tells of.
const VIOLATIONS_MAX: usize = 12;
/// Tries to make an input smaller.
const TRIES_MAX: usize = 1000;

/// What a reader said: how it answered, or what is wrong with its answer.
pub(crate) type Verdict = Result<String, String>;

/// Inputs for one reader.
pub(crate) struct Campaign {
    name: &'static str,
    seeds: Vec<Vec<u8>>,
    words: Vec<&'static str>,
    made_up: Option<BoxedStrategy<Vec<u8>>>,
    cases: u64,
    /// Whether time may make it longer.
    is_open_ended: bool,
}

impl Campaign {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            seeds: Vec::new(),
            words: Vec::new(),
            made_up: None,
            cases: 1500,
            is_open_ended: true,
        }
    }

    /// Real inputs.
    pub(crate) fn seeds<T: AsRef<[u8]>>(mut self, seeds: impl IntoIterator<Item = T>) -> Self {
        let seeds = seeds.into_iter().map(|seed| seed.as_ref().to_vec());
        self.seeds.extend(seeds);
        self
    }

    /// Words that mean something to the reader.
    pub(crate) fn words(mut self, words: &[&'static str]) -> Self {
        self.words.extend_from_slice(words);
        self
    }

    /// Inputs of the right form that nobody wrote.
    pub(crate) fn made_up(mut self, strategy: BoxedStrategy<Vec<u8>>) -> Self {
        self.made_up = Some(strategy);
        self
    }

    /// Inputs of a run that nobody asked to be longer.
    pub(crate) const fn cases(mut self, cases: u64) -> Self {
        self.cases = cases;
        self
    }

    /// So many inputs, whatever is asked for.
    const fn exactly(mut self, cases: u64) -> Self {
        self.is_open_ended = false;
        self.cases(cases)
    }

    /// Runs until the time or the cases are over, and panics with everything that was wrong.
    pub(crate) fn run(self, mut reader: impl FnMut(&[u8]) -> Verdict) {
        quieten();
        let end = variable("FUZZ_SECONDS").filter(|_| self.is_open_ended);
        let unasked = if end.is_some() { rand::random() } else { 1 };
        let seed = variable("FUZZ_SEED").unwrap_or(unasked);
        let end = end.map(|seconds| Instant::now() + Duration::from_secs(seconds));
        let watched: Watched = Arc::new(Mutex::new((0, Vec::new())));
        let (over, is_over) = channel::<()>();
        let watchdog = std::thread::spawn({
            let watched = Arc::clone(&watched);
            move || watch(&watched, &is_over)
        });
        let mut made_up = self
            .made_up
            .clone()
            .map(|strategy| (strategy, runner(seed)));
        let mut dice = Dice::new(seed);
        let (mut corpus, mut answers) = (self.seeds.clone(), BTreeSet::new());
        let mut wrong: Vec<(String, Vec<u8>)> = Vec::new();
        let memory = peak_kibibytes();
        let mut count = 0_u64;
        loop {
            let is_over = end.map_or(count >= self.cases, |end| Instant::now() >= end);
            if is_over || wrong.len() >= VIOLATIONS_MAX {
                break;
            }
            let input = match (
                self.seeds.get(usize::try_from(count).unwrap()),
                &mut made_up,
            ) {
                (Some(seed), _) => seed.clone(),
                (None, Some((strategy, runner))) if dice.below(4) == 0 => {
                    let made = strategy.new_tree(runner).unwrap().current();
                    // Half of them are damaged as well.
                    if dice.below(2) == 0 {
                        descendant(&mut dice, &[made], &self.words)
                    } else {
                        made
                    }
                }
                (None, _) => descendant(&mut dice, &corpus, &self.words),
            };
            count += 1;
            *watched.lock().unwrap() = (count, input.clone());
            match judge(&mut reader, &input) {
                Ok(answer) => {
                    if answers.insert(masked(&answer)) && corpus.len() < CORPUS_MAX {
                        corpus.push(input);
                    }
                }
                Err(what)
                    if wrong
                        .iter()
                        .any(|(known, _)| masked(known) == masked(&what)) => {}
                Err(what) => wrong.push((what, input)),
            }
            let grown = peak_kibibytes().saturating_sub(memory);
            assert!(
                grown < KIBIBYTES_MAX,
                "{}: {grown} KiB more memory after input {count} of seed {seed}",
                self.name
            );
        }
        let reports = wrong
            .iter()
            .map(|(what, input)| report(&mut reader, what, input, &watched));
        let reports: Vec<_> = reports.collect();
        drop(over);
        watchdog.join().unwrap();
        eprintln!(
            "fuzz {}: seed {seed}, {count} inputs, {} answers, {} violations; FUZZ_SEED={seed} chooses the same again",
            self.name,
            answers.len(),
            wrong.len()
        );
        assert!(
            wrong.is_empty(),
            "{}, seed {seed}:\n{}",
            self.name,
            reports.join("\n")
        );
    }
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn runner(seed: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRunner::new_with_rng(
        Config::default(),
        TestRng::from_seed(RngAlgorithm::ChaCha, &bytes),
    )
}

thread_local! {
    /// True while a reader has an input: its panic is told in the report.
    static IS_READING: Cell<bool> = const { Cell::new(false) };
}

/// Keeps the panics of readers off the terminal.
fn quieten() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !IS_READING.get() {
                usual(panic);
            }
        }));
    });
}

/// One input before the reader.
fn judge(reader: &mut impl FnMut(&[u8]) -> Verdict, input: &[u8]) -> Verdict {
    let before = processor_nanoseconds();
    IS_READING.set(true);
    let verdict = catch_unwind(AssertUnwindSafe(|| reader(input)));
    IS_READING.set(false);
    let spent = processor_nanoseconds().saturating_sub(before);
    let verdict = verdict.unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().cloned();
        let said = said.or_else(|| panic.downcast_ref::<&str>().map(|said| (*said).to_owned()));
        Err(format!("it panicked: {}", said.unwrap_or_default()))
    })?;
    if spent > NANOSECONDS_MAX {
        return Err(format!("it took {} ms", spent / 1_000_000));
    }
    Ok(verdict)
}

/// What is wrong, by the smallest input that was found to do the same.
fn report(
    reader: &mut impl FnMut(&[u8]) -> Verdict,
    what: &str,
    input: &[u8],
    watched: &Watched,
) -> String {
    let kind = masked(what);
    let mut smallest = input.to_vec();
    let mut tries = 0;
    let mut piece = smallest.len() / 2;
    while piece > 0 && tries < TRIES_MAX {
        let mut at = 0;
        while at < smallest.len() && tries < TRIES_MAX {
            tries += 1;
            let mut smaller = smallest.clone();
            drop(smaller.drain(at..(at + piece).min(smallest.len())));
            watched.lock().unwrap().1.clone_from(&smaller);
            watched.lock().unwrap().0 += 1;
            match judge(reader, &smaller) {
                Err(other) if masked(&other) == kind => smallest = smaller,
                _ => at += piece,
            }
        }
        piece /= 2;
    }
    format!("- {what}\n  input: {}", shown(&smallest))
}

fn shown(input: &[u8]) -> String {
    let text: String = input
        .escape_ascii()
        .to_string()
        .chars()
        .take(1500)
        .collect();
    format!("b\"{text}\" ({} bytes)", input.len())
}

/// What an answer says without the input's own words: letters in quotes and numbers are all the same.
fn masked(answer: &str) -> String {
    let mut out = String::new();
    let (mut is_quoted, mut is_number) = (false, false);
    for letter in answer.chars().take(400) {
        if letter == '"' {
            is_quoted = !is_quoted;
            out.push('"');
        } else if !is_quoted {
            if letter.is_ascii_digit() && !is_number {
                out.push('0');
            } else if !letter.is_ascii_digit() {
                out.push(letter);
            }
            is_number = letter.is_ascii_digit();
        }
    }
    out
}

/// The number of the input that is read, and the input.
type Watched = Arc<Mutex<(u64, Vec<u8>)>>;

/// Ends the process when one input is read for too long: a thread cannot be ended.
fn watch(watched: &Watched, is_over: &Receiver<()>) {
    let mut seen = 0;
    while is_over.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
        let (number, input) = &*watched.lock().unwrap();
        if *number == seen {
            eprintln!("no end after input {number}: {}", shown(input));
            std::process::abort();
        }
        seen = *number;
    }
}

/// What this thread has had of a processor; other work on the machine does not count.
fn processor_nanoseconds() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let first = text.split_whitespace().next();
    first.and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn peak_kibibytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// A number that tells answers apart, which digits do not; large ones are all the same.
pub(crate) fn tally(count: usize) -> String {
    "i".repeat(count.min(12))
}

/// The input as text, as far as it is any.
pub(crate) fn text_of(input: &[u8]) -> String {
    String::from_utf8_lossy(input).into_owned()
}

/// A sentence for people about what they wrote themselves: there is one.
pub(crate) fn is_said(sentence: &str) -> Result<(), String> {
    if sentence.trim().is_empty() {
        return Err("refused without a word".to_owned());
    }
    Ok(())
}

/// A sentence about what came over the network: it is not the input told back at any length.
pub(crate) fn is_sentence(sentence: &str) -> Result<(), String> {
    is_said(sentence)?;
    if sentence.len() > 8192 {
        return Err(format!("refused in {} bytes", sentence.len()));
    }
    Ok(())
}

/// The campaign itself: a reader with a flaw of each kind does not pass.
#[test]
fn a_reader_that_panics_on_few_inputs_is_found_out() {
    let flawed = catch_unwind(|| {
        Campaign::new("flawed")
            .seeds(["key = 7"])
            .words(&["open", "sesame"])
            .exactly(5_000)
            .run(|input| {
                let text = text_of(input);
                let is_open = text.contains("open");
                assert!(!is_open || !text.contains("sesame"), "flaw");
                Ok(is_open.to_string())
            });
    });
    let said = flawed.unwrap_err();
    let said = said.downcast_ref::<String>().unwrap();
    assert!(said.contains("it panicked: flaw"), "{said}");
    assert!(said.contains("(10 bytes)"), "{said}");
}
