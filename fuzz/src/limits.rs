//! As many bytes as a value may have, in a pattern: `way`, a separator, then `head`, `middle` and `tail`, of which the middle
//! is repeated. However they are read, it ends soon and takes little.

use std::fmt::Debug;
use std::hint::black_box;
use std::str;

use lexigram_cache::fuzzing::Codec;
use lexigram_cache::fuzzing::memcached::Exchange;
use lexigram_cache::fuzzing::redis::{Order, READERS, Replies, WRITERS};
use lexigram_cache::{Compression, Config, Format, Key, Memcached, Prefix, Redis};
use miniz_oxide::deflate::compress_to_vec_zlib;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::frames::{TIMED, ZLIB, sealed, sealed_json};
use super::meter::within_limits;
use super::shapes::{Reading, TYPES, read_as};

pub fn run(bytes: &[u8]) {
    let Some((way, pattern)) = bytes.split_first() else { return };
    let way = way % (TEXTS.len() as u8 + TYPES);
    match TEXTS.get(usize::from(way)) {
        Some(read) => read(pattern),
        None => read_as(way - TEXTS.len() as u8, &Plain { bytes: unfolded(pattern) }),
    }
}

/// What is read as no type in particular, or as one that takes about as much room as its text.
const TEXTS: [fn(&[u8]); 9] = [
    to_a_thread,
    to_tasks,
    from_memcached,
    yaml,
    configuration,
    url,
    servers,
    |pattern| packed(&String::new(), pattern),
    |pattern| packed(&Vec::<()>::new(), pattern),
];

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
                drop(black_box(replies.read(bytes.to_vec())));
            }
        });
    }
    let mut replies = Replies::to(1);
    let read = replies.advance(bytes).is_ok_and(|complete| complete).then(|| replies.read(bytes.to_vec()));
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
                drop(black_box(replies.read(bytes.to_vec())));
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
        decode::<T>("a frame", &postcard, bytes);
        decode::<T>("postcard", &postcard, &sealed(sample, 0, length, bytes));
        decode::<T>("timed postcard", &postcard, &sealed(sample, TIMED, length.saturating_sub(4), bytes));
    }
}

/// What a mebibyte unpacks to; the value itself takes what its type takes.
fn packed<T: Debug + DeserializeOwned + Serialize + 'static>(sample: &T, pattern: &[u8]) {
    let plain = of_length(Compression::new().limit(), pattern);
    let (packed, length) = (compress_to_vec_zlib(&plain, 1), plain.len() as u32);
    drop(plain);
    if packed.len() <= LARGEST {
        decode::<T>("packed JSON", &Codec::new(Format::Json), &sealed_json(length, &packed));
        decode::<T>("packed postcard", &Codec::new(Format::Postcard), &sealed(sample, ZLIB, length, &packed));
    }
}

fn decode<T: DeserializeOwned + 'static>(what: &str, codec: &Codec, bytes: &[u8]) {
    within_limits(what, || drop(black_box(codec.decode::<T>(bytes))));
    within_limits(what, || {
        black_box(codec.load_time(bytes));
    });
}
