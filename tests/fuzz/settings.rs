//! The configuration: its file, variables and `--set`.

use postroom::config::{Config, ConfigFile, ENTRIES, Sources, template};

use crate::{Campaign, is_said, text_of};

#[test]
fn configuration_files() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("config.toml");
    let (again, data) = (
        scratch.path().join("again.toml"),
        scratch.path().join("data"),
    );
    // The template with every line in force.
    let all: String = template()
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(setting) if setting.contains(" = ") => format!("{setting}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let keys: Vec<&'static str> = ENTRIES.iter().map(|entry| entry.key).collect();
    let load = |path: &std::path::Path| {
        let sources = Sources {
            file: Some(ConfigFile::Named(path.to_owned())),
            ..Sources::default()
        };
        Config::load(&sources.with_flag("--data", "data", Some(data.display().to_string())))
    };
    Campaign::new("configuration")
        .seeds([template(), all])
        .seeds(["listen = \"127.0.0.1:0\"\n[http]\nretry_delays = [\"5s\", \"1m\"]\n[limits]\nbody_bytes = \"1MiB\"\n", ""])
        .words(&keys)
        .words(&[
            "\"5s\"", "\"1h30m\"", "\"-1s\"", "\"1MiB\"", "\"1.5GB\"", "true", "false", "[", "]", "=", "\n", "\"", "'", "{", "}", "#",
            "\"[::]:8100\"", "\"~/x\"", "1979-05-27", "0x10", "1_000", "inf", "nan", ".",
        ])
        .cases(500)
        .run(|input| {
            std::fs::write(&path, input).unwrap();
            match load(&path) {
                Ok(config) => {
                    let printed = config.print();
                    std::fs::write(&again, &printed).unwrap();
                    let other = load(&again).map_err(|error| format!("what it prints is refused: {error}"))?;
                    let values = |text: &str| -> Vec<String> {
                        let values = text.lines().map(|line| line.rsplit_once("  # ").map_or(line, |(value, _)| value).trim_end().to_owned());
                        values.collect()
                    };
                    if values(&other.print()) != values(&printed) {
                        return Err("what it prints means something else".to_owned());
                    }
                    Ok(format!("{} warnings", config.warnings().len()))
                }
                Err(error) => {
                    for problem in &error.problems {
                        is_said(&problem.to_string())?;
                    }
                    let first = error.problems.first().ok_or("refused without a problem")?;
                    Ok(first.to_string())
                }
            }
        });
}

/// The first line is a `--set`, the second a variable's name, the rest its value.
#[test]
fn assignments() {
    let keys = ENTRIES.iter().map(|entry| {
        format!(
            "{}={}\nPOSTROOM_{}\n{}",
            entry.key,
            entry.default,
            entry.key.to_uppercase().replace('.', "__"),
            entry.default
        )
    });
    Campaign::new("assignments")
        .seeds(keys)
        .words(&[
            "=",
            "\n",
            "POSTROOM_",
            "__",
            ".",
            "5s",
            "1MiB",
            "true",
            ",",
            "[]",
            "\"",
            "127.0.0.1:0",
            "18446744073709551615d",
        ])
        .cases(500)
        .run(|input| {
            let text = text_of(input);
            let mut lines = text.splitn(3, '\n');
            let mut line = || lines.next().unwrap_or_default().to_owned();
            let sources = Sources {
                sets: vec![line()],
                environment: vec![(line(), line())],
                ..Sources::default()
            };
            match Config::load(&sources) {
                Ok(config) => Ok(format!("{} warnings", config.warnings().len())),
                Err(error) => {
                    is_said(&error.to_string())?;
                    let kinds = error.problems.iter().map(ToString::to_string);
                    Ok(kinds.collect::<Vec<_>>().join("; "))
                }
            }
        });
}
