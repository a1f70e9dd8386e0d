//! Where the lines come from, and from which of them on.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use super::arguments::LoadArguments;
use super::ledger::Mark;
use super::state::{State, checksum_before};
use crate::tool::configured::Target;
use crate::tool::failure::{Code, Failure, say};

/// A file, or standard input, which cannot be gone back in.
pub struct Source {
    pub name: String,
    pub size: Option<u64>,
    pub start: Mark,
    pub state: Option<State>,
    pub reader: Box<dyn BufRead>,
    /// The file once more, to look at what was read.
    pub behind: Option<File>,
}

impl Source {
    pub fn open(arguments: &LoadArguments, target: &Target) -> Result<Source, Failure> {
        let path = arguments.file.as_path();
        if path == Path::new("-") {
            if arguments.state.is_some() {
                let text = "standard input cannot be gone back in, so it has no --state; give a file";
                return Err(Failure::new(Code::Usage, text));
            }
            let reader = Box::new(BufReader::with_capacity(BUFFER, io::stdin()));
            let (name, start) = ("standard input".to_owned(), Mark::default());
            return Ok(Source { name, size: None, start, state: None, reader, behind: None });
        }
        Source::file(path, arguments, target).map_err(|error| match error {
            Trouble::File(error) => Failure::file(path, &error),
            Trouble::State(failure) => failure,
        })
    }

    fn file(path: &Path, arguments: &LoadArguments, target: &Target) -> Result<Source, Trouble> {
        let (mut file, behind) = (File::open(path)?, File::open(path)?);
        // What is no file, a pipe for instance, is read like one that has no size and remembers nothing.
        let meta = file.metadata()?;
        let plain = meta.is_file();
        let state = plain.then(|| State::new(arguments.state.as_deref(), path, target.identity()));
        let mut start = Mark::default();
        if let Some(state) = &state {
            if arguments.restart {
                state.remove()?;
            }
            if let Some(mark) = state.resume(&mut file)? {
                say(&format!("going on behind line {}; --restart begins anew", mark.line));
                start = mark;
            }
        }
        let name = path.display().to_string();
        let reader = Box::new(BufReader::with_capacity(BUFFER, file));
        let (size, behind) = (plain.then_some(meta.len()), plain.then_some(behind));
        Ok(Source { name, size, start, state, reader, behind })
    }
}

impl Source {
    /// The mark behind so many lines and bytes.
    pub fn mark(behind: &mut Option<File>, line: u64, offset: u64) -> Mark {
        let tail = behind.as_mut().and_then(|file| checksum_before(file, offset).ok());
        Mark { line, offset, tail: tail.unwrap_or_default() }
    }
}

enum Trouble {
    File(io::Error),
    State(Failure),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Trouble {
        Trouble::File(error)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Trouble {
        Trouble::State(failure)
    }
}

const BUFFER: usize = 256 * 1024;
