//! What the server said, and what kind of trouble it is.

use std::collections::BTreeMap;
use std::time::Duration;

use redis::{RedisError, Value};

use crate::error::{Error, ErrorKind, Result};
use crate::key::Prefix;
use crate::ttl::Remaining;

/// The reply, with the server's errors as ours.
pub(crate) fn read_value(value: Value) -> Result<Value> {
    match value {
        Value::ServerError(error) => Err(refused(error.code(), error.details().unwrap_or_default())),
        value => Ok(value),
    }
}

/// The reply to a request of one command.
pub(crate) fn last(replies: Vec<Value>) -> Result<Value> {
    replies.into_iter().next_back().ok_or_else(no_reply)
}

/// The same, with the server's errors as ours.
pub(crate) fn read_last(replies: Vec<Value>) -> Result<Value> {
    last(replies).and_then(read_value)
}

pub(crate) fn no_reply() -> Error {
    Error::new(ErrorKind::Protocol, "the server sent no reply")
}

/// What each of several writes came to. If one was refused and another not, a part was applied, in whatever order the
/// servers were asked.
pub(crate) fn all_or_partial(replies: Vec<Result<Value>>) -> Result<Vec<Value>> {
    let applied = replies.iter().any(Result::is_ok);
    replies.into_iter().collect::<Result<_>>().map_err(|error| error.after_partial(applied))
}

/// Whether a replica has refused to write, by itself or, before Redis 7, in the text of a script's error.
pub(crate) fn is_read_only(reply: &Value) -> bool {
    let Value::ServerError(error) = reply else { return false };
    error.code() == "READONLY" || error.details().is_some_and(|details| details.contains("-READONLY"))
}

/// Whether the server is there and will answer, but not yet. Nothing was applied by what it said so of.
pub(crate) fn is_not_ready(answer: &Result<Vec<Value>>) -> bool {
    match answer {
        Ok(replies) => replies
            .iter()
            .any(|reply| matches!(reply, Value::ServerError(error) if NOT_READY.contains(&error.code()))),
        Err(error) => error.code().is_some_and(|code| NOT_READY.contains(&code)),
    }
}

const NOT_READY: [&str; 5] = ["LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "BUSY"];

pub(crate) fn read_bytes(value: Value) -> Result<Option<Vec<u8>>> {
    match value {
        Value::Nil => Ok(None),
        Value::BulkString(bytes) => Ok(Some(bytes)),
        other => Err(unexpected(&other)),
    }
}

pub(crate) fn read_many(value: Value) -> Result<Vec<Option<Vec<u8>>>> {
    match value {
        Value::Array(values) => values.into_iter().map(read_bytes).collect(),
        other => Err(unexpected(&other)),
    }
}

/// Whether a write took place: SET says OK or nothing, scripts and counts say a number.
pub(crate) fn read_done(value: Value) -> Result<bool> {
    match value {
        Value::Okay => Ok(true),
        Value::Nil => Ok(false),
        other => read_count(other).map(|count| count > 0),
    }
}

pub(crate) fn read_count(value: Value) -> Result<u64> {
    match value {
        Value::Int(count) => u64::try_from(count).map_err(|_| unexpected(&Value::Int(count))),
        other => Err(unexpected(&other)),
    }
}

/// A counter comes back as text, since numbers inside scripts are floating.
pub(crate) fn read_sum(value: Value) -> Result<i64> {
    let bytes = read_bytes(value)?.unwrap_or_default();
    std::str::from_utf8(&bytes)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| Error::new(ErrorKind::Protocol, "the server answered a counter with no number"))
}

/// PTTL: −2 is no key, −1 no expiry.
pub(crate) fn read_remaining(value: Value) -> Result<Option<Remaining>> {
    match value {
        Value::Int(-2) => Ok(None),
        Value::Int(-1) => Ok(Some(Remaining::Never)),
        other => read_count(other).map(|millis| Some(Remaining::For(Duration::from_millis(millis)))),
    }
}

/// The lines `name:value` of INFO, which come as a string that says so in RESP3.
pub(crate) fn read_info(value: Value) -> Result<BTreeMap<String, String>> {
    let text = match value {
        Value::VerbatimString { text, .. } => text,
        other => String::from_utf8_lossy(&read_bytes(other)?.unwrap_or_default()).into_owned(),
    };
    let facts = text.lines().filter_map(|line| line.split_once(':'));
    Ok(facts.map(|(name, fact)| (name.to_owned(), fact.trim_end().to_owned())).collect())
}

/// The cursor to go on with, 0 at the end, and the keys of this step.
pub(crate) fn read_scan(value: Value) -> Result<(u64, Vec<Vec<u8>>)> {
    let wrong = || Error::new(ErrorKind::Protocol, "the server answered SCAN with no cursor and keys");
    let Value::Array(parts) = value else { return Err(wrong()) };
    let [cursor, keys] = <[Value; 2]>::try_from(parts).map_err(|_| wrong())?;
    let cursor = read_bytes(cursor)?.and_then(|bytes| String::from_utf8(bytes).ok()?.parse().ok());
    let keys = read_many(keys)?.into_iter().flatten().collect();
    Ok((cursor.ok_or_else(wrong)?, keys))
}

/// The names of the keys that a walk has found and that hold a value, as the replies to so many of them each tell. What is
/// no text, or not of this namespace, was written by another program and has no name here.
pub(crate) fn read_names(keys: Vec<Vec<u8>>, replies: Vec<Value>, prefix: &Prefix) -> Result<Vec<String>> {
    let mut alive = Vec::with_capacity(keys.len());
    for reply in replies {
        let Value::Array(flags) = reply else { return Err(unexpected(&reply)) };
        for flag in flags {
            alive.push(read_count(flag)? > 0);
        }
    }
    if alive.len() != keys.len() {
        return Err(Error::new(ErrorKind::Protocol, "the server answered for another number of keys"));
    }
    let alive = keys.into_iter().zip(alive).filter(|(_, alive)| *alive);
    let texts = alive.filter_map(|(key, _)| String::from_utf8(key).ok());
    let names = texts.filter_map(|key| key.strip_prefix(prefix.as_str()).map(str::to_owned));
    Ok(names.filter(|name| !name.is_empty()).collect())
}

/// An error of the client library: of the server's making, or of the connection's.
pub(crate) fn failed(error: RedisError) -> Error {
    match error.code() {
        Some(code) => refused(code, error.detail().unwrap_or_default()),
        None if error.kind() == redis::ErrorKind::Parse => {
            Error::new(ErrorKind::Protocol, "the reply is not of the Redis protocol; is this a Redis server?")
        }
        None if error.is_timeout() => Error::new(ErrorKind::Timeout, "the server did not answer in time"),
        None => Error::new(ErrorKind::Unavailable, format!("the connection failed: {}", error.category())),
    }
}

/// Sorts a server's refusal by what the caller can do about it. The server's text stays out: some
/// messages repeat arguments.
fn refused(code: &str, detail: &str) -> Error {
    let (kind, text) = match code {
        "NOAUTH" | "WRONGPASS" | "NOPERM" => {
            (ErrorKind::Auth, "the server does not accept these credentials")
        }
        code if NOT_READY.contains(&code) => (ErrorKind::Unavailable, "the server is not ready"),
        "MOVED" | "ASK" | "CROSSSLOT" => {
            (ErrorKind::Misconfigured, "the server is part of a cluster; this is a standalone configuration")
        }
        "NOPROTO" => (ErrorKind::Misconfigured, NO_RESP3),
        "ERR"
            if detail.starts_with("unknown command `HELLO`")
                || detail.starts_with("unknown command 'HELLO'") =>
        {
            (ErrorKind::Misconfigured, NO_RESP3)
        }
        "WRONGTYPE" => {
            (ErrorKind::Decode, "the key holds a list, set or hash, which this cache did not write")
        }
        // The second is what a request of more than ten parts is told, or of a long one, before its password is looked for.
        "ERR" if detail.contains("AUTH") || detail.contains("unauthenticated") => {
            (ErrorKind::Auth, "the server does not accept these credentials")
        }
        "ERR" if detail.contains("overflow") => {
            (ErrorKind::TooLarge, "the counter would leave the range of i64")
        }
        "ERR" if detail.contains("not an integer") => (ErrorKind::Decode, "the value is no integer"),
        "ERR" if detail.contains("max number of clients") => {
            (ErrorKind::Unavailable, "the server accepts no more clients")
        }
        _ => (ErrorKind::Refused, "the server refused"),
    };
    Error::new(kind, text).with_code(code)
}

const NO_RESP3: &str =
    "the server does not know HELLO as it should; resp3 and sentinels need Redis 6 or newer";

pub(super) fn unexpected(value: &Value) -> Error {
    let kind = match value {
        Value::Nil => "nothing",
        Value::Int(_) => "a number",
        Value::BulkString(_) | Value::SimpleString(_) => "a string",
        Value::Array(_) => "an array",
        _ => "an unexpected type",
    };
    Error::new(
        ErrorKind::Protocol,
        format!("the server answered with {kind}, which this command never gives"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_sorted_by_what_one_can_do() {
        let table = [
            ("NOAUTH", "", ErrorKind::Auth),
            ("WRONGPASS", "", ErrorKind::Auth),
            ("LOADING", "", ErrorKind::Unavailable),
            ("OOM", "", ErrorKind::Refused),
            ("READONLY", "", ErrorKind::Refused),
            ("MOVED", "", ErrorKind::Misconfigured),
            ("ERR", "unknown command `HELLO`, with args beginning with: `3`, ", ErrorKind::Misconfigured),
            ("NOPROTO", "unsupported protocol version", ErrorKind::Misconfigured),
            ("WRONGTYPE", "", ErrorKind::Decode),
            ("ERR", "increment or decrement would overflow", ErrorKind::TooLarge),
            ("ERR", "value is not an integer or out of range", ErrorKind::Decode),
            ("ERR", "max number of clients reached", ErrorKind::Unavailable),
            ("ERR", "Protocol error: unauthenticated multibulk length", ErrorKind::Auth),
        ];
        for (code, detail, kind) in table {
            let error = refused(code, detail);
            assert_eq!((error.kind(), error.code()), (kind, Some(code)));
        }
    }

    #[test]
    fn a_replica_is_known_by_its_refusal_and_its_connection_given_up() {
        let reply = |text: &str| redis::parse_redis_value(text.as_bytes()).unwrap();
        for text in [
            "-READONLY You can't write against a read only replica.\r\n",
            "-ERR Error running script (call to f_1): @user_script:1: -READONLY You can't write\r\n",
        ] {
            assert!(is_read_only(&reply(text)), "{text}");
        }
        for text in ["-OOM no\r\n", "+READONLY\r\n", "-ERR unknown command 'x'\r\n"] {
            assert!(!is_read_only(&reply(text)), "{text}");
        }
    }

    #[test]
    fn writes_of_which_one_was_not_taken_are_half_done() {
        let busy = || Err(refused("BUSY", ""));
        let done = || Ok(Value::Okay);
        for half in [vec![busy(), done()], vec![done(), busy()]] {
            assert!(all_or_partial(half).unwrap_err().is_ambiguous());
        }
        assert!(all_or_partial(vec![busy(), busy()]).unwrap_err().is_retryable());
        assert_eq!(all_or_partial(vec![done(), done()]).unwrap().len(), 2);
    }

    #[test]
    fn a_reply_of_the_wrong_type_is_a_protocol_error() {
        assert_eq!(read_bytes(Value::Int(1)).unwrap_err().kind(), ErrorKind::Protocol);
        assert_eq!(read_count(Value::Int(-1)).unwrap_err().kind(), ErrorKind::Protocol);
        assert_eq!(read_scan(Value::Array(vec![])).unwrap_err().kind(), ErrorKind::Protocol);
    }

    #[test]
    fn names_are_those_of_keys_that_hold_a_value() {
        let keys =
            || [&b"app:a"[..], b"app:b", b"app:\xFF", b"app:", b"app:c:d"].map(<[u8]>::to_vec).to_vec();
        let flags = |flags: &[i64]| Value::Array(flags.iter().map(|flag| Value::Int(*flag)).collect());
        let prefix = Prefix::new("app");
        let replies = vec![flags(&[1, 0]), flags(&[1, 1, 1])];
        assert_eq!(read_names(keys(), replies, &prefix).unwrap(), ["a", "c:d"]);
        for wrong in [vec![flags(&[1, 1])], vec![Value::Int(1)], vec![Value::Array(vec![Value::Nil])]] {
            assert_eq!(read_names(keys(), wrong, &prefix).unwrap_err().kind(), ErrorKind::Protocol);
        }
    }

    #[test]
    fn a_time_to_live_has_two_special_answers() {
        assert_eq!(read_remaining(Value::Int(-2)).unwrap(), None);
        assert_eq!(read_remaining(Value::Int(-1)).unwrap(), Some(Remaining::Never));
        let left = Remaining::For(Duration::from_millis(1_500));
        assert_eq!(read_remaining(Value::Int(1_500)).unwrap(), Some(left));
    }
}
