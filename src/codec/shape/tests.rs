use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::time::Instant;

use serde::de::{DeserializeOwned, Error, Visitor};
use serde::{Deserialize, Deserializer};

use super::Shape;
use super::tracer::trace;

fn print<T: DeserializeOwned + 'static>() -> u64 {
    Shape::of::<T>().fingerprint
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only its shape matters")]
struct User {
    id: u64,
    name: String,
    tags: Vec<String>,
}

/// Every variation is called `User`, as the same type is on the day before and after a deploy.
macro_rules! user {
    ($module:ident { $($field:ident: $type:ty,)* }) => {
        mod $module {
            #[derive(serde::Deserialize)]
            #[allow(dead_code, reason = "only its shape matters")]
            pub(super) struct User { $($field: $type,)* }
        }
    };
}

user!(same { id: u64, name: String, tags: Vec<String>, });
user!(added { id: u64, name: String, tags: Vec<String>, more: bool, });
user!(renamed { id: u64, title: String, tags: Vec<String>, });
user!(swapped { name: String, id: u64, tags: Vec<String>, });
user!(retyped { id: i64, name: String, tags: Vec<String>, });
user!(inner { id: u64, name: String, tags: Vec<u32>, });
user!(boxed { id: Box<u64>, name: Box<str>, tags: std::collections::VecDeque<std::borrow::Cow<'static, str>>, });

#[test]
fn a_shape_follows_the_fields() {
    let shape = print::<User>();
    assert_eq!(shape, print::<same::User>());
    for other in [
        print::<added::User>(),
        print::<renamed::User>(),
        print::<swapped::User>(),
        print::<retyped::User>(),
        print::<inner::User>(),
    ] {
        assert_ne!(shape, other);
    }
}

#[test]
fn what_is_written_alike_and_named_alike_has_one_shape() {
    assert_eq!(print::<User>(), print::<boxed::User>());
    assert_eq!(print::<Vec<u8>>(), print::<std::collections::BTreeSet<u8>>());
    assert_eq!(print::<Vec<u8>>(), print::<Bytes>());
    assert_eq!(print::<HashMap<String, u8>>(), print::<BTreeMap<Box<str>, u8>>());
    assert_ne!(print::<Vec<u8>>(), print::<String>());
    assert_ne!(print::<(u8, u16)>(), print::<(u16, u8)>());
    assert_ne!(print::<Option<u8>>(), print::<u8>());
}

struct Bytes;

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Bytes;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E: Error>(self, _: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes)
            }
        }
        deserializer.deserialize_byte_buf(Any)
    }
}

#[test]
fn a_shape_is_followed_through_everything_that_contains() {
    assert_ne!(print::<Vec<User>>(), print::<Vec<added::User>>());
    assert_ne!(print::<Option<User>>(), print::<Option<swapped::User>>());
    assert_ne!(print::<HashMap<u8, User>>(), print::<HashMap<u8, renamed::User>>());
    assert_ne!(print::<(u8, [User; 2])>(), print::<(u8, [retyped::User; 2])>());
    assert_ne!(print::<Result<u8, User>>(), print::<Result<u8, inner::User>>());
    assert_ne!(print::<Page<Page<User>>>(), print::<Page<Page<inner::User>>>());
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only its shape matters")]
struct Page<T> {
    items: Vec<T>,
    next: Option<u32>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only its shape matters")]
enum Event<T> {
    Nothing,
    Moved(i8, i8),
    Inner(Result<u16, Result<Option<T>, u32>>),
    Named { value: T },
}

#[test]
fn every_variant_of_every_enum_is_looked_at() {
    assert_ne!(print::<Event<u8>>(), print::<Event<u16>>());
    assert_ne!(print::<(u8, Event<User>)>(), print::<(u8, Event<added::User>)>());
    assert_ne!(print::<[Option<Only>; 2]>(), print::<[Option<wide::Only>; 2]>());
    assert_ne!(print::<Only>(), print::<renamed_variant::Only>());
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only its shape matters")]
enum Only {
    A,
    B(Result<u8, Result<u8, u8>>),
}

mod wide {
    #[derive(serde::Deserialize)]
    #[expect(dead_code, reason = "only its shape matters")]
    pub(super) enum Only {
        A,
        B(Result<u8, Result<u8, u16>>),
    }
}

mod renamed_variant {
    #[derive(serde::Deserialize)]
    #[expect(dead_code, reason = "only its shape matters")]
    pub(super) enum Only {
        A,
        C(Result<u8, Result<u8, u8>>),
    }
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only its shape matters")]
enum List {
    Cons(u8, Box<List>),
    Nil,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only its shape matters")]
enum Expr<T> {
    Both(Box<Expr<T>>, Box<Expr<T>>),
    Not(Box<Expr<T>>),
    All(Vec<Expr<T>>),
    Call { name: String, arguments: BTreeMap<String, Expr<T>>, or: Option<Box<Expr<T>>> },
    Number(T),
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only its shape matters")]
struct Node<T> {
    children: Vec<Node<T>>,
    next: Option<Box<Node<T>>>,
    list: List,
    value: T,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only its shape matters")]
struct Nested(Vec<Nested>);

/// No value of it exists, and no one may wait for one.
#[derive(Deserialize)]
#[expect(dead_code, reason = "only its shape matters")]
struct Endless(Box<Endless>);

#[test]
fn recursive_types_have_a_shape_like_others() {
    let start = Instant::now();
    assert_ne!(print::<Expr<u8>>(), print::<Expr<u16>>());
    assert_ne!(print::<Node<u8>>(), print::<Node<u16>>());
    assert_ne!(print::<List>(), print::<Nested>());
    assert_eq!(print::<Endless>(), trace::<Endless>().fingerprint);
    assert!(start.elapsed().as_secs() < 5);
}

/// Refuses whatever it is offered.
struct Picky;

impl<'de> Deserialize<'de> for Picky {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Picky, D::Error> {
        String::deserialize(deserializer)?;
        Err(D::Error::custom("no"))
    }
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only its shape matters")]
struct Around<T> {
    before: u8,
    picky: Picky,
    nested: Beside<T>,
    option: Option<Picky>,
    after: T,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only its shape matters")]
struct Beside<T> {
    picky: Picky,
    choice: Result<u8, T>,
}

#[test]
fn a_field_that_refuses_all_dummies_does_not_hide_its_neighbours() {
    assert_ne!(print::<Around<User>>(), print::<Around<added::User>>());
    assert_ne!(print::<Beside<User>>(), print::<Beside<added::User>>());
    assert_ne!(print::<Vec<Beside<u8>>>(), print::<Vec<Beside<u16>>>());
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only its shape matters")]
struct Common<T> {
    id: std::num::NonZeroU32,
    at: std::net::IpAddr,
    every: std::time::Duration,
    letter: Option<char>,
    value: T,
}

#[test]
fn common_types_accept_a_dummy() {
    assert_ne!(print::<Common<User>>(), print::<Common<added::User>>());
}

/// Reads bytes as such, and takes so many of them only.
struct Exactly<const N: usize>;

impl<'de, const N: usize> Deserialize<'de> for Exactly<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Exactly<N>, D::Error> {
        deserializer.deserialize_bytes(Exactly)
    }
}

impl<const N: usize> Visitor<'_> for Exactly<N> {
    type Value = Exactly<N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{N} bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Exactly<N>, E> {
        if bytes.len() == N { Ok(Exactly) } else { Err(E::invalid_length(bytes.len(), &self)) }
    }
}

#[test]
fn bytes_of_a_length_of_their_own_do_not_hide_what_follows() {
    assert_ne!(print::<(Exactly<16>, User)>(), print::<(Exactly<16>, added::User)>());
    assert_ne!(print::<(Exactly<64>, User)>(), print::<(Exactly<64>, added::User)>());
    assert_ne!(print::<Exactly<0>>(), print::<String>());
}

struct Panics;

impl<'de> Deserialize<'de> for Panics {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Panics, D::Error> {
        assert_eq!(u8::deserialize(deserializer)?, 77, "no dummy is this number");
        Ok(Panics)
    }
}

#[test]
fn a_type_that_panics_on_a_dummy_has_a_shape() {
    assert_eq!(print::<(u8, Panics)>(), trace::<(u8, Panics)>().fingerprint);
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only its shape matters")]
struct Id(Meters);

#[derive(Deserialize)]
#[expect(dead_code, reason = "only its shape matters")]
struct Meters(i64);

#[test]
fn integers_are_told_from_everything_else() {
    for integer in
        [trace::<u8>(), trace::<i128>(), trace::<Id>(), trace::<Box<usize>>(), trace::<std::num::NonZeroU8>()]
    {
        assert!(integer.integer);
    }
    for other in [
        trace::<Option<u8>>(),
        trace::<(u8,)>(),
        trace::<bool>(),
        trace::<f64>(),
        trace::<String>(),
        trace::<User>(),
    ] {
        assert!(!other.integer);
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its shape matters")]
enum Untagged {
    A(u8),
}

#[test]
fn types_that_need_a_self_describing_format_are_known() {
    assert!(trace::<Vec<Untagged>>().self_describing);
    assert!(!trace::<Node<Event<User>>>().self_describing);
}

/// Stored values depend on it: a change here is a change of the frame's version.
#[test]
fn fingerprints_never_change() {
    assert_eq!(print::<User>(), 7_926_937_563_531_390_800);
    assert_eq!(print::<Event<u8>>(), 5_786_947_590_620_413_453);
}

#[test]
fn a_shape_is_the_same_each_time_it_is_taken() {
    assert_eq!(trace::<Node<Expr<Event<User>>>>(), trace::<Node<Expr<Event<User>>>>());
}
