use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use lexigram_cache::{BoxError, Cache, Result, Stats, Ttl, Value, aio};
use tokio::runtime::{Builder, Runtime};

/// One cache of either world, so that one test speaks to both. Made by `worlds!`, asked by `call!`.
#[derive(Clone, Debug)]
pub enum World {
    Threads(Cache),
    Tasks(aio::Cache),
}

/// Runs a task to its end on the runtime of this test process; any number of threads at once.
pub fn block_on<F: Future>(task: F) -> F::Output {
    static RUNTIME: LazyLock<Runtime> =
        LazyLock::new(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());
    RUNTIME.block_on(task)
}

/// A cache of threads and one of tasks over clones of one backend: `worlds!(redis, prefix("a"), timeout(D))`.
macro_rules! worlds {
    ($backend:expr $(, $setter:ident($($argument:expr),*))* $(,)?) => {{
        let backend = &$backend;
        let threads = lexigram_cache::Cache::builder().backend(backend.clone())$(.$setter($($argument),*))*;
        let tasks = lexigram_cache::aio::Cache::builder().backend(backend.clone())$(.$setter($($argument),*))*;
        [$crate::support::World::Threads(threads.build().unwrap()), $crate::support::World::Tasks(tasks.build().unwrap())]
    }};
}

/// One call on a cache of either world: `call!(world, cache => cache.get::<u64>("k"))`.
macro_rules! call {
    ($world:expr, $cache:ident => $call:expr) => {
        match $world {
            $crate::support::World::Threads($cache) => $call,
            $crate::support::World::Tasks($cache) => $crate::support::block_on($call),
        }
    };
}

pub(crate) use {call, worlds};

impl World {
    /// The same cache in a hurry, or with patience.
    pub fn with_timeout(&self, timeout: Duration) -> World {
        match self {
            World::Threads(cache) => World::Threads(cache.with_timeout(timeout)),
            World::Tasks(cache) => World::Tasks(cache.with_timeout(timeout)),
        }
    }

    /// Whether the backend is up, and the line for a person. Each world has a `Health` of its own.
    pub fn health(&self) -> (bool, String) {
        match self {
            World::Threads(cache) => {
                let health = cache.health();
                (health.status == lexigram_cache::Status::Up, health.detail)
            }
            World::Tasks(cache) => {
                let health = block_on(cache.health());
                (health.status == aio::Status::Up, health.detail)
            }
        }
    }

    /// `get_or_compute` of a value that is at hand.
    pub fn compute<T: Value>(&self, key: &str, value: T) -> Result<T> {
        self.load(key, || Ok::<_, BoxError>(value))
    }

    /// `get_or_compute` with a loader that may block, since it has its thread to itself in both worlds.
    pub fn load<T: Value, E: Into<BoxError>>(
        &self,
        key: &str,
        load: impl FnOnce() -> Result<T, E>,
    ) -> Result<T> {
        self.load_for(key, Ttl::NEVER, load)
    }

    /// [`compute`](World::compute) by `get_or_compute_arc`.
    pub fn compute_arc<T: Value>(&self, key: &str, value: T) -> Result<Arc<T>> {
        self.load_arc(key, || Ok::<_, BoxError>(value))
    }

    /// [`load`](World::load) by `get_or_compute_arc`.
    pub fn load_arc<T: Value, E: Into<BoxError>>(
        &self,
        key: &str,
        load: impl FnOnce() -> Result<T, E>,
    ) -> Result<Arc<T>> {
        match self {
            World::Threads(cache) => cache.get_or_compute_arc(key, Ttl::NEVER, load),
            World::Tasks(cache) => block_on(cache.get_or_compute_arc(key, Ttl::NEVER, async || load())),
        }
    }

    /// The same for a lifetime.
    pub fn load_for<T: Value, E: Into<BoxError>>(
        &self,
        key: &str,
        ttl: Ttl,
        load: impl FnOnce() -> Result<T, E>,
    ) -> Result<T> {
        match self {
            World::Threads(cache) => cache.get_or_compute(key, ttl, load),
            World::Tasks(cache) => block_on(cache.get_or_compute(key, ttl, async || load())),
        }
    }

    /// `get_or_compute_many` with such a loader.
    pub fn load_many<T: Value, E: Into<BoxError>>(
        &self,
        keys: impl IntoIterator<Item = String>,
        mut load: impl FnMut(&[String]) -> Result<HashMap<String, T>, E>,
    ) -> Result<HashMap<String, T>> {
        match self {
            World::Threads(cache) => cache.get_or_compute_many(keys, Ttl::NEVER, load),
            World::Tasks(cache) => {
                let load = async |missing: &[String]| load(missing);
                block_on(cache.get_or_compute_many(keys, Ttl::NEVER, load))
            }
        }
    }

    pub fn close(&self) {
        match self {
            World::Threads(cache) => cache.close(),
            World::Tasks(cache) => block_on(cache.close()),
        }
    }

    pub fn stats(&self) -> Stats {
        match self {
            World::Threads(cache) => cache.stats(),
            World::Tasks(cache) => cache.stats(),
        }
    }
}
