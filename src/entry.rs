//! What passes between a cache and its backend: values on their way in and out, and the conditions on them.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::ValueCodec;
use crate::error::{Error, ErrorKind, Result};
use crate::key::Key;
use crate::ttl::{Lifetime, Remaining};

/// A type that a cache can hold: clone it, send it, encode it, decode it. Implemented for all that can.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a cache",
    note = "a value is owned and has Clone, Send, Sync, and serde's Serialize and Deserialize: \
            `#[derive(Clone, serde::Deserialize, serde::Serialize)]`"
)]
pub trait Value: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {}

impl<T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static> Value for T {}

/// A borrowed value that a cache can be given to keep: `&User`, `&str`, `&[u8]`, .. Implemented for all that can.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored in a cache",
    note = "a value is owned and has Clone, Send, Sync, and serde's Serialize and Deserialize: \
            `#[derive(Clone, serde::Deserialize, serde::Serialize)]`"
)]
pub trait Storable: Serialize + ToOwned<Owned: Serialize + DeserializeOwned + Send + Sync + 'static> {}

impl<T> Storable for T where
    T: Serialize + ToOwned<Owned: Serialize + DeserializeOwned + Send + Sync + 'static> + ?Sized
{
}

/// What memory keeps: the value itself, and the way to its bytes should it be read as another type.
pub(crate) trait Object: Any + Send + Sync {
    fn encode(&self, codec: &ValueCodec) -> Result<Vec<u8>>;
}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Object for T {
    fn encode(&self, codec: &ValueCodec) -> Result<Vec<u8>> {
        codec.encode::<T, T>(self)
    }
}

/// A value that came as bytes, in memory: whoever reads it decodes it.
pub(crate) struct Encoded(pub(crate) Vec<u8>);

impl Object for Encoded {
    fn encode(&self, _: &ValueCodec) -> Result<Vec<u8>> {
        Ok(self.0.clone())
    }
}

/// A value as a backend holds it.
#[derive(Clone)]
pub(crate) enum Item {
    /// Kept as it is, in this process.
    Object(Arc<dyn Object>),
    /// Encoded, as on a wire.
    Bytes(Vec<u8>),
}

impl Item {
    /// The value as a `T`, shared where it is one already.
    ///
    /// # Errors
    /// `Decode` if it is not a `T`.
    pub(crate) fn open<T: Value>(&self, codec: &ValueCodec) -> Result<Arc<T>> {
        match self {
            Item::Bytes(bytes) => codec.decode(bytes).map(Arc::new),
            Item::Object(object) => {
                let any: Arc<dyn Any + Send + Sync> = Arc::clone(object) as _;
                any.downcast().or_else(|_| codec.decode(&object.encode(codec)?).map(Arc::new))
            }
        }
    }

    /// The bytes of a value that was packed for a backend that holds bytes.
    ///
    /// # Errors
    /// `Encode` for an object, which a cache never hands to such a backend.
    pub(crate) fn bytes(self) -> Result<Vec<u8>> {
        match self {
            Item::Bytes(bytes) => Ok(bytes),
            Item::Object(_) => {
                Err(Error::new(ErrorKind::Encode, "the value was not encoded for this backend"))
            }
        }
    }

    /// The bytes of a value that was stored as such, without a format around it.
    #[cfg(feature = "encryption")]
    pub(crate) fn raw(&self) -> Option<&[u8]> {
        match self {
            Item::Bytes(bytes) => Some(bytes),
            Item::Object(object) => {
                let any: &dyn Any = &**object;
                any.downcast_ref::<Vec<u8>>().map(Vec::as_slice)
            }
        }
    }

    /// The encoded value.
    pub(crate) fn into_bytes(self, codec: &ValueCodec) -> Result<Vec<u8>> {
        match self {
            Item::Bytes(bytes) => Ok(bytes),
            Item::Object(object) => object.encode(codec),
        }
    }
}

/// A stored value, and which write it came from.
#[derive(Clone)]
pub(crate) struct Found {
    pub(crate) item: Item,
    pub(crate) version: Option<Version>,
    pub(crate) remaining: Option<Remaining>,
}

impl Found {
    /// What to compare the key with later.
    ///
    /// # Errors
    /// As [`Item::bytes`], where the backend compares bytes.
    pub(crate) fn into_version(self) -> Result<Version> {
        match self.version {
            Some(version) => Ok(version),
            None => self.item.bytes().map(Version::Bytes),
        }
    }
}

/// What a [`Backend`](crate::Backend) answers to a read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// The encoded value.
    pub bytes: Vec<u8>,
    /// Which write it came from. `None` where the backend compares the bytes themselves.
    pub version: Option<Version>,
    /// What is left of its stay, where that was asked for or costs nothing to tell.
    pub remaining: Option<Remaining>,
}

impl Entry {
    /// What to compare the key with later.
    pub fn into_version(self) -> Version {
        self.version.unwrap_or(Version::Bytes(self.bytes))
    }
}

impl From<Vec<u8>> for Entry {
    /// An entry of a backend that compares bytes.
    fn from(bytes: Vec<u8>) -> Entry {
        Entry { bytes, version: None, remaining: None }
    }
}

impl From<Entry> for Found {
    fn from(entry: Entry) -> Found {
        Found { item: Item::Bytes(entry.bytes), version: entry.version, remaining: entry.remaining }
    }
}

/// Which write of a key a value came from, in the backend's own terms.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Version {
    /// A number that the backend never gives twice to one key, such as a CAS.
    Number(u64),
    /// The stored bytes themselves, where the backend compares by value.
    Bytes(Vec<u8>),
}

/// When a write may happen. Checked and applied as one step.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Condition {
    /// Always.
    Always,
    /// Only if the key holds nothing.
    Absent,
    /// Only if the key holds something.
    Present,
    /// Only if the key still holds this version.
    Unchanged(Version),
}

/// What a look at a key is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Ask {
    /// The value, by the shortest way.
    Value,
    /// The value with what is left of its stay and a version that no other write of the key shares, as far as the
    /// backend can tell writes apart. Values past their time are shown too, as long as they are
    /// [kept](crate::Key::stale_for).
    Age,
    /// As [`Age`](Ask::Age); of a key that holds nothing, the right to fill it, for so long.
    Lease(Duration),
}

/// The right to fill one key, void as soon as anybody writes or removes that key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lease {
    /// What the backend knows it by. `None` where the backend keeps no leases: then a fill stores as long as
    /// the key is still absent.
    pub token: Option<Version>,
}

/// A value to be stored under a lease.
#[derive(Clone, Debug)]
pub struct Fill<'a> {
    /// What the lease is for.
    pub key: Key<'a>,
    /// The right to store.
    pub lease: Lease,
    /// The encoded value.
    pub bytes: Vec<u8>,
    /// How long the value stays.
    pub lifetime: Lifetime,
}

/// What a look at a key showed.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Lookup<V = Entry> {
    /// There is a value.
    Hit(V),
    /// There is none, and nobody is loading it.
    Absent,
    /// There was none, and now the caller may fill it.
    Lease(Lease),
    /// There is none, and the holder of the lease of this token is loading it.
    Busy(Version),
}

impl<V> Lookup<V> {
    /// The same with another kind of value.
    pub(crate) fn map<W>(self, make: impl FnOnce(V) -> W) -> Lookup<W> {
        match self {
            Lookup::Hit(value) => Lookup::Hit(make(value)),
            Lookup::Absent => Lookup::Absent,
            Lookup::Lease(lease) => Lookup::Lease(lease),
            Lookup::Busy(token) => Lookup::Busy(token),
        }
    }
}

/// A stretch of a walk over names.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Page {
    /// What was met in it, without the prefix. May be none.
    pub names: Vec<String>,
    /// Where the walk goes on, in the backend's own terms; `None` at its end.
    pub next: Option<String>,
}

impl Page {
    /// The error of a walk that is to go on at a place that no page has told.
    pub(crate) fn unknown_place() -> Error {
        Error::new(ErrorKind::Unsupported, "no page of this backend has told this place to go on at")
    }
}
