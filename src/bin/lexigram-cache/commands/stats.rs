//! `stats`: what the servers count, once or again and again.

use std::collections::BTreeMap;
use std::thread;

use lexigram_cache::ServerInfo;
use serde_json::json;

use crate::tool::arguments::{Common, Stats};
use crate::tool::configured::{Configured, Target};
use crate::tool::failure::{Code, Failure};
use crate::tool::output::Output;
use crate::tool::server::Server;
use crate::tool::table::Table;

pub fn run(common: &Common, stats: Stats, output: &mut Output<'_>) -> Result<Code, Failure> {
    let targets = Configured::find(common)?.targets(common)?;
    let mut before: BTreeMap<String, Server> = BTreeMap::new();
    let mut rounds = stats.rounds.map_or(u64::MAX, u64::from);
    loop {
        let mut table = Table::new(&[
            "BACKEND", "SERVER", "HITS", "MISSES", "RATIO", "KEYS", "USED", "LIMIT", "EVICTED", "EXPIRED",
            "CLIENTS",
        ]);
        for target in &targets {
            for info in servers(target)? {
                let now = Server::of(&info);
                let place = format!("{} {}", target.backend.name, info.address);
                // The first look shows what was ever counted, each later one what came since.
                let shown = before.get(&place).map_or(now.clone(), |before| now.since(before));
                before.insert(place, now);
                show(&target.backend.name, &info.address, &shown, &mut table, output)?;
            }
        }
        if !output.is_json() {
            table.lines().try_for_each(|line| output.text(line))?;
        }
        output.flush()?;
        rounds -= 1;
        match stats.watch {
            Some(pause) if rounds > 0 => thread::sleep(pause),
            _ => return Ok(Code::Done),
        }
    }
}

/// Memory has no server: it counts by itself.
fn servers(target: &Target) -> Result<Vec<ServerInfo>, Failure> {
    if !target.is_memory() {
        return Ok(target.cache.servers()?);
    }
    let stats = target.cache.stats();
    let facts = [("keyspace_hits", stats.hits), ("keyspace_misses", stats.misses)];
    let entries = stats.entries.map(|entries| ("curr_items", entries));
    let weight = stats.weight.map(|weight| ("used_memory", weight));
    let facts = facts.into_iter().chain(entries).chain(weight);
    Ok(vec![ServerInfo::new(
        "this process",
        facts.map(|(name, fact)| (name.to_owned(), fact.to_string())).collect(),
    )])
}

fn show(
    backend: &str,
    address: &str,
    server: &Server,
    table: &mut Table,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    if output.is_json() {
        return output.object(&json!({
            "backend": backend, "server": address, "hits": server.hits, "misses": server.misses, "ratio": server.ratio(),
            "keys": server.keys, "used": server.used, "limit": server.limit, "evicted": server.evicted,
            "expired": server.expired, "clients": server.clients,
        }));
    }
    let number = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    table.row([
        backend.to_owned(),
        address.to_owned(),
        number(server.hits),
        number(server.misses),
        server.ratio().map_or_else(|| "-".to_owned(), |ratio| format!("{:.1} %", ratio * 100.0)),
        number(server.keys),
        number(server.used),
        number(server.limit),
        number(server.evicted),
        number(server.expired),
        number(server.clients),
    ]);
    Ok(())
}
