//! `dump`: values as lines that `restore` and `warm` read.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use lexigram_cache::Cache;

use crate::tool::arguments::{Common, Dump};
use crate::tool::configured::Target;
use crate::tool::failure::{Code, Failure};
use crate::tool::output::Output;
use crate::tool::record::Record;
use crate::tool::walk::walk;

pub fn run(common: &Common, dump: Dump, output: &mut Output<'_>) -> Result<Code, Failure> {
    let target = Target::find(common)?;
    match &dump.keys {
        None => {
            walk(&target.cache, &dump.which, |page| print(&target.cache, &page, output))?;
        }
        Some(path) => named(&target.cache, path, output)?,
    }
    Ok(Code::Done)
}

/// The values of keys that a file names, one a line.
fn named(cache: &Cache, path: &Path, output: &mut Output<'_>) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::file(path, &error);
    let reader: Box<dyn BufRead> = match path == Path::new("-") {
        true => Box::new(io::stdin().lock()),
        false => Box::new(BufReader::new(File::open(path).map_err(failed)?)),
    };
    let mut page = Vec::with_capacity(PAGE);
    for line in reader.lines() {
        page.push(line.map_err(failed)?);
        if page.len() == PAGE {
            print(cache, &page, output)?;
            page.clear();
        }
    }
    print(cache, &page, output)
}

/// Page by page: what ends or is removed while the dump runs is missing from it.
fn print(cache: &Cache, page: &[String], output: &mut Output<'_>) -> Result<(), Failure> {
    for keys in page.chunks(PAGE) {
        let entries = cache.export(keys)?;
        for key in keys {
            if let Some(entry) = entries.get(key) {
                output.object(&Record::of(key, entry))?;
            }
        }
    }
    Ok(())
}

/// How many values are held at once.
const PAGE: usize = 100;
