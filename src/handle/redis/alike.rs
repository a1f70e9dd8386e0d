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
