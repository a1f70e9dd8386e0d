//! What reader and writers know in common: how far all is stored, and whether something has failed.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::bad::Bad;
use super::ledger::{Ledger, Mark};
use super::source::Source;
use super::state::State;
use crate::tool::failure::Failure;

pub struct Shared {
    pub bad: Bad,
    stored: AtomicU64,
    failed: AtomicBool,
    kept: Mutex<Kept>,
}

struct Kept {
    ledger: Ledger,
    state: Option<State>,
    failure: Option<Failure>,
}

impl Shared {
    pub fn new(source: &mut Source, skip_bad: bool) -> Shared {
        Shared {
            bad: Bad::new(source.name.clone(), skip_bad),
            stored: AtomicU64::new(0),
            failed: AtomicBool::new(false),
            kept: Mutex::new(Kept { ledger: Ledger::default(), state: source.state.take(), failure: None }),
        }
    }

    pub fn stored(&self) -> u64 {
        self.stored.load(Ordering::Relaxed)
    }

    pub fn goes_on(&self) -> bool {
        !self.failed.load(Ordering::Relaxed)
    }

    /// Notes a batch that is sent off; says of which window.
    pub fn send(&self) -> u64 {
        self.lock().ledger.send()
    }

    /// Notes that all lines up to here are sent off.
    pub fn close(&self, end: Mark) {
        let mut kept = self.lock();
        let reached = kept.ledger.close(end);
        kept.save(reached);
        self.note_failure(&kept);
    }

    /// Notes a batch that is stored.
    pub fn end(&self, window: u64, stored: u64) {
        self.stored.fetch_add(stored, Ordering::Relaxed);
        let mut kept = self.lock();
        let reached = kept.ledger.end(window);
        kept.save(reached);
        self.note_failure(&kept);
    }

    /// The first failure is the one to tell.
    pub fn fail(&self, failure: Failure) {
        let mut kept = self.lock();
        kept.failure.get_or_insert(failure);
        self.note_failure(&kept);
    }

    /// What the load came to. All is stored if nothing failed; then there is nothing to remember.
    pub fn finish(&self, read: Result<u64, Failure>) -> Result<u64, Failure> {
        let mut kept = self.lock();
        let lines = match kept.failure.take() {
            Some(failure) => Err(failure),
            None => read,
        }?;
        kept.state.as_ref().map_or(Ok(()), State::remove)?;
        Ok(lines)
    }

    fn note_failure(&self, kept: &Kept) {
        self.failed.store(kept.failure.is_some(), Ordering::Relaxed);
    }

    /// Every change is whole when a panic could come, so a poisoned lock guards what it should.
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn save(&mut self, reached: Option<Mark>) {
        if let (Some(mark), Some(state)) = (reached, &self.state)
            && let Err(failure) = state.save(mark)
        {
            self.failure.get_or_insert(failure);
        }
    }
}
