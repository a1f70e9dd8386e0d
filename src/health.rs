//! What a look at a backend found.

use std::time::Duration;

/// What [`Cache::health`](crate::Cache::health) found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Health {
    /// Whether the backend answered.
    pub status: Status,
    /// How long it took to answer, or to give up.
    pub latency: Duration,
    /// One line for a person.
    pub detail: String,
}

/// Whether a backend can be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Status {
    /// It answered.
    Up,
    /// It did not.
    Down,
}
