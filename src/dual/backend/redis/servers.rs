//! Which servers a backend consists of, and which of them a request is for.

#[cfg(feature = "cluster")]
use super::cluster::Cluster;
use super::member::Member;
use super::node::Node;
use super::watched::{Watched, is_doubtful};
use super::{maybe_async, rt};

use std::sync::Arc;
use std::time::Duration;

use redis::Value;

use crate::deadline::Deadline;
use crate::error::Result;
use crate::handle::redis::{Settings, Topology};
use crate::wire::redis::{self as wire, Request};

/// The servers behind one handle, as this world reaches them.
pub(super) enum Servers {
    /// All keys live on one.
    One(Node),
    /// Each key lives on one of several.
    #[cfg(feature = "cluster")]
    Cluster(Cluster),
    /// All keys live on one, which is not always the same.
    Watched(Watched),
}

/// A share of the keys that can be walked through.
pub(super) enum Share {
    All,
    Of(Arc<Member>),
}

impl Share {
    /// What it is known by between two calls; empty where there is but one.
    pub(super) fn name(&self) -> String {
        match self {
            Share::All => String::new(),
            Share::Of(member) => member.endpoint.to_string(),
        }
    }
}

impl Servers {
    pub(super) fn new(settings: Settings, topology: &Topology) -> Servers {
        match topology {
            Topology::Standalone => Servers::One(Node::new(settings)),
            #[cfg(feature = "cluster")]
            Topology::Cluster(seeds) => Servers::Cluster(Cluster::new(settings, seeds.clone())),
            Topology::Sentinel(sentinels) => Servers::Watched(Watched::new(settings, sentinels)),
        }
    }

    /// Whether one command may name several keys.
    pub(super) fn keep_together(&self) -> bool {
        match self {
            Servers::One(_) | Servers::Watched(_) => true,
            #[cfg(feature = "cluster")]
            Servers::Cluster(_) => false,
        }
    }

    /// Where the server of a share listens.
    pub(super) fn address(&self, share: &Share) -> String {
        match (share, self) {
            (Share::Of(member), _) => member.endpoint.to_string(),
            (Share::All, Servers::One(node)) => node.address(),
            // These have members, by which their shares are named.
            (Share::All, _) => String::new(),
        }
    }

    /// A number that is the same for keys of one server.
    pub(super) fn place(&self, key: &[u8]) -> usize {
        let _ = key;
        match self {
            Servers::One(_) | Servers::Watched(_) => 0,
            #[cfg(feature = "cluster")]
            Servers::Cluster(cluster) => cluster.map.place(key),
        }
    }
}

#[maybe_async]
impl Servers {
    /// Sends a request to whom it is for and receives all its replies, which may be refusals. One round trip per
    /// server.
    pub(super) async fn exchange(&self, request: &Request, deadline: Deadline) -> Result<Vec<Value>> {
        self.exchange_on(&Share::All, request, deadline).await
    }

    /// Sends a request to the server of a share. One that is not ready yet, since it is loading or busy, is asked again
    /// until the deadline, where that can apply nothing twice.
    pub(super) async fn exchange_on(
        &self,
        share: &Share,
        request: &Request,
        deadline: Deadline,
    ) -> Result<Vec<Value>> {
        let mut answer = self.ask_once(share, request, deadline).await;
        let mut pause = FIRST_PAUSE;
        // As long again is left for the answer: a connection that does not answer in time is given up.
        while request.repeatable
            && wire::is_not_ready(&answer)
            && deadline.remaining().is_ok_and(|left| left > 2 * pause)
        {
            rt::sleep(pause).await;
            pause = LONGEST_PAUSE.min(pause * 2);
            match self.ask_once(share, request, deadline).await {
                Err(error) if error.is_timeout() => break,
                later => answer = later,
            }
        }
        answer
    }

    async fn ask_once(&self, share: &Share, request: &Request, deadline: Deadline) -> Result<Vec<Value>> {
        match (share, self) {
            (Share::Of(member), _) => self.ask_member(member, request, deadline).await,
            (Share::All, Servers::One(node)) => node.exchange(request, deadline).await,
            #[cfg(feature = "cluster")]
            (Share::All, Servers::Cluster(cluster)) => rt::boxed(cluster.exchange(request, deadline)).await,
            (Share::All, Servers::Watched(watched)) => rt::boxed(watched.exchange(request, deadline)).await,
        }
    }

    async fn ask_member(
        &self,
        member: &Arc<Member>,
        request: &Request,
        deadline: Deadline,
    ) -> Result<Vec<Value>> {
        let answer = member.node.exchange(request, deadline).await;
        match self {
            Servers::Watched(watched) if is_doubtful(&answer) => watched.doubt(member),
            #[cfg(feature = "cluster")]
            Servers::Cluster(cluster) if answer.as_ref().is_err_and(|error| !error.is_our_own()) => {
                cluster.map.doubt(member);
            }
            _ => {}
        }
        answer
    }

    /// Shares that are all of the keys together.
    pub(super) async fn shares(&self, deadline: Deadline) -> Result<Vec<Share>> {
        match self {
            Servers::One(_) => Ok(vec![Share::All]),
            // A master that was found by nobody yet has keys too.
            #[cfg(feature = "cluster")]
            Servers::Cluster(cluster) => {
                cluster.map.refresh(deadline).await?;
                Ok(cluster.map.masters().0.into_iter().map(Share::Of).collect())
            }
            // A walk that began on one server cannot go on on another.
            Servers::Watched(watched) => {
                let master = watched.master(deadline).await?;
                Ok(vec![Share::Of(master)])
            }
        }
    }

    /// The share of this name, unless it is nobody's any more.
    pub(super) async fn share_of(&self, name: &str, deadline: Deadline) -> Result<Option<Share>> {
        let shares = match self {
            // What is known will do: who asks has learned it a page ago.
            #[cfg(feature = "cluster")]
            Servers::Cluster(cluster) => cluster.map.masters().0.into_iter().map(Share::Of).collect(),
            _ => self.shares(deadline).await?,
        };
        Ok(shares.into_iter().find(|share| share.name() == name))
    }

    /// Whether all of them answer.
    pub(super) async fn ping(&self, deadline: Deadline) -> Result<()> {
        #[cfg(feature = "cluster")]
        if let Servers::Cluster(cluster) = self {
            return cluster.ping(deadline).await;
        }
        wire::read_last(self.exchange(&wire::ping(), deadline).await?).map(drop)
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);
