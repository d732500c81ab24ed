//! Mail to people: the keys of its section, typed.

use std::path::PathBuf;

use super::tree::Values;
use super::value::Secret;
use crate::domain::time::Span;

/// How the connection to the mail server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailTls {
    /// Begins in the clear and must be encrypted before anything is said.
    Starttls,
    /// From the first byte.
    Implicit,
    /// Not at all.
    None,
}

/// Mail to people, and the page that their links lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The server; empty when no mail is sent.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub tls: MailTls,
    /// Authorities that are trusted besides those of the system.
    pub ca_cert: Option<PathBuf>,
    /// Name to log in with; empty for none.
    pub user: String,
    /// The password.
    pub password: Secret,
    /// Or the file that has it.
    pub password_file: Option<PathBuf>,
    /// Who the mails are from.
    pub from: String,
    /// What links begin with.
    pub page_url: String,
    /// Who is written to where: `address=mail address`.
    pub contacts: Vec<String>,
    /// Domains that may be written to; empty for any.
    pub domains: Vec<String>,
    /// How long a link decides.
    pub link_lifetime: Span,
    /// Time to give one mail away.
    pub timeout: Span,
    /// Delay after the first failure; doubles with each.
    pub retry_base: Span,
    /// The longest delay.
    pub retry_max: Span,
    /// Mails that wait at once.
    pub waiting_max: usize,
}

impl Mail {
    /// True when mail is sent.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        !self.host.is_empty()
    }

    /// True when it is off, or has all it needs.
    pub(super) const fn is_whole(&self) -> bool {
        !self.is_on() || (!self.from.is_empty() && !self.page_url.is_empty())
    }

    pub(super) fn read(values: &mut Values<'_>) -> Self {
        Self {
            host: values.text("mail.host"),
            port: values.number("mail.port"),
            tls: match values.text("mail.tls").as_str() {
                "implicit" => MailTls::Implicit,
                "none" => MailTls::None,
                _ => MailTls::Starttls,
            },
            ca_cert: values.path("mail.ca_cert"),
            user: values.text("mail.user"),
            password: Secret::new(values.text("mail.password")),
            password_file: values.path("mail.password_file"),
            from: values.text("mail.from"),
            page_url: values.text("mail.page_url"),
            contacts: values.texts("mail.contacts"),
            domains: values.texts("mail.domains"),
            link_lifetime: values.span("mail.link_hours"),
            timeout: values.span("mail.timeout_seconds"),
            retry_base: values.span("mail.retry_base_seconds"),
            retry_max: values.span("mail.retry_max_seconds"),
            waiting_max: values.number("mail.waiting_max"),
        }
    }
}
