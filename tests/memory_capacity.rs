//! Bounds that are huge or nothing: one costs nothing until it is used, the other is refused.

mod support;

use std::time::Duration;

use lexigram_cache::{Cache, ErrorKind, Eviction, Memory, MemoryBuilder, Ttl};

const HUGE: [usize; 4] = [1_000_000, 5_000_000_000, usize::MAX / 2, usize::MAX];
/// The locks of all shards, and little else.
const NEXT_TO_NOTHING: u64 = 256 << 10;

#[test]
fn a_huge_bound_reserves_next_to_nothing() {
    for bound in HUGE {
        let build = || drop(Memory::builder().max_entries(bound).max_bytes(u64::MAX).build().unwrap());
        let reserved = allocation_counter::measure(build).bytes_total;
        assert!(reserved < NEXT_TO_NOTHING, "{reserved} bytes for {bound}");
    }
}

#[test]
fn a_huge_bound_takes_room_as_entries_come() {
    for bound in HUGE {
        let memory = Memory::builder().max_entries(bound).build().unwrap();
        let cache = Cache::builder().backend(memory).build().unwrap();
        let fill = || (0..1_000).for_each(|n| cache.set(n.to_string(), &n, Ttl::NEVER).unwrap());
        let taken = allocation_counter::measure(fill).bytes_current;
        assert!(taken < 1_000 * 500, "{taken} bytes for {bound}");
    }
}

#[test]
fn a_huge_bound_works_like_any_other() {
    for eviction in [Eviction::Default, Eviction::Lru] {
        for bound in HUGE {
            let memory = Memory::builder().max_entries(bound).max_bytes(u64::MAX).eviction(eviction);
            let cache = Cache::builder().backend(memory.build().unwrap()).build().unwrap();
            (0..1_000).for_each(|n| cache.set(n.to_string(), &n, Ttl::NEVER).unwrap());
            assert!((0..1_000).all(|n| cache.get(n.to_string()).unwrap() == Some(n)));
            assert_eq!((cache.stats().entries, cache.stats().evicted), (Some(1_000), Some(0)));
            cache.clear().unwrap();
            assert_eq!((cache.stats().entries, cache.stats().weight), (Some(0), Some(0)));
        }
    }
}

#[test]
fn a_bound_of_nothing_is_refused_with_what_to_give_instead() {
    let refused: [(MemoryBuilder, [&str; 2]); 3] = [
        (Memory::builder().max_entries(0), ["max_entries is 0", "give at least 1"]),
        (Memory::builder().max_bytes(0), ["max_bytes is 0", "leave it out to bound entries only"]),
        (
            Memory::builder().cleanup_interval(Duration::ZERO),
            ["cleanup_interval is zero", "give for instance 60 s"],
        ),
    ];
    for (builder, parts) in refused {
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        for part in parts {
            assert!(error.to_string().contains(part), "{part} in {error}");
        }
    }
}
