//! A walk over the names of a namespace, a page at a time: it keeps no more than where it stands.

use super::{BackendHandle, maybe_async};

use crate::deadline::Deadline;
use crate::error::Result;
use crate::key::Prefix;
use crate::pattern::Pattern;

pub(in super::super) struct Walk {
    prefix: Prefix,
    pattern: Pattern,
    from: Option<String>,
    ended: bool,
}

impl Walk {
    pub(in super::super) fn new(prefix: Prefix, pattern: Pattern) -> Walk {
        Walk { prefix, pattern, from: None, ended: false }
    }
}

#[maybe_async]
impl Walk {
    /// The next page, which may be empty; `None` after the last. After an error the walk stands where it stood.
    pub(in super::super) async fn next(
        &mut self,
        backend: &BackendHandle,
        deadline: Deadline,
    ) -> Result<Option<Vec<String>>> {
        if self.ended {
            return Ok(None);
        }
        let page = backend.list(&self.prefix, &self.pattern, self.from.as_deref(), deadline).await?;
        self.ended = page.next.is_none();
        self.from = page.next;
        Ok(Some(page.names))
    }
}
