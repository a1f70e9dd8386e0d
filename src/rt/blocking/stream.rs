//! A stream on which every system call ends by the deadline that was set.

use std::io::{self, Read, Write};
use std::net::TcpStream;
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::deadline::Deadline;

/// A stream to a server, bounded as a whole: TLS reads many times for one answer, so the deadline has to be
/// known where the system is called, not above.
pub(super) trait Stream: Read + Write + Send {
    /// Bounds everything from now on.
    fn set_deadline(&mut self, deadline: Deadline);
    /// Whether to wait for bytes at all.
    fn set_patient(&mut self, patient: bool) -> io::Result<()>;
}

/// What the system offers to bound a call.
pub(super) trait Raw: Read + Write + Send {
    fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()>;
    fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()>;
    fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()>;
}

/// A socket that looks at the deadline before each system call.
pub(super) struct Armed<S> {
    raw: S,
    deadline: Deadline,
    patient: bool,
}

impl<S: Raw> Armed<S> {
    pub(super) fn new(raw: S, deadline: Deadline) -> Armed<S> {
        Armed { raw, deadline, patient: true }
    }

    /// Repeats a call that was bounded by `arm` until it has an answer or the deadline has passed.
    fn bounded(
        &mut self,
        arm: impl Fn(&S, Option<Duration>) -> io::Result<()>,
        mut call: impl FnMut(&mut S) -> io::Result<usize>,
    ) -> io::Result<usize> {
        loop {
            if self.patient {
                let left = self.deadline.remaining().map_err(|_| io::ErrorKind::TimedOut)?;
                arm(&self.raw, Some(left.min(SLICE)))?;
            }
            match call(&mut self.raw) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if self.patient && is_timeout(&error) => {}
                answer => return answer,
            }
        }
    }
}

/// The system rounds its timeouts by a share of their length, so long ones are waited for in slices.
const SLICE: Duration = Duration::from_millis(500);

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

impl<S: Raw> Stream for Armed<S> {
    fn set_deadline(&mut self, deadline: Deadline) {
        self.deadline = deadline;
    }

    fn set_patient(&mut self, patient: bool) -> io::Result<()> {
        self.patient = patient;
        self.raw.set_nonblocking(!patient)
    }
}

impl<S: Raw> Read for Armed<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.bounded(S::set_read_timeout, |raw| raw.read(buffer))
    }
}

impl<S: Raw> Write for Armed<S> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.bounded(S::set_write_timeout, |raw| raw.write(buffer))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.raw.flush()
    }
}

macro_rules! raw {
    ($type:ty) => {
        impl Raw for $type {
            fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
                <$type>::set_read_timeout(self, timeout)
            }
            fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
                <$type>::set_write_timeout(self, timeout)
            }
            fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
                <$type>::set_nonblocking(self, nonblocking)
            }
        }
    };
}

raw!(TcpStream);
#[cfg(unix)]
raw!(UnixStream);
