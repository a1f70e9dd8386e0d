//! Redis behind the common verbs: build a request, send it, read the reply.

use super::{Backend, maybe_async, rt};

use std::sync::Arc;

use crate::deadline::Deadline;
use crate::entry::{Condition, Entry, Version};
use crate::error::{Error, ErrorKind, Result};
use crate::handle::redis::Redis;
use crate::key::{Key, Prefix};
use crate::pattern::Pattern;
use crate::ttl::{Lifetime, Remaining};
use crate::wire::redis::{self as wire, Call, Request, Step};

/// A Redis server as this world reaches it.
pub(super) struct Remote {
    link: Arc<rt::redis::Link>,
}

impl Remote {
    pub(super) fn new(handle: Redis) -> Remote {
        let link = handle.shared.links.link(|| rt::redis::Link::new(handle.shared.settings.clone()));
        Remote { link }
    }
}

/// How requests reach the server.
#[maybe_async]
impl Remote {
    /// One command, one reply.
    async fn ask(&self, request: &Request, deadline: Deadline) -> Result<redis::Value> {
        let replies = self.link.exchange(request, deadline).await?;
        let last = replies.into_iter().next_back();
        wire::read_value(last.ok_or_else(|| Error::new(ErrorKind::Protocol, "the server sent no reply"))?)
    }

    /// A script by its digest; in full if the server does not know it, as after a restart.
    async fn call(&self, call: &Call, deadline: Deadline) -> Result<redis::Value> {
        let reply = self.ask(&call.by_digest(), deadline).await;
        if wire::is_unknown_script(&reply) {
            return self.ask(&call.in_full(), deadline).await;
        }
        reply
    }

    async fn run(&self, step: Step, deadline: Deadline) -> Result<redis::Value> {
        match step {
            Step::Command(request) => self.ask(&request, deadline).await,
            Step::Script(call) => self.call(&call, deadline).await,
        }
    }
}

#[maybe_async]
impl Backend for Remote {
    fn name(&self) -> &str {
        "redis"
    }

    async fn get(&self, key: &Key<'_>, deadline: Deadline) -> Result<Option<Entry>> {
        let reply = self.ask(&wire::get(key), deadline).await?;
        Ok(wire::read_bytes(reply)?.map(Entry::from))
    }

    async fn get_many(&self, keys: &[Key<'_>], deadline: Deadline) -> Result<Vec<Option<Entry>>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let reply = self.ask(&wire::get_many(keys), deadline).await?;
        let values = wire::read_many(reply)?;
        if values.len() != keys.len() {
            return Err(Error::new(ErrorKind::Protocol, "the server answered for another number of keys"));
        }
        Ok(values.into_iter().map(|bytes| bytes.map(Entry::from)).collect())
    }

    async fn store(
        &self,
        key: &Key<'_>,
        bytes: &[u8],
        lifetime: Lifetime,
        condition: &Condition,
        deadline: Deadline,
    ) -> Result<bool> {
        wire::read_done(self.run(wire::store(key, bytes, lifetime, condition), deadline).await?)
    }

    async fn store_many(
        &self,
        items: &[(Key<'_>, Vec<u8>)],
        lifetime: Lifetime,
        condition: &Condition,
        deadline: Deadline,
    ) -> Result<()> {
        if items.is_empty() {
            return Ok(());
        }
        let replies = self.link.exchange(&wire::set_many(items, lifetime, condition), deadline).await?;
        replies.into_iter().try_for_each(|reply| wire::read_value(reply).map(drop))
    }

    async fn remove(&self, key: &Key<'_>, version: Option<&Version>, deadline: Deadline) -> Result<bool> {
        wire::read_done(self.run(wire::remove(key, version), deadline).await?)
    }

    async fn remove_many(&self, keys: &[Key<'_>], deadline: Deadline) -> Result<u64> {
        if keys.is_empty() {
            return Ok(0);
        }
        wire::read_count(self.ask(&wire::delete_many(keys), deadline).await?)
    }

    async fn take(&self, key: &Key<'_>, deadline: Deadline) -> Result<Option<Entry>> {
        let reply = self.ask(&wire::take(key), deadline).await?;
        Ok(wire::read_bytes(reply)?.map(Entry::from))
    }

    async fn exists(&self, key: &Key<'_>, deadline: Deadline) -> Result<bool> {
        wire::read_done(self.ask(&wire::exists(key), deadline).await?)
    }

    async fn touch(&self, key: &Key<'_>, lifetime: Lifetime, deadline: Deadline) -> Result<bool> {
        wire::read_done(self.call(&wire::touch(key, lifetime), deadline).await?)
    }

    async fn remaining(&self, key: &Key<'_>, deadline: Deadline) -> Result<Option<Remaining>> {
        wire::read_remaining(self.ask(&wire::remaining(key), deadline).await?)
    }

    async fn add(&self, key: &Key<'_>, delta: i64, lifetime: Lifetime, deadline: Deadline) -> Result<i64> {
        wire::read_sum(self.call(&wire::add(key, delta, lifetime), deadline).await?)
    }

    /// Walks the keys in steps and removes what each step found: a round trip or two per thousand keys of
    /// the database, and no single step that would hold up the server's other clients.
    async fn remove_matching(&self, prefix: &Prefix, pattern: &Pattern, deadline: Deadline) -> Result<u64> {
        let pattern = pattern.within(prefix);
        let (mut cursor, mut removed) = (0, 0);
        loop {
            let reply = self.ask(&wire::scan(cursor, &pattern), deadline).await;
            let (next, keys) = wire::read_scan(reply.map_err(|error| error.after_partial(removed > 0))?)?;
            if !keys.is_empty() {
                let replies = self.link.exchange(&wire::delete_joined(&keys), deadline).await;
                for reply in replies.map_err(|error| error.after_partial(removed > 0))? {
                    removed += wire::read_count(wire::read_value(reply)?)?;
                }
            }
            if next == 0 {
                return Ok(removed);
            }
            cursor = next;
        }
    }

    async fn ping(&self, deadline: Deadline) -> Result<()> {
        self.ask(&wire::ping(), deadline).await.map(drop)
    }
}
