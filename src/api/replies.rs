//! Idempotency of writes to accounts and keys.
//!
//! What happens to intents is remembered by the store. These answers carry tokens and secrets, which are
//! kept nowhere: they are remembered in memory, the newest of them, and forgotten with the process.

use std::collections::VecDeque;
use std::future::Future;

use crate::api::answer::{Answer, Result};
use crate::broker::request::{BrokerError, RememberKey};

/// Answers that are remembered; the oldest gives way.
const ANSWERS_MAX: usize = 1024;

/// The newest answers.
#[derive(Debug, Default)]
pub(super) struct Replies {
    // One at a time: a twin waits for the first and then finds its answer.
    answers: tokio::sync::Mutex<VecDeque<Remembered>>,
}

#[derive(Debug)]
struct Remembered {
    key: RememberKey,
    answer: Answer,
}

impl Replies {
    /// The first answer under this key again, or what `work` answers now. Only successes are remembered.
    pub(super) async fn once(
        &self,
        key: Option<RememberKey>,
        work: impl Future<Output = Result>,
    ) -> Result {
        let Some(key) = key else {
            return work.await;
        };
        let mut answers = self.answers.lock().await;
        let found = answers
            .iter()
            .find(|known| known.key.scope == key.scope && known.key.key == key.key);
        if let Some(known) = found {
            if known.key.fingerprint == key.fingerprint {
                return Ok(known.answer.clone());
            }
            return Err(BrokerError::KeyConflict.into());
        }
        let answer = work.await?;
        if answers.len() >= ANSWERS_MAX {
            drop(answers.pop_front());
        }
        answers.push_back(Remembered {
            key,
            answer: answer.clone(),
        });
        Ok(answer)
    }
}
