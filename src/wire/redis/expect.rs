//! Whether a reply can be one to what was asked.

use redis::{Arg, Cmd, Pipeline, Value};

use super::reply::is_read_only;
use crate::error::{Error, ErrorKind};

/// What the reply to each command looks like.
pub(crate) fn expected(commands: &Pipeline) -> impl Iterator<Item = Expected> {
    commands.cmd_iter().map(Expected::of)
}

/// Whether each reply is of a kind that its command has; else one of them could be another's.
pub(crate) fn fits(expected: impl IntoIterator<Item = Expected>, replies: &[Value]) -> bool {
    expected.into_iter().zip(replies).all(|(expected, reply)| expected.takes(reply))
}

/// Whether a connection is worth keeping after these replies. A replica that refuses a write was the master once: its
/// name has to be resolved anew.
pub(crate) fn keeps_connection(replies: &[Value]) -> bool {
    let is_denied = |reply: &Value| matches!(reply, Value::ServerError(error) if error.code() == "DENIED");
    !replies.iter().any(|reply| is_read_only(reply) || is_denied(reply))
}

pub(crate) fn unfit() -> Error {
    Error::new(ErrorKind::Protocol, "the reply is of a kind that the command never has")
}

/// What replies to a command look like, beside refusals.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Expected {
    /// A string, or nothing.
    Text,
    /// So many of these.
    Texts(usize),
    Number,
    /// A word, or nothing.
    Done,
    Word,
    List,
    Anything,
}

impl Expected {
    fn of(command: &Cmd) -> Expected {
        let mut arguments = command.args_iter();
        match arguments.next() {
            Some(Arg::Simple(name)) => Expected::of_named(name, arguments.count()),
            _ => Expected::Anything,
        }
    }

    pub(super) fn of_named(name: &[u8], arguments: usize) -> Expected {
        match name {
            b"GET" | b"GETDEL" => Expected::Text,
            b"MGET" => Expected::Texts(arguments),
            b"SET" => Expected::Done,
            b"PTTL" | b"PEXPIRETIME" | b"WAIT" => Expected::Number,
            b"SCAN" => Expected::List,
            b"PING" => Expected::Word,
            _ => Expected::Anything,
        }
    }

    fn takes(self, reply: &Value) -> bool {
        let is_text = |value: &Value| matches!(value, Value::BulkString(_) | Value::Nil);
        match (self, reply) {
            (_, Value::ServerError(_)) | (Expected::Anything, _) => true,
            (Expected::Text, text) => is_text(text),
            (Expected::Texts(count), Value::Array(values)) => {
                values.len() == count && values.iter().all(is_text)
            }
            (Expected::Number, reply) => matches!(reply, Value::Int(_)),
            (Expected::Done, reply) => matches!(reply, Value::Okay | Value::Nil),
            (Expected::Word, reply) => matches!(reply, Value::SimpleString(_) | Value::Okay),
            (Expected::List, reply) => matches!(reply, Value::Array(_)),
            (Expected::Texts(_), _) => false,
        }
    }

    /// The same of the first line of a reply, before the rest of it has come.
    #[cfg(any(feature = "async", test))]
    pub(super) fn takes_header(self, line: &[u8]) -> bool {
        let Some((kind, length)) = line.split_first() else { return false };
        match (self, kind) {
            (_, b'-' | b'!') | (Expected::Anything, _) => true,
            (Expected::Text, b'$' | b'_') | (Expected::Number, b':') | (Expected::List, b'*') => true,
            (Expected::Done, b'+' | b'$' | b'_') | (Expected::Word, b'+') => true,
            (Expected::Texts(count), b'*') => length == count.to_string().as_bytes(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands() -> Pipeline {
        let mut commands = Pipeline::new();
        commands.cmd("GET").arg("k").cmd("MGET").arg("k").arg("l").cmd("PTTL").arg("k");
        commands
    }

    #[test]
    fn a_reply_of_another_kind_does_not_fit() {
        let text = || Value::BulkString(b"v".to_vec());
        let pair = || Value::Array(vec![text(), Value::Nil]);
        assert!(fits(expected(&commands()), &[text(), pair(), Value::Int(-1)]));
        assert!(fits(expected(&commands()), &[Value::Nil, pair(), Value::Int(5)]));
        assert!(!fits(expected(&commands()), &[Value::Int(1), pair(), Value::Int(5)]));
        assert!(!fits(expected(&commands()), &[text(), Value::Array(vec![text()]), Value::Int(5)]));
        assert!(!fits(expected(&commands()), &[text(), pair(), text()]));
    }

    #[test]
    fn a_first_line_tells_as_much() {
        let table = [
            (Expected::Text, &b"$5"[..], true),
            (Expected::Text, b"$-1", true),
            (Expected::Text, b"-ERR no", true),
            (Expected::Text, b":5", false),
            (Expected::Text, b"*1", false),
            (Expected::Texts(5), b"*5", true),
            (Expected::Texts(5), b"*4", false),
            (Expected::Texts(5), b"-LOADING", true),
            (Expected::Texts(5), b"$5", false),
            (Expected::Done, b"+OK", true),
            (Expected::Done, b":1", false),
            (Expected::Number, b"+OK", false),
            (Expected::Anything, b"*3", true),
            (Expected::Text, b"", false),
        ];
        for (expected, line, takes) in table {
            assert_eq!(expected.takes_header(line), takes, "{expected:?} {line:?}");
        }
    }
}
