//! A cache in memory against a plain map: what is there, what leaves and why, under steps that nobody thought of.

#[path = "memory_model/both.rs"]
mod both;
#[path = "support/eventually.rs"]
mod eventually;
#[path = "memory_model/model.rs"]
mod model;
#[path = "memory_model/step.rs"]
mod step;
#[path = "memory_model/steps.rs"]
mod steps;

use both::run;
use proptest::prelude::*;
use steps::{settings, steps};

proptest! {
    // A failure prints its steps, which is all that it takes to make a test of them.
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_cache_in_memory_is_a_map_from_which_only_what_it_tells_of_leaves(
        (settings, steps) in settings().prop_flat_map(|settings| {
            let keys = settings.keys();
            (Just(settings), steps(keys))
        }),
    ) {
        run(&settings, &steps);
    }
}
