//! The frame around every payload that does not describe itself.
//!
//! | offset | bytes | |
//! |--:|--:|---|
//! | 0 | 2 | mark `C1 6C`: `C1` begins no JSON, no decimal text, no UTF-8 and no MessagePack |
//! | 2 | 1 | version, 1 |
//! | 3 | 4 | CRC32C of all that follows |
//! | 7 | 1 | content: 1 postcard, 2 JSON, 3 custom; 0 is none |
//! | 8 | 1 | flags: bit 0, the payload is a zlib stream; bit 1, a load time follows it; the others are zero |
//! | 9 | 4 | length of the payload before compression |
//! | 13 | 8 | fingerprint of the type's shape; 0 where the payload describes itself |
//! | 21 | | payload |
//! | end | 4 | with bit 1 only: how long the value took to load, in microseconds; the largest number says at least that |
//!
//! The load time stands last so that a payload begins at one place in all frames. Numbers are little-endian. What is checked first is what makes the next check meaningful: mark, version,
//! lengths, checksum, and only then what the header says about the payload. Mark and version need no
//! checksum, since each has one value only; so the checksum covers one piece and is taken in one go.

use std::borrow::Cow;
use std::time::Duration;

use crc32c::crc32c;

use super::compression::Zip;
use super::fault::Fault;

/// The fingerprint where the payload describes itself.
#[cfg(any(feature = "json", feature = "codec"))]
pub(super) const ANY_SHAPE: u64 = 0;

const MARK: [u8; 2] = [0xC1, 0x6C];
const VERSION: u8 = 1;
const ZLIB: u8 = 1;
const TIMED: u8 = 2;
const HEADER: usize = 21;
/// What the checksum covers begins here.
const CHECKED: usize = 7;

/// What the header says about its payload.
#[derive(Clone, Copy)]
pub(super) struct Label {
    pub(super) content: u8,
    pub(super) zlib: bool,
    /// Length before compression.
    pub(super) length: usize,
    pub(super) shape: u64,
    /// How long the value took to load.
    pub(super) took: Option<Duration>,
}

impl Label {
    fn flags(self) -> u8 {
        let zlib = if self.zlib { ZLIB } else { 0 };
        let timed = if self.took.is_some() { TIMED } else { 0 };
        zlib | timed
    }
}

/// An empty frame, for a payload to be appended to. [`seal`] fills in the header.
pub(super) fn begin(capacity: usize) -> Vec<u8> {
    let mut frame = Vec::with_capacity(HEADER + capacity);
    frame.extend_from_slice(&[0; HEADER]);
    frame
}

/// The payload of a frame that is being built.
#[cfg(feature = "postcard")]
pub(super) fn payload(frame: &[u8]) -> &[u8] {
    frame.get(HEADER..).unwrap_or_default()
}

/// Completes a frame that was begun by [`begin`]: it is at least as long as a header.
pub(super) fn seal(mut frame: Vec<u8>, label: Label) -> Result<Vec<u8>, Fault> {
    let length = u32::try_from(label.length).map_err(|_| Fault::from("it is longer than 4 GiB"))?;
    let header = &mut frame[..HEADER];
    header[..2].copy_from_slice(&MARK);
    header[2] = VERSION;
    header[7] = label.content;
    header[8] = label.flags();
    header[9..13].copy_from_slice(&length.to_le_bytes());
    header[13..].copy_from_slice(&label.shape.to_le_bytes());
    if let Some(took) = label.took {
        frame.extend_from_slice(&micros(took).to_le_bytes());
    }
    let checksum = crc32c(&frame[CHECKED..]);
    frame[3..CHECKED].copy_from_slice(&checksum.to_le_bytes());
    Ok(frame)
}

fn micros(took: Duration) -> u32 {
    u32::try_from(took.as_micros()).unwrap_or(u32::MAX)
}

/// How long the value of this frame took to load, if it is an undamaged frame that says so.
pub(super) fn load_time(bytes: &[u8]) -> Option<Duration> {
    check(bytes).ok()?.0.took
}

/// Whether these bytes claim to be a frame.
pub(super) fn is_frame(bytes: &[u8]) -> bool {
    bytes.first() == Some(&MARK[0])
}

/// The plain payload of a frame, or nothing if these bytes are no frame.
pub(super) fn open<'a>(
    bytes: &'a [u8],
    content: u8,
    shape: u64,
    zip: &Zip,
) -> Result<Option<Cow<'a, [u8]>>, Fault> {
    if !is_frame(bytes) {
        return Ok(None);
    }
    let (label, payload) = check(bytes)?;
    if label.content != content {
        return Err("the frame holds another format".into());
    }
    if label.shape != shape {
        return Err("it was written for a type of another shape".into());
    }
    match label.zlib {
        true => zip.unzip(payload, label.length).map(|plain| Some(Cow::Owned(plain))),
        false => Ok(Some(Cow::Borrowed(payload))),
    }
}

/// What the frame says of its payload, and that payload, once everything that needs no knowledge of the type
/// is known to fit.
fn check(frame: &[u8]) -> Result<(Label, &[u8]), Fault> {
    let Some((header, rest)) = frame.split_first_chunk::<HEADER>() else {
        return Err("the frame ends within its header".into());
    };
    let &[m0, m1, version, c0, c1, c2, c3, content, flags, l0, l1, l2, l3, ref shape @ ..] = header;
    if [m0, m1] != MARK {
        return Err("it has no frame's mark".into());
    }
    if version != VERSION {
        return Err("the frame is of an unknown version".into());
    }
    let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    if flags & !(ZLIB | TIMED) != 0 {
        return Err("the frame has unknown flags".into());
    }
    let (payload, took) = split_time(rest, flags & TIMED != 0)?;
    let zlib = flags & ZLIB != 0;
    if !zlib && length != payload.len() {
        return Err("the frame's length is not that of its payload".into());
    }
    if u32::from_le_bytes([c0, c1, c2, c3]) != crc32c(&frame[CHECKED..]) {
        return Err("the checksum does not fit: the bytes are damaged".into());
    }
    Ok((Label { content, zlib, length, shape: u64::from_le_bytes(*shape), took }, payload))
}

/// The payload, and the load time behind it where there is one.
fn split_time(rest: &[u8], timed: bool) -> Result<(&[u8], Option<Duration>), Fault> {
    if !timed {
        return Ok((rest, None));
    }
    let (payload, micros) = rest.split_last_chunk().ok_or("the frame ends within its load time")?;
    Ok((payload, Some(Duration::from_micros(u32::from_le_bytes(*micros).into()))))
}
