//! A lock that goes from hand to hand.

use lexigram_cache::{ErrorKind, Released};

use super::side::{Locks, everywhere};
use super::support::{Backing, Process, eventually, with_server};
use super::{LONG, SOON};

use super::side::both;

#[test]
fn a_lock_that_was_handed_over_is_its_new_holders_alone() {
    everywhere("handed over", |locks| {
        let token = locks.take("k", LONG).into_token();
        let resumed = locks.resume("k", &token, LONG).unwrap();
        assert!(resumed.is_valid() && locks.attempt("k", LONG).unwrap().is_none());
        assert_eq!(resumed.release().unwrap(), Released::Released);
        assert_eq!(locks.resume("k", &token, LONG).unwrap_err().kind(), ErrorKind::NotOwned);
        let next = locks.take("k", LONG);
        assert_eq!(locks.resume("k", &token, LONG).unwrap_err().kind(), ErrorKind::NotOwned);
        assert!(next.is_valid());
    });
}

#[test]
fn a_lock_goes_on_in_another_process() {
    with_server(
        Backing::Redis,
        |parent, place, _| {
            let [locks, _] = both!(place.redis());
            parent.ready();
            let token = parent.hear();
            let guard = locks.resume("k", &token, LONG).unwrap();
            parent.tell(&guard.fencing().to_string());
            parent.hear();
            parent.tell(&format!("{:?}", guard.release().unwrap()));
        },
        |place| {
            let [threads, tasks]: [Locks; 2] = both!(place.redis());
            for locks in [threads, tasks] {
                let mut process = Process::at(place, "handover::a_lock_goes_on_in_another_process", "");
                process.tell("go");
                let guard = locks.take("k", LONG);
                let fencing = guard.fencing().to_string();
                process.tell(&guard.into_token());
                assert_eq!(process.hear(), fencing);
                assert!(!locks.is_free("k"));
                process.tell("release");
                assert_eq!(process.hear(), "Released");
                assert!(locks.is_free("k"));
            }
        },
    );
}

#[test]
fn a_lock_of_a_process_that_was_killed_is_free_after_its_time() {
    with_server(
        Backing::Redis,
        |parent, place, _| {
            let [locks, _] = both!(place.redis());
            parent.ready();
            let _guard = locks.take("k", std::time::Duration::from_millis(300));
            parent.tell("taken");
            parent.hear();
        },
        |place| {
            let test = "handover::a_lock_of_a_process_that_was_killed_is_free_after_its_time";
            let mut process = Process::at(place, test, "");
            process.tell("go");
            process.hear();
            let [locks, _] = both!(place.redis());
            assert!(!locks.is_free("k"));
            process.kill();
            eventually("it is free", SOON, || locks.is_free("k"));
        },
    );
}
