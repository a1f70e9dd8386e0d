//! A walk over the keys, page by page: one step of SCAN, and a look at what it has found.

use super::servers::Share;
use super::{Remote, maybe_async};

use crate::deadline::Deadline;
use crate::entry::Page;
use crate::error::{Error, ErrorKind, Result};
use crate::key::Prefix;
use crate::pattern::Pattern;
use crate::wire::redis as wire;

/// Where a walk stands, as text: `cursor server server ..`. The servers are fixed where it begins, or one that takes over
/// meanwhile could be passed over.
struct Stand {
    cursor: u64,
    /// Those that are still to be walked, the present one first. One that is alone has no name.
    servers: Vec<String>,
}

impl Stand {
    fn first(shares: &[Share]) -> Stand {
        Stand { cursor: 0, servers: shares.iter().map(Share::name).collect() }
    }

    fn read(text: &str) -> Option<Stand> {
        let (cursor, servers) = text.split_once(' ')?;
        Some(Stand { cursor: cursor.parse().ok()?, servers: servers.split(' ').map(Into::into).collect() })
    }

    /// After a step of SCAN that told this cursor; `None` at the end of the last server.
    fn after(mut self, cursor: u64) -> Option<String> {
        if cursor == 0 {
            self.servers.remove(0);
        }
        (!self.servers.is_empty()).then(|| format!("{cursor} {}", self.servers.join(" ")))
    }
}

#[maybe_async]
impl Remote {
    /// One round trip, and one more if anything was found.
    pub(super) async fn page(
        &self,
        prefix: &Prefix,
        pattern: &Pattern,
        from: Option<&str>,
        deadline: Deadline,
    ) -> Result<Page> {
        let stand = match from {
            Some(text) => Stand::read(text).ok_or_else(Page::unknown_place)?,
            None => Stand::first(&self.servers.shares(deadline).await?),
        };
        let Some(server) = stand.servers.first() else { return Ok(Page::default()) };
        let share = self.servers.share_of(server, deadline).await?.ok_or_else(|| {
            let text = "a master that was still to be walked is none any more; begin the walk again";
            Error::new(ErrorKind::Unavailable, text)
        })?;
        let request = wire::scan(stand.cursor, &pattern.within(prefix));
        let replies = self.servers.exchange_on(&share, &request, deadline).await?;
        let (cursor, keys) = wire::read_scan(wire::read_last(replies)?)?;
        let calls = wire::alive(&keys, prefix, self.servers.keep_together());
        let replies = self.call_each(&calls, deadline).await?.into_iter().collect::<Result<_>>()?;
        Ok(Page { names: wire::read_names(keys, replies, prefix)?, next: stand.after(cursor) })
    }
}

#[cfg(test)]
mod tests {
    use super::Stand;

    #[test]
    fn a_walk_goes_from_server_to_server_and_ends_after_the_last() {
        let stand = |text: &str| Stand::read(text).unwrap();
        assert_eq!(stand("0 a:1 [::1]:2").after(17).as_deref(), Some("17 a:1 [::1]:2"));
        assert_eq!(stand("17 a:1 [::1]:2").after(0).as_deref(), Some("0 [::1]:2"));
        assert_eq!(stand("5 [::1]:2").after(0), None);
        assert_eq!(stand("0 ").after(9).as_deref(), Some("9 "));
        assert_eq!(stand("9 ").after(0), None);
        assert!(["", "x y", "7", "-1 a"].iter().all(|text| Stand::read(text).is_none()));
    }
}
