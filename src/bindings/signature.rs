//! Signatures of a push: the AXME header and Standard Webhooks (versions `v1` and `v1a`).
//!
//! A secret is shared, `whsec_` or any text, and gives both headers; or it is a signing key, `whsk_`, of
//! which the receiver has only the public half, `whpk_`, and gives `v1a` (ed25519) alone.
//!
//! Shared secrets key both headers, but not by the same bytes: the AXME header takes the whole
//! secret string as its key, Standard Webhooks what is behind `whsec_` after base64 decoding.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use sha2::Sha256;

use crate::domain::agent::Secret;
use crate::domain::time::Timestamp;

/// What a secret in the form of Standard Webhooks starts with.
const PREFIX: &str = "whsec_";

/// What a signing key of Standard Webhooks starts with.
const SIGNING_PREFIX: &str = "whsk_";

/// What the public half of a signing key starts with.
const PUBLIC_PREFIX: &str = "whpk_";

/// Bytes behind `whsec_` in a secret that we make; Standard Webhooks asks for 24 to 64.
pub const SECRET_BYTES: usize = 32;

/// The two signature headers of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signatures {
    /// `X-Axme-Signature`: `sha256=` and lower-case hexadecimal digits, by the newest shared secret; none
    /// where all are signing keys.
    pub axme: Option<String>,
    /// `webhook-signature`: `v1,` or `v1a,` and base64, one for each valid secret, the newest first.
    pub standard: String,
}

/// Why a request cannot be signed: the failure class is `bad_signature_config`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSecret {
    /// What follows `whsec_` does not decode.
    #[error(
        "signing secret {number} starts with whsec_ or whsk_ but is not base64 behind it; hint: set a new secret"
    )]
    NotBase64 {
        /// Which of the receiver's secrets, 1 for the newest. The secret itself is never shown.
        number: usize,
    },
    /// A signing key of another length than 32 bytes, or 64 with its public half behind it.
    #[error("signing key {number} is no ed25519 key of 32 or 64 bytes; hint: set a new secret")]
    NoSigningKey {
        /// Which of the receiver's secrets, 1 for the newest.
        number: usize,
    },
    /// A secret without a single byte.
    #[error("signing secret {number} is empty; hint: set a new secret")]
    Empty {
        /// Which of the receiver's secrets, 1 for the newest.
        number: usize,
    },
}

/// Signs `body` with every secret that is valid at `now`; `None` when there is none.
///
/// # Errors
/// [`BadSecret`] when one of the valid secrets is no key.
pub fn sign(
    secrets: &[Secret],
    webhook_id: &str,
    now: Timestamp,
    body: &[u8],
) -> Result<Option<Signatures>, BadSecret> {
    let timestamp = now.as_seconds().to_string();
    let parts = [
        webhook_id.as_bytes(),
        b".",
        timestamp.as_bytes(),
        b".",
        body,
    ];
    let mut signatures: Option<Signatures> = None;
    for (secret, number) in secrets.iter().zip(1..) {
        if secret.valid_until.is_some_and(|until| until <= now) {
            continue;
        }
        let (standard, axme) = match Key::of(&secret.text, number)? {
            Key::Shared(key) => {
                let standard = format!("v1,{}", STANDARD.encode(mac(&key, &parts)));
                (standard, Some(axme(&secret.text, body)))
            }
            Key::Signing(key) => {
                let signature = key.sign(&parts.concat());
                (format!("v1a,{}", STANDARD.encode(signature)), None)
            }
        };
        match &mut signatures {
            Some(signatures) => {
                signatures.standard.push(' ');
                signatures.standard.push_str(&standard);
                signatures.axme = signatures.axme.take().or(axme);
            }
            None => signatures = Some(Signatures { axme, standard }),
        }
    }
    Ok(signatures)
}

/// A new secret string of the given fresh bytes.
#[must_use]
pub fn new_secret(entropy: &[u8; SECRET_BYTES]) -> String {
    format!("{PREFIX}{}", STANDARD.encode(entropy))
}

/// A new signing key of the given fresh bytes.
#[must_use]
pub fn new_signing_key(entropy: &[u8; SECRET_BYTES]) -> String {
    format!("{SIGNING_PREFIX}{}", STANDARD.encode(entropy))
}

/// What the receiver verifies with: the public half of a signing key, none for a shared secret.
#[must_use]
pub fn public_key(secret: &str) -> Option<String> {
    match Key::of(secret, 1) {
        Ok(Key::Signing(key)) => {
            let public = STANDARD.encode(key.public_key());
            Some(format!("{PUBLIC_PREFIX}{public}"))
        }
        Ok(Key::Shared(_)) | Err(_) => None,
    }
}

/// Says whether a secret that somebody hands in can sign; for configuration time.
///
/// # Errors
/// [`BadSecret`], numbered 1.
pub fn check_secret(text: &str) -> Result<(), BadSecret> {
    Key::of(text, 1).map(|_key| ())
}

/// What a secret is good for.
enum Key {
    /// Bytes that the receiver has too.
    Shared(Vec<u8>),
    /// A key whose public half the receiver has.
    Signing(Ed25519KeyPair),
}

impl Key {
    fn of(secret: &str, number: usize) -> Result<Self, BadSecret> {
        let Some(encoded) = secret.strip_prefix(SIGNING_PREFIX) else {
            return standard_key(secret, number).map(Self::Shared);
        };
        let bytes = decoded(encoded, number)?;
        let key = match bytes.split_at_checked(SECRET_BYTES) {
            Some((seed, [])) => Ed25519KeyPair::from_seed_unchecked(seed),
            Some((seed, public)) => Ed25519KeyPair::from_seed_and_public_key(seed, public),
            None => return Err(BadSecret::NoSigningKey { number }),
        };
        key.map(Self::Signing)
            .map_err(|_rejected| BadSecret::NoSigningKey { number })
    }
}

/// Base64 with and without its padding.
fn decoded(encoded: &str, number: usize) -> Result<Vec<u8>, BadSecret> {
    base64::engine::general_purpose::STANDARD_NO_PAD
        .decode(encoded.trim_end_matches('='))
        .map_err(|_shows_the_secret| BadSecret::NotBase64 { number })
}

/// The value of `X-Axme-Signature`: keyed by the bytes of the whole string, prefix included.
fn axme(secret: &str, body: &[u8]) -> String {
    let mut text = String::from("sha256=");
    for byte in mac(secret.as_bytes(), &[body]) {
        // Writing to a string does not fail.
        let _infallible = write!(text, "{byte:02x}");
    }
    text
}

/// The key of Standard Webhooks' version `v1`.
fn standard_key(secret: &str, number: usize) -> Result<Vec<u8>, BadSecret> {
    let key = match secret.strip_prefix(PREFIX) {
        Some(encoded) => decoded(encoded, number)?,
        None => secret.as_bytes().to_vec(),
    };
    if key.is_empty() {
        return Err(BadSecret::Empty { number });
    }
    Ok(key)
}

/// HMAC-SHA256 of the parts, one after the other.
fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    #[expect(
        clippy::expect_used,
        reason = "RFC 2104 hashes long keys and pads short ones"
    )]
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key).expect("invariant: HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, SystemClock};

    const SECRET: &str = "whsec_cG9zdHJvb20tdGVzdC12ZWN0b3Ita2V5";
    const ID: &str = "018f3c5e-7a10-7c3a-9b1e-5d2f6a7b8c9d";
    const BODY: &[u8] =
        br#"{"type":"intent.delivered","intent_id":"018f3c5e-7a10-7c3a-9b1e-5d2f6a7b8c9d"}"#;

    fn secret(text: &str) -> Secret {
        Secret {
            text: text.to_owned(),
            valid_until: None,
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000 + 999)
    }

    #[test]
    fn the_contracts_vector_comes_out() {
        assert_eq!(BODY.len(), 78);
        let signatures = sign(&[secret(SECRET)], ID, at(1_775_901_600), BODY)
            .unwrap()
            .unwrap();
        assert_eq!(
            signatures.axme.as_deref(),
            Some("sha256=a580cbf1590b578cee04710f63af45888d67bc1dc9e56c987b662a7ab808cfc5")
        );
        assert_eq!(
            signatures.standard,
            "v1,4CHAQS+0GcpF8xFkMz9ig8sY+KkQVZRojArmKcSDx1Q="
        );
    }

    #[test]
    fn several_secrets_sign_newest_first_and_an_expired_one_is_left_out() {
        let until = |seconds| Some(at(seconds));
        let secrets = [
            secret("newest, no prefix"),
            Secret {
                valid_until: until(2000),
                ..secret(SECRET)
            },
            Secret {
                valid_until: until(1000),
                ..secret("expired")
            },
        ];
        let both = sign(&secrets, ID, at(1000), BODY).unwrap().unwrap();
        let [first, second, third] = secrets;
        let newest = sign(std::slice::from_ref(&first), ID, at(1000), BODY)
            .unwrap()
            .unwrap();
        let older = sign(std::slice::from_ref(&second), ID, at(1000), BODY)
            .unwrap()
            .unwrap();
        assert_eq!(
            both.standard,
            format!("{} {}", newest.standard, older.standard)
        );
        assert_eq!(both.axme, newest.axme);
        assert_eq!(sign(&[third], ID, at(1000), BODY), Ok(None));
        assert_eq!(sign(&[], ID, at(1000), BODY), Ok(None));
    }

    #[test]
    fn a_secret_that_is_no_key_is_named_by_number_and_never_shown() {
        let error = sign(
            &[secret(SECRET), secret("whsec_not*base64")],
            ID,
            at(1),
            BODY,
        )
        .unwrap_err();
        assert_eq!(error, BadSecret::NotBase64 { number: 2 });
        assert!(!error.to_string().contains("not*base64"), "{error}");
        assert_eq!(check_secret("whsec_"), Err(BadSecret::Empty { number: 1 }));
        assert_eq!(check_secret(""), Err(BadSecret::Empty { number: 1 }));
        assert_eq!(check_secret("anything else"), Ok(()));
    }

    #[test]
    fn a_verifier_we_did_not_write_accepts_both_old_and_new_secret_and_refuses_a_changed_body() {
        let now = SystemClock::new().now();
        let (new, old) = (
            new_secret(&[7; SECRET_BYTES]),
            new_secret(&[8; SECRET_BYTES]),
        );
        let signatures = sign(&[secret(&new), secret(&old)], ID, now, BODY)
            .unwrap()
            .unwrap();
        let mut headers = ::http::HeaderMap::new();
        headers.insert("webhook-id", ID.parse().unwrap());
        headers.insert("webhook-timestamp", now.as_seconds().into());
        headers.insert("webhook-signature", signatures.standard.parse().unwrap());
        for known in [&new, &old] {
            let verifier = standardwebhooks::Webhook::new(known).unwrap();
            verifier.verify(BODY, &headers).unwrap();
            assert!(verifier.verify(b"{}", &headers).is_err());
        }
        let stranger = standardwebhooks::Webhook::new(&new_secret(&[9; SECRET_BYTES])).unwrap();
        assert!(stranger.verify(BODY, &headers).is_err());
    }

    /// Made by another implementation: node's crypto, from the seed 1, 2, 3 ... 32.
    #[test]
    fn a_signing_key_gives_the_signature_that_others_give_and_its_public_half() {
        let seed: [u8; SECRET_BYTES] =
            std::array::from_fn(|place| u8::try_from(place).unwrap() + 1);
        let key = new_signing_key(&seed);
        assert_eq!(key, "whsk_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=");
        let public = "whpk_ebVWLo/mVPlAeLES6KmLp5AfhTrmlb7X4OORC60ElmQ=";
        assert_eq!(public_key(&key).as_deref(), Some(public));
        let signed =
            |secrets: &[Secret]| sign(secrets, ID, at(1_775_901_600), BODY).unwrap().unwrap();
        let alone = signed(&[secret(&key)]);
        assert_eq!(alone.axme, None);
        assert_eq!(
            alone.standard,
            "v1a,sb5yHP7E6OKdK7RP/EDH5U0ns91TxF+9W57cEemfvRNKjpfZohX+ZE6ps0LElKu4uMiDbOFtXc3hM+8AKTWQCw=="
        );
        // Going over from a shared secret: both sign while they overlap.
        let shared = signed(&[secret(SECRET)]);
        let both = signed(&[secret(&key), secret(SECRET)]);
        assert_eq!(
            both.standard,
            format!("{} {}", alone.standard, shared.standard)
        );
        assert_eq!(both.axme, shared.axme);
        assert_eq!(public_key(SECRET), None);
    }

    #[test]
    fn a_signing_key_may_carry_its_public_half_which_must_fit() {
        let pair = |public: &str| {
            let seed: [u8; 32] = std::array::from_fn(|place| u8::try_from(place).unwrap() + 1);
            let mut bytes = seed.to_vec();
            bytes.extend(STANDARD.decode(public).unwrap());
            format!("whsk_{}", STANDARD.encode(bytes))
        };
        let whole = pair("ebVWLo/mVPlAeLES6KmLp5AfhTrmlb7X4OORC60ElmQ=");
        assert_eq!(check_secret(&whole), Ok(()));
        let wrong = BadSecret::NoSigningKey { number: 1 };
        for bad in [
            pair("fbVWLo/mVPlAeLES6KmLp5AfhTrmlb7X4OORC60ElmQ="),
            "whsk_AQID".to_owned(),
            "whsk_".to_owned(),
        ] {
            assert_eq!(check_secret(&bad), Err(wrong.clone()), "{bad}");
        }
        assert_eq!(
            check_secret("whsk_*"),
            Err(BadSecret::NotBase64 { number: 1 })
        );
    }
}
