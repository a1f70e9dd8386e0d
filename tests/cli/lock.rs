//! Commands under a lock.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use crate::support::{MemcachedServer, RedisServer, ask_raw, eventually};
use crate::tool::{Tool, signal};

fn on_redis(server: &RedisServer) -> Tool {
    Tool::on(&format!("type: redis, redis_url: \"{}\"", server.url()))
}

/// A command that says `ready` once it has the lock, and runs until its standard input ends.
fn holder(tool: &Tool, options: &[&str], script: &str) -> (Child, BufReader<ChildStdout>) {
    let arguments: Vec<&str> =
        ["lock", "run", "job"].iter().chain(options).copied().chain(["--", "sh", "-c", script]).collect();
    let mut child = tool.command(&arguments).stdin(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    (child, out)
}

#[test]
fn a_command_under_a_lock_ends_with_its_own_code() {
    let (redis, memcached) = (RedisServer::start(), MemcachedServer::start());
    let on_memcached = Tool::on(&format!("type: memcached, memcached_servers: [\"{}\"]", memcached.url()));
    for tool in [on_redis(&redis), on_memcached, Tool::bare()] {
        let run = |script: &str| tool.run(&["lock", "run", "job", "--", "sh", "-c", script]);
        run("exit 0").ended(0);
        run("exit 7").ended(7);
        run("kill -KILL $$").ended(128 + 9);
        let fencing: u64 = run("echo $LEXIGRAM_LOCK_FENCING").ended(0).trim().parse().unwrap();
        assert!(fencing > 0);
        tool.run(&["lock", "run", "job", "--", "no-such-program"]).ended(127);
        tool.run(&["lock", "run", "job", "--", "/"]).ended(126);
    }
}

#[test]
fn a_lock_that_is_held_is_waited_for_as_long_as_asked() {
    let redis = RedisServer::start();
    let tool = on_redis(&redis);
    let (mut first, _out) = holder(&tool, &[], "echo ready; read x; exit 0");
    let second = ["lock", "run", "job", "--", "echo", "second"];
    assert_eq!(tool.run(&second).ended(101), "");
    let start = Instant::now();
    assert_eq!(tool.run(&["lock", "run", "job", "--wait", "300ms", "--", "true"]).code, 101);
    assert!(start.elapsed() >= Duration::from_millis(300));
    drop(first.stdin.take());
    tool.run(&["lock", "run", "job", "--wait", "20s", "--", "true"]).ended(0);
    assert_eq!(first.wait().unwrap().code(), Some(0));
}

#[test]
fn a_lock_that_cannot_be_asked_for_keeps_the_command_from_running() {
    let tool = Tool::on(&format!("type: redis, redis_port: {}", crate::support::closed_port()));
    assert_eq!(tool.run(&["lock", "run", "job", "--", "echo", "ran"]).ended(104), "");
}

#[test]
fn a_signal_reaches_the_command_and_the_lock_is_given_back_after_it() {
    let redis = RedisServer::start();
    let tool = on_redis(&redis);
    let script = "trap 'echo heard; exit 5' TERM; echo ready; while :; do sleep 0.05; done";
    let (mut child, mut out) = holder(&tool, &[], script);
    signal("TERM", child.id());
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!((rest.as_str(), child.wait().unwrap().code()), ("heard\n", Some(5)));
    tool.run(&["lock", "run", "job", "--", "true"]).ended(0);
}

#[test]
fn a_lock_that_is_lost_ends_the_command_or_is_told() {
    let redis = RedisServer::start();
    let tool = on_redis(&redis);
    let (mut child, _out) = holder(&tool, &["--ttl", "300ms"], "echo ready; exec sleep 60");
    ask_raw(redis.addr(), b"FLUSHALL\r\n");
    eventually("the command is ended", Duration::from_secs(10), || child.try_wait().unwrap().is_some());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains("was lost"), "{said}");
    assert_eq!(child.wait().unwrap().code(), Some(101));

    let (mut child, _out) =
        holder(&tool, &["--ttl", "300ms", "--keep-running"], "echo ready; read x; exit 3");
    ask_raw(redis.addr(), b"FLUSHALL\r\n");
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert!(line.contains("goes on"), "{line}");
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(3));
}
