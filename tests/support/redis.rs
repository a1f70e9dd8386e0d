use std::net::SocketAddr;
use std::path::Path;

use super::server::{Program, Server};

pub type RedisServer = Server<Redis>;

#[derive(Debug)]
pub struct Redis;

impl Program for Redis {
    const NAME: &'static str = "redis-server";
    const INSTALL: &'static str = "`apt-get install redis-server`, `brew install redis`";
    const WHO_ARE_YOU: &'static str = "INFO server\r\n";

    fn arguments(port: u16, folder: &Path) -> Vec<String> {
        let (port, folder) = (port.to_string(), folder.display().to_string());
        let arguments = ["--port", &port, "--bind", "127.0.0.1", "--dir", &folder];
        // Nothing is kept on disk: a restarted server is an empty one.
        let nothing_kept = ["--save", "", "--appendonly", "no", "--daemonize", "no"];
        arguments.iter().chain(&nothing_kept).map(ToString::to_string).collect()
    }

    // A server that wants a password first tells nobody who it is.
    fn is_answer(answer: &str, pid: u32) -> bool {
        answer.contains(&format!("process_id:{pid}\r\n")) || answer.starts_with("-NOAUTH")
    }

    fn url(addr: SocketAddr) -> String {
        format!("redis://{addr}/0")
    }
}
