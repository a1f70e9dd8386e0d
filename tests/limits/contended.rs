//! A subject that so many ask for at once that a step of a limiter loses until its time is up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use lexigram_cache::{
    Backend, BackendHandle, Condition, Deadline, Entry, Error, ErrorKind, Key, Lifetime, Outage, Quota,
    RateLimiter, Remaining, Result, Version, aio,
};

use crate::support::block_on;

const QUOTA: Quota = Quota::per_hour(5);

/// The first step loses, and the next one fails.
#[derive(Clone, Debug)]
struct Contended {
    /// How, and whether by the look or by the write.
    failure: ErrorKind,
    writes: bool,
    steps: Arc<AtomicU32>,
}

impl Contended {
    fn fail(&self) -> Error {
        match self.failure {
            // A write without an answer in time.
            ErrorKind::Ambiguous => Error::custom(ErrorKind::Ambiguous, "it was sent")
                .with_source(Error::custom(ErrorKind::Timeout, "time is up")),
            kind => Error::custom(kind, "time is up"),
        }
    }

    fn look(&self) -> Result<Option<Entry>> {
        if !self.writes && self.steps.load(Ordering::SeqCst) > 0 { Err(self.fail()) } else { Ok(None) }
    }

    fn write(&self) -> Result<bool> {
        let first = self.steps.fetch_add(1, Ordering::SeqCst) == 0;
        if first { Ok(false) } else { Err(self.fail()) }
    }
}

impl Backend for Contended {
    fn name(&self) -> &str {
        "contended"
    }

    fn get(&self, _: &Key<'_>, _: Deadline) -> Result<Option<Entry>> {
        self.look()
    }

    fn store(&self, _: &Key<'_>, _: &[u8], _: Lifetime, _: &Condition, _: Deadline) -> Result<bool> {
        self.write()
    }

    fn remove(&self, _: &Key<'_>, _: Option<&Version>, _: Deadline) -> Result<bool> {
        self.write()
    }

    fn remaining(&self, _: &Key<'_>, _: Deadline) -> Result<Option<Remaining>> {
        Ok(None)
    }
}

#[aio::async_trait]
impl aio::Backend for Contended {
    fn name(&self) -> &str {
        "contended"
    }

    async fn get(&self, _: &Key<'_>, _: Deadline) -> Result<Option<Entry>> {
        self.look()
    }

    async fn store(&self, _: &Key<'_>, _: &[u8], _: Lifetime, _: &Condition, _: Deadline) -> Result<bool> {
        self.write()
    }

    async fn remove(&self, _: &Key<'_>, _: Option<&Version>, _: Deadline) -> Result<bool> {
        self.write()
    }

    async fn remaining(&self, _: &Key<'_>, _: Deadline) -> Result<Option<Remaining>> {
        Ok(None)
    }
}

/// Or whoever asks often enough would be under no limit.
#[test]
fn a_limit_is_not_opened_by_those_who_keep_others_from_asking() {
    use ErrorKind::{Ambiguous, Conflict, Timeout, Unavailable};
    for (failure, writes, told) in [
        (Timeout, false, Conflict),
        (Timeout, true, Conflict),
        (Ambiguous, true, Conflict),
        // That server is away.
        (Unavailable, false, Unavailable),
    ] {
        for outage in [Outage::Open, Outage::Closed, Outage::Error] {
            let backend = || Contended { failure, writes, steps: Arc::default() };
            let (threads, tasks) = (BackendHandle::from(backend()), aio::BackendHandle::from(backend()));
            let threads = RateLimiter::builder(&threads, "l", QUOTA, outage).build().unwrap();
            let tasks = aio::RateLimiter::builder(&tasks, "l", QUOTA, outage).build().unwrap();
            for answer in [threads.check("s"), block_on(tasks.check("s"))] {
                match answer {
                    Ok(decision) => assert_eq!((decision.outage, told), (Some(Unavailable), Unavailable)),
                    Err(error) => assert_eq!(error.kind(), told, "{outage:?}: {error}"),
                }
            }
        }
    }
}
