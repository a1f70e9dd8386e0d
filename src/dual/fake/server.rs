//! The server that is not there, as a backend: logs each request, meets the fault that was planned for it, and does it.

use super::super::backend::{Backend, plus};
use super::{maybe_async, rt};

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::codec::counter_to_text;
use crate::deadline::Deadline;
use crate::entry::{Ask, Condition, Entry, Fill, Lease, Lookup, Page, Version};
use crate::error::{Error, Result};
use crate::key::{Key, Prefix};
use crate::pattern::Pattern;
use crate::testing::{Fake, Fault, Op};
use crate::ttl::{Lifetime, Remaining};

pub(super) struct Server {
    fake: Arc<Fake>,
}

impl Server {
    pub(super) fn new(fake: Arc<Fake>) -> Server {
        Server { fake }
    }
}

#[maybe_async]
impl Server {
    /// One request: its place in the log, its fault, and what it does.
    async fn serve<R>(
        &self,
        op: Op,
        keys: &[Key<'_>],
        deadline: Deadline,
        act: impl FnOnce(&Fake) -> Result<R>,
    ) -> Result<R> {
        let fake = &*self.fake;
        fake.log.call(op, keys.iter().map(Key::joined).collect());
        match fake.faults.meet(op) {
            None => act(fake),
            Some(Fault::Fail(kind)) => Err(Error::new(kind, "the fake was told to fail")),
            Some(Fault::DropReply) => act(fake).and(Err(Fault::unanswered(op))),
            Some(Fault::Delay(by)) => {
                let patience = deadline.remaining()?;
                fake.clock.advance(by);
                let done = act(fake)?;
                if by < patience { Ok(done) } else { Err(Fault::unanswered(op)) }
            }
            Some(Fault::Hang) => {
                let gate = fake.faults.gate();
                match rt::landed(&gate, deadline.instant()).await? {
                    Some(_) => act(fake),
                    None => Err(Deadline::passed()),
                }
            }
        }
    }
}

#[maybe_async]
impl Backend for Server {
    fn name(&self) -> &str {
        "fake"
    }

    async fn get(&self, key: &Key<'_>, deadline: Deadline) -> Result<Option<Entry>> {
        self.serve(Op::Get, &[*key], deadline, |fake| Ok(fake.shelf.get(key))).await
    }

    async fn get_many(&self, keys: &[Key<'_>], deadline: Deadline) -> Result<Vec<Option<Entry>>> {
        let get = |fake: &Fake| Ok(keys.iter().map(|key| fake.shelf.get(key)).collect());
        self.serve(Op::Get, keys, deadline, get).await
    }

    async fn store(
        &self,
        key: &Key<'_>,
        bytes: &[u8],
        lifetime: Lifetime,
        condition: &Condition,
        deadline: Deadline,
    ) -> Result<bool> {
        let store = |fake: &Fake| Ok(fake.shelf.store(key, bytes, lifetime, condition));
        self.serve(op_of(condition), &[*key], deadline, store).await
    }

    async fn store_many(
        &self,
        items: &[(Key<'_>, Vec<u8>)],
        lifetime: Lifetime,
        condition: &Condition,
        deadline: Deadline,
    ) -> Result<()> {
        let keys: Vec<_> = items.iter().map(|(key, _)| *key).collect();
        let store = |fake: &Fake| {
            for (key, bytes) in items {
                fake.shelf.store(key, bytes, lifetime, condition);
            }
            Ok(())
        };
        self.serve(op_of(condition), &keys, deadline, store).await
    }

    async fn remove(&self, key: &Key<'_>, version: Option<&Version>, deadline: Deadline) -> Result<bool> {
        self.serve(Op::Delete, &[*key], deadline, |fake| Ok(fake.shelf.remove(key, version))).await
    }

    async fn remove_many(&self, keys: &[Key<'_>], deadline: Deadline) -> Result<u64> {
        let remove = |fake: &Fake| Ok(keys.iter().map(|key| u64::from(fake.shelf.remove(key, None))).sum());
        self.serve(Op::Delete, keys, deadline, remove).await
    }

    async fn take(&self, key: &Key<'_>, deadline: Deadline) -> Result<Option<Entry>> {
        self.serve(Op::Take, &[*key], deadline, |fake| Ok(fake.shelf.take(key))).await
    }

    async fn exists(&self, key: &Key<'_>, deadline: Deadline) -> Result<bool> {
        self.serve(Op::Exists, &[*key], deadline, |fake| Ok(fake.shelf.get(key).is_some())).await
    }

    async fn touch(&self, key: &Key<'_>, lifetime: Lifetime, deadline: Deadline) -> Result<bool> {
        self.serve(Op::Touch, &[*key], deadline, |fake| Ok(fake.shelf.touch(key, lifetime))).await
    }

    async fn remaining(&self, key: &Key<'_>, deadline: Deadline) -> Result<Option<Remaining>> {
        self.serve(Op::Ttl, &[*key], deadline, |fake| Ok(fake.shelf.remaining(key))).await
    }

    async fn add(&self, key: &Key<'_>, delta: i64, lifetime: Lifetime, deadline: Deadline) -> Result<i64> {
        let count = |held: Option<&[u8]>| {
            let sum = held.map_or(Ok(delta), |text| plus(text, delta))?;
            Ok((counter_to_text(sum), sum))
        };
        self.serve(Op::Incr, &[*key], deadline, |fake| fake.shelf.change(key, lifetime, count)).await
    }

    async fn remove_matching(&self, prefix: &Prefix, pattern: &Pattern, deadline: Deadline) -> Result<u64> {
        let remove = |fake: &Fake| Ok(fake.shelf.remove_matching(prefix, pattern));
        self.serve(Op::Clear, &[], deadline, remove).await
    }

    async fn list(
        &self,
        prefix: &Prefix,
        pattern: &Pattern,
        from: Option<&str>,
        deadline: Deadline,
    ) -> Result<Page> {
        self.serve(Op::List, &[], deadline, |fake| Ok(fake.shelf.list(prefix, pattern, from))).await
    }

    async fn lookup(&self, key: &Key<'_>, ask: Ask, deadline: Deadline) -> Result<Lookup> {
        self.serve(op_of_look(ask), &[*key], deadline, |fake| Ok(fake.shelf.lookup(key, ask))).await
    }

    async fn lookup_many(&self, keys: &[Key<'_>], ask: Ask, deadline: Deadline) -> Result<Vec<Lookup>> {
        let look = |fake: &Fake| Ok(keys.iter().map(|key| fake.shelf.lookup(key, ask)).collect());
        self.serve(op_of_look(ask), keys, deadline, look).await
    }

    async fn renew(&self, key: &Key<'_>, lease: &Lease, hold: Duration, deadline: Deadline) -> Result<bool> {
        self.serve(Op::Renew, &[*key], deadline, |fake| Ok(fake.shelf.renew(key, lease, hold))).await
    }

    async fn fill(
        &self,
        key: &Key<'_>,
        lease: &Lease,
        bytes: &[u8],
        lifetime: Lifetime,
        deadline: Deadline,
    ) -> Result<bool> {
        let fill = |fake: &Fake| Ok(fill_by(fake, key, lease, bytes, lifetime));
        self.serve(Op::Fill, &[*key], deadline, fill).await
    }

    async fn fill_many(&self, fills: &[Fill<'_>], deadline: Deadline) -> Result<()> {
        let keys: Vec<_> = fills.iter().map(|fill| fill.key).collect();
        let fill = |fake: &Fake| {
            for Fill { key, lease, bytes, lifetime } in fills {
                fill_by(fake, key, lease, bytes, *lifetime);
            }
            Ok(())
        };
        self.serve(Op::Fill, &keys, deadline, fill).await
    }

    async fn abandon(&self, key: &Key<'_>, lease: &Lease, deadline: Deadline) -> Result<()> {
        self.abandon_many(&[(*key, lease.clone())], deadline).await
    }

    async fn abandon_many(&self, leases: &[(Key<'_>, Lease)], deadline: Deadline) -> Result<()> {
        let keys: Vec<_> = leases.iter().map(|(key, _)| *key).collect();
        let abandon = |fake: &Fake| {
            for (key, lease) in leases {
                if let Some(token) = &lease.token {
                    fake.shelf.remove(key, Some(token));
                }
            }
            Ok(())
        };
        self.serve(Op::Abandon, &keys, deadline, abandon).await
    }

    fn loading(&self, key: &str) {
        self.fake.log.load(key);
    }

    fn clock(&self) -> Option<Clock> {
        Some(self.fake.clock.clone())
    }

    fn keeps_stale(&self) -> bool {
        true
    }

    async fn ping(&self, deadline: Deadline) -> Result<()> {
        self.serve(Op::Ping, &[], deadline, |_| Ok(())).await
    }
}

fn fill_by(fake: &Fake, key: &Key<'_>, lease: &Lease, bytes: &[u8], lifetime: Lifetime) -> bool {
    let Some(token) = lease.token.clone() else { return false };
    fake.shelf.store(key, bytes, lifetime, &Condition::Unchanged(token))
}

fn op_of(condition: &Condition) -> Op {
    match condition {
        Condition::Always => Op::Set,
        Condition::Absent => Op::Add,
        Condition::Present => Op::Replace,
        Condition::Unchanged(_) => Op::Update,
    }
}

fn op_of_look(ask: Ask) -> Op {
    match ask {
        Ask::Lease(_) => Op::Lease,
        Ask::Value | Ask::Age => Op::Get,
    }
}
