//! Locks beyond what every backend promises by `tests/contract.rs`: what the server shows of them, how they are lost, who
//! waits, and holders that stand still.
//!
//! `SOAK_LOCKS=1000` has 1,000 holders stand still past their time, and makes ten times as many acquisitions and looks; a
//! few by default.
#![cfg(all(feature = "testing", feature = "redis", feature = "memcached", feature = "async"))]

#[path = "locks/handover.rs"]
mod handover;
#[path = "locks/loss.rs"]
mod loss;
#[path = "locks/pauses.rs"]
mod pauses;
#[path = "locks/refused.rs"]
mod refused;
#[path = "locks/replicas.rs"]
mod replicas;
#[path = "contract/shelf.rs"]
mod shelf;
#[path = "locks/shown.rs"]
mod shown;
#[path = "locks/side.rs"]
mod side;
mod support;
#[path = "locks/waiting.rs"]
mod waiting;
#[path = "locks/wire.rs"]
mod wire;

use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);
const SOON: Duration = Duration::from_secs(10);
