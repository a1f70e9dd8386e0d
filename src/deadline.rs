//! One point in time by which a call ends, whatever it still has to do.

use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};
use crate::now::now;
use crate::ttl::Lifetime;

/// The end of a call, set once where the call begins and passed down to the socket.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Deadline {
    /// `None` where nothing is ever waited for, which saves reading the clock.
    at: Option<Instant>,
}

impl Deadline {
    /// A deadline this far from now.
    pub fn after(timeout: Duration) -> Deadline {
        Deadline { at: Some(far(timeout)) }
    }

    /// The deadline of a call that cannot wait, such as one on memory. Reads no clock.
    pub(crate) const fn unneeded() -> Deadline {
        Deadline { at: None }
    }

    /// The point in time itself.
    pub fn instant(self) -> Instant {
        self.at.unwrap_or_else(|| far(Lifetime::MAX))
    }

    /// What is left.
    ///
    /// # Errors
    /// `Timeout` once nothing is: a zero duration must never reach a socket, where it means "for ever".
    pub fn remaining(self) -> Result<Duration> {
        let Some(at) = self.at else { return Ok(Lifetime::MAX) };
        let left = at.saturating_duration_since(now());
        if left.is_zero() { Err(Deadline::passed()) } else { Ok(left) }
    }

    /// The end of the first of so many steps that have to share what is left.
    pub(crate) fn share(self, among: usize) -> Deadline {
        match self.remaining() {
            Ok(left) if self.at.is_some() && among > 1 => {
                Deadline::after(left / u32::try_from(among).unwrap_or(u32::MAX))
            }
            _ => self,
        }
    }

    /// The error of a call that ran out of time before it applied anything.
    pub(crate) fn passed() -> Error {
        Error::new(ErrorKind::Timeout, "the deadline passed")
    }
}

/// A timeout beyond what the clock can hold is as good as a century.
fn far(timeout: Duration) -> Instant {
    let now = now();
    now.checked_add(timeout).unwrap_or_else(|| now + Lifetime::MAX)
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
    fn a_share_leaves_time_for_the_others_and_the_last_has_what_is_left() {
        let whole = Deadline::after(Duration::from_secs(90));
        let left = whole.share(3).remaining().unwrap();
        assert!(left <= Duration::from_secs(30) && left > Duration::from_secs(20), "{left:?}");
        assert_eq!(whole.share(1), whole);
        assert!(Deadline::after(Duration::ZERO).share(3).remaining().is_err());
        assert_eq!(Deadline::unneeded().share(3), Deadline::unneeded());
    }

    #[test]
    fn an_endless_timeout_does_not_overflow() {
        assert!(Deadline::after(Duration::MAX).remaining().is_ok());
    }
}
