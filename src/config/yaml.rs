//! YAML text to a tree with line numbers: the only file that knows a YAML parser.
//!
//! The parser's own error texts quote the file, so only its kind of error and its line are used.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde::de::{Deserialize, Deserializer};
use serde_saphyr::{Budget, DuplicateKeyPolicy, Location, NonFiniteFloatPolicy, Options, Spanned};

use super::fault::{Report, Text};
use super::source::{Mark, Source, Sources};
use super::tree::{Grow, Node, Place, Value};
use crate::error::{Error, ErrorKind, Result};

/// No configuration is this large; a file that is, is the wrong file.
const LARGEST: usize = 1024 * 1024;
const TOO_LARGE: &str = "larger than 1 MiB, which no configuration is";

/// The text of a file, not larger than a configuration can be.
///
/// # Errors
/// `Config`, naming the file.
pub(super) fn read_file(path: &Path) -> Result<String> {
    let shown = path.display();
    let unreadable = |error| failed(format!("cannot read {shown}")).with_source(error);
    let mut bytes = Vec::new();
    let limit = LARGEST as u64 + 1;
    File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() > LARGEST {
        return Err(failed(format!("{shown} is {TOO_LARGE}")));
    }
    String::from_utf8(bytes).map_err(|_| failed(format!("{shown} is not UTF-8 text")))
}

/// Parses a text into a tree; `name` is that of its file.
///
/// # Errors
/// `Config`, with the place.
pub(super) fn parse(text: &str, name: Option<&Path>, sources: &mut Sources) -> Result<Node> {
    if text.len() > LARGEST {
        return Err(failed(format!("the text is {TOO_LARGE}")));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let source = sources.add(match name {
        Some(path) => Source::File(path.display().to_string(), text.to_owned()),
        None => Source::Text(text.to_owned()),
    });
    match serde_saphyr::from_str_with_options::<Option<Located>>(text, options()) {
        Ok(root) => {
            let mut root =
                root.map_or(Node { mark: Mark::default(), value: Value::Nothing }, Place::into_node);
            stamp(&mut root, source);
            Ok(root)
        }
        Err(error) => {
            let (mut mark, what) = translated(error.without_snippet(), text);
            mark.source = source;
            Err(Report::only(mark, what, sources))
        }
    }
}

/// Says of every place which text it is in, which the parser does not know.
fn stamp(node: &mut Node, source: usize) {
    node.mark.source = source;
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(|item| stamp(item, source)),
        Value::Map(entries) => entries.iter_mut().for_each(|entry| {
            entry.mark.source = source;
            stamp(&mut entry.node, source);
        }),
        _ => {}
    }
}

fn options() -> Options {
    let mut budget = Budget::default();
    budget.max_depth = 32;
    // Some hundred backends. Looking for repeated keys and near matches is not built for more.
    budget.max_nodes = 10_000;
    budget.max_events = 30_000;
    let mut options = Options::default();
    options.budget = Some(budget);
    options.alias_limits.max_total_replayed_events = 10_000;
    options.alias_limits.max_replay_stack_depth = 8;
    // Our reader refuses both with the path of the key, which the parser does not know.
    options.duplicate_keys = DuplicateKeyPolicy::PassThrough;
    options.non_finite_float_policy = NonFiniteFloatPolicy::PassThrough;
    options.with_snippet = false;
    options
}

/// A node that knows its line.
struct Located(Node);

impl Place for Located {
    fn into_node(self) -> Node {
        self.0
    }
}

impl<'de> Deserialize<'de> for Located {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Located, D::Error> {
        let spanned = Spanned::<Children>::deserialize(deserializer)?;
        // Where it is used, not where its anchor stands: that is where its path leads.
        let mark = mark(&spanned.referenced);
        Ok(Located(Node { mark, value: spanned.value.0 }))
    }
}

struct Children(Value);

impl<'de> Deserialize<'de> for Children {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Children, D::Error> {
        deserializer.deserialize_any(Grow::<Located>::new()).map(Children)
    }
}

fn mark(location: &Location) -> Mark {
    Mark { source: 0, line: location.line(), column: location.column() }
}

fn translated(error: &serde_saphyr::Error, text: &str) -> (Mark, Text) {
    use serde_saphyr::Error as Yaml;
    let mark = error.location().as_ref().map(mark).unwrap_or_default();
    let what = match error {
        Yaml::Eof { .. } => "the text ends too early",
        Yaml::MultipleDocuments { .. } => "there is a second document (`---`); a configuration is one",
        Yaml::UnknownAnchor { .. } => "an alias (`*name`) without its anchor (`&name`)",
        Yaml::AliasError { .. }
        | Yaml::AliasReplayCounterOverflow { .. }
        | Yaml::AliasReplayLimitExceeded { .. }
        | Yaml::AliasExpansionLimitExceeded { .. }
        | Yaml::AliasReplayStackDepthExceeded { .. }
        | Yaml::RecursiveReferencesRequireWeakTypes { .. } => "aliases (`*name`) unfold to too much",
        Yaml::Budget { .. } => "too many or too deeply nested values for a configuration",
        Yaml::MergeValueNotMapOrSeqOfMaps { .. } => "`<<` needs a mapping",
        _ if is_indented_by_tab(text, mark.line) => "a tab cannot indent YAML; use spaces",
        _ => "this is not valid YAML: look at indentation, colons, dashes and quotes here and one line above",
    };
    (mark, what.into())
}

/// Whether the line, or the one before it, where scanners notice late, begins with a tab.
fn is_indented_by_tab(text: &str, line: u64) -> bool {
    let line = usize::try_from(line).unwrap_or(usize::MAX);
    let indent = |line: &str| line.chars().take_while(|c| c.is_whitespace()).any(|c| c == '\t');
    text.lines().take(line).skip(line.saturating_sub(2)).any(indent)
}

fn failed(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, format!("configuration: {}", what.into()))
}
