use std::time::Duration;

/// Holds a measurement to its limit, and prints it. One of three has to keep to it, since a machine that does other
/// things as well may hold up any thread; a promise that is broken is broken each time.
pub fn in_time(what: &str, limit: Duration, mut measure: impl FnMut() -> Duration) -> Duration {
    let mut measured = Vec::new();
    for _ in 0..TRIES {
        let took = measure();
        println!("{what}: {took:?} of {limit:?}");
        if took <= limit {
            return took;
        }
        measured.push(took);
    }
    panic!("{what}: {measured:?} of {limit:?}")
}

/// A number from the environment, for a long run of what a test does for a short time otherwise.
pub fn soak(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|number| number.parse().ok()).unwrap_or(otherwise)
}

const TRIES: usize = 3;
