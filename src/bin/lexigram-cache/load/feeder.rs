//! Reads lines, sorts their values to the writers, and closes windows.

use std::fs::File;
use std::io::BufRead;

use super::arguments::LoadArguments;
use super::batch::Item;
use super::lanes::Lanes;
use super::lines::{LONGEST, Lines};
use super::pace::Pace;
use super::progress::Progress;
use super::shared::Shared;
use super::source::Source;
use crate::tool::failure::{Code, Failure};
use crate::tool::record::Record;
use crate::tool::time::Life;

pub struct Feeder<'a> {
    lines: Lines<Box<dyn BufRead>>,
    behind: Option<File>,
    name: String,
    life: Life,
    shared: &'a Shared,
    lanes: Lanes<'a>,
    pace: Pace,
    progress: Progress,
}

/// A place between two lines.
#[derive(Clone, Copy)]
struct Place {
    line: u64,
    offset: u64,
}

impl<'a> Feeder<'a> {
    pub fn new(
        source: Source,
        arguments: &LoadArguments,
        shared: &'a Shared,
        lanes: Lanes<'a>,
    ) -> Feeder<'a> {
        let Source { name, size, start, reader, behind, .. } = source;
        Feeder {
            lines: Lines::new(reader, start.line, start.offset),
            behind,
            name,
            life: arguments.ttl,
            shared,
            lanes,
            pace: Pace::new(arguments.rate),
            progress: Progress::new(size),
        }
    }

    /// Reads to the end, or to the first line that cannot be used, or until a writer has failed. All that was read is sent
    /// off then. How many lines there were.
    pub fn run(mut self) -> Result<u64, Failure> {
        let mut window = self.place();
        while self.shared.goes_on() {
            let before = self.place();
            let read = self
                .lines
                .next()
                .map_err(|error| Failure::new(Code::System, format!("{}: {error}", self.name)));
            let item = match read {
                Err(failure) => return self.close(before).and(Err(failure)),
                Ok(None) => break,
                Ok(Some(line)) => item(line, before.line + 1, self.life),
            };
            match item {
                Ok(Some((item, life))) => {
                    self.pace.wait();
                    self.lanes.push(item, life);
                }
                Ok(None) => {}
                Err(why) => {
                    if let Err(failure) = self.shared.bad.note(before.line + 1, &why) {
                        return self.close(before).and(Err(failure));
                    }
                }
            }
            let now = self.place();
            if now.line - window.line >= LINES || now.offset - window.offset >= BYTES {
                self.close(now)?;
                window = now;
            }
        }
        self.close(self.place())?;
        Ok(self.lines.number)
    }

    fn place(&self) -> Place {
        Place { line: self.lines.number, offset: self.lines.offset }
    }

    /// All lines up to here are sent off.
    fn close(&mut self, end: Place) -> Result<(), Failure> {
        self.lanes.flush();
        self.shared.close(Source::mark(&mut self.behind, end.line, end.offset));
        self.progress.show(end.offset, self.shared.stored());
        Ok(())
    }
}

/// What a line asks for. Nothing where it is blank.
fn item(line: Option<&[u8]>, number: u64, usual: Life) -> Result<Option<(Item, Life)>, String> {
    let line = line.ok_or_else(|| format!("is longer than {} MiB", LONGEST >> 20))?;
    if line.trim_ascii().is_empty() {
        return Ok(None);
    }
    let record = Record::read(line)?;
    if record.key.is_empty() {
        return Err("has an empty \"key\"".to_owned());
    }
    let (payload, life) = (record.payload()?, record.life()?.unwrap_or(usual));
    Ok(Some((Item { line: number, key: record.key.into_owned(), payload }, life)))
}

/// How much is read before it is asked how far all is stored: what is at most done again after a kill, and held in memory.
const LINES: u64 = 20_000;
const BYTES: u64 = 4 << 20;
