//! Which write a value came from. Redis has no versions: stored bytes stand for themselves, and with the moment at
//! which they expire they tell two writes of the same bytes apart.
//!
//! A version with such a stamp is `FF`, the stamp in decimal, a line feed, and the bytes. `FF` begins no UTF-8 and
//! no frame of this crate; a foreign value that begins with it has its version written with no stamp, so that no
//! bytes can pass for another write's version.

use crate::entry::Version;

const MARK: u8 = 0xFF;

/// A version as scripts compare it: the bytes, and the stamp or nothing.
pub(super) struct Compared<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) stamp: &'a str,
}

/// The version of these bytes, where they do not stand for themselves.
pub(super) fn version(bytes: &[u8], stamp: Option<i64>) -> Option<Version> {
    let stamp = match stamp {
        Some(stamp) => stamp.to_string(),
        None if bytes.first() == Some(&MARK) => String::new(),
        None => return None,
    };
    Some(Version::Bytes([&[MARK], stamp.as_bytes(), b"\n", bytes].concat()))
}

/// A number is of another backend; no key that is there expires at −2.
pub(super) fn compared(version: &Version) -> Compared<'_> {
    match version {
        Version::Bytes(bytes) => stamped(bytes).unwrap_or(Compared { bytes, stamp: "" }),
        Version::Number(_) => Compared { bytes: b"", stamp: "-2" },
    }
}

fn stamped(version: &[u8]) -> Option<Compared<'_>> {
    let rest = version.strip_prefix(&[MARK])?;
    let (stamp, bytes) = rest.split_at(rest.iter().position(|byte| *byte == b'\n')?);
    let stamp = std::str::from_utf8(stamp).ok()?;
    Some(Compared { bytes: bytes.get(1..)?, stamp })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back(version: &Version) -> (&[u8], &str) {
        let Compared { bytes, stamp } = compared(version);
        (bytes, stamp)
    }

    #[test]
    fn bytes_and_stamp_come_back_whatever_the_bytes_are() {
        for bytes in [b"".as_slice(), b"v", b"\n", b"1\n2", b"\xff", b"\xff17\nv", b"\xff\n"] {
            for (stamp, text) in [(-1, "-1"), (1_763_845_200_000, "1763845200000")] {
                assert_eq!(back(&version(bytes, Some(stamp)).unwrap()), (bytes, text));
            }
            let plain = version(bytes, None).unwrap_or(Version::Bytes(bytes.to_vec()));
            assert_eq!(back(&plain), (bytes, ""));
        }
    }

    #[test]
    fn what_begins_like_text_stands_for_itself() {
        assert_eq!(version(b"{}", None), None);
        assert_eq!(version(b"", None), None);
    }

    #[test]
    fn a_number_is_no_version_of_anything() {
        assert_eq!(back(&Version::Number(0)), (b"".as_slice(), "-2"));
    }
}
