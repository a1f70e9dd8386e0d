//! What is kept: bytes behind an `Arc`, a struct that is cloned, a number.

use std::borrow::Borrow;
use std::convert::Infallible;
use std::sync::Arc;

use lexigram_cache::{Cache, Ttl, Value};
use serde::{Deserialize, Serialize};

/// A value as our users store it, and what users of the peers would keep for it.
pub trait Kind: Value + Clone {
    type Kept: Borrow<Self> + Clone + Send + Sync + 'static;

    fn new(number: usize) -> Self;

    fn keep(self) -> Self::Kept;

    /// Reads it from ours with the same hands: what comes out is what comes out of the peers.
    fn read(cache: &Cache, key: &str) -> Option<Self::Kept>;

    /// Reads or loads it from ours, with the same hands.
    fn read_or_load(cache: &Cache, key: &str, ttl: Ttl, load: impl FnOnce() -> Self) -> Self::Kept;
}

/// 100 bytes, shared.
#[derive(Clone, Deserialize, Serialize)]
pub struct Blob([[u8; 25]; 4]);

impl Kind for Blob {
    type Kept = Arc<Blob>;

    fn new(number: usize) -> Blob {
        let mut quarter = [0; 25];
        quarter[..8].copy_from_slice(&number.to_le_bytes());
        Blob([quarter; 4])
    }

    fn keep(self) -> Arc<Blob> {
        Arc::new(self)
    }

    fn read(cache: &Cache, key: &str) -> Option<Arc<Blob>> {
        cache.get_arc(key).expect("memory does not fail")
    }

    fn read_or_load(cache: &Cache, key: &str, ttl: Ttl, load: impl FnOnce() -> Blob) -> Arc<Blob> {
        let load = || Ok::<_, Infallible>(load());
        cache.get_or_compute_arc(key, ttl, load).expect("memory does not fail")
    }
}

impl Blob {
    /// Zero, which nobody knows before the value has been read.
    pub fn zero(&self) -> usize {
        self.0[1][24].into()
    }
}

/// Ten fields, cloned.
#[derive(Clone, Deserialize, Serialize)]
pub struct Record {
    id: u64,
    name: String,
    email: String,
    city: String,
    country: String,
    balance: i64,
    age: u32,
    active: bool,
    score: f64,
    referrer: Option<u64>,
}

impl Kind for Record {
    type Kept = Record;

    fn new(number: usize) -> Record {
        Record {
            id: number as u64,
            name: format!("User {number}"),
            email: format!("user.{number}@mail.example"),
            city: "Reykjavik".to_owned(),
            country: "Iceland".to_owned(),
            balance: -5,
            age: 42,
            active: true,
            score: 0.5,
            referrer: Some(7),
        }
    }

    fn keep(self) -> Record {
        self
    }

    fn read(cache: &Cache, key: &str) -> Option<Record> {
        cache.get(key).expect("memory does not fail")
    }

    fn read_or_load(cache: &Cache, key: &str, ttl: Ttl, load: impl FnOnce() -> Record) -> Record {
        cache.get_or_compute(key, ttl, || Ok::<_, Infallible>(load())).expect("memory does not fail")
    }
}

/// Where only the keys matter.
impl Kind for u64 {
    type Kept = u64;

    fn new(number: usize) -> u64 {
        number as u64
    }

    fn keep(self) -> u64 {
        self
    }

    fn read(cache: &Cache, key: &str) -> Option<u64> {
        cache.get(key).expect("memory does not fail")
    }

    fn read_or_load(cache: &Cache, key: &str, ttl: Ttl, load: impl FnOnce() -> u64) -> u64 {
        cache.get_or_compute(key, ttl, || Ok::<_, Infallible>(load())).expect("memory does not fail")
    }
}
