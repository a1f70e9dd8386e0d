//! A cache whose server is not there, for tests of programs that use caches.

use super::backend::BackendHandle;
use super::cache::{Cache, CacheBuilder};
use super::{maybe_async, rt};

mod server;

use std::fmt::Debug;
use std::sync::Arc;

use self::server::Server;
use crate::clock::Clock;
use crate::codec::{Format, ValueCodec};
use crate::entry::Value;
use crate::error::Error;
use crate::key::Prefix;
use crate::testing::{Fake, FakeCall, Faults, Op};

/// A [`Cache`] for tests that needs no server and no sleep: the same type, on a server that is not there.
///
/// Everything above the server is the real thing: encoding, protection, policies, degrading, events. What it holds goes by a
/// clock that the test moves. It keeps a log of what it was asked and counts whose loaders ran; it can be told to fail, to
/// lose replies, to be late, to hang and to lose its data. A cheap clone; clones share everything.
///
/// Keys are told as they stand on the server, with the prefix of the cache; [`cache`](FakeCache::cache) has none.
///
/// ```
/// use lexigram_cache::{BoxError, testing::FakeCache};
/// use std::time::Duration;
///
/// let fake = FakeCache::new();
/// let minute = Duration::from_secs(60);
/// let price = || fake.cache().get_or_compute("price", minute, || Ok::<u32, BoxError>(7));
///
/// assert_eq!((price()?, price()?), (7, 7));
/// fake.assert_loaded("price", 1);
///
/// fake.clock().advance(minute);
/// fake.faults().fail_next("fill", 1); // what is loaded cannot be stored
/// assert_eq!(price()?, 7);
/// fake.assert_loaded("price", 2);
/// fake.assert_absent("price");
/// # Ok::<(), lexigram_cache::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct FakeCache {
    fake: Arc<Fake>,
    backend: BackendHandle,
    cache: Cache,
}

impl Default for FakeCache {
    fn default() -> FakeCache {
        FakeCache::new()
    }
}

impl FakeCache {
    /// A fake that holds nothing and does everything right.
    pub fn new() -> FakeCache {
        FakeCache::on(Arc::new(Fake::new()))
    }

    fn on(fake: Arc<Fake>) -> FakeCache {
        let backend = BackendHandle::from(Server::new(Arc::clone(&fake)));
        FakeCache { cache: CacheBuilder::new(backend.clone()).finish(), backend, fake }
    }

    /// The cache, with the defaults of [`Cache::builder`].
    pub fn cache(&self) -> Cache {
        self.cache.clone()
    }

    /// Begins a cache on the same server: with a prefix, another format, a policy, `degrade`, ..
    pub fn builder(&self) -> CacheBuilder {
        CacheBuilder::new(self.backend.clone())
    }

    /// The server as a backend, for stores of other kinds.
    pub fn backend(&self) -> BackendHandle {
        self.backend.clone()
    }

    /// The same server as another process sees it: the data, the clock, the log and the faults are shared, loads in flight
    /// are not.
    pub fn elsewhere(&self) -> FakeCache {
        FakeCache::on(Arc::clone(&self.fake))
    }

    /// The clock that all lifetimes and leases go by. It stands still until it is moved.
    pub fn clock(&self) -> &Clock {
        &self.fake.clock
    }

    /// What the server is to do wrong.
    pub fn faults(&self) -> &Faults {
        &self.fake.faults
    }

    /// Forgets all values and leases, as a server that is started anew.
    pub fn lose_all_data(&self) {
        self.fake.shelf.lose_all();
    }

    /// All requests so far, in order.
    pub fn calls(&self) -> Vec<FakeCall> {
        self.fake.log.calls()
    }

    /// How many requests of this kind there were.
    pub fn count(&self, op: impl Into<Op>) -> usize {
        let op = op.into();
        self.calls().into_iter().filter(|call| op == Op::Any || call.op == op).count()
    }

    /// Forgets the requests and loads so far, but not the data.
    pub fn forget_calls(&self) {
        self.fake.log.forget();
    }

    /// The keys of all values, in order.
    pub fn keys(&self) -> Vec<String> {
        self.fake.shelf.keys()
    }

    /// How many loaders of this key have begun.
    pub fn loads(&self, key: impl AsRef<str>) -> u64 {
        self.fake.log.loads().get(key.as_ref()).copied().unwrap_or_default()
    }

    /// # Panics
    /// If there is no value under this key; says which there are.
    #[track_caller]
    pub fn assert_has(&self, key: impl AsRef<str>) {
        let key = key.as_ref();
        assert!(self.bytes(key).is_some(), "there is no `{key}`; there {}", told(&self.keys()));
    }

    /// # Panics
    /// If there is a value under this key; shows it.
    #[track_caller]
    pub fn assert_absent(&self, key: impl AsRef<str>) {
        let key = key.as_ref();
        if let Some(bytes) = self.bytes(key) {
            panic!("there is a `{key}`: {}", String::from_utf8_lossy(&bytes));
        }
    }

    /// # Panics
    /// If there is no value under this key, or one that is not this; shows what there is. Reads JSON and postcard, whichever the
    /// cache writes, compressed or not.
    #[track_caller]
    pub fn assert_value<T: Value + Debug + PartialEq>(&self, key: impl AsRef<str>, value: &T) {
        let key = key.as_ref();
        self.assert_has(key);
        let bytes = self.bytes(key).unwrap_or_default();
        match decode::<T>(&bytes) {
            Ok(held) => assert!(held == *value, "`{key}` is {held:?} and not {value:?}"),
            Err(error) => {
                let text = String::from_utf8_lossy(&bytes);
                panic!("`{key}` is no {}: {error}; it holds {text}", std::any::type_name::<T>())
            }
        }
    }

    /// # Panics
    /// If another number of loaders of this key has begun; says whose did.
    #[track_caller]
    pub fn assert_loaded(&self, key: impl AsRef<str>, times: u64) {
        let (key, loads) = (key.as_ref(), self.fake.log.loads());
        let began = loads.get(key).copied().unwrap_or_default();
        assert!(began == times, "`{key}` was loaded {began} times and not {times}; all loads: {loads:?}");
    }

    /// # Panics
    /// If another number of such requests was made; shows all that were.
    #[track_caller]
    pub fn assert_called(&self, op: impl Into<Op>, times: usize) {
        let (op, calls) = (op.into(), self.calls());
        let count = self.count(op);
        assert!(
            count == times,
            "`{op}` was asked for {count} times and not {times}; all requests: {calls:?}"
        );
    }

    /// What a value is on the server, past all faults and unlogged.
    fn bytes(&self, key: &str) -> Option<Vec<u8>> {
        let whole = Prefix::default();
        Some(self.fake.shelf.get(&whole.key(key).ok()?)?.bytes)
    }
}

/// By whatever format it was written in.
fn decode<T: Value>(bytes: &[u8]) -> Result<T, Error> {
    let mut failed = None;
    for format in formats() {
        match ValueCodec::new(format).decode(bytes) {
            Ok(value) => return Ok(value),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    Err(failed.unwrap_or_else(|| Error::new(crate::error::ErrorKind::Decode, "no format is compiled in")))
}

fn formats() -> Vec<Format> {
    vec![
        #[cfg(feature = "json")]
        Format::Json,
        #[cfg(feature = "postcard")]
        Format::Postcard,
    ]
}

fn told(keys: &[String]) -> String {
    if keys.is_empty() { "is nothing".to_owned() } else { format!("are {}", keys.join(", ")) }
}
