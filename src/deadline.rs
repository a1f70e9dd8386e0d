//! One point in time by which a call ends, whatever it still has to do.

use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};

/// The end of a call, set once where the call begins and passed down to the socket.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Deadline {
    at: Instant,
}

impl Deadline {
    /// A deadline this far from now.
    pub fn after(timeout: Duration) -> Deadline {
        let now = Instant::now();
        // A timeout beyond what the clock can hold is as good as a century.
        let at = now.checked_add(timeout).unwrap_or_else(|| now + crate::ttl::Lifetime::MAX);
        Deadline { at }
    }

    /// The point in time itself.
    pub fn instant(self) -> Instant {
        self.at
    }

    /// What is left.
    ///
    /// # Errors
    /// `Timeout` once nothing is: a zero duration must never reach a socket, where it means "for ever".
    pub fn remaining(self) -> Result<Duration> {
        let left = self.at.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(Deadline::passed()) } else { Ok(left) }
    }

    /// The error of a call that ran out of time before it applied anything.
    pub(crate) fn passed() -> Error {
        Error::new(ErrorKind::Timeout, "the deadline passed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passed_deadline_is_an_error_not_a_zero() {
        let error = Deadline::after(Duration::ZERO).remaining().unwrap_err();
        assert!(error.is_timeout());
    }

    #[test]
    fn an_endless_timeout_does_not_overflow() {
        assert!(Deadline::after(Duration::MAX).remaining().is_ok());
    }
}
