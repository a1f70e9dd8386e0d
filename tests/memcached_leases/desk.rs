use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use lexigram_cache::{
    Ask, Condition, Fill, Key, Lease, Lifetime, Lookup, Memcached, Prefix, Remaining, Result,
};

use crate::support::{Side, ask, ask_raw, memcached, sides, soon};

pub const MINUTE: Duration = Duration::from_secs(60);

/// One backend of either world, with a namespace of its own, and short words for what it can do.
pub struct Desk {
    backend: Side,
    clearable: bool,
    prefix: Prefix,
    name: String,
}

/// Runs a test on both kinds of namespace in both worlds.
pub fn each(test: impl Fn(&Desk)) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    for clearable in [false, true] {
        let handle = Memcached::builder([memcached().url()]).clearable(clearable).build().unwrap();
        for backend in sides(&handle) {
            let name = format!("desk{}", NEXT.fetch_add(1, Ordering::Relaxed));
            test(&Desk { backend, clearable, prefix: Prefix::new(&name), name });
        }
    }
}

impl Desk {
    /// The same, whose values are kept so long past their time.
    pub fn keeping(&self, stale_for: Duration) -> Desk {
        let prefix = self.prefix.clone().keeping(stale_for);
        Desk { backend: self.backend.clone(), prefix, clearable: self.clearable, name: self.name.clone() }
    }

    fn key<'a>(&'a self, name: &'a str) -> Key<'a> {
        self.prefix.key(name).unwrap()
    }

    fn keys<'a>(&'a self, names: &[&'a str]) -> Vec<Key<'a>> {
        names.iter().map(|name| self.key(name)).collect()
    }

    pub fn look(&self, name: &str, ask: Ask) -> Lookup {
        ask!(&self.backend, b => b.lookup(&self.key(name), ask, soon())).unwrap()
    }

    pub fn look_many(&self, names: &[&str], ask: Ask) -> Vec<Lookup> {
        ask!(&self.backend, b => b.lookup_many(&self.keys(names), ask, soon())).unwrap()
    }

    pub fn lease(&self, name: &str) -> Lease {
        self.lease_for(name, MINUTE)
    }

    pub fn lease_for(&self, name: &str, hold: Duration) -> Lease {
        match self.look(name, Ask::Lease(hold)) {
            Lookup::Lease(lease) if lease.token.is_some() => lease,
            other => panic!("{other:?} is no lease, in {self:?}"),
        }
    }

    pub fn renew(&self, name: &str, lease: &Lease, hold: Duration) -> bool {
        ask!(&self.backend, b => b.renew(&self.key(name), lease, hold, soon())).unwrap()
    }

    pub fn fill(&self, name: &str, lease: &Lease, bytes: &[u8]) -> bool {
        ask!(&self.backend, b => b.fill(&self.key(name), lease, bytes, Lifetime::Never, soon())).unwrap()
    }

    pub fn fill_many(&self, items: &[(&str, &Lease, &[u8])]) {
        self.try_fill_many(items).unwrap();
    }

    pub fn try_fill_many(&self, items: &[(&str, &Lease, &[u8])]) -> Result<()> {
        let fill = |&(name, lease, bytes): &(_, &Lease, &[u8])| Fill {
            key: self.key(name),
            lease: lease.clone(),
            bytes: bytes.to_vec(),
            lifetime: Lifetime::Never,
        };
        let fills: Vec<_> = items.iter().map(fill).collect();
        ask!(&self.backend, b => b.fill_many(&fills, soon()))
    }

    pub fn abandon(&self, name: &str, lease: &Lease) {
        ask!(&self.backend, b => b.abandon(&self.key(name), lease, soon())).unwrap();
    }

    pub fn abandon_many(&self, leases: &[(&str, &Lease)]) {
        let leases: Vec<_> = leases.iter().map(|&(name, lease)| (self.key(name), lease.clone())).collect();
        ask!(&self.backend, b => b.abandon_many(&leases, soon())).unwrap();
    }

    pub fn get(&self, name: &str) -> Option<Vec<u8>> {
        ask!(&self.backend, b => b.get(&self.key(name), soon())).unwrap().map(|entry| entry.bytes)
    }

    pub fn get_many(&self, names: &[&str]) -> Vec<Option<Vec<u8>>> {
        let entries = ask!(&self.backend, b => b.get_many(&self.keys(names), soon())).unwrap();
        entries.into_iter().map(|entry| entry.map(|entry| entry.bytes)).collect()
    }

    pub fn store(&self, name: &str, bytes: &[u8], condition: &Condition) -> bool {
        self.store_for(name, bytes, condition, Lifetime::Never)
    }

    pub fn store_for(&self, name: &str, bytes: &[u8], condition: &Condition, lifetime: Lifetime) -> bool {
        ask!(&self.backend, b => b.store(&self.key(name), bytes, lifetime, condition, soon())).unwrap()
    }

    pub fn store_many(&self, name: &str, bytes: &[u8]) {
        let items = [(self.key(name), bytes.to_vec())];
        ask!(&self.backend, b => b.store_many(&items, Lifetime::Never, &Condition::Always, soon())).unwrap();
    }

    pub fn remove(&self, name: &str) -> bool {
        ask!(&self.backend, b => b.remove(&self.key(name), None, soon())).unwrap()
    }

    pub fn remove_many(&self, names: &[&str]) -> u64 {
        ask!(&self.backend, b => b.remove_many(&self.keys(names), soon())).unwrap()
    }

    pub fn take(&self, name: &str) -> Option<Vec<u8>> {
        ask!(&self.backend, b => b.take(&self.key(name), soon())).unwrap().map(|entry| entry.bytes)
    }

    pub fn exists(&self, name: &str) -> bool {
        ask!(&self.backend, b => b.exists(&self.key(name), soon())).unwrap()
    }

    pub fn remaining(&self, name: &str) -> Option<Remaining> {
        ask!(&self.backend, b => b.remaining(&self.key(name), soon())).unwrap()
    }

    pub fn touch(&self, name: &str, lifetime: Duration) -> bool {
        ask!(&self.backend, b => b.touch(&self.key(name), Lifetime::For(lifetime), soon())).unwrap()
    }

    /// A counter that is made lives for a minute and as long past it as values are kept.
    pub fn add(&self, name: &str, delta: i64) -> i64 {
        let lifetime = Lifetime::For(MINUTE + self.key(name).stale_for());
        ask!(&self.backend, b => b.add(&self.key(name), delta, lifetime, soon())).unwrap()
    }

    pub fn clears(&self) -> bool {
        self.clearable
    }

    pub fn clear(&self) {
        ask!(&self.backend, b => b.clear(&self.prefix, soon())).unwrap();
    }

    /// What a foreign client gets for this request, in which `{}` stands for the key on the wire.
    pub fn raw(&self, name: &str, request: &str) -> String {
        ask_raw(memcached().addr(), request.replace("{}", &format!("{}:{name}", self.name)).as_bytes())
    }

    /// The flags of a value that a foreign client must write to be seen: a foreign one's own, or the generation.
    pub fn flags(&self) -> u32 {
        if !self.clearable {
            return 7;
        }
        self.store("flags", b"1", &Condition::Always);
        let answer = self.raw("flags", "mg {} f\r\n");
        answer.trim().strip_prefix("HD f").expect("the flags were asked for").parse().unwrap()
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let world = match self.backend {
            Side::Threads(_) => "threads",
            Side::Tasks(_) => "tasks",
        };
        write!(f, "{world}, {}", if self.clearable { "clearable" } else { "plain" })
    }
}
