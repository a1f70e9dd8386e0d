//! What a lock store is built of.

use super::super::base::StoreBase;
use super::{Inner, LockStore, Told};

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};
use crate::lock::Strength;

/// Settings of a [`LockStore`].
#[derive(Clone)]
#[must_use = "nothing is made before build()"]
pub struct LockStoreBuilder {
    base: StoreBase,
    strength: Option<Strength>,
    renewal: bool,
    on_loss: Option<Told>,
    on_warning: Option<Told>,
}

impl LockStoreBuilder {
    pub(super) fn new(base: StoreBase) -> LockStoreBuilder {
        LockStoreBuilder { base, strength: None, renewal: true, on_loss: None, on_warning: None }
    }

    /// Within which names are shared. Defaults to the prefix of the cache, or to none.
    pub fn namespace(mut self, namespace: &str) -> LockStoreBuilder {
        self.base = self.base.namespace(namespace);
        self
    }

    /// How long a call may take in all, and a drop of a guard wait for the server. Defaults to that of the cache, or to 1
    /// s.
    pub fn timeout(mut self, timeout: Duration) -> LockStoreBuilder {
        self.base = self.base.timeout(timeout);
        self
    }

    /// What its locks are to hold against. Defaults to what the backend gives: [`Process`](Strength::Process) in memory,
    /// else [`SingleServer`](Strength::SingleServer).
    pub fn strength(mut self, strength: Strength) -> LockStoreBuilder {
        self.strength = Some(strength);
        self
    }

    /// Whether a guard renews its lock at each third of its time, so that a holder that lives keeps it. Without, a lock
    /// is over after its time, and nobody tells: see [`LockGuard::is_valid`](super::LockGuard::is_valid). Defaults to
    /// `true`.
    pub fn renewal(mut self, renewal: bool) -> LockStoreBuilder {
        self.renewal = renewal;
        self
    }

    /// Who is told the name of a lock that was lost: the server does not know it as ours any more, or could not be asked
    /// before its time was over. Once for each lock, at the first renewal or extension that finds out, on the thread or
    /// task that renews all locks: be quick. If it panics, that is the end of it. Defaults to nobody.
    pub fn on_loss(mut self, told: impl Fn(&str) + Send + Sync + 'static) -> LockStoreBuilder {
        self.on_loss = Some(Arc::new(told));
        self
    }

    /// Who is told, beside the first lock, what [`check`](LockStore::check) finds. With feature `tracing` it is an event
    /// of level WARN as well. Defaults to nobody.
    pub fn on_warning(mut self, told: impl Fn(&str) + Send + Sync + 'static) -> LockStoreBuilder {
        self.on_warning = Some(Arc::new(told));
        self
    }

    /// Makes the store. Dials nothing.
    ///
    /// # Errors
    /// `Misconfigured` for a strength that this backend cannot give, `Config` for a timeout of zero and for no replica at
    /// all.
    pub fn build(self) -> Result<LockStore> {
        let strength = self.settled().map_err(|error| self.base.place("new", error))?;
        let keys = |kind| self.base.keys(kind);
        let (locks, semaphores, periods) = (keys("lock")?, keys("semaphore")?, keys("period")?);
        let inner = Inner {
            clock: self.base.backend.clock(),
            base: self.base,
            locks,
            semaphores,
            periods,
            strength,
            renewal: self.renewal,
            on_loss: self.on_loss,
            on_warning: self.on_warning,
            warned: AtomicBool::new(false),
        };
        Ok(LockStore { inner: Arc::new(inner) })
    }

    /// The strength that was asked for, if the backend has it.
    fn settled(&self) -> Result<Strength> {
        let backend = &self.base.backend;
        let own = backend.strength();
        match self.strength {
            None => Ok(own),
            Some(Strength::Replicated(0)) => {
                let text = "Replicated(0) waits for nobody; give the number of replicas, or SingleServer";
                Err(Error::new(ErrorKind::Config, text))
            }
            Some(Strength::Replicated(replicas)) if backend.confirms_replicas() => {
                Ok(Strength::Replicated(replicas))
            }
            Some(wanted) if wanted == own => Ok(own),
            Some(wanted) => {
                let text =
                    format!("{} cannot give locks of strength {wanted:?}, only {own:?}", backend.name());
                Err(Error::new(ErrorKind::Misconfigured, text))
            }
        }
    }
}

impl fmt::Debug for LockStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockStoreBuilder")
            .field("base", &self.base)
            .field("strength", &self.strength)
            .field("renewal", &self.renewal)
            .finish_non_exhaustive()
    }
}
