//! `doctor`: looks at everything that keeps people from working, and names the way out.

use std::io::IsTerminal;
use std::path::Path;

use serde_json::{Value, json};

use super::client::{Call, Client, text};
use super::failure::Failure;
use super::output::{Tone, colours_are_wanted, terminal_size};
use super::place::{self, ADDRESS_FILE, KEY_FILE};
use super::{Context, when};
use crate::domain::time::Timestamp;

/// A difference of clocks that is worth a word, in seconds: signatures of webhooks allow 300.
const CLOCK_SKEW_MAX: i64 = 30;
/// Free space below which the store is in danger, in MiB.
const FREE_MIB_MIN: u64 = 512;

/// What a look at something brought.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    what: &'static str,
    grade: Grade,
    says: String,
    way_out: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grade {
    Ok,
    Warn,
    Fail,
}

impl Grade {
    const fn word(self) -> (&'static str, Tone) {
        match self {
            Self::Ok => ("ok", Tone::Good),
            Self::Warn => ("warn", Tone::Warn),
            Self::Fail => ("fail", Tone::Bad),
        }
    }
}

fn ok(what: &'static str, says: impl Into<String>) -> Finding {
    Finding {
        what,
        grade: Grade::Ok,
        says: says.into(),
        way_out: None,
    }
}

fn not_ok(
    what: &'static str,
    grade: Grade,
    says: impl Into<String>,
    way_out: impl Into<String>,
) -> Finding {
    Finding {
        what,
        grade,
        says: says.into(),
        way_out: Some(way_out.into()),
    }
}

pub(super) async fn run(context: &Context) -> Result<(), Failure> {
    let mut findings = vec![ok("version", env!("CARGO_PKG_VERSION"))];
    findings.extend(directory(&context.config.data));
    findings.push(key_file(&context.config.data));
    findings.push(free_space(&context.config.data).await);
    findings.extend(broker(context).await);
    findings.extend(terminal());
    let rows: Vec<Value> = findings.iter().map(as_json).collect();
    let is_well = findings.iter().all(|finding| finding.grade != Grade::Fail);
    let answer = json!({"ok": is_well, "findings": rows});
    context.out.either(&answer, |out| {
        let width = findings
            .iter()
            .map(|finding| finding.what.len())
            .max()
            .unwrap_or(0);
        for finding in &findings {
            let (word, tone) = finding.grade.word();
            let word = out.toned(tone, &format!("{word:<4}"));
            let says = super::output::harmless(&finding.says);
            out.painted_line(&format!("{word}  {:width$}  {says}", finding.what))?;
            if let Some(way_out) = &finding.way_out {
                let way_out = super::output::harmless(way_out);
                out.painted_line(&format!("      {:width$}  hint: {way_out}", ""))?;
            }
        }
        Ok(())
    })?;
    if is_well {
        Ok(())
    } else {
        Err(Failure::Silent)
    }
}

fn as_json(finding: &Finding) -> Value {
    json!({
        "what": finding.what,
        "grade": finding.grade.word().0,
        "says": finding.says,
        "hint": finding.way_out,
    })
}

fn directory(data: &Path) -> Vec<Finding> {
    use std::os::unix::fs::PermissionsExt;
    let shown = data.display().to_string();
    let metadata = match std::fs::metadata(data) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let says = format!("{shown} does not exist");
            return vec![not_ok(
                "data",
                Grade::Warn,
                says,
                "postroom or postroom serve makes it",
            )];
        }
        Err(error) => {
            let says = format!("{shown}: {error}");
            return vec![not_ok(
                "data",
                Grade::Fail,
                says,
                "choose another with --data DIR",
            )];
        }
    };
    if !metadata.is_dir() {
        let says = format!("{shown} is no directory");
        return vec![not_ok(
            "data",
            Grade::Fail,
            says,
            "choose another with --data DIR",
        )];
    }
    let mut findings = vec![ok("data", shown.clone())];
    let mode = metadata.permissions().mode() & 0o777;
    findings.push(if is_private(mode) {
        ok("permissions", format!("{mode:04o}: its owner's alone"))
    } else {
        let says = format!("{mode:04o}: others may read it");
        not_ok(
            "permissions",
            Grade::Warn,
            says,
            format!("chmod 700 {shown}"),
        )
    });
    findings.push(match place::left_by_broker(data) {
        Some(url) => ok("owner", format!("a broker left its address here: {url}")),
        None => not_ok(
            "owner",
            Grade::Warn,
            format!("no {ADDRESS_FILE} file: no broker runs on this directory"),
            "postroom serve",
        ),
    });
    findings
}

/// True when neither group nor others have any right.
const fn is_private(mode: u32) -> bool {
    mode.trailing_zeros() >= 6
}

fn key_file(data: &Path) -> Finding {
    use std::os::unix::fs::PermissionsExt;
    let path = data.join(KEY_FILE);
    let shown = path.display();
    match std::fs::metadata(&path) {
        Err(error) => not_ok(
            "key file",
            Grade::Warn,
            format!("{shown}: {error}"),
            "the first start of a broker makes it; elsewhere set POSTROOM_KEY",
        ),
        Ok(metadata) if !is_private(metadata.permissions().mode()) => not_ok(
            "key file",
            Grade::Fail,
            format!("{shown} can be read by others"),
            format!("chmod 600 {shown}, then make a new key"),
        ),
        Ok(_) => ok("key file", shown.to_string()),
    }
}

/// Free space as `df` tells it: it exists everywhere and needs no rights.
async fn free_space(data: &Path) -> Finding {
    let existing = data.ancestors().find(|path| path.exists()).unwrap_or(data);
    let output = tokio::process::Command::new("df")
        .arg("-Pk")
        .arg(existing)
        .output()
        .await;
    let kib = output.ok().and_then(|output| {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines()
            .nth(1)?
            .split_whitespace()
            .nth(3)?
            .parse::<u64>()
            .ok()
    });
    match kib {
        None => not_ok("disk", Grade::Warn, "free space is unknown", "look with df"),
        Some(kib) if kib / 1024 < FREE_MIB_MIN => not_ok(
            "disk",
            Grade::Warn,
            format!("{} MiB free", kib / 1024),
            "make room, or choose another directory with --data DIR",
        ),
        Some(kib) => ok("disk", format!("{} MiB free", kib / 1024)),
    }
}

async fn broker(context: &Context) -> Vec<Finding> {
    let place = match place::find(&context.global, &context.config) {
        Ok(place) => place,
        Err(failure) => {
            return vec![not_ok(
                "broker",
                Grade::Fail,
                failure.to_string(),
                "look at --url",
            )];
        }
    };
    let Ok(anybody) = Client::with_key(
        &place.url,
        place.key.as_deref().unwrap_or("none"),
        &place.key_from,
    ) else {
        return vec![not_ok(
            "broker",
            Grade::Fail,
            "the key is no key",
            "look at POSTROOM_KEY",
        )];
    };
    let health = match anybody.call(Call::get("/health")).await {
        Ok(health) => health,
        Err(failure) => {
            let says = failure.to_string();
            return vec![not_ok(
                "broker",
                Grade::Fail,
                says,
                "start one with postroom serve",
            )];
        }
    };
    let mut findings = vec![ok("broker", format!("{} answers", place.url))];
    findings.push(versions(&text(&health, "/version")));
    findings.push(match anybody.call(Call::get("/ready")).await {
        Ok(_) => ok("ready", "it accepts and applies"),
        Err(failure) => not_ok(
            "ready",
            Grade::Fail,
            failure.to_string(),
            "look into its log",
        ),
    });
    match anybody.call(Call::get("/v1/me")).await {
        Ok(me) => {
            let says = format!(
                "accepted: {} as {}",
                text(&me, "/address"),
                text(&me, "/role")
            );
            findings.push(ok("key", says));
        }
        Err(failure) => {
            let way_out = match &place.key {
                None => "set POSTROOM_KEY",
                Some(_) => "the key belongs to another broker, or has been revoked",
            };
            findings.push(not_ok("key", Grade::Fail, failure.to_string(), way_out));
        }
    }
    if let Ok(overview) = anybody.call(Call::get("/v1/overview")).await {
        findings.extend(clock(&text(&overview, "/at"), context.clock.now()));
    }
    findings
}

fn versions(theirs: &str) -> Finding {
    let ours = env!("CARGO_PKG_VERSION");
    if theirs == ours {
        ok("versions", format!("both are {ours}"))
    } else {
        let says = format!("this is {ours}, the broker is {theirs}");
        not_ok(
            "versions",
            Grade::Warn,
            says,
            "use the same version on both sides",
        )
    }
}

fn clock(theirs: &str, ours: Timestamp) -> Option<Finding> {
    let theirs: Timestamp = theirs.parse().ok()?;
    let skew = theirs
        .since(ours)
        .as_seconds()
        .max(ours.since(theirs).as_seconds());
    let span = when::length(crate::domain::time::Span::from_seconds(skew));
    Some(if skew <= CLOCK_SKEW_MAX {
        ok("clock", format!("agrees with the broker's within {span}"))
    } else {
        let says = format!("differs from the broker's by {span}");
        not_ok(
            "clock",
            Grade::Warn,
            says,
            "let both machines follow a time server",
        )
    })
}

fn terminal() -> Vec<Finding> {
    if !std::io::stdout().is_terminal() {
        return vec![ok(
            "terminal",
            "standard output is none; the console needs one",
        )];
    }
    let term = std::env::var("TERM").unwrap_or_default();
    let mut findings = vec![match term.as_str() {
        "" => not_ok(
            "terminal",
            Grade::Fail,
            "TERM is not set",
            "export TERM=xterm-256color",
        ),
        "dumb" => not_ok(
            "terminal",
            Grade::Fail,
            "TERM is dumb",
            "use a real terminal",
        ),
        _ => ok("terminal", term.clone()),
    }];
    let is_true =
        std::env::var("COLORTERM").is_ok_and(|value| value == "truecolor" || value == "24bit");
    findings.push(
        match (colours_are_wanted(), is_true || term.contains("direct")) {
            (false, _) => ok("colours", "off, as NO_COLOR asks"),
            (true, true) => ok("colours", "true colour"),
            (true, false) => ok(
                "colours",
                "the terminal's own; the theme terminal fits best",
            ),
        },
    );
    findings.push(match terminal_size() {
        Ok((columns, rows)) if columns >= 80 && rows >= 24 => {
            ok("size", format!("{columns}x{rows}"))
        }
        Ok((columns, rows)) => {
            let says = format!("{columns}x{rows}");
            not_ok("size", Grade::Warn, says, "80x24 or more shows everything")
        }
        Err(error) => not_ok(
            "size",
            Grade::Warn,
            error.to_string(),
            "set COLUMNS and LINES",
        ),
    });
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    let locale = locale.unwrap_or_default();
    let is_utf8 = locale.to_lowercase().replace('-', "").contains("utf8");
    findings.push(if is_utf8 {
        ok("signs", format!("UTF-8 ({locale})"))
    } else {
        let says = format!("the locale {locale:?} is not UTF-8");
        not_ok(
            "signs",
            Grade::Warn,
            says,
            "export LANG=C.UTF-8, or use --glyphs ascii",
        )
    });
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_that_differ_are_told_in_words() {
        let now = Timestamp::from_millis(1_775_901_600_000);
        assert_eq!(clock("2026-04-11T10:00:05Z", now).unwrap().grade, Grade::Ok);
        assert_eq!(
            clock("2026-04-11T10:05:00Z", now).unwrap().grade,
            Grade::Warn
        );
        assert_eq!(clock("", now), None);
    }

    #[test]
    fn a_directory_that_others_can_read_is_warned_about() {
        use std::os::unix::fs::PermissionsExt;
        let data = tempfile::tempdir().unwrap();
        std::fs::set_permissions(data.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let found = directory(data.path());
        assert!(
            found
                .iter()
                .any(|finding| finding.what == "permissions" && finding.grade == Grade::Warn)
        );
    }
}
