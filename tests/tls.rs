//! rediss:// against a real server, with right and wrong certificates, for threads and for tasks.
#![cfg(all(feature = "redis", feature = "async-tls"))]

#[path = "tls/authority.rs"]
mod authority;
mod support;

use std::time::{Duration, Instant};

use authority::{Authority, Leaf};
use lexigram_cache::{Cache, ErrorKind, Redis, RedisBuilder, Result, Ttl, aio};
use support::{Program, RedisServer, Sentinel, Server, ask_raw};

/// A server that speaks only TLS, with a certificate for 127.0.0.1 and localhost unless told otherwise.
struct Secured<Program = support::Redis> {
    server: Server<Program>,
    files: Authority,
}

impl<P: Program> Secured<P> {
    fn start(leaf: Leaf, clients: &str) -> Secured<P> {
        Secured::start_with(leaf, clients, &[])
    }

    /// With further arguments on the server's command line.
    fn start_with(leaf: Leaf, clients: &str, extra: &[&str]) -> Secured<P> {
        let files = Authority::new();
        let (chain, key) = files.certificate(leaf);
        let tls_port = support::closed_port();
        let args = [
            ("--tls-port", tls_port.to_string()),
            ("--tls-cert-file", chain),
            ("--tls-key-file", key),
            ("--tls-ca-cert-file", files.ca_file()),
            ("--tls-auth-clients", clients.to_owned()),
        ];
        let args = args.iter().flat_map(|(name, value)| [*name, value.as_str()]);
        let args: Vec<&str> = args.chain(extra.iter().copied()).collect();
        let server = Server::start_with(&args);
        Secured { server, files: files.on(tls_port) }
    }

    fn redis(&self) -> RedisBuilder {
        Redis::builder(format!("rediss://:S3CR3T-7f2a@127.0.0.1:{}/0", self.files.port()))
    }
}

/// A round trip by a thread and by a task; the first error of either.
fn round_trip(redis: Redis) -> Result<()> {
    let cache = Cache::builder().backend(redis.clone()).prefix("threads").build()?;
    cache.set("k", "v", Ttl::NEVER)?;
    assert_eq!(cache.get::<String>("k")?.as_deref(), Some("v"));
    let large = "x".repeat(300_000);
    cache.set("large", &large, Ttl::NEVER)?;
    assert_eq!(cache.get::<String>("large")?, Some(large));
    assert_eq!(tasks(redis)?.as_deref(), Some("v"));
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn tasks(redis: Redis) -> Result<Option<String>> {
    let cache = aio::Cache::builder().backend(redis).prefix("tasks").build()?;
    cache.set("k", "v", Ttl::NEVER).await?;
    cache.get("k").await
}

fn threads(redis: Redis) -> Result<Option<String>> {
    Cache::builder().backend(redis).build()?.get("k")
}

/// Both worlds refuse, in time, as a configuration that is wrong, and without a secret in the text or a command on
/// the way.
fn refuses(server: &RedisServer, redis: &Redis) {
    for ask in [threads, tasks] {
        let start = Instant::now();
        let error = ask(redis.clone()).unwrap_err();
        println!("{:?}: {error}", start.elapsed());
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        assert_eq!(error.kind(), ErrorKind::Misconfigured, "{error}");
        assert!(!format!("{error} {error:?}").contains("S3CR3T"));
    }
    let commands = ask_raw(server.addr(), b"INFO commandstats\r\n");
    assert!(commands.contains("cmdstat_info") && !commands.contains("cmdstat_auth"), "{commands}");
}

#[test]
fn a_server_of_our_own_authority_is_trusted() {
    let secured: Secured = Secured::start(Leaf::Good, "no");
    let url = format!("rediss://127.0.0.1:{}/0", secured.files.port());
    round_trip(Redis::builder(url).ca_file(secured.files.ca_file()).build().unwrap()).unwrap();
}

#[test]
fn a_server_that_asks_who_we_are_is_told() {
    let secured: Secured = Secured::start(Leaf::Good, "yes");
    let (chain, key) = secured.files.certificate(Leaf::Good);
    let url = format!("rediss://127.0.0.1:{}/0", secured.files.port());
    let builder = Redis::builder(url).ca_file(secured.files.ca_file());
    round_trip(builder.clone().client_certificate(chain, key).build().unwrap()).unwrap();
    assert!(round_trip(builder.build().unwrap()).is_err(), "a stranger was let in");
}

#[test]
fn a_certificate_of_another_authority_host_or_time_is_refused() {
    let stranger = Authority::new();
    let good: Secured = Secured::start(Leaf::Good, "no");
    refuses(&good.server, &good.redis().ca_file(stranger.ca_file()).build().unwrap());
    refuses(&good.server, &good.redis().build().unwrap());
    for leaf in [Leaf::OtherHost, Leaf::Expired] {
        let secured: Secured = Secured::start(leaf, "no");
        refuses(&secured.server, &secured.redis().ca_file(secured.files.ca_file()).build().unwrap());
    }
}

#[test]
fn any_certificate_does_where_that_was_asked_for() {
    let secured: Secured = Secured::start(Leaf::Expired, "no");
    let url = format!("rediss://127.0.0.1:{}/0", secured.files.port());
    round_trip(Redis::builder(url).danger_accept_invalid_certs(true).build().unwrap()).unwrap();
}

#[test]
fn a_server_that_speaks_no_newer_tls_than_1_2_is_judged_by_the_same_rules() {
    let old = ["--tls-protocols", "TLSv1.2"];
    let secured: Secured = Secured::start_with(Leaf::Good, "no", &old);
    let url = format!("rediss://127.0.0.1:{}/0", secured.files.port());
    round_trip(Redis::builder(&url).ca_file(secured.files.ca_file()).build().unwrap()).unwrap();
    round_trip(Redis::builder(url).danger_accept_invalid_certs(true).build().unwrap()).unwrap();
    let expired: Secured = Secured::start_with(Leaf::Expired, "no", &old);
    refuses(&expired.server, &expired.redis().ca_file(expired.files.ca_file()).build().unwrap());
}

#[test]
fn a_plain_server_is_told_no_password() {
    let server = RedisServer::start();
    let wire = support::Wire::before(server.addr());
    let redis = Redis::builder(format!("rediss://:S3CR3T-7f2a@{}/0", wire.addr())).build().unwrap();
    for ask in [threads, tasks] {
        let start = Instant::now();
        let error = ask(redis.clone()).unwrap_err();
        println!("{:?}: {error}", start.elapsed());
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    }
    let sent = wire.requests();
    assert!(
        !sent.windows(4).any(|bytes| bytes == b"AUTH" || bytes == b"S3CR"),
        "the password left unencrypted"
    );
}

#[test]
fn a_plain_client_on_a_tls_port_is_told_in_time() {
    let secured: Secured = Secured::start(Leaf::Good, "no");
    let redis = Redis::builder(format!("redis://127.0.0.1:{}/0", secured.files.port())).build().unwrap();
    for ask in [threads, tasks] {
        let start = Instant::now();
        let error = ask(redis.clone()).unwrap_err();
        println!("{:?}: {error}", start.elapsed());
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    }
}

#[test]
fn a_connection_that_ends_during_the_handshake_is_unavailable_and_no_misconfiguration() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || listener.incoming().for_each(drop));
    let redis = Redis::builder(format!("rediss://127.0.0.1:{port}")).breaker(None).build().unwrap();
    for ask in [threads, tasks] {
        let error = ask(redis.clone()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    }
}

#[test]
fn a_file_that_is_no_certificate_is_named_when_the_backend_is_built() {
    let builder = Redis::builder("rediss://localhost");
    for file in ["/no/such/file.pem", "Cargo.toml"] {
        let error = builder.clone().ca_file(file).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(file), "{error}");
    }
}

#[test]
fn certificates_without_tls_are_refused() {
    let error = Redis::builder("redis://localhost").ca_file("Cargo.toml").build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("rediss://"), "{error}");
}

/// The node, asked by TLS, names its other port, and no host, since it has met nobody: it is the one that was asked.
#[cfg(feature = "cluster")]
#[test]
fn every_node_of_a_cluster_is_reached_by_tls() {
    // By itself it would be one that outgoing connections are given, and may be taken.
    let bus = support::closed_port().to_string();
    let cluster = ["--cluster-enabled", "yes", "--tls-cluster", "yes", "--cluster-port", &bus];
    let secured: Secured = Secured::start_with(Leaf::Good, "no", &cluster);
    let ask = |command: &[u8]| ask_raw(secured.server.addr(), command);
    assert_eq!(ask(b"CLUSTER ADDSLOTSRANGE 0 16383\r\n"), "+OK\r\n");
    support::eventually("the cluster is up", Duration::from_secs(10), || {
        ask(b"CLUSTER INFO\r\n").contains("cluster_state:ok")
    });
    let url = format!("rediss://localhost:{}", secured.files.port());
    let redis = Redis::builder(url).cluster([""; 0]).ca_file(secured.files.ca_file()).build().unwrap();
    round_trip(redis).unwrap();
    assert!(!ask(b"CLIENT LIST\r\n").contains("name=lexigram-cache"), "nobody came by the other port");
}

#[test]
fn sentinels_and_their_master_are_reached_by_tls() {
    let master: Secured = Secured::start(Leaf::Good, "no");
    let sentinel: Secured<Sentinel> = Secured::start(Leaf::Good, "no");
    let watch = format!("SENTINEL MONITOR mymaster 127.0.0.1 {} 1\r\n", master.files.port());
    assert_eq!(ask_raw(sentinel.server.addr(), watch.as_bytes()), "+OK\r\n");
    let url = format!("rediss://127.0.0.1:{}", sentinel.files.port());
    let builder = || Redis::builder(&url).sentinel("mymaster", [""; 0]);
    // Each has an authority of its own here.
    refuses(&master.server, &builder().ca_file(master.files.ca_file()).build().unwrap());
    refuses(&master.server, &builder().ca_file(sentinel.files.ca_file()).build().unwrap());
    let [one, other] =
        [master.files.ca_file(), sentinel.files.ca_file()].map(|file| std::fs::read_to_string(file).unwrap());
    std::fs::write(sentinel.files.ca_file(), one + &other).unwrap();
    round_trip(builder().ca_file(sentinel.files.ca_file()).build().unwrap()).unwrap();
}
