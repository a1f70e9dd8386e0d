//! Many values from lines: one thread reads and sorts, several store, and a small file remembers how far all is stored.

mod arguments;
mod bad;
mod batch;
mod feeder;
mod lanes;
mod ledger;
mod lines;
mod pace;
mod progress;
mod shared;
mod source;
mod state;
mod writer;

use std::thread;
use std::time::Instant;

use serde_json::json;

pub use self::arguments::LoadArguments;
use self::feeder::Feeder;
use self::lanes::Lanes;
use self::shared::Shared;
use self::source::Source;
use super::configured::Target;
use super::failure::{Code, Failure, say};
use super::output::Output;

/// What becomes of a line's value.
#[derive(Clone, Copy, Eq, PartialEq)]
pub enum Form {
    /// It is encoded as the backend says.
    Values,
    /// Its text is what is stored.
    Bytes,
}

pub fn run(
    target: &Target,
    arguments: &LoadArguments,
    form: Form,
    output: &mut Output<'_>,
) -> Result<Code, Failure> {
    if target.is_memory() {
        say("this backend is memory: what is stored is gone when this program ends");
    }
    let (begun, mut source) = (Instant::now(), Source::open(arguments, target)?);
    let shared = Shared::new(&mut source, arguments.skip_bad);
    let read = thread::scope(|scope| {
        let lanes = Lanes::start(scope, target, &shared, arguments, form);
        Feeder::new(source, arguments, &shared, lanes).run()
    });
    shared.bad.sum_up();
    let lines = shared.finish(read)?;
    let (stored, skipped, took) = (shared.stored(), shared.bad.count(), begun.elapsed().as_secs_f64());
    let per_second = (stored as f64 / took).round();
    output.line(
        &json!({"stored": stored, "skipped": skipped, "lines": lines, "seconds": took, "per_second": per_second}),
        format_args!("{stored} stored, {skipped} skipped, in {took:.2} s: {per_second} per second"),
    )?;
    Ok(Code::Done)
}
