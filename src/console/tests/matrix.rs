//! Every screen at every size, in every theme, in ASCII and read aloud: one readable file to a screen.
//!
//! A file holds, for each size, the text, a map of roles and what is read aloud. To stay small and honest:
//!
//! - **Dark, light and mono** differ only in what they make of a role. That is kept once for all screens, in
//!   `themes_roles.snap`; each screen keeps its roles, and each is drawn in every theme and held cell by cell
//!   against that table, so that a pane that painted by itself would fail here.
//! - **ASCII** is the same text with other signs. It is drawn and held cell by cell against the text in Unicode
//!   and the table of signs, and not written down again.
//! - A screen that lies over another (a panel over its desk) keeps only the rows that differ. The first line of
//!   the file names what is below; `⋮ 9 rows` stands for rows that are the same there.
//! - The map of roles is written in runs: `5-9   -1 .40 G2` is rows five to nine, a cell of border, forty of
//!   body text and two of good. The letters stand in `themes_roles.snap`. Blanks that look the same in every
//!   role belong to the run before them.
//!
//! After a change on purpose: `INSTA_UPDATE=always cargo nextest run --lib console::tests::matrix`, and the
//! difference is read before it is kept. A file without a screen fails, as a screen without a file does.

mod cases;
mod sheet;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use insta::{assert_snapshot, with_settings};
use ratatui::style::Style;

use super::Bench;
use super::kinds::KINDS;
use crate::console::sanitise::width;
use crate::console::theme::Role;

pub(super) use self::cases::{ALL, walk};
use self::cases::{Case, DESKS, INTENT, OVERLAYS, PANELS, STATES, at, below, compare, strip};
use self::sheet::{LETTERS, Open, every_theme, sheet};

fn keep(name: &str, text: &str) {
    with_settings!({ snapshot_path => "screens", prepend_module_to_snapshot => false, omit_expression => true }, {
        assert_snapshot!(name, text);
    });
}

fn shoot(cases: &[Case]) {
    for (name, keys) in cases {
        let open = |width, height| at(width, height, keys);
        let Some((under, begin)) = below(name, keys) else {
            keep(name, &sheet(None, &open));
            continue;
        };
        let under_it: Open<'_> = &|width, height| at(width, height, begin);
        keep(name, &sheet(Some((under, under_it)), &open));
    }
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
fn a_bad_link_and_an_empty_broker_look_as_accepted() {
    for (name, open) in STATES {
        let under: Open<'_> = &|width, height| at(width, height, "");
        keep(name, &sheet(Some(("overview", under)), open));
    }
}

#[test]
fn a_difference_looks_as_accepted() {
    let under: Open<'_> = &|width, height| at(width, height, "5\r");
    keep(
        "compare",
        &sheet(Some(("dead_letters_group", under)), &compare),
    );
}

#[test]
fn the_strip_of_every_type_looks_as_accepted() {
    for kind in KINDS {
        let under: Open<'_> = &|width, height| at(width, height, "2jj");
        let open = |width, height| strip(width, height, kind);
        keep(&strip_name(kind), &sheet(Some(("inbox", under)), &open));
    }
}

fn strip_name(kind: &str) -> String {
    format!("strip_of_{kind}")
}

#[test]
fn what_each_theme_makes_of_the_roles_is_as_accepted() {
    let mut text = String::new();
    for theme in every_theme() {
        writeln!(text, "── {}", theme.name()).unwrap();
        for (role, letter) in Role::ALL.into_iter().zip(LETTERS) {
            let look = look(theme.style(role));
            writeln!(text, "{letter} {:<16} {look}", role.name()).unwrap();
        }
    }
    keep("themes_roles", &text);
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
fn each_file_belongs_to_a_screen_and_each_screen_has_one() {
    let cases = ALL.iter().copied().flatten().map(|(name, _)| *name);
    let states = STATES.iter().map(|(name, _)| *name);
    let strips = KINDS.map(strip_name);
    let wanted: BTreeSet<String> = cases
        .chain(states)
        .chain(["themes_roles", "compare"])
        .map(str::to_owned)
        .chain(strips)
        .collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/console/tests/screens");
    let files = std::fs::read_dir(folder).unwrap().flatten();
    let names = files.filter_map(|file| {
        let name = file.file_name().into_string().unwrap();
        Some(name.strip_suffix(".snap")?.to_owned())
    });
    assert_eq!(names.collect::<BTreeSet<_>>(), wanted);
}

#[test]
fn no_line_is_wider_than_the_screen_and_nothing_of_the_machine_is_shown() {
    for (_, keys) in ALL.iter().copied().flatten() {
        let mut bench: Bench = at(80, 24, keys);
        for line in bench.screen().lines() {
            assert_eq!(width(line), 80, "{keys:?}: {line:?}");
            assert!(!line.contains("/tmp") && !line.contains("/home"), "{line}");
        }
    }
}
