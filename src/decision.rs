//! What a rate limiter answers, and what it does where it cannot ask.

use std::time::Duration;

use crate::error::ErrorKind;

/// Whether a call may go ahead, and what is left.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
#[must_use = "a limit that nobody looks at limits nothing"]
pub struct Decision {
    /// Whether the permits were given. If not, none was taken.
    pub allowed: bool,
    /// How many more could be taken now.
    pub remaining: u64,
    /// When the same call can succeed, if nobody takes permits meanwhile: exact to the microsecond, and zero where it was
    /// allowed.
    pub retry_after: Duration,
    /// When all permits are back, if nobody takes any meanwhile.
    pub reset_after: Duration,
    /// The failure on which the decision was made without the server, by [`Outage::Open`] or [`Outage::Closed`]. Nothing
    /// is known of what is left then: `remaining` is 0, and the times of a refusal are 1 s, in which a server that
    /// failed is asked again.
    pub outage: Option<ErrorKind>,
}

impl Decision {
    /// The decision that a policy makes in place of the server. `None` where it makes none.
    pub(crate) fn without_server(outage: Outage, failure: ErrorKind) -> Option<Decision> {
        let (allowed, after) = match outage {
            Outage::Error => return None,
            Outage::Open => (true, Duration::ZERO),
            Outage::Closed => (false, NEXT_TRY),
        };
        let outage = Some(failure);
        Some(Decision { allowed, remaining: 0, retry_after: after, reset_after: after, outage })
    }

    /// The same with permits that lie in this process.
    pub(crate) fn with_leased(self, here: u64) -> Decision {
        match here {
            0 => self,
            here => Decision {
                allowed: true,
                remaining: self.remaining.saturating_add(here),
                retry_after: Duration::ZERO,
                ..self
            },
        }
    }
}

/// A server that failed again and again is asked but once a second.
const NEXT_TRY: Duration = Duration::from_secs(1);

/// What a rate limiter does when its server does not answer, cannot be reached or refuses to work.
///
/// What needs a person (`Auth`, `Misconfigured`, `Config`), what is the caller's own doing, and what says that the server is there
/// (`Conflict`, `Decode`) stays an error under each of them. On an [`Ambiguous`](ErrorKind::Ambiguous) failure the permits may
/// have been taken; that costs the subject some at most, so it is decided as any other and told in
/// [`Decision::outage`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Outage {
    /// The call fails, and the caller decides.
    Error,
    /// The call is allowed: better no limit than no service.
    Open,
    /// The call is refused: better no service than no limit.
    Closed,
}
