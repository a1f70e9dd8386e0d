//! JSON that nobody vouches for: `type`, then the text.

use std::fmt::Debug;

use lexigram_cache::Format;
use lexigram_cache::fuzzing::Codec;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::shapes::{Reading, assert_survives, read_as};

pub fn run(bytes: &[u8]) {
    let Some((number, text)) = bytes.split_first() else { return };
    let codec = Codec::new(Format::Json);
    codec.load_time(text);
    read_as(*number, &Text { codec, text });
}

struct Text<'a> {
    codec: Codec,
    text: &'a [u8],
}

impl Reading for Text<'_> {
    fn of<T: Clone + Debug + DeserializeOwned + PartialEq + Serialize + 'static>(&self, _: &T) {
        let read = self.codec.decode::<T>(self.text);
        // What is no frame is read as serde_json alone reads it.
        if self.text.first() != Some(&0xC1) {
            assert_eq!(read.as_ref().ok(), serde_json::from_slice(self.text).ok().as_ref());
        }
        if let Ok(value) = read {
            assert_survives(&self.codec, &value);
        }
    }
}
