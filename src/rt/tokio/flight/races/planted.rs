//! The bugs that simulations look for, those that lie in the table of flights: the races find them too.

use std::rc::Rc;

use super::*;
use crate::simulation::{Bug, Dialling, World, enter};

/// A world that is as it is but for one bug.
struct Broken(Bug);

impl World for Broken {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn unix_micros(&self) -> u64 {
        0
    }

    fn random(&self) -> u64 {
        0
    }

    fn dial(&self, _: &str) -> Dialling {
        Box::pin(async { Err(std::io::ErrorKind::NotConnected.into()) })
    }

    fn has(&self, bug: Bug) -> bool {
        self.0 == bug
    }
}

fn is_found(bug: Bug, trial: fn()) -> bool {
    let _stay = enter(Rc::new(Broken(bug)));
    catch_unwind(|| in_any_order(trial)).is_err()
}

#[test]
fn a_leader_that_goes_away_without_a_word_is_found() {
    let callers =
        || crowd(&[(GoesAway, Thread, Endless), (Lands, Thread, Endless), (Lands, Task, Endless)], &[]);
    assert!(is_found(Bug::ForgetsFollowers, callers));
}

#[test]
fn a_caller_who_follows_an_outdated_load_is_found() {
    assert!(is_found(Bug::FollowsOutdatedFlights, crowd_by_lease));
}
