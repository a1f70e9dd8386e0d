//! What both kinds of servers tell of themselves, under one set of names.

use lexigram_cache::ServerInfo;

#[derive(Clone, Debug)]
pub struct Server {
    pub version: Option<String>,
    pub hits: Option<u64>,
    pub misses: Option<u64>,
    pub keys: Option<u64>,
    /// Bytes.
    pub used: Option<u64>,
    /// Bytes; none where there is no bound.
    pub limit: Option<u64>,
    pub evicted: Option<u64>,
    pub expired: Option<u64>,
    pub clients: Option<u64>,
    pub max_clients: Option<u64>,
    /// What Redis does when it is full, in its own word.
    pub policy: Option<String>,
}

impl Server {
    pub fn of(info: &ServerInfo) -> Server {
        let either = |redis: &str, memcached: &str| info.number(redis).or_else(|| info.number(memcached));
        let text = |name: &str| info.facts.get(name).cloned();
        Server {
            version: text("redis_version").or_else(|| text("version")),
            hits: either("keyspace_hits", "get_hits"),
            misses: either("keyspace_misses", "get_misses"),
            keys: info.number("curr_items").or_else(|| keys(info)),
            used: either("used_memory", "bytes"),
            limit: either("maxmemory", "limit_maxbytes").filter(|limit| *limit > 0),
            evicted: either("evicted_keys", "evictions"),
            expired: either("expired_keys", "expired_unfetched"),
            clients: either("connected_clients", "curr_connections"),
            max_clients: either("maxclients", "max_connections"),
            policy: text("maxmemory_policy"),
        }
    }

    /// The same, with what is counted from this look on.
    pub fn since(&self, before: &Server) -> Server {
        let less = |now: Option<u64>, then: Option<u64>| Some(now?.saturating_sub(then.unwrap_or_default()));
        Server {
            hits: less(self.hits, before.hits),
            misses: less(self.misses, before.misses),
            evicted: less(self.evicted, before.evicted),
            expired: less(self.expired, before.expired),
            ..self.clone()
        }
    }

    /// How many of the reads were hits; none without reads.
    pub fn ratio(&self) -> Option<f64> {
        let (hits, misses) = (self.hits?, self.misses?);
        (hits + misses > 0).then(|| hits as f64 / (hits + misses) as f64)
    }

    /// How full it is, where there is a bound.
    pub fn fullness(&self) -> Option<f64> {
        Some(self.used? as f64 / self.limit? as f64)
    }
}

/// Of all databases: `db0:keys=3,expires=1,avg_ttl=0`.
fn keys(info: &ServerInfo) -> Option<u64> {
    let databases = info.facts.iter().filter(|(name, _)| {
        name.strip_prefix("db").is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
    });
    let count = |fact: &str| fact.strip_prefix("keys=")?.split(',').next()?.parse::<u64>().ok();
    info.facts.contains_key("redis_version").then(|| databases.filter_map(|(_, fact)| count(fact)).sum())
}
