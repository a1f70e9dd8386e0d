//! `cache.production.yaml` over `cache.yaml`: what holds in one environment only.

use std::path::{Path, PathBuf};

use super::keys;
use super::tree::{Entry, Node, Value};
use super::value::FromNode as _;
use super::{BackendKind, Environment};

/// The file that goes with this one in an environment.
pub(super) fn path(base: &Path, environment: Environment) -> PathBuf {
    let mut name = base.file_stem().unwrap_or_default().to_owned();
    name.push(".");
    name.push(environment.name());
    if let Some(extension) = base.extension() {
        name.push(".");
        name.push(extension);
    }
    base.with_file_name(name)
}

/// Puts the keys of one section over those of another: mappings key by key, backends by their names, all else whole.
pub(super) fn merge(base: &mut Node, over: Node) {
    let Value::Map(keys) = over.value else {
        if !matches!(over.value, Value::Nothing) {
            *base = over;
        }
        return;
    };
    if !matches!(base.value, Value::Map(_)) {
        base.value = Value::Map(Vec::new());
    }
    let Value::Map(entries) = &mut base.value else { return };
    let mut seen: Vec<Option<String>> = Vec::new();
    for entry in keys {
        // A key that is given twice in one file stays so, to be found by the reader.
        let twice = seen.contains(&entry.key);
        seen.push(entry.key.clone());
        match entries.iter_mut().find(|earlier| earlier.key == entry.key).filter(|_| !twice) {
            Some(earlier) => put(earlier, entry),
            None => entries.push(entry),
        }
    }
}

fn put(earlier: &mut Entry, entry: Entry) {
    match (entry.key.as_deref(), &mut earlier.node.value, entry.node.value) {
        (Some("backends"), Value::List(base), Value::List(over)) => merge_backends(base, over),
        (_, Value::Map(_), Value::Map(keys)) => {
            merge(&mut earlier.node, Node { mark: entry.node.mark, value: Value::Map(keys) });
        }
        // A section without keys has nothing to say.
        (_, Value::Map(_) | Value::List(_), Value::Nothing) => {}
        (key, _, value) => {
            let key = key.map(str::to_owned);
            *earlier = Entry { key, mark: entry.mark, node: Node { mark: entry.node.mark, value } };
        }
    }
}

fn merge_backends(base: &mut Vec<Node>, over: Vec<Node>) {
    let name = |node: &Node| Some(node.get("name")?.node.text()?.to_owned());
    for backend in over {
        let known = name(&backend).and_then(|wanted| {
            base.iter_mut().find(|earlier| name(earlier).as_deref() == Some(wanted.as_str()))
        });
        match known {
            Some(earlier) => {
                if let Some(kind) = new_kind(earlier, &backend) {
                    forget_others(earlier, kind.name());
                }
                merge(earlier, backend);
            }
            None => base.push(backend),
        }
    }
}

/// The type of a backend that becomes one of another type.
fn new_kind(earlier: &Node, backend: &Node) -> Option<BackendKind> {
    let kind = |node: &Node| BackendKind::from_node(&node.get("type")?.node).ok();
    let new = kind(backend)?;
    (kind(earlier)?.name() != new.name()).then_some(new)
}

/// Takes out what only a backend of another type has.
fn forget_others(backend: &mut Node, kind: &str) {
    let belongs = |entry: &Entry| {
        let rows = keys::all().find(|row| row.backend.is_some() && Some(row.name) == entry.key.as_deref());
        rows.is_none_or(|row| row.backend == Some(kind))
    };
    if let Value::Map(entries) = &mut backend.value {
        entries.retain(belongs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_stands_before_the_extension() {
        let of = |base: &str| path(Path::new(base), Environment::Production);
        assert_eq!(of("a/cache.yaml"), Path::new("a/cache.production.yaml"));
        assert_eq!(of("cache"), Path::new("cache.production"));
        assert_eq!(of("my.cache.yml"), Path::new("my.cache.production.yml"));
    }
}
