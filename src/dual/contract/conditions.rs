//! Writes that depend on what is there, from many callers at once.

use super::{CROWD, Subject, done, equal, holds, maybe_async, rt};

use crate::ttl::Ttl;

/// `add` stores over nothing, and only then.
#[maybe_async]
pub async fn add_stores_only_over_nothing(subject: &Subject) {
    let cache = subject.cache();
    holds(done(cache.add("k", "first", Ttl::NEVER).await));
    holds(!done(cache.add("k", "second", Ttl::NEVER).await));
    equal(done(cache.get::<String>("k").await).as_deref(), Some("first"));
    done(cache.delete("k").await);
    holds(done(cache.add("k", "third", Ttl::NEVER).await));
}

/// Of many callers that add at once, one succeeds, and its value stays.
#[maybe_async]
pub async fn of_many_adds_one_wins(subject: &Subject) {
    let cache = subject.cache();
    let add = |caller: usize| {
        let cache = cache.clone();
        async move { done(cache.add("k", &caller, Ttl::NEVER).await).then_some(caller) }
    };
    let winners: Vec<usize> = rt::crowd(CROWD, add).await.into_iter().flatten().collect();
    assert_eq!(winners.len(), 1, "callers that added: {winners:?}");
    equal(done(cache.get::<usize>("k").await), winners.first().copied());
}

/// `replace` stores over a value, and only then.
#[maybe_async]
pub async fn replace_stores_only_over_a_value(subject: &Subject) {
    let cache = subject.cache();
    holds(!done(cache.replace("k", "first", Ttl::NEVER).await));
    holds(!done(cache.exists("k").await));
    done(cache.set("k", "second", Ttl::NEVER).await);
    holds(done(cache.replace("k", "third", Ttl::NEVER).await));
    equal(done(cache.get::<String>("k").await).as_deref(), Some("third"));
}

/// No `replace` brings back what is deleted beside it.
#[maybe_async]
pub async fn replace_never_resurrects(subject: &Subject) {
    let cache = subject.cache();
    for _ in 0..10 {
        done(cache.set("k", &0, Ttl::NEVER).await);
        let act = |caller: usize| {
            let cache = cache.clone();
            async move {
                match caller {
                    0 => done(cache.delete("k").await),
                    _ => done(cache.replace("k", &caller, Ttl::NEVER).await),
                }
            }
        };
        rt::crowd(CROWD, act).await;
        let resurrected = done(cache.exists("k").await);
        assert!(!resurrected, "a replace after the delete stored");
    }
}

/// `take` returns the value and leaves nothing.
#[maybe_async]
pub async fn take_returns_and_removes(subject: &Subject) {
    let cache = subject.cache();
    done(cache.set("k", "text", Ttl::NEVER).await);
    equal(done(cache.take::<String>("k").await).as_deref(), Some("text"));
    holds(!done(cache.exists("k").await));
}

/// Of many callers that take at once, one gets the value.
#[maybe_async]
pub async fn of_many_takes_one_gets_it(subject: &Subject) {
    let cache = subject.cache();
    for round in 0..5_u32 {
        done(cache.set("k", &round, Ttl::NEVER).await);
        let take = |_| {
            let cache = cache.clone();
            async move { done(cache.take::<u32>("k").await) }
        };
        let taken: Vec<u32> = rt::crowd(CROWD, take).await.into_iter().flatten().collect();
        assert_eq!(taken, [round]);
    }
}

/// `update` gets the value that is there, or `None`, and returns what it stored.
#[maybe_async]
pub async fn update_sees_what_is_there(subject: &Subject) {
    let cache = subject.cache();
    let append = |old: Option<String>| old.unwrap_or_default() + "x";
    equal(done(cache.update("k", Ttl::NEVER, append).await), "x");
    equal(done(cache.update("k", Ttl::NEVER, append).await), "xx");
    equal(done(cache.get::<String>("k").await).as_deref(), Some("xx"));
}

/// Of many callers that update at once, none is lost.
#[maybe_async]
pub async fn no_update_is_lost(subject: &Subject) {
    let cache = subject.cache();
    let update = |caller: usize| {
        let cache = cache.clone();
        async move {
            let insert = |old: Option<Vec<usize>>| {
                let mut callers = old.unwrap_or_default();
                callers.push(caller);
                callers
            };
            done(cache.update("k", Ttl::NEVER, insert).await);
        }
    };
    rt::crowd(CROWD, update).await;
    let mut callers = done(cache.get::<Vec<usize>>("k").await).unwrap_or_default();
    callers.sort_unstable();
    assert_eq!(callers, (0..CROWD).collect::<Vec<_>>());
}
