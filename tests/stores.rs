//! State and secrets on every backend, for threads and for tasks. What every backend keeps of state is in the contract;
//! here is what needs a server, another process's eyes or the key ring.
#![cfg(all(
    feature = "encryption",
    feature = "testing",
    feature = "redis",
    feature = "memcached",
    feature = "async",
    feature = "json",
    feature = "postcard",
    feature = "compress",
    feature = "yaml"
))]

#[path = "stores/bench.rs"]
mod bench;
#[path = "stores/canary.rs"]
mod canary;
#[path = "stores/costs.rs"]
mod costs;
#[path = "stores/hindered.rs"]
mod hindered;
#[path = "stores/keys.rs"]
mod keys;
#[path = "stores/rotation.rs"]
mod rotation;
#[path = "stores/secrets.rs"]
mod secrets;
#[path = "stores/sessions.rs"]
mod sessions;
#[path = "stores/setting.rs"]
mod setting;
#[path = "contract/shelf.rs"]
mod shelf;
mod support;
#[path = "stores/tampering.rs"]
mod tampering;
#[path = "stores/trouble.rs"]
mod trouble;
