//! The file of one screen: what it shows at each size, and what is the same on the screen below it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::OnceLock;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

use super::super::{Bench, text_of};
use crate::console::theme::depth::Depth;
use crate::console::theme::glyphs::{ASCII, Glyphs, UNICODE, in_ascii};
use crate::console::theme::{Role, Theme, Themes};

const SIZES: [(u16, u16); 4] = [(120, 36), (80, 24), (60, 16), (40, 9)];

/// The letter of a role on the map; body text is a dot.
pub(super) const LETTERS: [char; 25] = [
    '.', 'd', 's', '-', '=', 't', 'T', 'k', 'i', 'C', 'm', 'g', 'q', 'a', 'r', 'h', 'w', 'G', 'B',
    'o', 'H', 'W', '!', 'f', 'b',
];

/// Opens a screen at a size.
pub(super) type Open<'a> = &'a dyn Fn(u16, u16) -> Bench;

/// What one screen shows at one size.
struct Seen {
    text: Vec<String>,
    roles: Vec<String>,
    aloud: Vec<String>,
}

/// Everything about one screen; `below` is what it lies over.
pub(super) fn sheet(below: Option<(&str, Open<'_>)>, open: Open<'_>) -> String {
    let mut text = match below {
        Some((name, _)) => format!("over {name}\n"),
        None => String::new(),
    };
    for (width, height) in SIZES {
        let mut bench = open(width, height);
        hold_to_the_rules(&mut bench);
        let seen = see(&mut bench);
        let under = below.map(|(_, open)| see(&mut open(width, height)));
        let under = |rows: fn(&Seen) -> &[String]| under.as_ref().map_or(&[][..], rows);
        write!(
            text,
            "── {width}x{height}\n{}── roles\n{}── read aloud\n{}",
            folded(&seen.text, under(|seen| &seen.text)),
            listed(&seen.roles, under(|seen| &seen.roles)),
            folded(&seen.aloud, under(|seen| &seen.aloud)),
        )
        .unwrap();
    }
    text
}

fn see(bench: &mut Bench) -> Seen {
    let (text, roles) = (rows(&bench.draw()), map(&bench.draw_with(probe())));
    bench.model.settings.is_plain = true;
    let mut aloud = rows(&bench.draw());
    bench.model.settings.is_plain = false;
    while aloud.last().is_some_and(String::is_empty) {
        aloud.pop();
    }
    Seen { text, roles, aloud }
}

fn rows(buffer: &Buffer) -> Vec<String> {
    let text = text_of(buffer);
    text.lines()
        .map(|line| line.trim_end().to_owned())
        .collect()
}

/// Rows as they are; two and more that are the same on the screen below become one.
fn folded(rows: &[String], below: &[String]) -> String {
    let mut text = String::new();
    let mut at = 0;
    while at < rows.len() {
        let is_same = |place: &usize| rows.get(*place) == below.get(*place);
        let same = (at..rows.len()).take_while(is_same).count();
        if same > 1 {
            writeln!(text, "⋮ {same} rows").unwrap();
            at += same;
        } else {
            writeln!(text, "{}", rows[at]).unwrap();
            at += 1;
        }
    }
    text
}

/// The rows that are not the same on the screen below, by their numbers; the same one after another become one.
fn listed(rows: &[String], below: &[String]) -> String {
    let mut text = String::new();
    let mut at = 0;
    while at < rows.len() {
        let is_alike =
            |place: &usize| rows[*place] == rows[at] && below.get(*place) != rows.get(*place);
        let alike = (at..rows.len()).take_while(is_alike).count();
        if alike == 0 {
            at += 1;
            continue;
        }
        let (first, last) = (at + 1, at + alike);
        let place = if alike == 1 {
            first.to_string()
        } else {
            format!("{first}-{last}")
        };
        let line = format!("{place:<5} {}", rows[at]);
        writeln!(text, "{}", line.trim_end()).unwrap();
        at = last;
    }
    text
}

/// A theme in which every role has a colour of its own.
fn probe() -> &'static Theme {
    static PROBE: OnceLock<Theme> = OnceLock::new();
    PROBE.get_or_init(|| {
        let mut text = "name = \"probe\"\n[roles]\n".to_owned();
        for (number, role) in Role::ALL.into_iter().enumerate() {
            let name = role.name();
            writeln!(text, "\"{name}\" = {{ fg = \"#0101{number:02x}\" }}").unwrap();
        }
        let mut themes = Themes::built_in();
        themes.add("probe", &text);
        let (theme, warnings) = themes.load("probe", Depth::True);
        assert!(warnings.is_empty(), "{warnings:?}");
        theme
    })
}

/// The role of a cell that was drawn with the probe.
fn role_of(cell: &Cell) -> Role {
    match cell.fg {
        Color::Rgb(1, 1, number) => Role::ALL[usize::from(number)],
        other => panic!("a colour that no role has: {other:?}"),
    }
}

/// Roles that can be seen where nothing stands, in one theme or another.
fn shows_on_blanks(role: Role) -> bool {
    static SHOWING: OnceLock<BTreeSet<Role>> = OnceLock::new();
    let showing = SHOWING.get_or_init(|| {
        let shows = |role: &Role| {
            every_theme().iter().any(|theme| {
                let style = theme.style(*role);
                style.bg != theme.style(Role::Text).bg
                    || style.add_modifier.intersects(
                        Modifier::REVERSED | Modifier::UNDERLINED | Modifier::CROSSED_OUT,
                    )
            })
        };
        Role::ALL.into_iter().filter(shows).collect()
    });
    showing.contains(&role)
}

pub(super) fn every_theme() -> &'static [Theme] {
    static EVERY: OnceLock<Vec<Theme>> = OnceLock::new();
    EVERY.get_or_init(|| {
        let themes = Themes::built_in();
        let load = |name| themes.load(name, Depth::True).0;
        themes.names().map(load).collect()
    })
}

/// What each row is, in runs of one role.
fn map(buffer: &Buffer) -> Vec<String> {
    let area = buffer.area;
    let row = |y: u16| {
        let mut runs: Vec<(char, usize)> = Vec::new();
        let mut blanks = 0;
        for x in area.left()..area.right() {
            let cell = &buffer[(x, y)];
            let role = role_of(cell);
            if cell.symbol() == " " && !shows_on_blanks(role) {
                blanks += 1;
                continue;
            }
            let letter = LETTERS[role as usize];
            let before = std::mem::take(&mut blanks);
            match runs.last_mut() {
                Some((last, count)) if *last == letter => *count += before + 1,
                Some((_, count)) => {
                    *count += before;
                    runs.push((letter, 1));
                }
                None => {
                    runs.extend((before > 0).then_some(('.', before)));
                    runs.push((letter, 1));
                }
            }
        }
        let words = runs
            .iter()
            .map(|(letter, count)| format!("{letter}{count}"));
        words.collect::<Vec<_>>().join(" ")
    };
    (area.top()..area.bottom()).map(row).collect()
}

/// What is true of every screen and need not be written down for each.
fn hold_to_the_rules(bench: &mut Bench) {
    let unicode = bench.draw();
    bench.glyphs = &ASCII;
    let ascii = bench.draw();
    bench.glyphs = &UNICODE;
    ascii_is_the_same(&unicode, &ascii);
    let roles = bench.draw_with(probe());
    for theme in every_theme() {
        looks_by_its_roles(&roles, &bench.draw_with(theme), theme);
    }
}

/// A theme changes how cells look, by their roles, and nothing else.
fn looks_by_its_roles(roles: &Buffer, drawn: &Buffer, theme: &Theme) {
    let text = theme.style(Role::Text);
    for (at, (cell, seen)) in roles.content.iter().zip(&drawn.content).enumerate() {
        let role = role_of(cell);
        let style = text.patch(theme.style(role));
        let wanted = (
            cell.symbol(),
            style.fg.unwrap_or_default(),
            style.bg.unwrap_or_default(),
        );
        let line = at / usize::from(roles.area.width);
        let found = (seen.symbol(), seen.fg, seen.bg);
        let name = (theme.name(), role.name());
        assert_eq!(
            found,
            wanted,
            "{name:?} in line {line}:\n{}",
            text_of(drawn)
        );
        // The place where one types is turned round.
        let rest = seen.modifier.difference(style.add_modifier);
        let is_caret = role == Role::Input && rest == Modifier::REVERSED;
        let has_all = seen.modifier.contains(style.add_modifier);
        assert!(
            has_all && (rest.is_empty() || is_caret),
            "{name:?} is {:?} in line {line}:\n{}",
            seen.modifier,
            text_of(drawn)
        );
    }
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
fn ascii_is_the_same(unicode: &Buffer, ascii: &Buffer) {
    let pairs: Vec<_> = signs(&UNICODE).into_iter().zip(signs(&ASCII)).collect();
    for (at, (one, other)) in unicode.content.iter().zip(&ascii.content).enumerate() {
        let (one, other) = (one.symbol(), other.symbol());
        let is_same = match in_ascii(one) {
            Some(plain) => plain == other || pairs.contains(&(one, other)),
            None => one == other || pairs.contains(&(one, other)),
        };
        let line = at / usize::from(unicode.area.width);
        assert!(
            is_same,
            "{one:?} became {other:?} in line {line}:\n{}",
            text_of(ascii)
        );
    }
}
