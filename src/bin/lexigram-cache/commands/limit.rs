//! `limit check`: takes a permit of a rate limit, or looks at it.

use lexigram_cache::{Quota, RateLimiter};
use serde_json::json;

use crate::tool::arguments::{Common, LimitCheck};
use crate::tool::configured::Target;
use crate::tool::failure::{Code, Failure};
use crate::tool::output::Output;
use crate::tool::time::latency;

pub fn run(common: &Common, check: LimitCheck, output: &mut Output<'_>) -> Result<Code, Failure> {
    let target = Target::find(common)?;
    let mut quota = Quota::new(check.limit, check.per);
    if let Some(burst) = check.burst {
        quota = quota.burst(burst);
    }
    let limiter = RateLimiter::new(&target.cache, &check.name, quota)?;
    let decision = match check.peek {
        true => limiter.peek(&check.subject)?,
        false => limiter.check_n(&check.subject, check.permits)?,
    };
    let word = if decision.allowed { "allowed" } else { "denied" };
    let (remaining, retry, reset) = (decision.remaining, decision.retry_after, decision.reset_after);
    output.line(
        &json!({
            "name": check.name, "allowed": decision.allowed, "remaining": remaining,
            "retry_after": retry.as_secs_f64(), "reset_after": reset.as_secs_f64(),
        }),
        format_args!(
            "{word}, {remaining} left, again after {}, all after {}",
            latency(retry),
            latency(reset)
        ),
    )?;
    Ok(Code::from_found(decision.allowed))
}
