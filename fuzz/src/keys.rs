//! Any text as a key: a separator, then `prefix`, `name`, `prefix`, `name`. What is not UTF-8 is taken byte by byte.

use lexigram_cache::fuzzing::{memcached, redis};
use lexigram_cache::{Cache, ErrorKind, Key, Memory, Pattern, Prefix, Ttl};

pub fn run(bytes: &[u8]) {
    let Some((separator, rest)) = bytes.split_first() else { return };
    let mut parts = rest.splitn(4, |byte| byte == separator).map(text);
    let mut next = || parts.next().unwrap_or_default();
    let (one, other) = ([next(), next()], [next(), next()]);
    for [prefix, name] in [&one, &other] {
        alone(&Prefix::new(prefix), name);
    }
    together(&one, &other);
}

fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

fn alone(prefix: &Prefix, name: &str) {
    let key = match prefix.key(name) {
        Ok(key) => key,
        Err(error) => return assert!(name.is_empty() && error.kind() == ErrorKind::InvalidKey),
    };
    let joined = key.joined();
    assert_eq!(joined, [key.prefix(), name].concat());
    assert!(Pattern::starting_with(name).matches(name), "{name:?}");
    Pattern::glob(name).matches(&joined);
    one_command_on_redis(&key, &joined);
    one_command_on_memcached(&key);
}

fn one_command_on_redis(key: &Key<'_>, joined: &str) {
    assert!(redis::slot(joined.as_bytes()) < 16_384);
    let plain = Prefix::default();
    let plain = plain.key("k").expect("it is not empty");
    for (verb, write) in redis::WRITERS {
        let words = words(&write(key, joined.as_bytes()));
        let usual = self::words(&write(&plain, b"k"));
        let places = |words: &[Vec<u8>], key: &str| -> Vec<usize> {
            (0..words.len()).filter(|at| words[*at] == key.as_bytes()).collect()
        };
        assert_eq!(words.len(), usual.len(), "{verb} of {joined:?}");
        let (places, usual) = (places(&words, joined), places(&usual, "k"));
        assert!(usual.iter().all(|at| places.contains(at)), "{verb} of {joined:?}");
    }
}

/// The words of the one command that these bytes are.
fn words(packed: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = packed;
    let count = number(&mut rest, b'*');
    let words = (0..count).map(|_| {
        let length = number(&mut rest, b'$');
        let (word, after) = rest.split_at(length);
        rest = after.strip_prefix(b"\r\n").expect("a word ends with its line");
        word.to_vec()
    });
    let words = words.collect();
    assert!(rest.is_empty(), "there is a second command in {packed:?}");
    words
}

fn number(rest: &mut &[u8], kind: u8) -> usize {
    let line = rest.split(|byte| *byte == b'\r').next().expect("there is a line");
    let digits = line.strip_prefix(&[kind]).expect("it is of this kind");
    *rest = rest[line.len()..].strip_prefix(b"\r\n").expect("a line ends");
    std::str::from_utf8(digits).expect("it is text").parse().expect("it is a number")
}

fn one_command_on_memcached(key: &Key<'_>) {
    let wire = memcached::key(key);
    assert!((1..=250).contains(&wire.len()) && wire.bytes().all(|byte| byte.is_ascii_graphic()), "{wire:?}");
    let value = key.joined().into_bytes();
    for (verb, write) in memcached::WRITERS {
        let packed = write(key, &value).expect("every key can be sent");
        let end = packed.windows(2).position(|two| two == b"\r\n").expect("a line ends");
        let (line, data) = (&packed[..end], &packed[end + 2..]);
        let mut words = line.split(|byte| *byte == b' ');
        assert_eq!(words.nth(1), Some(wire.as_bytes()), "{verb}");
        assert!(line.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' '), "{verb}");
        let is_write = line.starts_with(b"ms");
        assert_eq!(data.strip_suffix(b"\r\n"), is_write.then_some(&value[..]), "{verb}");
    }
}

/// Two caches with a prefix each share a key only if prefix and name are the same.
fn together([prefix, name]: &[String; 2], [other_prefix, other_name]: &[String; 2]) {
    let (one, other) = (Prefix::new(prefix), Prefix::new(other_prefix));
    let (Ok(key), Ok(other_key)) = (one.key(name), other.key(other_name)) else { return };
    let apart = (prefix, name) != (other_prefix, other_name);
    if (prefix.is_empty() || other_prefix.is_empty()) && prefix != other_prefix {
        return;
    }
    assert_eq!(key.joined() != other_key.joined(), apart);
    assert_eq!(memcached::key(&key) != memcached::key(&other_key), apart);
    assert_ne!(memcached::generation_key(other.as_str()), memcached::key(&key));
    assert_eq!(!sees(prefix, name, other_prefix, other_name), apart);
}

/// Whether a value that the one writes in memory is there for the other.
fn sees(prefix: &str, name: &str, other_prefix: &str, other_name: &str) -> bool {
    thread_local! {
        static MEMORY: Memory = Memory::default();
    }
    let under = |prefix: &str| {
        let backend = MEMORY.with(Memory::clone);
        Cache::builder().backend(backend).prefix(prefix).build().expect("any prefix will do")
    };
    let (one, other) = (under(prefix), under(other_prefix));
    one.set(name, &1_u8, Ttl::NEVER).expect("any name will do");
    let sees = other.exists(other_name).expect("any name will do");
    assert!(one.delete(name).expect("any name will do"), "it was not there any more");
    sees
}
