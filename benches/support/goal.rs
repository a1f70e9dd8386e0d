//! What was measured, held against what was promised.

use super::row::Row;

#[derive(Clone, Copy)]
pub enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

/// Says whether what was measured keeps within the bound.
pub fn goal(name: &str, measured: f64, bound: Bound) {
    let (bound, met) = match bound {
        Bound::AtLeast(least) => (least, measured >= least),
        Bound::AtMost(most) => (most, measured <= most),
    };
    let verdict = if met { "met" } else { "missed" };
    println!("goal {} {measured:.2} {bound:.2} {verdict}", name.replace([' ', '/'], "_"));
}

/// The same of how many times the peer's figure ours is, if that row was measured.
pub fn goal_against(rows: &[Row], name: &str, peer: &str, bound: Bound) {
    if let Some(row) = rows.iter().find(|row| row.name == name) {
        goal(name, row.ratio(peer), bound);
    }
}
