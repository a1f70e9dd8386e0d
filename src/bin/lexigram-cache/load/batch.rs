//! Values that go in one round trip.

use crate::tool::record::Payload;
use crate::tool::time::Life;

/// One value, and the line it is from.
pub struct Item {
    pub line: u64,
    pub key: String,
    pub payload: Payload,
}

impl Item {
    pub fn len(&self) -> usize {
        let value = match &self.payload {
            Payload::Json(json) => json.get().len(),
            Payload::Bytes(bytes) => bytes.len(),
        };
        self.key.len() + value
    }
}

/// Values of one lifetime.
pub struct Batch {
    pub life: Life,
    pub items: Vec<Item>,
    pub bytes: usize,
}

impl Batch {
    pub fn new(life: Life) -> Batch {
        Batch { life, items: Vec::new(), bytes: 0 }
    }

    pub fn push(&mut self, item: Item) {
        self.bytes += item.len();
        self.items.push(item);
    }
}

/// A batch of more bytes is sent before it is full: it has to be on its way within one call's time.
pub const BYTES: usize = 1 << 20;
