//! Single values, listings, dumps and limits.

use std::time::Duration;

use lexigram_cache::{Cache, Format, Redis, Ttl};
use serde::{Deserialize, Serialize};

use crate::support::{MemcachedServer, RedisServer, ask_raw};
use crate::tool::Tool;

fn on_redis(server: &RedisServer, more: &str) -> Tool {
    Tool::on(&format!("type: redis, redis_url: \"{}\", {more}", server.url()))
}

fn on_memcached(server: &MemcachedServer, more: &str) -> Tool {
    Tool::on(&format!("type: memcached, memcached_servers: [\"{}\"], {more}", server.url()))
}

#[test]
fn a_value_goes_in_comes_out_lives_and_leaves_on_either_server() {
    let (redis, memcached) = (RedisServer::start(), MemcachedServer::start());
    for tool in [on_redis(&redis, "key_prefix: app"), on_memcached(&memcached, "key_prefix: app")] {
        tool.run(&["set", "user", r#"{"name":"Ann"}"#, "--ttl", "1h"]).ended(0);
        assert_eq!(tool.run(&["get", "user"]).ended(0), "{\"name\":\"Ann\"}\n");
        let object = tool.run(&["get", "user", "--json"]).objects().remove(0);
        assert_eq!((&object["found"], &object["value"]["name"]), (&true.into(), &"Ann".into()));
        let left = tool.run(&["ttl", "user", "--json"]).objects().remove(0)["ttl"].as_f64().unwrap();
        assert!((3_500.0..=3_600.0).contains(&left), "{left}");
        tool.run(&["ttl", "user", "--set", "never"]).ended(0);
        assert_eq!(tool.run(&["ttl", "user"]).ended(0), "never\n");
        assert_eq!(tool.run(&["del", "user", "nobody"]).ended(0), "1\n");
        for missing in [["get", "user"], ["del", "user"], ["ttl", "user"]] {
            assert_eq!(tool.run(&missing).code, 1, "{missing:?}");
        }
        assert_eq!(tool.run(&["get", "user"]).out, "", "a miss prints nothing");
    }
}

#[test]
fn a_number_that_no_float_can_hold_and_the_order_of_fields_are_kept() {
    let odd = r#"{"z":123456789012345678901234567890,"a":1.10}"#;
    let redis = RedisServer::start();
    let tool = on_redis(&redis, "");
    tool.run(&["set", "k", odd]).ended(0);
    assert_eq!(tool.run(&["get", "k"]).ended(0), format!("{odd}\n"));
}

#[test]
fn a_value_is_added_or_replaced_only_where_it_may() {
    let redis = RedisServer::start();
    let tool = on_redis(&redis, "");
    tool.run(&["set", "k", "1", "--replace"]).ended(1);
    tool.run(&["set", "k", "1", "--add"]).ended(0);
    tool.run(&["set", "k", "2", "--add"]).ended(1);
    tool.run(&["set", "k", "3", "--replace"]).ended(0);
    assert_eq!(tool.run(&["get", "k"]).ended(0), "3\n");
}

#[test]
fn a_text_needs_no_quotes_where_it_is_called_one() {
    let redis = RedisServer::start();
    let tool = on_redis(&redis, "");
    tool.run(&["set", "k", "it's \"so\"", "--text"]).ended(0);
    assert_eq!(tool.run(&["get", "k"]).ended(0), "\"it's \\\"so\\\"\"\n");
    assert_eq!(tool.run(&["get", "k", "--text"]).ended(0), "it's \"so\"\n");
    tool.run(&["set", "k", "no JSON"]).ended(7);
}

#[test]
fn keys_are_listed_and_cleared_within_the_prefix_and_only_if_that_is_meant() {
    let redis = RedisServer::start();
    let (tool, bare) = (on_redis(&redis, "key_prefix: app"), on_redis(&redis, ""));
    for key in ["a:1", "a:2", "b", "a*"] {
        tool.run(&["set", key, "1"]).ended(0);
    }
    bare.run(&["set", "foreign", "1"]).ended(0);
    let listed = |arguments: &[&str]| {
        let mut keys: Vec<String> = tool.run(arguments).ended(0).lines().map(str::to_owned).collect();
        keys.sort();
        keys
    };
    assert_eq!(listed(&["keys"]), ["a*", "a:1", "a:2", "b"]);
    assert_eq!(listed(&["keys", "--prefix", "a:"]), ["a:1", "a:2"]);
    assert_eq!(listed(&["keys", "--prefix", "a*"]), ["a*"], "a prefix is no glob");
    assert_eq!(listed(&["keys", "--match", "?"]), ["b"]);
    assert_eq!(listed(&["keys", "--limit", "2"]).len(), 2);
    tool.run(&["keys", "--prefix", "none"]).ended(1);

    tool.run(&["clear"]).ended(2);
    bare.run(&["clear", "--yes"]).ended(2);
    assert_eq!(listed(&["keys"]).len(), 4, "a refusal clears nothing");
    tool.run(&["clear", "--yes"]).ended(0);
    tool.run(&["keys"]).ended(1);
    assert_eq!(bare.run(&["keys"]).ended(0), "foreign\n");
    bare.run(&["clear", "--yes", "--without-prefix"]).ended(0);
    bare.run(&["keys"]).ended(1);
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Session {
    user: u64,
    note: Option<String>,
}

#[test]
fn a_dump_is_restored_byte_for_byte_whatever_the_form_of_its_values() {
    let redis = RedisServer::start();
    let handle = Redis::builder(redis.url()).build().unwrap();
    let cache = |prefix: &str| {
        Cache::builder().backend(handle.clone()).prefix(prefix).format(Format::Postcard).build().unwrap()
    };
    let (from, to) = (cache("from"), cache("to"));
    let session = Session { user: 7, note: Some("line\nbreak".to_owned()) };
    from.set("s", &session, Duration::from_secs(900)).unwrap();
    from.set("n", &5u64, Ttl::NEVER).unwrap();
    let dump = on_redis(&redis, "key_prefix: from, serializer: postcard").run(&["dump"]).ended(0);
    assert_eq!(dump.lines().count(), 2, "{dump}");
    assert!(
        dump.contains("\"base64\"") && dump.contains("{\"key\":\"n\",\"value\":5,\"ttl\":\"never\"}"),
        "{dump}"
    );

    let other = on_redis(&redis, "key_prefix: to, serializer: postcard");
    other.run_with(&dump, &["restore", "-"]).ended(0);
    assert_eq!(to.get("s").unwrap(), Some(session));
    assert_eq!(to.get("n").unwrap(), Some(5u64));
    let left = other.run(&["ttl", "s", "--json"]).objects().remove(0)["ttl"].as_f64().unwrap();
    assert!((800.0..=900.0).contains(&left), "{left}");
    let again = other.run(&["dump", "--match", "n"]).ended(0);
    assert!(dump.contains(again.trim_end()), "{again}");
}

#[test]
fn memcached_is_dumped_by_the_keys_that_a_file_names() {
    let server = MemcachedServer::start();
    let tool = on_memcached(&server, "");
    tool.run(&["set", "a", "1"]).ended(0);
    tool.run(&["dump"]).ended(8);
    let dump = tool.run_with("a\nmissing\n", &["dump", "--keys", "-"]).ended(0);
    assert_eq!(dump, "{\"key\":\"a\",\"value\":1,\"ttl\":\"never\"}\n");
}

#[test]
fn a_form_that_only_its_program_can_read_is_copied_but_not_read() {
    let redis = RedisServer::start();
    let tool = on_redis(&redis, "serializer: postcard");
    tool.run(&["get", "k"]).ended(8);
    tool.run(&["set", "k", "1"]).ended(8);
    tool.run_with("any bytes", &["set", "k", "-", "--bytes"]).ended(0);
    assert_eq!(tool.run(&["get", "k", "--bytes"]).ended(0), "any bytes");
}

#[test]
fn a_limit_denies_by_the_exit_code_when_it_is_used_up() {
    let redis = RedisServer::start();
    let tool = on_redis(&redis, "");
    let check = ["limit", "check", "api", "--limit", "2", "--per", "1h", "--json"];
    tool.run(&check).ended(0);
    let look: Vec<&str> = check.iter().copied().chain(["--peek"]).collect();
    assert_eq!(tool.run(&look).objects()[0]["remaining"], 1);
    tool.run(&check).ended(0);
    let denied = tool.run(&check);
    assert!(denied.objects()[0]["retry_after"].as_f64().unwrap() > 1_000.0);
    denied.ended(1);
    tool.run(&check.iter().copied().chain(["--subject", "other"]).collect::<Vec<_>>()).ended(0);
}

#[test]
fn what_is_no_value_is_told_from_a_miss_and_shown_as_the_bytes_it_is() {
    let redis = RedisServer::start();
    assert_eq!(ask_raw(redis.addr(), b"SET k {half\r\n"), "+OK\r\n");
    let tool = on_redis(&redis, "");
    let ran = tool.run(&["get", "k"]);
    assert!(ran.err.contains("get --bytes shows it"), "{ran:?}");
    ran.ended(7);
    assert_eq!(tool.run(&["get", "k", "--bytes"]).ended(0), "{half");
    tool.run(&["get", "none", "--bytes"]).ended(1);
    let missing = tool.run(&["get", "none", "--json"]);
    assert_eq!(missing.objects()[0]["found"], false);
    missing.ended(1);
}

#[test]
fn the_list_says_of_each_backend_in_which_form_its_values_are() {
    let forms = ["json", "json+compression", "postcard", "postcard+compression"];
    let entries: String = forms
        .iter()
        .map(|form| {
            format!("  - {{name: {form}, type: memory, serializer: {form}, default: {}}}\n", *form == "json")
        })
        .collect();
    let listed = Tool::with(&format!("backends:\n{entries}")).run(&["list", "--json"]);
    let told: Vec<_> =
        listed.objects().iter().map(|one| (one["name"].clone(), one["values"].clone())).collect();
    assert_eq!(told, forms.map(|form| (form.into(), form.into())));
}
