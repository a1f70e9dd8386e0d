//! Memcached's meta protocol: commands and replies, as the `memcache` crate spells and reads them.
//!
//! Every command carries an opaque token of its own, which the reply must echo: a reply that answers another
//! command, of this request or of any before it, is found out and not handed on.

mod frame;
mod key;
mod lease;
mod reply;
mod seen;

use std::ops::Range;
use std::time::Duration;

use memcache::exp::{
    ArithmeticMode, ArithmeticOptions, DeleteOptions, GetOptions, MetaCommand, SetMode, SetOptions,
    build_arithmetic, build_delete, build_get, build_noop, build_set,
};

pub(crate) use self::frame::{Replies, Reply};
pub(crate) use self::key::{WireKey, generation_key, wire_key};
pub(crate) use self::lease::{Token, lease_flags};
pub(crate) use self::reply::*;
pub(crate) use self::seen::{Seen, granted};
use crate::error::{Error, ErrorKind, Result};
use crate::ttl::Lifetime;

/// Commands that go to one server at once, with one reply each.
pub(crate) struct Request {
    commands: Vec<MetaCommand>,
    /// Tells this request from those before it on the same connection.
    number: u32,
    /// Whether sending it twice does no more than sending it once.
    pub(crate) repeatable: bool,
    /// Whether it is the one command that is none of the meta protocol.
    is_stats: bool,
}

impl Request {
    pub(crate) fn read(commands: Vec<MetaCommand>) -> Request {
        Request::of(next_number(), commands, true)
    }

    pub(crate) fn write(commands: Vec<MetaCommand>) -> Request {
        Request::of(next_number(), commands, false)
    }

    fn of(number: u32, commands: Vec<MetaCommand>, repeatable: bool) -> Request {
        let marked = |(position, command): (usize, MetaCommand)| command.flag(opaque(number, position));
        let commands = commands.into_iter().enumerate().map(marked).collect();
        Request { commands, number, repeatable, is_stats: false }
    }

    /// The request in pieces that are each sent and answered before the next: a server stops reading while its
    /// replies are stuck, so what is sent in one go must fit the buffers in between. Most requests are one. Of each
    /// piece's replies no more than so many bytes are taken in.
    pub(crate) fn windows(&self, max_reply_size: usize) -> Result<Vec<Window>> {
        let from = |position| Window {
            packed: Vec::new(),
            number: self.number,
            commands: position..position,
            max_reply_size,
            is_stats: self.is_stats,
        };
        if self.is_stats {
            return Ok(vec![Window { packed: b"stats\r\n".to_vec(), commands: 0..1, ..from(0) }]);
        }
        let (mut windows, mut window) = (Vec::with_capacity(1), from(0));
        for (position, command) in self.commands.iter().enumerate() {
            if window.packed.len() >= WINDOW {
                windows.push(std::mem::replace(&mut window, from(position)));
            }
            command.encode_into(&mut window.packed).map_err(unsendable)?;
            window.commands.end = position + 1;
        }
        windows.push(window);
        Ok(windows)
    }
}

/// Commands that are sent in one go.
pub(crate) struct Window {
    pub(crate) packed: Vec<u8>,
    number: u32,
    commands: Range<usize>,
    max_reply_size: usize,
    is_stats: bool,
}

impl Window {
    /// What takes in the replies to it.
    pub(crate) fn replies(&self) -> Replies {
        let replies = Replies::new(self.number, self.commands.clone(), self.max_reply_size);
        if self.is_stats { replies.of_stats() } else { replies }
    }
}

const WINDOW: usize = 64 * 1024;

#[cfg(simulation)]
use crate::simulation::number as next_number;

#[cfg(not(simulation))]
fn next_number() -> u32 {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// What a reply has to echo, as it is asked for: `O`, which request, and which place in it.
fn opaque(number: u32, position: usize) -> Vec<u8> {
    let mut opaque = Vec::with_capacity(b"Offffffff.ffff".len());
    opaque.push(b'O');
    push_hex(&mut opaque, number as usize);
    opaque.push(b'.');
    push_hex(&mut opaque, position);
    opaque
}

/// By hand: formatting takes the standard library about a thousand instructions, for each command and each reply.
fn push_hex(text: &mut Vec<u8>, number: usize) {
    let digits = (number | 1).ilog2() / 4 + 1;
    text.extend((0..digits).rev().map(|digit| b"0123456789abcdef"[number >> (4 * digit) & 15]));
}

/// What a read asks for beside the item's flags, CAS and what is left of its stay.
#[derive(Clone, Copy)]
pub(crate) enum Want {
    Value,
    /// Only what it is.
    Kind,
    /// The value, and if there is no item, one of size 0 that lives so long and that this read may fill.
    Lease(u32),
}

pub(crate) fn get(key: &WireKey, want: Want) -> Result<MetaCommand> {
    let mut options = GetOptions::default();
    options.value = !matches!(want, Want::Kind);
    options.return_size = matches!(want, Want::Kind);
    options.return_ttl = true;
    options.return_client_flags = true;
    options.return_cas = true;
    options.vivify_ttl = match want {
        Want::Lease(hold) => Some(hold),
        Want::Value | Want::Kind => None,
    };
    build_get(key, &options).map_err(unsendable)
}

/// How a write depends on what is there.
#[derive(Clone, Copy)]
pub(crate) enum Mode {
    Always,
    Absent,
    Unchanged(u64),
}

pub(crate) fn set(key: &WireKey, bytes: &[u8], flags: u32, expiry: u32, mode: Mode) -> Result<MetaCommand> {
    build_set(key, bytes, &set_options(flags, expiry, mode)).map_err(unsendable)
}

/// A lease as we write it: empty, or the body of one that is renewed. The reply tells its CAS.
pub(crate) fn lease(
    key: &WireKey,
    body: &[u8],
    generation: u32,
    hold: u32,
    mode: Mode,
) -> Result<MetaCommand> {
    let mut options = set_options(lease_flags(generation), hold, mode);
    options.return_cas = true;
    build_set(key, body, &options).map_err(unsendable)
}

fn set_options(flags: u32, expiry: u32, mode: Mode) -> SetOptions {
    let mut options = SetOptions::default();
    options.client_flags = Some(flags);
    options.ttl = Some(expiry);
    match mode {
        Mode::Always => {}
        Mode::Absent => options.mode = SetMode::Add,
        Mode::Unchanged(cas) => options.compare_cas = Some(cas),
    }
    options
}

pub(crate) fn delete(key: &WireKey, cas: Option<u64>) -> Result<MetaCommand> {
    let mut options = DeleteOptions::default();
    options.compare_cas = cas;
    build_delete(key, &options).map_err(unsendable)
}

/// Reads a namespace's generation, beginning it at `seed` where there is none.
pub(crate) fn generation(key: &WireKey, seed: u64) -> Result<MetaCommand> {
    arithmetic(key, 0, (seed, 0))
}

/// Begins the next generation: all items of the ones before are absent from then on.
pub(crate) fn next_generation(key: &WireKey, seed: u64) -> Result<MetaCommand> {
    arithmetic(key, 1, (seed, 0))
}

fn arithmetic(key: &WireKey, delta: u64, (initial, expiry): (u64, u32)) -> Result<MetaCommand> {
    let mut options = ArithmeticOptions::default();
    options.mode = ArithmeticMode::Increment;
    options.delta = Some(delta);
    options.initial = Some(initial);
    options.initial_ttl = Some(expiry);
    options.return_value = true;
    build_arithmetic(key, &options).map_err(unsendable)
}

/// Asks for nothing but an answer.
pub(crate) fn greeting() -> Request {
    Request::read(vec![build_noop()])
}

/// What the server says of itself. The meta protocol has no words for it.
pub(crate) fn stats() -> Request {
    Request { is_stats: true, ..Request::read(vec![build_noop()]) }
}

/// The most bytes that are taken in of the answer to it.
pub(crate) const GREETING: usize = 64 * 1024;

/// A lifetime as the protocol has it: 0 is never, up to 30 days are seconds from now, more is a point in
/// Unix time.
///
/// # Errors
/// `InvalidTtl` beyond 2038-01-19: memcached takes later points for past ones and drops the item at once.
pub(crate) fn expiry(lifetime: Lifetime, unix_now: u64) -> Result<u32> {
    let Some(seconds) = lifetime.as_secs() else { return Ok(0) };
    let expiry = if seconds <= LONGEST_RELATIVE { seconds } else { unix_now.saturating_add(seconds) };
    u32::try_from(expiry).ok().filter(|expiry| *expiry <= i32::MAX as u32).ok_or_else(|| {
        let text = "memcached cannot expire a value after 2038-01-19; give a shorter lifetime or Ttl::NEVER";
        Error::new(ErrorKind::InvalidTtl, text)
    })
}

/// How long a lease is held, as the protocol has it. The server's seconds begin anywhere, so that the first of
/// them may be over at once.
pub(crate) fn hold_expiry(hold: Duration, unix_now: u64) -> Result<u32> {
    expiry(Lifetime::For(hold.saturating_add(Duration::from_secs(1))), unix_now)
}

const LONGEST_RELATIVE: u64 = 30 * 24 * 60 * 60;

/// The library refused to spell the command. Keys and sizes are checked before, so this is not expected.
fn unsendable(error: memcache::exp::Error) -> Error {
    Error::new(ErrorKind::Protocol, "the command cannot be sent").with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Prefix;

    #[test]
    fn each_command_carries_a_token_of_its_own() {
        let prefix = Prefix::new("app");
        let key = wire_key(&prefix.key("k").unwrap());
        let commands = vec![get(&key, Want::Value).unwrap(), set(&key, b"v", 0, 60, Mode::Absent).unwrap()];
        let request = Request::of(26, commands, false);
        let [window] = <[Window; 1]>::try_from(request.windows(1 << 20).unwrap()).ok().unwrap();
        assert_eq!(
            String::from_utf8(window.packed).unwrap(),
            "mg app:k v f c t O1a.0\r\nms app:k 1 ME F0 T60 O1a.1\r\nv\r\n"
        );
    }

    #[test]
    fn a_lease_is_an_empty_item_whoever_makes_it() {
        let key = wire_key(&Prefix::default().key("k").unwrap());
        let spelled =
            |command: Result<MetaCommand>| String::from_utf8(command.unwrap().encode().unwrap()).unwrap();
        assert_eq!(spelled(get(&key, Want::Lease(30))), "mg k v f c t N30\r\n");
        assert_eq!(spelled(get(&key, Want::Kind)), "mg k f c t s\r\n");
        let written = lease(&key, b"", 5, 30, Mode::Unchanged(7));
        assert_eq!(spelled(written), "ms k 0 c F4294967290 T30 C7\r\n\r\n");
        assert_eq!(hold_expiry(Duration::ZERO, 0).unwrap(), 1);
        assert_eq!(hold_expiry(Duration::from_secs(30), 0).unwrap(), 31);
    }

    #[test]
    fn a_lifetime_is_relative_up_to_thirty_days() {
        let days = |days: u64| Lifetime::For(Duration::from_secs(days * 24 * 60 * 60));
        assert_eq!(expiry(Lifetime::Never, 0).unwrap(), 0);
        assert_eq!(expiry(Lifetime::For(Duration::from_millis(1)), 0).unwrap(), 1);
        assert_eq!(expiry(days(30), 1_000_000_000).unwrap(), 2_592_000);
        assert_eq!(expiry(days(31), 1_000_000_000).unwrap(), 1_002_678_400);
    }

    #[test]
    fn numbers_are_marked_as_the_standard_library_writes_them() {
        for number in [0, 1, 15, 16, 255, 0x1000, 0xABC_DEF0, u32::MAX] {
            for position in [0, 9, 10, 99, 0x10000, usize::MAX] {
                assert_eq!(opaque(number, position), format!("O{number:x}.{position:x}").into_bytes());
            }
        }
    }

    #[test]
    fn a_lifetime_past_the_servers_clock_is_refused() {
        let century = Lifetime::For(Lifetime::MAX);
        assert_eq!(expiry(century, 1_700_000_000).unwrap_err().kind(), ErrorKind::InvalidTtl);
    }
}
