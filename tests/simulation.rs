//! The library over simulated servers, by virtual time, in schedules that are drawn from seeds: who asks what when, and
//! what goes wrong on the way. The same seed is the same schedule, event by event.
//!
//! `RUSTFLAGS="--cfg simulation" cargo test --release --features redis,memcached,async,testing --test simulation`.
//! `SIMULATION_SCHEDULES` says how many schedules, `SIMULATION_SEED` runs one alone.
#![cfg(simulation)]

#[path = "simulation/actor.rs"]
mod actor;
#[path = "simulation/contract.rs"]
mod contract;
#[path = "simulation/memcached.rs"]
mod memcached;
#[path = "simulation/net.rs"]
mod net;
#[path = "simulation/oracle.rs"]
mod oracle;
#[path = "simulation/plan.rs"]
mod plan;
#[path = "support/random.rs"]
#[allow(dead_code, reason = "what other tests draw")]
mod random;
#[path = "simulation/redis.rs"]
mod redis;
#[path = "simulation/schedule.rs"]
mod schedule;
#[path = "simulation/server.rs"]
mod server;
#[path = "simulation/sim.rs"]
mod sim;

use std::env;
use std::time::Instant;

use lexigram_cache::simulation::Bug;

use schedule::{Outcome, run};
use sim::Planted;

#[test]
fn no_schedule_breaks_a_promise() {
    if let Some(seed) = number("SIMULATION_SEED") {
        return hold(seed, &run(seed, None));
    }
    let (start, mut events) = (Instant::now(), 0);
    let schedules = number("SIMULATION_SCHEDULES").unwrap_or(FEW);
    let first = number("SIMULATION_FIRST").unwrap_or(0);
    for seed in first..first + schedules {
        let outcome = run(seed, None);
        hold(seed, &outcome);
        events += outcome.events;
    }
    println!("{schedules} schedules, {events} events, {:?}", start.elapsed());
}

#[test]
fn a_seed_is_the_same_schedule_again() {
    for seed in 0..FEW / 3 {
        let (one, other) = (run(seed, None), run(seed, None));
        assert_eq!((one.digest, one.events), (other.digest, other.events), "seed {seed}");
    }
}

#[test]
fn an_outdated_flight_that_is_followed_is_found() {
    find(Planted::Library(Bug::FollowsOutdatedFlights));
}

#[test]
fn a_write_that_is_repeated_after_it_was_sent_is_found() {
    find(Planted::Library(Bug::RepeatsSentWrites));
}

#[test]
fn a_leader_whose_drop_tells_nobody_is_found() {
    find(Planted::Library(Bug::ForgetsFollowers));
}

#[test]
fn a_wait_past_its_deadline_is_found() {
    find(Planted::Library(Bug::OverstaysDeadlines));
}

#[test]
fn a_load_that_is_stored_whatever_became_of_its_lease_is_found() {
    find(Planted::FillsWithoutComparing);
}

#[test]
fn a_lease_that_is_granted_twice_is_found() {
    find(Planted::GrantsEveryLease);
}

#[test]
fn a_reply_that_is_handed_to_another_is_found() {
    find(Planted::SwapsReplies);
}

fn hold(seed: u64, outcome: &Outcome) {
    if let Some(violation) = &outcome.violation {
        let plan = plan::Plan::of(seed);
        panic!("{}\nSIMULATION_SEED={seed} replays it: {violation}\n{plan:#?}", outcome.story);
    }
}

fn find(bug: Planted) {
    let found = (0..MOST).find_map(|seed| run(seed, Some(bug)).violation.map(|violation| (seed, violation)));
    match found {
        Some((seed, violation)) => println!("{bug:?}: seed {seed}: {violation}"),
        None => panic!("{bug:?} was not found in {MOST} schedules"),
    }
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

const FEW: u64 = 300;
/// Within so many schedules a bug has to be found.
const MOST: u64 = 10_000;
