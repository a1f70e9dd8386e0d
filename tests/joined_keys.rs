//! A key is the text that its prefix and its name join to: a cache without a prefix sees, in memory as on servers, what
//! one with a prefix wrote.
#![cfg(feature = "async")]

mod support;

use std::collections::HashSet;
use std::hash::RandomState;
use std::iter;

use lexigram_cache::{Error, ErrorKind, Memory, Ttl};
use support::{World, call, worlds};

/// Around what is found on a way of its own (8 to 16 bytes, `a:` included), what is kept in place (23), what is hashed at
/// once (128), and far beyond.
const LENGTHS: [usize; 20] =
    [1, 2, 5, 6, 14, 15, 17, 18, 19, 22, 23, 24, 40, 122, 123, 124, 128, 129, 500, 1_200];
const PREFIXES: [&str; 4] = ["a", "app", "a:b%", "a prefix of more than twenty-three bytes"];

/// Caches with each prefix, how it is written, and caches without one over the same memory.
fn pairs(memory: &Memory) -> impl Iterator<Item = ([World; 2], String, [World; 2])> {
    let long = "p".repeat(1_000);
    let prefixes = PREFIXES.map(ToOwned::to_owned).into_iter().chain(iter::once(long));
    prefixes.map(|raw| {
        let written = raw.replace('%', "%25").replace(':', "%3A") + ":";
        (worlds!(*memory, prefix(&raw)), written, worlds!(*memory))
    })
}

fn names() -> impl Iterator<Item = String> {
    let tail = |len: usize| "x".repeat(len - 1);
    LENGTHS.into_iter().flat_map(move |len| [format!("a{}", tail(len)), format!("{}b", tail(len))])
}

#[test]
fn a_cache_without_a_prefix_sees_what_one_with_a_prefix_wrote() {
    for memory in [Memory::default(), Memory::builder().hasher(RandomState::new()).build().unwrap()] {
        for (within, prefix, whole) in pairs(&memory) {
            for (n, name) in names().enumerate() {
                let (within, whole) = (&within[n % 2], &whole[n / 2 % 2]);
                let joined = format!("{prefix}{name}");
                call!(within, c => c.set(&name, &n, Ttl::NEVER)).unwrap();
                assert_eq!(call!(whole, c => c.get(&joined)).unwrap(), Some(n), "{joined}");
                assert_eq!(whole.compute(&joined, usize::MAX).unwrap(), n, "{joined}");
                assert!(!call!(whole, c => c.add(&joined, &0, Ttl::NEVER)).unwrap(), "{joined}");
                call!(whole, c => c.set(&joined, &(n + 1), Ttl::NEVER)).unwrap();
                assert_eq!(call!(within, c => c.get(&name)).unwrap(), Some(n + 1), "{joined}");
                assert!(call!(whole, c => c.delete(&joined)).unwrap(), "{joined}");
                assert!(!call!(within, c => c.exists(&name)).unwrap(), "{joined}");
            }
        }
    }
}

#[test]
fn all_lengths_are_keys_of_their_own_with_and_without_a_prefix() {
    let memory = Memory::default();
    let mut count = 0;
    for (within, prefix, whole) in pairs(&memory) {
        for (n, name) in names().enumerate() {
            call!(&within[n % 2], c => c.set(&name, &format!("{prefix}{name}"), Ttl::NEVER)).unwrap();
        }
        count += names().collect::<HashSet<_>>().len() as u64;
        assert_eq!(whole[0].stats().entries, Some(count));
    }
    for (within, prefix, whole) in pairs(&memory) {
        for (n, name) in names().enumerate() {
            let joined = format!("{prefix}{name}");
            let read = |world: &World, key: &str| call!(world, c => c.get::<String>(key)).unwrap();
            assert_eq!(read(&within[n % 2], &name).as_ref(), Some(&joined));
            assert_eq!(read(&whole[n % 2], &joined).as_ref(), Some(&joined));
            assert_eq!(read(&within[n % 2], &joined), None, "a prefix stands before it once");
            assert_eq!(read(&within[n % 2], &format!("{name}x{name}")), None);
        }
    }
}

#[test]
fn a_closed_cache_neither_shows_nor_replaces_what_is_at_hand_and_closes_no_other() {
    let memory = Memory::default();
    for (within, prefix, whole) in pairs(&memory) {
        for (n, name) in names().enumerate() {
            call!(&within[n % 2], c => c.set(&name, &n, Ttl::NEVER)).unwrap();
        }
        let open = worlds!(memory);
        whole.iter().for_each(|cache| call!(cache, c => c.close()));
        for (n, name) in names().enumerate() {
            let (closed, joined) = (&whole[n % 2], format!("{prefix}{name}"));
            let refused = [
                call!(closed, c => c.get::<usize>(&joined)).map(drop),
                call!(closed, c => c.get_arc::<usize>(&joined)).map(drop),
                call!(closed, c => c.get_with(&joined, |n: &usize| *n)).map(drop),
                call!(closed, c => c.set(&joined, &usize::MAX, Ttl::NEVER)),
                closed.compute(&joined, usize::MAX).map(drop),
            ];
            assert!(refused.iter().all(|call| call.as_ref().is_err_and(is_closed)), "{joined}: {refused:?}");
            assert_eq!(call!(&within[n % 2], c => c.get(&name)).unwrap(), Some(n), "{joined}");
            assert_eq!(call!(&open[n % 2], c => c.get(&joined)).unwrap(), Some(n), "{joined}");
        }
    }
}

fn is_closed(error: &Error) -> bool {
    error.kind() == ErrorKind::Closed
}

#[test]
fn a_removal_under_the_joined_key_beats_a_load_under_the_parts() {
    let long = "x".repeat(1_200);
    for name in ["x", &long] {
        let memory = Memory::default();
        let whole = lexigram_cache::Cache::builder().backend(memory.clone()).build().unwrap();
        let joined = format!("app:{name}");
        for within in worlds!(memory, prefix("app")) {
            let load = || {
                whole.delete(&joined)?;
                Ok::<_, Error>(1_u64)
            };
            assert_eq!(within.load(name, load).unwrap(), 1);
            assert!(!whole.exists(&joined).unwrap(), "what was loaded before the removal was not stored");
        }
    }
}

#[test]
fn a_namespace_is_cleared_by_its_joined_text_too() {
    for (within, prefix, whole) in pairs(&Memory::default()) {
        names().for_each(|name| call!(&within[0], c => c.set(&name, &1, Ttl::NEVER)).unwrap());
        call!(&whole[1], c => c.set("of nobody", &1, Ttl::NEVER)).unwrap();
        let there = call!(&whole[1], c => c.delete_prefix(&prefix)).unwrap();
        assert_eq!(there, names().collect::<HashSet<_>>().len() as u64);
        assert_eq!(whole[0].stats().entries, Some(1));
    }
}
