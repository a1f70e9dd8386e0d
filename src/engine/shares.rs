//! A batch in parts that do not share a fate: each is asked for by itself, in its share of the time.

use std::vec::IntoIter;

use crate::deadline::Deadline;

/// The parts of a batch that are still to be asked for. A part's share is taken when its turn comes, so what one part
/// left of its time is for the others.
pub(crate) struct Shares<T> {
    parts: IntoIter<Vec<T>>,
    deadline: Deadline,
}

impl<T> Shares<T> {
    /// Everything at once, in all of the time.
    pub(crate) fn whole(items: Vec<T>, deadline: Deadline) -> Shares<T> {
        Shares { parts: vec![items].into_iter(), deadline }
    }

    /// Parts by these positions. Somebody else's code may have named them, so an item comes once, however often it was
    /// named; those that were not named come last, together.
    pub(crate) fn by(positions: &[Vec<usize>], items: Vec<T>, deadline: Deadline) -> Shares<T> {
        let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
        let mut part = |positions: &Vec<usize>| -> Vec<T> {
            positions.iter().filter_map(|position| items.get_mut(*position)?.take()).collect()
        };
        let mut parts: Vec<Vec<T>> = positions.iter().map(&mut part).collect();
        parts.push(items.into_iter().flatten().collect());
        parts.retain(|part| !part.is_empty());
        Shares { parts: parts.into_iter(), deadline }
    }
}

impl<T> Iterator for Shares<T> {
    type Item = (Vec<T>, Deadline);

    fn next(&mut self) -> Option<(Vec<T>, Deadline)> {
        let among = self.parts.len();
        let part = self.parts.next()?;
        Some((part, self.deadline.share(among)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn parts(positions: &[Vec<usize>], items: &[char]) -> Vec<String> {
        let shares = Shares::by(positions, items.to_vec(), Deadline::unneeded());
        shares.map(|(part, _)| part.into_iter().collect()).collect()
    }

    #[test]
    fn each_item_is_in_one_part_whatever_was_named() {
        assert_eq!(parts(&[vec![0, 2], vec![1]], &['a', 'b', 'c']), ["ac", "b"]);
        assert_eq!(parts(&[vec![2, 2, 0], vec![], vec![0, 9]], &['a', 'b', 'c']), ["ca", "b"]);
        assert_eq!(parts(&[], &['a', 'b']), ["ab"]);
        assert!(parts(&[vec![0]], &[]).is_empty());
    }

    #[test]
    fn the_first_of_three_has_a_third_of_the_time_and_the_last_what_is_left() {
        let whole = Deadline::after(Duration::from_secs(90));
        let shares = Shares::by(&[vec![0], vec![1], vec![2]], vec![(), (), ()], whole);
        let left: Vec<u64> = shares.map(|(_, share)| share.remaining().unwrap().as_secs()).collect();
        assert!(left[0] <= 30 && left[1] <= 45 && left[2] > 45, "nobody used up its share: {left:?}");
    }
}
