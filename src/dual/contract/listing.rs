//! Walking over keys.

use super::{Cache, Subject, done, equal, holds, maybe_async, refused};

use std::collections::HashSet;
use std::io;

use crate::error::ErrorKind;
use crate::ttl::Ttl;

/// A walk meets every key of its cache and prefix as it was given, and no other; or says that it cannot.
#[maybe_async]
pub async fn keys_are_listed_as_they_were_given(subject: &Subject) {
    let (cache, other) = (subject.cache(), subject.cache());
    done(other.set("theirs", &1, Ttl::NEVER).await);
    if !subject.lists_keys {
        return refused(cache.keys("*").next_key().await, ErrorKind::Unsupported);
    }
    equal(listed(&cache, "*").await, HashSet::new());
    let hostile = ["k\r\nset x 0", "ключ", "🔑", " ", "\0", "%", ":", "c:d", "*", "[a]", "%3A", "a b"];
    let mut names: HashSet<String> = hostile.map(Into::into).into();
    names.extend((0..2_500).map(|number| format!("k{number}")));
    done(cache.set_many(names.iter().map(|name| (name, 1)), Ttl::NEVER).await);
    equal(listed(&cache, "*").await, names);
    equal(listed(&cache, "k77[0-3]").await, ["k770", "k771", "k772", "k773"].map(Into::into).into());
    equal(listed(&cache, "[*]").await, ["*".to_owned()].into());
    let mut keys = cache.keys("none*");
    while let Some(page) = done(keys.next_page().await) {
        holds(page.is_empty());
    }
    equal(done(keys.next_page().await), None);
    equal(done(keys.next_key().await), None);
}

/// A walk meets values only: nothing that has expired, nor a key that is being loaded.
#[maybe_async]
pub async fn only_values_are_listed(subject: &Subject) {
    if !subject.lists_keys {
        return;
    }
    let cache = subject.cache();
    done(cache.set("kept", &1, Ttl::NEVER).await);
    done(cache.set("short", &1, subject.short()).await);
    subject.expire().await;
    let seen = cache.clone();
    let load = move || async move { Ok::<_, io::Error>(listed(&seen, "*").await.len()) };
    equal(done(cache.get_or_compute("loading", Ttl::NEVER, load).await), 1);
    equal(listed(&cache, "*").await, ["kept", "loading"].map(Into::into).into());
}

#[maybe_async]
async fn listed(cache: &Cache, glob: &str) -> HashSet<String> {
    let (mut keys, mut names) = (cache.keys(glob), HashSet::new());
    while let Some(name) = done(keys.next_key().await) {
        names.insert(name);
    }
    names
}
