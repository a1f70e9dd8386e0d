//! A server of the bench's own.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A server on a free port of this machine, which ends with the bench.
pub struct Server {
    process: Child,
    address: String,
}

impl Server {
    /// It keeps nothing on disk.
    pub fn redis() -> Server {
        Server::start("redis-server", &["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port"])
    }

    pub fn memcached() -> Server {
        // One thread: of several, which one a connection falls to decides how far from it the caller runs.
        Server::start("memcached", &["--user", "nobody", "--threads", "1", "--listen", "127.0.0.1", "--port"])
    }

    fn start(program: &str, arguments: &[&str]) -> Server {
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|free| free.local_addr())
            .expect("a port is free")
            .port();
        let mut command = Command::new(program);
        command.args(arguments).arg(port.to_string()).stdout(Stdio::null());
        let process = command.spawn().unwrap_or_else(|error| panic!("{program}: {error}"));
        let server = Server { process, address: format!("127.0.0.1:{port}") };
        let start = Instant::now();
        while TcpStream::connect(&server.address).is_err() {
            assert!(start.elapsed() < Duration::from_secs(10), "{program} does not start");
            thread::sleep(Duration::from_millis(10));
        }
        server
    }

    /// `host:port`.
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
