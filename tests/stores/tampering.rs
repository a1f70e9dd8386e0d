//! Who can write to the server can neither read nor forge a secret.

use lexigram_cache::{ErrorKind, Ttl};

use crate::bench::{Bench, Vault, everywhere, joined, secrets, state};

fn refused(vault: &Vault, name: &str, what: &str) {
    match secrets!(vault, s => s.get_secret(name)) {
        Err(error) => assert_eq!(error.kind(), ErrorKind::Decode, "{what}: {error}"),
        Ok(secret) => panic!("{what}: {secret:?}"),
    }
}

fn sealed(bench: &Bench, name: &str, secret: &str) -> Vec<u8> {
    secrets!(&bench.vault, s => s.set_secret(name, secret, Ttl::NEVER)).unwrap();
    bench.read("secret", name).unwrap()
}

/// All bits of some blobs, on the server itself. `seal/tests.rs` does the same for 1,000 blobs without one.
#[test]
fn a_stored_secret_with_any_bit_turned_is_refused() {
    everywhere(|bench| {
        for number in 0..2 {
            let (name, secret) = (format!("k{number}"), format!("hunter{number}"));
            let blob = sealed(bench, &name, &secret);
            for bit in 0..blob.len() * 8 {
                let mut turned = blob.clone();
                turned[bit / 8] ^= 1 << (bit % 8);
                bench.write("secret", &name, &turned);
                refused(&bench.vault, &name, "a bit was turned");
            }
            bench.write("secret", &name, &blob);
            let read = secrets!(&bench.vault, s => s.get_secret(&name)).unwrap().unwrap();
            assert_eq!(read.expose_str(), Some(&*secret));
        }
    });
}

#[test]
fn a_secret_that_was_put_under_another_name_or_namespace_is_refused() {
    everywhere(|bench| {
        let (one, two) = (sealed(bench, "one", "1"), sealed(bench, "two", "2"));
        bench.write("secret", "one", &two);
        bench.write("secret", "two", &one);
        refused(&bench.vault, "one", "the other name's");
        refused(&bench.vault, "two", "the other name's");
        let neighbour = format!("{}x", bench.namespace);
        bench.write_at(&joined("secret", &neighbour, "one"), &one);
        refused(&bench.beside(&neighbour), "one", "the other namespace's");
        // Where they belong they open still: an older one too, which the documentation says.
        bench.write("secret", "one", &one);
        assert_eq!(
            secrets!(&bench.vault, s => s.get_secret("one")).unwrap().unwrap().expose_str(),
            Some("1")
        );
    });
}

#[test]
fn what_is_no_secret_is_refused_as_one_and_a_secret_as_state() {
    everywhere(|bench| {
        let blob = sealed(bench, "k", "hunter2");
        for (at, strange) in
            [&b"\"text\""[..], b"17", b"null", b"{}", &blob[..40], &[0; 64]].into_iter().enumerate()
        {
            let name = format!("strange{at}");
            bench.write("secret", &name, strange);
            refused(&bench.vault, &name, "made up");
            assert!(secrets!(&bench.vault, s => s.delete_secret(&name)).unwrap());
        }
        bench.write("state", "k", &blob);
        let error = state!(&bench.vault, s => s.get::<String>("k")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert!(!error.to_string().contains("hunter2"));
    });
}

#[test]
fn the_bytes_of_state_are_refused_as_a_secret() {
    everywhere(|bench| {
        state!(&bench.vault, s => s.set("k", "text", Ttl::NEVER)).unwrap();
        // On memory state is an object, which has no bytes.
        let stored = if bench.kind == crate::bench::Kind::Memory { None } else { bench.read("state", "k") };
        bench.write("secret", "k", &stored.unwrap_or_else(|| b"\"text\"".to_vec()));
        refused(&bench.vault, "k", "state");
    });
}
