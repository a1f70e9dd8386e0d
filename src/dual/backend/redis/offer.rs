//! Leases that were asked for and whose grant has not come yet.

use super::{Remote, maybe_async, rt};

use std::time::Duration;

use crate::deadline::Deadline;
use crate::wire::redis::Call;

/// Placeholders on their way to the server. If the reply never comes, be it for a deadline or a dropped task, they
/// are taken back beside the caller: nobody would know of them, and all would wait for their end.
pub(super) struct Offer {
    remote: Remote,
    take_back: Vec<Call>,
}

impl Offer {
    pub(super) fn new(remote: &Remote, take_back: Vec<Call>) -> Offer {
        Offer { remote: remote.clone(), take_back }
    }

    /// The server has answered: whoever asked knows what it holds.
    pub(super) fn answered(mut self) {
        self.take_back.clear();
    }
}

impl Drop for Offer {
    fn drop(&mut self) {
        if !self.take_back.is_empty() {
            self.remote.clone().withdraw_beside(std::mem::take(&mut self.take_back));
        }
    }
}

#[maybe_async]
impl Remote {
    fn withdraw_beside(self, calls: Vec<Call>) {
        rt::detach(move || async move { self.withdraw(calls).await });
    }

    /// Nobody is left to be told of a failure; the placeholders end by themselves.
    async fn withdraw(&self, calls: Vec<Call>) {
        let _ = self.call_each(&calls, Deadline::after(PATIENCE)).await;
    }
}

const PATIENCE: Duration = Duration::from_secs(1);
