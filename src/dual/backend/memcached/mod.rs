//! Memcached behind the common verbs.
//!
//! A clearable namespace has a generation: each item carries the one it was written in, each request brings
//! the current one along, and an item of an older one counts as absent.

use super::bytes::{again, plus};
use super::{Backend, maybe_async, rt};

mod access;
mod batch;
mod lease;
mod write;

use std::sync::Arc;
use std::time::Duration;

use self::access::{Access, unix_now};
use self::lease::{Act, Held, token};
use crate::codec::counter_to_text;
use crate::deadline::Deadline;
use crate::entry::{Ask, Condition, Entry, Fill, Lease, Lookup, Version};
use crate::error::{Error, ErrorKind, Result};
use crate::handle::memcached::Memcached;
use crate::key::{Key, Prefix};
use crate::pattern::Pattern;
use crate::server::ServerInfo;
use crate::ttl::{Lifetime, Remaining};
use crate::wire::memcached::{self as wire, Want};

/// Memcached servers as this world reaches them. A cheap clone.
#[derive(Clone)]
pub(super) struct Remote {
    access: Arc<Access>,
}

impl Remote {
    pub(super) fn new(handle: Memcached) -> Remote {
        Remote { access: Arc::new(Access::new(handle)) }
    }

    fn clearable(&self) -> bool {
        self.access.settings().clearable
    }
}

fn lifetime_of(remaining: Remaining) -> Lifetime {
    match remaining {
        Remaining::Never => Lifetime::Never,
        Remaining::For(left) => Lifetime::For(left),
    }
}

#[maybe_async]
impl Backend for Remote {
    fn name(&self) -> &str {
        "memcached"
    }

    async fn get(&self, key: &Key<'_>, deadline: Deadline) -> Result<Option<Entry>> {
        let seen = self.access.see(&self.access.place(key), Want::Value, deadline).await?;
        Ok(seen.alive().map(Entry::from))
    }

    async fn get_many(&self, keys: &[Key<'_>], deadline: Deadline) -> Result<Vec<Option<Entry>>> {
        self.get_each(keys, deadline).await
    }

    async fn store(
        &self,
        key: &Key<'_>,
        bytes: &[u8],
        lifetime: Lifetime,
        condition: &Condition,
        deadline: Deadline,
    ) -> Result<bool> {
        let place = self.access.place(key);
        self.access.check_size(&place, bytes)?;
        let expiry = wire::expiry(lifetime, unix_now())?;
        match condition {
            Condition::Always => {
                self.access.put_all(&[(&place, bytes)], expiry, deadline).await?;
                Ok(true)
            }
            // No item of Memcached has such a version.
            Condition::Unchanged(Version::Bytes(_)) => Ok(false),
            _ => self.store_if(&place, bytes, expiry, condition, deadline).await,
        }
    }

    async fn store_many(
        &self,
        items: &[(Key<'_>, Vec<u8>)],
        lifetime: Lifetime,
        condition: &Condition,
        deadline: Deadline,
    ) -> Result<()> {
        self.store_each(items, lifetime, condition, deadline).await
    }

    async fn remove(&self, key: &Key<'_>, version: Option<&Version>, deadline: Deadline) -> Result<bool> {
        let place = self.access.place(key);
        match (version, self.clearable()) {
            (Some(Version::Bytes(_)), _) => Ok(false),
            (Some(Version::Number(cas)), true) => self.remove_seen(&place, Some(*cas), deadline).await,
            (Some(Version::Number(cas)), false) => self.access.delete(&place, *cas, deadline).await,
            (None, true) => self.remove_seen(&place, None, deadline).await,
            (None, false) => Ok(self.remove_all(&[place], deadline).await? == [true]),
        }
    }

    async fn remove_many(&self, keys: &[Key<'_>], deadline: Deadline) -> Result<u64> {
        self.remove_each(keys, deadline).await
    }

    /// Removes whatever a look has shown: what is loaded under a lease, or kept past its time, would be served after
    /// the removal.
    async fn take(&self, key: &Key<'_>, deadline: Deadline) -> Result<Option<Entry>> {
        let place = self.access.place(key);
        loop {
            let seen = self.access.see(&place, Want::Value, deadline).await?;
            let Some(cas) = seen.occupied() else { return Ok(None) };
            if self.access.delete(&place, cas, deadline).await? {
                return Ok(seen.alive().map(Entry::from));
            }
            again(deadline).await?;
        }
    }

    async fn exists(&self, key: &Key<'_>, deadline: Deadline) -> Result<bool> {
        let seen = self.access.see(&self.access.place(key), Want::Kind, deadline).await?;
        Ok(seen.is_alive())
    }

    /// Rewrites it as it is, flags of other clients included. The server's own touch leaves the CAS alone, so a
    /// write under a CAS that was read before would give the old lifetime back; and it would hold a lease longer.
    async fn touch(&self, key: &Key<'_>, lifetime: Lifetime, deadline: Deadline) -> Result<bool> {
        let place = self.access.place(key);
        let expiry = wire::expiry(lifetime, unix_now())?;
        loop {
            let seen = self.access.see(&place, Want::Value, deadline).await?;
            let unchanged = seen.unchanged();
            let Some(item) = seen.alive() else { return Ok(false) };
            if self.access.put(&place, &item.bytes, item.flags, expiry, unchanged, deadline).await? {
                return Ok(true);
            }
            again(deadline).await?;
        }
    }

    async fn remaining(&self, key: &Key<'_>, deadline: Deadline) -> Result<Option<Remaining>> {
        let seen = self.access.see(&self.access.place(key), Want::Kind, deadline).await?;
        Ok(seen.remaining())
    }

    /// Rewrites the text until it did not change meanwhile. The server's own `ma` is left alone: beside a read
    /// under way it gives the item it replaces the CAS of the new one (`do_add_delta`), so that read comes back
    /// with the old value under the new CAS, and the write that follows undoes the addition unnoticed. It also
    /// knows no number below zero and wraps at 2⁶⁴.
    async fn add(&self, key: &Key<'_>, delta: i64, lifetime: Lifetime, deadline: Deadline) -> Result<i64> {
        let place = self.access.place(key);
        let expiry = wire::expiry(lifetime, unix_now())?;
        loop {
            let seen = self.access.see(&place, Want::Value, deadline).await?;
            let (flags, unchanged) = (seen.flags(), seen.unchanged());
            let (sum, expiry) = match seen.alive() {
                None => (delta, expiry),
                Some(item) => {
                    (plus(&item.bytes, delta)?, wire::expiry(lifetime_of(item.remaining), unix_now())?)
                }
            };
            if self.access.put(&place, &counter_to_text(sum), flags, expiry, unchanged, deadline).await? {
                return Ok(sum);
            }
            again(deadline).await?;
        }
    }

    async fn remove_matching(&self, _: &Prefix, _: &Pattern, _: Deadline) -> Result<u64> {
        let text = "memcached cannot list its keys, so none can be found by prefix or pattern; \
            delete them by name, or give them a namespace of their own with clearable(true)";
        Err(Error::new(ErrorKind::Unsupported, text))
    }

    async fn clear(&self, prefix: &Prefix, deadline: Deadline) -> Result<()> {
        if !self.clearable() {
            let text = "memcached cannot list its keys; build the backend with clearable(true), or configure it \
                with `memcached_clearable: true`, to clear by generation";
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        self.access.next_generation(prefix, deadline).await
    }

    /// One round trip; a lease in a clearable namespace takes two.
    async fn lookup(&self, key: &Key<'_>, ask: Ask, deadline: Deadline) -> Result<Lookup> {
        let [lookup] = <[Lookup; 1]>::try_from(self.look_each(&[*key], ask, deadline).await?)
            .map_err(|_| wire::no_reply())?;
        Ok(lookup)
    }

    async fn lookup_many(&self, keys: &[Key<'_>], ask: Ask, deadline: Deadline) -> Result<Vec<Lookup>> {
        self.look_each(keys, ask, deadline).await
    }

    async fn renew(&self, key: &Key<'_>, lease: &Lease, hold: Duration, deadline: Deadline) -> Result<bool> {
        match token(lease) {
            Some(token) => self.hold_on(&self.access.place(key), token, hold, deadline).await,
            None => Ok(lease.token.is_none()),
        }
    }

    async fn fill(
        &self,
        key: &Key<'_>,
        lease: &Lease,
        bytes: &[u8],
        lifetime: Lifetime,
        deadline: Deadline,
    ) -> Result<bool> {
        let place = self.access.place(key);
        self.access.check_size(&place, bytes)?;
        let expiry = wire::expiry(lifetime, unix_now())?;
        match token(lease) {
            Some(token) => {
                let held = vec![Held::new(0, place, token)];
                let filled = self.settle(held, &Act::Fill(&[(bytes, expiry)]), deadline).await?;
                Ok(!filled.is_empty())
            }
            None if lease.token.is_none() => {
                self.store_if(&place, bytes, expiry, &Condition::Absent, deadline).await
            }
            None => Ok(false),
        }
    }

    async fn fill_many(&self, fills: &[Fill<'_>], deadline: Deadline) -> Result<()> {
        self.fill_each(fills, deadline).await
    }

    async fn abandon(&self, key: &Key<'_>, lease: &Lease, deadline: Deadline) -> Result<()> {
        self.abandon_each(&[(*key, lease.clone())], deadline).await
    }

    async fn abandon_many(&self, leases: &[(Key<'_>, Lease)], deadline: Deadline) -> Result<()> {
        self.abandon_each(leases, deadline).await
    }

    fn by_server(&self, keys: &[Key<'_>]) -> Vec<Vec<usize>> {
        self.access.groups(keys).into_iter().map(|group| group.positions).collect()
    }

    fn check(&self, key: &Key<'_>, bytes: &[u8], lifetime: Lifetime) -> Result<()> {
        self.access.check_size(&self.access.place(key), bytes)?;
        wire::expiry(lifetime, unix_now()).map(drop)
    }

    fn keeps_stale(&self) -> bool {
        true
    }

    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }

    async fn servers(&self, deadline: Deadline) -> Result<Vec<ServerInfo>> {
        let mut servers = Vec::new();
        for (server, address) in self.access.settings().servers.iter().enumerate() {
            let reply = self.access.ask(server, wire::stats(), deadline).await?;
            servers.push(ServerInfo::new(address, wire::read_stats(reply)?));
        }
        Ok(servers)
    }

    async fn ping(&self, deadline: Deadline) -> Result<()> {
        for server in 0..self.access.settings().servers.len() {
            wire::read_greeting(self.access.exchange(server, &wire::greeting(), deadline).await?)?;
        }
        Ok(())
    }
}
