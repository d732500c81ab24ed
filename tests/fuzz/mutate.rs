//! Inputs nobody would send: a real one with damage done to it.

/// Longer inputs teach nothing that these do not.
pub(crate) const BYTES_MAX: usize = 64 * 1024;

/// Numbers at which readers break.
const NUMBERS: [&str; 22] = [
    "0",
    "-0",
    "-1",
    "1",
    "127",
    "128",
    "255",
    "256",
    "65536",
    "2147483648",
    "4294967295",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "1e400",
    "1E-400",
    "0.1e1",
    "99999999999999999999999999999999999999999",
];

/// Text at which readers break: ends of lines, ends of text, letters that change their length with their case,
/// that have no width, that turn the direction, that are no letters.
const LETTERS: [&str; 26] = [
    "\0",
    "\t",
    "\n",
    "\r\n",
    "\u{1b}[2J",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{2028}",
    "\u{2029}",
    "\u{feff}",
    "\u{200b}",
    "\u{202e}",
    "\u{301}",
    "\u{130}",
    "\u{df}",
    "\u{1e9e}",
    "\u{3a3}",
    "\u{fb03}",
    "\u{1f600}",
    "\u{1f468}\u{200d}\u{1f469}",
    "\u{10ffff}",
    "\\ud800",
    "\\u0000",
    "%00",
    "\u{fffd}",
];

/// Numbers from a seed. SplitMix64.
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = self.0;
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.number() % u64::try_from(bound.max(1)).unwrap()).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.number().to_le_bytes()[0]
    }

    /// Short far more often than long.
    fn length(&mut self, most: usize) -> usize {
        let bits = self.below(12);
        1 + self.below(1 << bits).min(most.saturating_sub(1))
    }

    /// At least once; a few times, and now and then many.
    fn times(&mut self, few: usize, many: usize) -> usize {
        let most = if self.below(5) == 0 { many } else { few };
        1 + self.below(most)
    }

    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let from = self.below(length);
        let to = (from + self.length(length)).min(length);
        from..to
    }

    pub(crate) fn pick<'list, T: ?Sized>(&mut self, list: &[&'list T]) -> &'list T {
        list[self.below(list.len())]
    }
}

/// A descendant of one of `corpus`; `words` are the target's own.
pub(crate) fn descendant(dice: &mut Dice, corpus: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
    let mut bytes = corpus[dice.below(corpus.len())].clone();
    let rounds = dice.times(4, 16);
    for _round in 0..rounds {
        damage(dice, &mut bytes, corpus, words);
        bytes.truncate(BYTES_MAX);
    }
    bytes
}

fn damage(dice: &mut Dice, bytes: &mut Vec<u8>, corpus: &[Vec<u8>], words: &[&str]) {
    if bytes.is_empty() {
        bytes.extend_from_slice(word(dice, words).as_bytes());
        return;
    }
    let length = bytes.len();
    let at = dice.below(length);
    match dice.below(14) {
        0 => bytes[at] ^= 1 << dice.below(8),
        1 => bytes[at] = dice.byte(),
        2 => bytes.insert(at, dice.byte()),
        3 => drop(bytes.drain(dice.range(length))),
        4 => {
            let piece = bytes[dice.range(length)].to_vec();
            let times = dice.times(3, 300);
            let room = BYTES_MAX.saturating_sub(length) / piece.len();
            insert(bytes, at, &piece.repeat(times.min(room)));
        }
        5 => {
            let other = &corpus[dice.below(corpus.len())];
            if !other.is_empty() {
                let piece = other[dice.range(other.len())].to_vec();
                insert(bytes, at, &piece);
            }
        }
        6 => {
            let other = &corpus[dice.below(corpus.len())];
            bytes.truncate(at);
            bytes.extend_from_slice(&other[dice.below(other.len() + 1)..]);
        }
        7 => insert(bytes, at, word(dice, words).as_bytes()),
        8 => insert(bytes, at, dice.pick(&LETTERS).as_bytes()),
        9 | 10 => {
            let token = token(bytes, at, |byte| {
                byte.is_ascii_alphanumeric() || byte == b'_'
            });
            let other = word(dice, words);
            drop(bytes.splice(token, other.bytes()));
        }
        11 => {
            let token = token(bytes, at, |byte| {
                byte.is_ascii_digit() || b".-".contains(&byte)
            });
            drop(bytes.splice(token, dice.pick(&NUMBERS).bytes()));
        }
        12 => {
            let (from, to) = (dice.range(length), at);
            let piece = bytes[from.clone()].to_vec();
            drop(bytes.drain(from));
            insert(bytes, to.min(bytes.len()), &piece);
        }
        _ => nest(dice, bytes),
    }
}

fn word<'words>(dice: &mut Dice, words: &[&'words str]) -> &'words str {
    match dice.below(8) {
        0 => dice.pick(&NUMBERS),
        1 => dice.pick(&LETTERS),
        _ if words.is_empty() => "",
        _ => dice.pick(words),
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    drop(bytes.splice(at..at, piece.iter().copied()));
}

/// The run of bytes of one kind around a place; empty where the place is of another.
fn token(bytes: &[u8], at: usize, is_of: impl Fn(u8) -> bool) -> std::ops::Range<usize> {
    let before = bytes[..at]
        .iter()
        .rev()
        .take_while(|byte| is_of(**byte))
        .count();
    let after = bytes[at..].iter().take_while(|byte| is_of(**byte)).count();
    at - before..at + after
}

/// Puts everything, or a piece, into brackets inside brackets.
fn nest(dice: &mut Dice, bytes: &mut Vec<u8>) {
    let (open, close) = *dice.pick(&[
        &("[", "]"),
        &("{\"a\":", "}"),
        &("(", ")"),
        &("\"", "\""),
        &("[[", "]]"),
        &("a.", ""),
    ]);
    let times = dice.times(3, 2000);
    let range = dice.range(bytes.len());
    let mut nested = open.repeat(times).into_bytes();
    nested.extend_from_slice(&bytes[range.clone()]);
    nested.extend_from_slice(close.repeat(times).as_bytes());
    drop(bytes.splice(range, nested));
}
