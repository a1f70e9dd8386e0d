//! Which of several servers has a key: rendezvous hashing (Thaler and Ravishankar, 1998).
//!
//! The server with the highest score has the key: the FNV-1a hash (64 bits) of the key's bytes, exclusive-or that of the
//! server's address, through the finalizer of SplitMix64. All three are written down elsewhere, so that a program in
//! another language finds the same server, and no release of a hash function moves all keys.

/// Servers by what their addresses hash to.
#[derive(Debug)]
pub(crate) struct Rendezvous(Vec<u64>);

impl Rendezvous {
    pub(crate) fn new(addresses: &[String]) -> Rendezvous {
        Rendezvous(addresses.iter().map(|address| fnv1a(address.as_bytes())).collect())
    }

    /// The position of the server among the addresses.
    pub(crate) fn route(&self, key: &[u8]) -> usize {
        if self.0.len() == 1 {
            return 0;
        }
        let key = fnv1a(key);
        let scores = self.0.iter().map(|server| finalize(key ^ server)).enumerate();
        scores.max_by_key(|(_, score)| *score).map_or(0, |(position, _)| position)
    }
}

fn fnv1a(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

fn finalize(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(servers: usize) -> Vec<String> {
        (1..=servers).map(|n| format!("10.0.0.{n}:11211")).collect()
    }

    #[test]
    fn the_hashes_are_those_of_their_papers() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
        // The first number of a SplitMix64 whose state was 0.
        assert_eq!(finalize(0x9e37_79b9_7f4a_7c15), 0xe220_a839_7b1d_cdaf);
    }

    #[test]
    fn every_release_finds_these_keys_on_these_servers() {
        let servers = Rendezvous::new(&addresses(3));
        let found: Vec<_> = (0..16).map(|n| servers.route(format!("app:key {n}").as_bytes())).collect();
        assert_eq!(found, PINNED);
    }

    const PINNED: [usize; 16] = [0, 0, 1, 2, 2, 0, 2, 0, 0, 0, 1, 1, 2, 1, 2, 2];

    #[test]
    #[cfg_attr(miri, ignore = "thousands of rounds")]
    fn each_server_has_its_share_and_only_that_moves_when_it_goes() {
        let (three, two) = (Rendezvous::new(&addresses(3)), Rendezvous::new(&addresses(2)));
        let mut shares = [0_u32; 3];
        for n in 0..30_000 {
            let key = format!("user:{n}");
            let place = three.route(key.as_bytes());
            shares[place] += 1;
            assert!(place == 2 || two.route(key.as_bytes()) == place, "{key} moved without a reason");
        }
        assert!(shares.iter().all(|share| (9_500..10_500).contains(share)), "{shares:?}");
    }

    #[test]
    #[cfg_attr(miri, ignore = "thousands of rounds")]
    fn the_order_in_which_servers_are_named_is_of_no_account() {
        let named = addresses(5);
        let reversed: Vec<_> = named.iter().rev().cloned().collect();
        let (one, other) = (Rendezvous::new(&named), Rendezvous::new(&reversed));
        for n in 0..1_000 {
            let key = format!("{n}");
            assert_eq!(named[one.route(key.as_bytes())], reversed[other.route(key.as_bytes())]);
        }
    }
}
