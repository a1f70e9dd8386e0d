//! Replies that are out of step with what was asked: whoever notices ends the connection for all who share it.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async"))]

mod support;

use std::time::Duration;

use lexigram_cache::Ttl;
use support::{RedisServer, Remote, Wire, World, block_on, call};

fn key(n: u64) -> String {
    format!("number {n}")
}

/// A cache of tasks on a server that holds ten numbers, behind a relay that gathers requests: what is asked at once is on
/// its way when the first reply comes.
fn shared_connection() -> (Remote, Wire, World) {
    let remote = Remote::Redis(RedisServer::start());
    let wire = Wire::before(remote.addr());
    let [_, world] = remote.worlds_at(wire.addr(), 2, Duration::from_secs(1));
    call!(&world, cache => cache.set_many((0..10).map(|n| (key(n), n)), Ttl::NEVER)).unwrap();
    (remote, wire, world)
}

fn all_are_right(world: &World) {
    for n in 0..10 {
        assert_eq!(call!(world, cache => cache.get::<u64>(key(n))).unwrap(), Some(n), "afterwards");
    }
}

#[test]
fn a_turned_bit_in_a_count_gives_no_task_the_value_of_another_key() {
    let (_remote, wire, world) = shared_connection();
    let World::Tasks(cache) = &world else { unreachable!("tasks are the second") };
    // `*5` becomes `*4`, and the fifth value looks like the next reply.
    wire.flip_bit_after(1, 0);
    let (batch, beside) =
        block_on(async { tokio::join!(cache.get_many::<u64>((0..5).map(key)), cache.get::<u64>(key(9))) });
    assert!(batch.is_err(), "{batch:?}");
    assert!(
        beside.as_ref().is_ok_and(|value| *value == Some(9)) || beside.is_err(),
        "{beside:?} under key 9"
    );
    all_are_right(&world);
}

#[test]
fn a_count_that_is_too_large_takes_no_other_tasks_reply() {
    let (_remote, wire, world) = shared_connection();
    let World::Tasks(cache) = &world else { unreachable!("tasks are the second") };
    // `*4` becomes `*5`, and the next reply looks like the fifth value.
    wire.flip_bit_after(1, 0);
    let (batch, one, other) = block_on(async {
        tokio::join!(
            cache.get_many::<u64>((0..4).map(key)),
            cache.get::<u64>(key(8)),
            cache.get::<u64>(key(9))
        )
    });
    assert!(batch.is_err(), "{batch:?}");
    for (n, value) in [(8, one), (9, other)] {
        assert!(
            value.as_ref().is_err() || value.as_ref().is_ok_and(|value| *value == Some(n)),
            "{value:?} under key {n}"
        );
    }
    all_are_right(&world);
}
