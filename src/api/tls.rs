//! Encrypted listening: one certificate chain and its key, from PEM files.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

/// A connection, encrypted or not.
pub(super) type Connection = Either<TcpStream, TlsStream<TcpStream>>;

/// What the door encrypts with.
#[derive(Clone)]
pub struct Tls(Arc<ServerConfig>);

impl PartialEq for Tls {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Tls {}

impl fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Tls")
    }
}

/// Why the door cannot encrypt. Keys never appear in the text.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("read {key} {}: {error}", .path.display())]
    Read {
        /// `tls.cert` or `tls.key`.
        key: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A file holds no certificate, or no key.
    #[error("{key} {} holds no {what} in PEM", .path.display())]
    Empty {
        /// `tls.cert` or `tls.key`.
        key: &'static str,
        /// Which file.
        path: PathBuf,
        /// What was looked for.
        what: &'static str,
    },
    /// The two do not fit, or cannot be used.
    #[error("use tls.cert with tls.key: {reason}")]
    Unfit {
        /// What the library says.
        reason: String,
    },
}

impl Tls {
    /// Reads a certificate chain and its private key.
    ///
    /// # Errors
    /// [`TlsError`] names the file.
    pub fn load(cert: &Path, key: &Path) -> Result<Self, TlsError> {
        let chain = CertificateDer::pem_slice_iter(&read("tls.cert", cert)?)
            .collect::<Result<Vec<_>, _>>()
            .ok()
            .filter(|chain| !chain.is_empty())
            .ok_or_else(|| TlsError::Empty {
                key: "tls.cert",
                path: cert.to_owned(),
                what: "certificate",
            })?;
        let secret =
            PrivateKeyDer::from_pem_slice(&read("tls.key", key)?).map_err(|_shows_the_key| {
                TlsError::Empty {
                    key: "tls.key",
                    path: key.to_owned(),
                    what: "private key",
                }
            })?;
        let unfit = |error: rustls::Error| TlsError::Unfit {
            reason: error.to_string(),
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(unfit)?
            .with_no_client_auth()
            .with_single_cert(chain, secret)
            .map_err(unfit)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config)))
    }

    /// Shakes hands, within `wait`.
    pub(super) async fn accept(self, stream: TcpStream, wait: Duration) -> io::Result<Connection> {
        let shake = TlsAcceptor::from(self.0).accept(stream);
        let shake = tokio::time::timeout(wait, shake);
        let late = |_elapsed| io::Error::new(io::ErrorKind::TimedOut, "no TLS handshake in time");
        Ok(Either::Right(shake.await.map_err(late)??))
    }
}

fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|error| TlsError::Read {
        key,
        path: path.to_owned(),
        error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/tls")
            .join(name)
    }

    #[test]
    fn what_cannot_be_used_is_named_and_the_key_never_shown() {
        assert!(Tls::load(&at("cert.pem"), &at("key.pem")).is_ok());
        for (cert, key, said) in [
            ("none.pem", "key.pem", "read tls.cert"),
            ("cert.pem", "none.pem", "read tls.key"),
            ("key.pem", "key.pem", "holds no certificate"),
            ("cert.pem", "cert.pem", "holds no private key"),
        ] {
            let error = Tls::load(&at(cert), &at(key)).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
        let error = Tls::load(&at("cert.pem"), &at("other.pem")).unwrap_err();
        let error = error.to_string();
        assert!(error.contains("use tls.cert with tls.key"), "{error}");
    }
}
