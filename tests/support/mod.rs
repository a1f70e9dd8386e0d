//! What the integration tests stand on: real servers on free loopback ports, a relay that sees and disturbs
//! the wire, and a count of allocations. A test binary takes it in with `mod support;`.
//!
//! No server outlives its test process, however that ends: see `watched`.

// Every test binary compiles the whole folder and uses a part of it.
#![allow(dead_code, unused_imports, unused_macros)]

mod allocations;
mod cluster;
mod eventually;
mod heard;
#[cfg(feature = "async")]
mod loads;
mod measure;
mod memcached;
#[cfg(all(feature = "redis", feature = "memcached", feature = "async"))]
mod pair;
#[cfg(all(feature = "redis", feature = "memcached", feature = "async"))]
mod place;
mod port;
mod process;
mod random;
mod raw;
mod redis;
#[cfg(all(feature = "redis", feature = "memcached", feature = "async"))]
mod remote;
mod sentinel;
#[cfg(all(feature = "redis", feature = "memcached", feature = "async"))]
mod served;
mod server;
mod shared;
#[cfg(all(feature = "redis", feature = "async", feature = "testing"))]
mod sides;
pub mod signals;
mod status;
mod watched;
mod wire;
#[cfg(feature = "async")]
mod worlds;

pub use allocations::allocations;
pub use cluster::RedisCluster;
pub use eventually::{eventually, poll};
pub use heard::{Heard, Trouble};
pub use measure::{in_time, soak};
pub use memcached::MemcachedServer;
#[cfg(all(feature = "redis", feature = "memcached", feature = "async"))]
pub(crate) use pair::{Kind, Pair, elsewhere, pairs, side_by_side};
#[cfg(all(feature = "redis", feature = "memcached", feature = "async"))]
pub(crate) use place::worlds_at;
#[cfg(all(feature = "redis", feature = "memcached", feature = "async"))]
pub use place::{Backing, Place};
pub use port::closed_port;
pub use process::{Parent, Process};
pub use random::Random;
pub use raw::{ask_raw, try_raw};
pub use redis::{Redis, RedisServer};
#[cfg(all(feature = "redis", feature = "memcached", feature = "async"))]
pub use remote::Remote;
pub use sentinel::{Sentinel, SentinelServer, WatchedRedis};
#[cfg(all(feature = "redis", feature = "memcached", feature = "async"))]
pub use served::with_server;
pub use server::{Program, Server};
pub use shared::{memcached, redis};
#[cfg(all(feature = "redis", feature = "async", feature = "testing"))]
pub(crate) use sides::{Side, ask, sides, soon};
pub use status::of_this_process;
pub use wire::{Exchange, Wire};
#[cfg(feature = "async")]
pub(crate) use worlds::{World, block_on, call, worlds};
