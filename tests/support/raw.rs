use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// What a foreign client gets for these bytes: the first piece of the answer.
pub fn ask_raw(addr: SocketAddr, request: &[u8]) -> String {
    try_raw(addr, request).expect("the server answers")
}

/// The same of a server that may be away, or throw its clients out.
pub fn try_raw(addr: SocketAddr, request: &[u8]) -> io::Result<String> {
    let mut stream = TcpStream::connect(addr)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(request)?;
    let mut answer = [0; 64 * 1024];
    // A process that stood still finds its wait interrupted.
    let read = loop {
        match stream.read(&mut answer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => break read?,
        }
    };
    Ok(String::from_utf8_lossy(&answer[..read]).into_owned())
}
