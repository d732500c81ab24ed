//! The mails that a person gets who has a task, each with a link that decides it.
//!
//! 1. Off unless `mail.host` is set. It follows what was committed and holds nothing up: no server, no
//!    disk and no mail delays a delivery or a decision.
//! 2. One mail to each person when a task comes to them, at each reminder, and when it is escalated to
//!    them. A newer one of the same task takes the place of an older one that was not taken yet.
//! 3. What is to be written is kept in the store until the server has taken it: a restart sends what is
//!    left, and sends twice only what was taken in the moment of a crash.
//! 4. A link names a person, cannot be guessed, and decides only while that person still has the task.
//! 5. Only `post` names the mail library.
//!
//! Not here: the page behind the link (`api/page`), who may decide (`engine`), when reminders are due.
//! Tested beside the rules, in `tests.rs` against a server on a real socket, and in `tests/clients` against
//! one that we did not write.

mod contacts;
mod follow;
mod letter;
mod link;
mod post;
mod stats;
mod waiting;
mod words;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use url::Url;

use crate::bindings::http::Redactor;
use crate::config::{Config, MailTls, Secret};
use crate::domain::address::Home;
use crate::domain::time::Span;

pub use self::contacts::Contacts;
pub use self::follow::start;
pub use self::link::{Link, Links};
pub use self::stats::{MailStats, MailView};

/// What is wrong with the section `mail` of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadMail {
    /// The sender is no mail address.
    #[error(
        "mail.from: {given:?} is no mail address; hint: such as `Postroom <postroom@example.com>`"
    )]
    From {
        /// As it was given.
        given: String,
    },
    /// The address of the page is none.
    #[error("mail.page_url: {given:?} is no http or https URL")]
    Page {
        /// As it was given.
        given: String,
    },
    /// A contact cannot be read.
    #[error(
        "mail.contacts: {given:?} is not address=mail address, such as finance=anna@example.com"
    )]
    Contact {
        /// As it was given.
        given: String,
    },
    /// A file cannot be used.
    #[error("{key}: read {path}: {reason}")]
    File {
        /// The key that names it.
        key: &'static str,
        /// Which.
        path: String,
        /// Why not.
        reason: String,
    },
    /// The connection cannot be made ready.
    #[error("mail.host: {reason}")]
    Connection {
        /// Why not.
        reason: String,
    },
}

/// Everything that mail needs of the configuration, read and checked.
#[derive(Debug, Clone)]
pub struct MailConfig {
    /// The server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub tls: MailTls,
    /// Authorities that are trusted besides those of the system, PEM.
    pub authorities: Option<Vec<u8>>,
    /// Name and password to log in with.
    pub login: Option<(String, Secret)>,
    /// Who the mails are from.
    pub from: String,
    /// What links begin with; ends with a slash.
    pub page: Url,
    /// Who is written to where.
    pub contacts: Arc<Contacts>,
    /// How long a link decides.
    pub lifetime: Span,
    /// Time to give one mail away.
    pub timeout: Span,
    /// Delay after the first failure; doubles with each.
    pub retry_base: Span,
    /// The longest delay.
    pub retry_max: Span,
    /// Mails that wait at once.
    pub waiting_max: usize,
}

impl MailConfig {
    /// What the configuration says; none when mail is off.
    ///
    /// # Errors
    /// [`BadMail`] for what cannot be read.
    pub fn of(config: &Config) -> Result<Option<Self>, BadMail> {
        let mail = &config.mail;
        if !mail.is_on() {
            return Ok(None);
        }
        let home = Home {
            org: config.org.clone(),
            workspace: config.workspace.clone(),
        };
        let password = match &mail.password_file {
            Some(path) => Secret::new(first_line("mail.password_file", path)?),
            None => mail.password.clone(),
        };
        let authorities = match &mail.ca_cert {
            Some(path) => Some(read("mail.ca_cert", path)?),
            None => None,
        };
        post::sender(&mail.from)?;
        Ok(Some(Self {
            host: mail.host.clone(),
            port: mail.port,
            tls: mail.tls,
            authorities,
            login: (!mail.user.is_empty()).then(|| (mail.user.clone(), password)),
            from: mail.from.clone(),
            page: page_url(&mail.page_url)?,
            contacts: Arc::new(Contacts::read(&mail.contacts, &mail.domains, &home)?),
            lifetime: mail.link_lifetime,
            timeout: mail.timeout,
            retry_base: mail.retry_base,
            retry_max: mail.retry_max,
            waiting_max: mail.waiting_max,
        }))
    }
}

/// The handle that the door holds: reads links, and tells how the mails do.
#[derive(Debug, Clone)]
pub struct Reach {
    /// Reads and makes links.
    pub links: Arc<Links>,
    /// How the mails do.
    pub stats: Arc<MailStats>,
    /// What is masked in payloads that the page shows.
    pub masks: Arc<Redactor>,
}

impl PartialEq for Reach {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.links, &other.links)
    }
}

impl Eq for Reach {}

/// A base that paths can be joined to.
fn page_url(given: &str) -> Result<Url, BadMail> {
    let bad = || BadMail::Page {
        given: given.to_owned(),
    };
    let url = Url::parse(&format!("{}/", given.trim_end_matches('/'))).map_err(|_none| bad())?;
    let is_page = matches!(url.scheme(), "http" | "https") && url.has_host();
    is_page.then_some(url).ok_or_else(bad)
}

fn read(key: &'static str, path: &std::path::Path) -> Result<Vec<u8>, BadMail> {
    std::fs::read(path).map_err(|error| BadMail::File {
        key,
        path: path.display().to_string(),
        reason: error.to_string(),
    })
}

fn first_line(key: &'static str, path: &std::path::Path) -> Result<String, BadMail> {
    let bytes = read(key, path)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
