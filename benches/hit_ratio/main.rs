//! What share of accesses hits, against exact LRU and the caches that programs take.
//!
//! `cargo bench --bench hit_ratio -- FILE...` replays recorded traces: files of little-endian `u32` ids, one per
//! access. Each goes through caches of 1 %, 5 % and 20 % of its distinct ids, from where only the most popular fit to
//! where policies have little left to decide; or of as many entries as `--sizes 100,1000` names. Without files it
//! replays four made here, at sizes that suit each; the goals are meant for recorded ones. One thread reads, and
//! writes what it missed. `--csv FILE` and `--svg FILE` write the table.

#[path = "../support/mod.rs"]
mod support;
mod trace;

use support::{Bound, Kind, Locked, Moka, Ours, Peer, Quick, Relation, Row, files, goal, report};
use trace::Trace;

fn main() {
    let recorded: Vec<Trace> = files().iter().map(|file| Trace::read(file)).collect();
    let traces = if recorded.is_empty() { trace::made() } else { recorded };
    let rows: Vec<Row> = traces.iter().flat_map(cells).collect();
    report("Hit ratio in %", &rows, Relation::Above(LRU));
    for (policy, _) in &rows[0].figures {
        let above = above_lru(&rows, policy);
        println!(
            "{policy}: {:+.2} points on the mean, {:+.2} in the worst cell",
            mean(&above),
            least(&above)
        );
    }
    let ours = above_lru(&rows, rows[0].figures[0].0);
    goal("mean_over_lru", mean(&ours), Bound::AtLeast(3.5));
    goal("worst_cell_over_lru", least(&ours), Bound::AtLeast(-1.0));
}

const LRU: &str = <Locked<u64> as Peer<u64>>::NAME;

fn cells(trace: &Trace) -> Vec<Row> {
    trace.sizes().into_iter().map(|size| cell(trace, size)).collect()
}

fn cell(trace: &Trace, size: usize) -> Row {
    let keys = trace.keys();
    let figures = vec![
        replay::<Ours>(keys, size),
        replay::<Quick<u64>>(keys, size),
        replay::<Moka<u64>>(keys, size),
        replay::<Locked<u64>>(keys, size),
    ];
    Row::of(format!("{}/{size}", trace.name()), "%", figures)
}

/// After every access the cache does what it has put off, as it would between the requests of a program.
fn replay<P: Peer<u64>>(keys: &[String], size: usize) -> (&'static str, f64) {
    let peer = P::new(size);
    let mut hits = 0_u64;
    for key in keys {
        match peer.get(key) {
            Some(_) => hits += 1,
            None => peer.set(key, &u64::new(0)),
        }
        peer.settle();
    }
    // Shards round up what each of them holds.
    assert!(peer.len() <= size + size / 50 + 16, "{} holds {} instead of {size}", P::NAME, peer.len());
    (P::NAME, hits as f64 * 100.0 / keys.len() as f64)
}

fn above_lru(rows: &[Row], policy: &str) -> Vec<f64> {
    rows.iter().filter_map(|row| Relation::Above(LRU).of(row, policy)).collect()
}

fn mean(points: &[f64]) -> f64 {
    points.iter().sum::<f64>() / points.len() as f64
}

fn least(points: &[f64]) -> f64 {
    points.iter().copied().fold(f64::INFINITY, f64::min)
}
