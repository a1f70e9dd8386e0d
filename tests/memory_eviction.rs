//! Who leaves a full memory cache.

mod support;

use std::collections::VecDeque;

use lexigram_cache::{Cache, Eviction, Memory, Ttl};

fn cache(max_entries: usize, eviction: Eviction) -> Cache {
    let memory = Memory::builder().max_entries(max_entries).eviction(eviction).build().unwrap();
    Cache::builder().backend(memory).build().unwrap()
}

/// Numbers that look drawn, the same in each run.
fn draws() -> impl FnMut(usize) -> usize {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    }
}

#[test]
fn of_two_hundred_and_fifty_six_the_least_recently_read_or_written_leaves() {
    let cache = cache(256, Eviction::Lru);
    let mut draw = draws();
    // From the least to the most recently used.
    let mut model: VecDeque<usize> = VecDeque::new();
    for step in 0..20_000 {
        let n = draw(400);
        let position = model.iter().position(|held| *held == n);
        let found = match draw(4) {
            0 => cache.get(n.to_string()).unwrap() == Some(n),
            1 => cache.get_with(n.to_string(), |held: &usize| *held == n).unwrap() == Some(true),
            // A look that is no use leaves the order as it is.
            2 => {
                assert_eq!(cache.exists(n.to_string()).unwrap(), position.is_some(), "step {step}");
                continue;
            }
            _ => {
                cache.set(n.to_string(), &n, Ttl::NEVER).unwrap();
                if position.is_none() {
                    model.push_back(n);
                }
                position.is_some()
            }
        };
        assert_eq!(found, position.is_some(), "step {step}, key {n}");
        if let Some(position) = position {
            model.remove(position);
            model.push_back(n);
        }
        if model.len() > 256 {
            let left = model.pop_front().unwrap();
            assert!(!cache.exists(left.to_string()).unwrap(), "step {step}: {left} was next to leave");
        }
    }
    assert!(model.iter().all(|n| cache.exists(n.to_string()).unwrap()));
}

/// Scans ten times the capacity, each key once, while half the capacity is read over and over; says how many of
/// those reads had to load.
fn scanned(capacity: usize) -> (u64, usize) {
    let cache = cache(capacity, Eviction::Default);
    let working = capacity / 2;
    let read = |n: usize| {
        let load = || Ok::<_, std::io::Error>(n);
        assert_eq!(cache.get_or_compute(format!("often {n}"), Ttl::NEVER, load).unwrap(), n);
    };
    (0..4).for_each(|_| (0..working).for_each(read));
    let before = cache.stats().loads;
    for n in 0..10 * capacity {
        cache.set(format!("once {n}"), &n, Ttl::NEVER).unwrap();
        assert_eq!(cache.get(format!("once {n}")).unwrap(), Some(n));
        read(n % working);
    }
    (cache.stats().loads - before, 10 * capacity)
}

#[test]
fn a_scan_leaves_what_is_often_read_in_place() {
    for capacity in [100, 256] {
        let (loads, reads) = scanned(capacity);
        assert_eq!(loads, 0, "of {reads} reads, with room for {capacity}");
    }
}

#[test]
fn a_scan_leaves_what_is_often_read_in_place_in_nearly_all_of_many_shards() {
    let (loads, reads) = scanned(10_000);
    assert!(loads * 100 < reads as u64, "{loads} of {reads} reads had to load");
}

#[test]
fn a_loop_that_fits_stays_entirely() {
    for eviction in [Eviction::Default, Eviction::Lru] {
        for capacity in [1, 2, 100, 256, 257, 10_000] {
            let cache = cache(capacity, eviction);
            for round in 0..4 {
                for n in 0..capacity {
                    let load = || Ok::<_, std::io::Error>(n);
                    assert_eq!(cache.get_or_compute(n.to_string(), Ttl::NEVER, load).unwrap(), n);
                }
                let stats = cache.stats();
                assert_eq!(
                    (stats.loads, stats.evicted),
                    (capacity as u64, Some(0)),
                    "round {round} of {capacity}"
                );
            }
        }
    }
}

/// Reads so many keys in turn, round after round, and stores what is missing; says how many of the reads were hits.
fn went_round(cache: &Cache, keys: usize, rounds: usize) -> u64 {
    let before = cache.stats().hits;
    for n in (0..keys).cycle().take(keys * rounds) {
        let load = || Ok::<_, std::io::Error>(n);
        assert_eq!(cache.get_or_compute(format!("round {n}"), Ttl::NEVER, load).unwrap(), n);
    }
    cache.stats().hits - before
}

#[test]
fn of_a_loop_that_is_far_too_long_nearly_as_much_stays_as_fits() {
    for (capacity, keys) in [(100, 2_000), (200, 1_000), (10_000, 30_000)] {
        let cache = cache(capacity, Eviction::Default);
        went_round(&cache, keys, 20);
        let hits = went_round(&cache, keys, 5);
        assert!(hits * 100 > 85 * 5 * capacity as u64, "{hits} hits in 5 rounds, with room for {capacity}");
    }
}

#[test]
fn what_is_read_no_more_makes_room_where_nothing_new_stays_long_enough_to_be_read() {
    let cache = cache(200, Eviction::Default);
    for n in 0..10 * 200 {
        cache.get_or_compute((n % 200).to_string(), Ttl::NEVER, || Ok::<_, std::io::Error>(n)).unwrap();
    }
    went_round(&cache, 2_000, 60);
    let left = (0..200).filter(|n| cache.exists(n.to_string()).unwrap()).count();
    assert!(left < 20, "{left} of 200 are still there");
    let hits = went_round(&cache, 2_000, 5);
    assert!(hits * 100 > 85 * 5 * 200, "{hits} hits in 5 rounds, with room for 200");
}
