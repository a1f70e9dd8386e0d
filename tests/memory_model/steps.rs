//! Caches and sequences of steps that nobody thought of.

use lexigram_cache::Eviction;
use proptest::prelude::*;

use super::step::{During, Settings, Step};

pub fn settings() -> impl Strategy<Value = Settings> {
    let capacity = prop_oneof![Just(1), Just(2), Just(7), Just(300)];
    let max_bytes = prop_oneof![Just(None), (1..40_u64).prop_map(Some)];
    let eviction = prop_oneof![Just(Eviction::Default), Just(Eviction::Lru)];
    (capacity, max_bytes, eviction, proptest::bool::weighted(0.2), 0.0..1.2).prop_map(
        |(capacity, max_bytes, eviction, swept, filled)| {
            // So that many weights fit in a cache for many entries.
            let max_bytes = max_bytes.map(|bytes| bytes * (capacity as u64).div_ceil(10));
            Settings { capacity, max_bytes, eviction, swept, filled: (filled * capacity as f64) as usize }
        },
    )
}

/// Steps on so many keys, of which a few are asked for more often.
pub fn steps(keys: usize) -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(step(keys), 1..100)
}

fn step(keys: usize) -> impl Strategy<Value = Step> {
    let key = || prop_oneof![0..keys, 0..keys.min(5)];
    let ttl = || prop_oneof![Just(None), (1..6_u64).prop_map(Some)];
    let value = || 0..1_000_000_i64;
    let during = prop_oneof![
        4 => Just(During::Nothing),
        1 => Just(During::Failure),
        1 => value().prop_map(During::Write),
        1 => Just(During::Removal),
    ];
    prop_oneof![
        4 => key().prop_map(Step::Get),
        2 => key().prop_map(Step::GetWith),
        1 => key().prop_map(Step::GetArc),
        6 => (key(), value(), ttl()).prop_map(|(key, value, ttl)| Step::Set(key, value, ttl)),
        2 => (key(), value(), ttl()).prop_map(|(key, value, ttl)| Step::Add(key, value, ttl)),
        2 => (key(), value(), ttl()).prop_map(|(key, value, ttl)| Step::Replace(key, value, ttl)),
        1 => key().prop_map(Step::Take),
        1 => key().prop_map(Step::Delete),
        2 => (key(), ttl()).prop_map(|(key, ttl)| Step::Touch(key, ttl)),
        2 => (key(), value(), ttl()).prop_map(|(key, delta, ttl)| Step::Incr(key, delta, ttl)),
        2 => (key(), value()).prop_map(|(key, delta)| Step::Update(key, delta)),
        4 => (key(), value(), ttl(), during)
            .prop_map(|(key, value, ttl, during)| Step::Load(key, value, ttl, during)),
        1 => prop_oneof![Just("a"), Just("ab"), Just("b"), Just("c")].prop_map(Step::DeletePrefix),
        1 => proptest::bool::weighted(0.3).prop_map(|all| if all { Step::Clear } else { Step::Advance(1) }),
        2 => (1..4_u64).prop_map(Step::Advance),
    ]
}
