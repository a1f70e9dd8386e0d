//! Throughput in process, against the caches that programs take: 16-byte keys, Zipf 0.99, an 80 % full cache of
//! 100,000 entries; `get_or_insert` over ten times as many keys as it holds.
//!
//! `cargo bench --bench memory -- --csv FILE --svg FILE`, with `--threads 1,2`, `--only WORKLOAD`, `--rounds N`,
//! `--quick`; `--sizes` measures caches of 1,000, 100,000 and 5,000,000 entries instead, in minutes. In the table a row is
//! WORKLOAD/THREADS, and each figure the millions of calls per second of all threads together. Figures of two programs
//! compare within one run only.

mod draws;
mod field;
#[path = "../support/mod.rs"]
mod support;
mod workloads;

use std::hint::black_box;
use std::time::Duration;

use draws::Draws;
use field::Field;
use support::{
    Blob, Bound, Contender, Kind, Moka, Ours, Peer, Quick, Record, Relation, Row, contender, flag, goal,
    goal_against, interleaved, numbers, report, throughput, wanted,
};
use workloads::{Dependent, Get, GetOrInsert, Mix, Workload};

fn main() {
    let plan = Plan::told();
    let mut rows = Vec::new();
    if flag("--sizes") {
        for capacity in [1_000, CAPACITY, 5_000_000] {
            let plan = Plan { capacity, suffix: format!("/{capacity}"), with_slow: false, ..plan.clone() };
            resident(&plan, &mut rows);
            loaded(&plan, &mut rows);
        }
    } else {
        resident(&plan, &mut rows);
        chained(&plan, &mut rows);
        records(&plan, &mut rows);
        loaded(&plan, &mut rows);
    }
    report("Throughput in process, million calls per second", &rows, Relation::OursToIt);
    goals(&rows);
}

const CAPACITY: usize = 100_000;

#[derive(Clone)]
struct Plan {
    threads: Vec<usize>,
    rounds: usize,
    span: Duration,
    capacity: usize,
    suffix: String,
    with_slow: bool,
}

impl Plan {
    fn told() -> Plan {
        let (rounds, millis) = if flag("--quick") { (3, 50) } else { (15, 70) };
        Plan {
            threads: numbers("--threads").unwrap_or_else(|| vec![1, 2, 4, 8]),
            rounds: numbers("--rounds").map_or(rounds, |rounds| rounds[0]),
            span: Duration::from_millis(millis),
            capacity: CAPACITY,
            suffix: String::new(),
            with_slow: true,
        }
    }

    fn resident(&self) -> usize {
        self.capacity / 5 * 4
    }

    /// Not so many that the keys asked for displace what is measured from the processor's own cache.
    fn reads(&self) -> usize {
        self.capacity.max(1 << 18)
    }

    /// Forty times what a cache of the usual size holds: in half as many, which begin anew twice as often, a cache that
    /// keeps a part of whatever comes round would find two in a hundred more of them.
    fn loads(&self) -> usize {
        (self.capacity / 2).max(1 << 22)
    }

    fn name(&self, workload: &str, threads: usize) -> String {
        format!("{workload}/{threads}{}", self.suffix)
    }
}

/// Reads and writes of what is there.
fn resident(plan: &Plan, rows: &mut Vec<Row>) {
    if !["get_zipf", "get_uniform", "mix"].into_iter().any(wanted) {
        return;
    }
    let field = Field::<Blob>::holding(plan, plan.resident());
    let zipf = Draws::zipf(plan.resident(), plan.reads());
    let uniform = Draws::uniform(plan.resident(), plan.reads());
    measure(plan, rows, "get_zipf", &field, &Get(&zipf));
    measure(plan, rows, "get_uniform", &field, &Get(&uniform));
    measure(plan, rows, "mix", &field, &Mix(&zipf));
}

/// Reads of which each has to wait for the one before; and reads under a closure.
fn chained(plan: &Plan, rows: &mut Vec<Row>) {
    if !["dependent", "get_with"].into_iter().any(wanted) {
        return;
    }
    let field = Field::<Blob>::holding(plan, plan.resident());
    let zipf = Draws::zipf(plan.resident(), plan.reads());
    measure(plan, rows, "dependent", &field, &Dependent(&zipf));
    if wanted("get_with") {
        rows.extend(plan.threads.iter().map(|threads| get_with(plan, *threads, &field.ours, &zipf)));
    }
}

/// Reads that clone.
fn records(plan: &Plan, rows: &mut Vec<Row>) {
    if wanted("get_record") {
        let field = Field::<Record>::holding(plan, plan.resident());
        let zipf = Draws::zipf(plan.resident(), plan.reads());
        measure(plan, rows, "get_record", &field, &Get(&zipf));
    }
}

/// Reads that insert what is missing, in caches that have long been full.
fn loaded(plan: &Plan, rows: &mut Vec<Row>) {
    if wanted("get_or_insert") {
        let zipf = Draws::zipf(10 * plan.capacity, plan.loads());
        let field = Field::<Blob>::worn(plan, &zipf);
        measure(plan, rows, "get_or_insert", &field, &GetOrInsert(&zipf));
    }
}

fn measure<T: Kind>(
    plan: &Plan,
    rows: &mut Vec<Row>,
    name: &str,
    field: &Field<T>,
    workload: &impl Workload<T>,
) {
    if !wanted(name) {
        return;
    }
    for threads in &plan.threads {
        let peers = field.contenders(plan, *threads, workload);
        rows.push(interleaved(plan.name(name, *threads), "M/s", plan.rounds, peers));
    }
}

/// Both ways are ours, and both read the same byte.
fn get_with(plan: &Plan, threads: usize, ours: &Ours, draws: &Draws) -> Row {
    let cache = &ours.cache;
    let under_a_closure = timed("lexigram-cache", plan, threads, |turn| {
        black_box(cache.get_with(draws.at(turn), Blob::zero).expect("memory does not fail"));
        0
    });
    let shared = timed("get_arc", plan, threads, |turn| {
        let found = cache.get_arc::<Blob>(draws.at(turn)).expect("memory does not fail");
        black_box(found.map(|blob| blob.zero()));
        0
    });
    interleaved(plan.name("get_with", threads), "M/s", plan.rounds, vec![under_a_closure, shared])
}

/// Each round begins elsewhere among the draws, or a fast peer would find what it was asked for the round before.
fn timed<'a>(
    name: &'static str,
    plan: &Plan,
    threads: usize,
    turn: impl Fn(usize) -> usize + Sync + 'a,
) -> Contender<'a> {
    let (span, mut first) = (plan.span, 0);
    contender(name, move || {
        first += BETWEEN_ROUNDS;
        throughput(threads, span, first, BETWEEN_THREADS, &turn)
    })
}

const BETWEEN_ROUNDS: usize = 611_953;
/// Nobody follows another closely, to find what that one has just brought near, or still holds: among 2^18, 2^22 or 2^23
/// draws no two of eight threads are nearer to each other than a twelfth of them.
const BETWEEN_THREADS: usize = 948_439;

fn goals(rows: &[Row]) {
    let quick = <Quick<Blob> as Peer<Blob>>::NAME;
    for (workload, bounds) in GOALS {
        for (threads, least) in *bounds {
            goal_against(rows, &format!("{workload}/{threads}"), quick, Bound::AtLeast(*least));
        }
    }
    let moka = <Moka<Blob> as Peer<Blob>>::NAME;
    // What a clone of a struct costs, it costs everywhere.
    let compared =
        rows.iter().filter(|row| row.figure(moka).is_some() && !row.name.starts_with("get_record"));
    if let Some(least) = compared.map(|row| row.ratio(moka)).min_by(f64::total_cmp) {
        goal("over_moka", least, Bound::AtLeast(5.0));
    }
    for threads in [1, 2, 4, 8] {
        goal_against(rows, &format!("get_with/{threads}"), "get_arc", Bound::AtLeast(1.4));
    }
}

type Goals = [(&'static str, &'static [(usize, f64)])];

const GOALS: &Goals = &[
    ("get_zipf", &[(1, 0.95), (2, 1.35), (4, 1.35), (8, 1.35)]),
    ("get_uniform", &[(1, 0.95), (2, 1.35), (4, 1.35), (8, 1.35)]),
    ("mix", &[(2, 1.25), (4, 1.25), (8, 1.25)]),
    ("get_or_insert", &[(1, 1.0), (2, 1.4), (8, 1.15)]),
    ("dependent", &[(1, 0.95), (2, 0.95), (4, 0.95), (8, 0.95)]),
];
