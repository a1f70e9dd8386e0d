//! Permits: one script for each algorithm, which does on the server what `engine/quota/` does in this process.

use redis::Value;

use super::reply::read_bytes;
use super::script::{Call, FIXED, GCRA, SLIDING};
use crate::decision::Decision;
use crate::engine::quota::Permits;
use crate::error::{Error, ErrorKind, Result};
use crate::key::Key;
use crate::quota::Algorithm;

/// Takes permits of a subject, or looks at what it has.
pub(crate) fn take_permits(key: &Key<'_>, permits: &Permits) -> Call {
    let Permits { terms, n, now } = permits;
    let script = match terms.algorithm {
        Algorithm::Gcra => &GCRA,
        Algorithm::FixedWindow => &FIXED,
        Algorithm::SlidingWindow => &SLIDING,
    };
    let stay = now.and_then(|_| permits.stay(0).as_millis());
    let call = script.on(key).arg(text(*now)).arg(text(stay)).arg(n.to_string());
    let numbers = match terms.algorithm {
        Algorithm::Gcra => {
            let (cost, most) = (terms.cost(*n), terms.refill());
            vec![cost.micros, cost.part, most.micros, most.part, terms.limit]
        }
        Algorithm::FixedWindow => vec![terms.limit, terms.period],
        Algorithm::SlidingWindow => vec![terms.limit, terms.period, terms.stretch()],
    };
    numbers.into_iter().fold(call, |call, number| call.arg(number.to_string()))
}

fn text(number: Option<u64>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}

/// Whether they were given, when it was, and the state since.
pub(crate) fn read_permits(reply: Value, permits: &Permits) -> Result<Decision> {
    let wrong = || Error::new(ErrorKind::Protocol, "the server answered a rate limit with no decision");
    let Value::Array(parts) = reply else { return Err(wrong()) };
    let [Value::Int(allowed), Value::Int(now), state] = <[Value; 3]>::try_from(parts).map_err(|_| wrong())?
    else {
        return Err(wrong());
    };
    let (now, state) = (u64::try_from(now).map_err(|_| wrong())?, read_bytes(state)?.unwrap_or_default());
    permits.told(&state, now, allowed == 1).ok_or_else(wrong)
}
