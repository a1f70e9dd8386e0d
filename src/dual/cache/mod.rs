//! The cache as users hold it: what it is made of, and how each call begins and ends.

use super::{maybe_async, rt};

mod at_hand;
mod builder;
mod call;
mod compute;
mod counter;
mod degrade;
mod fetch;
mod keys;
mod lead;
mod lead_many;
mod lease;
mod load;
mod load_many;
mod look;
mod many;
mod mark;
mod read;
mod reload;
mod transfer;
mod wait;
mod write;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub use self::builder::CacheBuilder;
pub use self::keys::Keys;
use super::backend::BackendHandle;
use crate::codec::ValueCodec;
use crate::deadline::Deadline;
use crate::engine::memory::FastPath;
use crate::engine::protect::LoadTime;
use crate::engine::tuning::Tuning;
use crate::error::Result;
use crate::event::Journal;
use crate::handle::memory::Memory;
use crate::health::{Health, Status};
use crate::key::Prefix;
use crate::now::now;
use crate::policy::Rules;
use crate::server::ServerInfo;
use crate::stats::Stats;
use crate::ttl::Lifetime;

/// A typed cache over one backend.
///
/// A cheap clone: clones share everything. Every call ends by the cache's timeout (1 s unless set), except
/// that a loader takes as long as it takes. A miss is `Ok(None)`; a stored `None` is a hit.
#[derive(Clone)]
pub struct Cache {
    inner: Arc<Inner>,
    timeout: Duration,
}

struct Inner {
    backend: BackendHandle,
    /// The short cut to memory, where the cache has nothing that it does not know of.
    fast_path: Option<FastPath>,
    prefix: Prefix,
    codec: ValueCodec,
    strict_decode: bool,
    /// Whether failures of the server are absorbed where a call can do without it.
    degrade: bool,
    /// The policy of loads that bring none of their own, and the default lifetime.
    tuning: Tuning,
    /// Whether what the backend counts is told.
    backend_metrics: bool,
    load_time: LoadTime,
    background: rt::Background,
    journal: Journal,
    closed: AtomicBool,
}

impl Cache {
    /// A cache in this process with [`Memory`]'s defaults: no server, nothing to configure.
    pub fn memory() -> Cache {
        CacheBuilder::new(Memory::default().into()).finish()
    }

    /// Begins a cache; without a backend it gets [`Memory`]'s defaults.
    pub fn builder() -> CacheBuilder {
        CacheBuilder::new(Memory::default().into())
    }

    /// The same cache with another timeout for the calls made through the returned handle.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Cache {
        Cache { inner: Arc::clone(&self.inner), timeout }
    }

    /// The backend, for stores of other kinds on the same server.
    pub fn backend(&self) -> BackendHandle {
        self.inner.backend.clone()
    }

    /// What a store on this cache takes over from it.
    pub(super) fn setting(&self) -> (Prefix, ValueCodec, Duration) {
        (self.inner.prefix.clone(), self.inner.codec.clone(), self.timeout)
    }

    /// What this cache has done so far. Reads counters only.
    pub fn stats(&self) -> Stats {
        let Stats { hits, misses, loads, joined, decode_rejected, errors, absorbed, .. } =
            self.inner.journal.counters.snapshot();
        let backend = match self.inner.backend_metrics {
            true => self.inner.backend.stats(),
            false => Stats::default(),
        };
        Stats { hits, misses, loads, joined, decode_rejected, errors, absorbed, ..backend }
    }

    /// Other rules and another default lifetime for this cache and its clones, from their next calls on.
    pub(in super::super) fn tune(&self, rules: Rules, default_ttl: Lifetime) {
        self.inner.tuning.tune(rules, default_ttl);
    }

    /// Whether its backend is in this process, so that nothing is waited for.
    pub(in super::super) fn is_here(&self) -> bool {
        self.inner.backend.keeps_objects()
    }
}

#[maybe_async]
impl Cache {
    /// Ends the use of this cache and its clones: every later call is `Closed`. Calls under way finish. Waits for
    /// reloads in the background, at most as long as the timeout. Connections close when the last handle to the
    /// backend is dropped.
    pub async fn close(&self) {
        self.inner.closed.store(true, Ordering::SeqCst);
        if let Some(fast) = &self.inner.fast_path {
            fast.close();
        }
        self.inner.background.drain(Deadline::after(self.timeout).instant()).await;
    }

    /// What each server of the backend says of itself: its version, how full it is, what it does when it is full, under the
    /// server's own names. Of a master that sentinels watch it is that master, of a cluster each master; on memory there is none. One round
    /// trip per server.
    ///
    /// # Errors
    /// The backend's failures; `Auth` or `Refused` where our user may not ask.
    pub async fn servers(&self) -> Result<Vec<ServerInfo>> {
        let call = self.call("servers")?;
        let servers = call.backend().servers(call.deadline).await;
        call.end(servers)
    }

    /// Whether the backend answers. Never an error; bounded by the timeout. One round trip per server.
    pub async fn health(&self) -> Health {
        let start = now();
        let pinged = match self.call("health") {
            Ok(call) => call.backend().ping(call.deadline).await,
            Err(error) => Err(error),
        };
        let latency = now().saturating_duration_since(start);
        match pinged {
            Ok(()) => Health { status: Status::Up, latency, detail: "the backend answers".into() },
            Err(error) => Health { status: Status::Down, latency, detail: error.to_string() },
        }
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("backend", &self.inner.backend.name())
            .field("prefix", &self.inner.prefix.as_str())
            .field("format", &self.inner.codec.format().name())
            .field("timeout", &self.timeout)
            .field("degrade", &self.inner.degrade)
            .finish_non_exhaustive()
    }
}
