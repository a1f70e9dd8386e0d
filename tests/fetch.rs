//! The policy of a fetch, in both worlds: what is fresh, early, stale, negative or forced, and what a failing origin
//! is asked. The clock is moved by hand.
#![cfg(feature = "async")]

mod support;

use std::cell::Cell;
use std::time::Duration;

use lexigram_cache::{
    BoxError, Clock, ErrorKind, Loaded, Memory, Origin, Policy, PolicyBuilder, Staleness, Ttl,
};
use support::{World, call, worlds};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

/// A cache that keeps values an hour past their time, with its clock and its origin.
struct Desk {
    world: World,
    clock: Clock,
    loads: Cell<u32>,
}

fn each(test: impl Fn(&Desk)) {
    for world in 0..2 {
        let clock = Clock::hand();
        let memory = Memory::builder().clock(clock.clone()).build().unwrap();
        let worlds = worlds!(memory, stale_for(HOUR));
        test(&Desk { world: worlds[world].clone(), clock, loads: Cell::new(0) });
    }
}

impl Desk {
    fn policy(&self, set: impl FnOnce(PolicyBuilder) -> PolicyBuilder) -> Policy {
        let builder = match &self.world {
            World::Threads(cache) => cache.policy(),
            World::Tasks(cache) => cache.policy(),
        };
        set(builder.ttl(MINUTE)).build().unwrap()
    }

    /// Fetches `k`; the origin gives the number of the load.
    fn fetch(&self, policy: &Policy) -> (u32, Origin, Option<Duration>) {
        let load = || {
            self.loads.set(self.loads.get() + 1);
            Ok::<_, BoxError>(self.loads.get())
        };
        self.fetch_from(policy, load).unwrap()
    }

    fn fetch_from<L: Into<Loaded<u32>>>(
        &self,
        policy: &Policy,
        load: impl FnOnce() -> Result<L, BoxError>,
    ) -> lexigram_cache::Result<(u32, Origin, Option<Duration>)> {
        let fetched = match &self.world {
            World::Threads(cache) => cache.fetch("k", policy, load),
            World::Tasks(cache) => support::block_on(cache.fetch("k", policy, async || load())),
        }?;
        Ok((fetched.value, fetched.source, fetched.age))
    }

    /// Fetches while the origin is down.
    fn fetch_in_vain(&self, policy: &Policy) -> lexigram_cache::Result<(u32, Origin, Option<Duration>)> {
        self.fetch_from(policy, || {
            self.loads.set(self.loads.get() + 1);
            Err::<u32, BoxError>("the origin is down".into())
        })
    }
}

#[test]
fn a_fresh_value_is_served_with_its_age() {
    each(|desk| {
        let policy = desk.policy(|policy| policy);
        assert!(matches!(desk.fetch(&policy), (1, Origin::Loaded, Some(Duration::ZERO))));
        desk.clock.advance(20 * SECOND);
        let (value, source, age) = desk.fetch(&policy);
        assert!(matches!((value, source), (1, Origin::Memory)));
        assert_eq!(age, Some(20 * SECOND));
    });
}

#[test]
fn a_value_past_its_time_is_reloaded_and_served_if_that_fails() {
    each(|desk| {
        let policy = desk.policy(|policy| policy);
        desk.fetch(&policy);
        desk.clock.advance(MINUTE);
        let (value, source, _) = desk.fetch_in_vain(&policy).unwrap();
        let Origin::Stale(Staleness::LoadFailed(error)) = source else { panic!("{source:?}") };
        assert_eq!((value, error.kind()), (1, ErrorKind::Loader));
        assert!(matches!(desk.fetch(&desk.policy(PolicyBuilder::force)), (3, Origin::Loaded, _)));
    });
}

#[test]
fn a_failing_origin_is_asked_once_in_thirty_seconds() {
    each(|desk| {
        let policy = desk.policy(|policy| policy);
        desk.fetch(&policy);
        desk.clock.advance(MINUTE);
        for _ in 0..10 {
            desk.fetch_in_vain(&policy).unwrap();
        }
        assert_eq!(desk.loads.get(), 2, "the first, and one that failed");
        let (_, source, _) = desk.fetch(&policy);
        assert!(matches!(source, Origin::Stale(Staleness::BackingOff)), "{source:?}");
        desk.clock.advance(30 * SECOND);
        assert!(matches!(desk.fetch(&policy), (3, Origin::Loaded, _)));
    });
}

#[test]
fn a_value_beyond_the_time_it_may_be_stale_is_an_error_where_the_load_fails() {
    each(|desk| {
        let policy = desk.policy(|policy| policy.stale_for(10 * SECOND));
        desk.fetch(&policy);
        desk.clock.advance(MINUTE + 10 * SECOND);
        assert_eq!(desk.fetch_in_vain(&policy).unwrap_err().kind(), ErrorKind::Loader);
    });
}

#[test]
fn a_plain_read_never_sees_what_a_fetch_calls_stale() {
    each(|desk| {
        desk.fetch(&desk.policy(|policy| policy));
        let world = &desk.world;
        let ttl = call!(world, cache => cache.ttl("k")).unwrap();
        assert_eq!(ttl, Some(lexigram_cache::Remaining::For(MINUTE)));
        desk.clock.advance(MINUTE);
        assert_eq!(call!(world, cache => cache.get::<u32>("k")).unwrap(), None);
        assert_eq!(call!(world, cache => cache.get_many::<u32>(["k"])).unwrap().len(), 0);
        assert!(!call!(world, cache => cache.exists("k")).unwrap());
        assert_eq!(call!(world, cache => cache.ttl("k")).unwrap(), None);
        assert!(!call!(world, cache => cache.touch("k", HOUR)).unwrap());
        assert!(!call!(world, cache => cache.replace("k", &9, MINUTE)).unwrap());
        assert_eq!(call!(world, cache => cache.take::<u32>("k")).unwrap(), None);
        assert!(call!(world, cache => cache.add("k", &9, MINUTE)).unwrap());
        desk.clock.advance(MINUTE);
        assert!(!call!(world, cache => cache.delete("k")).unwrap());
        assert_eq!(call!(world, cache => cache.incr("k", 1, MINUTE)).unwrap(), 1);
    });
}

#[test]
fn what_was_deleted_is_not_served_stale() {
    each(|desk| {
        let policy = desk.policy(|policy| policy);
        desk.fetch(&policy);
        desk.clock.advance(MINUTE);
        call!(&desk.world, cache => cache.delete("k")).unwrap();
        assert_eq!(desk.fetch_in_vain(&policy).unwrap_err().kind(), ErrorKind::Loader);
    });
}

#[test]
fn a_reload_does_not_bring_back_what_was_deleted_meanwhile() {
    each(|desk| {
        let policy = desk.policy(|policy| policy);
        desk.fetch(&policy);
        desk.clock.advance(MINUTE);
        let delete = || match &desk.world {
            World::Threads(cache) => cache.delete("k").map(drop),
            World::Tasks(cache) => std::thread::scope(|scope| {
                scope.spawn(|| support::block_on(cache.delete("k")).map(drop)).join().unwrap()
            }),
        };
        let (value, ..) = desk.fetch_from(&policy, || delete().map(|()| 7).map_err(BoxError::from)).unwrap();
        assert_eq!(value, 7, "its own caller gets it");
        assert_eq!(call!(&desk.world, cache => cache.get::<u32>("k")).unwrap(), None);
    });
}

#[test]
fn a_read_in_the_last_part_of_a_lifetime_reloads() {
    each(|desk| {
        let policy = desk.policy(|policy| policy.refresh_ahead(0.25));
        desk.fetch(&policy);
        desk.clock.advance(44 * SECOND);
        assert!(matches!(desk.fetch(&policy), (1, Origin::Memory, _)));
        desk.clock.advance(SECOND);
        assert!(matches!(desk.fetch(&policy), (2, Origin::Loaded, _)));
        assert!(matches!(desk.fetch(&policy), (2, Origin::Memory, _)));
        desk.clock.advance(50 * SECOND);
        // It is still fresh, so a failure is nobody's trouble.
        assert!(matches!(desk.fetch_in_vain(&policy).unwrap(), (2, Origin::Memory, _)));
    });
}

#[test]
fn an_early_reload_is_the_likelier_the_longer_the_load_takes() {
    each(|desk| {
        let policy = |beta| desk.policy(|policy| policy.early(beta));
        desk.fetch_from(&policy(1.0), || {
            std::thread::sleep(Duration::from_millis(20));
            Ok(1)
        })
        .unwrap();
        desk.clock.advance(MINUTE - SECOND);
        desk.loads.set(1);
        assert!(matches!(desk.fetch(&policy(0.0)), (1, Origin::Memory, _)), "never");
        // A second is left: 20 ms · 10⁹ · −ln(chance) is more, but for one draw in 10⁷.
        assert!(matches!(desk.fetch(&policy(1e9)), (2, Origin::Loaded, _)));
    });
}

#[test]
fn a_value_over_its_most_age_and_any_value_if_forced_is_loaded_anew() {
    each(|desk| {
        let young = desk.policy(|policy| policy.max_age(10 * SECOND));
        desk.fetch(&young);
        desk.clock.advance(10 * SECOND);
        assert!(matches!(desk.fetch(&young), (1, Origin::Memory, _)));
        desk.clock.advance(SECOND);
        assert!(matches!(desk.fetch(&young), (2, Origin::Loaded, _)));
        assert!(matches!(desk.fetch(&desk.policy(PolicyBuilder::force)), (3, Origin::Loaded, _)));
        assert!(matches!(desk.fetch(&young), (3, Origin::Memory, _)));
        desk.clock.advance(11 * SECOND);
        assert_eq!(desk.fetch_in_vain(&young).unwrap_err().kind(), ErrorKind::Loader);
    });
}

#[test]
fn nothing_is_remembered_for_as_long_as_the_policy_says() {
    each(|desk| {
        let policy = desk.policy(|policy| policy.negative_ttl(5 * SECOND));
        let ask = |load: Option<u32>| {
            let load = || Ok::<_, BoxError>(load);
            match &desk.world {
                World::Threads(cache) => cache.fetch("n", &policy, load).unwrap().value,
                World::Tasks(cache) => {
                    support::block_on(cache.fetch("n", &policy, async || load())).unwrap().value
                }
            }
        };
        assert_eq!(ask(None), None);
        assert_eq!(ask(Some(1)), None, "it is remembered that there is nothing");
        let ttl = call!(&desk.world, cache => cache.ttl("n")).unwrap();
        assert_eq!(ttl, Some(lexigram_cache::Remaining::For(5 * SECOND)));
        desk.clock.advance(5 * SECOND);
        assert_eq!(ask(Some(2)), Some(2));
    });
}

#[test]
fn a_loader_chooses_how_long_and_whether_its_value_is_stored() {
    each(|desk| {
        let policy = desk.policy(|policy| policy);
        desk.fetch_from(&policy, || Ok(Loaded::new(1).do_not_store())).unwrap();
        assert!(!call!(&desk.world, cache => cache.exists("k")).unwrap());
        desk.fetch_from(&policy, || Ok(Loaded::new(2).ttl(7 * SECOND))).unwrap();
        let ttl = call!(&desk.world, cache => cache.ttl("k")).unwrap();
        assert_eq!(ttl, Some(lexigram_cache::Remaining::For(7 * SECOND)));
        call!(&desk.world, cache => cache.delete("k")).unwrap();
        let zero = desk.fetch_from(&policy, || Ok(Loaded::new(3).ttl(Duration::ZERO))).unwrap_err();
        assert_eq!(zero.kind(), ErrorKind::InvalidTtl);
        desk.fetch_from(&policy, || Ok(Loaded::new(4).ttl(Ttl::NEVER))).unwrap();
        assert_eq!(
            call!(&desk.world, cache => cache.ttl("k")).unwrap(),
            Some(lexigram_cache::Remaining::Never)
        );
    });
}

#[test]
fn jitter_only_adds() {
    each(|desk| {
        let policy = desk.policy(|policy| policy.jitter(10 * SECOND));
        let mut stays = Vec::new();
        for _ in 0..50 {
            call!(&desk.world, cache => cache.delete("k")).unwrap();
            desk.fetch(&policy);
            let ttl = call!(&desk.world, cache => cache.ttl("k")).unwrap();
            let Some(lexigram_cache::Remaining::For(stay)) = ttl else { panic!("{ttl:?}") };
            assert!(stay >= MINUTE && stay <= MINUTE + 10 * SECOND, "{stay:?}");
            stays.push(stay);
        }
        stays.sort();
        assert!(stays[49] - stays[0] > SECOND, "they are spread: {stays:?}");
    });
}

#[test]
fn a_policy_that_its_cache_cannot_keep_is_refused_when_it_is_built() {
    let cache = lexigram_cache::Cache::memory();
    let error = cache.policy().ttl(MINUTE).stale_for(SECOND).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let error = lexigram_cache::Cache::builder().lock_ttl(Duration::from_millis(9)).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("lock_ttl"), "{error}");
}
