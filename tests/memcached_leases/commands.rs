//! What a lease costs, as the relay sees it.

use std::time::Duration;

use lexigram_cache::{Ask, BackendHandle, Deadline, Lease, Lifetime, Lookup, Memcached, Prefix};

use crate::desk::MINUTE;
use crate::support::{Wire, memcached};

/// What was sent per round trip: without keys, numbers of requests and bodies, and without what a CAS or flags are.
fn sent(wire: &Wire) -> Vec<String> {
    let spelled = |bytes: Vec<u8>| {
        let text = String::from_utf8(bytes).unwrap();
        let commands =
            text.lines().filter(|line| ["mg", "ms", "md", "ma"].contains(&&line[..line.len().min(2)]));
        commands.map(short).collect::<Vec<_>>().join("; ")
    };
    wire.take().into_iter().map(|exchange| spelled(exchange.request)).collect()
}

fn short(command: &str) -> String {
    let mut words: Vec<&str> = command.split(' ').filter(|word| !word.starts_with(['O', 'J'])).collect();
    words.remove(1);
    let nameless =
        |word: &str| word.get(..if word.starts_with(['C', 'F']) { 1 } else { word.len() }).map(str::to_owned);
    words.into_iter().filter_map(nameless).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_lease_takes_the_commands_that_the_architecture_names() {
    for (side, clearable) in [false, true].into_iter().enumerate() {
        let wire = Wire::before(memcached().addr());
        let handle = Memcached::builder([wire.addr().to_string()]).clearable(clearable).build().unwrap();
        let backend = BackendHandle::from(handle).backend().unwrap();
        let prefix = Prefix::new(&format!("commands{side}"));
        let (key, soon) = (prefix.key("k").unwrap(), || Deadline::after(MINUTE));
        let lease = || -> Lease {
            match backend.lookup(&key, Ask::Lease(MINUTE), soon()).unwrap() {
                Lookup::Lease(lease) => lease,
                other => panic!("{other:?} is no lease"),
            }
        };
        let with_generation = |command: &str| match clearable {
            true => format!("{command}; ma v D0 N0"),
            false => command.to_owned(),
        };
        let look = with_generation("mg v f c t");
        let take = if clearable { vec![look.as_str(), "ms 0 ME c F T61"] } else { vec!["mg v f c t N61"] };

        // A new connection begins with a greeting.
        backend.ping(soon()).unwrap();
        wire.take();
        let held = lease();
        assert_eq!(sent(&wire), take, "a miss and a lease");
        assert!(backend.renew(&key, &held, MINUTE, soon()).unwrap());
        assert_eq!(sent(&wire), [look.as_str(), "ms 68 c F T61 C"], "holding on");
        backend.remove(&key, None, soon()).unwrap();
        wire.take();
        let held = lease();
        wire.take();
        backend.abandon(&key, &held, soon()).unwrap();
        assert_eq!(sent(&wire), [with_generation("md C")], "giving back");
        let held = lease();
        wire.take();
        let nine = Lifetime::For(Duration::from_secs(9));
        assert!(backend.fill(&key, &held, b"1", nine, soon()).unwrap());
        assert_eq!(sent(&wire), [with_generation("ms 1 F T9 C")], "a fill");
        backend.lookup(&key, Ask::Value, soon()).unwrap();
        assert_eq!(sent(&wire), [&*look], "a look");
        backend.lookup(&key, Ask::Lease(MINUTE), soon()).unwrap();
        assert_eq!(sent(&wire), [if clearable { &*look } else { take[0] }], "a hit");
    }
}
