//! zlib around a payload, where it is worth it.

use std::time::Duration;

use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_PARSE_ZLIB_HEADER, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

use super::fault::Fault;
use super::frame::{self, Label};

/// Which values are compressed, and how.
///
/// Reading needs no setting: whatever was compressed is read by every client that has the feature.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Compression {
    level: u8,
    threshold: usize,
    limit: usize,
}

impl Compression {
    /// Level 1, from 1 KiB, up to 4 MiB.
    pub fn new() -> Compression {
        Compression { level: 1, threshold: 1 << 10, limit: 4 << 20 }
    }

    /// Effort, from 1 (fast) to 9 (small); what lies outside becomes the nearer end. Defaults to 1.
    #[must_use]
    pub fn with_level(self, level: u8) -> Compression {
        Compression { level: level.clamp(1, 9), ..self }
    }

    /// Values of fewer encoded bytes are left alone. Defaults to 1 KiB.
    #[must_use]
    pub fn with_threshold(self, bytes: usize) -> Compression {
        Compression { threshold: bytes, ..self }
    }

    /// The most bytes that one value may unpack to: more is refused unread, and values that large are not
    /// compressed. Defaults to 4 MiB: so much is read, or refused, in a tenth of a second, whatever it is.
    ///
    /// In memory any value may take twelve times as much, if that is more than 48 MiB and than 48 bytes for each
    /// that is stored. What would take more is refused: a hundred thousand times `None` where `Some` is a wide struct,
    /// or a million short texts.
    #[must_use]
    pub fn with_limit(self, bytes: usize) -> Compression {
        Compression { limit: bytes, ..self }
    }

    /// Effort, from 1 to 9.
    pub fn level(&self) -> u8 {
        self.level
    }

    /// Values of fewer encoded bytes are left alone.
    pub fn threshold(&self) -> usize {
        self.threshold
    }

    /// The most bytes that one value may unpack to.
    pub fn limit(&self) -> usize {
        self.limit
    }
}

impl Default for Compression {
    fn default() -> Compression {
        Compression::new()
    }
}

/// Packs where it was asked to, unpacks always.
#[derive(Clone, Debug, Default)]
pub(super) struct Zip {
    setting: Compression,
    packs: bool,
}

impl Zip {
    pub(super) fn new(setting: Compression) -> Zip {
        Zip { setting, packs: true }
    }

    /// The most bytes that a value may unpack to.
    pub(super) fn limit(&self) -> usize {
        self.setting.limit
    }

    #[cfg(test)]
    pub(super) fn packs(&self) -> bool {
        self.packs
    }

    /// A frame around the compressed payload, if that saves at least a tenth.
    pub(super) fn zip(
        &self,
        content: u8,
        shape: u64,
        took: Option<Duration>,
        plain: &[u8],
    ) -> Result<Option<Vec<u8>>, Fault> {
        let Compression { level, threshold, limit } = self.setting;
        if !self.packs || !(threshold..=limit).contains(&plain.len()) || !promises(plain, level) {
            return Ok(None);
        }
        let packed = compress_to_vec_zlib(plain, level);
        let mut frame = frame::begin(packed.len());
        frame.extend_from_slice(&packed);
        if !saves(frame.len(), plain.len()) {
            return Ok(None);
        }
        frame::seal(frame, Label { content, zlib: true, length: plain.len(), shape, took }).map(Some)
    }

    /// Exactly `length` bytes, made of exactly `packed`.
    pub(super) fn unzip(&self, packed: &[u8], length: usize) -> Result<Vec<u8>, Fault> {
        if length > self.setting.limit {
            return Err("it unpacks to more than the limit allows".into());
        }
        // No stream can do better, so that a few bytes cannot ask for much memory.
        if length / BEST_RATIO > packed.len() {
            return Err("its length cannot be true".into());
        }
        let mut plain = vec![0; length];
        let flags = TINFL_FLAG_PARSE_ZLIB_HEADER | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
        let (status, read, written) =
            decompress(&mut Box::<DecompressorOxide>::default(), packed, &mut plain, 0, flags);
        match status == TINFLStatus::Done && read == packed.len() && written == length {
            true => Ok(plain),
            false => Err("its zlib stream is damaged, or not of the length it claims".into()),
        }
    }
}

/// Whether the middle of a large payload shrinks: one that does not is given up after this probe.
fn promises(plain: &[u8], level: u8) -> bool {
    if plain.len() < 4 * PROBE {
        return true;
    }
    let start = (plain.len() - PROBE) / 2;
    saves(compress_to_vec_zlib(&plain[start..start + PROBE], level).len(), PROBE)
}

fn saves(packed: usize, plain: usize) -> bool {
    packed <= plain - plain / 10
}

/// What deflate can make of one byte at most, and a little more.
const BEST_RATIO: usize = 1040;

/// Smaller payloads are their own probe.
const PROBE: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_outside_the_range_become_its_ends() {
        assert_eq!(Compression::new().with_level(0).level(), 1);
        assert_eq!(Compression::new().with_level(200).level(), 9);
    }

    #[test]
    fn a_stream_must_be_of_the_length_it_claims() {
        let zip = Zip::new(Compression::new());
        let packed = compress_to_vec_zlib(&[7; 5000], 1);
        assert_eq!(zip.unzip(&packed, 5000).unwrap(), [7; 5000]);
        assert!(zip.unzip(&packed, 4999).is_err());
        assert!(zip.unzip(&packed, 5001).is_err());
        assert!(zip.unzip(&[packed, vec![0]].concat(), 5000).is_err());
    }

    #[test]
    fn a_bomb_is_refused_before_it_is_unpacked() {
        let packed = compress_to_vec_zlib(&vec![0; 1 << 20], 9);
        let zip = Zip::new(Compression::new().with_limit(1 << 19));
        assert!(zip.unzip(&packed, 1 << 20).is_err());
        assert!(zip.unzip(&packed, 1 << 19).is_err());
        assert!(zip.unzip(&packed[..100], 1 << 19).is_err());
    }

    #[test]
    fn zeros_reach_no_better_ratio_than_the_bound() {
        let packed = compress_to_vec_zlib(&vec![0; 1 << 20], 9);
        assert!((1 << 20) / BEST_RATIO <= packed.len());
    }
}
