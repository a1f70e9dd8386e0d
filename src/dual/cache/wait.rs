//! Waiting for the loads of others: how long, how often to look, and what to do when it was in vain.

use super::call::Call;
use super::look::Kept;
use super::{Cache, maybe_async, rt};

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::chance::chance;
use crate::deadline::Deadline;
use crate::engine::flight::Flight;
use crate::entry::Value;
use crate::error::{BoxError, Result};
use crate::fetched::{Fetched, Loaded, Staleness};
use crate::key::Key;
use crate::now::now;
use crate::policy::{OnWaitTimeout, Policy, Rules};
use crate::ttl::Lifetime;

/// How long a caller waits for the loads of others. The clock is first read when it has to wait.
pub(super) struct Patience {
    longest: Duration,
    ends: OnceLock<Instant>,
}

impl Patience {
    pub(super) fn new(policy: &Policy) -> Patience {
        let Rules { max_wait, hard_limit, .. } = policy.rules;
        let longest = hard_limit.map_or(max_wait, |limit| limit.min(max_wait)).min(Lifetime::MAX);
        Patience { longest, ends: OnceLock::new() }
    }

    pub(super) fn ends(&self) -> Instant {
        *self.ends.get_or_init(|| Deadline::after(self.longest).instant())
    }

    pub(super) fn is_over(&self) -> bool {
        self.left().is_zero()
    }

    fn left(&self) -> Duration {
        self.ends().saturating_duration_since(now())
    }
}

#[maybe_async]
impl Patience {
    /// Pauses before the next look for what another process is loading; `false` once there is no time left.
    pub(super) async fn pause(&self, rules: &Rules) -> bool {
        let left = self.left();
        if left.is_zero() {
            return false;
        }
        rt::sleep(rules.pause(self.longest.saturating_sub(left), chance()).min(left)).await;
        true
    }
}

#[maybe_async]
impl Cache {
    /// What follows a wait that brought nothing.
    pub(super) async fn in_vain<'a, T: Value, L: Into<Loaded<T>>, E: Into<BoxError>>(
        &'a self,
        call: &mut Call<'a>,
        key: Key<'a>,
        policy: &Policy,
        spare: Option<Kept<T>>,
        load: impl rt::Load() -> Result<L, E>,
    ) -> Result<Fetched<Arc<T>>> {
        if let Some(error) = policy.rules.waited_in_vain() {
            return call.input(Err(error));
        }
        match (policy.rules.on_wait_timeout, spare) {
            (OnWaitTimeout::Stale, Some(spare)) => Ok(spare.serve(Staleness::WaitTimedOut)),
            _ => self.load_unstored(call, key, policy, load).await,
        }
    }
}

impl Call<'_> {
    /// Lets whoever comes later begin a load of their own.
    pub(super) fn give_up(&self, key: &Key<'_>, flight: &Arc<Flight>) {
        self.backend().strike(key, flight);
    }
}
