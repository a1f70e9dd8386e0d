//! YAML text to a tree with line numbers: the only file that knows a YAML parser.
//!
//! The parser's own error texts quote the file, so only its kind of error and its line are used.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde::de::{Deserialize, Deserializer};
use serde_saphyr::{Budget, DuplicateKeyPolicy, NonFiniteFloatPolicy, Options, Spanned};

use super::tree::{Grow, Node, Place, Value};
use crate::error::{Error, ErrorKind, Result};

/// No configuration is this large; a file that is, is the wrong file.
const LARGEST: usize = 1024 * 1024;

/// The text of a file, not larger than a configuration can be.
pub(super) fn read_file(path: &Path) -> Result<String> {
    let unreadable = |error| failed(format!("cannot read {}", path.display())).with_source(error);
    let mut bytes = Vec::new();
    let limit = LARGEST as u64 + 1;
    File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)).map_err(unreadable)?;
    String::from_utf8(bytes).map_err(|_| failed(format!("{} is not UTF-8 text", path.display())))
}

/// Parses a text into a tree.
pub(super) fn parse(text: &str) -> Result<Node> {
    if text.len() > LARGEST {
        return Err(failed("the text is larger than 1 MiB"));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let parsed = serde_saphyr::from_str_with_options::<Option<Located>>(text, options());
    let root = parsed.map_err(|error| translated(error.without_snippet(), text))?;
    Ok(root.map_or(Node { line: 0, value: Value::Nothing }, Place::into_node))
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
        Ok(Located(Node { line: spanned.referenced.line(), value: spanned.value.0 }))
    }
}

struct Children(Value);

impl<'de> Deserialize<'de> for Children {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Children, D::Error> {
        deserializer.deserialize_any(Grow::<Located>::new()).map(Children)
    }
}

fn translated(error: &serde_saphyr::Error, text: &str) -> Error {
    use serde_saphyr::Error as Yaml;
    let line = error.location().map_or(0, |location| location.line());
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
        _ if is_indented_by_tab(text, line) => "a tab cannot indent YAML; use spaces",
        _ => "this is not valid YAML: look at indentation, colons, dashes and quotes here and one line above",
    };
    match line {
        0 => failed(what),
        line => failed(format!("line {line}: {what}")),
    }
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
