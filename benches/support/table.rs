//! Rows as lines, peers as columns.

use super::row::{Relation, Row};

pub fn print(rows: &[Row], relation: Relation) {
    let peers = peers(rows);
    let wide = rows.iter().map(|row| row.name.len()).max().unwrap_or_default();
    println!("{}", relation.meaning());
    print!("{:wide$} {:>7}", "", "");
    peers.iter().for_each(|peer| print!(" {peer:>COLUMN$}"));
    println!();
    for row in rows {
        print!("{:wide$} {:>7}", row.name, row.unit);
        peers.iter().for_each(|peer| print!(" {:>COLUMN$}", cell(row, peer, relation)));
        println!();
    }
}

const COLUMN: usize = 17;

/// Every peer of any row, in order of appearance.
pub fn peers(rows: &[Row]) -> Vec<&'static str> {
    let mut peers = Vec::new();
    for (peer, _) in rows.iter().flat_map(|row| &row.figures) {
        if !peers.contains(peer) {
            peers.push(*peer);
        }
    }
    peers
}

fn cell(row: &Row, peer: &str, relation: Relation) -> String {
    let Some(figure) = row.figure(peer) else { return "-".to_owned() };
    format!("{} {:>7}", digits(figure), relation.text(row, peer))
}

pub fn digits(figure: f64) -> String {
    if figure.abs() < 100.0 { format!("{figure:.2}") } else { format!("{figure:.0}") }
}
