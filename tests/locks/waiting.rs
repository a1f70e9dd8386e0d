//! Who waits for a lock, how long, and in which order.

use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use lexigram_cache::{ErrorKind, Redis, Released, aio};

use super::shown::ask;
use super::side::{both, everywhere};
use super::support::{RedisServer, Wire, block_on, eventually, in_time};
use super::{LONG, SOON};

#[test]
fn a_wait_in_vain_ends_when_it_is_to() {
    everywhere("in vain", |locks| {
        let guard = locks.take("k", LONG);
        for wait in [Duration::ZERO, Duration::from_millis(200)] {
            let begun = Instant::now();
            assert_eq!(locks.acquire("k", LONG, wait).unwrap_err().kind(), ErrorKind::Timeout);
            assert!(begun.elapsed() >= wait && begun.elapsed() < wait + Duration::from_secs(1));
        }
        drop(guard);
        assert!(locks.acquire("k", LONG, SOON).unwrap().is_valid());
    });
}

#[test]
fn a_lock_whose_time_is_over_is_had_by_who_waits() {
    everywhere("over", |locks| {
        // Handed over to nobody: no guard renews it.
        let token = locks.take("k", Duration::from_millis(200)).into_token();
        let next = locks.acquire("k", LONG, SOON).unwrap();
        assert_ne!(next.token(), token);
    });
}

#[test]
fn who_came_first_has_the_lock_first() {
    everywhere("in order", |locks| {
        let guard = locks.take("k", LONG);
        let order = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for n in 0..6 {
                let order = &order;
                scope.spawn(move || {
                    let guard = locks.acquire("k", LONG, LONG).unwrap();
                    order.lock().unwrap().push(n);
                    guard.release().unwrap()
                });
                // Time enough to stand in the queue.
                thread::park_timeout(Duration::from_millis(50));
            }
            drop(guard);
        });
        assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3, 4, 5]);
    });
}

/// Of another process: both handles have queues of their own.
#[test]
fn redis_wakes_who_waits_in_another_process() {
    let server = RedisServer::start();
    let [here, there] = [(); 2].map(|()| Redis::builder(server.url()).build().unwrap());
    for (holder, waiter) in both!(here).into_iter().zip(both!(there)) {
        in_time("woken after", Duration::from_millis(4), || {
            let mut took: Vec<Duration> = (0..9)
                .map(|_| {
                    let guard = holder.take("k", LONG);
                    let waiting = thread::spawn({
                        let waiter = waiter.clone();
                        move || (waiter.acquire("k", LONG, SOON).unwrap(), Instant::now())
                    });
                    let blocked = || ask(&server, "INFO clients").contains("blocked_clients:1\r\n");
                    eventually("the waiter is kept waiting by the server", SOON, blocked);
                    let released = Instant::now();
                    assert_eq!(guard.release().unwrap(), Released::Released);
                    let (guard, woken) = waiting.join().unwrap();
                    drop(guard);
                    eventually("it is given back", SOON, || holder.is_free("k"));
                    woken - released
                })
                .collect();
            took.sort();
            took[took.len() / 2]
        });
    }
}

#[test]
fn who_waits_keeps_no_other_call_of_the_handle_waiting() {
    let server = RedisServer::start();
    let redis = Redis::builder(server.url()).pool_size(2).build().unwrap();
    for locks in both!(redis) {
        let held: Vec<_> = (0..5).map(|n| locks.take(&n.to_string(), LONG)).collect();
        thread::scope(|scope| {
            for n in 0..5 {
                let locks = locks.clone();
                scope.spawn(move || locks.acquire(&n.to_string(), LONG, LONG).unwrap().release().unwrap());
            }
            let blocked = || ask(&server, "INFO clients").contains("blocked_clients:1\r\n");
            eventually("one is kept waiting by the server, the others look", SOON, blocked);
            let begun = Instant::now();
            (0..100).for_each(|n| drop(locks.take(&format!("free {n}"), LONG)));
            assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
            drop(held);
        });
    }
}

/// A crowd of one process is one client to the server.
#[test]
fn only_the_first_who_waits_asks_the_server() {
    let server = RedisServer::start();
    let wire = Wire::prompt(server.addr());
    let redis = Redis::builder(format!("redis://{}/0", wire.addr())).pool_size(1).build().unwrap();
    for locks in both!(redis) {
        let guard = locks.take("k", LONG);
        let (wait, crowd) = (Duration::from_secs(1), 50);
        let calls = || {
            let stats = ask(&server, "INFO commandstats");
            let line = stats.lines().find_map(|line| line.strip_prefix("cmdstat_evalsha:calls=")).unwrap();
            line.split(',').next().unwrap().parse::<u64>().unwrap()
        };
        let before = calls();
        thread::scope(|scope| {
            for _ in 0..crowd {
                scope.spawn(|| assert!(locks.acquire("k", LONG, wait).is_err()));
            }
        });
        let looks = calls() - before;
        println!("{looks} looks of {crowd} who waited {wait:?}");
        assert!((10..=250).contains(&looks), "{looks}");
        drop(guard);
        eventually("it is given back", SOON, || locks.is_free("k"));
    }
}

#[test]
fn a_task_that_is_dropped_while_it_waits_leaves_its_place() {
    everywhere("dropped", |locks| {
        let super::side::Locks::Tasks(tasks) = locks else { return };
        let guard = locks.take("k", LONG);
        block_on(async {
            let waiting: Vec<_> = (0..20)
                .map(|_| {
                    let tasks = tasks.clone();
                    tokio::spawn(async move { tasks.acquire("k", LONG, LONG).await.map(drop) })
                })
                .collect();
            tokio::time::sleep(Duration::from_millis(100)).await;
            waiting.iter().for_each(tokio::task::JoinHandle::abort);
            for task in waiting {
                assert!(task.await.unwrap_err().is_cancelled());
            }
        });
        drop(guard);
        assert!(locks.acquire("k", LONG, SOON).unwrap().is_valid());
    });
}

/// Dropped at any of its steps, it leaves no lock behind.
#[test]
fn a_task_that_is_dropped_while_it_takes_a_lock_leaves_it_free() {
    everywhere("dropped taking", |locks| {
        let super::side::Locks::Tasks(tasks) = locks else { return };
        for step in 0..40_u64 {
            block_on(async {
                let take = async { drop(tasks.try_acquire("k", LONG).await) };
                let _ = tokio::time::timeout(Duration::from_micros(50 * step), take).await;
            });
            eventually("the lock is free", SOON, || locks.is_free("k"));
        }
    });
}

#[test]
fn a_semaphore_never_has_more_holders_than_permits() {
    everywhere("permits", |locks| {
        let (inside, most) = (Arc::new(Mutex::new(0)), 3);
        let all_wait = Barrier::new(8);
        let enter = || {
            all_wait.wait();
            for _ in 0..5 {
                let holder = permit(locks, most);
                *inside.lock().unwrap() += 1;
                assert!(*inside.lock().unwrap() <= most);
                thread::yield_now();
                *inside.lock().unwrap() -= 1;
                drop(holder);
            }
        };
        thread::scope(|scope| (0..8).for_each(|_| drop(scope.spawn(enter))));
    });
}

/// What is held while it is there.
enum Permit {
    Threads { _guard: lexigram_cache::LockGuard },
    Tasks { guard: Option<aio::LockGuard> },
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Permit::Tasks { guard } = self {
            let guard = guard.take();
            block_on(async move { drop(guard) });
        }
    }
}

fn permit(locks: &super::side::Locks, most: u32) -> Permit {
    use super::side::Locks;
    match locks {
        Locks::Threads(locks) => {
            Permit::Threads { _guard: locks.semaphore("k", most).unwrap().acquire(LONG, LONG).unwrap() }
        }
        Locks::Tasks(locks) => {
            let semaphore = locks.semaphore("k", most).unwrap();
            Permit::Tasks { guard: Some(block_on(semaphore.acquire(LONG, LONG)).unwrap()) }
        }
    }
}
