//! What a Redis server may answer: `commands`, `piece`, then the stream.

use lexigram_cache::Prefix;
use lexigram_cache::fuzzing::redis::{Order, READERS, Replies, WRITERS};
use redis::{Parser, Value};

use super::pieces::assert_pieces_make_no_difference;

pub fn run(bytes: &[u8]) {
    let [commands, piece, stream @ ..] = bytes else { return };
    let (commands, piece) = (usize::from(commands % 5), usize::from(*piece).max(1));
    to_a_thread(commands, piece, stream);
    to_tasks(commands, piece, stream);
}

fn to_a_thread(commands: usize, piece: usize, stream: &[u8]) {
    let mut replies = Replies::to(commands);
    let whole = replies.advance(stream);
    let mut in_pieces = Replies::to(commands);
    assert_pieces_make_no_difference(stream, piece, &whole, |bytes| in_pieces.advance(bytes));
    if !whole.is_ok_and(|complete| complete) {
        return;
    }
    let Ok(values) = replies.read(stream) else { return };
    let by_library = by_library(commands, stream).expect("both see the same ends");
    // As text, since a number that is none equals nothing.
    assert_eq!(format!("{values:?}"), format!("{by_library:?}"));
    let prefix = Prefix::new("app");
    let key = prefix.key("k").expect("it is not empty");
    for (_, read) in READERS {
        let _ = read(values.clone(), &key);
    }
}

/// What the library reads there, if it takes for the whole what we have found to be: then it finds behind it what follows.
fn by_library(commands: usize, stream: &[u8]) -> Option<Vec<Value>> {
    let followed = [stream, b"+behind\r\n"].concat();
    let (mut parser, mut rest) = (Parser::new(), &followed[..]);
    let mut next = || parser.parse_value(&mut rest).ok();
    let values = (0..commands).map(|_| next()).collect();
    next().is_some_and(|last| last == Value::SimpleString("behind".into())).then_some(values)?
}

/// The commands begin at any of those that there are.
fn to_tasks(commands: usize, piece: usize, stream: &[u8]) {
    let asked = || {
        let prefix = Prefix::new("app");
        let key = prefix.key("k").expect("it is not empty");
        let mut order = Order::new();
        for (_, write) in WRITERS.iter().cycle().skip(piece).take(commands) {
            order.ask(&write(&key, b"v"));
        }
        order
    };
    let whole = asked().answer(stream).is_ok();
    let mut order = asked();
    let in_pieces = stream.chunks(piece).all(|bytes| order.answer(bytes).is_ok());
    assert_eq!(whole, in_pieces, "it depends on the pieces");
}
