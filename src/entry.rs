//! What passes between a cache and its backend: values on their way in and out, and the conditions on them.

use std::any::Any;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::ValueCodec;
use crate::error::{Error, ErrorKind, Result};

/// A type that a cache can hold: clone it, send it, encode it, decode it. Implemented for all that can.
pub trait Value: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {}

impl<T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static> Value for T {}

/// A borrowed value that a cache can be given to keep: `&User`, `&str`, `&[u8]`, .. Implemented for all that can.
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
    pub(crate) fn open<T: Value>(self, codec: &ValueCodec) -> Result<Arc<T>> {
        match self {
            Item::Bytes(bytes) => codec.decode(&bytes).map(Arc::new),
            Item::Object(object) => {
                let any: Arc<dyn Any + Send + Sync> = Arc::clone(&object) as _;
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
    pub(crate) number: Option<u64>,
}

impl Found {
    /// What to compare the key with later.
    ///
    /// # Errors
    /// As [`Item::bytes`], where the backend compares bytes.
    pub(crate) fn into_version(self) -> Result<Version> {
        match self.number {
            Some(number) => Ok(Version::Number(number)),
            None => self.item.bytes().map(Version::Bytes),
        }
    }
}

/// What a [`Backend`](crate::Backend) answers to a read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// The encoded value.
    pub bytes: Vec<u8>,
    /// Which write it came from, as a number that the backend never gives twice to one key, such as a CAS.
    /// `None` where the backend compares the bytes themselves.
    pub number: Option<u64>,
}

impl Entry {
    /// What to compare the key with later.
    pub fn into_version(self) -> Version {
        self.number.map_or(Version::Bytes(self.bytes), Version::Number)
    }
}

impl From<Entry> for Found {
    fn from(entry: Entry) -> Found {
        Found { item: Item::Bytes(entry.bytes), number: entry.number }
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

/// The right to fill one key, void as soon as anybody writes or removes that key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lease {
    /// What the backend knows it by. `None` where the backend keeps no leases: then a fill stores as long as
    /// the key is still absent.
    pub token: Option<Version>,
}

/// What a read before a load came to.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Lookup<V = Entry> {
    /// There is a value.
    Hit(V),
    /// There is none, and the caller may fill it.
    Lease(Lease),
}
