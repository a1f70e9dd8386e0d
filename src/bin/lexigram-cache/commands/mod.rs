//! One command each.

pub mod check;
pub mod completions;
pub mod del;
pub mod get;
pub mod list;
pub mod man;
pub mod ping;
pub mod restore;
pub mod set;
pub mod ttl;
pub mod warm;
