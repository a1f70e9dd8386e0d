//! `${VAR}` and `${VAR:-default}` in texts, replaced by what the environment says.

use super::fault::{Report, Step, Text};
use super::tree::{Node, Value};
use super::variables::Variables;

/// Replaces them in every text of a tree, each at its path.
pub(super) fn expand(node: &mut Node, variables: &Variables, report: &mut Report) {
    match &mut node.value {
        Value::Text(text) => match expanded(text, variables) {
            Ok(Some(text)) => node.value = Value::Loose(text),
            Ok(None) => {}
            Err(refusal) => report.fault(refusal),
        },
        Value::List(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                let mark = item.mark;
                report.inside(Step::Item(index), mark, |report| expand(item, variables, report));
            }
        }
        Value::Map(entries) => {
            for entry in entries {
                let (key, mark) = (entry.printable().to_owned(), entry.mark);
                report.inside(Step::Key(&key), mark, |report| expand(&mut entry.node, variables, report));
            }
        }
        _ => {}
    }
}

/// The text with all variables replaced; `None` if it names none. `$${` stands for `${`.
pub(super) fn expanded(text: &str, variables: &Variables) -> Result<Option<String>, Text> {
    if !text.contains("${") {
        return Ok(None);
    }
    let (mut rest, mut whole) = (text, String::new());
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            whole.push_str(before);
            whole.push_str("${");
            rest = after;
            continue;
        }
        let (inside, after) = after.split_once('}').ok_or(FORM)?;
        whole.push_str(before);
        whole.push_str(value(inside, variables)?);
        rest = after;
    }
    whole.push_str(rest);
    Ok(Some(whole))
}

/// What stands for `VAR` or `VAR:-default`.
fn value<'a>(inside: &'a str, variables: &'a Variables) -> Result<&'a str, Text> {
    let (name, default) = match inside.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inside, None),
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(is_plain) {
        return Err(FORM.into());
    }
    if default.is_some_and(|default| default.contains("${")) {
        return Err("a default of a variable cannot name another one".into());
    }
    match (variables.get(name), default) {
        (None | Some(""), Some(default)) => Ok(default),
        (Some(value), _) => Ok(value),
        (None, None) => {
            Err(format!("the variable {name} is not set; set it, or give a default: ${{{name}:-..}}").into())
        }
    }
}

const FORM: &str = "a variable is written ${NAME} or ${NAME:-default}; for a `${` that is none write `$${`";

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Option<String>, Text> {
        expanded(text, &[("A", "1"), ("EMPTY", ""), ("NEST", "${A}")].into_iter().collect())
    }

    #[test]
    fn variables_are_replaced_once() {
        for (text, expected) in [
            ("${A}", "1"),
            ("x${A}y${A}z", "x1y1z"),
            ("${NONE:-d}", "d"),
            ("${NONE:-}", ""),
            ("${EMPTY:-d}", "d"),
            ("${EMPTY}", ""),
            ("${A:-d}", "1"),
            ("${NONE:-a:-b}", "a:-b"),
            ("${NEST}", "${A}"),
            ("$${A}", "${A}"),
            ("$A $${ ${A}", "$A ${ 1"),
        ] {
            assert_eq!(of(text).unwrap().as_deref(), Some(expected), "{text}");
        }
        for text in ["", "$A", "a$", "$", "{A}", "p$$w"] {
            assert_eq!(of(text).unwrap(), None);
        }
    }

    #[test]
    fn what_is_not_set_or_no_variable_is_refused() {
        assert!(of("${NONE}").unwrap_err().contains("the variable NONE is not set"));
        for text in ["${", "${A", "${}", "${a b}", "${1}", "${A-b}", "${A:?b}"] {
            assert_eq!(of(text).unwrap_err(), FORM, "{text}");
        }
        assert!(of("${NONE:-${A}}").is_err());
    }
}
