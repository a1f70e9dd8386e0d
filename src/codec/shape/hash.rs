//! FNV-1a with 64 bits, written out because a stored fingerprint must never depend on a library's version.

#[derive(Clone, Copy, Debug)]
pub(super) struct Hash(u64);

impl Hash {
    pub(super) fn new() -> Hash {
        Hash(0xCBF2_9CE4_8422_2325)
    }

    pub(super) fn byte(&mut self, byte: u8) {
        self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
    }

    /// A position below another one.
    pub(super) fn pair(first: u64, second: u64) -> u64 {
        let mut hash = Hash::new();
        hash.long(first);
        hash.long(second);
        hash.0
    }

    pub(super) fn number(&mut self, number: usize) {
        self.long(number as u64);
    }

    fn long(&mut self, number: u64) {
        number.to_le_bytes().into_iter().for_each(|byte| self.byte(byte));
    }

    /// With its length, so that no two lists of words run together.
    pub(super) fn word(&mut self, word: &str) {
        self.number(word.len());
        word.bytes().for_each(|byte| self.byte(byte));
    }

    pub(super) fn value(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_published_function() {
        let mut hash = Hash::new();
        b"foobar".iter().for_each(|&byte| hash.byte(byte));
        assert_eq!(hash.value(), 0x8594_4171_F739_67E8);
    }
}
