use std::collections::HashSet;

use super::*;
use crate::key::Prefix;

const PLAIN: &[u8] = b"correct horse battery staple";

fn ring() -> KeyRing {
    KeyRing::new("new", &[2; 32]).unwrap().and("old", &[1; 32]).unwrap()
}

fn store(namespace: &str) -> Prefix {
    Prefix::of_store("secret", &Prefix::new(namespace))
}

fn sealed() -> Vec<u8> {
    seal(&ring(), &store("app").key("db").unwrap(), PLAIN).unwrap()
}

fn opens(ring: &KeyRing, prefix: &Prefix, name: &str, blob: &[u8]) -> bool {
    match open(ring, &prefix.key(name).unwrap(), blob) {
        Ok(secret) => secret == *PLAIN,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Decode);
            false
        }
    }
}

#[test]
fn what_was_sealed_opens_where_it_was_put_and_nowhere_else() {
    let blob = sealed();
    assert!(opens(&ring(), &store("app"), "db", &blob));
    assert!(!opens(&ring(), &store("app"), "dc", &blob));
    assert!(!opens(&ring(), &store("apd"), "b", &blob));
    assert!(!opens(&ring(), &store(""), "db", &blob));
    assert!(!opens(&ring(), &Prefix::of_store("state", &Prefix::new("app")), "db", &blob));
    // The same joined key in other parts.
    assert!(!opens(&ring(), &Prefix::default(), "lexigram%secret:app:db", &blob));
}

#[test]
fn any_key_of_the_ring_opens_and_the_first_seals() {
    let (both, new, old) =
        (ring(), KeyRing::new("new", &[2; 32]).unwrap(), KeyRing::new("old", &[1; 32]).unwrap());
    let of_old = seal(&old, &store("app").key("db").unwrap(), PLAIN).unwrap();
    assert!(opens(&both, &store("app"), "db", &of_old) && !is_under_first(&both, &of_old).unwrap());
    assert!(opens(&new, &store("app"), "db", &sealed()) && is_under_first(&both, &sealed()).unwrap());
    assert!(!opens(&new, &store("app"), "db", &of_old));
    assert!(!opens(&old, &store("app"), "db", &sealed()));
    let impostor = KeyRing::new("new", &[3; 32]).unwrap();
    assert!(!opens(&impostor, &store("app"), "db", &sealed()));
    // A key under another id is another key: the id is authenticated.
    let renamed = KeyRing::new("neu", &[2; 32]).unwrap();
    let mut blob = sealed();
    blob[6..9].copy_from_slice(b"neu");
    assert!(!opens(&renamed, &store("app"), "db", &blob));
}

/// Every bit of blobs of some 500 bits: magic, version, lengths, id, nonce, ciphertext and tag. Of 100 of them, since an
/// unoptimized cipher is slow; `SOAK_BLOBS=1000` is a long run.
#[test]
fn a_blob_with_any_bit_turned_is_refused() {
    let (ring, prefix) = (ring(), store("app"));
    let place = prefix.key("db").unwrap();
    let blobs = std::env::var("SOAK_BLOBS").ok().and_then(|number| number.parse().ok()).unwrap_or(100);
    let mut turned = 0;
    for number in 0..blobs {
        let mut blob = seal(&ring, &place, &PLAIN[..number % PLAIN.len()]).unwrap();
        for at in 0..blob.len() * 8 {
            blob[at / 8] ^= 1 << (at % 8);
            let refused = open(&ring, &place, &blob).err().map(|error| error.kind());
            assert_eq!(refused, Some(ErrorKind::Decode), "bit {at} of {blob:?}");
            blob[at / 8] ^= 1 << (at % 8);
            turned += 1;
        }
        assert!(open(&ring, &place, &blob).is_ok());
    }
    assert!(turned > 400 * blobs, "{turned}");
}

#[test]
fn a_blob_that_is_cut_or_longer_is_refused() {
    let blob = sealed();
    for length in 0..blob.len() {
        assert!(!opens(&ring(), &store("app"), "db", &blob[..length]), "{length} bytes of it");
    }
    assert!(!opens(&ring(), &store("app"), "db", &[&blob[..], &[0]].concat()));
    for strange in [&b""[..], b"null", b"\"text\"", b"17", &[0; 100], &[0xFD; 100], b"\xFDLGS\x01\xFF"] {
        assert!(!opens(&ring(), &store("app"), "db", strange), "{strange:?}");
    }
}

#[test]
#[cfg_attr(miri, ignore = "thousands of rounds")]
fn no_two_blobs_share_a_nonce_and_none_shows_its_text() {
    let blobs: Vec<Vec<u8>> = (0..1_000).map(|_| sealed()).collect();
    let nonces: HashSet<&[u8; 24]> = blobs.iter().map(|blob| parts(blob).unwrap().nonce).collect();
    assert_eq!(nonces.len(), 1_000);
    assert!(blobs.iter().all(|blob| !blob.windows(8).any(|window| window == &PLAIN[..8])));
}

#[test]
fn nothing_and_the_most_are_secrets_and_more_is_refused() {
    let prefix = store("");
    let place = prefix.key("k").unwrap();
    for length in [0, 1, Secret::MAX_LEN] {
        let blob = seal(&ring(), &place, &vec![7; length]).unwrap();
        assert_eq!(blob.len(), length + 49);
        assert_eq!(open(&ring(), &place, &blob).unwrap().expose(), vec![7; length]);
    }
    let error = seal(&ring(), &place, &vec![7; Secret::MAX_LEN + 1]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

#[test]
fn a_ring_that_makes_no_sense_is_refused_and_shows_no_key() {
    let key = [0x5A; 32];
    let hex = "5a".repeat(32);
    let base64 = "WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo=";
    let refused = [
        KeyRing::new("", &key),
        KeyRing::new(&hex, &key),
        KeyRing::new(base64, &key),
        KeyRing::new("a b", &key),
        KeyRing::new("a:b", &key),
        KeyRing::new("a", &key[1..]),
        KeyRing::new("a", &[&key[..], &[1]].concat()),
        KeyRing::new("a", &[]),
        KeyRing::new("a", &[0; 32]),
        KeyRing::new("a", &key).and_then(|ring| ring.and("a", &[1; 32])),
        KeyRing::new("a", &key).and_then(|ring| ring.and("b", &key[..16])),
        KeyRing::from_text(""),
        KeyRing::from_text(" , \n"),
        KeyRing::from_text(&hex),
        KeyRing::from_text(base64),
        KeyRing::from_text(&format!("{hex}:a")),
        KeyRing::from_text(&format!("a:{}", &hex[2..])),
        KeyRing::from_text(&format!("a:{hex} b:{}", "00".repeat(32))),
        KeyRing::from_text(&format!("a:{hex},a:{base64}")),
    ];
    for (at, ring) in refused.into_iter().enumerate() {
        let error = ring.expect_err(&format!("ring {at}"));
        assert_eq!(error.kind(), ErrorKind::Config);
        let told = format!("{error} {error:?} {error:#?}").to_lowercase();
        for shown in ["5a5a", "wlpa", "zzzz", "90, 90"] {
            assert!(!told.contains(shown), "ring {at}: {told}");
        }
    }
    let both = KeyRing::from_text(&format!("a:{hex}\nb:{base64}")).unwrap();
    assert_eq!((both.first().bytes(), both.find(b"b").unwrap().bytes()), (&key, &key));
    assert_eq!(
        format!("{both:?} {:?}", Secret::new(Zeroizing::new(key.to_vec()))),
        "KeyRing([\"a\", \"b\"]) Secret(..)"
    );
}

#[test]
fn secrets_compare_by_their_bytes() {
    let secret = |text: &str| Secret::new(Zeroizing::new(text.into()));
    assert!(secret("a") == secret("a") && secret("a") != secret("b") && secret("a") != secret("aa"));
    assert!(secret("a") == *"a" && secret("a") == *b"a".as_slice() && secret("") != *"a");
    assert_eq!((secret("ö").expose_str(), secret("ö").expose()), (Some("ö"), "ö".as_bytes()));
    assert_eq!(Secret::new(Zeroizing::new(vec![0xFF])).expose_str(), None);
}
