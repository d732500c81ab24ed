//! Idempotency keys: the first answer again, from this commit or from the store.

use std::sync::Arc;

use crate::broker::batch::Batch;
use crate::broker::request::{BrokerError, Receipt, RememberKey};
use crate::domain::fact::{Fact, FactBody};
use crate::domain::ids::Cursor;
use crate::domain::time::Timestamp;
use crate::engine::evolve::fold;
use crate::engine::refusal::Refusal;
use crate::store::error::StoreError;
use crate::store::{Remembered, Write};

impl Batch<'_> {
    pub(super) fn repeated(&mut self, key: &RememberKey) -> Result<Option<Receipt>, BrokerError> {
        if let Some(receipt) = self.told.get(&(key.scope.clone(), key.key.clone())) {
            let receipt = receipt.clone();
            let known = self.txn.remembered(&key.scope, &key.key)?;
            return match known {
                Some(known) if known.fingerprint != key.fingerprint => {
                    Err(BrokerError::KeyConflict)
                }
                _ => Ok(Some(Receipt {
                    is_repeat: true,
                    ..receipt
                })),
            };
        }
        let Some(known) = self.txn.remembered(&key.scope, &key.key)? else {
            return Ok(None);
        };
        if known.fingerprint != key.fingerprint {
            return Err(BrokerError::KeyConflict);
        }
        self.load(&[known.intent])?;
        let mut facts = self.reader.facts(known.intent, 0)?;
        facts.retain(|fact| fact.seq <= known.seq);
        // Its intent was old enough to be removed, so the key is old enough to be forgotten: the sweep that
        // took the one comes to the other later.
        if facts.is_empty() && self.intent(known.intent).is_none() {
            return Ok(None);
        }
        let intent = match self.intent(known.intent) {
            Some(intent) if intent.seq == known.seq => Arc::clone(intent),
            _ => Arc::new(fold(&facts).ok_or(Refusal::Unknown(known.intent))?),
        };
        Ok(Some(Receipt {
            intent,
            facts: told_then(facts, known.at),
            caused: Vec::new(),
            cursor: Cursor::default(),
            is_repeat: true,
        }))
    }

    pub(super) fn remember(
        &mut self,
        key: &RememberKey,
        receipt: &Receipt,
    ) -> Result<(), StoreError> {
        self.txn.put(Write::Remember(Remembered {
            scope: key.scope.clone(),
            key: key.key.clone(),
            fingerprint: key.fingerprint,
            at: self.now,
            intent: receipt.intent.id,
            seq: receipt.intent.seq,
        }))?;
        self.told
            .insert((key.scope.clone(), key.key.clone()), receipt.clone());
        Ok(())
    }
}

/// The facts of the command that was remembered at that instant, from all facts up to its last one.
fn told_then(mut facts: Vec<Fact>, at: Timestamp) -> Vec<Fact> {
    let is_hold = |fact: &Fact| matches!(fact.body, FactBody::HoldPlaced(_));
    // Commands of one batch share their instant, but a command that places a hold does nothing else.
    if let Some(last) = facts.pop_if(|fact| is_hold(fact) && fact.at == at) {
        return vec![last];
    }
    let own = facts
        .iter()
        .rev()
        .take_while(|fact| fact.at == at && !is_hold(fact))
        .count();
    facts.split_off(facts.len().saturating_sub(own))
}
