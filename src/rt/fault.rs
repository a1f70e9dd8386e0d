//! What a failed exchange means for the caller, in both worlds.

use std::io;

use crate::error::{Error, ErrorKind};

/// A failed exchange: why, whether any byte of the request may have left this process, and whose fault it was.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) error: Error,
    pub(crate) sent: bool,
    /// The server was not even asked.
    pub(crate) ours: bool,
}

impl Fault {
    /// A failure before anything left.
    pub(crate) fn unsent(error: Error) -> Fault {
        Fault { error, sent: false, ours: false }
    }

    /// A failure once something may have left.
    pub(crate) fn sent(error: Error) -> Fault {
        Fault { error, sent: true, ours: false }
    }

    /// A failure that the server has no part in.
    pub(crate) fn of_our_own(error: Error) -> Fault {
        Fault { error, sent: false, ours: true }
    }

    /// Whether the exchange is worth another connection: the one it used died, and nothing can be applied twice.
    pub(crate) fn may_repeat(&self, repeatable: bool) -> bool {
        #[cfg(simulation)]
        let repeatable = repeatable || crate::simulation::has(crate::simulation::Bug::RepeatsSentWrites);
        self.error.kind() == ErrorKind::Unavailable && (repeatable || !self.sent)
    }

    /// A write whose bytes left may have been applied, whatever became of the connection.
    pub(crate) fn into_error(self, repeatable: bool) -> Error {
        if repeatable || !self.sent {
            return if self.ours { self.error.of_our_own() } else { self.error };
        }
        let text = "the write was sent but not answered; it may or may not have been applied";
        Error::new(ErrorKind::Ambiguous, text).with_source(self.error)
    }
}

/// The error of a caller for whom no connection became free in time.
pub(crate) fn exhausted(size: u32) -> Error {
    let text = format!("all {size} connections were in use until the deadline; raise pool_size");
    Error::new(ErrorKind::Timeout, text)
}

/// The error of a caller whose deadline passed meanwhile.
pub(crate) fn late(doing: &str) -> Error {
    Error::new(ErrorKind::Timeout, format!("the deadline passed; could not {doing} in time"))
}

/// An I/O failure in the words of the crate.
pub(crate) fn io_error(doing: &str, error: io::Error) -> Error {
    let kind = match error.kind() {
        // The system's word for it, "resource temporarily unavailable", would mislead.
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => return late(doing),
        // What TLS has to say after the handshake, such as that our certificate is not accepted.
        io::ErrorKind::InvalidData => ErrorKind::Misconfigured,
        _ => ErrorKind::Unavailable,
    };
    Error::new(kind, format!("cannot {doing}")).with_source(error)
}

/// Two sides that cannot agree on TLS, or a certificate that is not accepted. Nothing was sent inside.
#[cfg(feature = "tls")]
pub(crate) fn tls_error(at: &str, cause: impl Into<crate::error::BoxError>) -> Error {
    let text =
        format!("no TLS with {at}; check the certificates, the host name and that the port speaks TLS");
    Error::new(ErrorKind::Misconfigured, text).with_source(cause)
}

#[cfg(all(feature = "redis", feature = "async", feature = "tls", not(feature = "async-tls")))]
pub(crate) fn no_async_tls() -> Error {
    let text = "TLS for tasks needs features = [\"async-tls\"] of lexigram-cache in Cargo.toml";
    Error::new(ErrorKind::Config, text)
}

#[cfg(all(not(unix), feature = "redis"))]
pub(crate) fn no_unix_sockets() -> Error {
    Error::new(ErrorKind::Unsupported, "this system has no Unix sockets; name the server by host and port")
}
