//! Rate limits: the same decisions on every backend, exact among processes, honest where the server is away.
//!
//! `SOAK_PERMITS` takes a number of steps of the recorded trace for a long run. What every backend has to keep is in the
//! contract (`tests/contract.rs`).
#![cfg(all(feature = "redis", feature = "memcached", feature = "async"))]

#[path = "limits/clocks.rs"]
mod clocks;
#[path = "limits/contended.rs"]
mod contended;
#[path = "limits/expected.rs"]
mod expected;
#[path = "limits/kept.rs"]
mod kept;
#[path = "limits/leased.rs"]
mod leased;
#[path = "limits/limiter.rs"]
mod limiter;
#[path = "limits/outage.rs"]
mod outage;
#[path = "limits/processes.rs"]
mod processes;
#[path = "contract/shelf.rs"]
mod shelf;
mod support;
#[path = "limits/trace.rs"]
mod trace;
#[path = "limits/waiting.rs"]
mod waiting;
