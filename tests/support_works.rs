//! The test support does what it says: a test that trusts a broken stand proves nothing.

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, io, thread};

use support::{MemcachedServer, Parent, Process, RedisServer, Wire, allocations, closed_port, eventually};

const PING: &[u8] = b"PING\r\n";
const VERSION: &[u8] = b"version\r\n";
const SOON: Duration = Duration::from_secs(5);
const MOMENT: Duration = Duration::from_millis(100);

#[test]
fn redis_stops_continues_dies_and_comes_back_empty() {
    let server = RedisServer::start();
    assert_eq!(server.url(), format!("redis://127.0.0.1:{}/0", server.port()));
    let mut client = dial(server.addr());
    assert_eq!(ask(&mut client, b"SET k v\r\n").unwrap(), "+OK\r\n");
    server.stop();
    assert_silent(&mut client, PING);
    server.cont();
    assert_eq!(read(&mut client).unwrap(), "+PONG\r\n");
    server.kill();
    assert!(!matches!(ask(&mut client, PING), Ok(answer) if !answer.is_empty()));
    assert!(TcpStream::connect(server.addr()).is_err(), "a killed server refuses");
    server.restart();
    assert_eq!(ask(&mut dial(server.addr()), b"GET k\r\n").unwrap(), "$-1\r\n");
}

#[test]
fn memcached_stops_continues_dies_and_comes_back_empty() {
    let server = MemcachedServer::start();
    let mut client = dial(server.addr());
    assert_eq!(ask(&mut client, b"set k 0 0 1\r\nv\r\n").unwrap(), "STORED\r\n");
    server.stop();
    assert_silent(&mut client, VERSION);
    server.cont();
    assert!(read(&mut client).unwrap().starts_with("VERSION 1."));
    server.kill();
    assert!(TcpStream::connect(server.addr()).is_err(), "a killed server refuses");
    server.restart();
    assert_eq!(ask(&mut dial(server.addr()), b"get k\r\n").unwrap(), "END\r\n");
}

#[test]
fn a_server_takes_further_arguments_and_keeps_them_over_a_restart() {
    let server = RedisServer::start_with(&["--maxclients", "5"]);
    server.restart();
    assert!(ask(&mut dial(server.addr()), b"CONFIG GET maxclients\r\n").unwrap().ends_with("$1\r\n5\r\n"));
    let server = MemcachedServer::start_with(&["-m", "32"]);
    assert!(
        ask(&mut dial(server.addr()), b"stats settings\r\n").unwrap().contains("STAT maxbytes 33554432\r\n")
    );
}

#[test]
fn a_server_that_is_dropped_while_it_is_stopped_is_gone() {
    let server = RedisServer::start();
    let addr = server.addr();
    server.stop();
    drop(server);
    assert!(TcpStream::connect(addr).is_err());
}

#[test]
fn the_shared_servers_are_the_same_each_time() {
    assert_eq!(support::redis().pid(), support::redis().pid());
    assert_eq!(support::memcached().port(), support::memcached().port());
}

#[test]
fn no_server_outlives_a_killed_test_process() {
    if env::var_os(VICTIM).is_some() {
        return be_the_victim();
    }
    let mut victim =
        run_again("no_server_outlives_a_killed_test_process", |command| command.env(VICTIM, "1"));
    let ports = ports_of(&mut victim);
    assert!(ports.iter().all(|port| is_open(*port)), "{ports:?}");
    victim.kill().unwrap();
    victim.wait().unwrap();
    eventually("the servers die with the process", SOON, || !ports.iter().any(|port| is_open(*port)));
}

#[test]
fn a_missing_program_is_a_failure_that_says_how_to_install_it() {
    if env::var_os(VICTIM).is_some() {
        return drop(RedisServer::start());
    }
    let name = "a_missing_program_is_a_failure_that_says_how_to_install_it";
    let victim = run_again(name, |command| command.env(VICTIM, "1").env("PATH", "/nowhere"));
    let output = victim.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(said.contains("redis-server is not installed: `sh tests/run.sh` installs it"), "{said}");
}

#[test]
fn no_process_of_a_test_outlives_the_one_that_started_it() {
    let test = "no_process_of_a_test_outlives_the_one_that_started_it";
    match Parent::find() {
        Some(parent) if parent.given() == "the last" => {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            parent.tell(&listener.local_addr().unwrap().port().to_string());
            parent.hear();
        }
        Some(parent) => {
            let mut last = Process::start(test, "the last");
            parent.tell(&last.hear());
            parent.hear();
        }
        None => {
            let mut middle = Process::start(test, "the middle");
            let port = middle.hear().parse().unwrap();
            assert!(is_open(port));
            middle.kill();
            eventually("the last one ends with the middle one", SOON, || !is_open(port));
        }
    }
}

#[test]
fn the_wire_counts_a_pipeline_once_and_shows_both_directions() {
    let wire = Wire::before(support::redis().addr());
    let mut client = dial(wire.addr());
    for piece in [&b"PING\r\nPI"[..], b"NG\r\n"] {
        client.write_all(piece).unwrap();
    }
    eventually("both answers", SOON, || read(&mut client).is_ok_and(|answer| answer.ends_with("PONG\r\n")));
    assert_eq!(ask(&mut client, PING).unwrap(), "+PONG\r\n");
    assert_eq!((wire.round_trips(), wire.connections(), wire.open_connections()), (2, 1, 1));
    assert_eq!(wire.requests(), PING.repeat(3));
    let exchanges = wire.take();
    assert_eq!(exchanges[0].reply, b"+PONG\r\n".repeat(2));
    assert_eq!((exchanges[1].connection, &exchanges[1].request[..]), (1, PING));
    assert_eq!((wire.round_trips(), wire.take()), (0, vec![]));
    drop(client);
    eventually("the relay lets go", SOON, || wire.open_connections() == 0);
}

#[test]
fn the_wire_delays_replies() {
    let wire = Wire::before(support::memcached().addr());
    let mut client = dial(wire.addr());
    ask(&mut client, VERSION).unwrap();
    wire.delay_replies(MOMENT / 2);
    let start = Instant::now();
    ask(&mut client, VERSION).unwrap();
    assert!(start.elapsed() >= MOMENT / 2, "{:?}", start.elapsed());
    wire.delay_replies(SOON);
    assert_silent(&mut client, VERSION);
    wire.delay_replies(Duration::ZERO);
    assert!(read(&mut client).unwrap().starts_with("VERSION"), "it arrives late");
}

#[test]
fn the_wire_cuts_one_reply_short() {
    let wire = Wire::before(support::redis().addr());
    let mut client = dial(wire.addr());
    ask(&mut client, PING).unwrap();
    wire.cut_after(3);
    assert_eq!(ask(&mut client, PING).unwrap(), "+PO");
    assert_eq!(read(&mut client).unwrap(), "", "and the connection is closed");
    assert_eq!(ask(&mut dial(wire.addr()), PING).unwrap(), "+PONG\r\n");
}

#[test]
fn the_wire_holds_everything_in_a_blackhole_and_delivers_it_late() {
    let wire = Wire::before(support::redis().addr());
    wire.blackhole(true);
    let mut client = dial(wire.addr());
    assert_silent(&mut client, PING);
    assert_eq!((wire.requests(), wire.round_trips()), (PING.to_vec(), 0));
    wire.blackhole(false);
    assert_eq!(read(&mut client).unwrap(), "+PONG\r\n");
}

#[test]
fn the_wire_delays_only_replies_and_requests_with_a_pattern() {
    let wire = Wire::before(support::redis().addr());
    let mut client = dial(wire.addr());
    wire.delay_replies_with("slow", MOMENT / 2);
    let took = |client: &mut TcpStream, request: &[u8]| {
        let start = Instant::now();
        ask(client, request).unwrap();
        start.elapsed()
    };
    assert!(took(&mut client, b"ECHO slow\r\n") >= MOMENT / 2);
    assert!(took(&mut client, PING) < MOMENT / 2);
    wire.delay_replies(Duration::ZERO);
    wire.delay_requests_with("PING", MOMENT / 2);
    assert!(took(&mut client, PING) >= MOMENT / 2);
    assert!(took(&mut client, b"ECHO slow\r\n") < MOMENT / 2);
}

#[test]
fn the_wire_resets_a_connection_at_a_byte_of_a_reply() {
    let wire = Wire::before(support::redis().addr());
    for bytes in 0..7 {
        let mut client = dial(wire.addr());
        wire.reset_after(bytes);
        client.write_all(PING).unwrap();
        let (answer, ended) = read_to_end(&mut client);
        assert_eq!(answer, "+PONG\r\n"[..bytes]);
        assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    }
    assert_eq!(ask(&mut dial(wire.addr()), PING).unwrap(), "+PONG\r\n");
}

#[test]
fn the_wire_turns_one_bit_of_a_reply() {
    let wire = Wire::before(support::redis().addr());
    let mut client = dial(wire.addr());
    wire.flip_bit_after(9, 0);
    assert_eq!(ask(&mut client, PING).unwrap(), "+PONG\r\n");
    assert_eq!(ask(&mut client, PING).unwrap(), "+PNNG\r\n");
    assert_eq!(ask(&mut client, PING).unwrap(), "+PONG\r\n");
}

#[test]
fn the_wire_puts_other_bytes_in_place_of_a_reply() {
    let wire = Wire::before(support::redis().addr());
    let mut client = dial(wire.addr());
    wire.replace_after(3, b"OL\r\n");
    assert_eq!(ask(&mut client, PING).unwrap(), "+POOL\r\n");
    assert_eq!(ask(&mut client, PING).unwrap(), "+PONG\r\n", "on the same connection");
    assert_eq!(wire.connections(), 1);
}

#[test]
fn the_wire_trickles_replies() {
    let wire = Wire::before(support::redis().addr());
    let mut client = dial(wire.addr());
    wire.trickle(3, MOMENT / 4);
    let start = Instant::now();
    assert_eq!(ask(&mut client, PING).unwrap(), "+PO");
    let mut rest = [0; 4];
    client.read_exact(&mut rest).unwrap();
    assert_eq!(&rest, b"NG\r\n");
    assert!(start.elapsed() >= MOMENT / 2, "{:?}", start.elapsed());
    wire.trickle(0, MOMENT);
    assert_eq!(ask(&mut client, PING).unwrap(), "+PONG\r\n");
}

#[test]
fn the_wire_answers_for_ever() {
    let wire = Wire::before(support::redis().addr());
    let mut client = dial(wire.addr());
    wire.endless_after(1, b"O", b"abc");
    client.write_all(PING).unwrap();
    let mut answer = vec![0; 1_000_000];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer[..8], b"+Oabcabc");
    drop(client);
    eventually("the relay lets go", SOON, || wire.open_connections() == 0);
    assert_eq!(ask(&mut dial(wire.addr()), PING).unwrap(), "+PONG\r\n");
}

#[test]
fn the_wire_refuses_new_connections_and_keeps_old_ones() {
    let wire = Wire::before(support::redis().addr());
    let mut old = dial(wire.addr());
    assert_eq!(ask(&mut old, PING).unwrap(), "+PONG\r\n");
    wire.refuse(true);
    let refused = TcpStream::connect(wire.addr()).and_then(|mut client| ask(&mut client, PING));
    assert!(refused.is_err(), "{refused:?}");
    assert_eq!(ask(&mut old, PING).unwrap(), "+PONG\r\n");
    wire.refuse(false);
    assert_eq!(ask(&mut dial(wire.addr()), PING).unwrap(), "+PONG\r\n");
}

#[test]
fn the_wire_swallows_a_request_and_what_follows_it() {
    let wire = Wire::before(support::redis().addr());
    let mut client = dial(wire.addr());
    wire.swallow_next();
    assert_silent(&mut client, b"SET swallowed v\r\n");
    assert_silent(&mut client, PING);
    assert_eq!(ask(&mut dial(wire.addr()), b"EXISTS swallowed\r\n").unwrap(), ":0\r\n");
    drop(client);
    eventually("the relay lets go", SOON, || wire.open_connections() == 0);
}

#[test]
fn a_dropped_wire_closes_its_connections_at_once() {
    let wire = Wire::before(support::redis().addr());
    let mut client = dial(wire.addr());
    wire.delay_replies(Duration::from_secs(60));
    client.write_all(PING).unwrap();
    eventually("the request arrives", SOON, || !wire.requests().is_empty());
    let start = Instant::now();
    drop(wire);
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    while read(&mut client).is_ok_and(|rest| !rest.is_empty()) {}
}

#[test]
fn a_closed_port_refuses_at_once() {
    let start = Instant::now();
    assert!(!is_open(closed_port()));
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[test]
fn allocations_of_this_thread_are_counted_and_no_others() {
    let mut kept = Vec::new();
    assert_eq!(allocations(|| kept.extend_from_slice(b"one")), 1);
    assert_eq!(allocations(|| assert_eq!(kept.len(), 3)), 0);
    let other = thread::spawn(|| vec![0; 1000].len());
    assert_eq!(allocations(|| eventually("it ends", SOON, || other.is_finished())), 0);
    assert_eq!(other.join().unwrap(), 1000);
}

const VICTIM: &str = "LEXIGRAM_TEST_VICTIM";

/// This test alone, in a process of its own.
fn run_again(name: &str, prepare: impl FnOnce(&mut Command) -> &mut Command) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", name, "--nocapture"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    prepare(&mut command).spawn().unwrap()
}

fn be_the_victim() {
    let (redis, memcached) = (RedisServer::start(), MemcachedServer::start());
    println!("\nports {} {}", redis.port(), memcached.port());
    let _ = io::stdin().read(&mut [0]);
}

fn ports_of(victim: &mut Child) -> Vec<u16> {
    let lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    let line = lines.map_while(Result::ok).find(|line| line.starts_with("ports ")).unwrap();
    line.split(' ').skip(1).map(|port| port.parse().unwrap()).collect()
}

fn is_open(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

fn dial(addr: SocketAddr) -> TcpStream {
    let client = TcpStream::connect(addr).unwrap();
    client.set_read_timeout(Some(SOON)).unwrap();
    client
}

fn assert_silent(client: &mut TcpStream, request: &[u8]) {
    client.set_read_timeout(Some(MOMENT)).unwrap();
    let answer = ask(client, request);
    assert!(answer.is_err(), "no answer is expected, and this came: {answer:?}");
    client.set_read_timeout(Some(SOON)).unwrap();
}

fn ask(client: &mut TcpStream, request: &[u8]) -> io::Result<String> {
    client.write_all(request)?;
    read(client)
}

/// All that comes until the connection ends, and how it does.
fn read_to_end(client: &mut TcpStream) -> (String, io::Result<usize>) {
    let mut answer = Vec::new();
    let ended = client.read_to_end(&mut answer);
    (String::from_utf8_lossy(&answer).into_owned(), ended)
}

fn read(client: &mut TcpStream) -> io::Result<String> {
    let mut answer = [0; 8192];
    let read = client.read(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer[..read]).into_owned())
}
