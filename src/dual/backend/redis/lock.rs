//! Locks: what keeps a connection waiting, and what may take them away.

use super::{Remote, maybe_async};

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::deadline::Deadline;
use crate::error::{ErrorKind, Result};
use crate::lock::Claim;
use crate::ttl::Remaining;
use crate::wire::redis as wire;

#[maybe_async]
impl Remote {
    /// Takes the lock and waits for its replicas, in one exchange on a connection of its own.
    pub(super) async fn lock_and_wait(&self, claim: &Claim<'_>, deadline: Deadline) -> Result<Option<u64>> {
        let mut in_full = false;
        loop {
            // The rest of the time is for the reply.
            let patience = deadline.remaining()? * 3 / 4;
            let request = wire::confirmed(claim, in_full, patience);
            let mut replies = self.servers.exchange(&request, deadline).await?.into_iter();
            let mut next = || replies.next().ok_or_else(wire::no_reply).and_then(wire::read_value);
            let locked = next();
            if wire::is_unknown_script(&locked) && !in_full {
                in_full = true;
                continue;
            }
            let fencing = wire::read_fencing(locked?)?;
            if fencing.is_some() {
                wire::read_confirmed(next()?, claim.replicas)?;
            }
            return Ok(fencing);
        }
    }

    /// Half the connections at most are left to those who wait: they must not keep away the one who is to unlock. Nobody
    /// waits beyond the time of the lock, whose end wakes nobody.
    pub(super) async fn listen(
        &self,
        claim: &Claim<'_>,
        patience: Duration,
        deadline: Deadline,
    ) -> Result<Option<bool>> {
        let Some(_ear) = self.listeners.join() else { return Ok(None) };
        let patience = match wire::read_remaining(self.ask(&wire::left(claim), deadline).await?)? {
            None => return Ok(Some(false)),
            Some(Remaining::For(left)) => patience.min(left + Duration::from_millis(1)),
            Some(Remaining::Never) => patience,
        };
        let reply = self.ask(&wire::woken(claim, patience), deadline).await?;
        Ok(Some(wire::read_woken(reply)))
    }

    pub(super) async fn warnings(&self, deadline: Deadline) -> Result<Vec<String>> {
        let mut warnings = Vec::new();
        for share in self.servers.shares(deadline).await? {
            let reply = self.servers.exchange_on(&share, &wire::memory_policy(), deadline).await?;
            let policy = match wire::read_last(reply) {
                // Many users may not ask: then nothing is known.
                Err(error) if error.kind() == ErrorKind::Auth => None,
                reply => wire::read_eviction(reply?)?,
            };
            warnings.extend(policy.map(|policy| {
                format!(
                    "Redis evicts locks when its memory is full (maxmemory-policy {policy}): somebody else may then \
                     take one that is held; keep locks on a server with noeviction"
                )
            }));
        }
        warnings.dedup();
        Ok(warnings)
    }
}

/// How many keep a connection waiting, and how many may.
pub(super) struct Listeners {
    count: AtomicU32,
    most: u32,
}

/// The right to be one of them.
struct Ear<'a>(&'a Listeners);

impl Listeners {
    pub(super) fn new(most: u32) -> Listeners {
        Listeners { count: AtomicU32::new(0), most }
    }

    fn join(&self) -> Option<Ear<'_>> {
        let ear = Ear(self);
        // One too many goes away again by the drop.
        (self.count.fetch_add(1, Ordering::SeqCst) < self.most).then_some(ear)
    }
}

impl Drop for Ear<'_> {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::SeqCst);
    }
}
