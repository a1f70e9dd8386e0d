//! The command line of the quickstarts.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use super::Failure;

pub const USAGE: &str = "\
usage: [--config FILE] [FOLDER]
  FOLDER         the files to look at (default: src)
  --config FILE  the caches of this YAML file, one after the other (default: one cache in memory)";

pub struct Arguments {
    pub config: Option<PathBuf>,
    pub folder: PathBuf,
}

impl Arguments {
    /// Reads what this program was called with.
    pub fn read() -> Result<Arguments, Failure> {
        let (mut config, mut folder) = (None, None);
        let mut given = env::args_os().skip(1);
        while let Some(argument) = given.next() {
            match argument.to_str() {
                Some("--config") => {
                    let file = given.next().ok_or_else(|| usage("--config needs a file"))?;
                    once(&mut config, file, "--config is given twice")?;
                }
                Some(text) if text.starts_with('-') => return Err(usage(format!("unknown option {text}"))),
                _ => once(&mut folder, argument, "one folder at a time")?,
            }
        }
        Ok(Arguments { config, folder: folder.unwrap_or_else(|| "src".into()) })
    }
}

fn once(place: &mut Option<PathBuf>, given: OsString, otherwise: &str) -> Result<(), Failure> {
    match place.replace(given.into()) {
        None => Ok(()),
        Some(_) => Err(usage(otherwise)),
    }
}

fn usage(text: impl Into<String>) -> Failure {
    Failure::Usage(text.into())
}
