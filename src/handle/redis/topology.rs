//! How the servers of a backend are organised.

use std::fmt;

use super::{Address, Endpoint, Settings};
use crate::error::{Error, ErrorKind, Result};

/// What a handle's servers are to each other.
#[derive(Clone)]
pub(crate) enum Topology {
    /// One server, that of the settings.
    Standalone,
    /// Each has some of the keys; any of these tells who has which.
    #[cfg(feature = "cluster")]
    Cluster(Vec<Endpoint>),
    /// One has all of the keys; sentinels tell which.
    Sentinel(Sentinels),
}

/// Who watches the master.
#[derive(Clone)]
pub(crate) struct Sentinels {
    /// The name they know the master by.
    pub(crate) master: String,
    /// How each of them is reached.
    pub(crate) each: Vec<Settings>,
}

/// How a user wants the servers to be organised.
#[derive(Clone, Default)]
pub(super) struct Plan {
    #[cfg(feature = "cluster")]
    pub(super) cluster: Option<Vec<String>>,
    /// The name of the master, and the sentinels beside the first.
    pub(super) sentinel: Option<(String, Vec<String>)>,
    pub(super) sentinel_login: Option<(Option<String>, String)>,
}

impl Plan {
    /// # Errors
    /// `Config`, with what to do.
    pub(super) fn topology(self, settings: &Settings) -> Result<Topology> {
        #[cfg(feature = "cluster")]
        if let Some(nodes) = self.cluster {
            return match (self.sentinel, self.sentinel_login) {
                (None, None) => cluster(&nodes, settings),
                _ => wrong(
                    "a cluster needs no sentinels, it replaces its masters by itself; keep cluster() or sentinel()",
                ),
            };
        }
        match (self.sentinel, self.sentinel_login) {
            (None, None) => Ok(Topology::Standalone),
            (None, Some(_)) => wrong(
                "sentinel_credentials() is set but no sentinel(); name the master there, or take it out",
            ),
            (Some((master, further)), login) => sentinels(master, &further, login, settings),
        }
    }
}

#[cfg(feature = "cluster")]
fn cluster(further: &[String], settings: &Settings) -> Result<Topology> {
    if settings.database != 0 {
        return wrong("a Redis cluster has database 0 only; take the database out of the URL");
    }
    let nodes = endpoints(further, settings)?;
    nodes.iter().try_for_each(|node| settings.at(node).map(drop))?;
    Ok(Topology::Cluster(nodes))
}

fn sentinels(
    master: String,
    further: &[String],
    login: Option<(Option<String>, String)>,
    settings: &Settings,
) -> Result<Topology> {
    if master.is_empty() || master.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return wrong(
            "the master has no name, or one with blanks; give the one that the sentinels' `sentinel monitor` has",
        );
    }
    let (username, password) = login.map_or((None, None), |(username, password)| (username, Some(password)));
    let own = Settings { database: 0, username, password, ..settings.clone() };
    let each =
        endpoints(further, settings)?.iter().map(|sentinel| own.at(sentinel)).collect::<Result<_>>()?;
    Ok(Topology::Sentinel(Sentinels { master, each }))
}

/// That of the URL and the further ones, each once.
fn endpoints(further: &[String], settings: &Settings) -> Result<Vec<Endpoint>> {
    let Address::Tcp { host, port, .. } = &settings.address else {
        return wrong(
            "a cluster or sentinels are not reached by a Unix socket; name a host and a port in the URL",
        );
    };
    let mut all = vec![Endpoint::new(host, *port)];
    for server in further {
        let endpoint = Endpoint::parse(server)?;
        if !all.contains(&endpoint) {
            all.push(endpoint);
        }
    }
    Ok(all)
}

fn wrong<T>(text: &'static str) -> Result<T> {
    Err(Error::new(ErrorKind::Config, text))
}

/// How, and where; never with what password.
impl fmt::Debug for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Topology::Standalone => f.write_str("Standalone"),
            #[cfg(feature = "cluster")]
            Topology::Cluster(nodes) => {
                let nodes: Vec<_> = nodes.iter().map(ToString::to_string).collect();
                f.debug_struct("Cluster").field("nodes", &nodes).finish()
            }
            Topology::Sentinel(Sentinels { master, each }) => {
                let sentinels: Vec<_> = each.iter().map(|settings| settings.address.to_string()).collect();
                f.debug_struct("Sentinel").field("master", master).field("sentinels", &sentinels).finish()
            }
        }
    }
}
