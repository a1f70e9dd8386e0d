//! Peers side by side: the same work for each, measured in turns, told by medians, held against goals.

// Every bench compiles the whole folder and uses a part of it.
#![allow(dead_code, unused_imports)]

mod arguments;
mod chart;
mod goal;
mod report;
mod row;
mod table;
mod zipf;

pub use arguments::{argument, files, flag, numbers, wanted};
pub use goal::{Bound, goal, goal_against};
pub use report::report;
pub use row::{Contender, Relation, Row, contender, interleaved, median};
pub use zipf::{Random, Zipf, name};
