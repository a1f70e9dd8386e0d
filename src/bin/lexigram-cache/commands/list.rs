//! `list`: the backends of the configuration.

use lexigram_cache::config::{BackendConfig, Serializer};
use serde_json::json;

use crate::tool::arguments::Common;
use crate::tool::configured::{Configured, address};
use crate::tool::failure::{Code, Failure};
use crate::tool::output::Output;
use crate::tool::table::Table;

pub fn run(common: &Common, output: &mut Output<'_>) -> Result<Code, Failure> {
    let configured = Configured::find(common)?;
    let (config, default) = (&configured.config, configured.config.default_name()?);
    let mut table = Table::new(&["NAME", "TYPE", "DEFAULT", "ENABLED", "PREFIX", "TTL", "VALUES", "ADDRESS"]);
    for backend in &config.backends {
        let BackendConfig { name, enabled, key_prefix, kind, .. } = backend;
        let values = form(backend.serializer.unwrap_or(config.service.default_serializer));
        let (is_default, address, type_) = (name == default, address(kind), kind.name());
        let ttl = backend.default_ttl.map(|ttl| ttl.as_secs_f64());
        if output.is_json() {
            output.object(&json!({
                "name": name, "type": type_, "default": is_default, "enabled": enabled, "prefix": key_prefix,
                "ttl": ttl, "values": values, "address": address,
            }))?;
        }
        let (yes, ttl) = (|is| if is { "yes" } else { "no" }, ttl.map(|ttl| format!("{ttl} s")));
        table.row([
            name.clone(),
            type_.to_owned(),
            yes(is_default).to_owned(),
            yes(*enabled).to_owned(),
            key_prefix.clone(),
            ttl.unwrap_or_else(|| "never".to_owned()),
            values.to_owned(),
            address,
        ]);
    }
    if !output.is_json() {
        table.lines().try_for_each(|line| output.text(line))?;
    }
    Ok(Code::Done)
}

/// As a configuration writes it.
fn form(serializer: Serializer) -> &'static str {
    match (serializer.is_postcard(), serializer.is_compressed()) {
        (false, false) => "json",
        (false, true) => "json+compression",
        (true, false) => "postcard",
        (true, true) => "postcard+compression",
    }
}
