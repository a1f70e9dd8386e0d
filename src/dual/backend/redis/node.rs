//! One server, be it alone or one of many.

use super::{maybe_async, rt};

use redis::Value;

use crate::deadline::Deadline;
use crate::error::Result;
use crate::handle::redis::Settings;
use crate::wire::redis::Request;

/// A server, the connections to it, and what guards it.
pub(super) struct Node {
    address: String,
    guard: rt::Guard,
    link: rt::redis::Link,
}

impl Node {
    pub(super) fn new(settings: Settings) -> Node {
        let guard = rt::Guard::new(&settings.address.identity(), settings.breaker);
        Node { address: settings.address.to_string(), guard, link: rt::redis::Link::new(settings) }
    }
}

impl Node {
    /// Where it listens, as errors name it.
    pub(super) fn address(&self) -> String {
        self.address.clone()
    }
}

#[maybe_async]
impl Node {
    /// Sends a request and receives all its replies, which may be refusals. One round trip; none while the server is
    /// left alone.
    pub(super) async fn exchange(&self, request: &Request, deadline: Deadline) -> Result<Vec<Value>> {
        let trial = self.guard.admit(deadline)?;
        let answer = self.link.exchange(request, trial.is_probe(), deadline).await;
        trial.end(answer, request.repeatable)
    }
}
