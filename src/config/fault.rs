//! Everything that is wrong with a configuration, gathered into one error.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;

use super::excerpt::masked;
use super::source::{Mark, Sources};
use crate::error::{Error, ErrorKind, Result};

/// More faults than this are counted, not listed.
const LISTED: usize = 50;

/// Why a value cannot be used. Says what is allowed and never what was given: what was given may be a
/// password, also in a field that should not hold one.
pub(super) type Text = Cow<'static, str>;

/// Walks with the reader through a configuration and notes what is wrong where.
pub(super) struct Report {
    path: String,
    /// Where each path was seen, so that a fault found later still names its place.
    marks: HashMap<String, Mark>,
    faults: Vec<Fault>,
}

struct Fault {
    path: String,
    mark: Mark,
    text: Text,
}

/// One step down.
#[derive(Clone, Copy)]
pub(super) enum Step<'a> {
    Key(&'a str),
    Item(usize),
}

impl Report {
    pub(super) fn new() -> Report {
        Report { path: String::new(), marks: HashMap::new(), faults: Vec::new() }
    }

    /// The error of a text that could not be read at all.
    #[cfg(feature = "yaml")]
    pub(super) fn only(mark: Mark, text: Text, sources: &Sources) -> Error {
        let fault = match sources.place(mark) {
            Some(place) => format!("{place}: {text}{}", excerpt(mark, "  ", sources)),
            None => text.into_owned(),
        };
        Error::new(ErrorKind::Config, format!("configuration: {fault}"))
    }

    /// Does `work` one step down, at a place that may be unknown.
    pub(super) fn inside<R>(&mut self, step: Step<'_>, mark: Mark, work: impl FnOnce(&mut Report) -> R) -> R {
        self.inside_all(&[step], |report| {
            if mark.source > 0 {
                report.marks.insert(report.path.clone(), mark);
            }
            work(report)
        })
    }

    /// Does `work` several steps down, at places whose marks are known if they are written at all.
    pub(super) fn inside_all<R>(&mut self, steps: &[Step<'_>], work: impl FnOnce(&mut Report) -> R) -> R {
        let above = self.path.len();
        steps.iter().for_each(|step| self.descend(*step));
        let done = work(self);
        self.path.truncate(above);
        done
    }

    fn descend(&mut self, step: Step<'_>) {
        match step {
            Step::Key(key) if self.path.is_empty() => self.path.push_str(key),
            Step::Key(key) => {
                self.path.push('.');
                self.path.push_str(key);
            }
            Step::Item(index) => {
                // Writing to a String cannot fail.
                let _ = write!(self.path, "[{index}]");
            }
        }
    }

    /// Notes a fault here. The first one of a place stands: a later one, there or inside, is its consequence.
    pub(super) fn fault(&mut self, text: impl Into<Text>) {
        if self.is_faulty_here() {
            return;
        }
        let mark = self.mark_of(&self.path);
        self.faults.push(Fault { path: self.path.clone(), mark, text: text.into() });
    }

    /// Notes a fault at this mark, whatever else is noted here.
    #[cfg(feature = "yaml")]
    pub(super) fn fault_at(&mut self, mark: Mark, text: impl Into<Text>) {
        self.faults.push(Fault { path: self.path.clone(), mark, text: text.into() });
    }

    /// Notes a fault some steps down.
    pub(super) fn at(&mut self, steps: &[Step<'_>], text: impl Into<Text>) {
        self.inside_all(steps, |report| report.fault(text));
    }

    /// Whether a fault is noted for this place or one around it.
    pub(super) fn is_faulty_here(&self) -> bool {
        let covers = |fault: &Fault| match self.path.strip_prefix(&fault.path) {
            Some(inside) => inside.is_empty() || inside.starts_with(['.', '[']),
            None => false,
        };
        self.faults.iter().any(covers)
    }

    pub(super) fn is_clean(&self) -> bool {
        self.faults.is_empty()
    }

    /// Where a path is, or the nearest one around it.
    fn mark_of(&self, mut path: &str) -> Mark {
        loop {
            if let Some(mark) = self.marks.get(path) {
                return *mark;
            }
            match path.rfind(['.', '[']) {
                Some(end) => path = &path[..end],
                None => return Mark::default(),
            }
        }
    }

    /// All faults as one error, in the order of what was read.
    pub(super) fn finish(mut self, sources: &Sources) -> Result<()> {
        if self.faults.is_empty() {
            return Ok(());
        }
        self.faults.sort_by_key(|fault| (fault.mark.source, fault.mark.line));
        Err(Error::new(ErrorKind::Config, render(&self.faults, sources)))
    }
}

fn render(faults: &[Fault], sources: &Sources) -> String {
    if let [fault] = faults {
        return format!("configuration: {}{}", line(fault, sources), excerpt(fault.mark, "  ", sources));
    }
    let mut text = format!("configuration: {} faults", faults.len());
    for fault in faults.iter().take(LISTED) {
        text.push_str("\n  ");
        text.push_str(&line(fault, sources));
        text.push_str(&excerpt(fault.mark, "    ", sources));
    }
    if faults.len() > LISTED {
        let _ = write!(text, "\n  and {} more", faults.len() - LISTED);
    }
    text
}

fn line(fault: &Fault, sources: &Sources) -> String {
    let path = if fault.path.is_empty() { "top level" } else { &fault.path };
    match sources.place(fault.mark) {
        Some(place) => format!("{path} ({place}): {}", fault.text),
        None => format!("{path}: {}", fault.text),
    }
}

/// The line with a mark below, each on a line of its own; nothing where there is no line.
fn excerpt(mark: Mark, indent: &str, sources: &Sources) -> String {
    let Some(line) = sources.line(mark) else { return String::new() };
    let (shown, column) = masked(line, mark.column);
    if shown.is_empty() {
        return String::new();
    }
    let number = mark.line.to_string();
    let (gutter, blanks) = (" ".repeat(number.len()), " ".repeat(column));
    format!("\n{indent}{number} | {shown}\n{indent}{gutter} | {blanks}^")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::source::Source;

    fn at(line: u64, column: u64) -> Mark {
        Mark { source: 1, line, column }
    }

    fn text(text: &str) -> Sources {
        let mut sources = Sources::default();
        sources.add(Source::Text(text.to_owned()));
        sources
    }

    #[test]
    fn a_fault_names_its_path_and_place_and_shows_the_line() {
        let mut report = Report::new();
        report.inside(Step::Key("cache"), at(1, 1), |report| {
            report.inside(Step::Key("backends"), at(1, 1), |report| {
                report.inside(Step::Item(1), at(2, 3), |report| {
                    report.inside(Step::Key("redis_port"), Mark::default(), |report| {
                        report.fault("is missing");
                    });
                });
            });
        });
        let error = report.finish(&text("cache:\n  redis_host: 1\n")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "configuration: cache.backends[1].redis_port (line 2, column 3): is missing\n  \
             2 |   redis_host: 1\n    |   ^"
        );
    }

    #[test]
    fn faults_come_in_the_order_of_the_file_and_one_per_place() {
        let mut report = Report::new();
        for (key, line) in [("b", 9), ("a", 3), ("b", 9)] {
            report.inside(Step::Key(key), at(line, 1), |report| report.fault("wrong"));
        }
        let error = report.finish(&text("")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "configuration: 2 faults\n  a (line 3, column 1): wrong\n  b (line 9, column 1): wrong"
        );
    }

    #[test]
    #[cfg_attr(miri, ignore = "thousands of rounds")]
    fn a_thousand_faults_are_not_a_thousand_lines() {
        let mut report = Report::new();
        for index in 0..1_000 {
            report.inside(Step::Item(index), Mark::default(), |report| report.fault("wrong"));
        }
        let text = report.finish(&Sources::default()).unwrap_err().to_string();
        assert_eq!(text.lines().count(), LISTED + 2);
        assert!(text.ends_with("and 950 more"));
    }
}
