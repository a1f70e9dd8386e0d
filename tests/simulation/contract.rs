//! The promises of every backend, over the simulated servers: what the simulation rests on.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use lexigram_cache::aio::contract::{self, Subject};
use lexigram_cache::simulation::enter;
use lexigram_cache::{Memcached, Redis};
use tokio::runtime::Builder;

use crate::net::Knobs;
use crate::server::Server;
use crate::sim::{Sim, View};

/// Runs a promise on a server of its own.
fn keep(server: Box<dyn Server>, promise: fn() -> Pin<Box<dyn Future<Output = ()>>>) {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let sim = Sim::new(0, Knobs { delay: 1, ..Knobs::default() }, None, server);
        let _stay = enter(Rc::new(View(Arc::clone(&sim))));
        promise().await;
    });
}

/// One test per promise.
macro_rules! promises {
    (($server:expr, $subject:expr) $($promise:ident),*) => {
        $(
            #[test]
            fn $promise() {
                keep(Box::new($server), || Box::pin(async { contract::$promise(&$subject).await }));
            }
        )*
    };
}

mod redis {
    use super::*;
    lexigram_cache::for_each_promise!(
        promises,
        (
            crate::redis::Redis::new(None),
            Subject::new(Redis::builder("redis://0.contract.test:1").build().unwrap())
        )
    );
}

mod memcached {
    use super::*;
    lexigram_cache::for_each_promise!(
        promises,
        (crate::memcached::Memcached::new(None), {
            let memcached = Memcached::builder(["0.contract.test:1"]).build().unwrap();
            Subject::new(memcached).without_listing().without_clear().resolution(Duration::from_secs(1))
        })
    );
}

mod clearable_memcached {
    use super::*;
    lexigram_cache::for_each_promise!(
        promises,
        (crate::memcached::Memcached::new(None), {
            let memcached = Memcached::builder(["0.contract.test:1"]).clearable(true).build().unwrap();
            Subject::new(memcached).without_listing().with_own_keys().resolution(Duration::from_secs(1))
        })
    );
}
