use proptest::prelude::*;
use ratatui::style::Modifier;

use super::super::testing::{draw, paint};
use super::columns::{Column, place};
use super::*;

const INBOX: [Column; 7] = [
    Column::new("DUE", 0, 7, 7).right(),
    Column::new("TYPE", 1, 8, 13),
    Column::new("TASK", 2, 8, 8),
    Column::new("ASKS", 3, 32, 33).growing(),
    Column::new("SENDER", 6, 7, 11),
    Column::new("WHO", 4, 2, 5),
    Column::new("AGE", 5, 3, 5).right(),
];

fn rows() -> Vec<Row> {
    let row = |cells: [&str; 7]| Row::of(cells.into_iter().map(Cell::from).collect());
    let mut rows = vec![
        row([
            "-12m !!",
            "override",
            "c41f07d2",
            "skip dedupe for 3 intents",
            "bob",
            "–",
            "42m",
        ]),
        row([
            "9m",
            "approval",
            "8fd03e1b",
            "wire 48,000.00 EUR → NORDWIND AB",
            "payouts",
            "me",
            "1m",
        ]),
        row([
            "22m",
            "review",
            "7e12c9af",
            "template \u{202E}",
            "carol",
            "–",
            "8m",
        ]),
    ];
    rows[1].is_marked = true;
    rows[2].ghost = Some("completed 2s ago".to_owned());
    rows
}

fn table(rows: &[Row], columns: u16) -> Table<'_> {
    Table {
        cursor: Some(1),
        has_marks: columns >= 60,
        is_focused: true,
        shape: Shape::at_width(columns),
        has_header: columns >= 60,
        ..Table::new(&INBOX, rows)
    }
}

fn text(columns: u16, lines: u16) -> String {
    let rows = rows();
    draw(columns, lines, |area, buffer| {
        table(&rows, columns).draw(area, buffer, paint());
    })
}

#[test]
fn columns_go_by_importance_as_the_width_shrinks() {
    insta::assert_snapshot!("table_116", text(116, 4));
    insta::assert_snapshot!("table_80", text(80, 4));
    assert!(text(116, 4).contains("SENDER"));
    assert!(!text(80, 4).contains("SENDER"));
}

#[test]
fn at_40_columns_the_row_under_the_cursor_takes_two_lines() {
    insta::assert_snapshot!("table_40", text(40, 5));
}

#[test]
fn the_cursor_is_a_sign_and_reversed_and_a_strip_fits_under_it() {
    let rows = rows();
    let mut found = Drawn::default();
    let mut style = Style::new();
    draw(80, 8, |area, buffer| {
        let table = Table {
            below_cursor: 2,
            ..table(&rows, 80)
        };
        found = table.draw(area, buffer, paint());
        style = buffer[(40, 2)].style();
    });
    assert!(style.add_modifier.contains(Modifier::REVERSED));
    assert_eq!(found.below_cursor, Some(Rect::new(0, 3, 80, 2)));
    assert_eq!(found.rows[2], (2, Rect::new(0, 5, 80, 1)));
    assert_eq!(found.headings[0].0, 0);
}

#[test]
fn scrolling_moves_no_more_than_it_must() {
    assert_eq!(first_shown(0, 4, 10, 5), 0);
    assert_eq!(first_shown(0, 5, 10, 5), 1);
    assert_eq!(first_shown(3, 2, 10, 5), 2);
    assert_eq!(first_shown(9, 9, 10, 5), 5);
    assert_eq!(first_shown(5, 0, 0, 5), 0);
}

#[test]
fn an_empty_list_says_so() {
    let text = draw(40, 2, |area, buffer| {
        let table = Table {
            empty: "nothing waits for you",
            ..Table::new(&INBOX, &[])
        };
        table.draw(area, buffer, paint());
    });
    assert!(text.contains("nothing waits for you"));
}

proptest! {
    #[test]
    fn placed_columns_never_overlap_nor_leave_the_room(room in 0_u16..200, gap in 0_u16..4) {
        let mut edge = 0;
        for (index, placed) in place(&INBOX, room, gap).into_iter().enumerate() {
            prop_assert!(index == 0 || placed.x >= edge + gap);
            edge = placed.x + placed.width;
            prop_assert!(edge <= room);
        }
    }

    #[test]
    fn hostile_cells_move_no_border(
        text in any::<String>(), columns in 1_u16..130, lines in 1_u16..6, cursor in 0_usize..3
    ) {
        let mut rows = rows();
        for row in &mut rows {
            row.cells[3] = text.as_str().into();
            row.cells[1] = text.as_str().into();
        }
        draw(columns, lines, |area, buffer| {
            let inner = Rect { width: area.width.saturating_sub(1), ..area };
            let table = Table { cursor: Some(cursor), ..table(&rows, columns) };
            table.draw(inner, buffer, paint());
            for y in 0..lines {
                assert_eq!(buffer[(area.width - 1, y)].symbol(), " ");
            }
        });
    }
}
