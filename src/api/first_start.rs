//! The first start: an operator, and the one key by which everything else is made.

use crate::api::auth::{NewToken, new_token};
use crate::broker::Broker;
use crate::broker::request::{AdminCommand, AuditNote, BrokerError, NewAgent};
use crate::domain::address::Address;
use crate::domain::agent::Binding;
use crate::domain::key::Role;

/// The name of the first account.
const OPERATOR: &str = "operator";

/// Makes the account `operator` with an admin key where no admin key is in use. Answers with the token,
/// which the caller keeps in a file that only its owner can read; none when somebody has one already.
///
/// # Errors
/// [`BrokerError`] when it could not be committed.
pub async fn first_start(broker: &Broker) -> Result<Option<NewToken>, BrokerError> {
    let registry = broker.registry();
    let has_admin = registry
        .keys()
        .iter()
        .any(|key| key.role == Role::Admin && key.revoked_at.is_none() && key.expires_at.is_none());
    if has_admin {
        return Ok(None);
    }
    let home = &registry.home;
    let address = Address::trusted(format!("{}/{}/{OPERATOR}", home.org, home.workspace));
    let note = |action: &str| AuditNote {
        actor: "postroom".to_owned(),
        key: None,
        via: "cli".to_owned(),
        action: action.to_owned(),
        target: address.to_string(),
        owner: None,
        reason: Some("first start".to_owned()),
        trace_id: None,
    };
    let register = AdminCommand::Register(Box::new(NewAgent {
        address: address.clone(),
        name: OPERATOR.to_owned(),
        display_name: Some("Operator".to_owned()),
        description: None,
        binding: Binding::Inbox,
        callback_url: None,
        ack_timeout: None,
        max_in_flight: None,
    }));
    let receipt = broker.administer(register, note("account.create")).await?;
    // A receipt of a registration always has the agent, and the agent its account.
    let Some(account) = receipt.agent.and_then(|agent| agent.account) else {
        return Ok(None);
    };
    let token = new_token(account, broker.entropy().as_ref());
    let create = AdminCommand::CreateKey {
        id: broker.next_key_id(),
        account,
        hash: token.hash,
        hint: token.hint.clone(),
        role: Role::Admin,
        expires_at: None,
    };
    broker.administer(create, note("key.create")).await?;
    Ok(Some(token))
}
