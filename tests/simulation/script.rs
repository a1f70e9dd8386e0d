//! The library's scripts, told apart by their text and run as what they say.

use std::sync::LazyLock;

use super::{Held, Reply, number, stores};
use crate::sim::Planted;

#[derive(Clone, Copy, Debug)]
pub enum Script {
    Add,
    Alive,
    Fixed,
    Gcra,
    Keep,
    Lease,
    Lock,
    Put,
    Remaining,
    Remove,
    Renew,
    Retire,
    Sliding,
    Swap,
    Take,
    Touch,
    Unlock,
}

/// Each script with its text and its digest.
static SCRIPTS: LazyLock<Vec<(Script, &'static str, String)>> = LazyLock::new(|| {
    macro_rules! text {
        ($($file:literal)+) => { concat!($(include_str!(concat!("../../src/wire/redis/lua/", $file, ".lua"))),+) };
    }
    let texts = [
        (Script::Add, text!("alive" "set" "add")),
        (Script::Alive, text!("alive" "alive_each")),
        (Script::Fixed, text!("quota" "fixed")),
        (Script::Gcra, text!("quota" "gcra")),
        (Script::Keep, text!("own" "keep")),
        (Script::Lease, text!("lease")),
        (Script::Lock, text!("own" "lock")),
        (Script::Put, text!("alive" "set" "put")),
        (Script::Remaining, text!("alive" "remaining")),
        (Script::Remove, text!("alive" "remove")),
        (Script::Renew, text!("same" "renew")),
        (Script::Retire, text!("same" "retire")),
        (Script::Sliding, text!("quota" "sliding")),
        (Script::Swap, text!("same" "set" "swap")),
        (Script::Take, text!("alive" "take")),
        (Script::Touch, text!("alive" "touch")),
        (Script::Unlock, text!("own" "unlock")),
    ];
    let digested = |(script, text): (Script, &'static str)| {
        (script, text, ::redis::Script::new(text).get_hash().to_owned())
    };
    texts.into_iter().map(digested).collect()
});

impl Script {
    pub fn of_digest(digest: &[u8]) -> Option<Script> {
        SCRIPTS.iter().find(|(.., known)| known.as_bytes() == digest).map(|(script, ..)| *script)
    }

    pub fn of_source(source: &[u8]) -> (Script, Vec<u8>) {
        let known = SCRIPTS.iter().find(|(_, text, _)| text.as_bytes() == source);
        let (script, _, digest) = known.expect("a script of the library's that the simulated Redis knows");
        (*script, digest.clone().into_bytes())
    }

    pub fn name(self) -> &'static str {
        match self {
            Script::Add => "add",
            Script::Alive => "alive",
            Script::Fixed => "fixed",
            Script::Gcra => "gcra",
            Script::Keep => "keep",
            Script::Lease => "lease",
            Script::Lock => "lock",
            Script::Put => "put",
            Script::Remaining => "remaining",
            Script::Remove => "remove",
            Script::Renew => "renew",
            Script::Retire => "retire",
            Script::Sliding => "sliding",
            Script::Swap => "swap",
            Script::Take => "take",
            Script::Touch => "touch",
            Script::Unlock => "unlock",
        }
    }

    pub fn run(
        self,
        held: &mut Held,
        keys: &[Vec<u8>],
        arguments: &[Vec<u8>],
        bug: Option<Planted>,
    ) -> Reply {
        let (key, argument) = (&keys[0], |at: usize| arguments[at].as_slice());
        match self {
            Script::Add => {
                if !held.is_alive(key, margin(argument(2))) {
                    held.set(key, argument(0).to_vec(), millis(argument(1)));
                    return Reply::Text(argument(0).to_vec());
                }
                let item = held.get_mut(key).expect("it is alive");
                let text = std::str::from_utf8(&item.bytes).ok().and_then(|text| text.parse::<i64>().ok());
                let Some(old) = text else {
                    return Reply::Refusal("ERR value is not an integer or out of range".into());
                };
                let Some(sum) = old.checked_add(number(argument(0))) else {
                    return Reply::Refusal("ERR increment or decrement would overflow".into());
                };
                item.bytes = sum.to_string().into_bytes();
                Reply::Text(item.bytes.clone())
            }
            Script::Alive => {
                let seen = keys.iter().map(|key| held.is_alive(key, margin(argument(0))));
                Reply::List(seen.map(|alive| Reply::Number(i64::from(alive))).collect())
            }
            Script::Fixed | Script::Gcra | Script::Keep | Script::Lock | Script::Sliding | Script::Unlock => {
                stores::run(self, held, keys, arguments)
            }
            Script::Lease => {
                if held.get(key).is_none() {
                    held.set(key, argument(0).to_vec(), millis(argument(1)));
                }
                let mut shown = held.text(key);
                if let (Some(Planted::GrantsEveryLease), Reply::Text(text)) = (bug, &mut shown)
                    && is_placeholder(text)
                {
                    *text = argument(0).to_vec();
                }
                Reply::List(vec![shown, Reply::Number(held.left(key)), Reply::Number(held.end(key))])
            }
            Script::Put => {
                let there = held.is_alive(key, margin(argument(2)));
                if (argument(3) == b"absent" && there) || (argument(3) == b"present" && !there) {
                    return Reply::Number(0);
                }
                held.set(key, argument(0).to_vec(), millis(argument(1)));
                Reply::Number(1)
            }
            Script::Remaining if !held.is_alive(key, margin(argument(0))) => Reply::Number(-2),
            Script::Remaining => Reply::Number(held.left(key)),
            Script::Remove => {
                let alive = keys.iter().filter(|key| held.is_alive(key, margin(argument(0)))).count();
                for key in keys {
                    held.remove(key);
                }
                Reply::Number(alive as i64)
            }
            Script::Renew if !held.is_same(key, argument(0), argument(1)) => Reply::Number(0),
            Script::Renew => {
                held.expire(key, number(argument(2)) as u64);
                Reply::Number(1)
            }
            Script::Retire if !held.is_same(key, argument(0), argument(1)) => Reply::Number(0),
            Script::Retire => Reply::Number(i64::from(held.remove(key))),
            Script::Swap
                if bug != Some(Planted::FillsWithoutComparing)
                    && !held.is_same(key, argument(0), argument(1)) =>
            {
                Reply::Number(0)
            }
            Script::Swap => {
                held.set(key, argument(2).to_vec(), millis(argument(3)));
                Reply::Number(1)
            }
            Script::Take => {
                let alive = held.is_alive(key, margin(argument(0)));
                let text = held.text(key);
                held.remove(key);
                if alive { text } else { Reply::Nil }
            }
            Script::Touch if !held.is_alive(key, margin(argument(1))) => Reply::Number(0),
            Script::Touch => {
                match millis(argument(0)) {
                    Some(millis) => held.expire(key, millis),
                    None => held.get_mut(key).expect("it is alive").end = None,
                }
                Reply::Number(1)
            }
        }
    }
}

/// What the scripts begin with.
impl Held {
    fn is_alive(&self, key: &[u8], margin: i64) -> bool {
        let left = self.left(key);
        if left == -2 || (margin > 0 && left >= 0 && left <= margin) {
            return false;
        }
        self.get(key).is_some_and(|item| !is_placeholder(&item.bytes))
    }

    fn is_same(&self, key: &[u8], bytes: &[u8], stamp: &[u8]) -> bool {
        let same = self.get(key).is_some_and(|item| item.bytes == bytes);
        same && (stamp.is_empty() || self.end(key) == number(stamp))
    }
}

fn is_placeholder(bytes: &[u8]) -> bool {
    let blanks = bytes.strip_prefix(b"null").filter(|blanks| blanks.len() == 128);
    blanks.is_some_and(|blanks| blanks.iter().all(|byte| matches!(byte, b' ' | b'\t')))
}

fn millis(text: &[u8]) -> Option<u64> {
    (!text.is_empty()).then(|| number(text) as u64)
}

fn margin(text: &[u8]) -> i64 {
    number(text)
}
