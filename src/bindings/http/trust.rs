//! Whom pushes trust over TLS besides the system's authorities, and what they show of themselves.

use std::path::{Path, PathBuf};

use super::fault::cause;
use super::pusher::PusherError;
use crate::config::Config;

/// PEM files of the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustFiles {
    /// `http.ca_cert`: more authorities.
    pub authorities: Option<PathBuf>,
    /// `http.client_cert` and `http.client_key`: shown to receivers that ask.
    pub client: Option<(PathBuf, PathBuf)>,
}

impl TrustFiles {
    pub(super) fn of(config: &Config) -> Self {
        Self {
            authorities: config.http.ca_cert.clone(),
            client: config
                .http
                .client_cert
                .clone()
                .zip(config.http.client_key.clone()),
        }
    }
}

/// What the files hold.
#[derive(Clone, Default)]
pub(super) struct Trust {
    pub(super) authorities: Vec<reqwest::Certificate>,
    identity: Option<reqwest::Identity>,
}

impl Trust {
    pub(super) fn load(files: &TrustFiles) -> Result<Self, PusherError> {
        let authorities = match &files.authorities {
            Some(path) => authorities(path)?,
            None => Vec::new(),
        };
        let identity = match &files.client {
            Some((cert, key)) => Some(identity(cert, key)?),
            None => None,
        };
        Ok(Self {
            authorities,
            identity,
        })
    }

    /// A client that shows the certificate.
    pub(super) fn shown(&self, builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
        match &self.identity {
            Some(identity) => builder.identity(identity.clone()),
            None => builder,
        }
    }
}

fn authorities(path: &Path) -> Result<Vec<reqwest::Certificate>, PusherError> {
    let pem = read("http.ca_cert", path)?;
    let found = reqwest::Certificate::from_pem_bundle(&pem).unwrap_or_default();
    if found.is_empty() {
        return Err(PusherError::Pem {
            key: "http.ca_cert",
            path: path.to_owned(),
            what: "certificate",
        });
    }
    Ok(found)
}

/// The library wants certificate and key in one text.
fn identity(cert: &Path, key: &Path) -> Result<reqwest::Identity, PusherError> {
    let mut pem = read("http.client_cert", cert)?;
    pem.push(b'\n');
    pem.extend(read("http.client_key", key)?);
    let identity = reqwest::Identity::from_pem(&pem).map_err(|_which| PusherError::Pem {
        key: "http.client_cert",
        path: cert.to_owned(),
        what: "certificate that goes with the key of http.client_key",
    })?;
    // A client is the only one who looks whether the two fit.
    let tried = reqwest::Client::builder()
        .tls_certs_only([])
        .identity(identity.clone());
    match tried.build() {
        Ok(_fits) => Ok(identity),
        Err(error) => Err(PusherError::Unfit {
            reason: cause(&error),
        }),
    }
}

fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, PusherError> {
    std::fs::read(path).map_err(|error| PusherError::File {
        key,
        path: path.to_owned(),
        error,
    })
}
