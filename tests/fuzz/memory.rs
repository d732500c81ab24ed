//! A broker with everything in memory, under a clock that stands still.

use std::sync::Arc;
use std::time::Duration;

use postroom::api::first_start;
use postroom::broker::{self, Broker};
use postroom::clock::{Clock, ManualClock, SeededEntropy};
use postroom::domain::policy::Policy;
use postroom::domain::time::Timestamp;
use postroom::shutdown::Shutdown;
use postroom::store::memory::MemoryStore;

/// The broker and its admin key.
pub(crate) async fn broker(shutdown: &Shutdown) -> (Broker, String) {
    let settings = broker::Settings {
        policy: Policy::default(),
        queue_max: 1024,
        batch_commands_max: 4096,
        batch_bytes_max: 1 << 20,
        busy_wait: Duration::from_secs(5),
        bus_lag_max: 1024,
        readers: 1,
        room: broker::vitals::RoomSettings::default(),
        fresh_ids: ("org".to_owned(), "ws".to_owned()),
        webhook_words: broker::webhooks::plain_words,
    };
    let clock = ManualClock::at(Timestamp::from_millis(1_775_901_600_000));
    let clock: Arc<dyn Clock> = Arc::new(clock);
    let entropy = Arc::new(SeededEntropy::new(7));
    let store = Box::new(MemoryStore::new());
    let tasks = shutdown.tasks("broker");
    let broker = Broker::start(store, settings, clock, entropy, &tasks).await;
    let broker = broker.unwrap();
    let admin = first_start(&broker).await.unwrap().unwrap().token;
    (broker, admin)
}
