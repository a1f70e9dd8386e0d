//! Which servers a backend consists of, and which of them a request is for.

use super::node::Node;
use super::{maybe_async, rt};

use std::time::Duration;

use redis::Value;

use crate::deadline::Deadline;
use crate::error::Result;
use crate::handle::redis::Settings;
use crate::wire::redis::{self as wire, Request};

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
    /// Sends a request to whom it is for and receives all its replies, which may be refusals. One round trip. A server
    /// that is not ready yet, since it is loading or busy, is asked again until the deadline, where that can apply
    /// nothing twice.
    pub(super) async fn exchange(&self, request: &Request, deadline: Deadline) -> Result<Vec<Value>> {
        let mut answer = self.ask_once(request, deadline).await;
        let mut pause = FIRST_PAUSE;
        // As long again is left for the answer: a connection that does not answer in time is given up.
        while request.repeatable
            && wire::is_not_ready(&answer)
            && deadline.remaining().is_ok_and(|left| left > 2 * pause)
        {
            rt::sleep(pause).await;
            pause = LONGEST_PAUSE.min(pause * 2);
            match self.ask_once(request, deadline).await {
                Err(error) if error.is_timeout() => break,
                later => answer = later,
            }
        }
        answer
    }

    async fn ask_once(&self, request: &Request, deadline: Deadline) -> Result<Vec<Value>> {
        match self {
            Servers::One(node) => node.exchange(request, deadline).await,
        }
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);
