//! Many workers at once: threads of one process, and processes of one test.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use crate::origin::{Folder, Origin};
use crate::support::{Parent, Place, Process, World};
use crate::worker::{Counts, Worker};

/// What a crowd did, and, if the alarm was raised, what is known of the key it was raised for.
#[derive(Default)]
pub struct Outcome {
    pub counts: Counts,
    pub history: Vec<String>,
}

/// So many threads, in turns of either world, until this many operations are done or somebody raises the alarm.
pub fn threads(
    who: &str,
    count: usize,
    worlds: &[World],
    folder: &Path,
    place: &Place,
    operations: u64,
) -> Outcome {
    let (origin, left) = (Origin::open(folder), AtomicU64::new(operations));
    let work = |n: usize| {
        let mut worker = Worker::new(format!("{who}/{n}"), &worlds[n % worlds.len()], &origin, place);
        while origin.alarm().is_none() && take_one(&left) {
            worker.step();
        }
        worker
    };
    thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = (0..count).map(|n| scope.spawn(move || work(n))).collect();
        let workers: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        let tell = |worker: &Worker<'_>| origin.alarm().map(|key| worker.history.of(key)).unwrap_or_default();
        Outcome {
            counts: workers
                .iter()
                .map(|worker| worker.counts)
                .fold(Counts::default(), |sum, more| sum + more),
            history: workers.iter().flat_map(tell).collect(),
        }
    })
}

fn take_one(left: &AtomicU64) -> bool {
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
}

/// The same by eight processes of eight threads, of which each [takes part](take_part).
pub fn processes(test: &str, place: Place, operations: u64) -> Outcome {
    let folder = Folder::new(test);
    let given = |n: usize| format!("{n} {} {}", operations / PROCESSES as u64, folder.path().display());
    let mut processes: Vec<_> = (0..PROCESSES).map(|n| Process::at(place, test, &given(n))).collect();
    processes.iter_mut().for_each(|process| process.tell("go"));
    processes.iter_mut().map(listen).fold(Outcome::default(), Outcome::plus)
}

pub fn take_part(parent: &Parent, place: Place, given: &str, worlds: &[World]) {
    let [number, operations, folder] = given.splitn(3, ' ').collect::<Vec<_>>()[..] else {
        panic!("{given}")
    };
    parent.ready();
    let operations = operations.parse().unwrap();
    let outcome = threads(number, THREADS, worlds, Path::new(folder), &place, operations);
    outcome.history.iter().for_each(|line| parent.tell(line));
    let Counts { operations, loads, invalidations, violations } = outcome.counts;
    parent.tell(&format!("{DONE} {operations} {loads} {invalidations} {violations}"));
}

fn listen(process: &mut Process) -> Outcome {
    let mut history = Vec::new();
    loop {
        let line = process.hear();
        let Some(numbers) = line.strip_prefix(DONE) else {
            history.push(line);
            continue;
        };
        let numbers: Vec<u64> = numbers.split_whitespace().map(|number| number.parse().unwrap()).collect();
        let [operations, loads, invalidations, violations] = numbers[..] else { panic!("{numbers:?}") };
        return Outcome { counts: Counts { operations, loads, invalidations, violations }, history };
    }
}

impl Outcome {
    fn plus(mut self, more: Outcome) -> Outcome {
        self.history.extend(more.history);
        Outcome { counts: self.counts + more.counts, history: self.history }
    }

    /// Nothing outdated was read; prints what was done.
    pub fn hold(mut self, what: &str, start: Instant) {
        println!("{what}: {:?} in {:?}", self.counts, start.elapsed());
        self.history.sort_unstable();
        let outdated = self.history.iter().position(|line| line.contains(" OUTDATED")).unwrap_or_default();
        let (from, to) = (outdated.saturating_sub(TOLD), self.history.len().min(outdated + TOLD));
        let told = self.history[from..to].join("\n");
        assert_eq!(self.counts.violations, 0, "{what}: {:?}, of which\n{told}", self.counts);
    }
}

const PROCESSES: usize = 8;
const THREADS: usize = 8;
const DONE: &str = "done";
const TOLD: usize = 120;
