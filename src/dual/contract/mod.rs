//! The promises that every backend keeps, one function each.
//!
//! A promise panics, with a sentence, if it is broken. [`for_each_promise!`](crate::for_each_promise) names them
//! all, so that a test file makes one test of each:
//!
//! ```
//! use lexigram_cache::Memory;
//! use lexigram_cache::testing::contract::{self, Subject};
//!
//! contract::a_stored_value_is_read_back(&Subject::new(Memory::default()));
//! # Ok::<(), lexigram_cache::Error>(())
//! ```

use super::{maybe_async, rt};

mod conditions;
mod counters;
mod life;
mod lifetimes;
mod limits;
mod listing;
mod loads;
mod locks;
mod many;
mod names;
mod state;
mod values;

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub use self::conditions::*;
pub use self::counters::*;
pub use self::life::*;
pub use self::lifetimes::*;
pub use self::limits::*;
pub use self::listing::*;
pub use self::loads::*;
pub use self::locks::*;
pub use self::many::*;
pub use self::names::*;
pub use self::state::*;
pub use self::values::*;
use super::{BackendHandle, Cache, CacheBuilder, LockStore, StateStore, StoreBase};
use crate::clock::Clock;
use crate::error::ErrorKind;

/// A backend under test, and what it can do.
///
/// Promises use prefixes of their own, so they may share a backend and run side by side.
#[derive(Debug)]
pub struct Subject {
    backend: BackendHandle,
    clock: Option<Clock>,
    lists_keys: bool,
    clears: bool,
    joins_keys: bool,
    resolution: Duration,
}

impl Subject {
    /// A backend that can do everything, with lifetimes exact to the millisecond.
    pub fn new(backend: impl Into<BackendHandle>) -> Subject {
        Subject {
            backend: backend.into(),
            clock: None,
            lists_keys: true,
            clears: true,
            joins_keys: true,
            resolution: Duration::from_millis(1),
        }
    }

    /// The hand clock that the backend goes by, so that no promise has to wait for real time.
    pub fn clock(mut self, clock: Clock) -> Subject {
        self.clock = Some(clock);
        self
    }

    /// It can neither list its keys nor remove by prefix or pattern; then it must say so.
    pub fn without_listing(mut self) -> Subject {
        self.lists_keys = false;
        self
    }

    /// It cannot clear a namespace; then it must say so.
    pub fn without_clear(mut self) -> Subject {
        self.clears = false;
        self
    }

    /// It writes keys in a form of its own, not as the text that prefix and name join to.
    pub fn with_own_keys(mut self) -> Subject {
        self.joins_keys = false;
        self
    }

    /// The unit that it rounds lifetimes up to.
    pub fn resolution(mut self, resolution: Duration) -> Subject {
        self.resolution = resolution;
        self
    }

    /// A cache in a namespace that no other promise uses.
    fn cache(&self) -> Cache {
        built(self.builder())
    }

    /// State in a namespace of its own.
    fn state(&self) -> StateStore {
        done(StateStore::new(&self.cache()))
    }

    fn builder(&self) -> CacheBuilder {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        // The module's path tells the worlds apart, which count each for itself.
        let prefix = format!("{}-{}-{number}", module_path!(), std::process::id());
        let patience = Duration::from_secs(10);
        Cache::builder().backend(self.backend.clone()).prefix(prefix).timeout(patience)
    }

    /// Locks in a namespace that no other promise uses. Nothing renews them.
    fn locks(&self) -> LockStore {
        done(LockStore::builder(StoreBase::from(&self.cache())).renewal(false).build())
    }

    /// The shortest lifetime that the backend keeps exactly.
    fn short(&self) -> Duration {
        self.resolution.max(Duration::from_millis(200))
    }

    /// How long a value that is to be gone by [`expire`](Subject::expire) may live at most.
    fn expired(&self) -> Duration {
        self.short() + self.resolution + Duration::from_millis(50)
    }
}

#[maybe_async]
impl Subject {
    /// Lets the short lifetime pass: by hand where there is a clock, else in real time.
    async fn expire(&self) {
        match &self.clock {
            Some(clock) => clock.advance(self.expired()),
            None => rt::sleep(self.expired()).await,
        }
    }
}

/// How many callers a promise of atomicity sets on one key.
const CROWD: usize = 16;

/// What a promise needs to go right before it can be tested.
fn done<T>(result: crate::Result<T>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("a call of this promise failed: {error}"),
    }
}

fn built(builder: CacheBuilder) -> Cache {
    done(builder.build())
}

fn refused<T>(result: crate::Result<T>, kind: ErrorKind) {
    match result {
        Ok(_) => panic!("a call that had to be refused as {kind:?} went through"),
        Err(error) => assert_eq!(error.kind(), kind, "refused for another reason: {error}"),
    }
}

/// Assertions as functions, since a macro's arguments cannot wait.
#[track_caller]
fn holds(promise: bool) {
    assert!(promise, "the backend answered otherwise");
}

#[track_caller]
fn equal<A: Debug + PartialEq<B>, B: Debug>(answer: A, expected: B) {
    assert_eq!(answer, expected, "the backend answered otherwise");
}
