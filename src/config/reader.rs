//! From the tree of what was written to typed sections, by the tables of `keys`.

use super::fault::{Report, Step};
use super::keys::{self, BACKEND, Key, MEMCACHED, MEMORY, REDIS, ROOT, SERVICE};
use super::near::nearest;
use super::shape::Shape;
use super::tree::{Entry, Node, Value};
use super::value::Fill;
use super::{BackendConfig, BackendKind, Config, MemoryConfig, ServiceConfig};

/// The key that may stand around the whole configuration.
pub(super) const AROUND: &str = "cache";

/// Reads a whole configuration, under `cache` or bare. What cannot be read keeps its default and is noted.
pub(super) fn config(root: &Node, report: &mut Report) -> Config {
    let mut config = Config::default();
    match root.get(AROUND) {
        Some(around) => {
            for_each_key(root, report, |entry, report| {
                if entry.key.as_deref() != Some(AROUND) {
                    report.fault("unknown key; everything belongs under `cache`");
                }
            });
            report.inside(Step::Key(AROUND), around.mark, |report| {
                section(ROOT, &mut config, &around.node, report);
            });
        }
        None => section(ROOT, &mut config, root, report),
    }
    config
}

impl Fill for ServiceConfig {
    fn fill(&mut self, node: &Node, report: &mut Report) {
        section(SERVICE, self, node, report);
    }

    fn shape() -> Shape {
        Shape::Section
    }
}

impl Fill for Vec<BackendConfig> {
    fn fill(&mut self, node: &Node, report: &mut Report) {
        let Value::List(items) = &node.value else {
            return report.fault(format!("expected a list of backends; this is {}", node.noun()));
        };
        for (index, item) in items.iter().enumerate() {
            report.inside(Step::Item(index), item.mark, |report| self.push(backend(item, report)));
        }
    }

    fn shape() -> Shape {
        Shape::Section
    }
}

fn section<T>(table: &'static [Key<T>], target: &mut T, node: &Node, report: &mut Report) {
    for_each_key(node, report, |entry, report| {
        if !read_by(table, target, entry, report) {
            report.fault(unknown(entry, names(table)));
        }
    });
}

/// The type comes first, wherever it stands: it decides which other keys there are.
fn backend(node: &Node, report: &mut Report) -> BackendConfig {
    let mut backend = BackendConfig::new("", MemoryConfig::default());
    for required in ["name", "type"] {
        if matches!(node.value, Value::Map(_)) && node.get(required).is_none() {
            report.at(&[Step::Key(required)], "is missing");
        }
    }
    if let Some(entry) = node.get("type") {
        report.inside(Step::Key("type"), entry.mark, |report| backend.kind.fill(&entry.node, report));
    }
    let is_typed = !report.inside_all(&[Step::Key("type")], |report| report.is_faulty_here());
    for_each_key(node, report, |entry, report| {
        let is_read = entry.key.as_deref() == Some("type")
            || read_by(BACKEND, &mut backend, entry, report)
            || match &mut backend.kind {
                _ if !is_typed => is_of_some_type(entry),
                BackendKind::Memory(memory) => read_by(MEMORY, memory, entry, report),
                BackendKind::Redis(redis) => read_by(REDIS, redis, entry, report),
                BackendKind::Memcached(memcached) => read_by(MEMCACHED, memcached, entry, report),
            };
        if !is_read {
            report.fault(unknown_to_backend(entry, &backend, is_typed));
        }
    });
    backend
}

/// Visits the entries of a mapping, each at its own path.
fn for_each_key(node: &Node, report: &mut Report, mut visit: impl FnMut(&Entry, &mut Report)) {
    let Value::Map(entries) = &node.value else {
        return report.fault(format!("expected a mapping of keys; this is {}", node.noun()));
    };
    for (index, entry) in entries.iter().enumerate() {
        let first = entries[..index].iter().find(|earlier| earlier.key == entry.key);
        report.inside(Step::Key(entry.printable()), entry.mark, |report| match first {
            _ if entry.key.is_none() => report.fault("a key must be text; put it in quotes"),
            Some(first) if first.mark.source == entry.mark.source && first.mark.line > 0 => {
                report.fault(format!("given twice; the first is on line {}", first.mark.line));
            }
            Some(_) => report.fault("given twice"),
            None => visit(entry, report),
        });
    }
}

fn read_by<T>(table: &[Key<T>], target: &mut T, entry: &Entry, report: &mut Report) -> bool {
    let row = table.iter().find(|row| entry.key.as_deref() == Some(row.name));
    if let Some(row) = row {
        (row.read)(target, &entry.node, report);
    }
    row.is_some()
}

fn is_of_some_type(entry: &Entry) -> bool {
    keys::all().any(|row| row.backend.is_some() && entry.key.as_deref() == Some(row.name))
}

fn unknown_to_backend(entry: &Entry, backend: &BackendConfig, is_typed: bool) -> String {
    let key = entry.key.as_deref().unwrap_or_default();
    let kind = backend.kind.name();
    let other = keys::all().find(|row| row.name == key && row.backend.is_some());
    if let Some(other) = other.and_then(|row| row.backend) {
        return format!("only a backend of type {other} has this key; this one's type is {kind}");
    }
    let is_candidate = |row: &keys::ConfigKey| {
        row.section == "backends[]" && (!is_typed || row.backend.is_none_or(|backend| backend == kind))
    };
    unknown(entry, keys::all().filter(is_candidate).map(|row| row.name))
}

fn unknown<'a>(entry: &Entry, candidates: impl Iterator<Item = &'a str>) -> String {
    let key = entry.key.as_deref().unwrap_or_default();
    if let Some(near) = nearest(key, candidates) {
        return format!("unknown key; did you mean `{near}`?");
    }
    match keys::all().find(|row| row.name == key) {
        Some(row) if row.section.is_empty() => {
            "unknown key here; it belongs at the top, beside `backends`".to_owned()
        }
        Some(row) => format!("unknown key here; it belongs in `{}`", row.section),
        None => "unknown key".to_owned(),
    }
}

fn names<T>(table: &'static [Key<T>]) -> impl Iterator<Item = &'static str> {
    table.iter().map(|row| row.name)
}
