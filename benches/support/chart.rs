//! Rows as groups of bars in an SVG. Each group has a scale of its own, since units differ.

use std::fmt::Write;

use super::row::{Relation, Row};
use super::table::digits;

pub fn bars(title: &str, rows: &[Row], relation: Relation) -> String {
    let lines: usize = rows.iter().map(|row| row.figures.len() + 1).sum();
    let mut svg = Svg::new(WIDTH, (lines + 3) * LINE);
    svg.text(0, 0, "start", title);
    let mut line = 2;
    for row in rows {
        svg.text(0, line, "start", &format!("{}, {}", row.name, row.unit));
        let longest = row.figures.iter().map(|(_, figure)| figure.abs()).fold(f64::MIN_POSITIVE, f64::max);
        for (place, (peer, figure)) in row.figures.iter().enumerate() {
            let width = figure.abs() / longest * LONGEST;
            svg.text(NAMES, line, "end", peer);
            svg.bar(NAMES + GAP, line, width, if place == 0 { OURS } else { PEER });
            let said = format!("{} {}", digits(*figure), relation.text(row, peer));
            svg.text(NAMES + 2 * GAP + width as usize, line, "start", &said);
            line += 1;
        }
        line += 1;
    }
    svg.finish()
}

const WIDTH: usize = 900;
const NAMES: usize = 340;
const LONGEST: f64 = 420.0;
const GAP: usize = 6;
const LINE: usize = 16;
const OURS: &str = "#c2410c";
const PEER: &str = "#94a3b8";

struct Svg(String);

impl Svg {
    fn new(width: usize, height: usize) -> Svg {
        let size = format!("width=\"{width}\" height=\"{height}\"");
        let open = "<svg xmlns=\"http://www.w3.org/2000/svg\"";
        let style = "font-family=\"sans-serif\" font-size=\"12\"";
        let paper = "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>";
        Svg(format!("{open} {size} {style}>\n{paper}\n"))
    }

    fn text(&mut self, x: usize, line: usize, anchor: &str, text: &str) {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        let (x, y) = (x + GAP, (line + 1) * LINE);
        writeln!(self.0, "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{text}</text>").expect(GROWS);
    }

    fn bar(&mut self, x: usize, line: usize, width: f64, fill: &str) {
        let (x, y, height) = (x + GAP, line * LINE + 5, LINE - 3);
        let place = format!("x=\"{x}\" y=\"{y}\" width=\"{width:.1}\" height=\"{height}\"");
        writeln!(self.0, "<rect {place} fill=\"{fill}\"/>").expect(GROWS);
    }

    fn finish(mut self) -> String {
        self.0 += "</svg>\n";
        self.0
    }
}

const GROWS: &str = "a string takes what is written to it";
