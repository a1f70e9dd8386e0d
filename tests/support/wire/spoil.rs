/// What is to happen at one byte of the replies, once.
#[derive(Debug)]
pub struct Spoil {
    /// How many reply bytes are still to pass before.
    pub after: usize,
    pub how: How,
}

#[derive(Debug)]
pub enum How {
    /// The connection ends, as by FIN.
    Close,
    /// The connection ends, as by RST.
    Reset,
    /// This bit of the next byte is turned.
    Flip(u8),
    /// These bytes come in place of what was left; nothing else does.
    Replace(Vec<u8>),
    /// The first of these come, and then the others again and again.
    Endless(Vec<u8>, Vec<u8>),
}

/// What passes of a reply, and what the connection comes to.
#[derive(Debug)]
pub struct Spoiled {
    pub bytes: Vec<u8>,
    pub then: Then,
}

#[derive(Debug)]
pub enum Then {
    GoOn,
    Close,
    Reset,
    Endless(Vec<u8>),
}

impl Spoil {
    /// Counts these bytes, and spoils them if they reach the place.
    pub fn apply(pending: &mut Option<Spoil>, bytes: &[u8]) -> Spoiled {
        let whole = |bytes: &[u8]| Spoiled { bytes: bytes.to_vec(), then: Then::GoOn };
        match pending.take() {
            None => whole(bytes),
            Some(Spoil { after, how }) if after >= bytes.len() => {
                *pending = Some(Spoil { after: after - bytes.len(), how });
                whole(bytes)
            }
            Some(Spoil { after, how }) => how.at(after, bytes),
        }
    }
}

impl How {
    fn at(self, after: usize, bytes: &[u8]) -> Spoiled {
        let mut passed = bytes[..after].to_vec();
        let then = match self {
            How::Close => Then::Close,
            How::Reset => Then::Reset,
            How::Flip(bit) => {
                passed.push(bytes[after] ^ (1 << bit));
                passed.extend_from_slice(&bytes[after + 1..]);
                Then::GoOn
            }
            How::Replace(other) => {
                passed.extend(other);
                Then::GoOn
            }
            How::Endless(head, filler) => {
                passed.extend(head);
                Then::Endless(filler)
            }
        };
        Spoiled { bytes: passed, then }
    }
}
