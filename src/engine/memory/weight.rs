//! What an entry weighs, where a store is bounded by weight.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::codec::{Format, ValueCodec};
use crate::entry::Object;
use crate::key::Key;

/// An entry that is about to be stored, as [`MemoryBuilder::weigher`](crate::MemoryBuilder::weigher) is shown it.
pub struct Weighing<'a> {
    key: &'a Key<'a>,
    object: &'a dyn Object,
}

impl Weighing<'_> {
    /// Length of the whole key, prefix included, in bytes.
    pub fn key_len(&self) -> u64 {
        self.key.len() as u64
    }

    /// The value, if it is a `T`.
    pub fn value<T: 'static>(&self) -> Option<&T> {
        (self.object as &dyn Any).downcast_ref()
    }

    /// What the value weighs unless told otherwise: the bytes of a text or a byte vector, of all else the length of its
    /// serialised form, which is made for that and thrown away; of what cannot be serialised, its size on the stack.
    pub fn value_len(&self) -> u64 {
        let known = self
            .value::<String>()
            .map(String::len)
            .or_else(|| self.value::<Vec<u8>>().map(Vec::len))
            .or_else(|| self.value::<Box<str>>().map(|text| text.len()))
            .or_else(|| self.value::<Box<[u8]>>().map(|bytes| bytes.len()))
            .or_else(|| self.value::<i64>().map(|_| size_of::<i64>()));
        let len = known.unwrap_or_else(|| {
            let encoded = self.object.encode(&ValueCodec::new(Format::default()));
            encoded.map_or(size_of_val(self.object), |bytes| bytes.len())
        });
        len as u64
    }
}

impl fmt::Debug for Weighing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Weighing").field("key_len", &self.key_len()).finish_non_exhaustive()
    }
}

/// Says what an entry weighs.
#[derive(Clone, Default)]
pub(crate) struct Weigher(Option<Arc<Weigh>>);

type Weigh = dyn Fn(&Weighing<'_>) -> u64 + Send + Sync;

impl Weigher {
    pub(crate) fn own(weigh: impl Fn(&Weighing<'_>) -> u64 + Send + Sync + 'static) -> Weigher {
        Weigher(Some(Arc::new(weigh)))
    }

    pub(super) fn weigh(&self, key: &Key<'_>, object: &dyn Object) -> u64 {
        let weighing = Weighing { key, object };
        match &self.0 {
            Some(weigh) => weigh(&weighing),
            None => weighing.key_len() + weighing.value_len(),
        }
    }
}

impl fmt::Debug for Weigher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "the user's own" } else { "bytes of key and value" })
    }
}
