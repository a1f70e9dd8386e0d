//! A stream on which every system call ends by the deadline that was set.

use std::io::{self, Read, Write};
#[cfg(all(target_os = "linux", feature = "redis"))]
use std::mem::MaybeUninit;
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
    /// Whether a read would find nothing, asked by one system call; `None` where there is none for that.
    fn has_nothing(&self) -> Option<bool>;
}

/// A socket that looks at the deadline before each system call.
pub(super) struct Armed<S> {
    raw: S,
    deadline: Deadline,
    patient: bool,
    /// What bounds a read and a write at present, since most calls want the bound that is there.
    reads: Option<Duration>,
    writes: Option<Duration>,
}

impl<S: Raw> Armed<S> {
    pub(super) fn new(raw: S, deadline: Deadline) -> Armed<S> {
        Armed { raw, deadline, patient: true, reads: None, writes: None }
    }

    /// Repeats a call, bounded anew each time, until it has an answer or the deadline has passed.
    fn bounded(
        &mut self,
        arm: impl Fn(&mut Armed<S>, Duration) -> io::Result<()>,
        mut call: impl FnMut(&mut S) -> io::Result<usize>,
    ) -> io::Result<usize> {
        loop {
            if self.patient {
                let left = self.deadline.remaining().map_err(|_| io::ErrorKind::TimedOut)?;
                arm(self, left.min(SLICE))?;
            }
            match call(&mut self.raw) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if self.patient && is_timeout(&error) => {}
                answer => return answer,
            }
        }
    }

    fn arm_reads(&mut self, bound: Duration) -> io::Result<()> {
        if self.reads != Some(bound) {
            self.raw.set_read_timeout(Some(bound))?;
            self.reads = Some(bound);
        }
        Ok(())
    }

    fn arm_writes(&mut self, bound: Duration) -> io::Result<()> {
        if self.writes != Some(bound) {
            self.raw.set_write_timeout(Some(bound))?;
            self.writes = Some(bound);
        }
        Ok(())
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
        // Who can ask whether there is anything need not switch over and back.
        if CAN_ASK { Ok(()) } else { self.raw.set_nonblocking(!patient) }
    }
}

impl<S: Raw> Read for Armed<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.patient && self.raw.has_nothing() == Some(true) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.bounded(Armed::arm_reads, |raw| raw.read(buffer))
    }
}

impl<S: Raw> Write for Armed<S> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.bounded(Armed::arm_writes, |raw| raw.write(buffer))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.raw.flush()
    }
}

/// Whether the system and the libraries that are there can look at what has come without waiting for it.
const CAN_ASK: bool = cfg!(all(target_os = "linux", feature = "redis"));
/// `MSG_PEEK` and `MSG_DONTWAIT`, the same numbers on every Linux.
#[cfg(all(target_os = "linux", feature = "redis"))]
const LOOK: i32 = 0x02 | 0x40;

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
            #[cfg(all(target_os = "linux", feature = "redis"))]
            fn has_nothing(&self) -> Option<bool> {
                let looked = socket2::SockRef::from(self).recv_with_flags(&mut [MaybeUninit::uninit()], LOOK);
                Some(looked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock))
            }
            #[cfg(not(all(target_os = "linux", feature = "redis")))]
            fn has_nothing(&self) -> Option<bool> {
                None
            }
        }
    };
}

raw!(TcpStream);
#[cfg(unix)]
raw!(UnixStream);
