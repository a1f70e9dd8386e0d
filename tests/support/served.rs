use super::{Backing, MemcachedServer, Parent, Place, Process, RedisServer};

/// A test of several processes on one fresh server of this kind: `first` runs in the process that was started as the
/// test, `part` in those that it starts by [`Process::at`], with what they are given.
pub fn with_server(kind: Backing, part: impl FnOnce(&Parent, Place, &str), first: impl FnOnce(Place)) {
    if let Some(parent) = Parent::find() {
        let [kind, addr, given] = parent.given().splitn(3, ' ').collect::<Vec<_>>()[..] else {
            panic!("not given by a first process: {parent:?}")
        };
        return part(&parent, format!("{kind} {addr}").parse().unwrap(), given);
    }
    if kind == Backing::Redis {
        let server = RedisServer::start();
        return first(Place { kind, addr: server.addr() });
    }
    let server = MemcachedServer::start();
    first(Place { kind, addr: server.addr() });
}

impl Process {
    /// A process of the test of this name, which has told that it is ready.
    pub fn at(place: Place, test: &str, given: &str) -> Process {
        let mut process = Process::start(test, &format!("{place} {given}"));
        assert_eq!(process.hear(), READY);
        process
    }
}

impl Parent {
    /// Tells that this process is ready, and returns the first order.
    pub fn ready(&self) -> String {
        self.tell(READY);
        self.hear()
    }
}

const READY: &str = "ready";
