//! `check`: everything that is wrong with a configuration.

use lexigram_cache::config::ConfigLoader;
use serde_json::json;

use crate::tool::arguments::{Check, Common};
use crate::tool::configured::{Configured, file};
use crate::tool::failure::{Code, Failure};
use crate::tool::output::Output;

pub fn run(common: &Common, check: Check, output: &mut Output<'_>) -> Result<Code, Failure> {
    let path = check.file.or_else(|| file(common.config.as_deref()));
    let path =
        path.ok_or_else(|| Failure::new(Code::Config, "there is no configuration to check; name a file"))?;
    let loader = check.env.map_or_else(ConfigLoader::new, |env| ConfigLoader::new().environment(env.into()));
    let config = loader.yaml_file(&path)?;
    let configured = Configured::new(config);
    // Finds what only building shows, such as a certificate that cannot be read. Dials nothing.
    configured.caches()?;
    let default = configured.config.default_name()?;
    let count = configured.config.backends.len();
    let names: Vec<&str> = configured.config.backends.iter().map(|backend| backend.name.as_str()).collect();
    output.line(
        &json!({"file": path, "valid": true, "backends": names, "default": default}),
        format_args!("{}: good; {count} backends, of which `{default}` is the default", path.display()),
    )?;
    Ok(Code::Done)
}
