//! Standard input and output as pipes, and what is generated for shells.

use std::io::{BufRead as _, BufReader, Read as _};

use crate::support::RedisServer;
use crate::tool::Tool;

#[test]
fn a_reader_that_goes_away_ends_a_walk_quietly() {
    let redis = RedisServer::start();
    let tool = Tool::on(&format!("type: redis, redis_url: \"{}\"", redis.url()));
    let lines: String =
        (0..50_000).map(|nth| format!("{{\"key\":\"some long key {nth}\",\"value\":1}}\n")).collect();
    tool.run_with(&lines, &["warm", "-"]).ended(0);
    for command in ["keys", "dump"] {
        let mut child = tool.command(&[command]).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        assert!(first.contains("some long key"));
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""), "{command}");
    }
}

#[test]
fn keys_and_values_come_from_standard_input() {
    let redis = RedisServer::start();
    let tool = Tool::on(&format!("type: redis, redis_url: \"{}\"", redis.url()));
    tool.run_with("{\"a\": 1}\n", &["set", "k", "-"]).ended(0);
    assert_eq!(tool.run(&["get", "k"]).ended(0), "{\"a\": 1}\n");
    assert_eq!(tool.run_with("k\nother\n", &["del", "-"]).ended(0), "1\n");
}

#[test]
fn nothing_is_coloured_and_no_bar_is_drawn_where_no_terminal_is() {
    let redis = RedisServer::start();
    let tool = Tool::on(&format!("type: redis, redis_url: \"{}\"", redis.url()));
    tool.write("lines", "{\"key\":\"a\",\"value\":1}\n");
    for command in
        [&["ping"][..], &["doctor"], &["warm", "lines"], &["stats"], &["nonsense"], &["get", "--help"]]
    {
        let ran = tool.run(command);
        let said = format!("{}{}", ran.out, ran.err);
        assert!(!said.contains(['\u{1b}', '\r']) && !said.is_empty(), "{command:?}: {ran:?}");
    }
}

#[test]
fn completions_man_pages_and_the_schema_know_everything() {
    let tool = Tool::bare();
    let help = tool.run(&["--help"]).ended(0);
    let commands: Vec<&str> = help
        .lines()
        .skip_while(|line| !line.starts_with("Commands:"))
        .skip(1)
        .map_while(|line| line.split_whitespace().next())
        .collect();
    assert!(commands.len() > 15, "{help}");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = tool.run(&["completions", shell]).ended(0);
        let missing: Vec<_> = commands.iter().filter(|command| !script.contains(*command)).collect();
        assert!(missing.is_empty(), "{shell} does not know {missing:?}");
    }
    let page = tool.run(&["man"]).ended(0);
    assert!(page.contains(".TH lexigram") && commands.iter().all(|command| page.contains(command)), "{page}");
    for command in commands {
        assert!(tool.run(&["man", command]).ended(0).contains(".SH NAME"), "{command}");
    }
    tool.run(&["man", "nonsense"]).ended(2);
    let schema = tool.run(&["schema"]).ended(0);
    assert_eq!(schema, include_str!("../../config.schema.json"));
}
