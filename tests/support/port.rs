use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::net::TcpStream;

/// A loopback port nobody listens on at this moment.
pub fn closed_port() -> u16 {
    (0..TRIES).map(|_| candidate()).find(|port| is_closed(*port)).expect("one of many loopback ports is free")
}

// Not tried by binding it: a process that another thread starts at that moment inherits the listener until its
// `exec`, and keeps the port open after we have closed it.
fn is_closed(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_err()
}

fn candidate() -> u16 {
    let spread = RandomState::new().build_hasher().finish();
    FIRST + (spread % u64::from(COUNT)) as u16
}

const TRIES: u32 = 1_000;

// Below the ports that systems hand out to outgoing connections (32768 and up on Linux, 49152 on macOS). A port from
// there, as `bind(":0")` gives it, can be taken by a client's socket while the server is down for a restart, and
// a client that dials it meanwhile can even be connected to itself.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;
