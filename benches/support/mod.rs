//! Peers side by side: measured in turns, told by their medians, held against goals.

use std::path::PathBuf;
use std::{env, fs};

/// What one quantity came to, ours first. Less is better.
pub struct Row {
    name: &'static str,
    unit: &'static str,
    medians: Vec<(&'static str, f64)>,
}

/// Measures every peer once per round, so that what disturbs the machine disturbs all of them.
pub fn interleaved(
    name: &'static str,
    unit: &'static str,
    rounds: usize,
    peers: &mut [(&'static str, &mut dyn FnMut() -> f64)],
) -> Row {
    let mut samples = vec![Vec::with_capacity(rounds); peers.len()];
    for round in 0..rounds {
        for turn in 0..peers.len() {
            let peer = (round + turn) % peers.len();
            samples[peer].push((peers[peer].1)());
        }
    }
    let medians = peers.iter().zip(samples).map(|(peer, samples)| (peer.0, median(samples)));
    Row { name, unit, medians: medians.collect() }
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

impl Row {
    /// How much of this peer's figure ours is.
    fn ratio(&self, peer: &str) -> f64 {
        let of = |name: &str| self.medians.iter().find(|(held, _)| *held == name).map(|(_, figure)| *figure);
        self.medians[0].1 / of(peer).expect("a goal names a peer that was measured")
    }
}

pub fn print(rows: &[Row]) {
    println!("{:<14} {:<16} {:>12}  {:>8}", "", "", "median", "ours to it");
    for row in rows {
        for (peer, median) in &row.medians {
            let figure = format!("{median:.1} {}", row.unit);
            println!("{:<14} {peer:<16} {figure:>12}  {:>8.2}", row.name, row.ratio(peer));
        }
    }
}

/// Says whether ours is at most so many times the peer's.
pub fn goal(rows: &[Row], name: &str, peer: &str, bound: f64) {
    let row = rows.iter().find(|row| row.name == name).expect("a goal names a row");
    let measured = row.ratio(peer);
    let verdict = if measured <= bound { "met" } else { "missed" };
    println!("goal {} {measured:.2} {bound:.2} {verdict}", name.replace(' ', "_"));
}

/// Writes what was measured to the file named by `--csv`, if there is one.
pub fn write_csv(rows: &[Row]) {
    let Some(path) = argument("--csv") else { return };
    let mut text = String::from("row,peer,median,unit,ratio\n");
    for row in rows {
        for (peer, median) in &row.medians {
            text += &format!("{},{peer},{median:.3},{},{:.3}\n", row.name, row.unit, row.ratio(peer));
        }
    }
    fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

pub fn argument(name: &str) -> Option<PathBuf> {
    env::args_os().skip_while(|argument| argument != name).nth(1).map(PathBuf::from)
}
