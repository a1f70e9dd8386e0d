//! What every backend keeps of secrets.

use std::thread;
use std::time::Duration;

use lexigram_cache::{ErrorKind, KeyRing, Memory, Secret, SecretStore, StateStore, StoreBase, Ttl};

use crate::bench::{Kind, both, everywhere, only, secrets, state};

#[test]
fn a_secret_comes_back_as_it_was() {
    everywhere(|bench| {
        let vault = &bench.vault;
        assert!(secrets!(vault, s => s.get_secret("k")).unwrap().is_none());
        let binary: Vec<u8> = (0..=255).collect();
        for secret in [&b"hunter2"[..], b"", &binary, &vec![7; 200_000]] {
            secrets!(vault, s => s.set_secret("k", secret, Ttl::NEVER)).unwrap();
            let read = secrets!(vault, s => s.get_secret("k")).unwrap().unwrap();
            assert_eq!(read.expose(), secret);
        }
        assert!(secrets!(vault, s => s.has_secret("k")).unwrap());
        assert!(secrets!(vault, s => s.delete_secret("k")).unwrap());
        assert!(!secrets!(vault, s => s.delete_secret("k")).unwrap());
        assert!(!secrets!(vault, s => s.has_secret("k")).unwrap());
        assert!(secrets!(vault, s => s.get_secret("k")).unwrap().is_none());
    });
}

#[test]
fn a_secret_ends_with_its_lifetime() {
    everywhere(|bench| {
        let vault = &bench.vault;
        secrets!(vault, s => s.set_secret("short", "x", Duration::from_millis(300))).unwrap();
        secrets!(vault, s => s.set_secret("long", "x", Duration::from_secs(60))).unwrap();
        secrets!(vault, s => s.set_secret("kept", "x", Ttl::DEFAULT)).unwrap();
        // Memcached counts whole seconds, and one more.
        thread::sleep(Duration::from_millis(if bench.kind == Kind::Memcached { 2_100 } else { 400 }));
        assert!(secrets!(vault, s => s.get_secret("short")).unwrap().is_none());
        for name in ["long", "kept"] {
            assert!(secrets!(vault, s => s.get_secret(name)).unwrap().is_some());
        }
    });
}

#[test]
fn bad_input_is_refused_before_anything_is_written() {
    everywhere(|bench| {
        let vault = &bench.vault;
        let kind = |result: lexigram_cache::Result<()>| result.unwrap_err().kind();
        assert_eq!(kind(secrets!(vault, s => s.get_secret("")).map(drop)), ErrorKind::InvalidKey);
        assert_eq!(kind(secrets!(vault, s => s.set_secret("", "x", Ttl::NEVER))), ErrorKind::InvalidKey);
        assert_eq!(kind(secrets!(vault, s => s.delete_secret("")).map(drop)), ErrorKind::InvalidKey);
        assert_eq!(kind(secrets!(vault, s => s.has_secret("")).map(drop)), ErrorKind::InvalidKey);
        assert_eq!(kind(secrets!(vault, s => s.rewrap("")).map(drop)), ErrorKind::InvalidKey);
        assert_eq!(kind(secrets!(vault, s => s.set_secret("k", "x", Duration::ZERO))), ErrorKind::InvalidTtl);
        assert_eq!(kind(secrets!(vault, s => s.set_secret("k", "x", Duration::MAX))), ErrorKind::InvalidTtl);
        let large = vec![1; Secret::MAX_LEN + 1];
        assert_eq!(kind(secrets!(vault, s => s.set_secret("k", &large, Ttl::NEVER))), ErrorKind::TooLarge);
        if bench.kind == Kind::Memcached {
            let large = vec![1; Secret::MAX_LEN];
            assert_eq!(
                kind(secrets!(vault, s => s.set_secret("k", &large, Ttl::NEVER))),
                ErrorKind::TooLarge
            );
        }
        assert!(!secrets!(vault, s => s.has_secret("k")).unwrap());
    });
}

#[test]
fn a_timeout_of_zero_is_refused_where_the_store_is_made() {
    let base = || StoreBase::from(&Memory::default()).timeout(Duration::ZERO);
    assert_eq!(SecretStore::new(base(), both()).unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(StateStore::new(base()).unwrap_err().kind(), ErrorKind::Config);
}

#[test]
fn names_are_listed_as_they_were_given_and_no_others() {
    everywhere(|bench| {
        let vault = &bench.vault;
        if !bench.lists_keys() {
            let error = secrets!(vault, s => s.list_secrets()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            let error = secrets!(vault, s => s.rewrap_all()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            return;
        }
        assert!(secrets!(vault, s => s.list_secrets()).unwrap().is_empty());
        let mut names: Vec<String> =
            ["ключ", "a:b", "a*", "%3A", "\r\n", " ", "\0", "[x]"].map(Into::into).into();
        names.extend((0..300).map(|number| format!("n{number}")));
        for name in &names {
            secrets!(vault, s => s.set_secret(name, name, Ttl::NEVER)).unwrap();
        }
        let other = bench.beside(&format!("{}x", bench.namespace));
        secrets!(&other, s => s.set_secret("theirs", "x", Ttl::NEVER)).unwrap();
        state!(vault, s => s.set("state", &1, Ttl::NEVER)).unwrap();
        names.sort();
        assert_eq!(secrets!(vault, s => s.list_secrets()).unwrap(), names);
        for name in &names {
            let read = secrets!(vault, s => s.get_secret(name)).unwrap().unwrap();
            assert_eq!(read.expose_str(), Some(&**name));
        }
    });
}

#[test]
fn a_key_that_is_wrong_or_missing_is_an_error_and_no_miss() {
    everywhere(|bench| {
        let vault = bench.with(only("old"));
        secrets!(&vault, s => s.set_secret("k", "x", Ttl::NEVER)).unwrap();
        let impostor = KeyRing::new("old", &[3; 32]).unwrap();
        for ring in [only("new"), impostor] {
            let stranger = bench.with(ring);
            let error = secrets!(&stranger, s => s.get_secret("k")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
            assert!(secrets!(&stranger, s => s.has_secret("k")).unwrap());
        }
        assert!(secrets!(&bench.vault, s => s.get_secret("k")).unwrap().is_some());
    });
}
