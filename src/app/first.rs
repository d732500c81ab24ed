//! What a data directory holds besides the store: the operator's key and the address.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::api::{NewToken, first_start, hash_token, new_token};
use crate::broker::Broker;
use crate::broker::request::{AdminCommand, AuditNote, BrokerError};
use crate::cli::failure::Failure;
use crate::cli::place::{ADDRESS_FILE, KEY_FILE, read_line};
use crate::clock::Entropy;
use crate::domain::address::Address;
use crate::domain::key::Role;

/// The account that every broker has from its first start.
const OPERATOR: &str = "operator";

/// The file with the key of links.
const LINK_KEY_FILE: &str = "link.key";

/// The operator's key.
#[derive(Debug)]
pub(super) struct Operator {
    /// The address of the account.
    pub(super) address: Address,
    /// Where the key lies.
    pub(super) key_file: PathBuf,
    /// True when it was made just now.
    pub(super) is_new: bool,
}

/// Makes the data directory, readable by its owner alone.
pub(super) fn directory(data: &Path) -> Result<(), Failure> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(data);
    made.map_err(|error| {
        Failure::refused(format!("make data directory {}: {error}", data.display()))
            .hint("choose another with --data DIR")
    })
}

/// Makes sure that there is an operator with an admin key in its file.
///
/// A key that this store does not know, such as that of a store in memory, is made anew.
pub(super) async fn operator(broker: &Broker, data: &Path) -> Result<Operator, Failure> {
    let address = Address::parse(OPERATOR, &broker.settings().policy.home)
        .map_err(|error| Failure::refused(error.to_string()))?;
    let key_file = data.join(KEY_FILE);
    let fault = |error: BrokerError| Failure::refused(format!("prepare the first key: {error}"));
    let mut token = first_start(broker).await.map_err(fault)?;
    let left = read_line(&key_file);
    let is_known = left.as_ref().is_some_and(|token| is_good(broker, token));
    if token.is_none() && !is_known {
        token = Some(another_key(broker, &address).await?);
    }
    if let Some(token) = &token {
        write_private(&key_file, &token.token)?;
    }
    Ok(Operator {
        address,
        key_file,
        is_new: token.is_some(),
    })
}

/// One more admin key: the file with the first is gone, or of another store. The first goes on.
async fn another_key(broker: &Broker, operator: &Address) -> Result<NewToken, Failure> {
    let registry = broker.registry();
    let of_operator = registry.agent(operator).and_then(|agent| agent.account);
    let of_any = || {
        registry
            .keys()
            .iter()
            .find(|key| key.role == Role::Admin)
            .map(|key| key.account)
    };
    let account = of_operator
        .or_else(of_any)
        .ok_or_else(|| Failure::refused(format!("no account {operator}")))?;
    let token = new_token(account, broker.entropy().as_ref());
    let command = AdminCommand::CreateKey {
        id: broker.next_key_id(),
        account,
        hash: token.hash,
        hint: token.hint.clone(),
        role: Role::Admin,
        expires_at: None,
    };
    let note = AuditNote {
        actor: "postroom".to_owned(),
        key: None,
        via: "cli".to_owned(),
        action: "key.create".to_owned(),
        target: operator.to_string(),
        owner: None,
        reason: Some("no usable admin key in the data directory".to_owned()),
        trace_id: None,
    };
    let made = broker.administer(command, note).await;
    made.map_err(|error| Failure::refused(format!("make a key for {operator}: {error}")))?;
    Ok(token)
}

/// The key of links that decide, made on first use. It lies beside the store, not in it: a backup of the
/// store makes no link.
pub(super) fn link_key(data: &Path, entropy: &dyn Entropy) -> Result<[u8; 32], Failure> {
    let path = data.join(LINK_KEY_FILE);
    let known = read_line(&path).and_then(|line| STANDARD.decode(line).ok()?.try_into().ok());
    if let Some(key) = known {
        return Ok(key);
    }
    let mut key = [0; 32];
    entropy.fill(&mut key);
    write_private(&path, &STANDARD.encode(key))?;
    Ok(key)
}

/// Writes down what is really listened on.
pub(super) fn write_address(data: &Path, url: &str) -> Result<(), Failure> {
    write_private(&data.join(ADDRESS_FILE), url)
}

/// Takes the address away: nobody listens there any more.
pub(super) fn remove_address(data: &Path) {
    let path = data.join(ADDRESS_FILE);
    if let Err(error) = std::fs::remove_file(&path) {
        tracing::warn!(path = %path.display(), %error, "could not remove the address");
    }
}

/// True for the token of an admin key that this broker takes.
fn is_good(broker: &Broker, token: &str) -> bool {
    let registry = broker.registry();
    registry.key(&hash_token(token)).is_some_and(|key| {
        key.role == Role::Admin && key.revoked_at.is_none() && key.expires_at.is_none()
    })
}

/// Replaces a small file, mode 0600, in one step: readers see the old one or the new one.
fn write_private(path: &Path, line: &str) -> Result<(), Failure> {
    let fault =
        |error: std::io::Error| Failure::refused(format!("write {}: {error}", path.display()));
    let new = path.with_extension("new");
    match std::fs::remove_file(&new) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(fault(error)),
    }
    let mut options = OpenOptions::new();
    let mut file: File = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)
        .map_err(fault)?;
    writeln!(file, "{line}").map_err(fault)?;
    file.sync_all().map_err(fault)?;
    std::fs::rename(&new, path).map_err(fault)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SeededEntropy;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_key_of_links_is_made_once_and_is_the_owners_alone() {
        let scratch = tempfile::tempdir().unwrap();
        let made = link_key(scratch.path(), &SeededEntropy::new(1)).unwrap();
        let again = link_key(scratch.path(), &SeededEntropy::new(2)).unwrap();
        assert_eq!(made, again);
        let file = std::fs::metadata(scratch.path().join(LINK_KEY_FILE)).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn the_directory_and_its_files_are_the_owners_alone() {
        let scratch = tempfile::tempdir().unwrap();
        let data = scratch.path().join("a/b");
        directory(&data).unwrap();
        directory(&data).unwrap();
        write_private(&data.join(KEY_FILE), "one").unwrap();
        write_private(&data.join(KEY_FILE), "two").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&data), 0o700);
        assert_eq!(mode(&data.join(KEY_FILE)), 0o600);
        assert_eq!(read_line(&data.join(KEY_FILE)).as_deref(), Some("two"));
        assert!(directory(Path::new("/proc/no/such")).is_err());
    }
}
