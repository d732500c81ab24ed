//! The writer thread.
use super::*;

pub(super) struct Boot {
    pub(super) first_session: u64,
    pub(super) next_key: u64,
}

pub(super) struct Parts {
    pub(super) store: Box<dyn Store>,
    pub(super) inbox: mpsc::Receiver<Message>,
    pub(super) bus: broadcast::Sender<Arc<Published>>,
    pub(super) due: watch::Sender<Option<Timestamp>>,
    pub(super) registry: Arc<ArcSwap<Registry>>,
    pub(super) stats: Arc<Stats>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) settings: Settings,
    pub(super) shutdown: crate::shutdown::Shutdown,
}

pub(super) fn run(parts: Parts, ready: oneshot::Sender<Result<Boot, BrokerError>>) {
    drop((parts, ready));
}
