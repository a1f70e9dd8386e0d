//! How requests reach the server.

use super::lock::Listeners;
use super::maybe_async;
use super::servers::Servers;

use std::sync::Arc;

use crate::deadline::Deadline;
use crate::error::Result;
use crate::handle::redis::Redis;
use crate::wire::redis::{self as wire, Call, Request, Step};

/// Redis as this world reaches it. A cheap clone.
#[derive(Clone)]
pub(in super::super) struct Remote {
    pub(super) servers: Arc<Servers>,
    pub(super) listeners: Arc<Listeners>,
}

impl Remote {
    pub(in super::super) fn new(handle: Redis) -> Remote {
        let shared = &handle.shared;
        let servers = shared.links.link(|| Servers::new(shared.settings.clone(), &shared.topology));
        let listeners = shared.links.link(|| Listeners::new(shared.settings.pool_size / 2));
        Remote { servers, listeners }
    }
}

#[maybe_async]
impl Remote {
    /// One command, one reply.
    pub(super) async fn ask(&self, request: &Request, deadline: Deadline) -> Result<redis::Value> {
        wire::read_last(self.servers.exchange(request, deadline).await?)
    }

    /// A script by its digest; in full if the server does not know it, as after a restart.
    pub(super) async fn call(&self, call: &Call, deadline: Deadline) -> Result<redis::Value> {
        let reply = self.ask(&wire::by_digest([call]), deadline).await;
        if wire::is_unknown_script(&reply) {
            return self.ask(&wire::in_full([call], |_| 0), deadline).await;
        }
        reply
    }

    pub(super) async fn run(&self, step: Step, deadline: Deadline) -> Result<redis::Value> {
        match step {
            Step::Command(request) => self.ask(&request, deadline).await,
            Step::Script(call) => self.call(&call, deadline).await,
        }
    }

    /// Scripts in one round trip, and in one more those that a server did not know. One reply per call, in order.
    pub(super) async fn call_each(
        &self,
        calls: &[Call],
        deadline: Deadline,
    ) -> Result<Vec<Result<redis::Value>>> {
        if calls.is_empty() {
            return Ok(Vec::new());
        }
        let replies = self.servers.exchange(&wire::by_digest(calls), deadline).await?;
        let mut replies: Vec<_> = replies.into_iter().map(wire::read_value).collect();
        loop {
            let unknown: Vec<usize> =
                (0..replies.len()).filter(|at| wire::is_unknown_script(&replies[*at])).collect();
            if unknown.is_empty() {
                return Ok(replies);
            }
            let again = wire::in_full(unknown.iter().map(|at| &calls[*at]), |key| self.servers.place(key));
            let late = self.servers.exchange(&again, deadline).await;
            let late = late.map_err(|error| error.after_partial(unknown.len() < replies.len()))?;
            for (at, reply) in unknown.into_iter().zip(late) {
                replies[at] = wire::read_value(reply);
            }
        }
    }
}
