//! What a store takes over from the cache that it is made on.

use lexigram_cache::{
    Cache, Caches, Compression, ErrorKind, Format, Redis, SecretStore, StateStore, StoreBase, Ttl, aio,
};

use crate::bench::{Bench, Kind, both, joined, new_namespace};
use crate::support::redis;

#[test]
fn state_is_written_in_the_format_of_its_cache_and_secrets_in_none() {
    let handle = Redis::builder(redis().url()).build().unwrap();
    let [bench, _] = Bench::on(Kind::Redis, &handle);
    let namespace = new_namespace();
    let builder = Cache::builder().backend(handle.clone()).prefix(&namespace);
    let packed = builder.format(Format::Postcard).compression(Compression::default()).build().unwrap();
    let text = "long ".repeat(2_000);
    let (state, secrets) = (StateStore::new(&packed).unwrap(), SecretStore::new(&packed, both()).unwrap());
    state.set("k", &text, Ttl::NEVER).unwrap();
    secrets.set_secret("k", &text, Ttl::NEVER).unwrap();
    assert_eq!(state.get::<String>("k").unwrap().as_ref(), Some(&text));
    assert_eq!(secrets.get_secret("k").unwrap().unwrap().expose_str(), Some(&*text));
    let stored = |kind| bench.read_at(&joined(kind, &namespace, "k")).unwrap().len();
    assert!(stored("state") < 1_000, "compressed: {} bytes", stored("state"));
    assert_eq!(stored("secret"), text.len() + 49, "never compressed: its length would tell of its content");
    let plain = StateStore::new(StoreBase::from(&handle).namespace(&namespace)).unwrap();
    assert_eq!(plain.get::<u64>("k").unwrap_err().kind(), ErrorKind::Decode);
}

/// It would take everything and keep nothing.
#[test]
fn no_store_is_made_on_a_cache_that_is_switched_off() {
    let yaml = "enabled: false\nbackends:\n  - {name: a, type: memory}\n";
    let off = Caches::from_yaml_str(yaml).unwrap().default();
    let off_in_tasks = aio::Caches::from_yaml_str(yaml).unwrap().default();
    let refused = [
        StateStore::new(&off).map(drop),
        SecretStore::new(&off, both()).map(drop),
        aio::StateStore::new(&off_in_tasks).map(drop),
    ];
    for result in refused {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Unsupported);
    }
}
