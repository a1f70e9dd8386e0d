//! Which servers a backend consists of, and which of them a request is for.

use super::maybe_async;
use super::node::Node;

use redis::Value;

use crate::deadline::Deadline;
use crate::error::Result;
use crate::handle::redis::Settings;
use crate::wire::redis::Request;

/// The servers behind one handle, as this world reaches them.
pub(super) enum Servers {
    /// All keys live on one.
    One(Node),
}

impl Servers {
    pub(super) fn new(settings: Settings) -> Servers {
        Servers::One(Node::new(settings))
    }
}

#[maybe_async]
impl Servers {
    /// Sends a request to whom it is for and receives all its replies, which may be refusals. One round trip.
    pub(super) async fn exchange(&self, request: &Request, deadline: Deadline) -> Result<Vec<Value>> {
        match self {
            Servers::One(node) => node.exchange(request, deadline).await,
        }
    }
}
