//! The configuration from its sources to its texts.

use super::tree::Values;
use super::*;
use crate::domain::time::Span;
use std::path::PathBuf;

fn load_file(text: &str, sources: Sources) -> (tempfile::TempDir, Result<Config, ConfigError>) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.toml");
    std::fs::write(&path, text).unwrap();
    let loaded = Config::load(&Sources {
        file: Some(ConfigFile::Named(path)),
        ..sources
    });
    (directory, loaded)
}

#[test]
fn the_defaults_are_valid_and_give_the_policy_of_the_domain() {
    let config = Config::load(&Sources::default()).unwrap();
    assert_eq!(config.policy(), Policy::default());
    assert_eq!(config.listen.to_string(), "127.0.0.1:8100");
    assert_eq!(config.limits.busy_wait, Span::from_millis(250));
    assert!(config.warnings().is_empty());
    assert_eq!(config.origin("org"), Some(&Origin::Default));
}

#[test]
fn every_key_of_the_table_is_read_by_the_tree_once() {
    let config = Config::load(&Sources::default()).unwrap();
    let mut values = Values::new(&config.settings);
    let built = Config::build(&mut values, PathBuf::new());
    assert_eq!(built.http.slots, 64);
    // `data` without a value falls back to the usual directory, and is found all the same.
    assert_eq!(values.missed, Vec::<&str>::new());
    assert_eq!(values.rest(), Vec::<&str>::new());
}

#[test]
fn later_sources_win_and_say_so() {
    let text = "org = \"file\"\nworkspace = \"file\"\n[limits]\nconnections_max = 5\n\n[http]\ndefault_secret = \"hunter2\"\n";
    let mut sources = Sources::default().with("limits.commit_queue=99").with_flag(
        "--listen",
        "listen",
        Some("0.0.0.0:9".to_owned()),
    );
    sources.environment = [
        ("POSTROOM_WORKSPACE", "variable"),
        ("POSTROOM_LIMITS__COMMIT_QUEUE", "98"),
        ("POSTROOM_PORT_8100_TCP_ADDR", "not ours"),
        ("POSTROOM_KEY", "not ours either"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    let (directory, config) = load_file(text, sources);
    let config = config.unwrap();
    assert_eq!(
        (config.org.as_str(), config.workspace.as_str()),
        ("file", "variable")
    );
    assert_eq!(config.limits.connections_max, 5);
    assert_eq!(config.limits.commit_queue, 99);
    assert_eq!(config.warnings().len(), 1);
    let printed = config.print();
    let path = directory.path().join("config.toml");
    for (line, origin) in [
        ("org = \"file\"", format!("{}:1", path.display())),
        ("workspace = \"variable\"", "POSTROOM_WORKSPACE".to_owned()),
        (
            "limits.connections_max = 5",
            format!("{}:4", path.display()),
        ),
        ("limits.commit_queue = 99", "--set".to_owned()),
        ("listen = \"0.0.0.0:9\"", "--listen".to_owned()),
        (
            "http.default_secret = \"***\"",
            format!("{}:7", path.display()),
        ),
        ("http.slots = 64", "default".to_owned()),
    ] {
        let found = printed.lines().find(|printed| printed.starts_with(line));
        let found = found.unwrap_or_else(|| panic!("no {line} in\n{printed}"));
        assert!(found.ends_with(&format!("  # {origin}")), "{found}");
    }
    assert!(!printed.contains("hunter2") && !format!("{config:?}").contains("hunter2"));
    // What is printed is a configuration file again.
    let (_, again) = load_file(&printed, Sources::default());
    assert_eq!(again.unwrap().limits, config.limits);
}

#[test]
fn every_problem_is_reported_at_once_with_key_and_origin() {
    let text =
        "org = 5\n[limits]\nconections_max = 5\nbody_bytes = 1\n[made_up]\nkey = 1979-05-27\n";
    let mut sources = Sources::default().with("nonsense").with("stream.credit=0");
    sources.environment = vec![("POSTROOM_LOG__FILTR".to_owned(), "info".to_owned())];
    let (directory, loaded) = load_file(text, sources);
    let message = loaded.unwrap_err().to_string();
    let message = message.replace(&directory.path().display().to_string(), "DIR");
    insta::assert_snapshot!(message, @r#"
    use the configuration:
      org (DIR/config.toml:1): must be a text in quotes that is not empty, not 5
      limits.conections_max (DIR/config.toml:3): no such key; hint: did you mean limits.connections_max?
      limits.body_bytes (DIR/config.toml:4): must be a number of bytes from 4096 to 67108864, such as 65536 or 64KiB, not 1
      made_up.key (DIR/config.toml:6): no such key; hint: did you mean tls.key?
      log.filtr (POSTROOM_LOG__FILTR): no such key; hint: did you mean log.filter?
      --set "nonsense": must be section.key=value
      stream.credit (--set): must be a whole number from 1 to 1024, not "0"
    "#);
}

#[test]
fn a_broken_or_missing_file_is_told_from_a_file_nobody_asked_for() {
    let (_directory, loaded) = load_file("org = \nlisten = [", Sources::default());
    let problems = loaded.unwrap_err().problems;
    assert!(
        matches!(problems.first(), Some(Problem::Syntax { line: 1, .. })),
        "{problems:?}"
    );
    let missing = PathBuf::from("/nowhere/config.toml");
    let named = Sources {
        file: Some(ConfigFile::Named(missing.clone())),
        ..Sources::default()
    };
    assert!(Config::load(&named).is_err());
    let usual = Sources {
        file: Some(ConfigFile::Usual(missing)),
        ..Sources::default()
    };
    assert!(Config::load(&usual).is_ok());
}

#[test]
fn no_setting_is_without_effect() {
    let set = Sources::default().with("env.is_protected=true");
    assert!(Config::load(&set).unwrap().warnings().is_empty());
    assert!(!readme_table().contains("no effect in this version"));
    assert!(!template().contains("Has no effect in this version."));
}

#[test]
fn values_that_contradict_each_other_are_refused() {
    for (sets, key) in [
        (["tls.cert=/a.pem", "org=o"], "tls.cert"),
        (
            ["retry.stream_base_ms=10m", "org=o"],
            "retry.stream_base_ms",
        ),
        (
            ["limits.payload_bytes=1MiB", "limits.body_bytes=64KiB"],
            "limits.payload_bytes",
        ),
        (
            ["mesh.degraded_seconds=5m", "org=o"],
            "mesh.degraded_seconds",
        ),
    ] {
        let error = Config::in_directory(std::path::Path::new("/d"), &sets).unwrap_err();
        let found = error.problems.first().map(ToString::to_string).unwrap();
        assert!(found.starts_with(&format!("{key} (")), "{found}");
    }
}

#[test]
fn the_template_is_a_file_of_defaults_and_so_is_each_of_its_commented_lines() {
    let (_, config) = load_file(&template(), Sources::default());
    assert_eq!(config.unwrap().policy(), Policy::default());
    let is_key = |line: &str| {
        let name = line
            .strip_prefix('#')
            .and_then(|line| line.split_once(" = "));
        name.is_some_and(|(name, _)| !name.contains(' '))
    };
    let uncommented = template().lines().fold(String::new(), |text, line| {
        let line = line
            .strip_prefix('#')
            .filter(|_| is_key(line))
            .unwrap_or(line);
        text + line + "\n"
    });
    assert_eq!(uncommented.matches(" = ").count(), ENTRIES.len());
    let (_, config) = load_file(&uncommented, Sources::default());
    let config = config.unwrap();
    assert_eq!(config.policy(), Policy::default());
    assert!(matches!(
        config.origin("store.cache_bytes"),
        Some(Origin::File { .. })
    ));
}

#[test]
fn the_readme_table_has_a_row_for_each_key() {
    let table = readme_table();
    assert_eq!(table.lines().count(), ENTRIES.len() + 2);
    assert!(table.contains("| `limits.body_bytes` | `1048576` |"));
}
