//! Giving one mail to the server. The only file that names the mail library.

use std::time::{Duration, SystemTime};

use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use super::{BadMail, MailConfig};
use crate::config::MailTls;
use crate::domain::ids::IntentId;
use crate::domain::time::Timestamp;

/// The way to the server. A connection is made for each mail.
#[derive(Clone)]
pub(super) struct Post {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    timeout: Duration,
}

/// One mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mail {
    pub(super) to: String,
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) at: Timestamp,
    /// What it is about, so that mails of one task are one conversation.
    pub(super) intent: IntentId,
    /// What it is itself.
    pub(super) id: String,
}

/// Why a mail was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NotTaken {
    /// The server cannot be reached, or takes nothing at all.
    Away(String),
    /// It does not take this one now.
    NotNow(String),
    /// It will never take this one.
    Never(String),
}

/// Who mails are from.
pub(super) fn sender(given: &str) -> Result<Mailbox, BadMail> {
    given.parse().map_err(|_none| BadMail::From {
        given: given.to_owned(),
    })
}

/// True for a bare mail address.
pub(super) fn is_mailbox(text: &str) -> bool {
    text.parse::<lettre::Address>().is_ok()
}

impl Post {
    pub(super) fn new(config: &MailConfig) -> Result<Self, BadMail> {
        let timeout = config.timeout.to_std();
        let tls = match config.tls {
            MailTls::None => Tls::None,
            MailTls::Starttls => Tls::Required(parameters(config)?),
            MailTls::Implicit => Tls::Wrapper(parameters(config)?),
        };
        let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host)
            .port(config.port)
            .timeout(Some(timeout))
            .tls(tls);
        let builder = match &config.login {
            Some((user, password)) => {
                builder.credentials(Credentials::new(user.clone(), password.reveal().to_owned()))
            }
            None => builder,
        };
        Ok(Self {
            transport: builder.build(),
            from: sender(&config.from)?,
            timeout,
        })
    }

    /// Gives one mail to the server.
    pub(super) async fn send(&self, mail: &Mail) -> Result<(), NotTaken> {
        let message = self.message(mail).map_err(NotTaken::Never)?;
        // The library's own limit is for each step of the conversation.
        match tokio::time::timeout(self.timeout, self.transport.send(message)).await {
            Ok(Ok(_taken)) => Ok(()),
            Ok(Err(error)) => Err(not_taken(&error)),
            Err(_elapsed) => Err(NotTaken::Away(format!(
                "no answer within {} s",
                self.timeout.as_secs_f64()
            ))),
        }
    }

    fn message(&self, mail: &Mail) -> Result<Message, String> {
        let to: lettre::Address = mail
            .to
            .parse()
            .map_err(|_none| format!("{:?} is no mail address", mail.to))?;
        let domain = self.from.email.domain();
        let conversation = format!("<{}@{domain}>", mail.intent);
        let millis = u64::try_from(mail.at.as_millis()).unwrap_or(0);
        let at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis));
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .date(at.unwrap_or(SystemTime::UNIX_EPOCH))
            // The same mail has the same id, however often it is sent.
            .message_id(Some(format!("<{}@{domain}>", mail.id)))
            .in_reply_to(conversation.clone())
            .references(conversation)
            .subject(mail.subject.clone())
            .header(AutoSubmitted)
            .singlepart(
                SinglePart::builder()
                    .header(ContentType::TEXT_PLAIN)
                    .body(mail.text.clone()),
            )
            .map_err(|error| error.to_string())
    }
}

/// Says that nobody wrote it, so that nobody's absence answers it (RFC 3834, section 5).
#[derive(Debug, Clone, Copy)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

fn parameters(config: &MailConfig) -> Result<TlsParameters, BadMail> {
    let bad = |error: lettre::transport::smtp::Error| BadMail::Connection {
        reason: told(&error),
    };
    let builder = TlsParameters::builder(config.host.clone());
    let builder = match &config.authorities {
        Some(pem) => builder.add_root_certificate(Certificate::from_pem(pem).map_err(bad)?),
        None => builder,
    };
    builder.build_rustls().map_err(bad)
}

fn not_taken(error: &lettre::transport::smtp::Error) -> NotTaken {
    let why = told(error);
    match error.status() {
        // Logging in was refused: of no mail's making (RFC 4954, section 6).
        Some(code) if matches!(u16::from(code), 421 | 530 | 534 | 535 | 538 | 454) => {
            NotTaken::Away(why)
        }
        Some(_code) if error.is_permanent() => NotTaken::Never(why),
        Some(_code) => NotTaken::NotNow(why),
        None => NotTaken::Away(why),
    }
}

/// The error with its causes, which the library's own words leave out.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
