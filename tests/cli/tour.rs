//! A walk through the console over the demonstration. `TOUR=1 cargo test --test cli tour` writes what it
//! showed to `tests/tour`: a recording (asciicast v2, for `asciinema play`) and the pictures of the README.

use std::fmt::Write as _;
use std::path::Path;

use portable_pty::CommandBuilder;
use postroom::clock::{Clock as _, Mono, SystemClock};
use serde_json::json;

use crate::broker::PROGRAM;
use crate::pty::Terminal;

const ROWS: u16 = 36;
const COLUMNS: u16 = 120;
/// Frames that come closer together than this are one in the recording.
const FRAME_MS: u128 = 100;
/// For how long the recording shows what nothing happens on.
const LOOK_MS: u128 = 1_500;
/// Width and height of a cell in the pictures, in pixels.
const CELL: (f64, f64) = (8.43, 16.3);

/// What one key does, and what is on the screen then; a name makes a picture of it.
struct Step {
    keys: &'static str,
    shows: &'static [&'static str],
    picture: Option<&'static str>,
}

const fn step(
    keys: &'static str,
    shows: &'static [&'static str],
    picture: Option<&'static str>,
) -> Step {
    Step {
        keys,
        shows,
        picture,
    }
}

/// See what is wrong; begin to decide what waits; look why letters died; ask what a replay would do; see who lags, and
/// what a job of somebody else came to.
const STEPS: [Step; 13] = [
    step("", &["Needs attention", "overdue"], Some("overview")),
    step("2", &["[2 Inbox", "Refund"], None),
    // The people of the demonstration decide too: what stood on the first row may be decided by now.
    step(
        "/type:approval\r",
        &["/ type:approval", "Refund", "a approve"],
        None,
    ),
    step("a", &["comment", "Enter stage"], None),
    step(
        "checked with the customer",
        &["checked with the customer", "intent received by"],
        Some("inbox"),
    ),
    step("\u{1b}", &["a approve"], None),
    step("5", &["[5 Dead letters", "400 Bad Request"], None),
    // The line of hints is drawn last: the screen is whole when it is there.
    step(
        "R",
        &["dry run", "[ Start replay ]", "sets an option"],
        Some("replay"),
    ),
    // The error is in view beside the panel too: what tells that it is closed is the hint line.
    step(
        "\u{1b}",
        &["R replay many", "Enter goes in   i explains"],
        None,
    ),
    step("\r", &["In group", "Letter "], None),
    step(
        "\r",
        &["Timeline", "delivery failed", "Esc back  - last view  :"],
        Some("intent"),
    ),
    step(
        "6",
        &["[6 Agents", "worst first", "- last view  s sort"],
        Some("agents"),
    ),
    step("7", &["[7 Jobs", "the carrier says"], None),
];

/// What came when, in milliseconds of the recording.
struct Recording {
    clock: SystemClock,
    last: Mono,
    at: u128,
    lines: String,
    waiting: Vec<u8>,
}

impl Recording {
    fn new() -> Self {
        let clock = SystemClock::new();
        let head = json!({
            "version": 2, "width": COLUMNS, "height": ROWS, "title": "Postroom",
            "env": {"TERM": "xterm-256color"},
        });
        Self {
            last: clock.elapsed(),
            clock,
            at: 0,
            lines: format!("{head}\n"),
            waiting: Vec::new(),
        }
    }

    fn add(&mut self, piece: &[u8]) {
        self.waiting.extend_from_slice(piece);
        let now = self.clock.elapsed();
        let passed = now.since(self.last).as_millis();
        if passed >= FRAME_MS {
            self.last = now;
            self.at += passed.min(LOOK_MS);
            self.write();
        }
    }

    /// A character may be cut between two pieces: the rest of it waits.
    fn write(&mut self) {
        let whole = match std::str::from_utf8(&self.waiting) {
            Ok(text) => text.len(),
            Err(error) => error.valid_up_to(),
        };
        let rest = self.waiting.split_off(whole);
        let piece = String::from_utf8(std::mem::replace(&mut self.waiting, rest)).unwrap();
        let seconds = f64::from(u32::try_from(self.at).unwrap()) / 1000.0;
        writeln!(self.lines, "{}", json!([seconds, "o", piece])).unwrap();
    }
}

/// A screen as SVG: a rectangle for each run of one background, a text for each run of one style.
fn svg(screen: &vt100::Screen) -> String {
    let (width, height) = CELL;
    let (all_wide, all_high) = (
        f64::from(COLUMNS) * width + 16.0,
        f64::from(ROWS) * height + 16.0,
    );
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {all_wide:.0} {all_high:.0}\" \
         font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"14\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"#0f1420\"/>\n"
    );
    for row in 0..ROWS {
        let mut column = 0;
        while column < COLUMNS {
            let look = look_of(screen, row, column);
            let (start, mut text) = (column, String::new());
            while column < COLUMNS && look_of(screen, row, column) == look {
                let cell = screen.cell(row, column).unwrap();
                if !cell.is_wide_continuation() {
                    text.push_str(if cell.has_contents() {
                        cell.contents()
                    } else {
                        " "
                    });
                }
                column += 1;
            }
            let (x, y) = (
                f64::from(start) * width + 8.0,
                f64::from(row) * height + 8.0,
            );
            let wide = f64::from(column - start) * width;
            if look.ground != "#0f1420" {
                let ground = &look.ground;
                writeln!(
                    out,
                    "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{wide:.1}\" height=\"{height:.1}\" fill=\"{ground}\"/>"
                )
                .unwrap();
            }
            if !text.trim().is_empty() {
                let escaped = text
                    .replace('&', "&amp;")
                    .replace('<', "&lt;")
                    .replace(' ', "\u{a0}");
                let weight = if look.is_bold {
                    " font-weight=\"bold\""
                } else {
                    ""
                };
                writeln!(
                    out,
                    "<text x=\"{x:.1}\" y=\"{:.1}\" fill=\"{}\"{weight} textLength=\"{wide:.1}\">{escaped}</text>",
                    y + 12.6,
                    look.ink
                )
                .unwrap();
            }
        }
    }
    out.push_str("</svg>\n");
    out
}

#[derive(PartialEq)]
struct Look {
    ink: String,
    ground: String,
    is_bold: bool,
}

fn look_of(screen: &vt100::Screen, row: u16, column: u16) -> Look {
    let cell = screen.cell(row, column).unwrap();
    let colour = |colour: vt100::Color, otherwise: &str| match colour {
        vt100::Color::Rgb(red, green, blue) => format!("#{red:02x}{green:02x}{blue:02x}"),
        vt100::Color::Default | vt100::Color::Idx(_) => otherwise.to_owned(),
    };
    let (ink, ground) = (
        colour(cell.fgcolor(), "#c8d3e6"),
        colour(cell.bgcolor(), "#0f1420"),
    );
    let (ink, ground) = if cell.inverse() {
        (ground, ink)
    } else {
        (ink, ground)
    };
    Look {
        ink,
        ground,
        is_bold: cell.bold(),
    }
}

#[test]
fn a_tour_over_the_demonstration_shows_each_desk_at_work() {
    let is_kept = std::env::var("TOUR").is_ok_and(|value| value == "1");
    let data = tempfile::tempdir().unwrap();
    let mut command = CommandBuilder::new(PROGRAM);
    command.args(["demo", "--theme", "midnight", "--rate", "3"]);
    command.env("COLORTERM", "truecolor");
    let mut terminal = Terminal::sized(data.path(), command, ROWS, COLUMNS);
    let mut recording = Recording::new();
    let mut pictures = Vec::new();
    if is_kept {
        // A picture of a house where something goes on: half a minute of traffic, and the breaker of the warehouse
        // open, which is under maintenance at first. Only the row of the agent itself tells.
        let is_warm = |text: &str| (30..60).any(|age| text.contains(&format!("oldest {age}s")));
        let is_open = |text: &str| {
            let mut rows = text.lines().map(|line| line.replace('│', " "));
            rows.any(|row| row.contains("warehouse-webhook") && row.contains(" open "))
        };
        let is_there = |text: &str| is_warm(text) && is_open(text);
        let has_come = (0..30).any(|_| terminal.await_screen(is_there, &mut |_| ()));
        assert!(has_come, "{}", terminal.text());
        recording = Recording::new();
        recording.add(&terminal.screen().contents_formatted().into_bytes());
    }
    for step in &STEPS {
        terminal.press(step.keys);
        let is_there = |text: &str| step.shows.iter().all(|shown| text.contains(shown));
        let is_shown = terminal.await_screen(is_there, &mut |piece| recording.add(piece));
        assert!(
            is_shown,
            "{:?} did not come:\n{}",
            step.shows,
            terminal.text()
        );
        // What was awaited stands for a moment.
        recording.at += LOOK_MS;
        if let Some(name) = step.picture {
            pictures.push((name, svg(terminal.screen())));
        }
    }
    recording.write();
    terminal.signal("TERM");
    let (code, left) = terminal.end();
    assert_eq!(code, 0, "{left}");
    // A machine that is busy with something else may lag; pictures that are kept do not show that.
    let words: &[&str] = if is_kept { &["LIVE"] } else { &["LIVE", "LAG"] };
    for (name, svg) in &pictures {
        assert!(words.iter().any(|word| svg.contains(word)), "{name}");
    }
    if is_kept {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tour");
        std::fs::create_dir_all(&folder).unwrap();
        for (name, svg) in pictures {
            std::fs::write(folder.join(format!("{name}.svg")), svg).unwrap();
        }
        std::fs::write(folder.join("tour.cast"), recording.lines).unwrap();
    }
}
