//! Percentiles as bars in an SVG, all on one scale.

use std::fmt::Write as _;
use std::time::Duration;

use super::commands::bench::Measured;
use super::time::latency;

/// Each call has a group of bars, which are as long as the logarithm of what they show.
pub fn bars(title: &str, measured: &mut [Measured]) -> String {
    let groups: Vec<_> =
        measured.iter_mut().map(|one| (one.call, one.per_second, one.percentiles())).collect();
    let lines: usize = groups.iter().map(|(_, _, bars)| bars.len() + 2).sum();
    let mut svg = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
        (lines + 2) * LINE
    );
    text(&mut svg, 0, 0, "start", title);
    let mut line = 2;
    for (call, per_second, bars) in groups {
        text(&mut svg, 0, line, "start", &format!("{call}, {per_second:.0} per second"));
        line += 1;
        for (name, figure) in bars {
            let width = length(figure);
            text(&mut svg, NAMES, line, "end", name);
            let (x, y) = (NAMES + 2 * GAP, line * LINE + 5);
            let _ = writeln!(
                svg,
                "<rect x=\"{x}\" y=\"{y}\" width=\"{width:.1}\" height=\"12\" fill=\"#c2410c\"/>"
            );
            text(&mut svg, x + width as usize, line, "start", &latency(figure));
            line += 1;
        }
        line += 1;
    }
    svg + "</svg>\n"
}

fn text(svg: &mut String, x: usize, line: usize, anchor: &str, text: &str) {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let (x, y) = (x + GAP, (line + 1) * LINE);
    let _ = writeln!(svg, "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{text}</text>");
}

/// From 100 ns to 10 s, eight powers of ten.
fn length(figure: Duration) -> f64 {
    let powers = (figure.as_secs_f64().max(1e-7) / 1e-7).log10();
    powers.min(8.0) / 8.0 * LONGEST
}

const WIDTH: usize = 800;
const NAMES: usize = 60;
const LONGEST: f64 = 600.0;
const GAP: usize = 6;
const LINE: usize = 16;
