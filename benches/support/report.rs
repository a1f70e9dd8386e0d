//! A table on the screen, and files where they are asked for.

use std::fs;
use std::path::PathBuf;

use super::arguments::argument;
use super::row::{Relation, Row};
use super::{chart, table};

/// Prints the rows, and writes them to the files named by `--csv` and `--svg`, if there are any.
pub fn report(title: &str, rows: &[Row], relation: Relation) {
    table::print(rows, relation);
    write("--csv", || csv(rows, relation));
    write("--svg", || chart::bars(title, rows, relation));
}

fn csv(rows: &[Row], relation: Relation) -> String {
    let mut text = String::from("row,peer,median,unit,relation\n");
    for row in rows {
        for (peer, figure) in &row.figures {
            let related = relation.of(row, peer).map(|related| format!("{related:.3}")).unwrap_or_default();
            text += &format!("{},{peer},{figure:.3},{},{related}\n", row.name, row.unit);
        }
    }
    text
}

fn write(option: &str, text: impl FnOnce() -> String) {
    if let Some(path) = argument(option) {
        save(path, text());
    }
}

fn save(path: PathBuf, text: String) {
    fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
