//! Acts on agents: the command of each, and its entry of the audit log.

use super::act::{Acting, reason_of};
use crate::broker::request::{AdminCommand, AuditNote};
use crate::desk::act::Act;
use crate::desk::{DeskError, bodies};
use crate::wire::agents;
use crate::wire::body::Body;

impl Acting<'_> {
    /// What can be done to an agent.
    pub(super) fn on_agent(&self, act: Act) -> Result<(AdminCommand, AuditNote), DeskError> {
        let named = |reason: &str| reason_of(&bodies::reason(Some(reason)));
        let (action, address, reason, command) = match act {
            Act::Pause { agent, reason } => {
                let reason = named(&reason)?.unwrap_or_default();
                let (address, why) = (agent.clone(), Some(reason.clone()));
                (
                    "agent.pause",
                    agent,
                    why,
                    AdminCommand::Pause { address, reason },
                )
            }
            Act::Unpause { agent, reason } => {
                let (address, why) = (agent.clone(), named(&reason)?);
                (
                    "agent.resume",
                    agent,
                    why,
                    AdminCommand::Unpause { address },
                )
            }
            Act::Kill { agent, reason } => {
                let reason = named(&reason)?.unwrap_or_default();
                let (address, why) = (agent.clone(), Some(reason.clone()));
                (
                    "agent.kill",
                    agent,
                    why,
                    AdminCommand::Kill { address, reason },
                )
            }
            Act::Revive { agent, reason } => {
                let (address, why) = (agent.clone(), named(&reason)?);
                ("agent.revive", agent, why, AdminCommand::Revive { address })
            }
            Act::Limit {
                agent,
                limit,
                reason,
            } => {
                let body = bodies::limit(limit, &reason);
                let (limit, reason) = agents::limit(&Body::parse(body.as_bytes())?)?;
                let address = agent.clone();
                (
                    "agent.limit",
                    agent,
                    reason,
                    AdminCommand::Limit { address, limit },
                )
            }
            Act::ResetBreaker { agent, reason } => {
                let (address, why) = (agent.clone(), named(&reason)?);
                (
                    "agent.reset_breaker",
                    agent,
                    why,
                    AdminCommand::ResetBreaker { address },
                )
            }
            _ => return Err(not_here()),
        };
        Ok((command, self.note(action, address.to_string(), reason)))
    }
}

fn not_here() -> DeskError {
    DeskError::Fault("this act is not about an agent".to_owned())
}
