//! How far a load has come, in a small file beside its source: one that was killed goes on there.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ledger::Mark;
use crate::tool::failure::{Code, Failure};

/// The file, and for which place it counts.
pub struct State {
    path: PathBuf,
    target: String,
}

#[derive(Deserialize, Serialize)]
struct Saved {
    /// Where the values go to. What was stored elsewhere says nothing of this place.
    target: String,
    #[serde(flatten)]
    mark: Mark,
}

/// Enough of what lies before a mark to know a file again.
const TAIL: u64 = 256;

impl State {
    pub fn new(path: Option<&Path>, source: &Path, target: String) -> State {
        let beside = || {
            let mut name = source.as_os_str().to_owned();
            name.push(".lexigram-state");
            PathBuf::from(name)
        };
        State { path: path.map_or_else(beside, Path::to_owned), target }
    }

    /// Where to go on, if there is a state, of this source and this place.
    ///
    /// # Errors
    /// If there is one of another source or place, which must not be taken for granted nor thrown away.
    pub fn resume(&self, source: &mut File) -> Result<Option<Mark>, Failure> {
        let text = match fs::read(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            text => text.map_err(|error| Failure::file(&self.path, &error))?,
        };
        let other = |what: &str| {
            let text = format!("{}: {what}; --restart begins anew", self.path.display());
            Err(Failure::new(Code::Input, text))
        };
        let Ok(saved) = serde_json::from_slice::<Saved>(&text) else { return other("is no state of a load") };
        if saved.target != self.target {
            return other("is the state of a load into another place");
        }
        match checksum_before(source, saved.mark.offset) {
            Ok(tail) if tail == saved.mark.tail => Ok(Some(saved.mark)),
            Ok(_) => other("the file has changed before the line where the load stood"),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                other("the file is shorter than it was")
            }
            Err(error) => Err(Failure::file(&self.path, &error)),
        }
    }

    /// In one step: whoever reads it sees this state or the one before.
    pub fn save(&self, mark: Mark) -> Result<(), Failure> {
        let saved = Saved { target: self.target.clone(), mark };
        let text =
            serde_json::to_vec(&saved).map_err(|error| Failure::new(Code::System, error.to_string()))?;
        let mut new = self.path.as_os_str().to_owned();
        new.push(".new");
        let written = fs::write(&new, text).and_then(|()| fs::rename(&new, &self.path));
        written.map_err(|error| Failure::file(&self.path, &error))
    }

    pub fn remove(&self) -> Result<(), Failure> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(Failure::file(&self.path, &error)),
            _ => Ok(()),
        }
    }
}

/// Of the bytes before an offset, at most [`TAIL`] of them; the file stands at the offset then.
pub fn checksum_before(source: &mut File, offset: u64) -> io::Result<u32> {
    let len = offset.min(TAIL);
    source.seek(SeekFrom::Start(offset - len))?;
    let mut tail = Vec::new();
    source.take(len).read_to_end(&mut tail)?;
    match tail.len() as u64 == len {
        true => Ok(crc32c::crc32c(&tail)),
        false => Err(ErrorKind::UnexpectedEof.into()),
    }
}
