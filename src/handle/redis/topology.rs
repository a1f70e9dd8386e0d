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
    /// Where each of them is, and how it is reached.
    pub(crate) each: Vec<(Endpoint, Settings)>,
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
    let reached = |sentinel: Endpoint| own.at(&sentinel).map(|settings| (sentinel, settings));
    let each = endpoints(further, settings)?.into_iter().map(reached).collect::<Result<_>>()?;
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
                let sentinels: Vec<_> = each.iter().map(|(sentinel, _)| sentinel.to_string()).collect();
                f.debug_struct("Sentinel").field("master", master).field("sentinels", &sentinels).finish()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Redis, RedisBuilder};
    use super::*;

    const URL: &str = "redis://u:S3CR3T-7f2a@h:1";
    const NONE: [&str; 0] = [];

    fn sentinel(url: &str) -> RedisBuilder {
        Redis::builder(url).sentinel("m", ["s:2"]).sentinel_credentials(Some("S3CR3T-7f2a"), "S3CR3T-7f2a")
    }

    #[test]
    fn the_master_has_the_login_of_the_url_and_the_sentinels_their_own() {
        let redis = sentinel("redis://u:p@h:1/3").build().unwrap();
        let settings = &redis.shared.settings;
        assert!(settings.database == 3 && settings.password.as_deref() == Some("p") && settings.master_only);
        let Topology::Sentinel(Sentinels { each, .. }) = &redis.shared.topology else { panic!("sentinels") };
        let addresses: Vec<_> = each.iter().map(|(_, settings)| settings.address.to_string()).collect();
        assert_eq!(addresses, ["h:1", "s:2"]);
        for (_, settings) in each {
            assert!(
                settings.database == 0
                    && settings.password.as_deref() == Some("S3CR3T-7f2a")
                    && !settings.master_only
            );
        }
        let nobody = Redis::builder(URL).sentinel("m", NONE).build().unwrap();
        let Topology::Sentinel(Sentinels { each, .. }) = &nobody.shared.topology else { panic!("sentinels") };
        assert!(each[0].1.password.is_none() && each[0].1.username.is_none());
    }

    #[test]
    fn servers_that_cannot_belong_together_are_refused_with_what_to_do() {
        let table = [
            (sentinel("redis://h:1").sentinel("", NONE), "has no name"),
            (sentinel("redis://h:1").sentinel("my master", NONE), "blanks"),
            (sentinel("redis://h:1").sentinel("m", ["redis://:S3CR3T-7f2a@s:1"]), "host:port"),
            (sentinel("unix:///run/r.sock"), "Unix socket"),
            (sentinel("redis://h:1").ca_file("ca.pem"), "rediss://"),
            (Redis::builder(URL).sentinel_credentials(None, "p"), "no sentinel()"),
            #[cfg(feature = "cluster")]
            (Redis::builder(URL).cluster(["h"]), "host:port"),
            #[cfg(feature = "cluster")]
            (Redis::builder("redis://h:1/2").cluster(NONE), "database 0"),
            #[cfg(feature = "cluster")]
            (Redis::builder("unix:///run/r.sock").cluster(NONE), "Unix socket"),
            #[cfg(feature = "cluster")]
            (Redis::builder("redis://h:1").ca_file("ca.pem").cluster(NONE), "rediss://"),
            #[cfg(feature = "cluster")]
            (sentinel("redis://h:1").cluster(NONE), "keep cluster() or sentinel()"),
        ];
        for (builder, advice) in table {
            let error = builder.build().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            let text = format!("{error} {error:?}");
            assert!(text.contains(advice) && !text.contains("S3CR3T"), "{text}");
        }
    }

    #[test]
    fn a_handle_shows_its_servers_and_no_login() {
        let shown = format!("{:?} {:?}", sentinel(URL), sentinel(URL).build().unwrap());
        assert!(shown.contains(r#"Sentinel { master: "m", sentinels: ["h:1", "s:2"] }"#), "{shown}");
        assert!(!shown.contains("S3CR3T"), "{shown}");
        #[cfg(feature = "cluster")]
        {
            // The same node twice is one.
            let shown = format!("{:?}", Redis::builder(URL).cluster(["[::1]:7", "h:1"]).build().unwrap());
            assert!(
                shown.contains(r#"Cluster { nodes: ["h:1", "[::1]:7"] }"#) && !shown.contains("S3CR3T"),
                "{shown}"
            );
        }
    }
}
