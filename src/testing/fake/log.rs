//! What a fake was asked, in order, and whose loaders ran.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::op::Op;

/// A request that a fake has had.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct FakeCall {
    /// What was asked for.
    pub op: Op,
    /// The keys it named, with their prefix, in the order of the request.
    pub keys: Vec<String>,
}

/// All requests and loads since the fake was made, or the log emptied.
#[derive(Debug, Default)]
pub(crate) struct Log(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    calls: Vec<FakeCall>,
    loads: BTreeMap<String, u64>,
}

impl Log {
    pub(crate) fn call(&self, op: Op, keys: Vec<String>) {
        self.lock().calls.push(FakeCall { op, keys });
    }

    pub(crate) fn load(&self, key: &str) {
        *self.lock().loads.entry(key.to_owned()).or_default() += 1;
    }

    pub(crate) fn calls(&self) -> Vec<FakeCall> {
        self.lock().calls.clone()
    }

    pub(crate) fn loads(&self) -> BTreeMap<String, u64> {
        self.lock().loads.clone()
    }

    pub(crate) fn forget(&self) {
        *self.lock() = Entries::default();
    }

    /// Each step leaves a whole log.
    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
