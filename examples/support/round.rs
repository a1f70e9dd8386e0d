//! One look at every file, as a line of a table. What was loaded and what was hit is the cache's own count.

use std::path::Path;
use std::time::Instant;

use lexigram_cache::Stats;

use super::summary::Summary;

pub struct Round {
    before: Stats,
    start: Instant,
}

impl Round {
    pub fn begin(before: Stats) -> Round {
        Round { before, start: Instant::now() }
    }

    pub fn print(self, number: usize, files: usize, after: Stats) {
        let time = self.start.elapsed().as_secs_f64() * 1_000.0;
        let (loads, hits) = (after.loads - self.before.loads, after.hits - self.before.hits);
        println!("{number:>7}{files:>8}{loads:>8}{hits:>8}{time:>10.1} ms");
    }
}

pub fn print_heading(cache: &str, folder: &Path) {
    println!("{} on the cache `{cache}`", folder.display());
    println!("  round   files   loads    hits         time");
}

pub fn print_total(total: &Summary) {
    let Summary { digest, lines, words } = total;
    println!("  {lines} lines, {words} words, digest {digest:016x}");
}
