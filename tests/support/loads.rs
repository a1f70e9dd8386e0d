use std::panic::resume_unwind;
use std::time::Duration;

use lexigram_cache::{BoxError, Fetched, Loaded, Policy, PolicyBuilder, Result, Value};

use super::{World, block_on, eventually};

/// Loads of either world beyond those that `World` itself has.
impl World {
    pub fn policy(&self, set: impl FnOnce(PolicyBuilder) -> PolicyBuilder) -> Policy {
        let builder = match self {
            World::Threads(cache) => cache.policy(),
            World::Tasks(cache) => cache.policy(),
        };
        set(builder).build().unwrap()
    }

    /// `fetch` with a loader that may block, since it has its thread to itself in both worlds.
    pub fn fetch<T: Value, L: Into<Loaded<T>>, E: Into<BoxError>>(
        &self,
        key: &str,
        policy: &Policy,
        load: impl FnOnce() -> Result<L, E>,
    ) -> Result<Fetched<T>> {
        match self {
            World::Threads(cache) => cache.fetch(key, policy, load),
            World::Tasks(cache) => block_on(cache.fetch(key, policy, async || load())),
        }
    }

    /// `fetch_in_background` with a loader that may block.
    pub fn fetch_beside<T: Value>(
        &self,
        key: &str,
        policy: &Policy,
        load: impl FnOnce() -> Result<T, BoxError> + Send + 'static,
    ) -> Result<Fetched<T>> {
        match self {
            World::Threads(cache) => cache.fetch_in_background(key, policy, load),
            World::Tasks(cache) => {
                let load = || async {
                    let loaded = tokio::task::spawn_blocking(load).await;
                    loaded.unwrap_or_else(|error| resume_unwind(error.into_panic()))
                };
                block_on(cache.fetch_in_background(key, policy, load))
            }
        }
    }

    /// `fetch` with a loader that waits as its world does until it is over: what runs beside it goes on.
    pub fn fetch_until<T: Value>(
        &self,
        key: &str,
        policy: &Policy,
        value: T,
        is_over: impl Fn() -> bool,
    ) -> Result<Fetched<T>> {
        match self {
            World::Threads(cache) => cache.fetch(key, policy, || {
                eventually("the load is over", HANGING, is_over);
                Ok::<_, BoxError>(value)
            }),
            World::Tasks(cache) => block_on(cache.fetch(key, policy, async || {
                while !is_over() {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                Ok::<_, BoxError>(value)
            })),
        }
    }
}

const HANGING: Duration = Duration::from_secs(60);
