//! `clear`: everything under the backend's prefix, and no more.

use serde_json::json;

use crate::tool::arguments::{Clear, Common};
use crate::tool::configured::{Target, address};
use crate::tool::failure::{Code, Failure};
use crate::tool::output::Output;

pub fn run(common: &Common, clear: Clear, output: &mut Output<'_>) -> Result<Code, Failure> {
    let target = Target::find(common)?;
    let (name, prefix) = (&target.backend.name, &target.backend.key_prefix);
    let place = address(&target.backend.kind);
    if prefix.is_empty() && !clear.without_prefix {
        let text = format!(
            "`{name}` has no key_prefix, so everything at {place} but what stores keep would go, whoever wrote it; give --without-prefix if that is meant"
        );
        return Err(Failure::new(Code::Usage, text));
    }
    if !clear.yes {
        let what =
            if prefix.is_empty() { "everything".to_owned() } else { format!("every key under `{prefix}:`") };
        return Err(Failure::new(
            Code::Usage,
            format!("{what} at {place} would go; give --yes if that is meant"),
        ));
    }
    target.cache.clear()?;
    output.line(
        &json!({"backend": name, "prefix": prefix, "cleared": true}),
        format_args!("{name}: cleared"),
    )?;
    Ok(Code::Done)
}
