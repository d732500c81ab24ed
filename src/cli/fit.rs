//! Tables that fit the terminal: ids by their end, no word broken while there is room, and what has no room left out.

use unicode_width::UnicodeWidthStr;

/// Between two columns.
const GAP: usize = 2;

/// A piece that is longer is broken in its middle.
const PIECE_MAX: usize = 24;

/// So many columns stay, however narrow the terminal.
const COLUMNS_MIN: usize = 3;

/// A table as it is drawn: cells may have several lines.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fitted {
    pub(super) headings: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
    /// Headings of the columns for which there was no room.
    pub(super) left_out: Vec<String>,
}

/// Fits a table into `width` columns of a terminal.
pub(super) fn fit(headings: Vec<String>, rows: Vec<Vec<String>>, width: usize) -> Fitted {
    let mut table = Fitted {
        headings,
        rows,
        left_out: Vec::new(),
    };
    if total(&table.widest(str::width)) <= width {
        return table;
    }
    for cell in table.rows.iter_mut().flatten() {
        if uuid::Uuid::try_parse(cell).is_ok_and(|id| id.hyphenated().to_string() == *cell) {
            // As the console shows it; where an id is wanted, its end is enough.
            *cell = super::ids::end(cell).to_owned();
        }
    }
    let is_blank = |cells: &Vec<String>, at: usize| {
        cells
            .get(at)
            .is_none_or(|cell| matches!(cell.as_str(), "" | "-"))
    };
    for at in (0..table.headings.len()).rev() {
        if table.rows.iter().all(|cells| is_blank(cells, at)) {
            table.remove(at);
        }
    }
    while total(&table.widest(longest_piece)) > width && table.headings.len() > COLUMNS_MIN {
        let last = table.headings.len().saturating_sub(1);
        let heading = table.remove(last);
        table.left_out.insert(0, heading);
    }
    let mut least = table.widest(longest_piece);
    // The last columns stay, so it is their words that give way.
    for _ in width..total(&least) {
        if let Some(widest) = least.iter_mut().max() {
            *widest = widest.saturating_sub(1).max(1);
        }
    }
    let widths = shares(least, &table.widest(str::width), width);
    for cells in &mut table.rows {
        for (cell, width) in cells.iter_mut().zip(&widths) {
            *cell = wrapped(cell, *width);
        }
    }
    table
}

impl Fitted {
    /// For each column, the most that one of its cells or its heading measures.
    fn widest(&self, measure: fn(&str) -> usize) -> Vec<usize> {
        let of = |at: usize| {
            let cells = self.rows.iter().filter_map(|cells| cells.get(at));
            cells.map(|cell| measure(cell)).max().unwrap_or(0)
        };
        let headings = self.headings.iter().enumerate();
        headings
            .map(|(at, heading)| heading.width().max(of(at)))
            .collect()
    }

    fn remove(&mut self, at: usize) -> String {
        for cells in &mut self.rows {
            if at < cells.len() {
                cells.remove(at);
            }
        }
        self.headings.remove(at)
    }
}

fn total(widths: &[usize]) -> usize {
    let gaps = widths.len().saturating_sub(1).saturating_mul(GAP);
    widths.iter().sum::<usize>().saturating_add(gaps)
}

/// What each column gets: its least, and of what is left an even share, those first that lack the least.
fn shares(mut widths: Vec<usize>, wanted: &[usize], room: usize) -> Vec<usize> {
    let mut left = room.saturating_sub(total(&widths));
    let lacks = widths.iter().zip(wanted);
    let lacks = lacks.map(|(width, wanted)| wanted.saturating_sub(*width));
    let mut order: Vec<(usize, usize)> = lacks.zip(0..).collect();
    order.sort_unstable();
    let count = order.len();
    for (index, (lack, at)) in order.into_iter().enumerate() {
        let share = left.checked_div(count.saturating_sub(index)).unwrap_or(0);
        let more = lack.min(share);
        left = left.saturating_sub(more);
        if let Some(width) = widths.get_mut(at) {
            *width = width.saturating_add(more);
        }
    }
    widths
}

/// A line that is no wider than the terminal, with a sign where something is missing.
pub(super) fn cut(line: &str, width: usize) -> String {
    if line.width() <= width {
        return line.trim_end().to_owned();
    }
    let mut shown = String::new();
    for letter in line.chars() {
        shown.push(letter);
        if shown.width() >= width {
            // Its last letter makes room for the sign.
            shown.pop();
            break;
        }
    }
    format!("{}…", shown.trim_end())
}

/// A line may end behind these.
fn pieces(cell: &str) -> impl Iterator<Item = &str> {
    cell.split_inclusive([' ', '.', '/', '_', ',', ':', '='])
}

fn longest_piece(cell: &str) -> usize {
    let longest = pieces(cell).map(|piece| piece.trim_end().width()).max();
    longest.unwrap_or(0).min(PIECE_MAX)
}

/// The cell in lines of at most `width`.
fn wrapped(cell: &str, width: usize) -> String {
    let (mut lines, mut line) = (Vec::new(), String::new());
    for piece in pieces(cell) {
        if !line.is_empty() && line.width().saturating_add(piece.trim_end().width()) > width {
            lines.push(std::mem::take(&mut line));
        }
        for letter in piece.chars() {
            let mut with = line.clone();
            with.push(letter);
            if letter != ' ' && !line.is_empty() && with.width() > width {
                lines.push(std::mem::take(&mut line));
            }
            line.push(letter);
        }
    }
    lines.push(line);
    let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01a22f56-2b7b-7128-84fb-02f408bf2d77";

    fn table(headings: &[&str], cells: &[&str], width: usize) -> Fitted {
        let own = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        fit(own(headings), vec![own(cells)], width)
    }

    #[test]
    fn what_fits_is_left_alone() {
        let fitted = table(&["ID", "STATUS"], &[ID, "FAILED"], 44);
        assert_eq!(fitted.rows, [[ID, "FAILED"]]);
        assert_eq!(fitted.headings, ["ID", "STATUS"]);
    }

    #[test]
    fn ids_are_shown_by_their_end_before_anything_is_broken() {
        let cells = [ID, "intent.order.process.v1", "orders", "-"];
        let fitted = table(&["ID", "TYPE", "TO", "ERROR"], &cells, 41);
        assert_eq!(
            fitted.rows,
            [["08bf2d77", "intent.order.process.v1", "orders"]]
        );
        let fitted = table(&["ID", "TYPE", "TO", "ERROR"], &cells, 34);
        assert_eq!(
            fitted.rows,
            [["08bf2d77", "intent.order.\nprocess.v1", "orders"]]
        );
        assert!(fitted.left_out.is_empty(), "{:?}", fitted.left_out);
    }

    #[test]
    fn columns_without_room_are_left_out_by_name_and_no_word_is_broken() {
        let headings = ["AGENT", "BINDING", "STATE", "RETRYING", "ACCOUNT"];
        let fitted = table(&headings, &["orders", "stream", "active", "0", "sa_1"], 24);
        assert_eq!(fitted.headings, ["AGENT", "BINDING", "STATE"]);
        assert_eq!(fitted.left_out, ["RETRYING", "ACCOUNT"]);
        assert_eq!(fitted.rows, [["orders", "stream", "active"]]);
    }

    #[test]
    fn a_line_that_is_cut_says_so_and_fits() {
        assert_eq!(cut("abc  ", 5), "abc");
        assert_eq!(cut("abcdef", 5), "abcd…");
        assert_eq!(cut("北京北京", 5), "北京…");
        for width in 1..12 {
            assert!(cut("a北b京c🎉d", width).width() <= width, "{width}");
        }
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_whatever_stands_in_it() {
        let long = "x".repeat(300);
        let said = "the receiver said: 北京北京北京北京 and then nothing more, 🎉🎉🎉";
        for width in [40, 57, 80] {
            let fitted = table(&["A", "B", "C"], &[said, &long, "a b"], width);
            let lines = |cell: &String| cell.lines().map(str::width).max().unwrap_or(0);
            let row = &fitted.rows[0];
            let sum: usize = row.iter().map(lines).sum();
            assert!(sum + 4 <= width, "{width}: {row:?}");
            let words: String = row[0].split_whitespace().collect();
            assert_eq!(words, said.split_whitespace().collect::<String>());
        }
    }
}
