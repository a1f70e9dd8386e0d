//! Every promise of the contract, on every backend, for threads and for tasks.
#![cfg(all(feature = "testing", feature = "redis", feature = "memcached", feature = "async"))]

#[path = "contract/least.rs"]
mod least;
#[path = "contract/shelf.rs"]
mod shelf;
mod support;

use std::time::Duration;

use lexigram_cache::{Clock, Memcached, Memory, Redis, aio, testing};

/// One test per promise, run by a thread.
macro_rules! threads {
    (($subject:expr) $($promise:ident),*) => {
        $( #[test] fn $promise() { testing::contract::$promise(&$subject) } )*
    };
}

/// One test per promise, run by tasks.
macro_rules! tasks {
    (($subject:expr) $($promise:ident),*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() { aio::contract::$promise(&$subject).await }
        )*
    };
}

/// The same backend in both worlds.
macro_rules! both_worlds {
    ($name:ident, |$subject:ident| $make:expr) => {
        mod $name {
            mod threads {
                use super::super::*;
                use testing::contract::Subject as $subject;
                lexigram_cache::for_each_promise!(threads, ($make));
            }
            mod tasks {
                use super::super::*;
                use aio::contract::Subject as $subject;
                lexigram_cache::for_each_promise!(tasks, ($make));
            }
        }
    };
}
both_worlds!(memory, |Subject| {
    let clock = Clock::hand();
    Subject::new(Memory::builder().clock(clock.clone()).build().unwrap()).clock(clock)
});

both_worlds!(redis, |Subject| Subject::new(Redis::builder(support::redis().url()).build().unwrap()));

both_worlds!(redis_by_resp3, |Subject| {
    Subject::new(Redis::builder(support::redis().url()).resp3(true).build().unwrap())
});

both_worlds!(memcached, |Subject| {
    let memcached = Memcached::builder([support::memcached().url()]).build().unwrap();
    Subject::new(memcached).without_listing().without_clear().resolution(Duration::from_secs(1))
});

both_worlds!(clearable_memcached, |Subject| {
    let memcached = Memcached::builder([support::memcached().url()]).clearable(true).build().unwrap();
    Subject::new(memcached).without_listing().with_own_keys().resolution(Duration::from_secs(1))
});

both_worlds!(custom, |Subject| Subject::new(shelf::Shelf::default()));

/// The fake of each world is a type of its own.
mod fake {
    mod threads {
        use super::super::*;
        lexigram_cache::for_each_promise!(
            threads,
            ({
                let fake = testing::FakeCache::new();
                testing::contract::Subject::new(fake.backend()).clock(fake.clock().clone())
            })
        );
    }
    mod tasks {
        use super::super::*;
        lexigram_cache::for_each_promise!(
            tasks,
            ({
                let fake = aio::FakeCache::new();
                aio::contract::Subject::new(fake.backend()).clock(fake.clock().clone())
            })
        );
    }
}
