//! Tasks whose runtime ends under them, and futures that run on none.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async"))]

mod support;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use lexigram_cache::{BoxError, ErrorKind, Memory, Redis, Result, Ttl, aio};
use support::{RedisServer, Remote, Wire, World, eventually};
use tokio::runtime::{Builder, Runtime};

const PATIENCE: Duration = Duration::from_secs(20);

/// Each kind of runtime there is.
fn runtimes() -> [Runtime; 2] {
    [
        Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap(),
        // Driven by whoever blocks on it.
        Builder::new_current_thread().enable_all().build().unwrap(),
    ]
}

/// Waits for `call` on a thread of its own; tells what became of it.
fn waiting<R: Send + 'static>(
    runtime: &Runtime,
    call: impl Future<Output = Result<R>> + Send + 'static,
) -> Receiver<Result<R>> {
    let handle = runtime.handle().clone();
    let (told, heard) = mpsc::channel();
    thread::spawn(move || told.send(handle.block_on(call)));
    heard
}

fn ends_as_closed<R: std::fmt::Debug>(runtime: Runtime, heard: &Receiver<Result<R>>) {
    let start = Instant::now();
    runtime.shutdown_background();
    let error = heard.recv_timeout(PATIENCE).expect("it does not panic").unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(error.kind(), ErrorKind::Closed, "{error:?}");
    assert!(error.to_string().contains("runtime"), "{error}");
}

#[test]
fn a_call_that_waits_for_a_server_ends_with_its_runtime() {
    Remote::each(|remote| {
        let wire = Wire::before(remote.addr());
        let [_, world] = remote.worlds_at(wire.addr(), 2, PATIENCE);
        let World::Tasks(cache) = world else { unreachable!("tasks are the second world") };
        // A runtime of one thread moves no bytes for who waits on another thread.
        let [runtime, _] = runtimes();
        wire.blackhole(true);
        let heard = waiting(&runtime, async move { cache.get::<u64>("k").await });
        eventually("it is on its way", PATIENCE, || !wire.requests().is_empty());
        ends_as_closed(runtime, &heard);
    });
}

#[test]
fn a_call_that_waits_for_the_load_of_another_ends_with_its_runtime() {
    for runtime in runtimes() {
        let memory = Memory::builder().build().unwrap();
        let cache = aio::Cache::builder().backend(memory.clone()).build().unwrap();
        let threads = lexigram_cache::Cache::builder().backend(memory).build().unwrap();
        let (begun, begins) = mpsc::channel();
        let (end, ends) = mpsc::channel::<()>();
        let loader = thread::spawn(move || {
            threads.get_or_compute("k", Ttl::NEVER, || {
                begun.send(()).unwrap();
                let _ = ends.recv();
                Ok::<_, BoxError>(1_u64)
            })
        });
        begins.recv().unwrap();
        let (follows, followed) = (cache.clone(), mpsc::channel());
        let heard = waiting(&runtime, async move {
            let wait = follows.get_or_compute("k", Ttl::NEVER, async || Ok::<_, BoxError>(2_u64));
            let mut wait = pin!(wait);
            std::future::poll_fn(|context| {
                let poll = wait.as_mut().poll(context);
                let _ = followed.0.send(poll.is_pending());
                poll
            })
            .await
        });
        assert!(followed.1.recv_timeout(PATIENCE).unwrap(), "it follows");
        ends_as_closed(runtime, &heard);
        drop(end);
        assert_eq!(loader.join().unwrap().unwrap(), 1, "who loads is not disturbed");
    }
}

#[test]
fn a_cache_is_used_from_the_next_runtime_when_one_has_ended() {
    Remote::each(|remote| {
        let [_, world] = remote.worlds(PATIENCE);
        let World::Tasks(cache) = world else { unreachable!("tasks are the second world") };
        for (round, runtime) in runtimes().into_iter().chain(runtimes()).enumerate() {
            runtime.block_on(cache.set("round", &round, Ttl::NEVER)).unwrap();
            assert_eq!(runtime.block_on(cache.get::<usize>("round")).unwrap(), Some(round));
        }
    });
}

#[test]
fn a_runtime_that_stands_still_while_it_dials_holds_up_no_other() {
    let server = RedisServer::start();
    let wire = Wire::before(server.addr());
    let redis = Redis::builder(format!("redis://{}", wire.addr())).build().unwrap();
    let cache = aio::Cache::builder().backend(redis).timeout(PATIENCE).build().unwrap();
    let [other, standing] = runtimes();
    wire.blackhole(true);
    let dialling = cache.clone();
    standing.block_on(async {
        tokio::spawn(async move { dialling.get::<u64>("k").await });
        while wire.requests().is_empty() {
            tokio::task::yield_now().await;
        }
    });
    // Nobody drives it any more.
    wire.blackhole(false);
    let start = Instant::now();
    assert_eq!(other.block_on(cache.get::<u64>("k")).unwrap(), None);
    assert!(start.elapsed() < PATIENCE / 2, "{:?}", start.elapsed());
}

/// Runs a future without tokio.
fn foreign<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn outside_a_runtime_a_server_is_out_of_reach_and_nothing_panics() {
    Remote::each(|remote| {
        let [_, world] = remote.worlds(PATIENCE);
        let World::Tasks(cache) = world else { unreachable!("tasks are the second world") };
        let errors = [
            foreign(cache.get::<u64>("k")).unwrap_err(),
            foreign(cache.set("k", &1_u64, Ttl::NEVER)).unwrap_err(),
            foreign(cache.get_or_compute("k", Ttl::NEVER, async || Ok::<_, BoxError>(1_u64))).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{error:?}");
            assert!(error.to_string().contains("tokio runtime"), "{error}");
        }
        assert_eq!(foreign(cache.health()).status, aio::Status::Down);
    });
}

#[test]
fn outside_a_runtime_memory_works() {
    let cache = aio::Cache::memory();
    foreign(cache.set("k", "v", Ttl::NEVER)).unwrap();
    assert_eq!(foreign(cache.get::<String>("k")).unwrap().as_deref(), Some("v"));
    let loaded = foreign(cache.get_or_compute("n", Ttl::NEVER, async || Ok::<_, BoxError>(1_u64)));
    assert_eq!(loaded.unwrap(), 1);
    foreign(cache.close());
}
