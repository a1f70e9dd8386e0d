//! Everything that is wrong with a configuration, gathered into one error.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;

use crate::error::{Error, ErrorKind, Result};

/// More faults than this are counted, not listed.
const LISTED: usize = 50;

/// Why a value cannot be used. Says what is allowed and never what was given: what was given may be a
/// password, also in a field that should not hold one.
pub(super) type Text = Cow<'static, str>;

/// Walks with the reader through a configuration and notes what is wrong where.
pub(super) struct Report {
    path: String,
    /// Where each path was seen, so that a fault found later still names its line.
    lines: HashMap<String, u64>,
    faults: Vec<Fault>,
}

struct Fault {
    path: String,
    line: u64,
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
        Report { path: String::new(), lines: HashMap::new(), faults: Vec::new() }
    }

    /// Does `work` one step down. A line of 0 is unknown.
    pub(super) fn inside<R>(&mut self, step: Step<'_>, line: u64, work: impl FnOnce(&mut Report) -> R) -> R {
        self.inside_all(&[step], |report| {
            if line > 0 {
                report.lines.insert(report.path.clone(), line);
            }
            work(report)
        })
    }

    /// Does `work` several steps down, at places whose lines are known if they are written at all.
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
        let line = self.line_of(&self.path);
        self.faults.push(Fault { path: self.path.clone(), line, text: text.into() });
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

    /// The line of a place, or of the nearest place around it.
    fn line_of(&self, mut path: &str) -> u64 {
        loop {
            if let Some(line) = self.lines.get(path) {
                return *line;
            }
            match path.rfind(['.', '[']) {
                Some(end) => path = &path[..end],
                None => return 0,
            }
        }
    }

    /// All faults as one error, in the order of the file.
    pub(super) fn finish(mut self) -> Result<()> {
        if self.faults.is_empty() {
            return Ok(());
        }
        self.faults.sort_by_key(|fault| fault.line);
        Err(Error::new(ErrorKind::Config, render(&self.faults)))
    }
}

fn render(faults: &[Fault]) -> String {
    if let [fault] = faults {
        return format!("configuration: {}", line(fault));
    }
    let mut text = format!("configuration: {} faults", faults.len());
    for fault in faults.iter().take(LISTED) {
        text.push_str("\n  ");
        text.push_str(&line(fault));
    }
    if faults.len() > LISTED {
        let _ = write!(text, "\n  and {} more", faults.len() - LISTED);
    }
    text
}

fn line(fault: &Fault) -> String {
    let path = if fault.path.is_empty() { "top level" } else { &fault.path };
    match fault.line {
        0 => format!("{path}: {}", fault.text),
        line => format!("{path} (line {line}): {}", fault.text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_names_its_path_and_line() {
        let mut report = Report::new();
        report.inside(Step::Key("cache"), 1, |report| {
            report.inside(Step::Key("backends"), 2, |report| {
                report.inside(Step::Item(1), 7, |report| {
                    report.inside(Step::Key("redis_port"), 0, |report| report.fault("is missing"));
                });
            });
        });
        let error = report.finish().unwrap_err();
        assert_eq!(error.to_string(), "configuration: cache.backends[1].redis_port (line 7): is missing");
    }

    #[test]
    fn faults_come_in_the_order_of_the_file_and_one_per_place() {
        let mut report = Report::new();
        for (key, line) in [("b", 9), ("a", 3), ("b", 9)] {
            report.inside(Step::Key(key), line, |report| report.fault("wrong"));
        }
        let error = report.finish().unwrap_err();
        assert_eq!(error.to_string(), "configuration: 2 faults\n  a (line 3): wrong\n  b (line 9): wrong");
    }

    #[test]
    fn a_thousand_faults_are_not_a_thousand_lines() {
        let mut report = Report::new();
        for index in 0..1_000 {
            report.inside(Step::Item(index), 0, |report| report.fault("wrong"));
        }
        let text = report.finish().unwrap_err().to_string();
        assert_eq!(text.lines().count(), LISTED + 2);
        assert!(text.ends_with("and 950 more"));
    }
}
