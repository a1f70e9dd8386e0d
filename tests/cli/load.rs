//! `warm`: many lines, some of them broken, and loads that are killed.

use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use crate::support::{MemcachedServer, RedisServer, ask_raw, eventually};
use crate::tool::{Tool, finish};

fn on_redis(server: &RedisServer) -> Tool {
    Tool::on(&format!("type: redis, redis_url: \"{}\", key_prefix: app, timeout: 10s", server.url()))
}

fn size(server: &RedisServer) -> u64 {
    let reply = ask_raw(server.addr(), b"DBSIZE\r\n");
    reply.trim().trim_start_matches(':').parse().unwrap()
}

fn lines(count: u32) -> String {
    let mut lines = String::new();
    (0..count).for_each(|nth| writeln!(lines, "{{\"key\":\"k{nth}\",\"value\":{nth}}}").unwrap());
    lines
}

#[test]
fn broken_lines_are_told_with_their_numbers_and_passed_over_only_if_asked() {
    let redis = RedisServer::start();
    let tool = on_redis(&redis);
    let text = "\u{feff}{\"key\":\"a\",\"value\":1}\r\n\n{\"key\":\"b\"\n{\"key\":\"b\"}\n[1]\n{\"key\":\"\",\"value\":1}\n\
                {\"key\":\"b\",\"value\":1,\"tll\":5}\n{\"key\":\"b\",\"value\":1,\"ttl\":-1}\n{\"key\":\"b\",\"value\":1,\"ttl\":\"soon\"}\n\
                \u{0}\n{\"key\":\"c\",\"value\":null,\"ttl\":\"never\"}";
    tool.write("f", text);
    let ran = tool.run(&["warm", "f"]);
    assert!(ran.err.contains("f:3: "), "{ran:?}");
    ran.ended(7);
    assert_eq!(tool.run(&["get", "a"]).ended(0), "1\n", "what stands before a broken line is stored");

    let ran = tool.run(&["warm", "f", "--skip-bad", "--restart", "--json"]);
    let told: Vec<&str> =
        ran.err.lines().filter_map(|line| line.split("f:").nth(1)?.split(':').next()).collect();
    assert_eq!(told, ["3", "4", "5", "6", "7", "8", "9", "10"], "{ran:?}");
    assert_eq!((&ran.objects()[0]["stored"], &ran.objects()[0]["skipped"]), (&2.into(), &8.into()));
    assert_eq!(tool.run(&["get", "c"]).ended(0), "null\n");
    assert!(!tool.path("f.lexigram-state").exists(), "nothing is left of a load that is done");
}

#[test]
fn a_value_that_the_server_cannot_take_is_told_by_its_line_too() {
    let server = MemcachedServer::start();
    let tool = Tool::on(&format!("type: memcached, memcached_servers: [\"{}\"]", server.url()));
    let large = format!("{{\"key\":\"large\",\"value\":\"{}\"}}\n", "x".repeat(2 << 20));
    tool.write("f", &format!("{{\"key\":\"a\",\"value\":1}}\n{large}{{\"key\":\"b\",\"value\":2}}\n"));
    let ran = tool.run(&["warm", "f"]);
    assert!(ran.err.contains("f:2: "), "{ran:?}");
    ran.ended(7);
    let ran = tool.run(&["warm", "f", "--skip-bad"]);
    assert!(ran.err.contains("f:2: "), "{ran:?}");
    ran.ended(0);
    assert_eq!(tool.run(&["get", "b"]).ended(0), "2\n");
}

#[test]
fn of_a_key_named_twice_the_later_line_wins_whatever_their_lifetimes() {
    let redis = RedisServer::start();
    let tool = on_redis(&redis);
    let mut text = String::new();
    for round in 0..200 {
        for key in 0..50 {
            let ttl = 1_000 + (round * 7 + key) % 13;
            writeln!(text, "{{\"key\":\"k{key}\",\"value\":{round},\"ttl\":{ttl}}}").unwrap();
        }
    }
    tool.write("f", &text);
    tool.run(&["warm", "f"]).ended(0);
    for key in 0..50 {
        assert_eq!(tool.run(&["get", &format!("k{key}")]).ended(0), "199\n", "k{key}");
    }
}

#[test]
fn a_killed_load_goes_on_where_all_was_stored() {
    const LINES: u32 = 120_000;
    let redis = RedisServer::start();
    let tool = on_redis(&redis);
    tool.write("f", &lines(LINES));
    let mut child = tool.command(&["warm", "f", "--rate", "60000"]).spawn().unwrap();
    let state = tool.path("f.lexigram-state");
    eventually("a part is stored", Duration::from_secs(60), || state.exists());
    child.kill().unwrap();
    child.wait().unwrap();
    let before = size(&redis);
    assert!((20_000..u64::from(LINES)).contains(&before), "{before}");

    let ran = tool.run(&["warm", "f", "--json"]);
    assert!(ran.err.contains("going on"), "{ran:?}");
    let stored = ran.objects()[0]["stored"].as_u64().unwrap();
    assert!(stored <= u64::from(LINES) - 20_000, "{stored} were stored anew");
    ran.ended(0);
    assert_eq!(size(&redis), u64::from(LINES));
    assert!(!state.exists());
}

#[test]
fn a_state_of_another_place_or_another_file_is_not_believed() {
    let (one, other) = (RedisServer::start(), RedisServer::start());
    let tool = on_redis(&one);
    let good = lines(30_000);
    tool.write("f", &format!("{good}broken\n"));
    tool.run(&["warm", "f"]).ended(7);
    let state = fs::read_to_string(tool.path("f.lexigram-state")).unwrap();
    let config = tool.path("other.yaml");
    fs::write(&config, format!("backends: [{{name: it, type: redis, redis_url: \"{}\"}}]", other.url()))
        .unwrap();
    let ran = tool.run(&["warm", "f", "--config", "other.yaml"]);
    assert!(ran.err.contains("another place"), "{ran:?}");
    ran.ended(7);
    tool.write("f", &good.replace("k29999", "x29999"));
    let ran = tool.run(&["warm", "f"]);
    assert!(ran.err.contains("has changed"), "{ran:?}");
    ran.ended(7);
    assert_eq!(fs::read_to_string(tool.path("f.lexigram-state")).unwrap(), state);
    // What comes after the place may be mended.
    tool.write("f", &format!("{good}{{\"key\":\"last\",\"value\":1}}\n"));
    let ran = tool.run(&["warm", "f", "--json"]);
    assert_eq!(ran.objects()[0]["stored"], 1);
    ran.ended(0);
}

#[test]
fn a_server_that_goes_away_ends_a_load_that_can_go_on_later() {
    let redis = RedisServer::start();
    let tool = on_redis(&redis);
    tool.write("f", &lines(100_000));
    let child = tool.command(&["warm", "f", "--rate", "40000"]).spawn().unwrap();
    let state = tool.path("f.lexigram-state");
    eventually("a part is stored", Duration::from_secs(60), || state.exists());
    redis.kill();
    let ran = finish(child);
    assert!(matches!(ran.code, 4 | 6), "{ran:?}");
    assert!(state.exists());
    redis.restart();
    tool.run(&["warm", "f", "--restart"]).ended(0);
    assert_eq!(size(&redis), 100_000);
}

#[test]
fn a_load_keeps_to_its_rate() {
    let redis = RedisServer::start();
    let tool = on_redis(&redis);
    tool.write("f", &lines(600));
    let start = Instant::now();
    tool.run(&["warm", "f", "--rate", "1000"]).ended(0);
    assert!(start.elapsed() >= Duration::from_millis(590), "{:?}", start.elapsed());
}

#[test]
fn each_line_has_its_lifetime_and_the_others_the_one_of_the_load() {
    let redis = RedisServer::start();
    let tool = on_redis(&redis);
    let text = "{\"key\":\"a\",\"value\":1,\"ttl\":\"2h\"}\n{\"key\":\"b\",\"value\":1,\"ttl\":30.5}\n{\"key\":\"c\",\"value\":1}\n";
    tool.run_with(text, &["warm", "-", "--ttl", "5m"]).ended(0);
    for (key, most) in [("a", 7_200.0), ("b", 30.5), ("c", 300.0)] {
        let left = tool.run(&["ttl", key, "--json"]).objects().remove(0)["ttl"].as_f64().unwrap();
        assert!(left <= most && left > most - 25.0, "{key}: {left}");
    }
}
