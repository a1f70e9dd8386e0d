//! The line that is shown with a fault, and what is never shown.

use super::*;

fn text(lines: &str) -> String {
    load(&one(lines)).expect_err(lines).to_string()
}

#[test]
fn the_line_is_shown_with_its_number_and_a_mark_below() {
    assert_eq!(
        text("type: redis\nredis_prot: 6380"),
        "configuration: cache.backends[0].redis_prot (line 5, column 7): unknown key; did you mean `redis_port`?\n  \
         5 |       redis_prot: …\n    |       ^"
    );
    assert_eq!(
        text("type: memory\nmax_size: -5\ntimeout: 0\nserializer: pickle")
            .lines()
            .skip(1)
            .collect::<Vec<_>>(),
        [
            "  cache.backends[0].max_size (line 5, column 7): expected a whole number, not negative",
            "    5 |       max_size: -5",
            "      |       ^",
            "  cache.backends[0].timeout (line 6, column 7): must be more than zero",
            "    6 |       timeout: 0",
            "      |       ^",
            "  cache.backends[0].serializer (line 7, column 7): `pickle` can run code of whoever writes to the server and is \
             not supported; `postcard` is the compact binary form here",
            "    7 |       serializer: …",
            "      |       ^",
        ]
    );
}

#[test]
fn a_line_that_holds_a_secret_is_shown_without_it() {
    let flow = "backends:\n  - {name: a, type: redis, redis_password: S3CR3T-7f2a, redis_prot: 1}\n";
    assert_eq!(
        load(flow).unwrap_err().to_string(),
        "configuration: backends[0].redis_prot (line 2, column 57): unknown key; did you mean `redis_port`?\n  \
         2 |   - {name: a, type: redis, redis_password: …, redis_prot: …}\n    |                                               ^"
    );
    let url = text("type: redis\nredis_url: http://:S3CR3T-7f2a@h # S3CR3T-7f2a");
    assert!(url.ends_with("\n  5 |       redis_url: …\n    |       ^"), "{url}");
}

#[test]
fn a_text_that_is_no_yaml_is_shown_where_it_breaks() {
    for (text, expected) in [
        (
            "cache:\n\tbackends: []\n",
            "configuration: line 2, column 2: a tab cannot indent YAML; use spaces\n  2 | →backends: []\n    |  ^",
        ),
        (
            "a: 1\n---\nb: S3CR3T-7f2a\n",
            "configuration: line 3, column 1: there is a second document (`---`); a configuration is one\n  3 | …: …\n    | ^",
        ),
    ] {
        assert_eq!(load(text).unwrap_err().to_string(), expected);
    }
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_move_nothing() {
    let text = format!("\u{feff}{}", one("type: memory\nmax_size: 0")).replace('\n', "\r\n");
    let error = load(&text).unwrap_err().to_string();
    assert!(
        error.ends_with("(line 5, column 7): must be at least 1\n  5 |       max_size: 0\n    |       ^"),
        "{error}"
    );
}

#[test]
fn no_line_of_a_mutilated_file_shows_its_secrets() {
    let whole = one(
        "type: redis\nredis_host: S3CR3T-7f2a\nredis_password: 'S3CR3T-7f2a'\nredis_username: S3CR3T-7f2a\nredis_url: \"redis://S3CR3T-7f2a:S3CR3T-7f2a@h\"",
    ) + "    - {name: b, type: redis, redis_password: S3CR3T-7f2a, redis_port: 1, redis_nodes: [S3CR3T-7f2a]}\n";
    let mut refused = 0;
    for at in (0..whole.len()).step_by(3) {
        for odd in ["", ":", ": ", "\"", "'", "{", "}", ",", "\n"] {
            if let Err(error) = load(&format!("{}{odd}{}", &whole[..at], &whole[at + 1..])) {
                refused += 1;
                let text = format!("{error} {error:?}");
                // The secret may have been cut in two.
                assert!(!text.contains("S3CR3T") && !text.contains("7f2a"), "{at} {odd:?}: {text}");
            }
        }
    }
    assert!(refused > 300, "{refused}");
}
