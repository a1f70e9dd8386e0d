//! What is stored is what is read.

use super::{Subject, done, equal, holds, maybe_async, refused};

use std::collections::HashMap;
use std::fmt::Debug;

use crate::entry::Value;
use crate::error::ErrorKind;
use crate::ttl::Ttl;

#[maybe_async]
async fn round_trip<T: Value + Debug + PartialEq>(subject: &Subject, value: T) {
    let cache = subject.cache();
    done(cache.set("k", &value, Ttl::NEVER).await);
    let read = done(cache.get::<T>("k").await);
    assert_eq!(read, Some(value), "what was read is not what was stored");
}

/// Any value that serde can carry comes back equal.
#[maybe_async]
pub async fn a_stored_value_is_read_back(subject: &Subject) {
    round_trip(subject, true).await;
    round_trip(subject, i64::MIN).await;
    round_trip(subject, u64::MAX).await;
    round_trip(subject, -1.5_f64).await;
    round_trip(subject, 'ß').await;
    round_trip(subject, "text with \0, \r\n and ⌘".to_owned()).await;
    round_trip(subject, vec![0_u8, 255, 10, 13]).await;
    round_trip(subject, (1_u8, "two".to_owned(), Some(3.0_f32))).await;
    round_trip(subject, HashMap::from([("a".to_owned(), vec![1, 2]), ("b".to_owned(), vec![])])).await;
}

/// Nothing is a value like any other.
#[maybe_async]
pub async fn a_stored_none_is_a_hit(subject: &Subject) {
    let cache = subject.cache();
    done(cache.set("k", &None::<String>, Ttl::NEVER).await);
    let read = done(cache.get::<Option<String>>("k").await);
    assert_eq!(read, Some(None), "a stored None must be found");
}

/// Empty texts and lists are values, not misses.
#[maybe_async]
pub async fn an_empty_value_is_a_hit(subject: &Subject) {
    round_trip(subject, String::new()).await;
    round_trip(subject, Vec::<u8>::new()).await;
    round_trip(subject, ()).await;
}

/// A key that holds nothing is `None`, whatever is asked of it.
#[maybe_async]
pub async fn a_miss_is_none(subject: &Subject) {
    let cache = subject.cache();
    equal(done(cache.get::<String>("k").await), None);
    holds(done(cache.get_arc::<String>("k").await).is_none());
    equal(done(cache.take::<String>("k").await), None);
    equal(done(cache.ttl("k").await), None);
    holds(!done(cache.exists("k").await));
    holds(!done(cache.delete("k").await));
}

/// A borrowed `str` is stored and read as a `String`.
#[maybe_async]
pub async fn a_text_needs_no_string(subject: &Subject) {
    let cache = subject.cache();
    done(cache.set("k", "text", Ttl::NEVER).await);
    equal(done(cache.get::<String>("k").await).as_deref(), Some("text"));
}

/// A second write replaces the first.
#[maybe_async]
pub async fn the_last_write_counts(subject: &Subject) {
    let cache = subject.cache();
    done(cache.set("k", "first", Ttl::NEVER).await);
    done(cache.set("k", "second", Ttl::NEVER).await);
    equal(done(cache.get::<String>("k").await).as_deref(), Some("second"));
}

/// `get_arc` and `get_with` read what `get` reads.
#[maybe_async]
pub async fn all_reads_agree(subject: &Subject) {
    let cache = subject.cache();
    done(cache.set("k", "text", Ttl::NEVER).await);
    let shared = done(cache.get_arc::<String>("k").await);
    assert_eq!(shared.as_deref().map(String::as_str), Some("text"));
    let length = done(cache.get_with("k", |text: &String| text.len()).await);
    assert_eq!(length, Some(4));
    let missing = done(cache.get_with("other", |text: &String| text.len()).await);
    assert_eq!(missing, None);
}

/// A value may be read as another type that has the same form in JSON.
#[maybe_async]
pub async fn a_value_can_be_read_as_a_kindred_type(subject: &Subject) {
    let cache = subject.cache();
    done(cache.set("k", &7_u8, Ttl::NEVER).await);
    equal(done(cache.get::<i64>("k").await), Some(7));
    done(cache.set("list", &[1_u8, 2], Ttl::NEVER).await);
    equal(done(cache.get::<Vec<u32>>("list").await), Some(vec![1, 2]));
}

/// What is no value of the type asked for is a miss that is counted, and stays where it is.
#[maybe_async]
pub async fn a_value_of_another_type_is_a_counted_miss(subject: &Subject) {
    let cache = subject.cache();
    done(cache.set("k", "text", Ttl::NEVER).await);
    equal(done(cache.get::<u64>("k").await), None);
    assert_eq!(cache.stats().decode_rejected, 1);
    equal(done(cache.get::<String>("k").await).as_deref(), Some("text"));
}

/// Under `strict_decode(true)` it is an error.
#[maybe_async]
pub async fn strict_decoding_tells(subject: &Subject) {
    let cache = super::built(subject.builder().strict_decode(true));
    done(cache.set("k", "text", Ttl::NEVER).await);
    refused(cache.get::<u64>("k").await, ErrorKind::Decode);
}

/// What does not decode is overwritten by the next load.
#[maybe_async]
pub async fn a_value_of_another_type_is_loaded_anew(subject: &Subject) {
    let cache = subject.cache();
    done(cache.set("k", "text", Ttl::NEVER).await);
    let load = || async { Ok::<u64, std::io::Error>(7) };
    equal(done(cache.get_or_compute("k", Ttl::NEVER, load).await), 7);
    equal(done(cache.get::<u64>("k").await), Some(7));
}

/// Removing says whether there was something to remove.
#[maybe_async]
pub async fn delete_tells_whether_there_was_a_value(subject: &Subject) {
    let cache = subject.cache();
    done(cache.set("k", &1, Ttl::NEVER).await);
    holds(done(cache.exists("k").await));
    holds(done(cache.delete("k").await));
    holds(!done(cache.delete("k").await));
    equal(done(cache.get::<i32>("k").await), None);
}

/// Values of hundreds of kilobytes come back whole.
#[maybe_async]
pub async fn a_large_value_comes_back_whole(subject: &Subject) {
    let text: String = (0..100_000).map(|n| char::from(b'a' + (n % 26) as u8)).collect();
    round_trip(subject, text).await;
}
