//! What must not be read over somebody's shoulder.

use crate::support::{RedisServer, closed_port};
use crate::tool::Tool;

const CANARY: &str = "S3CR3T-7f2a";

const COMMANDS: &[&[&str]] = &[
    &["check"],
    &["list"],
    &["list", "--json"],
    &["ping"],
    &["ping", "--json"],
    &["doctor"],
    &["doctor", "--json"],
    &["stats"],
    &["get", "k"],
    &["get", "k", "--json"],
    &["set", "k", "1"],
    &["del", "k"],
    &["keys"],
    &["dump"],
    &["clear"],
    &["warm", "lines"],
    &["bench", "--requests", "10"],
    &["lock", "run", "l", "--", "true"],
    &["limit", "check", "l", "--limit", "1"],
];

#[track_caller]
fn stays_secret(tool: &Tool) {
    tool.write("lines", "{\"key\":\"a\",\"value\":1}\n{\"key\":\"b\",\"value\":\"S3CR3T-7f2a\n");
    for command in COMMANDS {
        let ran = tool.run(command);
        assert!(!format!("{}{}", ran.out, ran.err).contains("S3CR3T"), "{command:?}: {ran:?}");
    }
    let state = std::fs::read_to_string(tool.path("lines.lexigram-state")).unwrap_or_default();
    assert!(!state.contains("S3CR3T"), "{state}");
}

#[test]
fn no_password_is_printed_whether_it_is_right_or_wrong_or_nobody_asks_for_it() {
    let right = RedisServer::start_with(&["--requirepass", CANARY]);
    let wrong = RedisServer::start_with(&["--requirepass", "another"]);
    for port in [right.port(), wrong.port(), closed_port()] {
        stays_secret(&Tool::on(&format!("type: redis, redis_url: \"redis://:{CANARY}@127.0.0.1:{port}/0\"")));
        stays_secret(&Tool::on(&format!("type: redis, redis_port: {port}, redis_password: {CANARY}")));
    }
}

#[test]
fn no_faulty_configuration_is_quoted_where_a_secret_may_stand() {
    for backend in [
        format!("type: redis, redis_url: \"http://:{CANARY}@h\""),
        format!("type: redis, redis_pasword: {CANARY}"),
        format!("type: redis, redis_password: [{CANARY}]"),
        format!("type: redis, redis_url: \"redis://:{CANARY}?x@h:port\""),
    ] {
        stays_secret(&Tool::on(&backend));
    }
}
