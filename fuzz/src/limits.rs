//! As many bytes as a value may have, in a pattern: `way`, a separator, then `head`, `middle` and `tail`, of which the middle
//! is repeated. However they are read, it ends soon and takes little: as texts, as each type, and unpacked as each type.

use std::fmt::Debug;
use std::hint::black_box;
use std::str;

use lexigram_cache::fuzzing::Codec;
use lexigram_cache::fuzzing::memcached::Exchange;
use lexigram_cache::fuzzing::redis::{Order, READERS, Replies, WRITERS};
use lexigram_cache::{BoxError, Compression, Config, Format, Key, Memcached, Prefix, Redis, Source, Target};
use miniz_oxide::deflate::compress_to_vec_zlib;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::frames::{TIMED, ZLIB, sealed, sealed_json};
use super::growing::{GROWING, read_as_growing};
use super::meter::within_limits;
use super::shapes::{Reading, TYPES, read_as};

pub fn run(bytes: &[u8]) {
    let Some((way, pattern)) = bytes.split_first() else { return };
    let way = way % (TEXTS.len() as u8 + 2 * ALL);
    match (TEXTS.get(usize::from(way)), way.wrapping_sub(TEXTS.len() as u8)) {
        (Some(read), _) => read(pattern),
        (None, number @ ..ALL) => read_any(number, &Plain { bytes: unfolded(pattern) }),
        (None, number) => read_any(number - ALL, &Packed { pattern }),
    }
}

/// How many types there are.
const ALL: u8 = TYPES + GROWING;

fn read_any(number: u8, reading: &impl Reading) {
    match number.checked_sub(TYPES) {
        None => read_as(number, reading),
        Some(number) => read_as_growing(number, reading),
    }
}

/// What is read as no type in particular.
const TEXTS: [fn(&[u8]); 7] = [to_a_thread, to_tasks, from_memcached, yaml, configuration, url, servers];

/// The largest value of which something is promised.
const LARGEST: usize = 1 << 20;

fn unfolded(pattern: &[u8]) -> Vec<u8> {
    of_length(LARGEST, pattern)
}

/// The pattern, of so many bytes.
fn of_length(length: usize, pattern: &[u8]) -> Vec<u8> {
    let Some((separator, pattern)) = pattern.split_first() else { return Vec::new() };
    let mut parts = pattern.splitn(3, |byte| byte == separator).map(<[u8]>::to_vec);
    let [head, middle, tail] = [(); 3].map(|()| parts.next().unwrap_or_default());
    let room = length.saturating_sub(head.len() + tail.len());
    let times = room.checked_div(middle.len()).unwrap_or(0);
    [head, middle.repeat(times), tail].concat()
}

fn with_key(act: impl FnOnce(&Key<'_>)) {
    let prefix = Prefix::new("app");
    act(&prefix.key("k").expect("it is not empty"));
}

fn to_a_thread(pattern: &[u8]) {
    let bytes = &unfolded(pattern)[..];
    for commands in [1, 2, 200_000] {
        within_limits("replies to a thread", || {
            let mut replies = Replies::to(commands);
            if replies.advance(bytes).is_ok_and(|complete| complete) {
                drop(black_box(replies.read(bytes)));
            }
        });
    }
    let mut replies = Replies::to(1);
    let read = replies.advance(bytes).is_ok_and(|complete| complete).then(|| replies.read(bytes));
    let Some(Ok(values)) = read else { return };
    with_key(|key| {
        for (name, read) in READERS {
            let values = values.clone();
            within_limits(name, || drop(black_box(read(values, key))));
        }
    });
}

fn to_tasks(pattern: &[u8]) {
    let bytes = &unfolded(pattern)[..];
    with_key(|key| {
        for (verb, write) in WRITERS {
            let mut order = Order::new();
            order.ask(&write(key, b"v"));
            within_limits(verb, || drop(black_box(order.answer(bytes))));
        }
    });
}

fn from_memcached(pattern: &[u8]) {
    let bytes = &unfolded(pattern)[..];
    with_key(|key| {
        let exchange = Exchange::of(key, 1_000).expect("a key can be asked for");
        within_limits("replies of Memcached", || {
            let mut replies = exchange.replies();
            if replies.advance(bytes).is_ok_and(|complete| complete) {
                drop(black_box(replies.read(bytes)));
            }
        });
    });
}

fn yaml(pattern: &[u8]) {
    let bytes = &unfolded(pattern)[..];
    let Ok(text) = str::from_utf8(bytes) else { return };
    within_limits("YAML", || drop(black_box(Config::from_yaml_str(text))));
}

fn configuration(pattern: &[u8]) {
    let bytes = &unfolded(pattern)[..];
    within_limits("a configuration in JSON", || drop(black_box(serde_json::from_slice::<Config>(bytes))));
}

fn url(pattern: &[u8]) {
    let bytes = &unfolded(pattern)[..];
    let Ok(text) = str::from_utf8(bytes) else { return };
    within_limits("a URL", || drop(black_box(Redis::builder(text).build())));
}

fn servers(pattern: &[u8]) {
    let bytes = &unfolded(pattern)[..];
    let Ok(text) = str::from_utf8(bytes) else { return };
    within_limits("servers", || drop(black_box(Memcached::builder([text]).build())));
}

struct Plain {
    bytes: Vec<u8>,
}

impl Reading for Plain {
    fn of<T: Clone + Debug + DeserializeOwned + PartialEq + Serialize + 'static>(&self, sample: &T) {
        let (json, postcard) = (Codec::new(Format::Json), Codec::new(Format::Postcard));
        let (bytes, length) = (&self.bytes, self.bytes.len() as u32);
        decode::<T>("JSON", &json, bytes);
        decode::<T>("JSON of one's own", &Codec::new(Format::custom(Text)), bytes);
        decode::<T>("a frame", &postcard, bytes);
        decode::<T>("postcard", &postcard, &sealed(sample, 0, length, bytes));
        decode::<T>("timed postcard", &postcard, &sealed(sample, TIMED, length.saturating_sub(4), bytes));
    }
}

/// As many bytes as a mebibyte may unpack to.
struct Packed<'a> {
    pattern: &'a [u8],
}

impl Reading for Packed<'_> {
    fn of<T: Clone + Debug + DeserializeOwned + PartialEq + Serialize + 'static>(&self, sample: &T) {
        let plain = of_length(Compression::new().limit(), self.pattern);
        let (packed, length) = (compress_to_vec_zlib(&plain, 1), plain.len() as u32);
        drop(plain);
        if packed.len() <= LARGEST {
            let (json, postcard) = (Codec::new(Format::Json), Codec::new(Format::Postcard));
            decode::<T>("packed JSON", &json, &sealed_json(length, &packed));
            decode::<T>("packed postcard", &postcard, &sealed(sample, ZLIB, length, &packed));
        }
    }
}

/// A user's own format.
struct Text;

impl lexigram_cache::Codec for Text {
    fn name(&self) -> &str {
        "text"
    }

    fn encode(&self, value: Source<'_>, out: &mut Vec<u8>) -> Result<(), BoxError> {
        Ok(serde_json::to_writer(out, &value)?)
    }

    fn decode(&self, bytes: &[u8], target: Target<'_>) -> Result<(), BoxError> {
        let mut text = serde_json::Deserializer::from_slice(bytes);
        target.fill(&mut text)?;
        Ok(text.end()?)
    }
}

fn decode<T: DeserializeOwned + 'static>(what: &str, codec: &Codec, bytes: &[u8]) {
    within_limits(what, || drop(black_box(codec.decode::<T>(bytes))));
    within_limits(what, || {
        black_box(codec.load_time(bytes));
    });
}
