//! One POST: send, read, classify, report.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::header::HeaderMap;
use http::status::StatusCode;
use http::version::Version;
use url::Url;

use super::answer::{Answer, classify};
use super::excerpt::{self, Read};
use super::fault::{cause, chain, find};
use super::message::{Message, Push};
use super::probe::{Marks, Probe, TimedLayer, millis};
use super::redact::Redactor;
use super::resolver::{GuardedResolver, Lookup, SystemLookup};
use super::trust::{Trust, TrustFiles};
use crate::bindings::guard::{Guard, Refused};
use crate::clock::{Clock, Mono};
use crate::config::Config;
use crate::domain::attempt::{AttemptReport, Timing};
use crate::domain::failure::{ErrorClass, Failure};

/// Idle connections kept for each receiver: as many as calls can run to one endpoint, or every wave of
/// calls would connect anew. They are closed after [`IDLE_TIMEOUT`].
const IDLE_PER_HOST: usize = 64;

/// How long an idle connection is kept: less than the 5 s after which common servers close theirs,
/// so that a push does not meet a connection that is just going away.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// How pushes are made.
#[derive(Debug, Clone)]
pub struct PusherConfig {
    /// For resolving, connecting and the TLS handshake.
    pub connect_timeout: Duration,
    /// For the whole exchange, the answer's body included.
    pub timeout: Duration,
    /// Most bytes of an answer's body that are read.
    pub response_bytes_max: usize,
    /// Where pushes may go.
    pub guard: Arc<Guard>,
    /// `Postroom/1.0.0`.
    pub user_agent: String,
    /// More keys whose values are hidden in excerpts.
    pub redact_keys: Vec<String>,
    /// Certificates besides the system's.
    pub trust: TrustFiles,
}

impl PusherConfig {
    /// What the configuration says, under that guard.
    #[must_use]
    pub fn of(config: &Config, guard: Arc<Guard>) -> Self {
        Self {
            connect_timeout: config.http.connect_timeout.to_std(),
            timeout: config.http.timeout.to_std(),
            response_bytes_max: config.http.response_bytes_max,
            guard,
            user_agent: concat!("Postroom/", env!("CARGO_PKG_VERSION")).to_owned(),
            redact_keys: config.redact_keys.clone(),
            trust: TrustFiles::of(config),
        }
    }
}

/// Why there can be no pusher.
#[derive(Debug, thiserror::Error)]
pub enum PusherError {
    /// A certificate or key cannot be read.
    #[error("read {key} {}: {error}", .path.display())]
    File {
        /// Key of the configuration.
        key: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// A file holds something else.
    #[error("{key} {} holds no {what} in PEM", .path.display())]
    Pem {
        /// Key of the configuration.
        key: &'static str,
        /// Which file.
        path: PathBuf,
        /// What was looked for.
        what: &'static str,
    },
    /// Certificate and key do not fit, or cannot be used.
    #[error("use http.client_cert with http.client_key: {reason}")]
    Unfit {
        /// What the library says.
        reason: String,
    },
    /// The HTTP client refuses its settings.
    #[error("http client could not be set up: {reason}")]
    Client {
        /// What it says.
        reason: String,
    },
}

/// What came of one push.
#[derive(Debug, Clone, PartialEq)]
pub struct PushResult {
    /// What the receiver said, or how it failed.
    pub answer: Answer,
    /// What was seen, capped and redacted.
    pub report: AttemptReport,
}

/// The sender of pushes. Cloning shares its connections.
#[derive(Clone)]
pub struct Pusher {
    client: reqwest::Client,
    clock: Arc<dyn Clock>,
    config: Arc<PusherConfig>,
    redactor: Arc<Redactor>,
}

impl fmt::Debug for Pusher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Pusher")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// The answer as far as it has come in.
#[derive(Debug, Default)]
struct Seen {
    head: Option<Head>,
    body: Vec<u8>,
    is_too_large: bool,
}

/// The answer's head.
#[derive(Debug)]
struct Head {
    version: Version,
    status: StatusCode,
    headers: HeaderMap,
    announced_bytes: Option<u64>,
    remote: Option<SocketAddr>,
    came_at: Mono,
}

/// How the exchange ended.
#[derive(Debug)]
enum Ended {
    /// The body was read to its end, or to our limit.
    Read,
    /// The client gave up.
    Broken(reqwest::Error),
    /// Our deadline passed.
    Late,
}

impl Pusher {
    /// A pusher that resolves names as the machine does.
    ///
    /// # Errors
    /// [`PusherError`] when the HTTP client cannot be set up.
    pub fn new(config: PusherConfig, clock: Arc<dyn Clock>) -> Result<Self, PusherError> {
        Self::with_lookup(config, clock, Arc::new(SystemLookup::default()))
    }

    /// A pusher that resolves names with `lookup`.
    ///
    /// # Errors
    /// [`PusherError`] when the HTTP client cannot be set up.
    pub fn with_lookup(
        config: PusherConfig,
        clock: Arc<dyn Clock>,
        lookup: Arc<dyn Lookup>,
    ) -> Result<Self, PusherError> {
        super::install_crypto_provider();
        let resolver = Arc::new(GuardedResolver {
            lookup,
            guard: Arc::clone(&config.guard),
        });
        let trust = Trust::load(&config.trust)?;
        let build = || trust.shown(builder(&config).dns_resolver(Arc::clone(&resolver)));
        let trusting = build().tls_certs_merge(trust.authorities.clone());
        let client = trusting.build().or_else(|error| {
            // A machine without certificate authorities can still push over plain HTTP.
            tracing::warn!(
                reason = %cause(&error),
                "no certificate authorities of the system were found: pushes to https may fail"
            );
            build().tls_certs_only(trust.authorities.clone()).build()
        });
        let client = client.map_err(|error| PusherError::Client {
            reason: cause(&error),
        })?;
        Ok(Self {
            client,
            clock,
            redactor: Arc::new(Redactor::new(&config.redact_keys)),
            config: Arc::new(config),
        })
    }

    /// The guard that this pusher follows, for checks at configuration time.
    #[must_use]
    pub fn guard(&self) -> &Guard {
        &self.config.guard
    }

    /// Makes one attempt. Never fails otherwise than by its answer.
    pub async fn post(&self, push: &Push<'_>) -> PushResult {
        let begun = self.clock.elapsed();
        let prepared = self.prepare(push);
        let (url, message) = match prepared {
            Ok(prepared) => prepared,
            Err(failure) => {
                return PushResult {
                    answer: Answer::Failed(failure),
                    report: AttemptReport::default(),
                };
            }
        };
        let request = excerpt::of_request(&url, &message, &self.redactor);
        let target = target_of(&url);
        let probe = Probe::new(Arc::clone(&self.clock));
        let mut seen = Seen::default();
        let exchange = probe.watch(self.exchange(url, message, &mut seen));
        let ended = match tokio::time::timeout(self.config.timeout, exchange).await {
            Ok(Ok(())) => Ended::Read,
            Ok(Err(error)) => Ended::Broken(error),
            Err(_elapsed) => Ended::Late,
        };
        let marks = probe.marks();
        let answer = self.judge(&ended, &seen, marks, &target, push);
        let mut report = self.report(begun, marks, &seen, &ended);
        report.request = Some(request);
        PushResult { answer, report }
    }

    /// Everything that may be wrong before a byte is sent.
    fn prepare(&self, push: &Push<'_>) -> Result<(Url, Message), Failure> {
        let url = self
            .config
            .guard
            .check_url(push.url)
            .map_err(|refused| Failure::new(ErrorClass::BlockedAddress, refused.to_string()))?;
        let message = push
            .message()
            .map_err(|error| Failure::new(ErrorClass::BadSignatureConfig, error.to_string()))?;
        Ok((url, message))
    }

    async fn exchange(
        &self,
        url: Url,
        message: Message,
        seen: &mut Seen,
    ) -> Result<(), reqwest::Error> {
        let request = self
            .client
            .post(url)
            .headers(message.headers)
            .body(message.body);
        let mut response = request.send().await?;
        seen.head = Some(Head {
            version: response.version(),
            status: response.status(),
            headers: response.headers().clone(),
            announced_bytes: response.content_length(),
            remote: response.remote_addr(),
            came_at: self.clock.elapsed(),
        });
        while let Some(chunk) = response.chunk().await? {
            let room = self
                .config
                .response_bytes_max
                .saturating_sub(seen.body.len());
            if let Some(part) = chunk.get(..room)
                && chunk.len() > room
            {
                seen.body.extend_from_slice(part);
                seen.is_too_large = true;
                return Ok(());
            }
            seen.body.extend_from_slice(&chunk);
        }
        Ok(())
    }

    fn judge(
        &self,
        ended: &Ended,
        seen: &Seen,
        marks: Marks,
        target: &str,
        push: &Push<'_>,
    ) -> Answer {
        let Some(head) = &seen.head else {
            return Answer::Failed(match ended {
                Ended::Broken(error) => self.failure_of(error, marks, target),
                Ended::Read | Ended::Late => self.late(target, marks.phase(false)),
            });
        };
        let is_whole = matches!(ended, Ended::Read) && !seen.is_too_large;
        if head.status.is_success() {
            // The receiver may have done the work, but we do not know what it said.
            let mut failure = match ended {
                Ended::Read => {
                    let body = is_whole.then_some(seen.body.as_slice());
                    return classify(head.status, &head.headers, body, push.now);
                }
                Ended::Broken(error) => self.failure_of(error, marks, target),
                Ended::Late => self.late(target, marks.phase(true)),
            };
            failure.http_status = Some(head.status.as_u16());
            return Answer::Failed(failure);
        }
        // A refusal stands, whatever became of its body.
        classify(head.status, &head.headers, None, push.now)
    }

    /// The failure of an exchange that brought no answer, or only a part of it.
    fn failure_of(&self, error: &reqwest::Error, marks: Marks, target: &str) -> Failure {
        if let Some(refused) = find::<Refused>(error) {
            return Failure::new(ErrorClass::BlockedAddress, refused.to_string());
        }
        let why = cause(error);
        if error.is_dns() {
            return Failure::new(ErrorClass::Dns, format!("{target} does not resolve: {why}"));
        }
        if error.is_connect() && error.is_timeout() {
            let within = seconds(self.config.connect_timeout);
            let is_resolving = marks.resolve_begun.is_some() && marks.resolve_ended.is_none();
            let (class, what) = if is_resolving {
                (ErrorClass::Dns, "did not resolve")
            } else {
                (ErrorClass::Connect, "took no connection")
            };
            return Failure::new(class, format!("{target} {what} within {within}"));
        }
        if find::<rustls::Error>(error).is_some() {
            return Failure::new(
                ErrorClass::Tls,
                format!("no TLS session with {target}: {why}"),
            );
        }
        if error.is_connect() {
            // The connector says which of its steps broke only in words; a handshake that is cut
            // off is an I/O error like any other.
            let is_tcp = chain(error).any(|error| error.to_string().starts_with("tcp "));
            return if is_tcp {
                Failure::new(
                    ErrorClass::Connect,
                    format!("no connection to {target}: {why}"),
                )
            } else {
                Failure::new(
                    ErrorClass::Tls,
                    format!("no TLS session with {target}: {why}"),
                )
            };
        }
        if error.is_timeout() {
            return self.late(target, marks.phase(false));
        }
        Failure::new(
            ErrorClass::Reset,
            format!("the connection to {target} broke: {why}"),
        )
    }

    fn late(&self, target: &str, phase: &str) -> Failure {
        let within = seconds(self.config.timeout);
        Failure::new(
            ErrorClass::Timeout,
            format!("no full answer from {target} within {within}; time ran out {phase}"),
        )
    }

    fn report(&self, begun: Mono, marks: Marks, seen: &Seen, ended: &Ended) -> AttemptReport {
        let mut report = AttemptReport {
            timing: Timing {
                resolve_ms: marks.resolve_ms(),
                connect_ms: marks.connect_ms(),
                // Part of connecting: the client does not tell them apart.
                tls_ms: None,
                first_byte_ms: None,
                total_ms: Some(millis(begun, self.clock.elapsed())),
            },
            ..AttemptReport::default()
        };
        if let Some(head) = &seen.head {
            let is_whole = matches!(ended, Ended::Read) && !seen.is_too_large;
            report.timing.first_byte_ms = Some(millis(begun, head.came_at));
            report.remote_addr = head.remote.map(|address| address.to_string());
            report.http_status = Some(head.status.as_u16());
            report.is_body_too_large = seen.is_too_large && head.status.is_success();
            let read = Read {
                version: head.version,
                status: head.status,
                headers: &head.headers,
                body: &seen.body,
                announced_bytes: head.announced_bytes,
                is_whole,
            };
            report.response = Some(excerpt::of_response(&read, &self.redactor));
        }
        report
    }
}

/// The client's settings. Each closes a way past the guard or the attempt's count.
fn builder(config: &PusherConfig) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        // A proxy of the environment would connect where the guard does not look.
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        // Every request is one counted attempt.
        .retry(reqwest::retry::never())
        .connect_timeout(config.connect_timeout)
        .pool_max_idle_per_host(IDLE_PER_HOST)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .user_agent(&config.user_agent)
        .connector_layer(TimedLayer)
}

/// `receiver.example:443`, without the path, which may hold a secret.
fn target_of(url: &Url) -> String {
    match (url.host_str(), url.port_or_known_default()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => "the receiver".to_owned(),
    }
}

/// `15 s`, `250 ms`.
fn seconds(duration: Duration) -> String {
    if duration.subsec_millis() == 0 {
        format!("{} s", duration.as_secs())
    } else {
        format!("{} ms", duration.as_millis())
    }
}
