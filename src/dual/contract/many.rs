//! Many keys at once.

use super::{Subject, done, equal, holds, maybe_async, refused};

use std::collections::HashMap;
use std::time::Duration;

use crate::error::ErrorKind;
use crate::ttl::{Remaining, Ttl};

/// What `set_many` stored, `get_many` answers: the present keys, each once.
#[maybe_async]
pub async fn many_values_are_read_back_by_key(subject: &Subject) {
    let cache = subject.cache();
    done(cache.set_many((0..100).map(|n| (n.to_string(), n)), Ttl::NEVER).await);
    let read = done(cache.get_many::<i32>((50..150).map(|n| n.to_string())).await);
    assert_eq!(read, (50..100).map(|n| (n.to_string(), n)).collect());
}

/// A key named twice is answered once; of two values for one key the last counts.
#[maybe_async]
pub async fn a_key_named_twice_counts_once(subject: &Subject) {
    let cache = subject.cache();
    done(cache.set_many([("a", 1), ("b", 2), ("a", 3)], Ttl::NEVER).await);
    let read = done(cache.get_many::<i32>(["a", "a", "b", "c"]).await);
    assert_eq!(read, HashMap::from([("a".to_owned(), 3), ("b".to_owned(), 2)]));
    let stats = cache.stats();
    assert_eq!((stats.hits, stats.misses), (2, 1));
    equal(done(cache.delete_many(["a", "a", "c"]).await), 1);
}

/// `delete_many` counts what was there.
#[maybe_async]
pub async fn delete_many_counts_what_was_there(subject: &Subject) {
    let cache = subject.cache();
    done(cache.set_many([("a", 1), ("b", 2), ("c", 3)], Ttl::NEVER).await);
    equal(done(cache.delete_many(["a", "c", "d"]).await), 2);
    equal(done(cache.get_many::<i32>(["a", "b", "c"]).await).len(), 1);
}

/// One bad key fails the whole call before anything is written.
#[maybe_async]
pub async fn a_bad_key_writes_nothing(subject: &Subject) {
    let cache = subject.cache();
    refused(cache.set_many([("a", 1), ("", 2)], Ttl::NEVER).await, ErrorKind::InvalidKey);
    holds(!done(cache.exists("a").await));
    refused(cache.get_many::<i32>(["a", ""]).await, ErrorKind::InvalidKey);
    done(cache.set("a", &1, Ttl::NEVER).await);
    refused(cache.delete_many(["a", ""]).await, ErrorKind::InvalidKey);
    holds(done(cache.exists("a").await));
}

/// No keys are no work.
#[maybe_async]
pub async fn no_keys_are_no_work(subject: &Subject) {
    let cache = subject.cache();
    holds(done(cache.get_many::<i32>([""; 0]).await).is_empty());
    done(cache.set_many([("", 0); 0], Ttl::NEVER).await);
    equal(done(cache.delete_many([""; 0]).await), 0);
}

/// One entry that is no value of this type is a miss among hits.
#[maybe_async]
pub async fn one_undecodable_value_does_not_spoil_the_rest(subject: &Subject) {
    let cache = subject.cache();
    done(cache.set("number", &1, Ttl::NEVER).await);
    done(cache.set("text", "x", Ttl::NEVER).await);
    let read = done(cache.get_many::<i32>(["number", "text"]).await);
    assert_eq!(read, HashMap::from([("number".to_owned(), 1)]));
}

/// What was exported from one key is the same value under another, byte for byte, and tells what is left of its lifetime.
#[maybe_async]
pub async fn exported_bytes_are_the_same_value_elsewhere(subject: &Subject) {
    let (cache, value) = (subject.cache(), vec![1_u16, 500]);
    done(cache.set("from", &value, Duration::from_secs(900)).await);
    let mut entries = done(cache.export(["from", "missing", "from"]).await);
    equal(entries.len(), 1);
    let Some(entry) = entries.remove("from") else { panic!("what is there was not exported") };
    let is_left = |left| (Duration::from_secs(600)..=Duration::from_secs(901)).contains(&left);
    holds(matches!(entry.remaining, Some(Remaining::For(left)) if is_left(left)));
    done(cache.import([("to", entry.bytes.clone())], Ttl::NEVER).await);
    equal(done(cache.get::<Vec<u16>>("to").await), Some(value));
    equal(done(cache.ttl("to").await), Some(Remaining::Never));
    let again = done(cache.export(["to"]).await).remove("to");
    equal(again.map(|entry| entry.bytes), Some(entry.bytes));
    refused(cache.import([("", vec![1])], Ttl::NEVER).await, ErrorKind::InvalidKey);
}
