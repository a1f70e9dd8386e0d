//! The JSON Schema that is shipped, held against files that the reader takes and refuses.
#![expect(clippy::unwrap_used, reason = "a schema that is not as expected fails the test")]

use serde_json::Value;

use super::taken::OTHER_VALUES;
use super::*;
use crate::config::schema::{DURATION, VARIABLE};

const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");

#[test]
fn the_shipped_schema_is_up_to_date() {
    let schema = Config::json_schema();
    if std::env::var_os("WRITE_SCHEMA").is_some() {
        std::fs::write(SHIPPED, &schema).unwrap();
    }
    let shipped = std::fs::read_to_string(SHIPPED).unwrap_or_default().replace("\r\n", "\n");
    assert!(shipped == schema, "run this test with WRITE_SCHEMA=1 to write {SHIPPED} anew");
}

#[test]
fn every_key_can_be_completed_where_it_belongs() {
    let schema: Value = serde_json::from_str(&Config::json_schema()).unwrap();
    for key in Config::keys() {
        let sections: &[&str] = match (key.section, &key.backend) {
            ("", _) => &["cache"],
            ("service", _) => &["service"],
            (_, Some(kind)) => std::slice::from_ref(kind),
            (_, None) => &["memory", "redis", "memcached"],
        };
        for section in sections {
            let property = &schema["definitions"][section]["properties"][key.name];
            assert!(property.is_object(), "{} in {section}", key.name);
        }
    }
    // And nothing beside them.
    let count = |section: &str| schema["definitions"][section]["properties"].as_object().unwrap().len();
    let rows = |is: fn(&ConfigKey) -> bool| Config::keys().filter(is).count();
    assert_eq!(count("cache"), rows(|key| key.section.is_empty()));
    assert_eq!(count("service"), rows(|key| key.section == "service"));
    assert_eq!(
        count("redis"),
        rows(|key| key.section == "backends[]" && key.backend.is_none_or(|kind| kind == "redis"))
    );
}

/// A file as JSON, as an editor sees it.
fn json(yaml: &str) -> Value {
    serde_saphyr::from_str(yaml).unwrap()
}

fn fits(yaml: &str) -> bool {
    let schema: Value = serde_json::from_str(&Config::json_schema()).unwrap();
    is_valid(&schema, &schema, &json(yaml))
}

#[test]
fn the_sample_files_fit() {
    for sample in [
        include_str!("../../../tests/samples/memory.yaml"),
        include_str!("../../../tests/samples/memcached.yaml"),
        include_str!("../../../tests/samples/redis.yaml"),
        include_str!("../../../tests/samples/named.yaml"),
        "backends: [{name: a, type: memory, max_size: \"${SIZE:-5}\"}]",
        "service: {stale_for: 1.5, refresh_ahead: 0.5}\nbackends: [{name: a, timeout: 250ms}]",
        "{}",
    ] {
        assert!(fits(sample), "{sample}");
    }
}

#[test]
fn every_value_that_the_reader_takes_fits() {
    for (section, kind, name, value) in OTHER_VALUES {
        // `no` is a boolean to YAML 1.1 only, and editors read 1.2.
        let value = value.replace("no", "false");
        let yaml = match *section {
            "" => format!("{name}: {value}\n"),
            "service" => format!("service: {{{name}: {value}}}\n"),
            _ => format!("backends: [{{name: a, type: {kind}, {name}: {value}}}]\n"),
        };
        assert!(fits(&yaml), "{yaml}");
    }
}

#[test]
fn what_the_reader_refuses_does_not_fit() {
    for keys in [
        "type: memory, max_sise: 5",
        "type: memory, max_size: 0",
        "type: memory, max_size: -1",
        "type: memory, max_size: 1.5",
        "type: memory, max_size: x",
        "type: memory, max_size: null",
        "type: memory, redis_port: 1",
        "type: memory, eviction: fifo",
        "type: memory, timeout: 0",
        "type: memory, timeout: 5 minutes",
        "type: memory, default_ttl: -1",
        "type: memory, serializer: pickle",
        "type: memory, enabled: maybe",
        "type: memory, key_prefix: 5",
        "type: redis, redis_port: 0",
        "type: redis, redis_port: 65536",
        "type: redis, redis_pool_size: 10001",
        "type: redis, redis_nodes: a",
        "type: redis, redis_nodes: [5]",
        "type: redis, redis_password: 5",
        "type: reddis",
    ] {
        let yaml = format!("backends: [{{name: a, {keys}}}]");
        assert!(!fits(&yaml), "{yaml}");
        assert!(load(&yaml).is_err(), "{yaml}");
    }
    for yaml in [
        "backends: [{type: memory}]",
        "backends: {}",
        "servise: {}",
        "service: {refresh_ahead: 1}",
        "cache: {backends: []}\nother: 1",
        "cache: 5",
        "[]",
        "env: prod",
    ] {
        assert!(!fits(yaml), "{yaml}");
        assert!(load(yaml).is_err(), "{yaml}");
    }
}

/// Whether a value fits a schema, of which every word has to be known here.
fn is_valid(root: &Value, schema: &Value, value: &Value) -> bool {
    let schema = schema.as_object().expect("a schema is an object");
    schema.iter().all(|(word, said)| match word.as_str() {
        "$schema" | "title" | "description" | "default" | "definitions" => true,
        "$ref" => {
            let name = said.as_str().unwrap().strip_prefix("#/definitions/").unwrap();
            is_valid(root, &root["definitions"][name], value)
        }
        "anyOf" => said.as_array().unwrap().iter().any(|one| is_valid(root, one, value)),
        "type" => is_of_type(said.as_str().unwrap(), value),
        "enum" => said.as_array().unwrap().contains(value),
        "const" => said == value,
        "required" => keys(value).is_none_or(|keys| {
            said.as_array().unwrap().iter().all(|key| keys.contains_key(key.as_str().unwrap()))
        }),
        "properties" => keys(value).is_none_or(|keys| {
            keys.iter().all(|(key, value)| said.get(key).is_none_or(|schema| is_valid(root, schema, value)))
        }),
        "additionalProperties" => {
            assert_eq!(said, &Value::Bool(false));
            keys(value).is_none_or(|keys| keys.keys().all(|key| schema["properties"].get(key).is_some()))
        }
        "items" => value.as_array().is_none_or(|items| items.iter().all(|item| is_valid(root, said, item))),
        "minimum" => value.as_f64().is_none_or(|number| number >= said.as_f64().unwrap()),
        "maximum" => value.as_f64().is_none_or(|number| number <= said.as_f64().unwrap()),
        "exclusiveMinimum" => value.as_f64().is_none_or(|number| number > said.as_f64().unwrap()),
        "exclusiveMaximum" => value.as_f64().is_none_or(|number| number < said.as_f64().unwrap()),
        "minLength" => {
            value.as_str().is_none_or(|text| text.chars().count() as u64 >= said.as_u64().unwrap())
        }
        "pattern" => value.as_str().is_none_or(|text| match said.as_str().unwrap() {
            VARIABLE => text.contains("${"),
            DURATION => is_duration(text),
            other => panic!("the pattern {other} is not known here"),
        }),
        other => panic!("the word {other} is not known here"),
    })
}

fn keys(value: &Value) -> Option<&serde_json::Map<String, Value>> {
    value.as_object()
}

fn is_of_type(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("the type {other} is not known here"),
    }
}

/// What the pattern says: digits, and perhaps a unit.
fn is_duration(text: &str) -> bool {
    let number = text.trim().trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = &text.trim()[number.len()..];
    let number = number.trim_end();
    ["", "ms", "s", "m", "h", "d"].contains(&unit)
        && number.ends_with(|c: char| c.is_ascii_digit())
        && number.chars().filter(|c| *c == '.').count() <= 1
        && number.chars().all(|c| c.is_ascii_digit() || c == '.')
}
