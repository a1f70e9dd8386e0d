//! Heap per entry: a key of 16 bytes, a value of 100; ours with a lifetime and without, against the caches that
//! programs take. Each is given one and a half times what it may hold, so that what it keeps for the displaced, and
//! what its tables hold in reserve, shows; beside that, just as much as it may hold. It is then asked how many it
//! holds. Counted is what was asked of the allocator.
//!
//! `cargo bench --bench footprint -- --csv FILE --svg FILE`

mod support;

use std::time::Duration;

use allocation_counter::measure;
use support::{
    Blob, Bound, Cached, Kind, Locked, MiniMoka, Moka, Ours, Peer, Quick, Relation, Row, goal, name, report,
};

fn main() {
    let given = |given| [100_000, 1_000_000].map(|capacity| footprint(capacity, given));
    let (more, as_much) = (given(Given::More), given(Given::AsMuch));
    let most = |rows: &[Row]| rows.iter().map(|row| row.ratio(QUICK)).fold(0.0, f64::max);
    let (worn, fresh) = (most(&more), most(&as_much));
    let rows: Vec<Row> = more.into_iter().chain(as_much).collect();
    report("Heap per entry", &rows, Relation::OursToIt);
    println!("an empty cache for {BILLIONS} entries: {} bytes", heap(|| Ours::expiring(BILLIONS, HOUR)).1);
    goal("bytes_per_entry", worn, Bound::AtMost(1.2));
    goal("bytes_per_entry_just_full", fresh, Bound::AtMost(1.2));
}

/// It ends long after the bench.
const HOUR: Duration = Duration::from_secs(3600);
const BILLIONS: usize = 4_000_000_000;

const QUICK: &str = <Quick<Blob> as Peer<Blob>>::NAME;

/// How many entries a cache is given, in halves of what it may hold.
#[derive(Clone, Copy)]
enum Given {
    AsMuch = 2,
    More = 3,
}

fn footprint(capacity: usize, given: Given) -> Row {
    let entries = capacity / 2 * given as usize;
    let figures = vec![
        per_entry("lexigram-cache", capacity, entries, |capacity| Ours::expiring(capacity, HOUR)),
        per_entry("without lifetime", capacity, entries, <Ours as Peer<Blob>>::new),
        per_entry(QUICK, capacity, entries, Quick::new),
        per_entry("moka", capacity, entries, Moka::new),
        per_entry("mini-moka", capacity, entries, MiniMoka::new),
        per_entry("cached", capacity, entries, Cached::new),
        per_entry("Mutex<lru>", capacity, entries, Locked::new),
    ];
    Row::of(format!("{entries} into {capacity}"), "bytes", figures)
}

fn per_entry<P: Peer<Blob>>(
    name_of_it: &'static str,
    capacity: usize,
    entries: usize,
    make: impl FnOnce(usize) -> P,
) -> (&'static str, f64) {
    let (peer, bytes) = heap(|| filled(make(capacity), entries));
    let held = peer.len();
    assert!((capacity / 10 * 9..=capacity / 50 * 51).contains(&held), "{name_of_it} holds {held}");
    (name_of_it, bytes as f64 / held as f64)
}

/// What was made, and the bytes it holds. Those of this thread are counted, and no other does the work of a cache here.
fn heap<R>(make: impl FnOnce() -> R) -> (R, i64) {
    let mut made = None;
    let counted = measure(|| made = Some(make()));
    (made.expect("it has been made"), counted.bytes_current)
}

fn filled<P: Peer<Blob>>(peer: P, entries: usize) -> P {
    for number in 0..entries {
        peer.set(&name(number), &Blob::new(number));
    }
    peer.settle();
    peer
}
