//! What is said in a cluster beside the verbs: who has which slots, and who is to be asked instead.

use std::ops::RangeInclusive;

use redis::{Cmd, Pipeline, Value};

use super::Request;
use super::reply::read_value;
use super::slot::SLOTS;
use crate::error::{Error, ErrorKind, Result};
use crate::handle::redis::Endpoint;

/// A run of slots and the master that has them.
pub(crate) type Run = (RangeInclusive<u16>, Endpoint);

/// Asks who has which slots.
pub(crate) fn slots() -> Request {
    let mut slots = redis::cmd("CLUSTER");
    slots.arg("SLOTS");
    Request::read(slots)
}

/// The reply to [`slots`] of the server at `asked`.
///
/// # Errors
/// `Misconfigured` if it is no part of a cluster.
pub(crate) fn read_slots(reply: Value, asked: &Endpoint) -> Result<Vec<Run>> {
    let runs = match read_value(reply) {
        Ok(Value::Array(runs)) => runs,
        Ok(_) => return Err(garbled()),
        Err(error) if error.code() == Some("ERR") => {
            let text =
                format!("{asked} is no node of a cluster; take cluster() or `redis_mode: cluster` out");
            return Err(Error::new(ErrorKind::Misconfigured, text).with_source(error));
        }
        Err(error) => return Err(error),
    };
    runs.into_iter().map(|run| read_run(run, asked).ok_or_else(garbled)).collect()
}

/// First slot, last slot, the master, its replicas.
fn read_run(run: Value, asked: &Endpoint) -> Option<Run> {
    let Value::Array(parts) = run else { return None };
    let [first, last, master, ..] = &parts[..] else { return None };
    let slot = |value: &Value| match value {
        Value::Int(slot) => u16::try_from(*slot).ok().filter(|slot| *slot < SLOTS),
        _ => None,
    };
    Some((slot(first)?..=slot(last)?, read_node(master, asked)?))
}

/// Host, port, id, and further names of the host.
fn read_node(node: &Value, asked: &Endpoint) -> Option<Endpoint> {
    let Value::Array(parts) = node else { return None };
    let [host, Value::Int(port), ..] = &parts[..] else { return None };
    let host = match read_text(host).unwrap_or_default() {
        // A node that does not know by what name it is reached.
        "" => &asked.host,
        // One that is to be told by its name and has none.
        "?" => parts.get(3).and_then(address_among).filter(|host| !host.is_empty()).unwrap_or(&asked.host),
        host => host,
    };
    Some(Endpoint::new(host, u16::try_from(*port).ok()?))
}

fn address_among(names: &Value) -> Option<&str> {
    let address = |name: &Value, value| (read_text(name) == Some("ip")).then_some(value).and_then(read_text);
    match names {
        Value::Array(names) => names.chunks_exact(2).find_map(|pair| address(&pair[0], &pair[1])),
        // By RESP3.
        Value::Map(names) => names.iter().find_map(|(name, value)| address(name, value)),
        _ => None,
    }
}

fn read_text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}

fn garbled() -> Error {
    Error::new(ErrorKind::Protocol, "the server answered CLUSTER SLOTS with no slots and nodes")
}

/// A node that is to be asked instead of the one that was. Nothing was done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Redirection {
    /// From now on.
    Moved(u16, Endpoint),
    /// This once, since the slot is on its way and the key has gone ahead.
    Ask(Endpoint),
    /// To one that is to be told by its name and has none. The map knows it by its address.
    Nameless,
}

/// `MOVED slot host:port` or `ASK slot host:port`; without a host, it is that of who says so, and `?` is anybody's.
pub(crate) fn redirection(reply: &Value, asked: &Endpoint) -> Option<Redirection> {
    let Value::ServerError(error) = reply else { return None };
    if !matches!(error.code(), "MOVED" | "ASK") {
        return None;
    }
    let (slot, target) = error.details()?.split_once(' ')?;
    let (host, port) = target.rsplit_once(':')?;
    let port = port.parse().ok()?;
    let target = match host {
        "" => Endpoint::new(&asked.host, port),
        "?" => return Some(Redirection::Nameless),
        host => Endpoint::new(host, port),
    };
    match error.code() {
        "MOVED" => Some(Redirection::Moved(slot.parse().ok().filter(|slot| *slot < SLOTS)?, target)),
        _ => Some(Redirection::Ask(target)),
    }
}

/// Whether this is a node that has lost its cluster: others may know better who has what.
pub(crate) fn is_cluster_down(reply: &Value) -> bool {
    matches!(reply, Value::ServerError(error) if error.code() == "CLUSTERDOWN")
}

/// These commands of a request, in this order, each after an `ASKING` if they are sent where a slot is on its way to.
pub(crate) fn part(request: &Request, positions: &[usize], asking: bool) -> Request {
    let all: Vec<&Cmd> = request.commands.cmd_iter().collect();
    let mut commands = Pipeline::with_capacity(positions.len() * if asking { 2 } else { 1 });
    for position in positions {
        if asking {
            commands.cmd("ASKING");
        }
        commands.add_command(all[*position].clone());
    }
    Request { commands, repeatable: request.repeatable, apart: request.apart }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(text: &str) -> Value {
        redis::parse_redis_value(text.replace('\n', "\r\n").as_bytes()).unwrap()
    }

    fn asked() -> Endpoint {
        Endpoint::new("seed", 1)
    }

    #[test]
    fn every_run_has_its_master_under_the_name_by_which_it_is_reached() {
        let text = "*6\n\
            *4\n:0\n:5460\n*4\n$8\n10.0.0.1\n:7000\n$1\na\n*0\n*4\n$8\n10.0.0.9\n:7009\n$1\nz\n*0\n\
            *3\n:5461\n:5461\n*3\n$-1\n:7001\n$1\nb\n\
            *3\n:5462\n:5462\n*3\n$0\n\n:7002\n$1\nc\n\
            *3\n:5463\n:5463\n*4\n$1\n?\n:7003\n$1\nd\n*2\n$2\nip\n$3\n::1\n\
            *3\n:5464\n:5464\n*4\n$1\n?\n:7005\n$1\nd\n*2\n$2\nip\n$0\n\n\
            *3\n:5465\n:16383\n*2\n$12\nredis-4.test\n:7004\n";
        let runs = read_slots(reply(text), &asked()).unwrap();
        let runs: Vec<_> =
            runs.iter().map(|(run, node)| (*run.start(), *run.end(), node.to_string())).collect();
        let expected = [
            (0, 5_460, "10.0.0.1:7000"),
            (5_461, 5_461, "seed:7001"),
            (5_462, 5_462, "seed:7002"),
            (5_463, 5_463, "[::1]:7003"),
            (5_464, 5_464, "seed:7005"),
            (5_465, 16_383, "redis-4.test:7004"),
        ];
        assert_eq!(runs, expected.map(|(first, last, node)| (first, last, node.to_owned())));
    }

    #[test]
    fn what_is_no_map_is_an_error_that_says_so() {
        let alone = "-ERR This instance has cluster support disabled\n";
        let error = read_slots(reply(alone), &asked()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misconfigured);
        assert!(error.to_string().contains("seed:1 is no node of a cluster"), "{error}");
        let denied = read_slots(reply("-NOPERM no\n"), &asked()).unwrap_err();
        assert_eq!(denied.kind(), ErrorKind::Auth);
        for text in [
            "+OK\n",
            "*1\n:1\n",
            "*1\n*2\n:0\n:1\n",
            "*1\n*3\n:0\n:16384\n*2\n$1\na\n:1\n",
            "*1\n*3\n:0\n:1\n*2\n$1\na\n:70000\n",
        ] {
            assert_eq!(read_slots(reply(text), &asked()).unwrap_err().kind(), ErrorKind::Protocol, "{text}");
        }
        assert!(read_slots(reply("*0\n"), &asked()).unwrap().is_empty());
    }

    #[test]
    fn a_redirection_names_who_is_to_be_asked() {
        let table = [
            (
                "-MOVED 3999 10.0.0.1:6381\n",
                Some(Redirection::Moved(3_999, Endpoint::new("10.0.0.1", 6_381))),
            ),
            ("-MOVED 3999 ::1:6381\n", Some(Redirection::Moved(3_999, Endpoint::new("::1", 6_381)))),
            ("-ASK 3999 redis-1:6381\n", Some(Redirection::Ask(Endpoint::new("redis-1", 6_381)))),
            ("-ASK 3999 :6381\n", Some(Redirection::Ask(Endpoint::new("seed", 6_381)))),
            ("-MOVED 3999 :6381\n", Some(Redirection::Moved(3_999, Endpoint::new("seed", 6_381)))),
            ("-MOVED 3999 ?:6381\n", Some(Redirection::Nameless)),
            ("-ASK 3999 ?:6381\n", Some(Redirection::Nameless)),
            ("-MOVED 3999 ?:x\n", None),
            ("-MOVED 3999 ?\n", None),
            ("-MOVED 99999 a:1\n", None),
            ("-MOVED 1\n", None),
            ("-ERR MOVED 1 a:1\n", None),
            ("+MOVED 1 a:1\n", None),
        ];
        for (text, expected) in table {
            assert_eq!(redirection(&reply(text), &asked()), expected, "{text}");
        }
    }

    #[test]
    fn a_part_keeps_its_commands_in_order_and_asks_before_each() {
        let mut commands = Pipeline::new();
        for key in ["a", "b", "c"] {
            commands.cmd("GET").arg(key);
        }
        let request = Request { commands, repeatable: true, apart: false };
        let words = |request: &Request| {
            let packed = String::from_utf8(request.commands.get_packed_pipeline()).unwrap();
            packed
                .split("\r\n")
                .filter(|word| word.starts_with(char::is_alphabetic))
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(words(&part(&request, &[0, 2], false)), "GET a GET c");
        assert_eq!(words(&part(&request, &[1, 0], true)), "ASKING GET b ASKING GET a");
    }
}
