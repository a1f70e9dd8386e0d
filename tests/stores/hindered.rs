//! A backend on which somebody else is faster, and then time is up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use lexigram_cache::{
    Backend, Condition, Deadline, Entry, Error, ErrorKind, Key, Lifetime, Remaining, Result, Version, aio,
};

use crate::bench::{Bench, Kind, only, secrets};
use crate::shelf::Shelf;

#[derive(Clone, Default)]
struct Hindered {
    shelf: Shelf,
    /// What comes next: `LOSES`, `LATE`, or what is asked for.
    next: Arc<AtomicU32>,
}

/// The next write that depends on what is there finds that it is not there any more.
const LOSES: u32 = 1;
/// The next look does not come in time.
const LATE: u32 = 2;

impl Hindered {
    fn is_late(&self) -> Result<()> {
        match self.next.compare_exchange(LATE, 0, Ordering::SeqCst, Ordering::SeqCst) {
            Ok(_) => Err(Error::custom(ErrorKind::Timeout, "time is up")),
            Err(_) => Ok(()),
        }
    }

    fn loses(&self, condition: &Condition) -> bool {
        matches!(condition, Condition::Unchanged(_))
            && self.next.compare_exchange(LOSES, LATE, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }
}

impl Backend for Hindered {
    fn name(&self) -> &str {
        "hindered"
    }

    fn get(&self, key: &Key<'_>, deadline: Deadline) -> Result<Option<Entry>> {
        self.is_late()?;
        self.shelf.get(key, deadline)
    }

    fn store(
        &self,
        key: &Key<'_>,
        bytes: &[u8],
        ttl: Lifetime,
        same: &Condition,
        by: Deadline,
    ) -> Result<bool> {
        if self.loses(same) { Ok(false) } else { self.shelf.store(key, bytes, ttl, same, by) }
    }

    fn remove(&self, key: &Key<'_>, version: Option<&Version>, deadline: Deadline) -> Result<bool> {
        self.shelf.remove(key, version, deadline)
    }

    fn remaining(&self, key: &Key<'_>, deadline: Deadline) -> Result<Option<Remaining>> {
        self.shelf.remaining(key, deadline)
    }
}

#[aio::async_trait]
impl aio::Backend for Hindered {
    fn name(&self) -> &str {
        "hindered"
    }

    async fn get(&self, key: &Key<'_>, deadline: Deadline) -> Result<Option<Entry>> {
        self.is_late()?;
        aio::Backend::get(&self.shelf, key, deadline).await
    }

    async fn store(
        &self,
        key: &Key<'_>,
        bytes: &[u8],
        ttl: Lifetime,
        same: &Condition,
        deadline: Deadline,
    ) -> Result<bool> {
        match self.loses(same) {
            true => Ok(false),
            false => aio::Backend::store(&self.shelf, key, bytes, ttl, same, deadline).await,
        }
    }

    async fn remove(&self, key: &Key<'_>, version: Option<&Version>, deadline: Deadline) -> Result<bool> {
        aio::Backend::remove(&self.shelf, key, version, deadline).await
    }

    async fn remaining(&self, key: &Key<'_>, deadline: Deadline) -> Result<Option<Remaining>> {
        aio::Backend::remaining(&self.shelf, key, deadline).await
    }
}

#[test]
fn a_secret_that_others_keep_writing_is_a_conflict_to_who_seals_it_anew() {
    let hindered = Hindered::default();
    for bench in Bench::on(Kind::Custom, &hindered) {
        let old = bench.with(only("old"));
        secrets!(&old, s => s.set_secret("k", "x", lexigram_cache::Ttl::NEVER)).unwrap();
        hindered.next.store(LATE, Ordering::SeqCst);
        assert_eq!(secrets!(&bench.vault, s => s.rewrap("k")).unwrap_err().kind(), ErrorKind::Timeout);
        hindered.next.store(LOSES, Ordering::SeqCst);
        assert_eq!(secrets!(&bench.vault, s => s.rewrap("k")).unwrap_err().kind(), ErrorKind::Conflict);
        assert!(secrets!(&bench.vault, s => s.rewrap("k")).unwrap());
    }
}
