//! The rules, each a function from the sources to the lines that break it.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::Source;
use crate::table::{
    BANS, FILE_LINES_MAX, FUNCTION_LINES_MAX, HOMES, IMPORTS, LONG_FILES, LONG_FUNCTIONS, Tests,
};

/// Every complaint about these sources.
pub(crate) fn check(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        imports(source, &mut complaints);
        re_exports(source, &mut complaints);
        homes(source, &mut complaints);
        bans(source, &mut complaints);
        expects(source, &mut complaints);
        marks(source, &mut complaints);
        door(source, &mut complaints);
        lengths(source, &mut complaints);
    }
    cycles(sources, &mut complaints);
    complaints
}

fn complain(complaints: &mut Vec<String>, source: &Source, at: usize, text: &str) {
    complaints.push(format!("{}:{}: {text}", source.path, source.line(at)));
}

fn imports(source: &Source, complaints: &mut Vec<String>) {
    let room = source.room();
    let Some((_, allowed)) = IMPORTS.iter().find(|(name, _)| *name == room) else {
        let text = format!(
            "room `{room}` is not in the import table; add it to tests/tidy/table.rs with what it may import"
        );
        complain(complaints, source, 0, &text);
        return;
    };
    for (at, path) in source.crate_paths() {
        let Some(first) = path.first() else { continue };
        let is_room = IMPORTS.iter().any(|(name, _)| name == first);
        let is_allowed = first == room
            || allowed.contains(&first.as_str())
            || allowed.contains(&path.join("::").as_str());
        if is_room && !is_allowed {
            let text = format!(
                "`{room}` may not import `{}`; it may import {}. Pass the value in, or move the type left",
                path.join("::"),
                if allowed.is_empty() {
                    "nothing".to_owned()
                } else {
                    allowed.join(", ")
                }
            );
            complain(complaints, source, at, &text);
        }
    }
}

fn re_exports(source: &Source, complaints: &mut Vec<String>) {
    for at in source.find("use crate::") {
        let before = source.code[..at].trim_end();
        let is_public = before.ends_with("pub") || before.ends_with(')');
        let path = source
            .crate_paths()
            .into_iter()
            .find(|(start, _)| *start == at + 4);
        let first = path.and_then(|(_, path)| path.first().cloned());
        if is_public && first.as_deref() != Some(source.room()) {
            let text = "`pub use` of another room; name the thing where it lives";
            complain(complaints, source, at, text);
        }
    }
}

fn homes(source: &Source, complaints: &mut Vec<String>) {
    for home in HOMES {
        if home
            .homes
            .iter()
            .any(|start| source.path.starts_with(start))
        {
            continue;
        }
        for token in home.tokens {
            for at in source.find(token) {
                if home.tests == Tests::Free && source.is_test(at) {
                    continue;
                }
                let text = format!("`{token}` is not at home here; {}", home.way_out);
                complain(complaints, source, at, &text);
            }
        }
    }
}

fn bans(source: &Source, complaints: &mut Vec<String>) {
    for (start, tokens, reason) in BANS {
        if !source.path.starts_with(start) {
            continue;
        }
        for token in *tokens {
            for at in source.find(token).filter(|at| !source.is_test(*at)) {
                let text = format!("`{token}` in {start}: {reason}");
                complain(complaints, source, at, &text);
            }
        }
    }
}

fn expects(source: &Source, complaints: &mut Vec<String>) {
    for at in source.find(".expect(").filter(|at| !source.is_test(*at)) {
        let message = source.raw[at + ".expect(".len()..].trim_start();
        if !message.starts_with("\"invariant") {
            let text = "`expect` without a stated invariant; return an error, or say `expect(\"invariant: ...\")`";
            complain(complaints, source, at, text);
        }
    }
}

fn marks(source: &Source, complaints: &mut Vec<String>) {
    for (at, mark) in source.raw.match_indices("FIXME") {
        let text = format!("`{mark}`; do it or say in a sentence why not");
        complain(complaints, source, at, &text);
    }
}

fn door(source: &Source, complaints: &mut Vec<String>) {
    let is_door = source.path.ends_with("/mod.rs") || source.path == "src/lib.rs";
    if is_door && !source.raw.starts_with("//!") {
        let text =
            "a door starts with `//!`: purpose, invariants, what is not here, how it is tested";
        complain(complaints, source, 0, text);
    }
}

fn lengths(source: &Source, complaints: &mut Vec<String>) {
    let lines = source.raw.lines().count();
    let listed = LONG_FILES.iter().find(|(path, _)| *path == source.path);
    let file_max = listed.map_or(FILE_LINES_MAX, |(_, lines)| *lines);
    if lines > file_max {
        let text = format!("{lines} lines, at most {file_max}; split it by idea");
        complain(complaints, source, 0, &text);
    } else if listed.is_some() && lines < file_max {
        let text = format!("shrank to {lines} lines; lower or remove its row in LONG_FILES");
        complain(complaints, source, 0, &text);
    }
    for function in source.functions() {
        if source.is_test(function.start) {
            continue;
        }
        let is_row = |row: &&(&str, &str, usize)| row.0 == source.path && row.1 == function.name;
        let listed = LONG_FUNCTIONS.iter().find(is_row);
        let max = listed.map_or(FUNCTION_LINES_MAX, |row| row.2);
        if function.lines > max {
            let text = format!(
                "function `{}` has {} lines, at most {max}; keep the branching, move the straight work out",
                function.name, function.lines
            );
            complain(complaints, source, function.start, &text);
        } else if listed.is_some() && function.lines < max {
            let text = format!(
                "function `{}` shrank to {} lines; lower or remove its row in LONG_FUNCTIONS",
                function.name, function.lines
            );
            complain(complaints, source, function.start, &text);
        }
    }
}

/// Who imports whom, with the place of one import each.
type Edges<'a> = BTreeMap<&'a str, BTreeMap<String, String>>;

fn cycles(sources: &[Source], complaints: &mut Vec<String>) {
    let mut edges: Edges<'_> = BTreeMap::new();
    for source in sources {
        for (at, path) in source.crate_paths() {
            let is_room = |name: &String| IMPORTS.iter().any(|(room, _)| room == name);
            let Some(first) = path.first().filter(|first| is_room(first)) else {
                continue;
            };
            if first != source.room() && !source.is_test(at) {
                let place = format!("{}:{}", source.path, source.line(at));
                let targets = edges.entry(source.room()).or_default();
                targets.entry(first.clone()).or_insert(place);
            }
        }
    }
    let mut done = BTreeSet::new();
    for room in edges.keys() {
        walk(room, &edges, &mut Vec::new(), &mut done, complaints);
    }
}

fn walk(
    room: &str,
    edges: &Edges<'_>,
    trail: &mut Vec<String>,
    done: &mut BTreeSet<String>,
    complaints: &mut Vec<String>,
) {
    if let Some(start) = trail
        .iter()
        .position(|step| step.starts_with(&format!("{room} ")))
    {
        complaints.push(format!(
            "rooms import each other in a circle: {} -> {room}; cut one",
            trail[start..].join(" -> ")
        ));
        return;
    }
    if !done.contains(room) {
        for (target, place) in edges.get(room).into_iter().flatten() {
            trail.push(format!("{room} ({place})"));
            walk(target, edges, trail, done, complaints);
            trail.pop();
        }
        done.insert(room.to_owned());
    }
}
