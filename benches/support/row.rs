//! One quantity of several peers.

/// What one quantity came to, ours first.
pub struct Row {
    pub name: String,
    pub unit: &'static str,
    pub figures: Vec<(&'static str, f64)>,
    /// How many times each figure ours is.
    ratios: Vec<f64>,
}

/// Who is measured, and what measures it once.
pub type Contender<'a> = (&'static str, Box<dyn FnMut() -> f64 + 'a>);

pub fn contender<'a>(name: &'static str, measure: impl FnMut() -> f64 + 'a) -> Contender<'a> {
    (name, Box::new(measure))
}

/// Measures every peer once per round, so that what disturbs the machine disturbs all of them. Figures are medians of all
/// rounds, and ratios medians of each round's own: a machine that is slow for seconds on end is so for both.
pub fn interleaved(
    name: impl Into<String>,
    unit: &'static str,
    rounds: usize,
    mut peers: Vec<Contender<'_>>,
) -> Row {
    let mut samples = vec![Vec::with_capacity(rounds); peers.len()];
    for round in 0..rounds {
        for turn in 0..peers.len() {
            let peer = (round + turn) % peers.len();
            samples[peer].push((peers[peer].1)());
        }
    }
    let ours = samples[0].clone();
    let ratio =
        |theirs: &Vec<f64>| median(ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect());
    let ratios = samples.iter().map(ratio).collect();
    let medians = peers.iter().zip(samples).map(|(peer, samples)| (peer.0, median(samples)));
    Row { name: name.into(), unit, figures: medians.collect(), ratios }
}

pub fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

impl Row {
    /// Of figures that were each measured once.
    pub fn of(name: String, unit: &'static str, figures: Vec<(&'static str, f64)>) -> Row {
        let ratios = figures.iter().map(|(_, figure)| figures[0].1 / figure).collect();
        Row { name, unit, figures, ratios }
    }

    pub fn figure(&self, peer: &str) -> Option<f64> {
        self.figures.iter().find(|(held, _)| *held == peer).map(|(_, figure)| *figure)
    }

    /// How many times this peer's figure ours is.
    pub fn ratio(&self, peer: &str) -> f64 {
        let place = self.figures.iter().position(|(held, _)| *held == peer).expect("the peer was measured");
        self.ratios[place]
    }
}

/// What is said of a figure beside the figure.
#[derive(Clone, Copy)]
pub enum Relation {
    /// How many times this one ours is.
    OursToIt,
    /// How far above this peer it lies.
    Above(&'static str),
    /// Nothing.
    Alone,
}

impl Relation {
    pub fn of(self, row: &Row, peer: &str) -> Option<f64> {
        match self {
            Relation::OursToIt => Some(row.ratio(peer)),
            Relation::Above(other) => Some(row.figure(peer)? - row.figure(other)?),
            Relation::Alone => None,
        }
    }

    pub fn meaning(self) -> String {
        match self {
            Relation::OursToIt => "in brackets: the first column to it".to_owned(),
            Relation::Above(other) => format!("in brackets: above {other}"),
            Relation::Alone => String::new(),
        }
    }

    pub fn text(self, row: &Row, peer: &str) -> String {
        match (self, self.of(row, peer)) {
            (Relation::Above(_), Some(points)) => format!("({points:+.1})"),
            (_, Some(ratio)) => format!("({ratio:.2})"),
            (_, None) => String::new(),
        }
    }
}
