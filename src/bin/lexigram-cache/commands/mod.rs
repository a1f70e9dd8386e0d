//! One command each.

pub mod bench;
pub mod check;
pub mod clear;
pub mod completions;
pub mod del;
pub mod doctor;
pub mod dump;
pub mod get;
pub mod keys;
pub mod limit;
pub mod list;
pub mod lock;
pub mod man;
pub mod ping;
pub mod restore;
pub mod schema;
pub mod set;
pub mod stats;
pub mod ttl;
pub mod warm;
