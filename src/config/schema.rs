//! The JSON Schema of a configuration, for editors, made of the tables of `keys`.
//!
//! What a key takes is asked of the functions that read and check it, so the schema can say nothing else than they do.

use serde_json::{Map, Value as Json, json};

use super::fault::Report;
use super::keys::{BACKEND, Key, MEMCACHED, MEMORY, REDIS, ROOT, SERVICE};
use super::reader::AROUND;
use super::shape::Shape;
use super::source::Mark;
use super::tree::{Node, Value};
use super::{BackendConfig, Config, MemcachedConfig, MemoryConfig, RedisConfig, ServiceConfig};

impl Config {
    /// The JSON Schema (draft 7) of a configuration file, as it is shipped in `config.schema.json`: editors that know it complete keys
    /// and words, and mark what is none. A file for one environment fits it too. What it cannot say, such as that there is one
    /// default, only reading the file finds.
    ///
    /// ```
    /// assert!(lexigram_cache::Config::json_schema().contains("\"redis_sentinel_master\""));
    /// ```
    pub fn json_schema() -> String {
        // A map of texts to values cannot fail to be written.
        let mut text = serde_json::to_string_pretty(&schema()).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// Text that names a variable, which stands for a value of any type.
pub(super) const VARIABLE: &str = "\\$\\{";
pub(super) const DURATION: &str = "^\\s*[0-9]*\\.?[0-9]+\\s*(ms|s|m|h|d)?\\s*$";

fn schema() -> Json {
    let backend = BackendConfig::new("", MemoryConfig::default());
    let kinds = [
        ("memory", properties(MEMORY, &MemoryConfig::default())),
        ("redis", properties(REDIS, &RedisConfig::default())),
        ("memcached", properties(MEMCACHED, &MemcachedConfig::default())),
    ];
    let mut definitions = Map::new();
    definitions.insert(AROUND.to_owned(), object(properties(ROOT, &Config::default()), &[]));
    definitions.insert("service".to_owned(), object(properties(SERVICE, &ServiceConfig::default()), &[]));
    for (kind, own) in kinds {
        let mut all = properties(BACKEND, &backend);
        all.extend(own);
        if let Some(Json::Object(kinds)) = all.get_mut("type") {
            kinds.insert("anyOf".to_owned(), json!([{ "const": kind }, variable()]));
        }
        definitions.insert(kind.to_owned(), object(all, &["name"]));
    }
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "lexigram-cache",
        "description": "Named caches over memory, Redis and Memcached. All keys stand under `cache`, or all at the top.",
        "anyOf": [
            object(Map::from_iter([(AROUND.to_owned(), reference(AROUND))]), &[AROUND]),
            reference(AROUND),
        ],
        "definitions": definitions,
    })
}

fn object(properties: Map<String, Json>, required: &[&str]) -> Json {
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn reference(name: &str) -> Json {
    json!({ "$ref": format!("#/definitions/{name}") })
}

fn variable() -> Json {
    json!({ "type": "string", "pattern": VARIABLE })
}

fn properties<T: Clone>(table: &[Key<T>], section: &T) -> Map<String, Json> {
    table.iter().map(|row| (row.name.to_owned(), property(row, section))).collect()
}

fn property<T: Clone>(row: &Key<T>, section: &T) -> Json {
    let shape = (row.shape)();
    if shape == Shape::Section {
        return match row.name {
            "backends" => {
                let kinds = ["memory", "redis", "memcached"].map(reference);
                json!({ "description": row.meaning, "type": "array", "items": { "anyOf": kinds } })
            }
            name => reference(name),
        };
    }
    let mut meaning = row.meaning.to_owned();
    if shape.is_secret() {
        meaning.push_str("; a secret: ${VAR} or file:/path keeps it out of this file");
    }
    let mut property = Map::new();
    property.insert("description".to_owned(), meaning.into());
    if let Some(default) = default(&shape, row.default) {
        property.insert("default".to_owned(), default);
    }
    let mut kinds = Vec::new();
    add_kinds(&shape, row, section, &mut kinds);
    if !kinds.iter().any(|kind| *kind == json!({ "type": "string" })) {
        kinds.push(variable());
    }
    property.insert("anyOf".to_owned(), kinds.into());
    property.into()
}

fn add_kinds<T: Clone>(shape: &Shape, row: &Key<T>, section: &T, kinds: &mut Vec<Json>) {
    let takes = |value| takes(row, section, value);
    let kind = match shape {
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Whole { most } => {
            let least = if takes(Value::Whole(0)) { 0 } else { 1 };
            let mut kind = json!({ "type": "integer", "minimum": least });
            let largest = largest(*most, |number| takes(Value::Whole(number)));
            // JSON's numbers are exact no further.
            if let Ok(largest) = u32::try_from(largest) {
                kind["maximum"] = largest.into();
            }
            kind
        }
        Shape::Fraction => json!({ "type": "number", "minimum": 0, "exclusiveMaximum": 1 }),
        Shape::Duration => {
            let least = if takes(Value::Whole(0)) { "minimum" } else { "exclusiveMinimum" };
            kinds.push(json!({ "type": "string", "pattern": DURATION }));
            json!({ "type": "number", least: 0 })
        }
        Shape::Text | Shape::Secret if takes(Value::Text(String::new())) => json!({ "type": "string" }),
        Shape::Text | Shape::Secret => json!({ "type": "string", "minLength": 1 }),
        Shape::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Shape::Words(words) => json!({ "enum": words }),
        Shape::Section => json!({}),
        Shape::Optional(shape) => {
            add_kinds(shape, row, section, kinds);
            json!({ "type": "null" })
        }
    };
    kinds.push(kind);
}

/// Whether the key takes this value.
fn takes<T: Clone>(row: &Key<T>, section: &T, value: Value) -> bool {
    let (mut section, mut report) = (section.clone(), Report::new());
    (row.read)(&mut section, &Node { mark: Mark::default(), value }, &mut report);
    report.is_clean() && (row.check)(&section).is_ok()
}

/// The largest number that is taken, of those from 1 on.
fn largest(most: i128, takes: impl Fn(i128) -> bool) -> i128 {
    if takes(most) {
        return most;
    }
    let (mut taken, mut refused) = (1, most);
    while refused - taken > 1 {
        let middle = taken + (refused - taken) / 2;
        *(if takes(middle) { &mut taken } else { &mut refused }) = middle;
    }
    taken
}

fn default(shape: &Shape, written: &str) -> Option<Json> {
    match shape {
        _ if written.is_empty() => None,
        Shape::Optional(shape) => default(shape, written),
        Shape::Text | Shape::Secret | Shape::Words(_) => Some(written.into()),
        // Numbers, flags and lists are written as JSON writes them; a duration with a unit is text.
        _ => Some(serde_json::from_str(written).unwrap_or_else(|_| written.into())),
    }
}
