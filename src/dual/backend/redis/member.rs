//! One server of several, which is known by its address.

use super::maybe_async;
use super::node::Node;

use redis::Value;

use crate::deadline::Deadline;
use crate::error::{Error, Result};
use crate::handle::redis::{Endpoint, Settings};
use crate::wire::redis::{self as wire, Request};

pub(super) struct Member {
    pub(super) endpoint: Endpoint,
    pub(super) node: Node,
}

/// Two with one address are one.
impl PartialEq for Member {
    fn eq(&self, other: &Member) -> bool {
        self.endpoint == other.endpoint
    }
}

impl Eq for Member {}

impl Member {
    /// # Errors
    /// `Config` for a host that no certificate can name, where TLS is asked for.
    pub(super) fn new(settings: &Settings, endpoint: Endpoint) -> Result<Member> {
        let settings = settings.at(&endpoint)?;
        Ok(Member::at(endpoint, settings))
    }

    /// With settings that are its own already.
    pub(super) fn at(endpoint: Endpoint, settings: Settings) -> Member {
        Member { endpoint, node: Node::new(settings) }
    }
}

#[maybe_async]
impl Member {
    /// One command, one reply, which may be a refusal. Failures say what was being done.
    pub(super) async fn ask(&self, what: &str, request: &Request, deadline: Deadline) -> Result<Value> {
        let replies = self.node.exchange(request, deadline).await;
        let reply = replies.and_then(wire::last);
        reply.map_err(|error| self.blame(what, error))
    }

    /// The same failure, with its place and purpose.
    pub(super) fn blame(&self, what: &str, error: Error) -> Error {
        let blamed = Error::new(error.kind(), format!("{what} {}", self.endpoint));
        match error.code().map(str::to_owned) {
            Some(code) => blamed.with_code(code).with_source(error),
            None => blamed.with_source(error),
        }
    }
}

/// Of two failures the one that does not pass by itself: it says what to do.
pub(super) fn graver(first: Option<Error>, second: Error) -> Error {
    first.filter(|first| !first.is_retryable() || second.is_retryable()).unwrap_or(second)
}
