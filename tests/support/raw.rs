use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// What a foreign client gets for these bytes: the first piece of the answer.
pub fn ask_raw(addr: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(addr).expect("the server listens");
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = [0; 64 * 1024];
    let read = stream.read(&mut answer).expect("the server answers");
    String::from_utf8_lossy(&answer[..read]).into_owned()
}
