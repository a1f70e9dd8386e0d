//! `ping`: whether backends answer.

use lexigram_cache::Status;
use serde_json::json;

use crate::tool::arguments::Common;
use crate::tool::configured::{Configured, address};
use crate::tool::failure::{Code, Failure};
use crate::tool::output::{Colour, Output};
use crate::tool::time::{latency, micros};

pub fn run(common: &Common, output: &mut Output<'_>) -> Result<Code, Failure> {
    let mut all = Code::Done;
    for target in Configured::find(common)?.targets(common)? {
        let health = target.cache.health();
        let up = health.status == Status::Up;
        if !up {
            all = Code::Unavailable;
        }
        let name = &target.backend.name;
        let (word, colour) = if up { ("up", Colour::Green) } else { ("down", Colour::Red) };
        let detail = if up { address(&target.backend.kind) } else { health.detail };
        let line = format!("{name}: {}, {}, {detail}", output.paint(colour, word), latency(health.latency));
        let object =
            json!({"backend": name, "up": up, "latency_us": micros(health.latency), "detail": detail});
        output.line(&object, line)?;
    }
    Ok(all)
}
