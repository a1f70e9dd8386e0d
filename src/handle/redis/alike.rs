//! Whether two handles lead to the same servers in the same way, so that one will do.

use super::{Redis, Settings, Topology};

impl Redis {
    /// Certificates are left to who asks: what was made of them cannot be compared.
    pub(crate) fn is_alike(&self, other: &Redis) -> bool {
        let (one, two) = (&self.shared, &other.shared);
        are_alike(&one.settings, &two.settings)
            && match (&one.topology, &two.topology) {
                (Topology::Standalone, Topology::Standalone) => true,
                #[cfg(feature = "cluster")]
                (Topology::Cluster(one), Topology::Cluster(two)) => one == two,
                (Topology::Sentinel(one), Topology::Sentinel(two)) => {
                    let pairs = || one.each.iter().zip(&two.each);
                    one.master == two.master
                        && one.each.len() == two.each.len()
                        && pairs().all(|(one, two)| one.0 == two.0 && are_alike(&one.1, &two.1))
                }
                _ => false,
            }
    }
}

fn are_alike(one: &Settings, two: &Settings) -> bool {
    one.address.identity() == two.address.identity()
        && (one.database, one.pool_size, one.breaker) == (two.database, two.pool_size, two.breaker)
        && one.max_reply_size == two.max_reply_size
        && (&one.username, &one.password) == (&two.username, &two.password)
        && (&one.client_name, one.resp3) == (&two.client_name, two.resp3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handle::redis::RedisBuilder;

    fn redis() -> RedisBuilder {
        Redis::builder("redis://u:p@a:1")
    }

    /// Each is like itself, and like no other of these.
    fn each_is_its_own(handles: Vec<RedisBuilder>) {
        let built = || handles.iter().map(|builder| builder.clone().build().unwrap()).collect::<Vec<_>>();
        for (one, here) in built().iter().enumerate() {
            for (two, there) in built().iter().enumerate() {
                assert_eq!(here.is_alike(there), one == two, "{here:?} and {there:?}");
            }
        }
    }

    #[test]
    fn one_server_is_one_handle_if_it_is_reached_in_the_same_way() {
        each_is_its_own(vec![
            redis(),
            redis().pool_size(3),
            redis().breaker(None),
            redis().client_name("other"),
            redis().resp3(true),
            redis().max_reply_size(1 << 20),
            Redis::builder("redis://u:q@a:1"),
            Redis::builder("redis://v:p@a:1"),
            Redis::builder("redis://u:p@b:1"),
            Redis::builder("redis://u:p@a:2"),
            Redis::builder("redis://u:p@a:1/2"),
            Redis::builder("rediss://u:p@a:1"),
            Redis::builder("unix:///run/redis.sock"),
        ]);
        assert!(redis().build().unwrap().is_alike(&Redis::builder("redis://u:p@a:1/0").build().unwrap()));
    }

    #[test]
    fn several_servers_are_one_handle_if_all_of_them_are_the_same() {
        let further: [&[&str]; 4] = [&[], &["b:1"], &["b:2"], &["b:1", "b:2"]];
        let sentinels = further.map(|servers| redis().sentinel("m", servers.to_vec()));
        let credentials = |user| redis().sentinel("m", ["b:1"]).sentinel_credentials(user, "p");
        let mut handles =
            vec![redis(), redis().sentinel("n", ["b:1"]), credentials(None), credentials(Some("u"))];
        handles.extend(sentinels);
        #[cfg(feature = "cluster")]
        handles.extend(further.map(|servers| redis().cluster(servers.to_vec())));
        each_is_its_own(handles);
    }
}
