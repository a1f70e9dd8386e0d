//! A forked child has copies of its parent's sockets, and must not speak on them.
#![cfg(all(unix, feature = "redis", feature = "memcached", feature = "async"))]

mod support;

use std::io::{Read, Write};
use std::ops::Range;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::exit;
use std::thread;
use std::time::Duration;

use fork::Fork;
use lexigram_cache::{BoxError, Cache, ErrorKind, LockStore, Redis, Released, Result, Ttl};
use support::{RedisServer, Remote, Wire, World, call, eventually};
use tokio::runtime::Builder;

const PATIENCE: Duration = Duration::from_secs(5);
const KEYS: u64 = 200;

struct Child {
    pid: i32,
}

impl Child {
    /// Runs `work` in a forked child, which then ends.
    fn fork(work: impl FnOnce()) -> Child {
        match fork::fork().expect("there is room for a process") {
            Fork::Parent(pid) => Child { pid },
            Fork::Child => {
                // Only this thread was copied: whatever happens, nothing of the test runner may go on here.
                let worked = catch_unwind(AssertUnwindSafe(work));
                exit(if worked.is_ok() { 0 } else { 7 });
            }
        }
    }

    /// Waits for the end; whether nothing panicked.
    fn ends_well(self) -> bool {
        fork::waitpid(self.pid).expect("it is our child") == 0
    }
}

fn key(n: u64) -> String {
    format!("key {n}")
}

fn fill(world: &World) {
    call!(world, cache => cache.set_many((0..KEYS).map(|n| (key(n), n)), Ttl::NEVER)).unwrap();
}

/// What a child does: tasks run on a runtime of its own, since it has no thread of its parent's.
fn read_and_write(world: &World, keys: Range<u64>) -> Result<()> {
    match world {
        World::Threads(cache) => {
            for n in keys {
                assert_eq!(cache.get::<u64>(key(n))?, Some(n));
            }
            cache.set("from the child", "v", Ttl::NEVER)
        }
        World::Tasks(cache) => Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            for n in keys {
                assert_eq!(cache.get::<u64>(key(n)).await?, Some(n));
            }
            cache.set("from the child", "v", Ttl::NEVER).await
        }),
    }
}

#[test]
fn a_child_and_its_parent_speak_on_connections_of_their_own() {
    Remote::each(|remote| {
        let wire = Wire::before(remote.addr());
        for world in remote.worlds_at(wire.addr(), 2, PATIENCE) {
            fill(&world);
            let before = wire.connections();
            let child = Child::fork(|| read_and_write(&world, 0..KEYS).unwrap());
            for n in (0..KEYS).rev() {
                let value = call!(&world, cache => cache.get::<u64>(key(n))).unwrap();
                assert_eq!(value, Some(n), "the parent was given another's value in {world:?}");
            }
            assert!(child.ends_well(), "the child was given another's value in {world:?}");
            let left = call!(&world, cache => cache.get::<String>("from the child")).unwrap();
            assert_eq!(left.as_deref(), Some("v"));
            assert_eq!(
                wire.connections(),
                before + 1,
                "the child dials; its end closes nothing of its parent's"
            );
        }
    });
}

#[test]
fn a_child_need_not_wait_for_connections_that_its_parent_uses() {
    Remote::each(|remote| {
        let wire = Wire::before(remote.addr());
        for world in remote.worlds_at(wire.addr(), 1, PATIENCE) {
            fill(&world);
            wire.take();
            wire.delay_replies(Duration::from_millis(100));
            thread::scope(|scope| {
                let user = scope.spawn(|| call!(&world, cache => cache.get::<u64>(key(1))));
                eventually("it is on its way", PATIENCE, || !wire.requests().is_empty());
                let child = Child::fork(|| read_and_write(&world, 0..1).unwrap());
                assert_eq!(user.join().unwrap().unwrap(), Some(1));
                assert!(child.ends_well(), "in {world:?}");
            });
            wire.delay_replies(Duration::ZERO);
        }
    });
}

#[test]
fn a_child_renews_the_leases_of_its_own_loads() {
    const LOCK: Duration = Duration::from_millis(600);
    let server = RedisServer::start();
    let cache = || {
        let redis = Redis::builder(server.url()).build().unwrap();
        Cache::builder().backend(redis).lock_ttl(LOCK).build().unwrap()
    };
    let (theirs, ours) = (cache(), cache());
    // The thread that renews is there when the child is made, and is not copied.
    theirs.get_or_compute("before", Ttl::NEVER, || Ok::<_, BoxError>(0_u64)).unwrap();
    let (mut told, mut tell) = UnixStream::pair().unwrap();
    let child = Child::fork(move || {
        let load = || {
            tell.write_all(b"!")?;
            // Only time shows whether a lease is renewed.
            thread::sleep(LOCK * 3);
            Ok::<_, BoxError>(1_u64)
        };
        assert_eq!(theirs.get_or_compute("slow", Ttl::NEVER, load).unwrap(), 1);
    });
    told.read_exact(&mut [0]).unwrap();
    let value = ours.get_or_compute("slow", Ttl::NEVER, || Ok::<_, BoxError>(2_u64)).unwrap();
    assert_eq!(value, 1, "the lease ended under the child's load");
    assert!(child.ends_well());
}

#[test]
fn a_child_neither_holds_nor_releases_the_locks_of_its_parent() {
    let server = RedisServer::start();
    let redis = Redis::builder(server.url()).build().unwrap();
    let locks = LockStore::new(&redis).unwrap();
    let ttl = Duration::from_millis(300);
    let mut guard = locks.try_acquire("k", ttl).unwrap();
    let child = Child::fork(|| {
        let guard = guard.take().unwrap();
        assert!(!guard.is_valid() && guard.remaining().is_zero());
        assert_eq!(guard.extend(ttl).unwrap_err().kind(), ErrorKind::NotOwned);
        assert_eq!(guard.release().unwrap(), Released::NotOwned);
        assert!(locks.try_acquire("k", ttl).unwrap().is_none(), "the parent has it");
        let own = locks.try_acquire("of the child", ttl).unwrap().unwrap();
        thread::park_timeout(2 * ttl);
        assert!(own.is_valid(), "the child renews its own");
        assert_eq!(own.release().unwrap(), Released::Released);
    });
    assert!(child.ends_well());
    let guard = guard.unwrap();
    assert!(guard.is_valid(), "the parent has renewed it meanwhile");
    assert_eq!(guard.release().unwrap(), Released::Released);
}
