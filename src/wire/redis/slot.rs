//! Which of the 16,384 slots of a cluster a key belongs to, as the Redis Cluster Specification says: CRC16 (XMODEM) of the
//! key, or of the part between its first `{` and the next `}` if there is something between them.

use redis::{Arg, Cmd};

/// The slot of the key that a command is for; `None` for one without a key.
pub(crate) fn slot_of(command: &Cmd) -> Option<u16> {
    let argument = |at| match command.args_iter().nth(at) {
        Some(Arg::Simple(bytes)) => Some(bytes),
        _ => None,
    };
    match argument(0)? {
        b"GET" | b"SET" | b"GETDEL" | b"PTTL" | b"PEXPIRETIME" | b"MGET" | b"BLPOP" => argument(1).map(slot),
        b"EVAL" | b"EVALSHA" => argument(3).map(slot),
        _ => None,
    }
}

/// The slot of a key.
pub(crate) fn slot(key: &[u8]) -> u16 {
    crc16(tag(key).unwrap_or(key)) % SLOTS
}

pub(crate) const SLOTS: u16 = 16_384;

/// What keys share that are to share a slot.
fn tag(key: &[u8]) -> Option<&[u8]> {
    let inside = &key[key.iter().position(|byte| *byte == b'{')? + 1..];
    let end = inside.iter().position(|byte| *byte == b'}')?;
    (end > 0).then(|| &inside[..end])
}

/// Polynomial 0x1021, beginning at zero, nothing reflected. Bit by bit: keys are short, and a network lies behind.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(
            crc ^ u16::from(*byte) << 8,
            |crc, _| {
                if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 }
            },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
        assert_eq!(crc16(b""), 0);
    }

    /// As `CLUSTER KEYSLOT` answers.
    #[test]
    fn a_key_has_the_slot_that_a_server_computes() {
        for (key, expected) in [("foo", 12_182), ("bar", 5_061), ("hello", 866), ("", 0), ("app:k", 7_779)] {
            assert_eq!(slot(key.as_bytes()), expected, "{key}");
        }
    }

    #[test]
    fn a_tag_stands_for_the_whole_key_if_there_is_something_in_it() {
        let same = |one: &str, other: &str| slot(one.as_bytes()) == slot(other.as_bytes());
        assert!(same("{user1000}.following", "{user1000}.followers") && same("a{user1000}b", "user1000"));
        assert!(same("foo{bar}{zap}", "bar") && same("foo{{bar}}zap", "{bar"));
        assert_eq!(tag(b"foo{}{bar}"), None);
        assert_eq!(tag(b"foo{bar"), None);
        assert_eq!(tag(b"foo}bar{"), None);
    }

    #[test]
    fn a_command_belongs_to_its_key() {
        let of = |words: &[&str]| {
            let mut command = Cmd::new();
            for word in words {
                command.arg(*word);
            }
            slot_of(&command)
        };
        assert_eq!(of(&["SET", "foo", "bar"]), Some(12_182));
        assert_eq!(of(&["EVALSHA", "foo", "1", "bar", "foo"]), Some(5_061));
        for without in [&["PING"][..], &["SCAN", "0"], &["GET"], &["EVAL", "return 1", "0"], &[]] {
            assert_eq!(of(without), None, "{without:?}");
        }
    }
}
