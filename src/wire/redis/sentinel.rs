//! What sentinels are asked, and how a master is told from a replica.

use redis::Value;

use super::Request;
use super::reply::{read_many, read_value};
use crate::error::{Error, ErrorKind, Result};
use crate::handle::redis::Endpoint;

/// Asks a sentinel where the master of this name is.
pub(crate) fn master_of(name: &str) -> Request {
    let mut ask = redis::cmd("SENTINEL");
    ask.arg("GET-MASTER-ADDR-BY-NAME").arg(name);
    Request::read(ask)
}

/// The reply to [`master_of`]; `None` from a sentinel that does not know the name.
///
/// # Errors
/// `Misconfigured` if it is no sentinel.
pub(crate) fn read_master(reply: Value) -> Result<Option<Endpoint>> {
    let parts = match read_value(reply) {
        Ok(Value::Nil) => return Ok(None),
        Ok(parts) => read_many(parts)?,
        Err(error) if error.code() == Some("ERR") => {
            let text = "this server is no sentinel; the port of a sentinel is usually 26379";
            return Err(Error::new(ErrorKind::Misconfigured, text).with_source(error));
        }
        Err(error) => return Err(error),
    };
    let text = |at: usize| std::str::from_utf8(parts.get(at)?.as_deref()?).ok();
    let master = text(0).zip(text(1).and_then(|port| port.parse().ok()));
    let (host, port) = master
        .filter(|(host, _)| !host.is_empty())
        .ok_or_else(|| Error::new(ErrorKind::Protocol, "the sentinel answered with no host and port"))?;
    Ok(Some(Endpoint::new(host, port)))
}

/// Whether the reply to `HELLO` is that of a replica.
pub(super) fn is_replica(reply: &Value) -> bool {
    let is =
        |value: &Value, text: &str| matches!(value, Value::BulkString(bytes) if bytes == text.as_bytes());
    let is_of_replica = |name: &Value, value: &Value| is(name, "role") && !is(value, "master");
    match reply {
        Value::Array(pairs) => pairs.chunks_exact(2).any(|pair| is_of_replica(&pair[0], &pair[1])),
        Value::Map(pairs) => pairs.iter().any(|(name, value)| is_of_replica(name, value)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(text: &str) -> Value {
        redis::parse_redis_value(text.replace('\n', "\r\n").as_bytes()).unwrap()
    }

    #[test]
    fn a_sentinel_names_the_master_or_does_not_know_it() {
        let known = read_master(reply("*2\n$3\n::1\n$4\n6379\n")).unwrap().unwrap();
        assert_eq!(known, Endpoint::new("::1", 6_379));
        assert_eq!(read_master(reply("*-1\n")).unwrap(), None);
        let other = read_master(reply("-ERR unknown command 'SENTINEL'\n")).unwrap_err();
        assert_eq!(other.kind(), ErrorKind::Misconfigured);
        assert_eq!(
            read_master(reply("-NOAUTH Authentication required.\n")).unwrap_err().kind(),
            ErrorKind::Auth
        );
        for text in ["*0\n", "*2\n$0\n\n$1\n1\n", "*2\n$1\na\n$1\nb\n", ":1\n"] {
            assert_eq!(read_master(reply(text)).unwrap_err().kind(), ErrorKind::Protocol, "{text}");
        }
    }

    #[test]
    fn a_replica_is_known_by_its_role() {
        let hello = |role: &str| {
            reply(&format!("*6\n$5\nproto\n:2\n$4\nrole\n${}\n{role}\n$7\nmodules\n*0\n", role.len()))
        };
        assert!(
            is_replica(&hello("replica")) && is_replica(&hello("slave")) && !is_replica(&hello("master"))
        );
        let by_resp3 = |role: &str| {
            redis::parse_redis_value(format!("%1\r\n$4\r\nrole\r\n${}\r\n{role}\r\n", role.len()).as_bytes())
        };
        assert!(is_replica(&by_resp3("replica").unwrap()) && !is_replica(&by_resp3("master").unwrap()));
        assert!(!is_replica(&Value::Okay));
    }
}
