//! Files of a stopped broker with bits turned over, sectors emptied and ends cut off.
//!
//! Whoever opens such a file gets what was acknowledged, or a refusal, or, where neither is so, at least
//! `verify` finds it. Nothing panics, and nothing goes on for ever.
//!
//! `CORRUPTIONS=100000 cargo test --release --test corruption -- --nocapture` is the long run, and
//! `CORRUPTION_SEED=7` repeats the choices of one.

#![expect(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "tests, and what only tests use"
)]

mod golden;
mod house;

use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

use house::{History, House};
use postroom::store::sqlite::watermark;

/// Files of a run that nobody asked to be longer.
const CORRUPTIONS: u64 = 300;
/// Much longer than anything takes on so small a file.
const PATIENCE: Duration = Duration::from_secs(20);

/// Numbers from a seed. SplitMix64.
struct Dice(u64);

impl Dice {
    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = self.0;
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.number() % u64::try_from(bound.max(1)).unwrap()).unwrap()
    }
}

/// What is done to a file.
#[derive(Debug, Clone, Copy)]
enum Damage {
    /// This bit of this byte is turned over.
    Bit(usize, u8),
    /// So many bytes from here are other ones.
    Noise(usize, usize),
    /// The sector of 512 bytes is empty.
    Sector(usize),
    /// The page of 4096 bytes is empty.
    Page(usize),
    /// A sector lies where another belongs.
    Moved(usize, usize),
    /// The file ends here.
    Cut(usize),
}

impl Damage {
    fn draw(dice: &mut Dice, length: usize) -> Self {
        let at = dice.below(length);
        match dice.below(10) {
            0..=3 => Self::Bit(at, u8::try_from(dice.below(8)).unwrap()),
            4 => Self::Noise(at, 1 + dice.below(64)),
            5 => Self::Sector(at / 512 * 512),
            6 => Self::Page(at / 4096 * 4096),
            7 => Self::Moved(at / 512 * 512, dice.below(length) / 512 * 512),
            // Heads are what everything hangs on.
            8 => Self::Bit(
                dice.below(length.min(8192)),
                u8::try_from(dice.below(8)).unwrap(),
            ),
            _ => Self::Cut(at),
        }
    }

    fn apply(self, bytes: &mut Vec<u8>, dice: &mut Dice) {
        let end = |from: usize, length: usize| (from + length).min(bytes.len());
        match self {
            Self::Bit(at, bit) => bytes[at] ^= 1 << bit,
            Self::Noise(at, length) => {
                let to = end(at, length);
                for byte in &mut bytes[at..to] {
                    *byte = u8::try_from(dice.below(256)).unwrap();
                }
            }
            Self::Sector(at) => {
                let to = end(at, 512);
                bytes[at..to].fill(0);
            }
            Self::Page(at) => {
                let to = end(at, 4096);
                bytes[at..to].fill(0);
            }
            Self::Moved(from, to) => {
                let length = 512.min(bytes.len() - from).min(bytes.len() - to);
                bytes.copy_within(from..from + length, to);
            }
            Self::Cut(at) => bytes.truncate(at),
        }
    }
}

/// What became of a damaged store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    /// It was refused when it was opened.
    Refused,
    /// It opened; some reads were refused, and `verify` complains.
    Found,
    /// It opened and has everything.
    Whole,
    /// It opened as it was after an earlier commit, because the log beside it ends where it was damaged; and
    /// `verify` says that something is missing.
    Earlier,
}

#[test]
fn a_damaged_file_is_refused_or_whole_or_found_by_verify() {
    let seed = std::env::var("CORRUPTION_SEED")
        .ok()
        .and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(rand::random);
    let count = std::env::var("CORRUPTIONS")
        .ok()
        .and_then(|text| text.parse().ok());
    let count: u64 = count.unwrap_or(CORRUPTIONS);
    eprintln!(
        "corruption: seed {seed}, {count} files; CORRUPTION_SEED={seed} chooses the same again"
    );
    let scratch = tempfile::tempdir().unwrap();
    let house = House::build(scratch.path());
    let mut dice = Dice(seed);
    let mut fates: BTreeMap<Fate, u64> = BTreeMap::new();
    let mut wrong = Vec::new();
    for number in 0..count {
        let is_stopped = number % 3 != 0;
        let (file, log) = if is_stopped {
            house.stopped()
        } else {
            house.killed()
        };
        let (mut file, mut log) = (file.to_vec(), log.to_vec());
        let is_log = !log.is_empty() && dice.below(2) == 0;
        let target = if is_log { &mut log } else { &mut file };
        let damage = Damage::draw(&mut dice, target.len());
        damage.apply(target, &mut dice);
        let history = house.history(is_stopped);
        let mark: &[u8] = if is_stopped { &[] } else { &house.mark };
        match judge(&file, &log, mark, history, is_log) {
            Ok(fate) => *fates.entry(fate).or_default() += 1,
            Err(what) => wrong.push(format!(
                "{number} stopped {is_stopped}, log {is_log}, {damage:?}: {what}"
            )),
        }
    }
    eprintln!("corruption: {fates:?}, {} violations", wrong.len());
    assert!(
        wrong.is_empty(),
        "seed {seed}, {} violations:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(20)].join("\n")
    );
}

/// What the program itself says of a file that it cannot use.
#[test]
fn a_refused_file_is_named_with_the_way_out() {
    let scratch = tempfile::tempdir().unwrap();
    let house = House::build(scratch.path());
    let data = scratch.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let store = data.join("postroom.db");
    let mut file = house.stopped().0.to_vec();
    // The root pages of the tables.
    file[8192..40 * 8192].fill(0x5a);
    std::fs::write(&store, &file).unwrap();
    let run = |words: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_postroom"));
        let command = command.args(words).arg("--data").arg(&data);
        command.env("XDG_CONFIG_HOME", &data).output().unwrap()
    };
    let out = run(&["serve", "--listen", "127.0.0.1:0"]);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(1), "{said}");
    assert!(said.contains(&store.display().to_string()), "{said}");
    assert!(said.contains("postroom restore"), "{said}");
    let out = run(&["verify"]);
    assert_eq!(out.status.code(), Some(1));
}

/// The log of a killed broker is damaged long before its end: what is behind that is not read, and the file
/// alone looks like one after a power cut.
#[test]
fn what_is_gone_with_a_damaged_log_is_told_by_verify_and_at_the_next_start() {
    let scratch = tempfile::tempdir().unwrap();
    let house = House::build(scratch.path());
    let data = scratch.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let store = data.join("postroom.db");
    let (file, log) = house.killed();
    let mut log = log.to_vec();
    let middle = log.len() / 2;
    log[middle] ^= 1;
    std::fs::write(&store, file).unwrap();
    std::fs::write(data.join("postroom.db-wal"), log).unwrap();
    std::fs::write(watermark::path_of(&store), &house.mark).unwrap();
    let command = |words: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_postroom"));
        command.args(words).arg("--data").arg(&data);
        command.env("XDG_CONFIG_HOME", &data);
        command
    };
    let out = command(&["verify"]).output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(1), "{said}");
    assert!(
        said.contains("events that were acknowledged are gone"),
        "{said}"
    );

    let mut serve = command(&["serve", "--listen", "127.0.0.1:0"]);
    serve.stdout(std::process::Stdio::piped());
    let mut child = serve.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let lines = std::io::BufReader::new(child.stderr.take().unwrap()).lines();
    // Without a word of it this goes on until the test is ended.
    let told = lines
        .map(Result::unwrap)
        .find(|line| line.contains("events that were acknowledged are gone"));
    // Ready, its start is kept.
    let mut ready = String::new();
    let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut ready).unwrap();
    assert!(ready.contains("listens on"), "{ready}");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(told.unwrap().contains("ERROR"));

    // It was told once: the feed goes on over it, and what it says now is whole.
    let out = command(&["verify"]).output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(0), "{said}");
}

/// Looks at a damaged store as `verify` and as a broker would, in a thread that may take only so long.
fn judge(
    file: &[u8],
    log: &[u8],
    mark: &[u8],
    history: &History,
    is_log: bool,
) -> Result<Fate, String> {
    let memory = Path::new("/dev/shm");
    let room = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    let room = room.unwrap();
    let path = room.path().join("postroom.db");
    let lay = || {
        std::fs::write(&path, file).unwrap();
        let beside = room.path().join("postroom.db-wal");
        if log.is_empty() {
            drop(std::fs::remove_file(&beside));
        } else {
            std::fs::write(&beside, log).unwrap();
        }
        drop(std::fs::remove_file(room.path().join("postroom.db-shm")));
        std::fs::write(watermark::path_of(&path), mark).unwrap();
    };
    let (sender, receiver) = std::sync::mpsc::channel();
    let verdict = std::thread::scope(|scope| {
        let work = scope.spawn(|| {
            let verdict = catch_unwind(AssertUnwindSafe(|| {
                lay();
                let complaints = postroom::app::complaints(&path);
                lay();
                house::seen(&path, history, complaints.is_empty(), is_log)
            }));
            // The other side has given up waiting, and the process with it.
            let _gone = sender.send(());
            verdict
        });
        if receiver.recv_timeout(PATIENCE).is_err() && !work.is_finished() {
            eprintln!("no end: {}", path.display());
            std::process::abort();
        }
        work.join()
    });
    match verdict {
        Ok(Ok(verdict)) => verdict,
        Ok(Err(panic)) | Err(panic) => {
            let said = panic.downcast_ref::<String>().cloned();
            let said = said.or_else(|| panic.downcast_ref::<&str>().map(|said| (*said).to_owned()));
            Err(format!("it panicked: {}", said.unwrap_or_default()))
        }
    }
}
