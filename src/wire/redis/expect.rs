//! Whether a reply can be one to what was asked.

use redis::{Arg, Cmd, Pipeline, Value};

use super::reply::is_read_only;

/// Whether a connection is worth keeping after these replies: each is of a kind that its command has, else the next one
/// could be another's.
pub(crate) fn keeps_connection(commands: &Pipeline, replies: &[Value]) -> bool {
    commands.cmd_iter().zip(replies).all(|(command, reply)| match reply {
        // A replica that refuses a write was the master once: its name has to be resolved anew.
        Value::ServerError(error) => !is_read_only(reply) && error.code() != "DENIED",
        reply => fits(command, reply),
    })
}

fn fits(command: &Cmd, reply: &Value) -> bool {
    use Value::{Array, BulkString, Int, Nil, Okay, SimpleString};
    let mut arguments = command.args_iter();
    let Some(Arg::Simple(name)) = arguments.next() else { return false };
    match name {
        b"GET" | b"GETDEL" => is_text(reply),
        b"MGET" => {
            matches!(reply, Array(values) if values.len() == arguments.count() && values.iter().all(is_text))
        }
        b"SET" => matches!(reply, Okay | Nil),
        b"PTTL" | b"PEXPIRETIME" => matches!(reply, Int(_)),
        b"EVAL" | b"EVALSHA" => matches!(reply, Int(_) | BulkString(_) | Nil | Array(_)),
        b"SCAN" => matches!(reply, Array(_)),
        b"PING" => matches!(reply, SimpleString(_)),
        _ => true,
    }
}

fn is_text(reply: &Value) -> bool {
    matches!(reply, Value::BulkString(_) | Value::Nil)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_of_another_kind_ends_its_connection() {
        let mut commands = Pipeline::new();
        commands.cmd("GET").arg("k").cmd("MGET").arg("k").arg("l").cmd("PTTL").arg("k");
        let text = || Value::BulkString(b"v".to_vec());
        let pair = || Value::Array(vec![text(), Value::Nil]);
        assert!(keeps_connection(&commands, &[text(), pair(), Value::Int(-1)]));
        assert!(keeps_connection(&commands, &[Value::Nil, pair(), Value::Int(5)]));
        assert!(!keeps_connection(&commands, &[Value::Int(1), pair(), Value::Int(5)]));
        assert!(!keeps_connection(&commands, &[text(), Value::Array(vec![text()]), Value::Int(5)]));
        assert!(!keeps_connection(&commands, &[text(), pair(), text()]));
    }
}
