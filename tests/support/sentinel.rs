use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use super::server::{Program, Server};
use super::{RedisServer, ask_raw, eventually};

pub type SentinelServer = Server<Sentinel>;

#[derive(Debug)]
pub struct Sentinel;

impl Program for Sentinel {
    const NAME: &'static str = "redis-server";
    const INSTALL: &'static str = "`apt-get install redis-server`, `brew install redis`";
    const WHO_ARE_YOU: &'static str = "INFO server\r\n";

    fn arguments(port: u16, folder: &Path) -> Vec<String> {
        // It writes down there what it learns, and will not start without.
        let file = folder.join("sentinel.conf");
        fs::write(&file, "").expect("the server's folder can be written to");
        let (port, file, folder) =
            (port.to_string(), file.display().to_string(), folder.display().to_string());
        let arguments = [&file, "--sentinel", "--port", &port, "--bind", "127.0.0.1", "--dir", &folder];
        arguments.iter().map(ToString::to_string).collect()
    }

    fn is_answer(answer: &str, pid: u32) -> bool {
        answer.contains(&format!("process_id:{pid}\r\n")) || answer.starts_with("-NOAUTH")
    }

    fn url(addr: SocketAddr) -> String {
        format!("redis://{addr}/0")
    }
}

impl SentinelServer {
    /// Has it watch a master, which it takes for lost after so long.
    pub fn watch(&self, name: &str, master: &RedisServer, quorum: u32, lost_after: Duration) {
        let answer = ask_raw(
            self.addr(),
            format!("SENTINEL MONITOR {name} 127.0.0.1 {} {quorum}\r\n", master.port()).as_bytes(),
        );
        assert_eq!(answer, "+OK\r\n");
        let millis = lost_after.as_millis();
        for setting in [format!("down-after-milliseconds {millis}"), "failover-timeout 3000".to_owned()] {
            let answer = ask_raw(self.addr(), format!("SENTINEL SET {name} {setting}\r\n").as_bytes());
            assert_eq!(answer, "+OK\r\n");
        }
    }
}

/// A master and its replica, watched by three sentinels, two of which must agree that the master is lost.
#[derive(Debug)]
pub struct WatchedRedis {
    pub master: RedisServer,
    pub replica: RedisServer,
    pub sentinels: Vec<SentinelServer>,
}

impl WatchedRedis {
    pub fn start() -> WatchedRedis {
        let at_once = ["--repl-diskless-sync-delay", "0"];
        let master = RedisServer::start_with(&at_once);
        let port = master.port().to_string();
        let replica = RedisServer::start_with(&[&at_once[..], &["--replicaof", "127.0.0.1", &port]].concat());
        eventually("the replica is linked", PATIENCE, || {
            ask_raw(replica.addr(), b"INFO replication\r\n").contains("master_link_status:up")
        });
        let sentinels: Vec<_> = (0..3).map(|_| SentinelServer::start()).collect();
        for sentinel in &sentinels {
            sentinel.watch(NAME, &master, 2, Duration::from_millis(500));
        }
        eventually("the sentinels know each other and the replica", PATIENCE, || {
            sentinels.iter().all(|sentinel| {
                let known = ask_raw(sentinel.addr(), format!("SENTINEL MASTER {NAME}\r\n").as_bytes());
                let is = |field: &str, value: &str| {
                    known.contains(&format!("{field}\r\n${}\r\n{value}\r\n", value.len()))
                };
                is("num-slaves", "1") && is("num-other-sentinels", "2") && is("flags", "master")
            })
        });
        WatchedRedis { master, replica, sentinels }
    }
}

const NAME: &str = "mymaster";
const PATIENCE: Duration = Duration::from_secs(20);
