//! Leases on Memcached: what breaks one, what does not, and that no verb takes one for a value.
#![cfg(all(feature = "testing", feature = "memcached", feature = "async"))]

#[path = "memcached_leases/commands.rs"]
mod commands;
#[path = "memcached_leases/desk.rs"]
mod desk;
#[path = "memcached_leases/stale.rs"]
mod stale;
mod support;

use std::thread::sleep;
use std::time::Duration;

use desk::{Desk, MINUTE, each};
use lexigram_cache::{Ask, Condition, Lookup, Remaining, Version};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_lease_is_filled_once() {
    each(|desk| {
        let lease = desk.lease("k");
        assert!(desk.fill("k", &lease, b"loaded"));
        assert_eq!(desk.get("k").as_deref(), Some(&b"loaded"[..]));
        assert!(!desk.fill("k", &lease, b"again"));
        assert_eq!(desk.get("k").as_deref(), Some(&b"loaded"[..]));
        assert!(matches!(desk.look("k", Ask::Lease(MINUTE)), Lookup::Hit(_)));
    });
}

#[test]
fn of_all_who_ask_one_gets_the_lease_and_the_others_its_token() {
    each(|desk| {
        let lease = desk.lease("k");
        for ask in [Ask::Lease(MINUTE), Ask::Age, Ask::Value] {
            assert_eq!(Lookup::Busy(lease.token.clone().unwrap()), desk.look("k", ask));
        }
        assert!(desk.fill("k", &lease, b""), "an empty value is a value");
        assert_eq!(desk.get("k").as_deref(), Some(&b""[..]));
    });
}

/// Something done to a key, what fill must find then, and what must stand.
struct Breach(&'static str, fn(&Desk), Option<&'static [u8]>);

const BREACHES: &[Breach] = &[
    Breach("set", |d| assert!(d.store("k", b"7", &Condition::Always)), Some(b"7")),
    Breach("add", |d| assert!(d.store("k", b"7", &Condition::Absent)), Some(b"7")),
    Breach("set_many", |d| d.store_many("k", b"7"), Some(b"7")),
    Breach("delete", |d| assert!(!d.remove("k")), None),
    Breach("delete_many", |d| assert_eq!(d.remove_many(&["k"]), 0), None),
    Breach("incr", |d| assert_eq!(d.add("k", 7), 7), Some(b"7")),
    Breach("take", |d| assert_eq!(d.take("k"), None), None),
    Breach(
        "set, then take",
        |d| {
            d.store("k", b"7", &Condition::Always);
            assert_eq!(d.take("k").as_deref(), Some(&b"7"[..]));
        },
        None,
    ),
    Breach(
        "set, then touch",
        |d| {
            d.store("k", b"7", &Condition::Always);
            assert!(d.touch("k", MINUTE));
        },
        Some(b"7"),
    ),
    Breach(
        "another lease after a delete",
        |d| {
            d.remove("k");
            d.lease("k");
        },
        None,
    ),
    Breach("a foreign delete", |d| assert_eq!(d.raw("k", "md {}\r\n"), "HD\r\n"), None),
];

#[test]
fn whatever_is_written_or_removed_meanwhile_stands() {
    each(|desk| {
        for Breach(what, breach, expected) in BREACHES {
            for renewed in [false, true] {
                desk.raw("k", "md {}\r\n");
                let lease = desk.lease("k");
                assert!(!renewed || desk.renew("k", &lease, MINUTE));
                breach(desk);
                assert!(!desk.fill("k", &lease, b"old"), "{what} in {desk:?}, renewed: {renewed}");
                assert_eq!(desk.get("k").as_deref(), *expected, "{what} in {desk:?}");
                assert!(!desk.renew("k", &lease, MINUTE), "{what} in {desk:?}");
                desk.abandon("k", &lease);
                assert_eq!(desk.get("k").as_deref(), *expected, "{what} in {desk:?}");
            }
        }
    });
}

#[test]
fn what_a_foreign_client_writes_meanwhile_stands() {
    each(|desk| {
        for (write, bytes) in
            [("set {} FLAGS 0 3\r\nnew\r\n", &b"new"[..]), ("set {} FLAGS 0 0\r\n\r\n", b"")]
        {
            desk.raw("k", "md {}\r\n");
            let lease = desk.lease("k");
            assert_eq!(desk.raw("k", &write.replace("FLAGS", &desk.flags().to_string())), "STORED\r\n");
            assert!(!desk.fill("k", &lease, b"old"), "{write} in {desk:?}");
            assert_eq!(desk.get("k").as_deref(), Some(bytes), "{write} in {desk:?}");
        }
    });
}

#[test]
fn a_verb_that_changes_nothing_breaks_no_lease() {
    each(|desk| {
        let lease = desk.lease("k");
        assert_eq!(desk.get("k"), None);
        assert_eq!(desk.get_many(&["k", "l"]), [None, None]);
        assert!(!desk.exists("k"));
        assert_eq!(desk.remaining("k"), None);
        assert!(!desk.touch("k", MINUTE));
        assert!(!desk.store("k", b"7", &Condition::Present));
        assert!(!desk.store("k", b"7", &Condition::Unchanged(Version::Number(u64::MAX))));
        assert!(desk.fill("k", &lease, b"loaded"), "{desk:?}");
    });
}

#[test]
fn a_counter_over_a_lease_begins_anew_with_its_lifetime() {
    each(|desk| {
        desk.lease("k");
        assert_eq!(desk.add("k", 5), 5);
        assert_eq!(desk.remaining("k"), Some(Remaining::For(MINUTE)));
        assert_eq!(desk.add("k", -6), -1);
    });
}

#[test]
fn a_lease_given_back_frees_the_key() {
    each(|desk| {
        for renewed in [false, true] {
            let lease = desk.lease("k");
            assert!(!renewed || desk.renew("k", &lease, MINUTE));
            desk.abandon("k", &lease);
            assert_eq!(desk.look("k", Ask::Value), Lookup::Absent, "{desk:?}");
            assert!(!desk.fill("k", &lease, b"old"));
        }
        desk.lease("k");
    });
}

#[test]
fn a_lease_ends_by_itself() {
    each(|desk| {
        let lease = desk.lease_for("k", Duration::from_millis(1));
        let ended = || desk.look("k", Ask::Age) == Lookup::Absent;
        support::eventually("the lease ends", 3 * SECOND, ended);
        assert!(!desk.renew("k", &lease, MINUTE));
        assert!(!desk.fill("k", &lease, b"old"));
        desk.lease("k");
    });
}

#[test]
fn a_renewed_lease_lasts_longer_and_is_known_by_its_token() {
    each(|desk| {
        let lease = desk.lease_for("k", 2 * SECOND);
        let busy = Lookup::Busy(lease.token.clone().unwrap());
        for _ in 0..3 {
            assert!(desk.renew("k", &lease, MINUTE), "{desk:?}");
            assert_eq!(desk.look("k", Ask::Lease(MINUTE)), busy, "{desk:?}");
            assert!(!desk.exists("k") && desk.get("k").is_none() && !desk.touch("k", MINUTE));
        }
        sleep(Duration::from_millis(2_500));
        assert_eq!(desk.look("k", Ask::Value), busy, "{desk:?}");
        assert!(desk.fill("k", &lease, b"loaded"));
        assert_eq!(desk.get("k").as_deref(), Some(&b"loaded"[..]));
        assert!(!desk.renew("k", &lease, MINUTE), "it is used up");
    });
}

#[test]
fn a_clear_voids_leases() {
    each(|desk| {
        for renewed in [false, true] {
            if !desk.clears() {
                return;
            }
            desk.remove("k");
            let lease = desk.lease("k");
            assert!(!renewed || desk.renew("k", &lease, MINUTE));
            desk.clear();
            assert_eq!(desk.look("k", Ask::Value), Lookup::Absent, "others need not wait for it");
            assert!(!desk.renew("k", &lease, MINUTE));
            assert!(!desk.fill("k", &lease, b"old"));
            assert_eq!(desk.get("k"), None);
            let lease = desk.lease("k");
            assert!(desk.fill("k", &lease, b"new"), "a lease over what was cleared");
            assert_eq!(desk.get("k").as_deref(), Some(&b"new"[..]));
        }
    });
}

#[test]
fn a_batch_takes_fills_and_gives_back_leases() {
    each(|desk| {
        desk.store("a", b"1", &Condition::Always);
        let busy = desk.lease("b");
        let seen = desk.look_many(&["a", "b", "c", "d", "e"], Ask::Lease(MINUTE));
        let [Lookup::Hit(_), Lookup::Busy(token), Lookup::Lease(c), Lookup::Lease(d), Lookup::Lease(e)] =
            &seen[..]
        else {
            panic!("{seen:?} in {desk:?}")
        };
        assert_eq!(Some(token), busy.token.as_ref());
        desk.store("d", b"newer", &Condition::Always);
        assert!(desk.renew("c", c, MINUTE));
        desk.fill_many(&[("c", c, b"3"), ("d", d, b"4"), ("e", e, b"5")]);
        let values: Vec<_> = ["c", "d", "e"].iter().map(|name| desk.get(name)).collect();
        assert_eq!(values, [Some(b"3".to_vec()), Some(b"newer".to_vec()), Some(b"5".to_vec())], "{desk:?}");

        let [f, g] = ["f", "g"].map(|name| desk.lease(name));
        assert!(desk.renew("g", &g, MINUTE));
        desk.abandon_many(&[("f", &f), ("g", &g), ("d", d)]);
        assert_eq!(desk.look_many(&["f", "g"], Ask::Value), [Lookup::Absent, Lookup::Absent]);
        assert_eq!(desk.get("d").as_deref(), Some(&b"newer"[..]));
    });
}

#[test]
fn a_batch_with_a_value_that_is_too_large_fills_nothing() {
    each(|desk| {
        let [a, b] = ["a", "b"].map(|name| desk.lease(name));
        let large = vec![b'x'; 2 << 20];
        assert!(desk.try_fill_many(&[("a", &a, b"1"), ("b", &b, &large)]).is_err());
        assert_eq!(desk.get_many(&["a", "b"]), [None, None]);
        assert!(desk.fill("a", &a, b"1"));
    });
}
