//! Requests to a cluster: each command to the node that has its key, however often the keys move meanwhile.

use super::map::Map;
use super::member::Member;
use super::{maybe_async, rt};

use std::sync::Arc;
use std::time::Duration;

use redis::Value;

use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::handle::redis::{Endpoint, Settings};
use crate::wire::redis::{self as wire, Redirection, Request};

pub(super) struct Cluster {
    pub(super) map: Map,
}

/// Commands of a request that go to one node.
struct Part {
    to: Arc<Member>,
    /// Whether each is announced as one whose slot is on its way there.
    asking: bool,
    positions: Vec<usize>,
}

/// What has become of a request so far.
struct Progress<'a> {
    request: &'a Request,
    replies: Vec<Option<Value>>,
    /// Whether a node has written something: then a failure leaves the request half done.
    applied: bool,
    parts: Vec<Part>,
    /// Commands that are somebody else's to answer, who was not named.
    astray: Vec<usize>,
}

impl Cluster {
    pub(super) fn new(settings: Settings, seeds: Vec<Endpoint>) -> Cluster {
        Cluster { map: Map::new(settings, seeds) }
    }

    /// Who has each of these commands' keys.
    fn owners(&self, request: &Request, positions: &[usize]) -> Option<Vec<Arc<Member>>> {
        let slots: Vec<_> = request.commands.cmd_iter().map(wire::slot_of).collect();
        self.map.owners(positions.iter().map(|position| slots[*position]))
    }

    /// Puts the replies of a part in their places, and those that are somebody else's to give on their way there.
    fn sort(&self, progress: &mut Progress<'_>, part: &Part, replies: Vec<Value>) -> Result<()> {
        for (position, reply) in part.positions.iter().zip(replies) {
            match wire::redirection(&reply, &part.to.endpoint) {
                Some(Redirection::Moved(slot, to)) => {
                    progress.send(*position, self.map.moved(slot, to)?, false);
                }
                Some(Redirection::Ask(to)) => progress.send(*position, self.map.ahead(to)?, true),
                Some(Redirection::Nameless) => progress.astray.push(*position),
                None => {
                    if wire::is_cluster_down(&reply) {
                        self.map.doubt(&part.to);
                    }
                    progress.applied |=
                        !progress.request.repeatable && !matches!(reply, Value::ServerError(_));
                    progress.replies[*position] = Some(reply);
                }
            }
        }
        Ok(())
    }
}

impl<'a> Progress<'a> {
    fn new(request: &'a Request) -> Progress<'a> {
        let replies = vec![None; request.commands.len()];
        Progress { request, replies, applied: false, parts: Vec::new(), astray: Vec::new() }
    }

    fn send(&mut self, position: usize, to: Arc<Member>, asking: bool) {
        match self.parts.iter_mut().find(|part| part.to == to && part.asking == asking) {
            Some(part) => part.positions.push(position),
            None => self.parts.push(Part { to, asking, positions: vec![position] }),
        }
    }
}

#[maybe_async]
impl Cluster {
    /// One round trip per node that is asked, one node after the other. What was redirected was not done, so writes follow too. A
    /// node that cannot be reached has done nothing either: if its keys are found to be somebody else's by now, they are sent there.
    pub(super) async fn exchange(&self, request: &Request, deadline: Deadline) -> Result<Vec<Value>> {
        self.map.ready(deadline).await?;
        let mut progress = Progress::new(request);
        let all: Vec<usize> = (0..progress.replies.len()).collect();
        self.route(&mut progress, &all, deadline).await?;
        let mut reviewed = false;
        for redirections in 0..=MOST_REDIRECTIONS {
            if redirections > 2 {
                let left = deadline.remaining().map_err(|error| error.after_partial(progress.applied))?;
                rt::sleep((DISAGREEMENT * (redirections - 2)).min(left)).await;
            }
            for part in std::mem::take(&mut progress.parts) {
                let failure = match part.exchange(request, deadline).await {
                    Ok(replies) => self.sort(&mut progress, &part, replies).err(),
                    Err(error) if error.is_our_own() => Some(error),
                    Err(error) => {
                        self.map.doubt(&part.to);
                        let again = error.kind() == ErrorKind::Unavailable && !reviewed;
                        reviewed = true;
                        let moved = again && self.reroute(&mut progress, &part, deadline).await;
                        (!moved).then_some(error)
                    }
                };
                if let Some(error) = failure {
                    return Err(error.after_partial(progress.applied));
                }
            }
            self.find(&mut progress, deadline)
                .await
                .map_err(|error| error.after_partial(progress.applied))?;
            if progress.parts.is_empty() {
                return progress.replies.into_iter().map(|reply| reply.ok_or_else(wire::no_reply)).collect();
            }
        }
        let text =
            format!("redirected {MOST_REDIRECTIONS} times and not answered; the cluster is moving its slots");
        Err(Error::new(ErrorKind::Unavailable, text).after_partial(progress.applied))
    }

    /// Sends each of these commands to whom the map says.
    async fn route(
        &self,
        progress: &mut Progress<'_>,
        positions: &[usize],
        deadline: Deadline,
    ) -> Result<()> {
        let mut owners = self.owners(progress.request, positions);
        if owners.is_none() {
            self.map.refresh(deadline.share(2)).await?;
            owners = self.owners(progress.request, positions);
        }
        let owners = owners.ok_or_else(|| {
            let text = "no node of the cluster has this key's slot; see `redis-cli --cluster check`";
            Error::new(ErrorKind::Unavailable, text)
        })?;
        positions.iter().zip(owners).for_each(|(position, to)| progress.send(*position, to, false));
        Ok(())
    }

    /// Asks for the map on behalf of those commands whose node was not named, and sends them where it says.
    async fn find(&self, progress: &mut Progress<'_>, deadline: Deadline) -> Result<()> {
        let astray = std::mem::take(&mut progress.astray);
        if astray.is_empty() {
            return Ok(());
        }
        self.map.refresh(deadline.share(2)).await?;
        self.route(progress, &astray, deadline).await
    }

    /// Whether what a node could not be sent is all somebody else's to answer by now; then it is on its way there.
    async fn reroute(&self, progress: &mut Progress<'_>, part: &Part, deadline: Deadline) -> bool {
        self.map.review(deadline).await;
        let owners = self.owners(progress.request, &part.positions).unwrap_or_default();
        let moved = !owners.is_empty() && owners.iter().all(|to| *to != part.to);
        if moved {
            part.positions.iter().zip(owners).for_each(|(position, to)| progress.send(*position, to, false));
        }
        moved
    }

    /// Whether every slot has a master and every master answers.
    pub(super) async fn ping(&self, deadline: Deadline) -> Result<()> {
        self.map.refresh(deadline).await?;
        let (masters, orphans) = self.map.masters();
        let (mut failure, mut silent) = (None, Vec::new());
        for (asked, master) in masters.iter().enumerate() {
            let share = deadline.share(masters.len() - asked);
            let reply = master.ask("pinging", &wire::ping(), share).await.and_then(wire::read_value);
            if let Err(error) = reply {
                silent.push(master.endpoint.to_string());
                failure = Some(error);
            }
        }
        if let Some(error) = failure {
            let text = format!("of {} masters these do not answer: {}", masters.len(), silent.join(", "));
            return Err(Error::new(error.kind(), text).with_source(error));
        }
        if orphans > 0 {
            let text = format!("{orphans} slots have no master; see `redis-cli --cluster check`");
            return Err(Error::new(ErrorKind::Unavailable, text));
        }
        Ok(())
    }
}

#[maybe_async]
impl Part {
    /// The replies to these commands, in their order.
    async fn exchange(&self, request: &Request, deadline: Deadline) -> Result<Vec<Value>> {
        // The whole request as it is need not be copied. After redirections a part may hold it in another order.
        if !self.asking && self.positions.iter().copied().eq(0..request.commands.len()) {
            return self.to.node.exchange(request, deadline).await;
        }
        let part = wire::part(request, &self.positions, self.asking);
        let replies = self.to.node.exchange(&part, deadline).await?;
        Ok(if self.asking { replies.into_iter().skip(1).step_by(2).collect() } else { replies })
    }
}

/// A slot that moves is followed once, or twice while it is on its way.
const MOST_REDIRECTIONS: u32 = 5;

/// How long nodes that send a command to and fro are left to agree, growing with each redirection beyond that.
const DISAGREEMENT: Duration = Duration::from_millis(10);
