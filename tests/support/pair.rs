use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use super::{World, ask_raw, memcached, redis};

/// Two handles of one world on one server, which share nothing in this process: as two processes have them.
#[derive(Debug)]
pub struct Pair {
    pub kind: Kind,
    pub here: World,
    pub there: World,
    pub prefix: String,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    Redis,
    Memcached,
}

/// A pair in each world on each server, every one in a namespace of its own: `pairs!(stale_for(D), timeout(D))`.
macro_rules! pairs {
    ($($setter:ident($($argument:expr),*)),* $(,)?) => {{
        use $crate::support::{Kind, Pair, memcached, redis, worlds};
        let mut pairs = Vec::new();
        for (kind, world) in [(Kind::Redis, 0), (Kind::Redis, 1), (Kind::Memcached, 0), (Kind::Memcached, 1)] {
            let prefix = Pair::new_prefix();
            let handle = || match kind {
                Kind::Redis => {
                    let redis = lexigram_cache::Redis::builder(redis().url()).build().unwrap();
                    worlds!(redis, prefix(&prefix) $(, $setter($($argument),*))*)
                }
                Kind::Memcached => {
                    let memcached = lexigram_cache::Memcached::builder([memcached().url()]).build().unwrap();
                    worlds!(memcached, prefix(&prefix) $(, $setter($($argument),*))*)
                }
            };
            let [here, there] = [handle(), handle()].map(|worlds| worlds[world].clone());
            pairs.push(Pair { kind, here, there, prefix });
        }
        pairs
    }};
}

pub(crate) use pairs;

/// Runs a test on each of these pairs, all at the same time.
pub fn side_by_side(pairs: Vec<Pair>, test: impl Fn(&Pair) + Sync) {
    thread::scope(|scope| {
        pairs.iter().for_each(|pair| drop(scope.spawn(|| test(pair))));
    });
}

/// Runs this on another thread: as another caller, and outside the runtime that may be running here.
pub fn elsewhere<R: Send>(act: impl FnOnce() -> R + Send) -> R {
    thread::scope(|scope| scope.spawn(act).join()).unwrap_or_else(|panic| resume_unwind(panic))
}

impl Pair {
    pub fn new_prefix() -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        format!("pair{}", NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// The text that the server holds under this name of the namespace, lease placeholders included.
    pub fn text(&self, name: &str) -> Option<String> {
        self.text_at(&format!("{}:{name}", self.prefix))
    }

    /// Whether a reload of this name is marked as somebody's.
    pub fn is_marked(&self, name: &str) -> bool {
        self.text_at(&format!("lexigram-reload:{}:{name}", self.prefix)).is_some()
    }

    fn text_at(&self, key: &str) -> Option<String> {
        let answer = self.ask(&match self.kind {
            Kind::Redis => format!("GET {key}\r\n"),
            Kind::Memcached => format!("get {key}\r\n"),
        });
        let (header, rest) = answer.split_once("\r\n").expect("an answer has a first line");
        let length = match self.kind {
            Kind::Redis => header.strip_prefix('$').expect("GET answers with a string"),
            Kind::Memcached => header.rsplit(' ').next().unwrap_or_default(),
        };
        Some(rest[..length.parse::<usize>().ok()?].to_owned())
    }

    /// Another client's write, for so many seconds.
    pub fn put(&self, name: &str, text: &str, seconds: u64) {
        let (prefix, length) = (&self.prefix, text.len());
        let answer = self.ask(&match self.kind {
            Kind::Redis => format!("SET {prefix}:{name} {text} EX {seconds}\r\n"),
            Kind::Memcached => format!("set {prefix}:{name} 0 {seconds} {length}\r\n{text}\r\n"),
        });
        assert!(["+OK\r\n", "STORED\r\n"].contains(&&*answer), "{answer}");
    }

    /// Another client's removal of what is there, be it a lease.
    pub fn remove(&self, name: &str) {
        let prefix = &self.prefix;
        let answer = self.ask(&match self.kind {
            Kind::Redis => format!("DEL {prefix}:{name}\r\n"),
            Kind::Memcached => format!("delete {prefix}:{name}\r\n"),
        });
        assert!([":1\r\n", "DELETED\r\n"].contains(&&*answer), "{answer}");
    }

    fn ask(&self, request: &str) -> String {
        let addr = match self.kind {
            Kind::Redis => redis().addr(),
            Kind::Memcached => memcached().addr(),
        };
        ask_raw(addr, request.as_bytes())
    }
}
