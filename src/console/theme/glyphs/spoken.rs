//! Signs of the accessible screen: each stands for a word, and is told apart from whatever a text holds by
//! its place among the characters that nobody else uses (the end of the private use area).

use ratatui::symbols::border;

use super::Glyphs;

/// The row under the cursor.
pub(crate) const CURSOR: &str = "\u{F8C0}";
/// A marked row.
pub(crate) const MARK: &str = "\u{F8C1}";
/// Where a text field begins.
pub(crate) const FIELD: &str = "\u{F8C2}";
/// Hides a masked letter.
pub(crate) const MASKED: &str = "\u{F8C3}";
/// Between facts of a title.
pub(crate) const DOT: &str = "\u{F8C4}";
const UP: &str = "\u{F8C5}";
/// Falling; descending.
pub(crate) const DOWN: &str = "\u{F8C6}";
const ARROW: &str = "\u{F8C7}";
const CRUMB: &str = "\u{F8C8}";
const NONE: &str = "\u{F8C9}";
const FOLDED: &str = "\u{F8CA}";
const UNFOLDED: &str = "\u{F8CB}";
const CHOSEN: &str = "\u{F8CC}";
const UNCHOSEN: &str = "\u{F8CD}";
const LINK: &str = "\u{F8CE}";
const LOST_LEASE: &str = "\u{F8CF}";
/// The line of a ruled section, and the edges of boxes.
pub(crate) const RULE: &str = "\u{F8D0}";
/// A piece of a bar, a spark or a waterfall.
pub(crate) const BAR_OF_CHART: &str = "\u{F8D1}";

/// Signs that only paint.
pub(crate) const PAINT: [&str; 3] = [RULE, BAR_OF_CHART, LINK];

/// The words of the others.
pub(crate) const WORDS: [(&str, &str); 13] = [
    (CURSOR, "in focus"),
    (MARK, ""),
    (DOT, ","),
    (UP, "up"),
    (DOWN, "down"),
    (ARROW, "to"),
    (CRUMB, "then"),
    (NONE, "none"),
    (FOLDED, "folded"),
    (UNFOLDED, "open"),
    (CHOSEN, "chosen"),
    (UNCHOSEN, "not chosen"),
    (LOST_LEASE, "lease lost"),
];

const BOX: border::Set<'static> = border::Set {
    top_left: RULE,
    top_right: RULE,
    bottom_left: RULE,
    bottom_right: RULE,
    vertical_left: RULE,
    vertical_right: RULE,
    horizontal_top: RULE,
    horizontal_bottom: RULE,
};

/// Every sign as something to be said.
pub const SPOKEN: Glyphs = Glyphs {
    cursor: CURSOR,
    mark: MARK,
    ellipsis: "…",
    up: UP,
    down: DOWN,
    arrow: ARROW,
    crumb: CRUMB,
    none: NONE,
    dot: DOT,
    bar: DOT,
    field: FIELD,
    folded: FOLDED,
    unfolded: UNFOLDED,
    masked: MASKED,
    chosen: CHOSEN,
    unchosen: UNCHOSEN,
    live: LINK,
    lag: LINK,
    stale: LINK,
    lost: LINK,
    levels: [BAR_OF_CHART; 8],
    eighths: [BAR_OF_CHART; 8],
    running: BAR_OF_CHART,
    backoff: BAR_OF_CHART,
    lease: BAR_OF_CHART,
    lost_lease: LOST_LEASE,
    planned: BAR_OF_CHART,
    rule: RULE,
    light: BOX,
    heavy: BOX,
    round: BOX,
};
