use redis::Value;

use super::*;
use crate::entry::{Ask, Lookup};
use crate::ttl::Remaining;

fn packed(request: &Request) -> String {
    String::from_utf8(request.commands.get_packed_pipeline()).unwrap()
}

fn replies(bytes: &[&str]) -> Vec<Value> {
    bytes.iter().map(|one| redis::parse_redis_value(one.as_bytes()).unwrap()).collect()
}

#[test]
fn a_lifetime_is_sent_in_milliseconds() {
    let prefix = Prefix::new("app");
    let lifetime = Lifetime::For(Duration::from_micros(1_500));
    let Step::Command(request) = store(&prefix.key("k").unwrap(), b"v", lifetime, &Condition::Always) else {
        panic!("a write without a condition needs no script")
    };
    assert_eq!(packed(&request), "*5\r\n$3\r\nSET\r\n$5\r\napp:k\r\n$1\r\nv\r\n$2\r\nPX\r\n$1\r\n2\r\n");
    assert!(!request.repeatable);
}

#[test]
fn a_name_may_be_refused_and_a_client_may_not() {
    assert!(read_handshake(replies(&["-NOPERM no permissions\r\n"])).is_ok());
    let error = read_handshake(replies(&["-ERR max number of clients reached\r\n"])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[test]
fn a_replica_is_refused_where_a_master_is_wanted() {
    let hello = |role: &str| format!("*2\r\n$4\r\nrole\r\n${}\r\n{role}\r\n", role.len());
    let shake = |role: &str| read_handshake(replies(&["+OK\r\n", &hello(role), "+OK\r\n"]));
    assert!(shake("master").is_ok());
    assert_eq!(shake("replica").unwrap_err().kind(), ErrorKind::Unavailable);
}

#[test]
fn a_hostile_key_is_one_argument_of_one_command() {
    let prefix = Prefix::default();
    let name = "k\r\nFLUSHALL\r\n";
    let request = look(&prefix.key(name).unwrap(), Depth::Value);
    assert_eq!(packed(&request), format!("*2\r\n$3\r\nGET\r\n${}\r\n{name}\r\n", name.len()));
}

#[test]
fn a_look_asks_as_much_as_it_has_to_tell() {
    let minute = Duration::from_secs(60);
    let (plain, keeping) = (Prefix::default(), Prefix::default().keeping(minute));
    let table = [
        (Ask::Value, Depth::Value, Depth::Write),
        (Ask::Lease(minute), Depth::Value, Depth::Write),
        (Ask::Age, Depth::Write, Depth::Write),
    ];
    for (ask, usual, kept) in table {
        assert_eq!(Depth::to_answer(ask, &[plain.key("k").unwrap()]), usual, "{ask:?}");
        assert_eq!(
            Depth::to_answer(ask, &[plain.key("k").unwrap(), keeping.key("k").unwrap()]),
            kept,
            "{ask:?}"
        );
    }
    let commands = packed(&look(&keeping.key("k").unwrap(), Depth::Write));
    let names: Vec<_> = commands
        .split("\r\n")
        .filter(|word| word.len() > 2 && word.starts_with(char::is_alphabetic))
        .collect();
    assert_eq!(names, ["GET", "PTTL", "PEXPIRETIME"]);
}

#[test]
fn a_value_past_its_time_is_there_for_who_asks_its_age() {
    let prefix = Prefix::default().keeping(Duration::from_secs(60));
    let key = prefix.key("k").unwrap();
    for (left, fresh) in [(":60001\r\n", true), (":60000\r\n", false), (":0\r\n", false), (":-1\r\n", true)] {
        let seen = || read_look(replies(&["$1\r\nv\r\n", left, ":1763845200000\r\n"])).unwrap();
        assert_eq!(seen().value(&key).is_some(), fresh, "{left:?}");
        assert_eq!(seen().answer(Ask::Value, &key) == Lookup::Absent, !fresh, "{left:?}");
        assert!(matches!(seen().answer(Ask::Age, &key), Lookup::Hit(_)), "{left:?}");
    }
    let gone = read_look(replies(&["$1\r\nv\r\n", ":-2\r\n", ":-2\r\n"])).unwrap();
    assert_eq!(gone.answer(Ask::Age, &key), Lookup::Absent, "it went between the commands");
}

#[test]
fn a_server_without_stamps_is_looked_at_without_them() {
    let key = Prefix::default();
    let key = key.key("k").unwrap();
    let seen =
        read_look(replies(&["$1\r\nv\r\n", ":7\r\n", "-ERR unknown command 'PEXPIRETIME'\r\n"])).unwrap();
    let Lookup::Hit(entry) = seen.answer(Ask::Age, &key) else { panic!("there is a value") };
    assert_eq!((entry.remaining, entry.version), (Some(Remaining::For(Duration::from_millis(7))), None));
}

#[test]
fn a_lease_that_is_shown_as_it_was_offered_is_granted() {
    let prefix = Prefix::default();
    let key = prefix.key("k").unwrap();
    let offered = placeholder().unwrap();
    let shown = |held: &[u8]| {
        let held = Value::BulkString(held.to_vec());
        let reply = Value::Array(vec![held, Value::Int(30_000), Value::Nil]);
        read_lease(reply, offered.clone(), &key).unwrap()
    };
    assert!(matches!(shown(&offered), Lookup::Lease(_)));
    assert!(matches!(shown(&placeholder().unwrap()), Lookup::Busy(_)), "somebody else's");
    assert!(matches!(shown(b"1"), Lookup::Hit(_)));
    let less = read_lease(Value::Array(vec![Value::Int(1)]), offered, &key);
    assert_eq!(less.unwrap_err().kind(), ErrorKind::Protocol);
}

#[test]
fn a_script_is_sent_in_full_once_per_request() {
    let prefix = Prefix::default();
    let keys = ["a", "b", "c"].map(|name| prefix.key(name).unwrap());
    let calls = [remove(&keys[0]), remaining(&keys[1]), remove(&keys[2])];
    let names = |request: &Request| {
        let text = packed(request);
        text.split("\r\n").filter(|word| word.starts_with("EVAL")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(names(&by_digest(&calls)), ["EVALSHA"; 3]);
    assert_eq!(names(&in_full(&calls, |_| 0)), ["EVAL", "EVAL", "EVALSHA"]);
    let apart = in_full(&calls, |key| usize::from(key == b"c"));
    assert_eq!(names(&apart), ["EVAL", "EVAL", "EVAL"], "each server has to learn it");
    assert!(!by_digest(&calls).repeatable && by_digest([&calls[1]]).repeatable);
}

#[test]
fn a_lease_is_held_for_a_time_that_redis_takes() {
    assert_eq!(hold_millis(Duration::ZERO), "1");
    assert_eq!(hold_millis(Duration::from_secs(30)), "30000");
    assert_eq!(hold_millis(Duration::MAX), "3153600000000");
}
