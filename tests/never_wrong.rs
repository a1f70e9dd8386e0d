//! Never a wrong value: many callers over a relay that delays, drops, resets and cuts, on a server that is killed, with
//! calls that are dropped half way. Every value names its key.
//!
//! Some twenty thousand reads by default; `SOAK_READS=1000000` makes as many, over both servers and both worlds.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async", feature = "postcard"))]

#[path = "never_wrong/callers.rs"]
mod callers;
#[path = "never_wrong/trouble.rs"]
mod trouble;

mod support;

use std::thread;
use std::time::{Duration, Instant};

use callers::{Account, call_at_random};
use lexigram_cache::{Format, Memcached, Redis};
use support::{Backing, Remote, Wire, World, soak, worlds};
use trouble::{Trouble, make_trouble};

/// Short, so that what the relay holds back comes too late.
const TIMEOUT: Duration = Duration::from_millis(60);
const CALLERS: usize = 12;
const POOL: u32 = 6;

/// A cache of this world on this wire.
fn world_at(kind: Backing, wire: &Wire, nth: usize, format: Format) -> World {
    let addr = wire.addr();
    let worlds = match kind {
        Backing::Redis => {
            let redis =
                Redis::builder(format!("redis://{addr}/0")).pool_size(POOL).breaker(None).build().unwrap();
            worlds!(redis, prefix("app"), timeout(TIMEOUT), max_wait(TIMEOUT), format(format.clone()))
        }
        _ => {
            let memcached =
                Memcached::builder([addr.to_string()]).pool_size(POOL).breaker(None).build().unwrap();
            worlds!(memcached, prefix("app"), timeout(TIMEOUT), max_wait(TIMEOUT), format(format.clone()))
        }
    };
    worlds[nth].clone()
}

/// So many reads under this trouble, on a server of their own.
fn read_in_trouble(kind: Backing, nth: usize, format: Format, trouble: &[Trouble], reads: u64) {
    let remote = Remote::start(kind);
    let wire = Wire::prompt(remote.addr());
    let world = world_at(kind, &wire, nth, format);
    let (account, start) = (Account::new(reads), Instant::now());
    let troubled = thread::scope(|scope| {
        // Ends the trouble too where a caller panics.
        let callers: Vec<_> =
            (0..CALLERS).map(|_| scope.spawn(|| call_at_random(&world, &account))).collect();
        let maker = scope.spawn(|| make_trouble(&remote, &wire, trouble, &account));
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        maker.join().unwrap()
    });
    println!("{} {world:?}: {account:?} in {:?}, {troubled} troubles", remote.name(), start.elapsed());
    account.assert_right();
    // A turned bit can look like any error of the server.
    if !trouble.contains(&Trouble::Flip) {
        account.assert_honest();
    }
}

/// A kind of server, and the world of threads or of tasks.
const WORLDS: [(Backing, usize); 4] =
    [(Backing::Redis, 0), (Backing::Memcached, 0), (Backing::Memcached, 1), (Backing::Redis, 1)];

/// So many reads in all, an equal part of them in each of these.
fn read_in_each(worlds: &[(Backing, usize)], format: &Format, trouble: &[Trouble], reads: u64) {
    thread::scope(|scope| {
        for (kind, nth) in worlds {
            scope
                .spawn(|| read_in_trouble(*kind, *nth, format.clone(), trouble, reads / worlds.len() as u64));
        }
    });
}

#[test]
fn no_read_gets_the_value_of_another_key_in_any_trouble() {
    let trouble = [
        Trouble::Late,
        Trouble::Late,
        Trouble::Late,
        Trouble::Reset,
        Trouble::Reset,
        Trouble::Cut,
        Trouble::Swallow,
        Trouble::Swallow,
        Trouble::Trickle,
        Trouble::Interrupt,
        Trouble::Refuse,
        Trouble::Kill,
    ];
    read_in_each(&WORLDS, &Format::Json, &trouble, soak("SOAK_READS", 16_000));
}

/// Where callers share a connection, as tasks do on Redis, a length can be turned into one that ends just where the next
/// reply does; nothing in the protocol tells. `shifted_replies` has what can be told there.
#[test]
fn a_turned_bit_is_never_a_wrong_value_on_a_connection_of_one_caller() {
    let trouble = [Trouble::Flip, Trouble::Flip, Trouble::Flip, Trouble::Late, Trouble::Reset];
    read_in_each(&WORLDS[..3], &Format::Postcard, &trouble, soak("SOAK_READS", 16_000) / 2);
}
