//! What a check of a rate limit costs: on Redis beside a bare EVALSHA of the same script on a connection that is kept, and in
//! memory by itself.
//!
//! `cargo bench --features redis --bench limits -- --csv FILE`; `--only threads`, `--only memory` or the name of an algorithm for a part. Starts a `redis-server` of its own on a free port.

mod support;

use std::hint::black_box;
use std::time::{Duration, Instant};

use lexigram_cache::{Memory, Quota, RateLimiter, Redis};
use support::{
    Bound, Relation, Row, Server, abreast, contender, goal, interleaved, report, throughput, wanted,
};

const OURS: &str = "check()";
const BARE: &str = "EVALSHA";
/// Short turns, since whatever else the machine does falls on one of the two.
const CALLS: usize = 200;
const ROUNDS: usize = 301;
const SUBJECTS: usize = 1_000;
const LIMIT: u64 = 1_000_000;

fn main() {
    let server = Server::redis();
    let mut rows: Vec<Row> =
        KINDS.iter().filter(|kind| wanted(kind.name)).map(|kind| one_thread(&server, kind)).collect();
    if wanted("threads") {
        rows.push(threads(&server, &KINDS[0]));
    }
    report("A check on Redis", &rows, Relation::OursToIt);
    for row in &rows {
        goal(
            &format!("throughput of {} to a bare one", row.name),
            1.0 / row.ratio(BARE),
            Bound::AtLeast(0.9),
        );
    }
    if wanted("memory") {
        memory();
    }
}

fn memory() {
    let memory: Vec<Row> = KINDS.iter().map(in_memory).collect();
    report("A check in memory", &memory, Relation::Alone);
    let limiter = limiter(KINDS[0].quota);
    let subjects = subjects();
    for threads in [1, 2, 8] {
        let check = |n: usize| {
            let _ = black_box(limiter.check(&subjects[n % SUBJECTS]).expect("memory does not fail"));
            0
        };
        let millions = throughput(threads, Duration::from_millis(500), 0, 97, check);
        println!("{threads} threads: {millions:.2} million checks per second");
    }
}

struct Kind {
    name: &'static str,
    quota: Quota,
    script: &'static str,
    /// The numbers after the number of permits, as the library sends them for this quota.
    numbers: &'static [u64],
}

const QUOTA: Quota = Quota::per_second(LIMIT);

static KINDS: [Kind; 3] = [
    Kind {
        name: "GCRA",
        quota: QUOTA,
        script: concat!(
            include_str!("../src/wire/redis/lua/quota.lua"),
            include_str!("../src/wire/redis/lua/gcra.lua")
        ),
        numbers: &[1, 0, 1_000_000, 0, LIMIT],
    },
    Kind {
        name: "fixed window",
        quota: QUOTA.fixed_window(),
        script: concat!(
            include_str!("../src/wire/redis/lua/quota.lua"),
            include_str!("../src/wire/redis/lua/fixed.lua")
        ),
        numbers: &[LIMIT, 1_000_000],
    },
    Kind {
        name: "sliding window",
        quota: QUOTA.sliding_window(),
        script: concat!(
            include_str!("../src/wire/redis/lua/quota.lua"),
            include_str!("../src/wire/redis/lua/sliding.lua")
        ),
        numbers: &[LIMIT, 1_000_000, 62_500],
    },
];

/// A connection with the script made known.
struct Bare {
    connection: redis::Connection,
    digest: String,
    kind: &'static Kind,
}

impl Bare {
    fn new(server: &Server, kind: &'static Kind) -> Bare {
        let client = redis::Client::open(url(server)).expect("the address is valid");
        let mut connection = client.get_connection().expect("the server is up");
        let load = redis::cmd("SCRIPT").arg("LOAD").arg(kind.script).to_owned();
        let digest = load.query(&mut connection).expect("the script is valid");
        Bare { connection, digest, kind }
    }

    fn check(&mut self, subject: &str) {
        let mut command = redis::cmd("EVALSHA");
        command
            .arg(&self.digest)
            .arg(1)
            .arg(format!("bare:{}:{subject}", self.kind.name))
            .arg("")
            .arg("")
            .arg(1);
        for number in self.kind.numbers {
            command.arg(*number);
        }
        let (allowed, now, state): (u64, u64, String) =
            command.query(&mut self.connection).expect("it answers");
        assert!(allowed == 1 && now > 0 && !black_box(state).is_empty());
    }
}

/// Microseconds of a check, one after the other.
fn one_thread(server: &Server, kind: &'static Kind) -> Row {
    let (ours, mut bare, subjects) = (on_redis(server, kind), Bare::new(server, kind), subjects());
    let each = |calls: &mut dyn FnMut(&str)| {
        let start = Instant::now();
        (0..CALLS).for_each(|n| calls(&subjects[n % SUBJECTS]));
        start.elapsed().as_secs_f64() * 1e6 / CALLS as f64
    };
    interleaved(
        kind.name,
        "us",
        ROUNDS,
        vec![
            contender(OURS, || {
                each(&mut |subject| assert!(ours.check(subject).expect("it answers").allowed))
            }),
            contender(BARE, || each(&mut |subject| bare.check(subject))),
        ],
    )
}

const THREADS: usize = 8;

/// Microseconds for each of all checks that several threads make at once.
fn threads(server: &Server, kind: &'static Kind) -> Row {
    let (ours, subjects) = (on_redis(server, kind), subjects());
    let mut connections: Vec<Bare> = (0..THREADS).map(|_| Bare::new(server, kind)).collect();
    interleaved(
        format!("{}, {THREADS} threads", kind.name),
        "us",
        ROUNDS,
        vec![
            contender(OURS, || {
                at_once((0..THREADS).map(|_| {
                    let (ours, subjects) = (&ours, &subjects);
                    move |n: usize| assert!(ours.check(&subjects[n % SUBJECTS]).expect("it answers").allowed)
                }))
            }),
            contender(BARE, || {
                at_once(connections.iter_mut().map(|bare| {
                    let subjects = &subjects;
                    move |n: usize| bare.check(&subjects[n % SUBJECTS])
                }))
            }),
        ],
    )
}

fn at_once<C: FnMut(usize) + Send>(callers: impl IntoIterator<Item = C>) -> f64 {
    abreast(callers, CALLS).as_secs_f64() * 1e6 / (THREADS * CALLS) as f64
}

/// Nanoseconds of a check.
fn in_memory(kind: &Kind) -> Row {
    let (limiter, subjects) = (limiter(kind.quota), subjects());
    let calls = 2_000 * CALLS;
    let measure = || {
        let start = Instant::now();
        for n in 0..calls {
            let _ = black_box(limiter.check(&subjects[n * 389 % SUBJECTS]).expect("memory does not fail"));
        }
        start.elapsed().as_secs_f64() * 1e9 / calls as f64
    };
    interleaved(kind.name, "ns", 11, vec![contender(OURS, measure)])
}

fn url(server: &Server) -> String {
    format!("redis://{}/0", server.address())
}

fn on_redis(server: &Server, kind: &Kind) -> RateLimiter {
    let redis = Redis::builder(url(server)).pool_size(THREADS as u32).build().expect("the address is valid");
    RateLimiter::new(&redis, "bench", kind.quota).expect("the quota is valid")
}

fn limiter(quota: Quota) -> RateLimiter {
    RateLimiter::new(&Memory::default(), "bench", quota).expect("the quota is valid")
}

fn subjects() -> Vec<String> {
    (0..SUBJECTS).map(|n| format!("203.0.113.{n}")).collect()
}
