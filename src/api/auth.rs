//! Who asks: keys, roles, and what is whose business.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::broker::Broker;
use crate::clock::Entropy;
use crate::domain::address::{Address, Home};
use crate::domain::agent::AgentStatus;
use crate::domain::controls::Granted;
use crate::domain::fact::Actor;
use crate::domain::ids::{AccountId, KeyId};
use crate::domain::intent::Intent;
use crate::domain::key::{KeyHash, Role};
use crate::wire::errors::Problem;

/// Characters of a token that are kept to tell keys apart, beyond its prefix.
const HINT_CHARS: usize = 2;

/// A token just made. Shown once.
#[derive(Clone, PartialEq, Eq)]
pub struct NewToken {
    /// The whole token.
    pub token: String,
    /// Its hash, which is kept.
    pub hash: KeyHash,
    /// Its first characters, which are kept.
    pub hint: String,
}

impl std::fmt::Debug for NewToken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "NewToken({}...)", self.hint)
    }
}

/// Makes a token for an account: `axme_sa_<account>_<43 base64url characters>`, 256 random bits.
#[must_use]
pub fn new_token(account: AccountId, entropy: &dyn Entropy) -> NewToken {
    let mut bytes = [0; 32];
    entropy.fill(&mut bytes);
    let secret = URL_SAFE_NO_PAD.encode(bytes);
    let prefix = format!("axme_sa_{account}_");
    let shown: String = secret.chars().take(HINT_CHARS).collect();
    let token = format!("{prefix}{secret}");
    NewToken {
        hash: hash_token(&token),
        hint: format!("{prefix}{shown}"),
        token,
    }
}

/// SHA-256 of a token.
#[must_use]
pub fn hash_token(token: &str) -> KeyHash {
    KeyHash(Sha256::digest(token.as_bytes()).into())
}

/// Somebody with a good key.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) account: AccountId,
    pub(super) key: KeyId,
    pub(super) hash: KeyHash,
    pub(super) address: Address,
    pub(super) role: Role,
}

/// The token of a request: `x-api-key` decides, `Authorization: Bearer` otherwise.
fn token(headers: &HeaderMap) -> Result<&str, Problem> {
    if let Some(value) = headers.get("x-api-key") {
        return value.to_str().map(str::trim).map_err(|_bytes| invalid());
    }
    let Some(value) = headers.get(http::header::AUTHORIZATION) else {
        return Err(Problem::new(
            "missing_platform_api_key",
            "no key given; send it as x-api-key or Authorization: Bearer",
        )
        .with(serde_json::json!({ "header": "x-api-key" })));
    };
    let value = value.to_str().map_err(|_bytes| invalid())?.trim();
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(invalid()),
    }
}

fn invalid() -> Problem {
    Problem::new(
        "invalid_platform_api_key",
        "this key is unknown, malformed or revoked; hint: postroom keys lists and makes keys",
    )
}

/// Who sends a request.
pub(super) fn authenticate(broker: &Broker, headers: &HeaderMap) -> Result<Caller, Problem> {
    caller(broker, &hash_token(token(headers)?))
}

/// Who has the key with this hash, if it may be used now.
pub(super) fn caller(broker: &Broker, hash: &KeyHash) -> Result<Caller, Problem> {
    let registry = broker.registry();
    let key = registry.key(hash).ok_or_else(invalid)?;
    // The map found it by its hash; the comparison that decides takes the same time for every key.
    if !bool::from(key.hash.0.ct_eq(&hash.0)) || key.revoked_at.is_some() {
        return Err(invalid());
    }
    if let Some(end) = key.expires_at.filter(|end| *end <= broker.clock().now()) {
        return Err(Problem::new(
            "token_expired",
            format!("key {} expired at {end}; hint: make a new one", key.id),
        ));
    }
    let agent = registry.account(key.account).ok_or_else(invalid)?;
    match agent.status {
        AgentStatus::Active => {}
        AgentStatus::Suspended => {
            return Err(Problem::new(
                "forbidden",
                format!("account {} is suspended", key.account),
            ));
        }
        AgentStatus::Deleted => return Err(invalid()),
    }
    Ok(Caller {
        account: key.account,
        key: key.id,
        hash: *hash,
        address: agent.address.clone(),
        role: key.role,
    })
}

impl Caller {
    pub(super) fn is_admin(&self) -> bool {
        self.role == Role::Admin
    }

    pub(super) fn actor(&self) -> Actor {
        Actor::at(&self.address)
    }

    /// Refuses everybody but admins.
    pub(super) fn must_be_admin(&self) -> Result<(), Problem> {
        if self.is_admin() {
            return Ok(());
        }
        Err(Problem::new(
            "forbidden",
            format!(
                "this needs a key of role admin; this key's role is {}",
                self.role.name()
            ),
        ))
    }

    /// Refuses those who may not receive at an address.
    pub(super) fn must_receive_at(&self, address: &Address) -> Result<(), Problem> {
        let may = match self.role {
            Role::Admin => true,
            Role::Agent => self.address == *address,
            Role::Sender => false,
        };
        if may {
            return Ok(());
        }
        Err(Problem::new(
            "forbidden",
            format!(
                "this key is of role {} for {}; it may not receive at {address}",
                self.role.name(),
                self.address
            ),
        ))
    }

    /// True when an intent is any of the caller's business.
    pub(super) fn may_see(&self, intent: &Intent, home: &Home) -> bool {
        let controls = intent.controls.as_deref();
        self.is_party(intent, home)
            || intent.reply_to.as_ref() == Some(&self.address)
            || controls.is_some_and(|one| one.allow_anything(&self.address, home))
    }

    /// True when the caller may answer for an intent: a party, or whoever was granted that.
    pub(super) fn may_end(&self, intent: &Intent, home: &Home) -> bool {
        self.may(intent, Granted::Resume, home)
    }

    /// True when the caller may do that to an intent: a party, or whoever was granted it.
    pub(super) fn may(&self, intent: &Intent, what: Granted, home: &Home) -> bool {
        let controls = intent.controls.as_deref();
        self.is_party(intent, home)
            || controls.is_some_and(|one| one.allow(&self.address, what, home))
    }

    /// True for an intent's sender, its receiver, whoever is asked.
    fn is_party(&self, intent: &Intent, home: &Home) -> bool {
        let first_to = intent.first_to.as_ref();
        let parties = [Some(&intent.from), Some(&intent.to), first_to];
        if self.is_admin() || parties.contains(&Some(&self.address)) {
            return true;
        }
        let is_me = |text: &str| Address::parse(text, home).is_ok_and(|one| one == self.address);
        intent.escalated_to.as_deref().is_some_and(is_me)
            || intent.task.as_ref().is_some_and(|task| {
                task.owner == self.address
                    || task.delegates.contains(&self.address)
                    || task.spec.assignees.iter().any(|one| is_me(one))
            })
            || self.is_asked_by(intent, home)
    }

    /// True when the run is at a step that asks the caller.
    fn is_asked_by(&self, intent: &Intent, home: &Home) -> bool {
        let Some(run) = intent.run.as_deref() else {
            return false;
        };
        let is_me = |text: &str| Address::parse(text, home).is_ok_and(|one| one == self.address);
        let holder = run.open_question().and_then(|_| run.step());
        holder.is_some_and(|step| step.holder == self.address)
            || intent.handed_to.as_deref().is_some_and(is_me)
            || run
                .open_question()
                .is_some_and(|(_, spec)| spec.assignees.iter().any(|one| is_me(one)))
    }
}

/// True when somebody has an inbox's task: as its owner, by delegation or escalation, or as an assignee.
pub(super) fn is_asked(who: &Address, owner: &Address, intent: &Intent, home: &Home) -> bool {
    let is_it = |text: &str| Address::parse(text, home).is_ok_and(|one| one == *who);
    owner == who
        || intent.escalated_to.as_deref().is_some_and(is_it)
        || intent.task.as_ref().is_some_and(|task| {
            task.delegates.contains(who) || task.spec.assignees.iter().any(|one| is_it(one))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SeededEntropy;

    #[test]
    fn a_token_has_the_documented_form_and_its_hint_gives_nothing_away() {
        let made = new_token(AccountId(1), &SeededEntropy::new(7));
        let secret = made.token.strip_prefix("axme_sa_sa_1_").unwrap();
        assert_eq!(secret.len(), 43);
        assert_eq!(made.hint.len(), "axme_sa_sa_1_".len() + HINT_CHARS);
        assert_eq!(hash_token(&made.token), made.hash);
        assert!(!format!("{made:?}").contains(secret));
    }
}
