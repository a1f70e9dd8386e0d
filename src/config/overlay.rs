//! Variables that stand for keys: `LEX_CACHE__BACKENDS__0__REDIS_URL`, laid over what was written.

use super::fault::{Report, Step};
use super::source::{Mark, Source, Sources};
use super::tree::{Entry, Node, Value, printable};
use super::variables::Variables;

/// What the names of all of them begin with.
pub(super) const START: &str = "LEX_CACHE__";

/// Lays every variable over the section. A name that is no key is found by the reader, as if it stood in the file.
pub(super) fn lay_over(
    section: &mut Node,
    variables: &Variables,
    sources: &mut Sources,
    report: &mut Report,
) {
    let named = variables.beginning_with(START);
    let mut all: Vec<_> = named.map(|(name, value)| (parts(name), name, value)).collect();
    // Backend 2 before backend 10, so that each can be added behind those before it.
    all.sort();
    for (path, name, value) in all {
        let source = sources.add(Source::Variable(format!("{START}{name}")));
        let mark = Mark { source, ..Mark::default() };
        match value {
            Some(value) => set(section, &path, value, mark, report),
            None => report.inside(Step::Key("?"), mark, |report| report.fault("is not UTF-8 text")),
        }
    }
}

/// A step of a variable's name. Numbers come before words, in their own order.
#[derive(Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Part {
    Item(usize),
    Key(String),
}

fn parts(name: &str) -> Vec<Part> {
    let part = |part: &str| match part.parse() {
        Ok(index) => Part::Item(index),
        Err(_) => Part::Key(part.to_ascii_lowercase()),
    };
    name.split("__").map(part).collect()
}

fn set(node: &mut Node, path: &[Part], value: &str, mark: Mark, report: &mut Report) {
    let Some((part, rest)) = path.split_first() else {
        *node = Node { mark, value: Value::Loose(value.to_owned()) };
        return;
    };
    match (part, &mut node.value) {
        (Part::Item(index), Value::List(items)) => {
            let len = items.len();
            if *index == len {
                items.push(nothing(mark));
            }
            let Some(item) = items.get_mut(*index) else {
                let text = format!("there are {len} entries, so the next one has the number {len}");
                return report.inside(Step::Item(*index), mark, |report| report.fault(text));
            };
            let at = item.mark;
            report.inside(Step::Item(*index), at, |report| set(item, rest, value, mark, report));
        }
        (Part::Item(_), Value::Nothing) => {
            node.value = Value::List(Vec::new());
            set(node, path, value, mark, report);
        }
        (Part::Key(key), Value::List(_)) => {
            let text = "an entry of a list is named by its number, from 0";
            report.inside(Step::Key(printable(key)), mark, |report| report.fault(text));
        }
        (part, Value::Map(entries)) => {
            let key = match part {
                Part::Item(index) => index.to_string(),
                Part::Key(key) => key.clone(),
            };
            let place = match entries.iter().position(|entry| entry.key.as_deref() == Some(&key)) {
                Some(place) => place,
                None => {
                    entries.push(Entry { key: Some(key.clone()), mark, node: nothing(mark) });
                    entries.len() - 1
                }
            };
            let entry = &mut entries[place];
            if rest.is_empty() || !matches!(entry.node.value, Value::List(_) | Value::Map(_)) {
                entry.mark = mark;
            }
            let at = entry.mark;
            let step = Step::Key(printable(&key));
            report.inside(step, at, |report| set(&mut entry.node, rest, value, mark, report));
        }
        // A value where a section belongs, or the other way round.
        _ => {
            node.value = Value::Map(Vec::new());
            set(node, path, value, mark, report);
        }
    }
}

fn nothing(mark: Mark) -> Node {
    Node { mark, value: Value::Nothing }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_keys_and_numbers() {
        let key = |key: &str| Part::Key(key.to_owned());
        assert_eq!(parts("BACKENDS__0__REDIS_URL"), [key("backends"), Part::Item(0), key("redis_url")]);
        assert_eq!(parts(""), [key("")]);
        assert_eq!(parts("A____B"), [key("a"), key(""), key("b")]);
    }

    #[test]
    fn numbers_come_in_their_own_order() {
        assert!(parts("B__2__X") < parts("B__10__X"));
    }
}
