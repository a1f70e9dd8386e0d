//! `doctor`: looks at each backend, and says what to do.

use std::net::IpAddr;
use std::time::Duration;

use lexigram_cache::config::{BackendKind, RedisConfig};
use lexigram_cache::{ServerInfo, Status};
use serde_json::json;

use crate::tool::arguments::Common;
use crate::tool::configured::{Configured, Target, address};
use crate::tool::failure::{Code, Failure};
use crate::tool::output::{Colour, Output};
use crate::tool::percentiles::Percentiles;
use crate::tool::server::Server;
use crate::tool::time::latency;

/// What a look at one thing found, and what to do about it.
struct Finding {
    state: State,
    what: &'static str,
    detail: String,
    advice: Option<&'static str>,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum State {
    Good,
    Doubtful,
    Bad,
}

pub fn run(common: &Common, output: &mut Output<'_>) -> Result<Code, Failure> {
    let mut all = Code::Done;
    for target in Configured::find(common)?.targets(common)? {
        let name = &target.backend.name;
        for finding in look(&target) {
            let (word, colour, code) = match finding.state {
                State::Good => ("good", Colour::Green, Code::Done),
                State::Doubtful => ("look", Colour::Yellow, Code::No),
                State::Bad => ("bad", Colour::Red, Code::Unavailable),
            };
            all = if code as u8 > all as u8 { code } else { all };
            let Finding { what, detail, advice, .. } = finding;
            let mut line = format!("{name}: {} {what}: {detail}", output.paint(colour, word));
            if let Some(advice) = advice {
                line = line + "; " + advice;
            }
            let object =
                json!({"backend": name, "state": word, "what": what, "detail": detail, "advice": advice});
            output.line(&object, line)?;
        }
    }
    Ok(all)
}

fn look(target: &Target) -> Vec<Finding> {
    if target.is_memory() {
        return vec![good("connection", "memory of this process, no server".to_owned())];
    }
    let mut findings = vec![connection(target)];
    findings.extend(transport(target));
    if findings[0].state == State::Bad {
        return findings;
    }
    findings.push(latencies(target));
    match target.cache.servers() {
        Ok(servers) => findings.extend(servers.iter().flat_map(server)),
        Err(error) => findings.push(Finding {
            state: State::Doubtful,
            what: "server",
            detail: error.to_string(),
            advice: Some("let the user ask INFO, or look at the server yourself"),
        }),
    }
    findings
}

fn connection(target: &Target) -> Finding {
    let health = target.cache.health();
    match health.status {
        Status::Up => good("connection", format!("{} answers", address(&target.backend.kind))),
        _ => Finding {
            state: State::Bad,
            what: "connection",
            detail: health.detail,
            advice: Some("start the server, or correct address, credentials and firewall"),
        },
    }
}

/// Whether passwords and values go over a network where others can read them.
fn transport(target: &Target) -> Option<Finding> {
    let (safe, advice) = match &target.backend.kind {
        BackendKind::Redis(redis) => (is_private(redis), "use rediss:// (redis_ssl: true)"),
        BackendKind::Memcached(memcached) => (
            memcached.addresses().iter().all(|address| is_loopback(address)),
            "keep it on a network of its own: it knows no TLS",
        ),
        _ => return None,
    };
    Some(match safe {
        true => good("transport", "by TLS, or within this machine".to_owned()),
        false => Finding {
            state: State::Doubtful,
            what: "transport",
            detail: "values and credentials go over the network in the clear".to_owned(),
            advice: Some(advice),
        },
    })
}

fn is_private(redis: &RedisConfig) -> bool {
    let address = redis.address();
    let (scheme, rest) = address.expose().split_once("://").unwrap_or_default();
    let place = rest.split(['?', '/']).next().unwrap_or_default();
    let first = scheme == "rediss"
        || scheme.contains("unix")
        || is_loopback(place.rsplit('@').next().unwrap_or_default());
    first && (scheme == "rediss" || redis.further_nodes().iter().all(|node| is_loopback(node)))
}

/// Of `host:port`.
fn is_loopback(address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host).trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn latencies(target: &Target) -> Finding {
    let mut seen = Percentiles::default();
    for _ in 0..LOOKS {
        seen.note(target.cache.health().latency);
    }
    let (median, p99, most) = (seen.at(0.5), seen.at(0.99), seen.at(1.0));
    let detail = format!("p50 {}, p99 {}, max {}", latency(median), latency(p99), latency(most));
    match p99 > target.backend.timeout / 4 || median > SLOW {
        false => good("latency", detail),
        true => Finding {
            state: State::Doubtful,
            what: "latency",
            detail,
            advice: Some(
                "the server is far, busy or swapping: a cache that is slower than its origin costs more than it gives",
            ),
        },
    }
}

fn server(info: &ServerInfo) -> Vec<Finding> {
    let server = Server::of(info);
    let mut findings = vec![version(info, &server)];
    findings.extend(memory(&server));
    findings.extend(clients(&server));
    findings
}

fn version(info: &ServerInfo, server: &Server) -> Finding {
    let version = server.version.as_deref().unwrap_or("unknown");
    let is_redis = info.facts.contains_key("redis_version");
    let (name, needed) = if is_redis { ("redis", (6, 2)) } else { ("memcached", (1, 6)) };
    let detail = format!("{name} {version} at {}", info.address);
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or_default());
    let has = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if has >= needed {
        return good("version", detail);
    }
    let advice = if is_redis { "Redis 6.2 or newer is needed" } else { "memcached 1.6 or newer is needed" };
    Finding { state: State::Doubtful, what: "version", detail, advice: Some(advice) }
}

fn memory(server: &Server) -> Vec<Finding> {
    let doubt = |detail: String, advice| Finding {
        state: State::Doubtful,
        what: "memory",
        detail,
        advice: Some(advice),
    };
    let used = server.used.unwrap_or_default();
    let Some(limit) = server.limit else {
        let advice = "set maxmemory, or a cache takes what the machine has";
        return vec![doubt(format!("{used} bytes used, without a bound"), advice)];
    };
    let full = server.fullness().unwrap_or_default() * 100.0;
    let detail = format!("{used} of {limit} bytes used ({full:.0} %)");
    let mut findings = match server.policy.as_deref() {
        Some("noeviction") => vec![doubt(
            format!("{detail}, maxmemory-policy noeviction"),
            "writes fail once it is full; for a cache take allkeys-lfu or allkeys-lru, and keep locks and limits on another server",
        )],
        Some(policy) if policy.starts_with("volatile") => vec![doubt(
            format!("{detail}, maxmemory-policy {policy}"),
            "values without a lifetime never leave; give default_ttl, or take allkeys-lfu",
        )],
        Some(policy) => vec![good("memory", format!("{detail}, maxmemory-policy {policy}"))],
        None => vec![good("memory", detail)],
    };
    if let Some(evicted @ 1..) = server.evicted {
        findings.push(good("evictions", format!("{evicted} since the server began")));
    }
    findings
}

fn clients(server: &Server) -> Option<Finding> {
    let (clients, most) = (server.clients?, server.max_clients?);
    let detail = format!("{clients} of {most}");
    Some(match clients * 10 > most * 8 {
        false => good("clients", detail),
        true => Finding {
            state: State::Doubtful,
            what: "clients",
            detail,
            advice: Some("lower the pool sizes, or raise what the server takes"),
        },
    })
}

fn good(what: &'static str, detail: String) -> Finding {
    Finding { state: State::Good, what, detail, advice: None }
}

const LOOKS: usize = 200;
/// A look at a cache in the same room takes less.
const SLOW: Duration = Duration::from_millis(20);
