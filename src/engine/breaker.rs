//! Whether a server is worth asking: after some failures in a row it is left alone, but for one probe a second.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};
use crate::now::now;

/// What is known of one server, by all who use it in this process.
#[derive(Debug, Default)]
pub(crate) struct Breaker {
    /// Failures since the last answer.
    failures: AtomicU32,
    trouble: Mutex<Trouble>,
}

/// The latest failures in a row.
#[derive(Debug, Default)]
struct Trouble {
    /// The longest that anybody has waited for an answer in vain.
    waited: Duration,
    next_probe: Option<Instant>,
    /// What who is not admitted hears; made once, since a refused call costs little else.
    refusal: Option<Error>,
}

/// How a request may be made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Admission {
    Pass,
    /// Alone, and to find out whether the server is back.
    Probe,
}

impl Breaker {
    /// Asks for leave to make a request that can wait for so long. `threshold` failures in a row open the breaker; none
    /// keeps it closed for good. Closed, this is one relaxed load.
    ///
    /// Who is much more patient than all who waited in vain is let through: to them, a server that is only slow
    /// answers.
    ///
    /// # Errors
    /// `Unavailable`, with the last failure as its cause.
    pub(crate) fn admit(&self, threshold: Option<u32>, patience: Duration) -> Result<Admission> {
        if threshold.is_none_or(|threshold| self.failures.load(Ordering::Relaxed) < threshold) {
            return Ok(Admission::Pass);
        }
        self.admit_to_trouble(patience, now())
    }

    fn admit_to_trouble(&self, patience: Duration, now: Instant) -> Result<Admission> {
        let mut trouble = self.lock();
        if patience / PATIENT > trouble.waited {
            return Ok(Admission::Pass);
        }
        if trouble.next_probe.is_some_and(|next| now < next) {
            return Err(trouble.refusal.clone().unwrap_or_else(refusal));
        }
        trouble.next_probe = Some(now + PROBE_EVERY);
        Ok(Admission::Probe)
    }

    /// The server has answered, whatever it said.
    pub(crate) fn answered(&self) {
        if self.failures.load(Ordering::Relaxed) > 0 {
            let mut trouble = self.lock();
            *trouble = Trouble::default();
            self.failures.store(0, Ordering::Relaxed);
        }
    }

    /// A request failed that could wait for so long.
    pub(crate) fn failed(&self, error: &Error, patience: Duration, now: Instant) {
        let mut trouble = self.lock();
        // More patience helps against a server that is slow, and not against one that is not there.
        let waited = if error.is_timeout() { patience } else { Duration::MAX };
        trouble.waited = trouble.waited.max(waited);
        trouble.refusal = Some(refusal().with_source(error.clone()));
        if trouble.next_probe.is_none_or(|next| next <= now) {
            trouble.next_probe = Some(now + PROBE_EVERY);
        }
        let failures = self.failures.load(Ordering::Relaxed);
        self.failures.store(failures.saturating_add(1), Ordering::Relaxed);
    }

    /// Nothing is called under the lock, so a poisoned one guards whole knowledge.
    fn lock(&self) -> MutexGuard<'_, Trouble> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refusal() -> Error {
    let text = "the server failed several times in a row, so it is asked but once a second until it answers";
    Error::new(ErrorKind::Unavailable, text)
}

const PROBE_EVERY: Duration = Duration::from_secs(1);
/// How many times as patient one has to be to be let through.
const PATIENT: u32 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const MILLISECOND: Duration = Duration::from_millis(1);

    fn gone() -> Error {
        Error::new(ErrorKind::Unavailable, "gone")
    }

    fn late() -> Error {
        Error::new(ErrorKind::Timeout, "late")
    }

    /// A breaker that has just seen these failures of callers who waited for so long.
    fn after(failures: u32, error: &Error, patience: Duration, now: Instant) -> Breaker {
        let breaker = Breaker::default();
        (0..failures).for_each(|_| breaker.failed(error, patience, now));
        breaker
    }

    #[test]
    fn it_opens_at_the_threshold_and_says_why() {
        let now = Instant::now();
        assert_eq!(after(4, &gone(), SECOND, now).admit(Some(5), SECOND).unwrap(), Admission::Pass);
        let error = after(5, &gone(), SECOND, now).admit(Some(5), SECOND).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.to_string().ends_with("until it answers: gone"), "{error}");
    }

    #[test]
    fn an_answer_in_between_begins_the_count_anew() {
        let now = Instant::now();
        let breaker = after(4, &gone(), SECOND, now);
        breaker.answered();
        (0..4).for_each(|_| breaker.failed(&gone(), SECOND, now));
        assert_eq!(breaker.admit(Some(5), SECOND).unwrap(), Admission::Pass);
    }

    #[test]
    #[cfg_attr(miri, ignore = "thousands of rounds")]
    fn one_probe_a_second_goes_through_whatever_becomes_of_it() {
        let now = Instant::now();
        let breaker = after(5, &gone(), SECOND, now);
        let mut probes = 0;
        for millis in 0..10_000 {
            let at = now + MILLISECOND * millis;
            if breaker.admit_to_trouble(SECOND, at).is_ok_and(|admission| admission == Admission::Probe) {
                probes += 1;
                breaker.failed(&gone(), SECOND, at + MILLISECOND);
            }
        }
        assert_eq!(probes, 9);
    }

    #[test]
    fn a_probe_that_is_answered_closes_it() {
        let now = Instant::now();
        let breaker = after(5, &gone(), SECOND, now);
        assert_eq!(breaker.admit_to_trouble(SECOND, now + SECOND).unwrap(), Admission::Probe);
        assert!(breaker.admit_to_trouble(SECOND, now + SECOND).is_err(), "one at a time");
        breaker.answered();
        assert_eq!(breaker.admit_to_trouble(SECOND, now + SECOND).unwrap(), Admission::Pass);
    }

    #[test]
    fn who_is_more_patient_than_those_who_waited_in_vain_is_let_through() {
        let now = Instant::now();
        let breaker = after(5, &late(), 15 * MILLISECOND, now);
        assert!(breaker.admit(Some(5), 15 * MILLISECOND).is_err());
        assert!(breaker.admit(Some(5), 20 * MILLISECOND).is_err(), "a little is no difference");
        assert_eq!(breaker.admit(Some(5), SECOND).unwrap(), Admission::Pass);
        breaker.failed(&late(), SECOND, now);
        assert!(breaker.admit(Some(5), SECOND).is_err());
    }

    #[test]
    fn patience_is_of_no_use_where_nobody_listens() {
        let now = Instant::now();
        assert!(after(5, &gone(), MILLISECOND, now).admit(Some(5), Duration::MAX).is_err());
    }

    #[test]
    fn each_user_has_a_threshold_of_its_own_or_none() {
        let now = Instant::now();
        let breaker = after(5, &gone(), SECOND, now);
        assert_eq!(breaker.admit(Some(9), SECOND).unwrap(), Admission::Pass);
        assert_eq!(breaker.admit(None, SECOND).unwrap(), Admission::Pass);
        assert!(breaker.admit(Some(5), SECOND).is_err());
    }
}
