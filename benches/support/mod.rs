//! Peers side by side: the same work for each, measured in turns, told by medians, held against goals.

// Every bench compiles the whole folder and uses a part of it.
#![allow(dead_code, unused_imports)]

mod abreast;
mod arguments;
mod chart;
mod goal;
mod peers;
mod report;
mod row;
mod server;
mod table;
mod throughput;
mod value;
mod zipf;

pub use abreast::abreast;
pub use arguments::{argument, files, flag, numbers, wanted};
pub use goal::{Bound, goal, goal_against};
pub use peers::{Cached, Locked, MiniMoka, Moka, Ours, Peer, Quick};
pub use report::report;
pub use row::{Contender, Relation, Row, contender, interleaved, median};
pub use server::Server;
pub use throughput::throughput;
pub use value::{Blob, Kind, Record};
pub use zipf::{Random, Zipf, name};
