//! Values past their time: kept, shown to who asks for their age, absent for everybody else.

use lexigram_cache::{Ask, Condition, Entry, Lifetime, Lookup, Remaining};

use crate::desk::{MINUTE, each};

/// The remaining lifetime as seconds.
fn left(remaining: Option<Remaining>) -> Option<u64> {
    remaining.map(|left| match left {
        Remaining::Never => u64::MAX,
        Remaining::For(left) => left.as_secs(),
    })
}

fn hit(lookup: Lookup) -> Entry {
    let Lookup::Hit(entry) = lookup else { panic!("{lookup:?} is no hit") };
    entry
}

#[test]
fn a_value_past_its_time_is_kept_and_absent_for_every_verb() {
    each(|desk| {
        let desk = desk.keeping(MINUTE);
        let stale = |name: &str| {
            desk.store_for(name, b"41", &Condition::Always, Lifetime::For(MINUTE));
            assert!(matches!(desk.look(name, Ask::Age), Lookup::Hit(_)), "it is kept");
        };
        stale("k");
        assert_eq!((desk.get("k"), desk.exists("k"), desk.remaining("k")), (None, false, None));
        assert_eq!(desk.get_many(&["k"]), [None]);
        assert_eq!(desk.look("k", Ask::Value), Lookup::Absent);
        assert!(!desk.touch("k", 2 * MINUTE) && !desk.store("k", b"7", &Condition::Present));
        assert!(matches!(desk.look("k", Ask::Lease(MINUTE)), Lookup::Hit(_)), "no verb has removed it");
        assert_eq!((desk.remove("k"), desk.look("k", Ask::Age)), (false, Lookup::Absent));
        stale("k");
        assert_eq!((desk.take("k"), desk.look("k", Ask::Age)), (None, Lookup::Absent));
        stale("k");
        assert_eq!((desk.remove_many(&["k"]), desk.look("k", Ask::Age)), (0, Lookup::Absent));
        stale("k");
        assert!(desk.store_for("k", b"7", &Condition::Absent, Lifetime::For(2 * MINUTE)));
        assert_eq!(left(desk.remaining("k")), Some(60), "{desk:?}");
        stale("k");
        assert_eq!(desk.add("k", 1), 1, "a counter past its time begins anew");
    });
}

#[test]
fn a_counter_keeps_its_whole_stay() {
    each(|desk| {
        let desk = desk.keeping(MINUTE);
        desk.store_for("k", b"41", &Condition::Always, Lifetime::For(3 * MINUTE));
        assert_eq!(desk.add("k", 1), 42);
        assert!(matches!(left(desk.remaining("k")), Some(119..=120)), "{desk:?}");
        let entry = hit(desk.look("k", Ask::Age));
        assert!(matches!(left(entry.remaining), Some(179..=180)), "{entry:?}");
    });
}

#[test]
fn a_value_past_its_time_can_be_refreshed_as_long_as_it_is_the_same() {
    each(|desk| {
        let desk = desk.keeping(MINUTE);
        desk.store_for("k", b"old", &Condition::Always, Lifetime::For(MINUTE));
        let seen = hit(desk.look("k", Ask::Lease(MINUTE))).into_version();
        let refresh = |bytes: &[u8]| {
            desk.store_for("k", bytes, &Condition::Unchanged(seen.clone()), Lifetime::For(2 * MINUTE))
        };
        assert!(refresh(b"new") && !refresh(b"newer"), "{desk:?}");
        assert_eq!(desk.get("k").as_deref(), Some(&b"new"[..]));
    });
}

#[test]
fn a_touch_is_a_write() {
    each(|desk| {
        let flags = desk.flags();
        desk.raw("k", &format!("set {{}} {flags} 100 2\r\n41\r\n"));
        let before = hit(desk.look("k", Ask::Age)).into_version();
        assert!(desk.touch("k", MINUTE));
        let stale = Condition::Unchanged(before);
        assert!(!desk.store("k", b"7", &stale), "a load that began before gives no lifetime back");
        assert_eq!(left(desk.remaining("k")), Some(60));
        assert!(desk.raw("k", "mg {} f\r\n").starts_with(&format!("HD f{flags}")), "{desk:?}");
    });
}
