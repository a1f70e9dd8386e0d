use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::server::{Program, Server};

pub type MemcachedServer = Server<Memcached>;

#[derive(Debug)]
pub struct Memcached;

impl Program for Memcached {
    const NAME: &'static str = "memcached";
    const INSTALL: &'static str = "`apt-get install memcached`, `brew install memcached`";
    const WHO_ARE_YOU: &'static str = "stats\r\n";

    fn arguments(port: u16, _: &Path) -> Vec<String> {
        let port = port.to_string();
        let mut arguments = vec!["-l", "127.0.0.1", "-p", &port, "-U", "0"];
        if is_root() {
            // It refuses to run as root without a user to become.
            arguments.extend(["-u", "nobody"]);
        }
        arguments.iter().map(ToString::to_string).collect()
    }

    fn is_answer(answer: &str, pid: u32) -> bool {
        answer.contains(&format!("STAT pid {pid}\r\n"))
    }

    fn url(addr: SocketAddr) -> String {
        addr.to_string()
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}
