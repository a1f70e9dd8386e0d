//! What a Memcached server may answer: `commands`, `piece`, then the stream, in which `#` stands for the number of the request.

use lexigram_cache::Prefix;
use lexigram_cache::fuzzing::memcached::{Exchange, READERS};

use super::pieces::assert_pieces_make_no_difference;

pub fn run(bytes: &[u8]) {
    let [commands, piece, stream @ ..] = bytes else { return };
    let (commands, piece) = (usize::from(commands % 5), usize::from(*piece).max(1));
    let prefix = Prefix::new("app");
    let key = prefix.key("k").expect("it is not empty");
    let exchange = Exchange::of(&key, commands).expect("a key can be asked for");
    let stream = numbered(stream, exchange.packed());

    let whole = exchange.replies().advance(&stream);
    let mut in_pieces = exchange.replies();
    assert_pieces_make_no_difference(&stream, piece, &whole, |bytes| in_pieces.advance(bytes));
    if !whole.is_ok_and(|complete| complete) {
        return;
    }
    for (_, read) in READERS {
        let mut replies = exchange.replies();
        let _ = replies.advance(&stream);
        let replies = replies.read(&stream).expect("it is complete");
        assert_eq!(replies.len(), commands);
        for reply in replies {
            let _ = read(reply);
        }
    }
}

/// Requests are numbered through, and no two alike.
fn numbered(stream: &[u8], packed: &[u8]) -> Vec<u8> {
    let number = packed.split(|byte| matches!(byte, b' ' | b'\r')).find_map(|word| word.strip_prefix(b"O"));
    let number = number.and_then(|token| token.split(|byte| *byte == b'.').next()).unwrap_or_default();
    stream.split(|byte| *byte == b'#').collect::<Vec<_>>().join(&[number, b"."].concat()[..])
}
