//! Where a configuration was written: texts, files and variables, and the places in them.

/// A place in a source; lines and columns count from 1. Zeros are unknown.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Mark {
    /// What [`Sources::add`] gave.
    pub(super) source: usize,
    pub(super) line: u64,
    pub(super) column: u64,
}

/// Everything that one configuration was read from.
///
/// Not `Debug`: a text holds secrets in the clear.
#[derive(Default)]
pub(super) struct Sources(Vec<Source>);

pub(super) enum Source {
    /// A text that somebody had in hand.
    #[cfg_attr(not(any(feature = "yaml", test)), expect(dead_code, reason = "other formats tell no places"))]
    Text(String),
    /// A file by its path, and what is in it.
    #[cfg_attr(not(feature = "yaml"), expect(dead_code, reason = "other formats tell no places"))]
    File(String, String),
    /// A variable of the environment by its name.
    Variable(String),
}

impl Sources {
    /// The number by which marks name it from now on.
    pub(super) fn add(&mut self, source: Source) -> usize {
        self.0.push(source);
        self.0.len()
    }

    /// The place in words, as far as it is known: `line 6, column 7`, `cache.yaml:6:7`, or the variable.
    pub(super) fn place(&self, mark: Mark) -> Option<String> {
        let Mark { line, column, .. } = mark;
        // What stands nowhere is wrong with the file as a whole.
        let whole = self.0.first().filter(|source| mark.source == 0 && matches!(source, Source::File(..)));
        match (self.source(mark).or(whole)?, line) {
            (Source::Variable(name), _) => Some(name.clone()),
            (Source::File(path, _), 0) => Some(path.clone()),
            (Source::File(path, _), _) => Some(format!("{path}:{line}:{column}")),
            (Source::Text(_), 0) => None,
            (Source::Text(_), _) => Some(format!("line {line}, column {column}")),
        }
    }

    /// The line of a text that the mark is on, as it stands there, secrets included.
    pub(super) fn line(&self, mark: Mark) -> Option<&str> {
        let (Source::Text(text) | Source::File(_, text)) = self.source(mark)? else { return None };
        let index = usize::try_from(mark.line).ok()?.checked_sub(1)?;
        text.lines().nth(index)
    }

    fn source(&self, mark: Mark) -> Option<&Source> {
        self.0.get(mark.source.checked_sub(1)?)
    }
}
