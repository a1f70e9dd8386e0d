//! The protocol of fill leases, as a model that is explored in every order its steps can take.
//!
//! What is proven here is the protocol, not the code: that an invalidation wins over every load that began before it,
//! and that nobody waits for ever. `cargo test --test lease_model -- --nocapture` prints how much was explored.

#[path = "lease_model/explore.rs"]
mod explore;
#[path = "lease_model/protocol.rs"]
mod protocol;

use explore::{Broken, Explored, explore};
use protocol::{Bug, Setup};

/// Two processes, in one of which a caller may follow another; one invalidation, and one lease that runs out.
const SETUP: Setup =
    Setup { callers: [2, 1], invalidations: 1, expiries: 1, evictions: 0, foreign_sets: 0, bug: None };

#[track_caller]
fn holds(name: &str, setup: Setup) {
    match explore(setup) {
        Ok(Explored { states, steps, ends }) => {
            println!("{name}: {states} states, {steps} steps, {ends} ends");
            assert!(states > 500 && steps > states && ends > 1, "that is too little to prove anything");
        }
        Err(broken) => panic!("{name}: {broken}"),
    }
}

#[track_caller]
fn is_found(bug: Bug, what: &str) {
    match explore(Setup { bug: Some(bug), ..SETUP }) {
        Ok(Explored { states, .. }) => panic!("{bug:?} was not found in {states} states"),
        Err(broken) => {
            println!("{bug:?}: {broken}");
            let Broken { what: found, .. } = broken;
            assert!(found.contains(what), "{bug:?} was found otherwise: {found}");
        }
    }
}

#[test]
fn an_invalidation_wins_over_the_loads_of_two_processes() {
    holds("one follower", SETUP);
}

#[test]
fn an_invalidation_wins_though_two_leases_run_out() {
    holds("two expiries", Setup { expiries: 2, ..SETUP });
}

#[test]
fn an_invalidation_wins_though_the_server_evicts_the_key() {
    holds("one eviction", Setup { evictions: 1, ..SETUP });
}

#[test]
fn an_invalidation_wins_though_a_foreign_client_writes_the_key() {
    holds("one foreign write", Setup { foreign_sets: 1, ..SETUP });
}

#[test]
fn two_invalidations_win_one_after_the_other() {
    holds("two invalidations", Setup { invalidations: 2, ..SETUP });
}

// What follows is without a lease that runs out: there are states enough.

#[test]
fn an_invalidation_wins_with_two_followers() {
    holds("two followers", Setup { callers: [3, 1], expiries: 0, ..SETUP });
}

#[test]
fn an_invalidation_wins_with_a_follower_in_either_process() {
    holds("a follower each", Setup { callers: [2, 2], expiries: 0, ..SETUP });
}

const STALE_ANSWER: &str = "is answered with version 0";
const STALE_KEY: &str = "the key keeps version 0";

#[test]
fn a_fill_that_does_not_compare_the_token_is_found() {
    is_found(Bug::FillsWithoutComparing, STALE_KEY);
}

#[test]
fn a_follower_that_does_not_compare_the_token_is_found() {
    is_found(Bug::JoinsWithoutComparing, STALE_ANSWER);
}

#[test]
fn a_found_value_that_is_handed_to_those_who_joined_before_is_found() {
    is_found(Bug::HandsOverWhatItFound, STALE_ANSWER);
}

#[test]
fn a_delete_that_leaves_the_placeholder_is_found() {
    is_found(Bug::DeletesValuesOnly, STALE_KEY);
}

#[test]
fn a_flight_that_tells_its_token_too_late_is_found() {
    is_found(Bug::TellsItsTokenLate, STALE_ANSWER);
}

#[test]
fn a_leader_that_forgets_its_followers_is_found() {
    is_found(Bug::ForgetsFollowers, "waits for ever");
}
