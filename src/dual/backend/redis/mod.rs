//! Redis behind the common verbs: build a request, send it, read the reply.
//!
//! A lease is a placeholder in the key itself, so every verb takes a placeholder for nothing.

use super::{Backend, maybe_async, rt};

#[cfg(feature = "cluster")]
mod cluster;
mod lock;
#[cfg(feature = "cluster")]
mod map;
mod member;
mod node;
mod offer;
mod pages;
mod reach;
mod servers;
mod watched;

use std::collections::BTreeMap;
use std::time::Duration;

use self::offer::Offer;
pub(super) use self::reach::Remote;
use crate::deadline::Deadline;
use crate::decision::Decision;
use crate::engine::quota::Permits;
use crate::entry::{Ask, Condition, Entry, Fill, Lease, Lookup, Page, Version};
use crate::error::{ErrorKind, Result};
use crate::key::{Key, Prefix};
use crate::lock::{Claim, Unlocked};
use crate::pattern::Pattern;
use crate::server::ServerInfo;
use crate::ttl::{Lifetime, Remaining};
use crate::wire::redis::{self as wire, Call, Depth, Seen};

#[maybe_async]
impl Backend for Remote {
    fn name(&self) -> &str {
        "redis"
    }

    async fn get(&self, key: &Key<'_>, deadline: Deadline) -> Result<Option<Entry>> {
        let request = wire::look(key, Depth::to_get(&[*key]));
        let seen = wire::read_look(self.servers.exchange(&request, deadline).await?)?;
        Ok(seen.value(key))
    }

    async fn get_many(&self, keys: &[Key<'_>], deadline: Deadline) -> Result<Vec<Option<Entry>>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let seen = self.look_many(keys, Depth::to_get(keys), deadline).await?;
        Ok(seen.into_iter().zip(keys).map(|(seen, key)| seen.value(key)).collect())
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
        if *condition == Condition::Always {
            let replies = self.servers.exchange(&wire::set_many(items, lifetime), deadline).await?;
            return wire::all_or_partial(replies.into_iter().map(wire::read_value).collect()).map(drop);
        }
        let calls = items.iter().map(|(key, bytes)| wire::store_if(key, bytes, lifetime, condition));
        self.do_each(calls.collect(), deadline).await
    }

    async fn remove(&self, key: &Key<'_>, version: Option<&Version>, deadline: Deadline) -> Result<bool> {
        let call = match version {
            Some(version) => wire::retire(key, version),
            None => wire::remove(key),
        };
        wire::read_done(self.call(&call, deadline).await?)
    }

    async fn remove_many(&self, keys: &[Key<'_>], deadline: Deadline) -> Result<u64> {
        let calls = wire::remove_many(keys, self.servers.keep_together());
        self.count_each(calls, false, deadline).await
    }

    async fn take(&self, key: &Key<'_>, deadline: Deadline) -> Result<Option<Entry>> {
        wire::read_taken(self.run(wire::take(key), deadline).await?)
    }

    async fn touch(&self, key: &Key<'_>, lifetime: Lifetime, deadline: Deadline) -> Result<bool> {
        wire::read_done(self.call(&wire::touch(key, lifetime), deadline).await?)
    }

    async fn remaining(&self, key: &Key<'_>, deadline: Deadline) -> Result<Option<Remaining>> {
        wire::read_stay(self.call(&wire::remaining(key), deadline).await?, key)
    }

    async fn add(&self, key: &Key<'_>, delta: i64, lifetime: Lifetime, deadline: Deadline) -> Result<i64> {
        wire::read_sum(self.call(&wire::add(key, delta, lifetime), deadline).await?)
    }

    /// Walks the keys in steps and removes what each step found: a round trip or two per thousand keys of
    /// the database, and no single step that would hold up the server's other clients.
    async fn remove_matching(&self, prefix: &Prefix, pattern: &Pattern, deadline: Deadline) -> Result<u64> {
        let glob = pattern.within(prefix);
        let (mut removed, mut applied) = (0, false);
        for share in self.servers.shares(deadline).await? {
            let mut cursor = 0;
            loop {
                let reply = self.servers.exchange_on(&share, &wire::scan(cursor, &glob), deadline).await;
                let (next, mut keys) = reply
                    .and_then(|replies| wire::read_scan(wire::read_last(replies)?))
                    .map_err(|error| error.after_partial(applied))?;
                keys.retain(|key| !pattern.spares(key));
                let calls = wire::remove_joined(&keys, prefix, self.servers.keep_together());
                removed += self.count_each(calls, applied, deadline).await?;
                applied |= !keys.is_empty();
                if next == 0 {
                    break;
                }
                cursor = next;
            }
        }
        Ok(removed)
    }

    async fn list(
        &self,
        prefix: &Prefix,
        pattern: &Pattern,
        from: Option<&str>,
        deadline: Deadline,
    ) -> Result<Page> {
        self.page(prefix, pattern, from, deadline).await
    }

    /// Who asks for a lease has looked before and found nothing: the script looks once more by itself.
    async fn lookup(&self, key: &Key<'_>, ask: Ask, deadline: Deadline) -> Result<Lookup> {
        if let Ask::Lease(hold) = ask {
            let placeholder = wire::placeholder()?;
            let offer = Offer::new(self, vec![wire::take_back(key, &placeholder)]);
            let reply = self.call(&wire::lease(key, &placeholder, hold), deadline).await;
            if reply.as_ref().map_or_else(|error| error.code().is_some(), |_| true) {
                offer.answered();
            }
            return wire::read_lease(reply?, placeholder, key);
        }
        let request = wire::look(key, Depth::to_answer(ask, &[*key]));
        Ok(wire::read_look(self.servers.exchange(&request, deadline).await?)?.answer(ask, key))
    }

    async fn lookup_many(&self, keys: &[Key<'_>], ask: Ask, deadline: Deadline) -> Result<Vec<Lookup>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        if let Ask::Lease(hold) = ask {
            return self.lease_many(keys, hold, deadline).await;
        }
        let seen = self.look_many(keys, Depth::to_answer(ask, keys), deadline).await?;
        Ok(seen.into_iter().zip(keys).map(|(seen, key)| seen.answer(ask, key)).collect())
    }

    async fn renew(&self, key: &Key<'_>, lease: &Lease, hold: Duration, deadline: Deadline) -> Result<bool> {
        match wire::renew(key, lease, hold) {
            Some(call) => wire::read_done(self.call(&call, deadline).await?),
            None => Ok(true),
        }
    }

    async fn fill_many(&self, fills: &[Fill<'_>], deadline: Deadline) -> Result<()> {
        self.do_each(fills.iter().map(wire::fill).collect(), deadline).await
    }

    async fn abandon_many(&self, leases: &[(Key<'_>, Lease)], deadline: Deadline) -> Result<()> {
        let calls = leases.iter().filter_map(|(key, lease)| Some(wire::retire(key, lease.token.as_ref()?)));
        self.do_each(calls.collect(), deadline).await
    }

    async fn take_permits(&self, key: &Key<'_>, permits: &Permits, deadline: Deadline) -> Result<Decision> {
        wire::read_permits(self.call(&wire::take_permits(key, permits), deadline).await?, permits)
    }

    async fn lock(&self, claim: &Claim<'_>, deadline: Deadline) -> Result<Option<u64>> {
        match claim.replicas {
            0 => wire::read_fencing(self.call(&wire::lock(claim), deadline).await?),
            _ => self.lock_and_wait(claim, deadline).await,
        }
    }

    async fn keep_lock(&self, claim: &Claim<'_>, deadline: Deadline) -> Result<Option<u64>> {
        wire::read_fencing(self.call(&wire::keep_lock(claim), deadline).await?)
    }

    async fn unlock(&self, claim: &Claim<'_>, deadline: Deadline) -> Result<Unlocked> {
        wire::read_unlocked(self.call(&wire::unlock(claim), deadline).await?)
    }

    async fn woken(&self, claim: &Claim<'_>, patience: Duration, deadline: Deadline) -> Result<Option<bool>> {
        self.listen(claim, patience, deadline).await
    }

    fn confirms_replicas(&self) -> bool {
        self.servers.keep_together()
    }

    async fn lock_warnings(&self, deadline: Deadline) -> Result<Vec<String>> {
        self.warnings(deadline).await
    }

    fn by_server(&self, keys: &[Key<'_>]) -> Vec<Vec<usize>> {
        if self.servers.keep_together() {
            return vec![(0..keys.len()).collect()];
        }
        let mut servers: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (position, key) in keys.iter().enumerate() {
            servers.entry(self.servers.place(key.joined().as_bytes())).or_default().push(position);
        }
        servers.into_values().collect()
    }

    fn keeps_stale(&self) -> bool {
        true
    }

    async fn servers(&self, deadline: Deadline) -> Result<Vec<ServerInfo>> {
        let mut servers = Vec::new();
        for share in self.servers.shares(deadline).await? {
            let reply = self.servers.exchange_on(&share, &wire::info(), deadline).await?;
            let facts = wire::read_info(wire::read_last(reply)?)?;
            servers.push(ServerInfo::new(self.servers.address(&share), facts));
        }
        Ok(servers)
    }

    async fn ping(&self, deadline: Deadline) -> Result<()> {
        self.servers.ping(deadline).await
    }
}

/// Steps that several verbs share.
#[maybe_async]
impl Remote {
    async fn look_many(&self, keys: &[Key<'_>], depth: Depth, deadline: Deadline) -> Result<Vec<Seen>> {
        if self.servers.keep_together() {
            let request = wire::look_many(keys, depth);
            return wire::read_look_many(self.servers.exchange(&request, deadline).await?, keys.len());
        }
        let request = wire::look_each(keys, depth);
        wire::read_look_each(self.servers.exchange(&request, deadline).await?, keys.len())
    }

    async fn lease_many(&self, keys: &[Key<'_>], hold: Duration, deadline: Deadline) -> Result<Vec<Lookup>> {
        let placeholders = keys.iter().map(|_| wire::placeholder()).collect::<Result<Vec<_>>>()?;
        let lease = |(key, placeholder): (_, &Vec<u8>)| wire::lease(key, placeholder, hold);
        let calls: Vec<Call> = keys.iter().zip(&placeholders).map(lease).collect();
        let take_back = keys.iter().zip(&placeholders).map(|(key, offered)| wire::take_back(key, offered));
        let offer = Offer::new(self, take_back.collect());
        let replies = self.call_each(&calls, deadline).await?;
        let read = |((key, placeholder), reply): ((_, _), Result<_>)| match reply {
            // To a look at many, what another program keeps there as another type was absent; it stays.
            Err(error) if error.kind() == ErrorKind::Decode => Ok(Lookup::Lease(Lease { token: None })),
            reply => wire::read_lease(reply?, placeholder, key),
        };
        let seen = keys.iter().zip(placeholders).zip(replies).map(read).collect::<Result<_>>()?;
        // If one was refused, the others are taken back: whoever asked hears of none.
        offer.answered();
        Ok(seen)
    }

    /// All in one round trip, whatever each came to; the first refusal is told.
    async fn do_each(&self, calls: Vec<Call>, deadline: Deadline) -> Result<()> {
        wire::all_or_partial(self.call_each(&calls, deadline).await?).map(drop)
    }

    /// The sum of what each counted.
    async fn count_each(&self, calls: Vec<Call>, applied: bool, deadline: Deadline) -> Result<u64> {
        let replies = self.call_each(&calls, deadline).await.and_then(wire::all_or_partial);
        let replies = replies.map_err(|error| error.after_partial(applied))?;
        replies.into_iter().map(wire::read_count).sum()
    }
}
