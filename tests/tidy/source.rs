//! A source file as text that can be searched without being fooled by comments and strings.

use std::ops::Range;
use std::path::Path;

/// One file of `src`.
#[derive(Debug)]
pub(crate) struct Source {
    /// From the root of the project, such as `src/engine/mod.rs`.
    pub(crate) path: String,
    /// As it is.
    pub(crate) raw: String,
    /// As it is, byte for byte in place, with comments and the insides of literals blanked.
    pub(crate) code: String,
    test_ranges: Vec<Range<usize>>,
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) start: usize,
    pub(crate) lines: usize,
}

impl Source {
    pub(crate) fn new(path: &str, raw: &str) -> Self {
        let code = blank(raw);
        let is_test_file = path.ends_with("/tests.rs") || path.contains("/tests/");
        let test_ranges = if is_test_file {
            std::iter::once(0..raw.len()).collect()
        } else {
            test_ranges(&code)
        };
        Self {
            path: path.to_owned(),
            raw: raw.to_owned(),
            code,
            test_ranges,
        }
    }

    /// The top-level module: `engine` for `src/engine/retry.rs`, `clock` for `src/clock.rs`.
    pub(crate) fn room(&self) -> &str {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let first = inside.split('/').next().unwrap_or(inside);
        first.strip_suffix(".rs").unwrap_or(first)
    }

    pub(crate) fn line(&self, offset: usize) -> usize {
        self.raw[..offset].matches('\n').count() + 1
    }

    pub(crate) fn is_test(&self, offset: usize) -> bool {
        self.test_ranges.iter().any(|range| range.contains(&offset))
    }

    /// Where `token` stands in the code as a word of its own: `rand::` is not in `operand::`.
    pub(crate) fn find<'a>(&'a self, token: &'a str) -> impl Iterator<Item = usize> + 'a {
        let starts_word = token.starts_with(is_word);
        let ends_word = token.ends_with(is_word);
        self.code.match_indices(token).filter_map(move |(at, _)| {
            let before = self.code[..at].chars().next_back();
            let after = self.code[at + token.len()..].chars().next();
            let is_cut = (starts_word && before.is_some_and(is_word))
                || (ends_word && after.is_some_and(is_word));
            (!is_cut).then_some(at)
        })
    }

    /// Every `crate::...` path, at most two segments of it, with `use` groups spread out.
    pub(crate) fn crate_paths(&self) -> Vec<(usize, Vec<String>)> {
        self.find("crate::")
            .filter(|at| !self.code[..*at].ends_with('$'))
            .flat_map(|at| {
                let paths = spread(&self.code[at + "crate::".len()..]);
                paths.into_iter().map(move |path| (at, path))
            })
            .collect()
    }

    /// The modules declared `#[cfg(test)] mod name;`, as paths without `.rs`.
    fn test_children(&self) -> Vec<String> {
        let stem = self.path.strip_suffix(".rs").unwrap_or(&self.path);
        let is_door = ["/mod", "/lib", "/main"]
            .iter()
            .any(|door| stem.ends_with(door));
        let folder = if is_door {
            stem.rsplit_once('/').map_or("", |(folder, _)| folder)
        } else {
            stem
        };
        let declared = self
            .find("mod ")
            .filter(|at| self.is_test(*at))
            .filter_map(|at| {
                let (name, _) = self.code[at + 4..].split_once(';')?;
                name.chars()
                    .all(is_word)
                    .then(|| format!("{folder}/{name}"))
            });
        declared.collect()
    }

    pub(crate) fn functions(&self) -> Vec<Function> {
        let functions = self.find("fn ").filter_map(|start| {
            let rest = &self.code[start + 3..];
            let name: String = rest.chars().take_while(|letter| is_word(*letter)).collect();
            let body = start + 3 + body_start(rest)?;
            let end = closing(&self.code, body);
            (!name.is_empty()).then(|| Function {
                name,
                start,
                lines: self.code[start..end].matches('\n').count() + 1,
            })
        });
        functions.collect()
    }
}

/// Every `.rs` file below `folder`, in the order of their names.
pub(crate) fn read_all(root: &Path, folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path
                    .strip_prefix(root)
                    .unwrap()
                    .to_string_lossy()
                    .into_owned();
                found.push(Source::new(&name, &std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let test_files: Vec<String> = found.iter().flat_map(Source::test_children).collect();
    for source in &mut found {
        let stem = source.path.strip_suffix(".rs").unwrap_or(&source.path);
        let module = stem.strip_suffix("/mod").unwrap_or(stem);
        let below = |test: &String| module == test || module.starts_with(&format!("{test}/"));
        if test_files.iter().any(below) {
            source.test_ranges = std::iter::once(0..source.raw.len()).collect();
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Blanks comments and the insides of literals; lines and offsets stay.
fn blank(raw: &str) -> String {
    let bytes = raw.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &raw[at..];
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else {
            let follows_word = raw[..at].ends_with(is_word);
            literal(rest, follows_word)
        };
        for byte in &mut code[at..at + length] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        let step = rest.chars().next().map_or(1, char::len_utf8);
        at += length.max(step);
    }
    String::from_utf8(code).unwrap()
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        let here = &rest.as_bytes()[at..];
        if here.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// The length of the literal that starts here, 0 if none does.
fn literal(rest: &str, follows_word: bool) -> usize {
    let prefixes = ["", "b", "c", "r", "br", "cr"];
    for prefix in prefixes
        .iter()
        .filter(|prefix| prefix.is_empty() || !follows_word)
    {
        let Some(after) = rest.strip_prefix(prefix) else {
            continue;
        };
        let hashes = after.len() - after.trim_start_matches('#').len();
        let is_raw = prefix.ends_with('r');
        if after[hashes..].starts_with('"') && (is_raw || hashes == 0) {
            let start = prefix.len() + hashes + 1;
            let end = format!("\"{}", "#".repeat(hashes));
            return start + string_length(&rest[start..], is_raw, &end);
        }
    }
    char_literal(rest)
}

fn string_length(inside: &str, is_raw: bool, end: &str) -> usize {
    let mut is_escaped = false;
    for (at, letter) in inside.char_indices() {
        if !is_escaped && inside[at..].starts_with(end) {
            return at + end.len();
        }
        is_escaped = !is_raw && !is_escaped && letter == '\\';
    }
    inside.len()
}

/// A lifetime has no closing quote after its first letter.
fn char_literal(rest: &str) -> usize {
    let Some(inside) = rest.strip_prefix('\'') else {
        return 0;
    };
    if inside.starts_with('\\') {
        let end = inside
            .char_indices()
            .skip(2)
            .find(|(_, letter)| *letter == '\'');
        return end.map_or(0, |(at, _)| at + 2);
    }
    let first = inside.chars().next().map_or(0, char::len_utf8);
    let is_closed = first > 0 && inside[first..].starts_with('\'');
    if is_closed { first + 2 } else { 0 }
}

/// The items under `#[cfg(test)]`.
fn test_ranges(code: &str) -> Vec<Range<usize>> {
    let attribute = "#[cfg(test)]";
    let ranges = code.match_indices(attribute).map(|(at, _)| {
        let start = at + attribute.len();
        let end = match body_start(&code[start..]) {
            Some(body) => closing(code, start + body),
            None => code[start..]
                .find(';')
                .map_or(code.len(), |end| start + end),
        };
        at..end
    });
    ranges.collect()
}

/// Where the `{` of this item is; none when a `;` comes first.
fn body_start(rest: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, letter) in rest.char_indices() {
        match letter {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            ';' if depth == 0 => return None,
            '{' if depth == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

/// One past the `}` that closes the `{` at `open`.
fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0;
    for (at, letter) in code[open..].char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return open + at + 1;
        }
    }
    code.len()
}

/// The paths of one `use` tree or expression, each cut after its second segment.
fn spread(tree: &str) -> Vec<Vec<String>> {
    let Some(group) = tree.strip_prefix('{') else {
        let name: String = tree.chars().take_while(|letter| is_word(*letter)).collect();
        let rest = tree[name.len()..].strip_prefix("::").unwrap_or("");
        let seconds = if rest.starts_with('{') || rest.starts_with(is_word) {
            spread(rest)
        } else {
            vec![Vec::new()]
        };
        return seconds
            .into_iter()
            .map(|second| {
                std::iter::once(name.clone())
                    .chain(second)
                    .take(2)
                    .collect()
            })
            .collect();
    };
    let inside = &group[..closing(tree, 0).saturating_sub(2).min(group.len())];
    let mut depth = 0;
    let members = inside.split(|letter| {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        letter == ',' && depth == 0
    });
    let members = members.map(str::trim).filter(|member| !member.is_empty());
    members.flat_map(spread).collect()
}

#[test]
fn comments_and_literals_are_blanked_in_place() {
    let raw =
        "a // b\n/* c /* d */ e */ f \"g\\\"h\" 'i' '\\'' 'life r#\"j\"k\"# b\"l\" Ünicode \"ü\" m";
    let code = blank(raw);
    assert_eq!(code.len(), raw.len());
    let words: Vec<&str> = code.split_whitespace().collect();
    assert_eq!(words, ["a", "f", "'life", "Ünicode", "m"]);
}

#[test]
fn test_items_are_told_from_the_rest() {
    let raw = "fn a() { b; }\n#[cfg(test)]\nmod tests {\n fn c() {}\n}\nfn d() {}\n#[cfg(test)]\nmod e;\nf";
    let source = Source::new("src/x.rs", raw);
    let is_test = |letter: &str| source.is_test(raw.rfind(letter).unwrap());
    assert!(!is_test("b;") && is_test("fn c") && !is_test("fn d") && !is_test("f"));
    assert!(Source::new("src/x/tests.rs", raw).is_test(0));
    assert_eq!(source.test_children(), ["src/x/e"]);
    assert_eq!(
        Source::new("src/x/mod.rs", raw).test_children(),
        ["src/x/e"]
    );
}

#[test]
fn paths_are_spread_and_cut_after_two_segments() {
    let raw = "use crate::{a::{b::c, d}, e};\nlet x: crate::f::g<T> = $crate::no; // crate::no";
    let source = Source::new("src/x.rs", raw);
    let paths: Vec<String> = source
        .crate_paths()
        .iter()
        .map(|(_, path)| path.join("::"))
        .collect();
    assert_eq!(paths, ["a::b", "a::d", "e", "f::g"]);
}

#[test]
fn functions_are_measured_from_their_name_to_their_end() {
    let raw = "trait T { fn no(&self); }\nfn yes(\n  a: [u8; 2],\n) -> fn(u8) {\n  { }\n}\n";
    let functions = Source::new("src/x.rs", raw).functions();
    let expected = Function {
        name: "yes".to_owned(),
        start: raw.find("fn yes").unwrap(),
        lines: 5,
    };
    assert_eq!(functions, [expected]);
}
