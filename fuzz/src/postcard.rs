//! postcard that nobody vouches for: `type`, `how`, then a frame, or the payload of one that is sealed here.

use std::fmt::Debug;

use lexigram_cache::Format;
use lexigram_cache::fuzzing::Codec;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::frames::{TIMED, sealed};
use super::shapes::{Reading, assert_survives, read_as};

pub fn run(bytes: &[u8]) {
    let [number, how, payload @ ..] = bytes else { return };
    let codec = Codec::new(Format::Postcard);
    codec.load_time(payload);
    read_as(*number, &Payload { codec, how: *how, payload });
}

struct Payload<'a> {
    codec: Codec,
    how: u8,
    payload: &'a [u8],
}

impl Payload<'_> {
    fn framed<T: Debug + DeserializeOwned + Serialize + 'static>(&self, sample: &T) -> Vec<u8> {
        let length = self.payload.len() as u32;
        match self.how % 3 {
            0 => self.payload.to_vec(),
            1 => sealed(sample, 0, length, self.payload),
            _ => sealed(sample, TIMED, length.saturating_sub(4), self.payload),
        }
    }
}

impl Reading for Payload<'_> {
    fn of<T: Clone + Debug + DeserializeOwned + PartialEq + Serialize + 'static>(&self, sample: &T) {
        let frame = self.framed(sample);
        self.codec.load_time(&frame);
        if let Ok(value) = self.codec.decode::<T>(&frame) {
            assert_survives(&self.codec, &value);
        }
    }
}
