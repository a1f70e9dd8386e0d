//! Exit codes, failures as JSON, and which configuration holds.

use serde_json::Value;

use crate::support::{MemcachedServer, RedisServer, closed_port};
use crate::tool::Tool;

#[test]
fn each_kind_of_failure_has_its_code() {
    let (memcached, guarded) =
        (MemcachedServer::start(), RedisServer::start_with(&["--requirepass", "sesame"]));
    let memory = Tool::bare();
    memory.run(&["get", "k"]).ended(1);
    memory.run(&["frobnicate"]).ended(2);
    memory.run(&["get"]).ended(2);
    memory.run(&["get", "k", "--timeout", "0"]).ended(2);
    memory.run(&["--help"]).ended(0);
    memory.run(&["get", "k", "--config", "nowhere.yaml"]).ended(3);
    memory.run(&["get", "k", "--backend", "nobody"]).ended(3);
    let nowhere = Tool::on(&format!("type: redis, redis_port: {}", closed_port()));
    for command in [&["get", "k"][..], &["set", "k", "1"], &["del", "k"], &["keys"], &["ping"], &["doctor"]] {
        assert_eq!(nowhere.run(command).code, 4, "{command:?}");
    }
    let stranger = Tool::on(&format!("type: redis, redis_url: \"{}\"", guarded.url()));
    stranger.run(&["get", "k"]).ended(5);
    memory.run(&["set", "k", "{"]).ended(7);
    memory.run(&["get", ""]).ended(7);
    Tool::on(&format!("type: memcached, memcached_servers: [\"{}\"]", memcached.url()))
        .run(&["keys"])
        .ended(8);
    memory.run(&["warm", "nowhere.ndjson"]).ended(9);
}

#[test]
fn a_cache_that_may_degrade_fails_all_the_same_where_a_person_asks() {
    let tool = Tool::on(&format!("type: redis, redis_port: {}, degrade: true", closed_port()));
    tool.run(&["get", "k"]).ended(4);
    tool.run(&["set", "k", "1"]).ended(4);
}

#[test]
fn a_failure_is_an_object_where_that_is_wanted() {
    let tool = Tool::on(&format!("type: redis, redis_port: {}", closed_port()));
    let ran = tool.run(&["get", "k", "--json"]);
    let failure: Value = serde_json::from_str(&ran.err).unwrap();
    assert_eq!((&failure["error"]["code"], &failure["error"]["kind"]), (&4.into(), &"Unavailable".into()));
    assert_eq!(ran.ended(4), "");
}

#[test]
fn the_configuration_is_found_by_flag_then_variable_then_folder() {
    let tool = Tool::with("backends: [{name: folder, type: memory}]");
    let other = tool.write("other.yaml", "backends: [{name: other, type: memory}]");
    let name = |arguments: &[&str], variable: Option<&str>| {
        let mut command = tool.command(arguments);
        variable.map(|path| command.env("LEX_CACHE_CONFIG", path));
        let ran = crate::tool::finish(command.spawn().unwrap());
        ran.objects()[0]["name"].as_str().unwrap().to_owned()
    };
    assert_eq!(name(&["list", "--json"], None), "folder");
    assert_eq!(name(&["list", "--json"], other.to_str()), "other");
    assert_eq!(name(&["list", "--json", "--config", "cache.yaml"], other.to_str()), "folder");
    assert_eq!(Tool::bare().run(&["list", "--json"]).objects()[0]["type"], "memory");
}

#[test]
fn every_fault_of_a_configuration_is_told_at_once() {
    let tool = Tool::with(
        "backends:\n  - {name: a, type: memory, max_sise: 1}\n  - {name: b, type: redis, redis_port: 0}\n",
    );
    let ran = tool.run(&["check"]);
    assert!(ran.err.contains("max_size") && ran.err.contains("redis_port"), "{ran:?}");
    ran.ended(3);
    Tool::with("").run(&["check"]).ended(3);
    Tool::bare().run(&["check"]).ended(3);
    tool.write("good.yaml", "backends: [{name: a, type: memory}]");
    tool.run(&["check", "good.yaml"]).ended(0);
}

#[test]
fn what_development_allows_production_refuses() {
    let tool = Tool::on("type: redis, redis_host: cache.example.com");
    tool.run(&["check"]).ended(0);
    let ran = tool.run(&["check", "--env", "production"]);
    assert!(ran.err.contains("redis_password"), "{ran:?}");
    ran.ended(3);
}
