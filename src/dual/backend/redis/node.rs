//! One server, be it alone or one of many.

use super::{maybe_async, rt};

use redis::Value;

use crate::deadline::Deadline;
use crate::error::Result;
use crate::handle::redis::Settings;
use crate::wire::redis::Request;

/// A server and the connections to it.
pub(super) struct Node {
    link: rt::redis::Link,
}

impl Node {
    pub(super) fn new(settings: Settings) -> Node {
        Node { link: rt::redis::Link::new(settings) }
    }
}

#[maybe_async]
impl Node {
    /// Sends a request and receives all its replies, which may be refusals. One round trip.
    pub(super) async fn exchange(&self, request: &Request, deadline: Deadline) -> Result<Vec<Value>> {
        self.link.exchange(request, deadline).await
    }
}
