//! Locks that threads, tasks and processes agree on by a backend.

use super::super::backend::BackendHandle;
use super::base::StoreBase;
use super::{maybe_async, rt};

mod acquire;
mod builder;
mod guard;
mod place;
mod semaphore;
mod tenure;
mod wait;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub use self::builder::LockStoreBuilder;
pub use self::guard::LockGuard;
use self::place::Place;
pub use self::semaphore::Semaphore;
use crate::clock::{Clock, Moment};
use crate::error::{Error, ErrorKind, Result};
use crate::event;
use crate::key::Prefix;
use crate::lock::Strength;
use crate::ttl::{Lifetime, Remaining};

/// Locks by name: one holder at a time, for a time that is renewed while its [`LockGuard`] lives.
///
/// A cheap clone. All stores on one server and in one [namespace](StoreBase::namespace) share their locks, in whatever
/// process and world. A lock ends by [`release`](LockGuard::release), by the drop of its guard, or when its time is over
/// because its holder is gone.
///
/// ```
/// use lexigram_cache::{LockStore, Memory, Released};
/// use std::time::Duration;
///
/// let locks = LockStore::new(&Memory::default())?;
/// let ttl = Duration::from_secs(30);
/// let guard = locks.acquire("nightly report", ttl, Duration::from_secs(5))?;
/// assert!(locks.try_acquire("nightly report", ttl)?.is_none());
/// // .. do the work; hand guard.fencing() to whatever is written ..
/// assert_eq!(guard.release()?, Released::Released);
/// # Ok::<(), lexigram_cache::Error>(())
/// ```
///
/// # What a lock does not promise
///
/// That nobody else acts while its holder does. A holder that is stopped between [`is_valid`](LockGuard::is_valid) and
/// its write (by SIGSTOP, a swap, a paused machine) goes on when its time may be over and another has the lock. Whatever
/// must not be written twice has to know the highest [`fencing`](LockGuard::fencing) number it has seen, and to refuse
/// lower ones.
///
/// That the server keeps it. Redis replicates after it has answered, so a master that fails may take its last locks with
/// it: [`Strength::Replicated`] waits for replicas first, and even then another replica may be made the master. Redis
/// evicts keys with a lifetime under every `maxmemory-policy` but `noeviction`, and Memcached whatever it likes: the lock
/// is then somebody else's to take. [`check`](LockStore::check) tells what can be known of that. Its holder hears of it
/// at the next renewal; `release` answers [`NotOwned`](crate::Released::NotOwned).
///
/// Nor that other programs leave it alone: whoever deletes its key frees it, as `clear` on a cache without a prefix does on
/// Redis.
///
/// That clocks agree. Each side counts a lifetime by its own clock; a holder believes in 1 % and 2 ms less than the
/// server. One whose machine sleeps does not count that time. Fencing numbers go on by the server's wall clock (on
/// Memcached and backends of one's own, the clients') where their counter was lost: a clock set back by more than the
/// server was away lets them fall.
///
/// On Memcached, and on a backend of one's own, a lock takes four round trips, and stands up to two of the backend's
/// steps longer than its time if its holder is gone.
#[derive(Clone)]
pub struct LockStore {
    inner: Arc<Inner>,
}

/// Who is told a line.
type Told = Arc<dyn Fn(&str) + Send + Sync>;

struct Inner {
    base: StoreBase,
    locks: Prefix,
    semaphores: Prefix,
    periods: Prefix,
    strength: Strength,
    renewal: bool,
    on_loss: Option<Told>,
    on_warning: Option<Told>,
    warned: AtomicBool,
    /// What the backend measures by, if that is in this process.
    clock: Clock,
}

impl LockStore {
    /// Locks on this backend, with the defaults named at each setting of the [builder](LockStore::builder). Dials nothing.
    ///
    /// # Errors
    /// As [`LockStoreBuilder::build`].
    pub fn new(base: impl Into<StoreBase>) -> Result<LockStore> {
        LockStore::builder(base).build()
    }

    /// Begins a lock store.
    pub fn builder(base: impl Into<StoreBase>) -> LockStoreBuilder {
        LockStoreBuilder::new(base.into())
    }

    /// What its locks hold against.
    pub fn strength(&self) -> Strength {
        self.inner.strength
    }

    /// So many holders at a time in place of one, under a name that no lock shares.
    ///
    /// Everybody who uses it has to give the same number: it is not kept on the server.
    ///
    /// # Errors
    /// `InvalidKey` for an empty name, `Config` for no permit at all and for more than 1,024.
    pub fn semaphore(&self, name: &str, permits: u32) -> Result<Semaphore> {
        Semaphore::new(self.clone(), name, permits)
    }
}

impl Inner {
    fn backend(&self) -> &BackendHandle {
        &self.base.backend
    }

    /// Until when a lock that is asked for now is certainly ours: a part of its time is left to how far two clocks drift
    /// apart.
    fn until(&self, ttl: Duration) -> Moment {
        let drift = if self.backend().keeps_objects() { Duration::ZERO } else { ttl / 100 + GRAIN };
        self.clock.end_of(Lifetime::For(ttl.saturating_sub(drift)))
    }

    fn left(&self, until: Moment) -> Duration {
        match self.clock.until(until) {
            Some(Remaining::For(left)) => left,
            Some(Remaining::Never) => Lifetime::MAX,
            None => Duration::ZERO,
        }
    }

    fn replicas(&self) -> u32 {
        match self.strength {
            Strength::Replicated(replicas) => replicas,
            _ => 0,
        }
    }
}

#[maybe_async]
impl LockStore {
    /// Why locks may be lost on this server before their time, in sentences for a person; empty if nothing is known.
    /// Asked once beside the first lock, too, if there is somebody to be told: see [`LockStoreBuilder::on_warning`]. One
    /// round trip on Redis, none elsewhere.
    ///
    /// # Errors
    /// Those of the backend.
    pub async fn check(&self) -> Result<Vec<String>> {
        let inner = &self.inner;
        let warnings = inner.backend().lock_warnings(inner.base.deadline()).await;
        warnings.map_err(|error| inner.base.place("check", error))
    }

    /// Tells of what `check` finds, at the first lock.
    fn warn_once(&self) {
        let is_heard = event::IS_TRACED || self.inner.on_warning.is_some();
        if is_heard && !self.inner.warned.swap(true, Ordering::Relaxed) {
            let store = self.clone();
            rt::detach(move || async move { store.warn().await });
        }
    }

    async fn warn(&self) {
        for warning in self.check().await.unwrap_or_default() {
            event::warn("lock", self.inner.backend().name(), &warning);
            if let Some(tell) = &self.inner.on_warning {
                tell(&warning);
            }
        }
    }
}

/// A lifetime that can be kept.
///
/// # Errors
/// `InvalidTtl`.
fn checked(ttl: Duration) -> Result<Duration> {
    if ttl < SHORTEST {
        let text =
            "a lock of less than 10 ms would be over before it could be renewed; give for instance 30 s";
        return Err(Error::new(ErrorKind::InvalidTtl, text));
    }
    Lifetime::new(ttl).map(|_| ttl)
}

const SHORTEST: Duration = Duration::from_millis(10);
/// Servers count in milliseconds, and so do we.
const GRAIN: Duration = Duration::from_millis(2);

impl fmt::Debug for LockStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockStore")
            .field("base", &self.inner.base)
            .field("strength", &self.inner.strength)
            .finish_non_exhaustive()
    }
}
