//! From an old key to a new one, with nothing lost.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use lexigram_cache::{ErrorKind, Remaining, Ttl};

use crate::bench::{Bench, Over, Vault, everywhere, joined, only, secrets};

const SECRETS: usize = 60;

fn names() -> Vec<String> {
    (0..SECRETS).map(|number| format!("k{number}")).collect()
}

/// All of them, by name where there is no list.
fn rewrap(bench: &Bench, vault: &Vault) -> u64 {
    if bench.lists_keys() {
        return secrets!(vault, s => s.rewrap_all()).unwrap();
    }
    names().iter().map(|name| u64::from(secrets!(vault, s => s.rewrap(name)).unwrap())).sum()
}

fn read(vault: &Vault, name: &str) -> Option<String> {
    let secret = secrets!(vault, s => s.get_secret(name)).unwrap()?;
    Some(secret.expose_str().unwrap().to_owned())
}

#[test]
fn after_a_rotation_the_old_key_is_needed_no_more() {
    everywhere(|bench| {
        let (old, new) = (bench.with(only("old")), bench.with(only("new")));
        for name in names() {
            secrets!(&old, s => s.set_secret(&name, &name, Ttl::NEVER)).unwrap();
        }
        secrets!(&bench.vault, s => s.set_secret("k0", "k0", Ttl::NEVER)).unwrap();
        names().iter().for_each(|name| assert_eq!(read(&bench.vault, name).as_ref(), Some(name)));
        assert!(secrets!(&new, s => s.get_secret("k1")).is_err());
        assert_eq!(rewrap(bench, &bench.vault), SECRETS as u64 - 1);
        names().iter().for_each(|name| assert_eq!(read(&new, name).as_ref(), Some(name)));
        assert_eq!(rewrap(bench, &bench.vault), 0);
        assert!(!secrets!(&bench.vault, s => s.rewrap("nothing")).unwrap());
        assert!(!secrets!(&bench.vault, s => s.has_secret("nothing")).unwrap());
    });
}

#[test]
fn a_secret_that_is_sealed_anew_keeps_its_lifetime() {
    everywhere(|bench| {
        let old = bench.with(only("old"));
        secrets!(&old, s => s.set_secret("hour", "x", Duration::from_secs(3_600))).unwrap();
        secrets!(&old, s => s.set_secret("ever", "x", Ttl::NEVER)).unwrap();
        for name in ["hour", "ever"] {
            assert!(secrets!(&bench.vault, s => s.rewrap(name)).unwrap());
        }
        // Told by a cache that sees the backend's keys as they are.
        let left = |name| bench.remaining(&joined("secret", &bench.namespace, name));
        let hour = match left("hour") {
            Some(Remaining::For(left)) => left,
            other => panic!("{other:?}"),
        };
        assert!(hour > Duration::from_secs(3_500) && hour <= Duration::from_secs(3_601), "{hour:?}");
        assert_eq!(left("ever"), Some(Remaining::Never));
    });
}

/// Each writer counts its own secret up, some still by the old key, while the rotation goes on.
#[test]
fn a_rotation_loses_nothing_of_those_who_write_meanwhile() {
    everywhere(|bench| {
        let old = bench.with(only("old"));
        for name in names() {
            secrets!(&old, s => s.set_secret(&name, "0", Ttl::NEVER)).unwrap();
        }
        let ended = AtomicBool::new(false);
        let written: Vec<u32> = thread::scope(|scope| {
            let write = |writer: usize| {
                let (name, vault) = (format!("k{writer}"), if writer < 2 { &old } else { &bench.vault });
                let mut count = 0;
                while !ended.load(Ordering::Relaxed) {
                    count += 1;
                    secrets!(vault, s => s.set_secret(&name, count.to_string(), Ttl::NEVER)).unwrap();
                    // The last that was written is there, by whichever key.
                    assert_eq!(read(&bench.vault, &name), Some(count.to_string()));
                }
                count
            };
            let writers: Vec<_> = (0..4).map(|writer| scope.spawn(move || write(writer))).collect();
            let over = Over(&ended);
            let anew: u64 = (0..10).map(|_| rewrap(bench, &bench.vault)).sum();
            assert!(anew >= SECRETS as u64 - 4, "{anew}");
            drop(over);
            writers.into_iter().map(|writer| writer.join().unwrap()).collect()
        });
        rewrap(bench, &bench.vault);
        let new = bench.with(only("new"));
        for (number, name) in names().iter().enumerate() {
            let last = written.get(number).copied().unwrap_or(0);
            assert_eq!(read(&new, name), Some(last.to_string()), "{name}");
        }
    });
}

#[test]
fn one_that_does_not_open_keeps_no_other_from_being_sealed_anew() {
    everywhere(|bench| {
        if !bench.lists_keys() {
            return;
        }
        let old = bench.with(only("old"));
        for name in names() {
            secrets!(&old, s => s.set_secret(&name, &name, Ttl::NEVER)).unwrap();
        }
        bench.write("secret", "k7", b"\"no secret\"");
        let error = secrets!(&bench.vault, s => s.rewrap_all()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        let new = bench.with(only("new"));
        for name in names().iter().filter(|name| *name != "k7") {
            assert_eq!(read(&new, name).as_ref(), Some(name));
        }
    });
}
