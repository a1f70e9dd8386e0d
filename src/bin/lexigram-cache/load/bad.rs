//! Lines that cannot be used.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::tool::failure::{Code, Failure, say};

pub struct Bad {
    source: String,
    skip: bool,
    count: AtomicU64,
}

impl Bad {
    pub fn new(source: String, skip: bool) -> Bad {
        Bad { source, skip, count: AtomicU64::new(0) }
    }

    /// Tells of a line, and passes over it if that is wanted.
    ///
    /// # Errors
    /// If not: then it ends the load.
    pub fn note(&self, line: u64, why: &str) -> Result<(), Failure> {
        let text = format!("{}:{line}: {why}", self.source);
        if !self.skip {
            return Err(Failure::new(Code::Input, text + "; --skip-bad passes over such lines"));
        }
        if self.count.fetch_add(1, Ordering::Relaxed) < TOLD {
            say(&text);
        }
        Ok(())
    }

    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Tells of those that were not told by themselves.
    pub fn sum_up(&self) {
        if let more @ 1.. = self.count().saturating_sub(TOLD) {
            say(&format!("and {more} more lines were passed over"));
        }
    }
}

/// More are counted only.
const TOLD: u64 = 20;
