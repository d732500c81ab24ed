//! Name resolution under the guard: what is not passed is not dialled.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;

use super::probe::Probe;
use crate::bindings::guard::Guard;

/// Most resolutions at once. Each blocks a thread of the runtime's pool, and a resolver that hangs
/// must not take them all.
const LOOKUPS_MAX: usize = 16;

/// A lookup in progress.
pub type Looking = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Turns a host name into addresses.
pub trait Lookup: fmt::Debug + Send + Sync {
    /// The addresses of `host`, best first.
    fn lookup(&self, host: &str) -> Looking;
}

/// The machine's own resolver.
#[derive(Debug)]
pub struct SystemLookup {
    permits: Arc<Semaphore>,
}

impl Default for SystemLookup {
    fn default() -> Self {
        Self {
            permits: Arc::new(Semaphore::new(LOOKUPS_MAX)),
        }
    }
}

impl Lookup for SystemLookup {
    fn lookup(&self, host: &str) -> Looking {
        let (permits, host) = (Arc::clone(&self.permits), host.to_owned());
        Box::pin(async move {
            let permit = permits.acquire_owned().await.map_err(io::Error::other)?;
            let looked_up = tokio::task::spawn_blocking(move || {
                let addresses = (host.as_str(), 0).to_socket_addrs()?;
                // Held until the call has returned, also when nobody waits for it any more.
                drop(permit);
                Ok(addresses.map(|address| address.ip()).collect())
            });
            looked_up.await.map_err(io::Error::other)?
        })
    }
}

/// The resolver that the HTTP client is given.
#[derive(Debug)]
pub(super) struct GuardedResolver {
    pub(super) lookup: Arc<dyn Lookup>,
    pub(super) guard: Arc<Guard>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let looking = self.lookup.lookup(name.as_str());
        let guard = Arc::clone(&self.guard);
        let probe = Probe::current();
        Box::pin(async move {
            if let Some(probe) = &probe {
                probe.resolve_begins();
            }
            let found = looking.await;
            if let Some(probe) = &probe {
                probe.resolve_ends();
            }
            let mut refused = None;
            let mut passed = Vec::new();
            for address in found? {
                match guard.check_resolved(name.as_str(), address) {
                    Ok(()) => passed.push(SocketAddr::new(address, 0)),
                    Err(refusal) => refused = refused.or(Some(refusal)),
                }
            }
            match refused {
                Some(refusal) if passed.is_empty() => Err(refusal.into()),
                _ if passed.is_empty() => {
                    Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address").into())
                }
                _ => {
                    let addresses: Addrs = Box::new(passed.into_iter());
                    Ok(addresses)
                }
            }
        })
    }
}
