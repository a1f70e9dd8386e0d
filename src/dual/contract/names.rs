//! Keys and namespaces.

use super::{Subject, built, done, equal, holds, maybe_async, refused};

use crate::error::ErrorKind;
use crate::ttl::Ttl;

/// An empty key names nothing.
#[maybe_async]
pub async fn an_empty_key_is_refused(subject: &Subject) {
    let cache = subject.cache();
    refused(cache.set("", &1, Ttl::NEVER).await, ErrorKind::InvalidKey);
    refused(cache.get::<i32>("").await, ErrorKind::InvalidKey);
    refused(cache.incr("", 1, Ttl::NEVER).await, ErrorKind::InvalidKey);
    let load = || async { Ok::<i32, std::io::Error>(1) };
    refused(cache.get_or_compute("", Ttl::NEVER, load).await, ErrorKind::InvalidKey);
}

/// Any text is a key, and no two texts are the same key.
#[maybe_async]
pub async fn hostile_keys_are_keys_like_others(subject: &Subject) {
    let cache = subject.cache();
    let mut names: Vec<String> = (0..256_u32).filter_map(char::from_u32).map(|c| format!("a{c}b")).collect();
    names.extend(
        ["k\r\nset x 0 0 1\r\n1", "get x\r\n", "ключ", "🔑", " ", "\0", "%", ":", "c:d", "*", "a*", "[a]"]
            .map(Into::into),
    );
    let long = "x".repeat(300);
    names.extend([long.clone(), format!("{long}y"), format!("{long}z"), "y".repeat(10_000)]);
    done(cache.set_many(names.iter().enumerate().map(|(n, name)| (name, n)), Ttl::NEVER).await);
    for (n, name) in names.iter().enumerate() {
        let read = done(cache.get::<usize>(name).await);
        assert_eq!(read, Some(n), "key {name:?}");
    }
    equal(done(cache.delete_many(&names).await), names.len() as u64);
}

/// Caches with different prefixes do not see each other, however their names join.
#[maybe_async]
pub async fn prefixes_keep_apart(subject: &Subject) {
    let base = format!("apart-{}", std::process::id());
    let pairs = [
        (base.clone(), "b:c"),
        (format!("{base}:b"), "c"),
        (format!("{base}%3Ab"), "c"),
        (format!("{base}%"), "3Ab:c"),
    ];
    for (n, (prefix, name)) in pairs.iter().enumerate() {
        done(built(subject.builder().prefix(prefix)).set(name, &n, Ttl::NEVER).await);
    }
    for (n, (prefix, name)) in pairs.iter().enumerate() {
        let cache = built(subject.builder().prefix(prefix));
        let read = done(cache.get::<usize>(name).await);
        assert_eq!(read, Some(n), "{prefix} and {name}");
        done(cache.delete(name).await);
    }
}

/// A key is the text that its prefix and its name join to, for a cache without a prefix as well; unless the backend
/// has a form of its own for keys.
#[maybe_async]
pub async fn a_key_is_the_text_it_joins_to(subject: &Subject) {
    if !subject.joins_keys {
        return;
    }
    // The module's path tells the worlds apart.
    let prefix = format!("{}-{}-joined", module_path!(), std::process::id());
    let joined = format!("{}:name", prefix.replace(':', "%3A"));
    let (within, whole) = (built(subject.builder().prefix(prefix)), built(subject.builder().prefix("")));
    done(within.set("name", &1, Ttl::NEVER).await);
    equal(done(whole.get::<i32>(&joined).await), Some(1));
    holds(!done(whole.add(&joined, &2, Ttl::NEVER).await));
    done(whole.set(&joined, &3, Ttl::NEVER).await);
    equal(done(within.get::<i32>("name").await), Some(3));
    holds(done(whole.delete(&joined).await));
    let load = || async { Ok::<i32, std::io::Error>(4) };
    equal(done(within.get_or_compute("name", Ttl::NEVER, load).await), 4);
    equal(done(whole.take::<i32>(&joined).await), Some(4));
    holds(!done(within.exists("name").await));
}

/// `clear` removes the values of its own prefix and no others; or says that it cannot.
#[maybe_async]
pub async fn clear_removes_its_own_prefix_only(subject: &Subject) {
    let (ours, theirs) = (subject.cache(), subject.cache());
    if !subject.clears {
        return refused(ours.clear().await, ErrorKind::Unsupported);
    }
    done(ours.set_many((0..50).map(|n| (n.to_string(), n)), Ttl::NEVER).await);
    done(theirs.set("k", &1, Ttl::NEVER).await);
    done(ours.clear().await);
    holds(done(ours.get_many::<i32>((0..50).map(|n| n.to_string())).await).is_empty());
    holds(!done(ours.exists("7").await));
    holds(!done(ours.replace("7", &1, Ttl::NEVER).await));
    holds(done(ours.add("7", &8, Ttl::NEVER).await));
    equal(done(ours.incr("9", 1, Ttl::NEVER).await), 1);
    holds(!done(ours.delete("11").await));
    equal(done(ours.get::<i32>("7").await), Some(8));
    equal(done(theirs.get::<i32>("k").await), Some(1));
}

/// `delete_prefix` takes its text literally and counts; or says that it cannot.
#[maybe_async]
pub async fn delete_prefix_is_literal(subject: &Subject) {
    let cache = subject.cache();
    if !subject.lists_keys {
        return refused(cache.delete_prefix("a").await, ErrorKind::Unsupported);
    }
    done(cache.set_many([("a*b", 1), ("a*c", 2), ("axb", 3), ("b", 4)], Ttl::NEVER).await);
    equal(done(cache.delete_prefix("a*").await), 2);
    equal(done(cache.get_many::<i32>(["a*b", "a*c", "axb", "b"]).await).len(), 2);
    equal(done(cache.delete_prefix("").await), 2);
}

/// `delete_pattern` takes a glob within the prefix and counts; or says that it cannot.
#[maybe_async]
pub async fn delete_pattern_is_a_glob(subject: &Subject) {
    let (cache, other) = (subject.cache(), subject.cache());
    if !subject.lists_keys {
        return refused(cache.delete_pattern("a*").await, ErrorKind::Unsupported);
    }
    done(other.set("user:1:name", &0, Ttl::NEVER).await);
    let names = ["user:1:name", "user:2:name", "user:1:mail", "user:10:name", "page"];
    done(cache.set_many(names.map(|name| (name, 1)), Ttl::NEVER).await);
    equal(done(cache.delete_pattern("user:[^2]:name").await), 1);
    equal(done(cache.delete_pattern("user:?:*").await), 2);
    equal(done(cache.delete_pattern("*").await), 2);
    holds(done(other.exists("user:1:name").await));
}
