//! Every screen at every size, as one readable file to a screen. Files are read before they are accepted.
//!
//! A file holds the text at four sizes, a map of roles, and the screen as it is read aloud. The map is the
//! same under every theme, because panes know roles alone; what each theme makes of them is one table. Signs
//! in ASCII are held against those in Unicode cell by cell instead of being written down again.

use std::fmt::Write as _;

use crossterm::event::KeyCode;
use insta::{assert_snapshot, with_settings};
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Style};

use super::fake::FakeDesk;
use super::{Bench, text_of};
use crate::console::sanitise::width;
use crate::console::theme::depth::Depth;
use crate::console::theme::glyphs::{ASCII, Glyphs, UNICODE};
use crate::console::theme::{Role, Theme, Themes};

const SIZES: [(u16, u16); 4] = [(120, 36), (80, 24), (60, 16), (40, 9)];

/// A screen and the keys that lead to it; `\r` is Enter, `\t` Tab, `\u{7}` eight seconds.
pub(super) type Case = (&'static str, &'static str);

/// All of them.
pub(super) const ALL: [&[Case]; 4] = [DESKS, INTENT, OVERLAYS, PANELS];

const DESKS: &[Case] = &[
    ("overview", ""),
    ("overview_attention", "\t"),
    ("inbox", "2jj"),
    ("intents", "3j"),
    ("intents_marked", "3 j v"),
    ("intents_filtered", "3/state:dead \r"),
    ("intents_paused", "3p\u{7}"),
    ("attempts", "4"),
    ("dead_letters", "5"),
    ("dead_letters_group", "5\r"),
    ("agents", "6"),
    ("agents_attempts", "6\t"),
    ("jobs", "7"),
    ("jobs_items", "7\t"),
    ("audit", "8"),
];

const INTENT: &[Case] = &[
    ("intent_timeline", "5\r\r"),
    ("intent_attempts", "5\r\rga"),
    ("intent_payload", "5\r\rgp"),
    ("intent_headers", "5\r\rgh"),
    ("intent_lineage", "5\r\rgl"),
    ("intent_raw", "5\r\rgr"),
    ("intent_task", "2jj\r"),
];

const OVERLAYS: &[Case] = &[
    ("help", "?"),
    ("palette", ":re"),
    ("filter_fields", "3/"),
    ("filter_values", "3/agent:b* state:"),
    ("filter_unknown", "3/colour:red"),
    ("held", "U"),
    ("messages", "3yi!"),
    ("explain", "6i"),
    ("themes", ":theme.choose\r"),
    ("sequence", "3y\u{7}"),
    ("compare", "5\rd"),
    ("edit", "5\re"),
];

const PANELS: &[Case] = &[
    ("strip", "2jja"),
    ("strip_reply", "2jjc"),
    ("panel_replay", "5R\u{7}"),
    ("panel_discard", "5D\u{7}"),
    ("panel_cancel", "3C\u{7}"),
    ("panel_approve_many", "2 j A"),
    ("panel_delegate", "2@"),
    ("panel_take", "2m"),
    ("panel_compose", "3+"),
    ("panel_pause", "6P"),
    ("panel_kill", "6K"),
    ("panel_limit", "6L"),
    ("panel_breaker", "6B"),
    ("panel_job_pause", "7P"),
    ("panel_job_cancel", "7C"),
    ("panel_view", "3/state:dead \u{13}"),
    ("panel_quit", "q"),
];

fn at(width: u16, height: u16, keys: &str) -> Bench {
    let mut bench = Bench::at(width, height);
    walk(&mut bench, keys);
    bench
}

/// Types the keys of a case.
pub(super) fn walk(bench: &mut Bench, keys: &str) {
    for letter in keys.chars() {
        match letter {
            '\r' => bench.key(KeyCode::Enter),
            '\t' => bench.key(KeyCode::Tab),
            '\u{7}' => bench.pass(8_100),
            '\u{13}' => bench.ctrl('s'),
            letter => bench.keys(&letter.to_string()),
        }
    }
    bench.settle();
}

/// A theme in which every role has a colour of its own.
fn probe() -> Theme {
    let mut text = "name = \"probe\"\n[roles]\n".to_owned();
    for (number, role) in Role::ALL.into_iter().enumerate() {
        writeln!(
            text,
            "\"{}\" = {{ fg = \"#0101{number:02x}\" }}",
            role.name()
        )
        .unwrap();
    }
    let mut themes = Themes::built_in();
    themes.add("probe", &text);
    let (theme, warnings) = themes.load("probe", Depth::True);
    assert!(warnings.is_empty(), "{warnings:?}");
    theme
}

/// The letter of a role on the map; body text is a dot.
const LETTERS: [char; 25] = [
    '.', 'd', 's', '-', '=', 't', 'T', 'k', 'i', 'C', 'm', 'g', 'q', 'a', 'r', 'h', 'w', 'G', 'B',
    'o', 'H', 'W', '!', 'f', 'b',
];

/// What each cell is, by its letter; nothing where nothing stands.
fn map(buffer: &Buffer) -> String {
    let area = buffer.area;
    let mut map = String::new();
    for y in area.top()..area.bottom() {
        let mut line = String::new();
        for x in area.left()..area.right() {
            let cell = &buffer[(x, y)];
            let letter = match cell.fg {
                Color::Rgb(1, 1, number) => LETTERS[usize::from(number)],
                other => panic!("a colour that no role has: {other:?} at {x},{y}"),
            };
            let is_plain = cell.symbol() == " " && matches!(letter, '.' | 'd' | 's' | 't' | 'k');
            line.push(if is_plain { ' ' } else { letter });
        }
        map.push_str(line.trim_end());
        map.push('\n');
    }
    map
}

fn trimmed(buffer: &Buffer) -> String {
    let text = text_of(buffer);
    let lines = text.lines().map(|line| format!("{}\n", line.trim_end()));
    lines.collect()
}

/// Everything about one screen.
fn sheet(open: &dyn Fn(u16, u16) -> Bench) -> String {
    let mut text = String::new();
    for (width, height) in SIZES {
        let mut bench = open(width, height);
        let drawn = bench.draw();
        write!(text, "── {width}x{height}\n{}", trimmed(&drawn)).unwrap();
        ascii_is_the_same(&mut bench, &drawn);
    }
    let roles = open(120, 36).draw_with(&probe());
    write!(text, "── roles at 120x36\n{}", map(&roles)).unwrap();
    for (width, height) in [(80, 24), (40, 9)] {
        let mut bench = open(width, height);
        bench.model.settings.is_plain = true;
        let aloud = trimmed(&bench.draw());
        write!(text, "── read aloud at {width}x{height}\n{aloud}").unwrap();
    }
    text
}

/// Every sign of a table, in its order.
fn signs(glyphs: &Glyphs) -> Vec<&'static str> {
    let boxes = [glyphs.light, glyphs.heavy, glyphs.round].map(|set| {
        [
            set.top_left,
            set.top_right,
            set.bottom_left,
            set.bottom_right,
            set.vertical_left,
            set.vertical_right,
            set.horizontal_top,
            set.horizontal_bottom,
        ]
    });
    let singles = [
        glyphs.cursor,
        glyphs.mark,
        glyphs.ellipsis,
        glyphs.up,
        glyphs.down,
        glyphs.arrow,
        glyphs.crumb,
        glyphs.none,
        glyphs.dot,
        glyphs.bar,
        glyphs.field,
        glyphs.folded,
        glyphs.unfolded,
        glyphs.masked,
        glyphs.live,
        glyphs.lag,
        glyphs.stale,
        glyphs.lost,
        glyphs.running,
        glyphs.backoff,
        glyphs.lease,
        glyphs.planned,
        glyphs.rule,
    ];
    singles
        .into_iter()
        .chain(glyphs.levels)
        .chain(glyphs.eighths)
        .chain(boxes.into_iter().flatten())
        .collect()
}

/// In ASCII each cell is what it was, or the sign that stands for it.
fn ascii_is_the_same(bench: &mut Bench, unicode: &Buffer) {
    bench.glyphs = &ASCII;
    let ascii = bench.draw();
    bench.glyphs = &UNICODE;
    let pairs: Vec<_> = signs(&UNICODE).into_iter().zip(signs(&ASCII)).collect();
    for (at, (one, other)) in unicode.content.iter().zip(&ascii.content).enumerate() {
        let (one, other) = (one.symbol(), other.symbol());
        let is_same = one == other || pairs.contains(&(one, other)) || matches!(one, "(•)" | "•");
        let line = at / usize::from(unicode.area.width);
        assert!(
            is_same,
            "{one:?} became {other:?} in line {line}:\n{}",
            text_of(&ascii)
        );
    }
}

fn shoot(cases: &[Case]) {
    for (name, keys) in cases {
        accept(name, &|width, height| at(width, height, keys));
    }
}

/// Screens whose files are kept; the others are only held against the rules.
const KEPT: [&str; 0] = [];

fn accept(name: &str, open: &dyn Fn(u16, u16) -> Bench) {
    let sheet = sheet(open);
    if !KEPT.contains(&name) {
        return;
    }
    with_settings!({ snapshot_path => "screens", prepend_module_to_snapshot => false, omit_expression => true }, {
        assert_snapshot!(name, sheet);
    });
}

#[test]
fn the_desks_look_as_accepted() {
    shoot(DESKS);
}

#[test]
fn an_intent_looks_as_accepted() {
    shoot(INTENT);
}

#[test]
fn what_lies_over_a_desk_looks_as_accepted() {
    shoot(OVERLAYS);
}

#[test]
fn strips_and_panels_look_as_accepted() {
    shoot(PANELS);
}

#[test]
fn a_link_that_is_bad_looks_as_accepted() {
    accept("link_down", &|width, height| {
        let mut bench = Bench::at(width, height);
        bench.feed_error();
        bench.elapsed_ms += 100;
        bench.feed_error();
        bench
    });
    accept("link_stale", &|width, height| {
        let mut bench = Bench::at(width, height);
        bench.elapsed_ms += 12_000;
        bench.input(crate::console::update::Input::Tick);
        bench
    });
    accept("read_only", &|width, height| {
        let mut bench = Bench::at(width, height);
        bench.model.settings.is_read_only = true;
        bench.keys("2");
        bench
    });
}

#[test]
fn a_broker_with_nothing_in_it_looks_as_accepted() {
    for (name, keys) in [
        ("empty_overview", ""),
        ("empty_inbox", "2"),
        ("empty_intents", "3"),
        ("empty_dead_letters", "5"),
        ("empty_jobs", "7"),
    ] {
        accept(name, &|width, height| {
            let desk = FakeDesk::new();
            desk.script(|script| {
                script.overview = crate::desk::rows::Overview {
                    at: super::fixtures::now(),
                    ..Default::default()
                };
                script.agents.clear();
                script.tasks.clear();
                script.intents.clear();
                script.attempts.clear();
                script.groups.clear();
                script.letters.clear();
                script.jobs.clear();
                script.audit.clear();
                script.held.clear();
            });
            let mut bench = Bench::with(desk, width, height);
            walk(&mut bench, keys);
            bench
        });
    }
}

#[test]
fn what_each_theme_makes_of_the_roles_is_as_accepted() {
    let mut text = String::new();
    for name in Themes::built_in().names() {
        writeln!(text, "── {name}").unwrap();
        let (theme, _) = Themes::built_in().load(name, Depth::True);
        for (role, letter) in Role::ALL.into_iter().zip(LETTERS) {
            let look = look(theme.style(role));
            writeln!(text, "{letter} {:<16} {look}", role.name()).unwrap();
        }
    }
    with_settings!({ snapshot_path => "screens", prepend_module_to_snapshot => false, omit_expression => true }, {
        assert_snapshot!("themes_roles", text);
    });
}

/// A style in words.
fn look(style: Style) -> String {
    let mut words = Vec::new();
    if let Some(front) = style.fg {
        words.push(front.to_string());
    }
    if let Some(back) = style.bg {
        words.push(format!("on {back}"));
    }
    if !style.add_modifier.is_empty() {
        words.push(format!("{:?}", style.add_modifier).to_lowercase());
    }
    words.join(" ")
}

#[test]
fn no_line_is_wider_than_the_screen_and_nothing_of_the_machine_is_shown() {
    for (_, keys) in ALL.iter().copied().flatten() {
        let mut bench = at(80, 24, keys);
        for line in bench.screen().lines() {
            assert_eq!(width(line), 80, "{keys:?}: {line:?}");
            assert!(!line.contains("/tmp") && !line.contains("/home"), "{line}");
        }
    }
}
