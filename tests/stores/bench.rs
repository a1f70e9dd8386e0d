//! The stores under test: every backend in both worlds, with a way around the store to what it keeps.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use lexigram_cache::{
    Backend, BackendHandle, Cache, Condition, KeyRing, Lifetime, Memcached, Memory, Prefix, Redis, Remaining,
    SecretStore, StateStore, StoreBase, Ttl, aio,
};

use crate::shelf::Shelf;
use crate::support::{memcached, redis, soon};

/// A store of secrets in either world, and one of state in the same namespace.
#[derive(Clone, Debug)]
pub enum Vault {
    Threads(SecretStore, StateStore),
    Tasks(aio::SecretStore, aio::StateStore),
}

/// One call on a store of secrets: `secrets!(vault, store => store.get_secret("k"))`.
macro_rules! secrets {
    ($vault:expr, $store:ident => $call:expr) => {
        match $vault {
            $crate::bench::Vault::Threads($store, _) => $call,
            $crate::bench::Vault::Tasks($store, _) => $crate::support::block_on($call),
        }
    };
}

/// One call on a store of state.
macro_rules! state {
    ($vault:expr, $store:ident => $call:expr) => {
        match $vault {
            $crate::bench::Vault::Threads(_, $store) => $call,
            $crate::bench::Vault::Tasks(_, $store) => $crate::support::block_on($call),
        }
    };
}

pub(crate) use {secrets, state};

/// A vault on one backend, with the bytes behind it.
#[derive(Debug)]
pub struct Bench {
    pub kind: Kind,
    pub namespace: String,
    bases: Bases,
    pub vault: Vault,
    raw: Raw,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    Memory,
    Redis,
    Memcached,
    Custom,
}

#[derive(Clone, Debug)]
enum Bases {
    Threads(BackendHandle),
    Tasks(aio::BackendHandle),
}

enum Raw {
    Objects(Cache),
    Bytes(Arc<dyn Backend>),
}

impl std::fmt::Debug for Raw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Raw")
    }
}

/// Two keys: `new` seals, and `old` opens too.
pub fn both() -> KeyRing {
    KeyRing::new("new", &[2; 32]).unwrap().and("old", &[1; 32]).unwrap()
}

pub fn only(id: &str) -> KeyRing {
    KeyRing::new(id, if id == "new" { &[2; 32] } else { &[1; 32] }).unwrap()
}

/// Runs a test on every backend in both worlds, all at the same time, each in a namespace of its own.
pub fn everywhere(test: impl Fn(&Bench) + Sync) {
    let benches = benches();
    thread::scope(|scope| {
        benches.iter().for_each(|bench| drop(scope.spawn(|| test(bench))));
    });
}

fn benches() -> Vec<Bench> {
    let redis = Redis::builder(redis().url()).build().unwrap();
    let memcached = Memcached::builder([memcached().url()]).build().unwrap();
    let memory = [Bench::on(Kind::Memory, &Memory::default()), Bench::on(Kind::Custom, &Shelf::default())];
    let servers = [Bench::on(Kind::Redis, &redis), Bench::on(Kind::Memcached, &memcached)];
    memory.into_iter().chain(servers).flatten().collect()
}

impl Bench {
    /// The same backend in both worlds.
    pub fn on<B: Clone + Into<BackendHandle> + Into<aio::BackendHandle>>(
        kind: Kind,
        backend: &B,
    ) -> [Bench; 2] {
        let threads: BackendHandle = backend.clone().into();
        let tasks: aio::BackendHandle = backend.clone().into();
        [Bases::Threads(threads), Bases::Tasks(tasks)].map(|bases| {
            let handle: BackendHandle = backend.clone().into();
            let raw = match handle.backend() {
                Some(bytes) => Raw::Bytes(bytes),
                None => Raw::Objects(Cache::builder().backend(handle).build().unwrap()),
            };
            let namespace = new_namespace();
            let vault = bases.vault(&namespace, both(), PATIENCE);
            Bench { kind, namespace, bases, vault, raw }
        })
    }

    /// The same backend and namespace with other keys.
    pub fn with(&self, ring: KeyRing) -> Vault {
        self.bases.vault(&self.namespace, ring, PATIENCE)
    }

    /// The same backend in another namespace.
    pub fn beside(&self, namespace: &str) -> Vault {
        self.bases.vault(namespace, both(), PATIENCE)
    }

    /// The same in a hurry.
    pub fn hurried(&self, timeout: Duration) -> Vault {
        self.bases.vault(&self.namespace, both(), timeout)
    }

    pub fn lists_keys(&self) -> bool {
        self.kind != Kind::Memcached
    }

    /// What the backend keeps under a name of a kind of store.
    pub fn read(&self, kind: &str, name: &str) -> Option<Vec<u8>> {
        self.read_at(&joined(kind, &self.namespace, name))
    }

    pub fn read_at(&self, key: &str) -> Option<Vec<u8>> {
        match &self.raw {
            Raw::Objects(cache) => cache.get(key).unwrap(),
            Raw::Bytes(backend) => {
                let prefix = Prefix::default();
                Some(backend.get(&prefix.key(key).unwrap(), soon()).unwrap()?.bytes)
            }
        }
    }

    /// Puts bytes there, as who can write to the server may.
    pub fn write(&self, kind: &str, name: &str, bytes: &[u8]) {
        self.write_at(&joined(kind, &self.namespace, name), bytes);
    }

    /// What is left of the stay of a key.
    pub fn remaining(&self, key: &str) -> Option<Remaining> {
        match &self.raw {
            Raw::Objects(cache) => cache.ttl(key).unwrap(),
            Raw::Bytes(backend) => {
                let prefix = Prefix::default();
                backend.remaining(&prefix.key(key).unwrap(), soon()).unwrap()
            }
        }
    }

    pub fn write_at(&self, key: &str, bytes: &[u8]) {
        match &self.raw {
            Raw::Objects(cache) => cache.set(key, &bytes.to_vec(), Ttl::NEVER).unwrap(),
            Raw::Bytes(backend) => {
                let (prefix, always) = (Prefix::default(), Condition::Always);
                let key = prefix.key(key).unwrap();
                assert!(backend.store(&key, bytes, Lifetime::Never, &always, soon()).unwrap());
            }
        }
    }
}

impl Bases {
    fn vault(&self, namespace: &str, ring: KeyRing, timeout: Duration) -> Vault {
        match self {
            Bases::Threads(handle) => {
                let base = StoreBase::from(handle).namespace(namespace).timeout(timeout);
                Vault::Threads(SecretStore::new(base.clone(), ring).unwrap(), StateStore::new(base).unwrap())
            }
            Bases::Tasks(handle) => {
                let base = aio::StoreBase::from(handle).namespace(namespace).timeout(timeout);
                let secrets = aio::SecretStore::new(base.clone(), ring).unwrap();
                Vault::Tasks(secrets, aio::StateStore::new(base).unwrap())
            }
        }
    }
}

/// Ends those who go on until then, also where the test has failed.
pub struct Over<'a>(pub &'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The key of a store, as its documentation in `key.rs` says.
pub fn joined(kind: &str, namespace: &str, name: &str) -> String {
    format!("lexigram%{kind}:{namespace}:{name}")
}

pub fn new_namespace() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("stores{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

const PATIENCE: Duration = Duration::from_secs(20);
