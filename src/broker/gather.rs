//! What goes into one commit: all that is queued, up to two limits.

use tokio::sync::mpsc;

use crate::broker::{Message, Settings};
use crate::engine::command::Command;

/// Adds to a batch what lies in the queue, until the batch is as large as one commit may be. A message is
/// never divided, and the first is taken whatever its size.
pub(super) fn gather(
    inbox: &mut mpsc::Receiver<Message>,
    batch: &mut Vec<Message>,
    settings: &Settings,
) {
    let mut weight = batch
        .iter()
        .map(Weight::of)
        .fold(Weight::default(), Weight::with);
    while weight.commands < settings.batch_commands_max && weight.bytes < settings.batch_bytes_max {
        let Ok(message) = inbox.try_recv() else {
            break;
        };
        weight = weight.with(Weight::of(&message));
        batch.push(message);
    }
}

/// How much of a commit something takes.
#[derive(Debug, Clone, Copy, Default)]
struct Weight {
    commands: usize,
    /// Of payloads; all else is small beside them.
    bytes: usize,
}

impl Weight {
    fn of(message: &Message) -> Self {
        let Message::Run(requests) = message else {
            return Self {
                commands: 1,
                bytes: 0,
            };
        };
        let bytes = requests
            .iter()
            .map(|(request, _reply)| match &request.command {
                Command::Submit(submit) => {
                    usize::try_from(submit.payload_bytes).unwrap_or(usize::MAX)
                }
                _ => 0,
            });
        Self {
            commands: requests.len(),
            bytes: bytes.fold(0, usize::saturating_add),
        }
    }

    const fn with(self, other: Self) -> Self {
        Self {
            commands: self.commands.saturating_add(other.commands),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::oneshot;

    use super::gather;
    use crate::broker::request::Request;
    use crate::broker::{Message, Settings};
    use crate::domain::address::{Address, Home};
    use crate::domain::ids::{IntentId, ThreadId};
    use crate::domain::payload::Payload;
    use crate::domain::policy::Policy;

    use crate::engine::command::{Command, Submit};

    fn settings(commands: usize, bytes: usize) -> Settings {
        Settings {
            policy: Policy::default(),
            queue_max: 64,
            batch_commands_max: commands,
            batch_bytes_max: bytes,
            busy_wait: Duration::ZERO,
            bus_lag_max: 1,
            readers: 1,
            room: crate::broker::vitals::RoomSettings::default(),
            fresh_ids: ("org".to_owned(), "ws".to_owned()),
            webhook_words: crate::broker::webhooks::plain_words,
        }
    }

    /// An intent with a payload of so many bytes.
    fn submit(payload_bytes: u32) -> Message {
        let id = IntentId::new(i64::from(payload_bytes), [1; 10]);
        let orders = Address::parse("orders", &Home::default()).unwrap();
        let submit = Submit {
            payload_bytes,
            ..Submit::plain(
                id,
                ThreadId(id.0),
                "intent.order.process.v1",
                orders.clone(),
                orders,
                Payload::empty(),
            )
        };
        let request = Request::plain(id, Command::Submit(Box::new(submit)));
        Message::Run(vec![(request, oneshot::channel().0)])
    }

    /// How many messages of the queue join the first.
    fn gathered(first: Message, queued: Vec<Message>, settings: &Settings) -> usize {
        let (queue, mut inbox) = tokio::sync::mpsc::channel(64);
        for message in queued {
            assert!(queue.try_send(message).is_ok());
        }
        let mut batch = vec![first];
        gather(&mut inbox, &mut batch, settings);
        batch.len() - 1
    }

    #[test]
    fn a_commit_takes_no_more_commands_than_configured() {
        let queued = (0..9).map(|_| submit(1)).collect();
        assert_eq!(gathered(submit(1), queued, &settings(4, 1 << 20)), 3);
    }

    #[test]
    fn a_commit_is_closed_by_the_payload_that_fills_it() {
        let queued = (0..9).map(|_| submit(400)).collect();
        assert_eq!(gathered(submit(400), queued, &settings(64, 1000)), 2);
    }

    #[test]
    fn a_payload_that_is_larger_than_a_commit_gets_one_of_its_own() {
        let settings = settings(64, 1000);
        assert_eq!(gathered(submit(5000), vec![submit(1)], &settings), 0);
        let small_ones = vec![Message::Tick(None), submit(5000), submit(1)];
        assert_eq!(gathered(Message::Tick(None), small_ones, &settings), 2);
    }
}
