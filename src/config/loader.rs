//! The way from what was written to a configuration: profile, variables, keys, rules.

use std::fmt;
#[cfg(feature = "yaml")]
use std::path::Path;

use serde::de::{Deserialize as _, Deserializer, Error as _};

use super::expand::expand;
#[cfg(feature = "yaml")]
use super::expand::expanded;
use super::fault::{Report, Step};
use super::features::Features;
use super::reader::AROUND;
use super::source::{Mark, Source, Sources};
use super::tree::{Entry, Node, Value};
#[cfg(feature = "yaml")]
use super::value::FromNode as _;
use super::variables::Variables;
use super::{Config, Environment, overlay, reader};
#[cfg(feature = "yaml")]
use super::{profile, yaml};
use crate::error::Result;

/// Reads configurations, in an environment of one's choice. [`Config::from_yaml_file`] and its like are short for one with
/// the environment of the process.
///
/// What is read is completed in this order: the file for the environment (`cache.production.yaml` beside
/// `cache.yaml`) is laid over it, `${VAR}` and `${VAR:-default}` in texts are replaced, variables such as
/// `LEX_CACHE__BACKENDS__0__REDIS_URL` are laid over the keys they name, and secrets that begin with `file:` are read from
/// there. Then it is checked.
///
/// ```
/// # #[cfg(feature = "yaml")] {
/// use lexigram_cache::config::{ConfigLoader, Environment};
///
/// let variables = [("SIZE", "500"), ("LEX_CACHE__SERVICE__ENABLE_PROTECTION", "false")];
/// let config = ConfigLoader::new()
///     .variables(variables)
///     .environment(Environment::Test)
///     .yaml_str("backends: [{name: local, type: memory, max_size: \"${SIZE}\"}]")?;
/// assert!(!config.service.enable_protection);
/// assert_eq!(config.env, Some(Environment::Test));
/// # }
/// # Ok::<(), lexigram_cache::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct ConfigLoader {
    /// `None` is that of the process, at the time of reading.
    variables: Option<Variables>,
    environment: Option<Environment>,
}

/// Shows no variables: they hold secrets.
impl fmt::Debug for ConfigLoader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigLoader").field("environment", &self.environment).finish_non_exhaustive()
    }
}

impl ConfigLoader {
    /// A loader with the variables of the process.
    pub fn new() -> ConfigLoader {
        ConfigLoader::default()
    }

    /// The variables to look at in place of those of the process, which are then not looked at.
    #[must_use]
    pub fn variables<K: Into<String>, V: Into<String>>(
        mut self,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> ConfigLoader {
        self.variables = Some(variables.into_iter().collect());
        self
    }

    /// Where the program runs, whatever is written. Defaults to `LEX_CACHE__ENV`, the key `env`, `LEX_ENV`, `APP_ENV`, the first
    /// of them that is there.
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> ConfigLoader {
        self.environment = Some(environment);
        self
    }

    /// Reads a YAML file, and the one for the environment beside it if there is one.
    ///
    /// # Errors
    /// As [`Config::from_yaml_file`].
    #[cfg(feature = "yaml")]
    pub fn yaml_file(&self, path: impl AsRef<Path>) -> Result<Config> {
        let path = path.as_ref();
        let mut reading = Reading::new(self);
        let root = yaml::parse(&yaml::read_file(path)?, Some(path), &mut reading.sources)?;
        reading.begin(root, self.environment);
        if let Some(environment) = reading.environment() {
            let path = profile::path(path, environment);
            if path.exists() {
                let over = yaml::parse(&yaml::read_file(&path)?, Some(&path), &mut reading.sources)?;
                reading.merge(over, environment);
            }
        }
        reading.finish(&Features::COMPILED)
    }

    /// Reads a YAML text.
    ///
    /// # Errors
    /// As [`Config::from_yaml_str`].
    #[cfg(feature = "yaml")]
    pub fn yaml_str(&self, text: &str) -> Result<Config> {
        self.yaml_str_with(text, &Features::COMPILED)
    }

    /// The same, as if the build had these features.
    #[cfg(feature = "yaml")]
    pub(super) fn yaml_str_with(&self, text: &str, features: &Features) -> Result<Config> {
        let mut reading = Reading::new(self);
        let root = yaml::parse(text, None, &mut reading.sources)?;
        reading.begin(root, self.environment);
        reading.finish(features)
    }

    /// Reads any format that describes itself.
    ///
    /// # Errors
    /// The format's own, and what is wrong with the configuration as a text: a fault is then told by its path alone.
    pub fn deserialize<'de, D: Deserializer<'de>>(&self, deserializer: D) -> Result<Config, D::Error> {
        let root = Node::deserialize(deserializer)?;
        let mut reading = Reading::new(self);
        reading.begin(root, self.environment);
        reading.finish(&Features::COMPILED).map_err(D::Error::custom)
    }
}

/// A configuration on its way.
struct Reading {
    variables: Variables,
    sources: Sources,
    report: Report,
    root: Node,
}

impl Reading {
    fn new(loader: &ConfigLoader) -> Reading {
        Reading {
            variables: loader.variables.clone().unwrap_or_else(Variables::of_process),
            sources: Sources::default(),
            report: Report::new(),
            root: Node { mark: Mark::default(), value: Value::Nothing },
        }
    }

    /// Takes what was written, and settles in which environment it holds.
    fn begin(&mut self, root: Node, told: Option<Environment>) {
        self.root = root;
        let overlaid = self.variables.beginning_with(overlay::START).next().is_some();
        let section = section(&mut self.root);
        if overlaid && matches!(section.value, Value::Nothing) {
            section.value = Value::Map(Vec::new());
        }
        let is_written = section.get("env").is_some();
        let own = format!("{}ENV", overlay::START);
        match told {
            Some(environment) => {
                self.variables.forget(&own);
                self.set_env(environment.name().to_owned(), Mark::default());
            }
            None if self.set_env_by(&own) || is_written => {}
            None => {
                let _ = self.set_env_by("LEX_ENV") || self.set_env_by("APP_ENV");
            }
        }
    }

    /// Whether there is such a variable.
    fn set_env_by(&mut self, name: &str) -> bool {
        let Some(value) = self.variables.get(name).filter(|value| !value.is_empty()) else { return false };
        let value = value.to_owned();
        let source = self.sources.add(Source::Variable(name.to_owned()));
        self.set_env(value, Mark { source, ..Mark::default() });
        true
    }

    fn set_env(&mut self, value: String, mark: Mark) {
        if let Value::Map(entries) = &mut section(&mut self.root).value {
            entries.retain(|entry| entry.key.as_deref() != Some("env"));
            let node = Node { mark, value: Value::Loose(value) };
            entries.push(Entry { key: Some("env".to_owned()), mark, node });
        }
    }

    /// The environment, if it is a known one. What is wrong with it is told at the end.
    #[cfg(feature = "yaml")]
    fn environment(&mut self) -> Option<Environment> {
        let text = section(&mut self.root).get("env")?.node.text()?.to_owned();
        let text = expanded(&text, &self.variables).ok()?.unwrap_or(text);
        Environment::from_node(&Node { mark: Mark::default(), value: Value::Text(text) }).ok()
    }

    /// Lays the file for the environment over what was written.
    #[cfg(feature = "yaml")]
    fn merge(&mut self, over: Node, environment: Environment) {
        let report = &mut self.report;
        let Some(over) = unwrapped(over, report) else { return };
        if let Some(entry) = over.get("env")
            && Environment::from_node(&entry.node).ok() != Some(environment)
        {
            let text = format!("this is the file for {}; take the key out here", environment.name());
            report.inside_all(around(&self.root), |report| {
                report.inside(Step::Key("env"), entry.mark, |report| report.fault(text));
            });
        }
        profile::merge(section(&mut self.root), over);
    }

    /// Puts in what variables say, reads the keys, and checks it all.
    fn finish(mut self, features: &Features) -> Result<Config> {
        expand(&mut self.root, &self.variables, &mut self.report);
        let around = around(&self.root);
        let (section, variables, sources) = (section(&mut self.root), &self.variables, &mut self.sources);
        self.report.inside_all(around, |report| overlay::lay_over(section, variables, sources, report));
        let config = reader::config(&self.root, &mut self.report);
        self.report.inside_all(around, |report| config.check(features, report));
        self.report.finish(&self.sources)?;
        Ok(config)
    }
}

/// The steps to what holds the keys: all of them stand under `cache`, or at the top.
fn around(root: &Node) -> &'static [Step<'static>] {
    if root.get(AROUND).is_some() { &[Step::Key(AROUND)] } else { &[] }
}

/// What holds the keys.
fn section(root: &mut Node) -> &mut Node {
    let place = match &root.value {
        Value::Map(entries) => entries.iter().position(|entry| entry.key.as_deref() == Some(AROUND)),
        _ => None,
    };
    match (place, root) {
        (Some(place), Node { value: Value::Map(entries), .. }) => &mut entries[place].node,
        (_, root) => root,
    }
}

/// What holds the keys of a file for one environment; `None` if there are none.
#[cfg(feature = "yaml")]
fn unwrapped(root: Node, report: &mut Report) -> Option<Node> {
    let is_wrapped = root.get(AROUND).is_some();
    let entries = match root.value {
        Value::Map(entries) => entries,
        Value::Nothing => return None,
        _ => {
            let text = format!("expected a mapping of keys; this is {}", root.noun());
            report.fault_at(root.mark, text);
            return None;
        }
    };
    if !is_wrapped {
        return Some(Node { mark: root.mark, value: Value::Map(entries) });
    }
    let mut section = None;
    for entry in entries {
        match entry.key.as_deref() {
            Some(AROUND) if section.is_none() => section = Some(entry.node),
            Some(AROUND) => {
                report.inside(Step::Key(AROUND), entry.mark, |report| report.fault("given twice"));
            }
            _ => report.inside(Step::Key(entry.printable()), entry.mark, |report| {
                report.fault("unknown key; everything belongs under `cache`");
            }),
        }
    }
    section
}
