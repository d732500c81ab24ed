//! The signs of the screen, as a table: once in Unicode, once in ASCII.

pub(crate) mod spoken;

use ratatui::symbols::border;

pub use self::spoken::SPOKEN;

/// Every sign the console draws. No emoji, no variation selectors, no special fonts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glyphs {
    /// The row under the cursor.
    pub cursor: &'static str,
    /// A marked row; following.
    pub mark: &'static str,
    /// A text that was cut.
    pub ellipsis: &'static str,
    /// Rising; newer; ascending.
    pub up: &'static str,
    /// Falling; older; descending.
    pub down: &'static str,
    /// From one to the other.
    pub arrow: &'static str,
    /// Between crumbs.
    pub crumb: &'static str,
    /// Nothing there.
    pub none: &'static str,
    /// Between facts of a title.
    pub dot: &'static str,
    /// Between items of the header.
    pub bar: &'static str,
    /// Where a text field begins.
    pub field: &'static str,
    /// What can be unfolded.
    pub folded: &'static str,
    /// What can be folded.
    pub unfolded: &'static str,
    /// Hides a masked letter.
    pub masked: &'static str,
    /// The chosen one of several.
    pub chosen: &'static str,
    /// Not the chosen one.
    pub unchosen: &'static str,
    /// The link is up.
    pub live: &'static str,
    /// The link lags.
    pub lag: &'static str,
    /// What is shown is stale.
    pub stale: &'static str,
    /// The link is down.
    pub lost: &'static str,
    /// The eight levels of a spark, lowest first.
    pub levels: [&'static str; 8],
    /// Eighths of a bar's last cell, from one eighth to a full cell.
    pub eighths: [&'static str; 8],
    /// An attempt that runs.
    pub running: &'static str,
    /// Waiting for the next attempt.
    pub backoff: &'static str,
    /// Waiting for a lease.
    pub lease: &'static str,
    /// When the next attempt may begin.
    pub planned: &'static str,
    /// A lease that was lost.
    pub lost_lease: &'static str,
    /// The line of a ruled section.
    pub rule: &'static str,
    /// A box.
    pub light: border::Set<'static>,
    /// The box that has the focus.
    pub heavy: border::Set<'static>,
    /// A strip within a list.
    pub round: border::Set<'static>,
}

/// Signs of Unicode that are one cell wide in every font of the trade.
pub const UNICODE: Glyphs = Glyphs {
    cursor: "▶",
    mark: "●",
    ellipsis: "…",
    up: "▲",
    down: "▼",
    arrow: "→",
    crumb: "›",
    none: "–",
    dot: "·",
    bar: "│",
    field: "▏",
    folded: "▸",
    unfolded: "▾",
    masked: "•",
    chosen: "(•)",
    unchosen: "( )",
    live: "●",
    lag: "◌",
    stale: "■",
    lost: "○",
    levels: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    eighths: ["▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"],
    running: "█",
    backoff: "░",
    lease: "▒",
    planned: "~",
    lost_lease: "?",
    rule: "─",
    light: border::PLAIN,
    heavy: border::THICK,
    round: border::ROUNDED,
};

const ASCII_LIGHT: border::Set<'static> = border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

const ASCII_HEAVY: border::Set<'static> = border::Set {
    top_left: "#",
    top_right: "#",
    bottom_left: "#",
    bottom_right: "#",
    vertical_left: "#",
    vertical_right: "#",
    horizontal_top: "=",
    horizontal_bottom: "=",
};

/// Signs every terminal has.
pub const ASCII: Glyphs = Glyphs {
    cursor: ">",
    mark: "*",
    ellipsis: "~",
    up: "^",
    down: "v",
    arrow: ">",
    crumb: ">",
    none: "-",
    dot: "-",
    bar: "|",
    field: ":",
    folded: "+",
    unfolded: "-",
    masked: "*",
    chosen: "(*)",
    unchosen: "( )",
    live: "*",
    lag: "o",
    stale: "#",
    lost: "x",
    levels: ["_", ".", ",", "-", "=", "+", "*", "#"],
    eighths: [".", ".", ".", "-", "-", "=", "=", "#"],
    running: "#",
    backoff: ".",
    lease: "-",
    planned: "~",
    lost_lease: "?",
    rule: "-",
    light: ASCII_LIGHT,
    heavy: ASCII_HEAVY,
    round: ASCII_LIGHT,
};

/// What stands in ASCII for a sign of our sentences, which are written with these and no others.
pub(crate) fn in_ascii(sign: &str) -> Option<&'static str> {
    Some(match sign {
        "\u{2026}" => ASCII.ellipsis,
        "\u{2013}" | "\u{2212}" => "-",
        "\u{2192}" => ">",
        "\u{b7}" => ".",
        "\u{d7}" => "x",
        "\u{b1}" => "~",
        "\u{2022}" => "*",
        _ => return None,
    })
}

impl Glyphs {
    /// The table the terminal can show: `ascii` for locales that are not UTF-8 and the Linux console.
    /// `locale` is the first of `LC_ALL`, `LC_CTYPE` and `LANG` that is set.
    #[must_use]
    pub fn announced(term: Option<&str>, locale: Option<&str>) -> &'static Self {
        let locale = locale.unwrap_or_default().to_ascii_lowercase();
        let is_utf8 = locale.contains("utf-8") || locale.contains("utf8");
        if term == Some("linux") || !is_utf8 {
            &ASCII
        } else {
            &UNICODE
        }
    }

    /// The table of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        match name {
            "unicode" => Some(&UNICODE),
            "ascii" => Some(&ASCII),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sign_is_one_cell_wide_and_ascii_is_ascii() {
        for (glyphs, is_ascii) in [(UNICODE, false), (ASCII, true)] {
            let text = format!("{glyphs:?}");
            assert!(text.is_ascii() == is_ascii);
            for sign in glyphs.levels.iter().chain(&glyphs.eighths).chain([
                &glyphs.cursor,
                &glyphs.mark,
                &glyphs.ellipsis,
                &glyphs.up,
                &glyphs.arrow,
                &glyphs.running,
                &glyphs.lease,
                &glyphs.folded,
            ]) {
                assert_eq!(crate::console::sanitise::width(sign), 1, "{sign}");
            }
        }
    }

    #[test]
    fn the_locale_chooses_the_table() {
        assert_eq!(
            Glyphs::announced(Some("xterm"), Some("de_DE.UTF-8")),
            &UNICODE
        );
        assert_eq!(
            Glyphs::announced(Some("linux"), Some("de_DE.UTF-8")),
            &ASCII
        );
        assert_eq!(Glyphs::announced(Some("xterm"), Some("C")), &ASCII);
        assert_eq!(Glyphs::announced(Some("xterm"), None), &ASCII);
    }
}
