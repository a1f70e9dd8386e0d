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
}

impl Socket {
    pub(super) fn plain(stream: impl Stream + 'static) -> Socket {
        Socket { stream: Box::new(stream), candid: true }
    }

    #[cfg(all(feature = "redis", feature = "tls"))]
    pub(super) fn encrypted(stream: impl Stream + 'static) -> Socket {
        Socket { stream: Box::new(stream), candid: false }
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
        let mut received = Vec::new();
        loop {
            self.read_some(&mut received)?;
            within_limit(&received, replies.limit())?;
            if replies.advance(&received)? {
                return replies.read(received);
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

    fn read_some(&mut self, received: &mut Vec<u8>) -> Result<()> {
        let length = received.len();
        // Doubling keeps a long reply at a few reads; the first read fits most replies.
        received.resize(length + length.clamp(FIRST_READ, LARGEST_READ), 0);
        let read = self.stream.read(&mut received[length..]);
        received.truncate(length + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => Err(io_error("receive", io::ErrorKind::UnexpectedEof.into())),
            Ok(_) => Ok(()),
            Err(error) => Err(io_error("receive", error)),
        }
    }
}

const FIRST_READ: usize = 4 * 1024;
const LARGEST_READ: usize = 1024 * 1024;
