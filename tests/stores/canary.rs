//! The plaintext is found nowhere but in the hands of who asked for it.

use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::{env, fs, process};

use lexigram_cache::{
    Cache, ErrorKind, KeyRing, Memcached, Memory, Redis, Result, SecretStore, StateStore, StoreBase, Ttl,
};

use crate::bench::{Bench, Kind, both, joined, secrets};
use crate::support::{MemcachedServer, RedisServer, ask_raw, closed_port};

const CANARY: &str = "S3CR3T-7f2a-of-a-secret";

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Keeps what is written in files of its own, uncompressed.
struct Kept {
    folder: PathBuf,
    server: RedisServer,
}

impl Kept {
    fn start() -> Kept {
        let folder = env::temp_dir().join(format!("lexigram-cache-kept-{}", process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let path = folder.display().to_string();
        let server = RedisServer::start_with(&[
            "--dir",
            &path,
            "--appendonly",
            "yes",
            "--appendfsync",
            "always",
            "--rdbcompression",
            "no",
        ]);
        Kept { folder, server }
    }

    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        fn collect(folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => collect(&path, files),
                    false => files.push((path.clone(), fs::read(&path).unwrap())),
                }
            }
        }
        let mut files = Vec::new();
        collect(&self.folder, &mut files);
        files
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.server.kill();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn the_plaintext_is_in_no_file_and_no_dump_of_the_server() {
    let kept = Kept::start();
    let redis = Redis::builder(kept.server.url()).build().unwrap();
    for bench in Bench::on(Kind::Redis, &redis) {
        for name in ["a", "b"] {
            secrets!(&bench.vault, s => s.set_secret(name, CANARY, Ttl::NEVER)).unwrap();
        }
        secrets!(&bench.with(KeyRing::new("x", &[9; 32]).unwrap().and("new", &[2; 32]).unwrap()), s => s.rewrap("a")).unwrap();
        assert_eq!(ask_raw(kept.server.addr(), b"SAVE\r\n"), "+OK\r\n");
        // What is kept as it is shows that the search finds what is there.
        let open = StateStore::new(StoreBase::from(&redis).namespace(&bench.namespace)).unwrap();
        open.set("seen", "in-the-clear", Ttl::NEVER).unwrap();
        let files = kept.files();
        assert!(files.iter().any(|(_, bytes)| holds(bytes, "in-the-clear")), "the append-only file is read");
        assert!(files.iter().any(|(path, bytes)| path.ends_with("dump.rdb")
            && holds(bytes, &joined("secret", &bench.namespace, "a"))));
        for (path, bytes) in &files {
            assert!(!holds(bytes, CANARY), "{}", path.display());
        }
        let dump = ask_raw(
            kept.server.addr(),
            format!("DUMP {}\r\n", joined("secret", &bench.namespace, "b")).as_bytes(),
        );
        assert!(dump.len() > 60 && dump.contains("LGS") && !dump.contains(CANARY), "{dump}");
        let blob = bench.read("secret", "b").unwrap();
        assert!(!holds(&blob, CANARY) && !holds(&blob, &CANARY[..8]));
    }
}

#[test]
fn on_memory_and_memcached_it_is_kept_sealed_too() {
    let memcached = MemcachedServer::start();
    let memcached = Memcached::builder([memcached.url()]).build().unwrap();
    let memory = Bench::on(Kind::Memory, &Memory::default());
    for bench in memory.into_iter().chain(Bench::on(Kind::Memcached, &memcached)) {
        secrets!(&bench.vault, s => s.set_secret("k", CANARY, Ttl::NEVER)).unwrap();
        let blob = bench.read("secret", "k").unwrap();
        assert!(holds(&blob, "LGS") && !holds(&blob, &CANARY[..8]));
    }
}

/// Every verb, on stores where none can succeed, in all forms in which its error can be printed.
#[test]
fn it_is_in_no_error_and_no_debug() {
    let nobody = format!("redis://127.0.0.1:{}/0", closed_port());
    let away = Redis::builder(nobody).breaker(None).build().unwrap();
    let poor = RedisServer::start_with(&["--maxmemory", "1"]);
    let poor = Redis::builder(poor.url()).build().unwrap();
    let key: [u8; 32] =
        CANARY.as_bytes().iter().copied().cycle().take(32).collect::<Vec<_>>().try_into().unwrap();
    let ring = || KeyRing::new("id", &key).unwrap();
    let mut told = vec![format!("{:?} {:#?}", ring(), ring())];
    let mut kinds = Vec::new();
    let mut tell = |result: Result<()>| {
        let error = result.unwrap_err();
        kinds.push(error.kind());
        told.push(format!("{error} {error:?} {error:#?}"));
        let mut cause = error.source();
        while let Some(error) = cause {
            told.push(format!("{error} {error:?}"));
            cause = error.source();
        }
    };
    for redis in [&away, &poor] {
        let store = SecretStore::new(redis, ring()).unwrap();
        tell(store.set_secret(CANARY, CANARY, Ttl::NEVER));
    }
    let store = SecretStore::new(&away, ring()).unwrap();
    tell(store.get_secret(CANARY).map(drop));
    tell(store.delete_secret(CANARY).map(drop));
    tell(store.has_secret(CANARY).map(drop));
    tell(store.list_secrets().map(drop));
    tell(store.rewrap(CANARY).map(drop));
    tell(store.rewrap_all().map(drop));
    tell(KeyRing::new(CANARY, &key[1..]).map(drop));
    tell(KeyRing::new(format!("{CANARY}!"), &key).map(drop));
    tell(KeyRing::from_text(&format!("{CANARY}:{CANARY}")).map(drop));
    let memory = Memory::default();
    let cache = Cache::builder().backend(memory.clone()).build().unwrap();
    let store = SecretStore::new(&memory, ring()).unwrap();
    cache.set(joined("secret", "", CANARY), &CANARY.as_bytes().to_vec(), Ttl::NEVER).unwrap();
    tell(store.get_secret(CANARY).map(drop));
    tell(store.rewrap_all().map(drop));
    tell(store.set_secret("k", vec![b'x'; 2 << 20], Ttl::NEVER));
    store.set_secret("k", CANARY, Ttl::NEVER).unwrap();
    tell(SecretStore::new(&memory, both()).unwrap().get_secret("k").map(drop));
    let secret = store.get_secret("k").unwrap();
    assert_eq!(secret.as_ref().unwrap().expose_str(), Some(CANARY));
    told.push(format!("{secret:?} {secret:#?} {store:?} {store:#?}"));
    told.iter().for_each(|text| assert!(!text.contains(CANARY), "{text}"));
    for kind in [
        ErrorKind::Unavailable,
        ErrorKind::Refused,
        ErrorKind::Decode,
        ErrorKind::Config,
        ErrorKind::TooLarge,
    ] {
        assert!(kinds.contains(&kind), "no {kind:?} among {kinds:?}");
    }
}
