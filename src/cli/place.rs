//! Where the broker is and which key opens it: `--url` and `POSTROOM_KEY`, or what the broker of
//! the data directory has left there for its owner.

use std::path::{Path, PathBuf};

use url::Url;

use super::arguments::{ConsoleFlags, Global};
use super::failure::Failure;
use crate::config::{Config, ConfigFile, Sources};

/// The variable that holds a key.
pub const KEY_VARIABLE: &str = "POSTROOM_KEY";
/// File with the admin key, alone on one line, mode 0600.
pub const KEY_FILE: &str = "admin.key";
/// File with the URL on which the broker of this directory really listens.
pub const ADDRESS_FILE: &str = "address";

/// A broker and the key for it.
#[derive(Clone, PartialEq, Eq)]
pub struct Place {
    /// Where it listens.
    pub url: Url,
    /// The key, when one was found.
    pub key: Option<String>,
    /// Where the key comes from, for people.
    pub key_from: String,
}

impl std::fmt::Debug for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Place")
            .field("url", &self.url.as_str())
            .field("key_from", &self.key_from)
            .finish_non_exhaustive()
    }
}

/// Reads the configuration as the command line wants it.
///
/// # Errors
/// Every problem with it, as a usage failure.
pub fn configuration(
    global: &Global,
    console: &ConsoleFlags,
    is_ephemeral: bool,
) -> Result<Config, Failure> {
    let data = global.data.as_ref().map(|data| data.display().to_string());
    let mut sources = Sources::of_process(global.config.clone());
    for assignment in &global.set {
        sources = sources.with(assignment.clone());
    }
    sources = sources
        .with_flag("--data", "data", data)
        .with_flag("--listen", "listen", global.listen.clone())
        .with_flag("--log", "log.filter", global.log.clone())
        .with_flag("--theme", "console.theme", console.theme.clone())
        .with_flag("--glyphs", "console.glyphs", console.glyphs.clone());
    if console.no_mouse {
        sources = sources.with_flag("--no-mouse", "console.mouse", Some("false".to_owned()));
    }
    if console.a11y {
        sources = sources.with_flag("--a11y", "console.a11y", Some("true".to_owned()));
    }
    if is_ephemeral {
        sources = sources.with_flag("--ephemeral", "store.kind", Some("memory".to_owned()));
    }
    let named = match &sources.file {
        Some(ConfigFile::Named(path) | ConfigFile::Usual(path)) => path.display().to_string(),
        None => "config.toml".to_owned(),
    };
    Config::load(&sources).map_err(|error| {
        Failure::usage(error.to_string()).hint(format!(
            "postroom config --template prints every key; the file is {named}"
        ))
    })
}

/// The defaults and nothing else.
///
/// # Errors
/// None that could be met: the defaults fit.
pub fn default_configuration() -> Result<Config, Failure> {
    Config::load(&Sources::default()).map_err(|error| Failure::usage(error.to_string()))
}

/// The broker that the command line means.
///
/// # Errors
/// A URL that is none.
pub fn find(global: &Global, config: &Config) -> Result<Place, Failure> {
    let left = left_by_broker(&config.data);
    let url = match (&global.url, &left) {
        (Some(given), _) => parse_url(given)?,
        (None, Some(url)) => url.clone(),
        (None, None) => parse_url(&format!("http://{}", config.listen))?,
    };
    let is_ours = global.url.is_none() || left.as_ref().is_some_and(|left| is_same(left, &url));
    let (key, key_from) = match std::env::var(KEY_VARIABLE) {
        Ok(key) if !key.trim().is_empty() => (Some(key.trim().to_owned()), KEY_VARIABLE.to_owned()),
        // Our own key goes to our own broker only.
        _ if is_ours => {
            let path = config.data.join(KEY_FILE);
            (read_line(&path), path.display().to_string())
        }
        _ => (None, "nowhere".to_owned()),
    };
    Ok(Place {
        url: reachable(url),
        key,
        key_from,
    })
}

/// The URL in the directory's address file, when there is one.
#[must_use]
pub fn left_by_broker(data: &Path) -> Option<Url> {
    read_line(&data.join(ADDRESS_FILE)).and_then(|line| Url::parse(&line).ok())
}

/// The first line of a small file of ours.
#[must_use]
pub fn read_line(path: &PathBuf) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().next()?.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

/// Reads a broker's URL; a bare `host:port` is understood.
///
/// # Errors
/// What is no http or https URL.
pub fn parse_url(given: &str) -> Result<Url, Failure> {
    let given = given.trim();
    let whole = if given.contains("://") {
        given.to_owned()
    } else {
        format!("http://{given}")
    };
    let url = Url::parse(&whole)
        .map_err(|error| Failure::usage(format!("read broker URL {given:?}: {error}")))?;
    if matches!(url.scheme(), "http" | "https") && url.host_str().is_some() {
        Ok(url)
    } else {
        Err(
            Failure::usage(format!("read broker URL {given:?}: neither http nor https"))
                .hint("such as http://127.0.0.1:8100"),
        )
    }
}

/// What listens everywhere is asked on loopback.
fn reachable(mut url: Url) -> Url {
    let loopback = match url.host() {
        Some(url::Host::Ipv4(address)) if address.is_unspecified() => Some("127.0.0.1"),
        Some(url::Host::Ipv6(address)) if address.is_unspecified() => Some("[::1]"),
        _ => None,
    };
    if let Some(loopback) = loopback {
        // An http URL always takes a host; if it should not, the URL stays as it was.
        let _unchanged = url.set_host(Some(loopback));
    }
    url
}

fn is_same(one: &Url, other: &Url) -> bool {
    let place = |url: &Url| {
        let url = reachable(url.clone());
        let host = match url.host_str() {
            Some("localhost") => "127.0.0.1".to_owned(),
            host => host.unwrap_or_default().to_owned(),
        };
        (url.scheme().to_owned(), host, url.port_or_known_default())
    };
    place(one) == place(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directorys_own_key_goes_to_no_other_broker() {
        let data = tempfile::tempdir().unwrap();
        std::fs::write(data.path().join(ADDRESS_FILE), "http://0.0.0.0:8100\n").unwrap();
        std::fs::write(data.path().join(KEY_FILE), "axme_sa_sa_1_x\n").unwrap();
        let config = Config::in_directory(data.path(), &[]).unwrap();
        let at = |url: Option<&str>| {
            let global = Global {
                url: url.map(str::to_owned),
                ..Global::default()
            };
            find(&global, &config).unwrap()
        };
        assert_eq!(at(None).url.as_str(), "http://127.0.0.1:8100/");
        assert!(at(None).key.is_some());
        assert!(at(Some("http://localhost:8100")).key.is_some());
        assert_eq!(at(Some("http://127.0.0.1:9999")).key, None);
        assert_eq!(at(Some("https://broker.example")).key, None);
    }

    #[test]
    fn a_url_may_be_short_but_must_be_one() {
        assert_eq!(
            parse_url("localhost:1").unwrap().as_str(),
            "http://localhost:1/"
        );
        assert!(parse_url("ftp://x").is_err());
        assert!(parse_url("http://").is_err());
    }
}
