//! State: what is kept is told, and writes that depend on it are one step.

use super::{CROWD, Subject, done, equal, holds, maybe_async, refused, rt};

use crate::error::ErrorKind;
use crate::ttl::{Remaining, Ttl};

/// State is read back by name, alone and together, and `None` is no state.
#[maybe_async]
pub async fn state_is_read_back(subject: &Subject) {
    let state = subject.state();
    equal(done(state.get::<String>("k").await), None);
    done(state.set("k", "text", Ttl::NEVER).await);
    done(state.set_many([("a", "1".to_owned()), ("b", "2".to_owned())], Ttl::NEVER).await);
    equal(done(state.get::<String>("k").await).as_deref(), Some("text"));
    let many = done(state.get_many::<String>(["a", "b", "a", "c"]).await);
    equal(many, [("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())].into());
    holds(done(state.delete("k").await));
    holds(!done(state.delete("k").await));
    holds(!done(state.exists("k").await));
}

/// Bytes that are no value of the type asked for are an error to every verb that reads them, and stay.
#[maybe_async]
pub async fn state_of_another_type_is_an_error(subject: &Subject) {
    let state = subject.state();
    done(state.set("k", "text", Ttl::NEVER).await);
    refused(state.get::<u64>("k").await, ErrorKind::Decode);
    refused(state.get_many::<u64>(["k", "other"]).await, ErrorKind::Decode);
    refused(state.update("k", Ttl::NEVER, |_: Option<u64>| Some(1)).await, ErrorKind::Decode);
    refused(state.compare_and_set("k", Some(&1_u64), &2, Ttl::NEVER).await, ErrorKind::Decode);
    equal(done(state.get::<String>("k").await).as_deref(), Some("text"));
}

/// State and the values of a cache of the same prefix do not see each other, nor does state of another namespace.
#[maybe_async]
pub async fn state_is_kept_apart(subject: &Subject) {
    let cache = subject.cache();
    let state = done(super::StateStore::new(&cache));
    let other = done(super::StateStore::new(super::StoreBase::from(&cache).namespace("other")));
    done(state.set("k", &1, Ttl::NEVER).await);
    equal(done(cache.get::<i32>("k").await), None);
    equal(done(other.get::<i32>("k").await), None);
    done(cache.set("k", &2, Ttl::NEVER).await);
    equal(done(state.get::<i32>("k").await), Some(1));
}

/// State ends with its lifetime, `expire` gives it a new one, and neither an empty name nor a lifetime of zero is taken.
#[maybe_async]
pub async fn state_has_a_lifetime(subject: &Subject) {
    let state = subject.state();
    done(state.set("short", &1, subject.short()).await);
    done(state.set("slid", &1, subject.short()).await);
    done(state.set("stays", &1, Ttl::DEFAULT).await);
    equal(done(state.ttl("stays").await), Some(Remaining::Never));
    let left = done(state.ttl("short").await);
    holds(matches!(left, Some(Remaining::For(left)) if left <= subject.short()));
    holds(done(state.expire("slid", subject.short() * 100).await));
    subject.expire().await;
    equal(done(state.get::<i32>("short").await), None);
    equal(done(state.ttl("short").await), None);
    holds(!done(state.expire("short", subject.short()).await));
    holds(!done(state.replace("short", &2, Ttl::NEVER).await));
    equal(done(state.get::<i32>("slid").await), Some(1));
    refused(state.set("", &1, Ttl::NEVER).await, ErrorKind::InvalidKey);
    refused(state.set("k", &1, std::time::Duration::ZERO).await, ErrorKind::InvalidTtl);
    refused(state.expire("k", std::time::Duration::ZERO).await, ErrorKind::InvalidTtl);
    refused(state.set_many([("k", 1), ("", 2)], Ttl::NEVER).await, ErrorKind::InvalidKey);
    holds(!done(state.exists("k").await));
}

/// `compare_and_set` stores over what was expected, be it nothing, and over nothing else.
#[maybe_async]
pub async fn compare_and_set_compares(subject: &Subject) {
    let state = subject.state();
    holds(!done(state.compare_and_set("k", Some(&1), &2, Ttl::NEVER).await));
    holds(!done(state.exists("k").await));
    holds(done(state.compare_and_set("k", None, &1, Ttl::NEVER).await));
    holds(!done(state.compare_and_set("k", None, &9, Ttl::NEVER).await));
    holds(!done(state.compare_and_set("k", Some(&9), &2, Ttl::NEVER).await));
    equal(done(state.get::<i32>("k").await), Some(1));
    holds(done(state.compare_and_set("k", Some(&1), &2, subject.short() * 100).await));
    equal(done(state.get::<i32>("k").await), Some(2));
    let left = done(state.ttl("k").await);
    holds(matches!(left, Some(Remaining::For(_))));
}

/// Of many callers that set from the same value at once, one succeeds, and its value stays.
#[maybe_async]
pub async fn of_many_compare_and_sets_one_wins(subject: &Subject) {
    let state = subject.state();
    for old in [None, Some(1_000)] {
        let set = |caller: usize| {
            let state = state.clone();
            async move {
                let set = state.compare_and_set("k", old.as_ref(), &caller, Ttl::NEVER).await;
                done(set).then_some(caller)
            }
        };
        let winners: Vec<usize> = rt::crowd(CROWD, set).await.into_iter().flatten().collect();
        assert_eq!(winners.len(), 1, "callers that set: {winners:?}");
        equal(done(state.get::<usize>("k").await), winners.first().copied());
        done(state.set("k", &1_000_usize, Ttl::NEVER).await);
    }
}

/// Of many callers that update state at once, none is lost; what becomes nothing is removed, by one of them.
#[maybe_async]
pub async fn no_update_of_state_is_lost(subject: &Subject) {
    let state = subject.state();
    let update = |_| {
        let state = state.clone();
        async move { done(state.update("k", Ttl::NEVER, |old| Some(old.unwrap_or(0) + 1)).await) }
    };
    let mut sums: Vec<usize> = rt::crowd(CROWD, update).await.into_iter().flatten().collect();
    sums.sort_unstable();
    assert_eq!(sums, (1..=CROWD).collect::<Vec<_>>());
    let count_down = |_| {
        let state = state.clone();
        async move {
            let less = |old: Option<usize>| old.filter(|old| *old > 1).map(|old| old - 1);
            done(state.update("k", Ttl::NEVER, less).await)
        }
    };
    let ended = rt::crowd(CROWD, count_down).await.into_iter().filter(Option::is_none).count();
    assert_eq!(ended, 1, "callers that saw it end");
    holds(!done(state.exists("k").await));
}

/// A session that is revoked stays revoked: no write over it that races with the revocation brings it back.
#[maybe_async]
pub async fn a_revoked_session_stays_revoked(subject: &Subject) {
    let state = subject.state();
    for _ in 0..10 {
        done(state.set("session", &0_usize, Ttl::NEVER).await);
        let act = |caller: usize| {
            let state = state.clone();
            async move {
                match caller % 4 {
                    _ if caller == 0 => holds(done(state.delete("session").await)),
                    0 => drop(done(state.replace("session", &caller, Ttl::NEVER).await)),
                    1 => drop(done(state.expire("session", Ttl::NEVER).await)),
                    2 => {
                        let seen = |old: Option<usize>| old.map(|_| caller);
                        done(state.update("session", Ttl::NEVER, seen).await);
                    }
                    _ => drop(done(state.compare_and_set("session", Some(&0), &caller, Ttl::NEVER).await)),
                }
            }
        };
        rt::crowd(CROWD, act).await;
        let resurrected = done(state.exists("session").await);
        assert!(!resurrected, "a write over a session that was revoked stored it again");
    }
}
