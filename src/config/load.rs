//! Layers: defaults, the file, the environment, `--set`, flags. Later ones win; every problem of
//! every layer is reported at once.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use etcetera::BaseStrategy;
use toml::de::{DeTable, DeValue};

use super::entries::{self, ENTRIES, Entry};
use super::nearest::nearest;
use super::tree::{Config, Values};
use super::value::{Given, Value};

/// Where settings are looked for.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The file, if any.
    pub file: Option<ConfigFile>,
    /// Environment variables; those that are not ours are ignored.
    pub environment: Vec<(String, String)>,
    /// `section.key=value` of each `--set`.
    pub sets: Vec<String>,
    /// Flags that stand for a key, such as `--listen`: flag, key, value.
    pub flags: Vec<(&'static str, &'static str, String)>,
}

/// The configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigFile {
    /// Named by the user: it must exist.
    Named(PathBuf),
    /// The usual place: it may be missing.
    Usual(PathBuf),
}

impl Sources {
    /// The sources of this process: its environment, and `named` or the usual file.
    #[must_use]
    pub fn of_process(named: Option<PathBuf>) -> Self {
        let usual = || usual_file().map(ConfigFile::Usual);
        let environment = std::env::vars_os().map(|(name, value)| {
            let name = name.to_string_lossy().into_owned();
            (name, value.to_string_lossy().into_owned())
        });
        Self {
            file: named.map(ConfigFile::Named).or_else(usual),
            environment: environment.collect(),
            ..Self::default()
        }
    }

    /// These and a `--set`.
    #[must_use]
    pub fn with(mut self, assignment: impl Into<String>) -> Self {
        self.sets.push(assignment.into());
        self
    }

    /// These and a flag, when it was given.
    #[must_use]
    pub fn with_flag(
        mut self,
        flag: &'static str,
        key: &'static str,
        value: Option<String>,
    ) -> Self {
        self.flags.extend(value.map(|value| (flag, key, value)));
        self
    }
}

/// `$XDG_CONFIG_HOME/postroom/config.toml`; none without a home directory.
#[must_use]
pub fn usual_file() -> Option<PathBuf> {
    let base = etcetera::choose_base_strategy().ok()?;
    Some(base.config_dir().join("postroom").join("config.toml"))
}

/// `$XDG_DATA_HOME/postroom`; a folder of the working directory without a home directory.
#[must_use]
pub fn usual_data() -> PathBuf {
    etcetera::choose_base_strategy().map_or_else(
        |_no_home| PathBuf::from("postroom-data"),
        |base| base.data_dir().join("postroom"),
    )
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The table of keys.
    Default,
    /// A line of the file.
    File {
        /// The file.
        path: Arc<Path>,
        /// The line, counted from 1.
        line: usize,
    },
    /// An environment variable.
    Variable(String),
    /// `--set` or another flag.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => formatter.write_str("default"),
            Self::File { path, line } => write!(formatter, "{}:{line}", path.display()),
            Self::Variable(name) => formatter.write_str(name),
            Self::Flag(flag) => formatter.write_str(flag),
        }
    }
}

/// One key with its value.
#[derive(Clone)]
pub(super) struct Setting {
    pub(super) entry: &'static Entry,
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// Masks secrets, as printing does.
impl fmt::Debug for Setting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.entry.kind.print(&self.value);
        write!(formatter, "{} = {value} ({})", self.entry.key, self.origin)
    }
}

/// One thing that is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// No such key.
    #[error("{key} ({origin}): no such key{}", hint(*.nearest))]
    UnknownKey {
        /// The key as it was given.
        key: String,
        /// Where.
        origin: Origin,
        /// What may have been meant.
        nearest: Option<&'static str>,
    },
    /// The value does not fit the key.
    #[error("{key} ({origin}): must be {expected}, not {found}")]
    BadValue {
        /// The key.
        key: &'static str,
        /// Where.
        origin: Origin,
        /// What would fit.
        expected: String,
        /// What was found; masked for secrets.
        found: String,
    },
    /// Two values that do not fit each other.
    #[error("{key} ({origin}): {rule}")]
    Together {
        /// The key.
        key: &'static str,
        /// Where.
        origin: Origin,
        /// What must hold.
        rule: &'static str,
    },
    /// A `--set` without `=`.
    #[error("--set {given:?}: must be section.key=value")]
    NotAnAssignment {
        /// What was given.
        given: String,
    },
    /// The file cannot be read.
    #[error("{}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// The file is not TOML.
    #[error("{}:{line}: {reason}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What the parser says.
        reason: String,
    },
}

fn hint(nearest: Option<&'static str>) -> String {
    nearest.map_or_else(String::new, |key| format!("; hint: did you mean {key}?"))
}

/// Everything that is wrong with the configuration, in the order of the sources.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("use the configuration:{}", listed(.problems))]
pub struct ConfigError {
    /// Every problem; never empty.
    pub problems: Vec<Problem>,
}

fn listed(problems: &[Problem]) -> String {
    problems.iter().fold(String::new(), |mut text, problem| {
        text.push_str("\n  ");
        text.push_str(&problem.to_string());
        text
    })
}

/// A key with a value and where it was found.
type Found = (String, Given, Origin);

#[derive(Debug, Default)]
struct Layers {
    settings: BTreeMap<&'static str, Setting>,
    problems: Vec<Problem>,
}

impl Config {
    /// Reads all sources.
    ///
    /// # Errors
    /// [`ConfigError`] with every problem there is.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let mut layers = Layers::default();
        for entry in ENTRIES {
            layers.lay(
                entry,
                &Given::Loose(entry.default.to_owned()),
                Origin::Default,
            );
        }
        if let Some(file) = &sources.file {
            layers.lay_file(file);
        }
        layers.lay_environment(&sources.environment);
        for given in &sources.sets {
            match given.split_once('=') {
                Some((key, value)) => layers.lay_found((
                    key.trim().to_owned(),
                    Given::Loose(value.to_owned()),
                    Origin::Flag("--set"),
                )),
                None => layers.problems.push(Problem::NotAnAssignment {
                    given: given.clone(),
                }),
            }
        }
        for (flag, key, value) in &sources.flags {
            let given = Given::Loose(value.clone());
            layers.lay_found(((*key).to_owned(), given, Origin::Flag(flag)));
        }
        layers.finish()
    }
}

impl Layers {
    fn lay_found(&mut self, (key, given, origin): Found) {
        match entries::find(&key) {
            Some(entry) => self.lay(entry, &given, origin),
            None => self.problems.push(Problem::UnknownKey {
                nearest: nearest(&key),
                key,
                origin,
            }),
        }
    }

    fn lay(&mut self, entry: &'static Entry, given: &Given, origin: Origin) {
        match entry.kind.read(given) {
            Ok(value) => {
                let setting = Setting {
                    entry,
                    value,
                    origin,
                };
                self.settings.insert(entry.key, setting);
            }
            Err(expected) => self.problems.push(Problem::BadValue {
                key: entry.key,
                origin,
                expected,
                found: entry.kind.shown(given),
            }),
        }
    }

    /// `POSTROOM_SECTION__KEY` must be known. `POSTROOM_NAME` is read when it is a key and ignored
    /// otherwise: container platforms and our own client commands put names of that form there.
    fn lay_environment(&mut self, environment: &[(String, String)]) {
        for (name, value) in environment {
            let Some(rest) = name.strip_prefix("POSTROOM_") else {
                continue;
            };
            let key = rest.to_lowercase().replace("__", ".");
            if key.contains('.') || entries::find(&key).is_some() {
                let given = Given::Loose(value.clone());
                self.lay_found((key, given, Origin::Variable(name.clone())));
            }
        }
    }

    fn lay_file(&mut self, file: &ConfigFile) {
        let (ConfigFile::Named(path) | ConfigFile::Usual(path)) = file;
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                let is_absent = error.kind() == std::io::ErrorKind::NotFound;
                if !(is_absent && matches!(file, ConfigFile::Usual(_))) {
                    self.problems.push(Problem::Unreadable {
                        path: path.clone(),
                        reason: error.to_string(),
                    });
                }
                return;
            }
        };
        let (table, errors) = DeTable::parse_recoverable(&text);
        if !errors.is_empty() {
            // What was recovered beside a mistake is a guess: reporting on it would confuse.
            let start = |error: &toml::de::Error| error.span().map_or(0, |span| span.start);
            let mut lines: Vec<(usize, String)> = errors
                .iter()
                .map(|error| (line_of(&text, start(error)), error.message().to_owned()))
                .collect();
            lines.sort();
            let path = path.clone();
            let problem = |(line, reason)| Problem::Syntax {
                path: path.clone(),
                line,
                reason,
            };
            self.problems.extend(lines.into_iter().map(problem));
            return;
        }
        let mut found = Vec::new();
        collect(table.get_ref(), "", &mut |key, value, start| {
            found.push((line_of(&text, start), key, value));
        });
        found.sort_by_key(|(line, _, _)| *line);
        let path: Arc<Path> = Arc::from(path.as_path());
        for (line, key, value) in found {
            let path = Arc::clone(&path);
            self.lay_found((key, value, Origin::File { path, line }));
        }
    }

    fn finish(mut self) -> Result<Config, ConfigError> {
        let settings: Vec<Setting> = ENTRIES
            .iter()
            .filter_map(|entry| self.settings.remove(entry.key))
            .collect();
        let mut config = Config::build(&mut Values::new(&settings), usual_data());
        config.settings = settings;
        if self.problems.is_empty() {
            self.problems = config.contradictions();
        }
        if self.problems.is_empty() {
            Ok(config)
        } else {
            Err(ConfigError {
                problems: self.problems,
            })
        }
    }
}

/// Walks the file: tables become dotted keys, everything else a given value.
fn collect(table: &DeTable<'_>, prefix: &str, take: &mut impl FnMut(String, Given, usize)) {
    for (name, value) in table {
        let key = if prefix.is_empty() {
            name.get_ref().to_string()
        } else {
            format!("{prefix}.{}", name.get_ref())
        };
        if let DeValue::Table(inner) = value.get_ref() {
            collect(inner, &key, take);
        } else {
            take(key, given(value.get_ref()), name.span().start);
        }
    }
}

fn given(value: &DeValue<'_>) -> Given {
    match value {
        DeValue::String(text) => Given::Text(text.to_string()),
        DeValue::Integer(integer) => Given::Bare(integer.as_str().to_owned()),
        DeValue::Float(float) => Given::Bare(float.as_str().to_owned()),
        DeValue::Boolean(flag) => Given::Bare(flag.to_string()),
        DeValue::Array(items) => {
            let texts: Option<Vec<String>> = items
                .iter()
                .map(|item| item.get_ref().as_str().map(str::to_owned))
                .collect();
            texts.map_or(Given::Other("a list of something else"), Given::List)
        }
        DeValue::Datetime(_) => Given::Other("a date"),
        DeValue::Table(_) => Given::Other("a table"),
    }
}

fn line_of(text: &str, start: usize) -> usize {
    let before = text.as_bytes().iter().take(start);
    before
        .filter(|byte| **byte == b'\n')
        .count()
        .saturating_add(1)
}
