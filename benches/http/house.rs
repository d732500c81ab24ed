//! The real broker: sqlite in a directory of its own, the doors, keys, the pusher.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use postroom::api::{ApiParts, Settings, first_start, serve};
use postroom::bindings::guard::{Guard, Policy as Egress};
use postroom::bindings::http::{DispatcherConfig, Pusher, PusherConfig, TrustFiles, start};
use postroom::broker::{self, Broker};
use postroom::clock::{Clock, SystemClock, SystemEntropy};
use postroom::domain::policy::Policy;
use postroom::shutdown::{Shutdown, Tasks};
use postroom::store::sqlite::{self, SqliteStore};

/// A broker with its doors open.
pub(crate) struct House {
    pub(crate) address: SocketAddr,
    pub(crate) admin: String,
    broker: Broker,
    sets: [Tasks; 3],
}

impl House {
    pub(crate) async fn open(directory: &Path) -> Self {
        postroom::bindings::http::install_crypto_provider();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let shutdown = Shutdown::new(tokio::runtime::Handle::current());
        let settings = broker::Settings {
            policy: Policy::default(),
            queue_max: 4096,
            batch_commands_max: 4096,
            batch_bytes_max: 1 << 20,
            busy_wait: std::time::Duration::from_secs(1),
            bus_lag_max: 4096,
            readers: 3,
            room: broker::vitals::RoomSettings::default(),
            fresh_ids: ("org".to_owned(), "workspace".to_owned()),
            webhook_words: broker::webhooks::plain_words,
        };
        let file = directory.join("postroom.db");
        let store = SqliteStore::open(&file, sqlite::Settings::default()).unwrap();
        let core = shutdown.tasks("broker");
        let entropy = Arc::new(SystemEntropy);
        let store = Box::new(store);
        let broker = Broker::start(store, settings, Arc::clone(&clock), entropy, &core)
            .await
            .unwrap();
        let admin = first_start(&broker).await.unwrap().unwrap().token;
        let pusher = PusherConfig {
            connect_timeout: std::time::Duration::from_secs(5),
            timeout: std::time::Duration::from_secs(15),
            response_bytes_max: 65_536,
            guard: Arc::new(Guard::new(Egress {
                is_private_allowed: true,
                ..Egress::default()
            })),
            user_agent: "Postroom/bench".to_owned(),
            redact_keys: Vec::new(),
            trust: TrustFiles::default(),
        };
        let dispatch = DispatcherConfig {
            slots: 64,
            per_endpoint_start: 4,
            default_secret: None,
        };
        let bindings = shutdown.tasks("bindings");
        start(
            broker.clone(),
            Pusher::new(pusher, clock).unwrap(),
            dispatch,
            &bindings,
        );
        let doors = shutdown.tasks("doors");
        let parts = ApiParts {
            broker: broker.clone(),
            settings: Settings::default(),
            listener: TcpListener::bind("127.0.0.1:0").unwrap(),
        };
        let address = serve(parts, &doors).unwrap();
        Self {
            address,
            admin,
            broker,
            sets: [doors, bindings, core],
        }
    }

    pub(crate) async fn close(self) {
        let [doors, bindings, core] = self.sets;
        for set in [&doors, &bindings] {
            set.stop();
            let patience = std::time::Duration::from_secs(7);
            drop(tokio::time::timeout(patience, set.stopped()).await);
        }
        self.broker.stop().await;
        core.stop();
    }
}
