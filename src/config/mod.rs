//! The one configuration: every number, name and switch of the process.
//!
//! Invariants:
//! 1. Every limit, timeout and retry of the product is a key here, with its unit and the reason of
//!    its default; the table in `entries.rs` is the only list of them.
//! 2. Reading reports every problem at once, each with its key and where it came from. An unknown
//!    key is an error that names the nearest known one.
//! 3. Later sources win: defaults, file, environment, `--set`, flags.
//! 4. Secrets are never printed.
//!
//! Not here: what a value does. Tested at the end of each file; the README's table is compared
//! with [`readme_table`] by `tests/tidy.rs`.

mod entries;
mod header;
mod load;
mod mail;
mod nearest;
mod notices;
mod render;
mod sections;
mod tree;
mod value;

pub use entries::{ENTRIES, Entry, find};
pub use header::{Header, Limit};
pub use load::{ConfigError, ConfigFile, Origin, Problem, Sources, usual_data, usual_file};
pub use mail::{Mail, MailTls};
pub use nearest::nearest;
pub use notices::{Notices, Notify};
pub use render::{readme_table, template};
pub use tree::{
    Compat, Config, Console, EarlyClose, Environment, Glyphs, Http, Limits, Mesh, Retention, Retry,
    Store, StoreKind, Stream, Tls,
};
pub use value::{Kind, Secret, Unit};

use load::Setting;

use crate::domain::address::Home;
use crate::domain::mesh::MeshPolicy;
use crate::domain::policy::{self, Policy};

impl Config {
    /// The defaults, for a broker in `data` on a free port of loopback: tests and `bench`.
    ///
    /// # Errors
    /// As [`Config::load`], for one of `sets`, each a `section.key=value`.
    pub fn in_directory(data: &std::path::Path, sets: &[&str]) -> Result<Self, ConfigError> {
        let mut sources = Sources::default()
            .with_flag("--data", "data", Some(data.display().to_string()))
            .with_flag("--listen", "listen", Some("127.0.0.1:0".to_owned()));
        for assignment in sets {
            sources = sources.with(*assignment);
        }
        Self::load(&sources)
    }

    /// The numbers by which the engine decides.
    #[must_use]
    pub fn policy(&self) -> Policy {
        Policy {
            home: Home {
                org: self.org.clone(),
                workspace: self.workspace.clone(),
            },
            max_delivery_attempts: self.max_delivery_attempts,
            ack_timeout: self.ack_timeout,
            default_ttl: self.default_ttl,
            pull_retry_base: self.retry.base,
            pull_retry_max: self.retry.max,
            push_retry_delays: self.http.retry_delays.clone(),
            retry_after_max: self.http.retry_after_max,
            jitter_percent: self.retry.jitter_percent,
            is_4xx_permanent: self.http.is_4xx_permanent,
            run_bytes_max: self.limits.run_bytes,
            controls_bytes_max: self.limits.controls_bytes,
            retention: policy::Retention {
                finished: self.retention.finished,
                dead_letters: self.retention.dead_letter,
                audit: self.retention.audit,
                answers: self.idempotency_retention,
                jobs: self.retention.jobs,
            },
            mesh: MeshPolicy {
                degraded: self.mesh.degraded,
                unreachable: self.mesh.unreachable,
                is_unreachable_held: self.mesh.is_unreachable_held,
            },
            listening: policy::Listening {
                alone: self.stream.alone,
                company_remembered: self.stream.company,
            },
            letters_per_hour_max: self.letters_per_hour_max,
            ..Policy::default()
        }
    }

    /// Where the value of `key` came from; none for a key that does not exist.
    #[must_use]
    pub fn origin(&self, key: &str) -> Option<&Origin> {
        let setting = self
            .settings
            .iter()
            .find(|setting| setting.entry.key == key);
        setting.map(|setting| &setting.origin)
    }

    /// What is allowed but should be known before it hurts; to be logged and shown at start.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if !self.listen.ip().is_loopback() && self.tls.cert.is_none() {
            warnings.push(format!(
                "listening on {} without TLS: keys and payloads cross the network in the clear",
                self.listen
            ));
        }
        if self.store.kind == StoreKind::Memory {
            warnings.push("the store is in memory: everything is gone when this stops".to_owned());
        }
        let idle = self
            .settings
            .iter()
            .filter(|setting| setting.origin != Origin::Default && !setting.entry.has_effect());
        warnings.extend(idle.map(|setting| {
            let (key, origin) = (setting.entry.key, &setting.origin);
            format!("{key} ({origin}): has no effect in this version")
        }));
        warnings
    }

    /// Values that do not fit each other.
    fn contradictions(&self) -> Vec<Problem> {
        let rules = [
            (
                self.tls.cert.is_some() == self.tls.key.is_some(),
                "tls.cert",
                "tls.cert and tls.key must both be set, or neither",
            ),
            (
                self.http.client_cert.is_some() == self.http.client_key.is_some(),
                "http.client_cert",
                "http.client_cert and http.client_key must both be set, or neither",
            ),
            (
                self.retry.base <= self.retry.max,
                "retry.stream_base_ms",
                "must not be longer than retry.stream_max_ms",
            ),
            (
                self.http.connect_timeout <= self.http.timeout,
                "http.connect_timeout_seconds",
                "must not be longer than http.timeout_seconds",
            ),
            (
                self.limits.payload_bytes <= self.limits.body_bytes,
                "limits.payload_bytes",
                "must not be larger than limits.body_bytes",
            ),
            (
                self.http.per_endpoint_max <= self.http.slots,
                "http.per_endpoint_max",
                "must not be larger than http.slots",
            ),
            (
                self.mesh.degraded < self.mesh.unreachable,
                "mesh.degraded_seconds",
                "must be shorter than mesh.unreachable_seconds",
            ),
            (
                self.mail.is_whole(),
                "mail.host",
                "needs mail.from and mail.page_url",
            ),
            (
                self.mail.password.is_empty() || self.mail.password_file.is_none(),
                "mail.password_file",
                "mail.password and mail.password_file must not both be set",
            ),
            (
                self.mail.retry_base <= self.mail.retry_max,
                "mail.retry_base_seconds",
                "must not be longer than mail.retry_max_seconds",
            ),
        ];
        let broken = rules.into_iter().filter(|(holds, _, _)| !holds);
        broken
            .map(|(_, key, rule)| Problem::Together {
                key,
                origin: self.origin(key).cloned().unwrap_or(Origin::Default),
                rule,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
