//! One request at a time over a stream, each within the deadline of its call.

use std::io;

use super::super::fault::{Fault, io_error};
use super::stream::Stream;
use crate::deadline::Deadline;
use crate::error::Result;
use crate::wire::{Replies, within_limit};

pub(super) struct Socket {
    stream: Box<dyn Stream>,
    /// Whether a failed write tells how much had left; TLS buffers and does not.
    candid: bool,
    /// What replies are read into, kept from one to the next so that none has it allocated and zeroed anew.
    buffer: Vec<u8>,
}

impl Socket {
    pub(super) fn plain(stream: impl Stream + 'static) -> Socket {
        Socket { stream: Box::new(stream), candid: true, buffer: Vec::new() }
    }

    #[cfg(all(feature = "redis", feature = "tls"))]
    pub(super) fn encrypted(stream: impl Stream + 'static) -> Socket {
        Socket { candid: false, ..Socket::plain(stream) }
    }

    /// Sends a request, and says how much of it left if it did not all leave.
    pub(super) fn send(&mut self, mut request: &[u8], deadline: Deadline) -> Result<(), Fault> {
        self.stream.set_deadline(deadline);
        let mut sent = !self.candid;
        while !request.is_empty() {
            match self.write_some(request) {
                Ok(written) => request = &request[written..],
                Err(error) => return Err(Fault { sent, ..Fault::unsent(error) }),
            }
            sent = true;
        }
        Ok(())
    }

    /// Receives all replies of the request that was sent.
    pub(super) fn receive<R: Replies>(&mut self, mut replies: R, deadline: Deadline) -> Result<R::Output> {
        self.stream.set_deadline(deadline);
        let mut length = 0;
        loop {
            length += self.read_some(length)?;
            let received = &self.buffer[..length];
            within_limit(received, replies.limit())?;
            if replies.advance(received)? {
                let output = replies.read(received);
                self.give_back();
                return output;
            }
        }
    }

    /// Whether an idle connection is fit for use: open, and with nothing to read, since nothing was asked.
    pub(super) fn is_quiet(&mut self) -> bool {
        let quiet = self.stream.set_patient(false).is_ok()
            && matches!(self.stream.read(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        quiet && self.stream.set_patient(true).is_ok()
    }

    fn write_some(&mut self, request: &[u8]) -> Result<usize> {
        match self.stream.write(request) {
            Ok(0) => Err(io_error("send", io::ErrorKind::WriteZero.into())),
            Ok(written) => Ok(written),
            Err(error) => Err(io_error("send", error)),
        }
    }

    /// Reads what comes behind so many bytes that have come.
    fn read_some(&mut self, length: usize) -> Result<usize> {
        if length == self.buffer.len() {
            // Doubling keeps a long reply at a few reads; the first read fits most replies.
            self.buffer.resize(length + length.clamp(FIRST_READ, LARGEST_READ), 0);
        }
        match self.stream.read(&mut self.buffer[length..]) {
            Ok(0) => Err(io_error("receive", io::ErrorKind::UnexpectedEof.into())),
            Ok(read) => Ok(read),
            Err(error) => Err(io_error("receive", error)),
        }
    }

    /// Keeps what most replies need.
    fn give_back(&mut self) {
        self.buffer.truncate(FIRST_READ);
        self.buffer.shrink_to(FIRST_READ);
    }
}

const FIRST_READ: usize = 16 * 1024;
const LARGEST_READ: usize = 1024 * 1024;
