//! How many colours the terminal can show, and bringing a theme down to them.

use ratatui::style::{Color, Style};

/// What the terminal announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// The terminal's own sixteen.
    Ansi16,
    /// The 256 of xterm.
    Indexed256,
    /// 24 bits.
    True,
}

impl Depth {
    /// What `COLORTERM` and `TERM` announce.
    #[must_use]
    pub fn announced(colorterm: Option<&str>, term: Option<&str>) -> Self {
        let colorterm = colorterm.unwrap_or_default();
        let term = term.unwrap_or_default();
        if matches!(colorterm, "truecolor" | "24bit") || term.ends_with("-direct") {
            Self::True
        } else if term.contains("256color") {
            Self::Indexed256
        } else {
            Self::Ansi16
        }
    }
}

/// The style with colours the terminal can show.
#[must_use]
pub fn style(mut style: Style, depth: Depth) -> Style {
    style.fg = style.fg.map(|front| color(front, depth));
    style.bg = style.bg.map(|back| color(back, depth));
    style
}

/// The nearest colour the terminal can show.
#[must_use]
pub fn color(color: Color, depth: Depth) -> Color {
    match (color, depth) {
        (Color::Rgb(red, green, blue), Depth::Indexed256) => {
            Color::Indexed(nearest_index([red, green, blue]))
        }
        (Color::Rgb(red, green, blue), Depth::Ansi16) => nearest_ansi([red, green, blue]),
        (Color::Indexed(index), Depth::Ansi16) if index >= 16 => nearest_ansi(value_of(index)),
        (other, _) => other,
    }
}

/// The six levels of each part of the colour cube.
const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// The sixteen as xterm shows them; real terminals differ, so this only picks the kin.
const ANSI: [(Color, [u8; 3]); 16] = [
    (Color::Black, [0, 0, 0]),
    (Color::Red, [205, 0, 0]),
    (Color::Green, [0, 205, 0]),
    (Color::Yellow, [205, 205, 0]),
    (Color::Blue, [0, 0, 238]),
    (Color::Magenta, [205, 0, 205]),
    (Color::Cyan, [0, 205, 205]),
    (Color::Gray, [229, 229, 229]),
    (Color::DarkGray, [127, 127, 127]),
    (Color::LightRed, [255, 0, 0]),
    (Color::LightGreen, [0, 255, 0]),
    (Color::LightYellow, [255, 255, 0]),
    (Color::LightBlue, [92, 92, 255]),
    (Color::LightMagenta, [255, 0, 255]),
    (Color::LightCyan, [0, 255, 255]),
    (Color::White, [255, 255, 255]),
];

fn distance(one: [u8; 3], other: [u8; 3]) -> u32 {
    one.into_iter()
        .zip(other)
        .map(|(one, other)| u32::from(one.abs_diff(other)).pow(2))
        .sum()
}

fn value_of(index: u8) -> [u8; 3] {
    if let Some(gray) = index.checked_sub(232) {
        return [8 + gray * 10; 3];
    }
    let level = |part: u8| {
        LEVELS
            .get(usize::from(part % 6))
            .copied()
            .unwrap_or_default()
    };
    match index.checked_sub(16) {
        Some(cube) => [level(cube / 36), level(cube / 6), level(cube)],
        None => ANSI
            .get(usize::from(index))
            .map(|(_, value)| *value)
            .unwrap_or_default(),
    }
}

fn nearest_index(value: [u8; 3]) -> u8 {
    (16..=255)
        .min_by_key(|index| distance(value, value_of(*index)))
        .unwrap_or(16)
}

fn nearest_ansi(value: [u8; 3]) -> Color {
    let near = ANSI.iter().min_by_key(|(_, ansi)| distance(value, *ansi));
    near.map_or(Color::Reset, |(color, _)| *color)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_terminal_says_how_many_colours_it_has() {
        assert_eq!(
            Depth::announced(Some("truecolor"), Some("xterm")),
            Depth::True
        );
        assert_eq!(
            Depth::announced(None, Some("xterm-256color")),
            Depth::Indexed256
        );
        assert_eq!(Depth::announced(None, Some("linux")), Depth::Ansi16);
        assert_eq!(Depth::announced(None, None), Depth::Ansi16);
    }

    #[test]
    fn true_colour_is_brought_down_to_its_kin() {
        let red = Color::Rgb(0xef, 0x10, 0x10);
        assert_eq!(color(red, Depth::True), red);
        assert_eq!(color(red, Depth::Indexed256), Color::Indexed(196));
        assert_eq!(color(red, Depth::Ansi16), Color::LightRed);
        assert_eq!(
            color(Color::Rgb(8, 8, 8), Depth::Indexed256),
            Color::Indexed(232)
        );
        assert_eq!(color(Color::Indexed(21), Depth::Ansi16), Color::Blue);
        assert_eq!(color(Color::Cyan, Depth::Ansi16), Color::Cyan);
    }
}
