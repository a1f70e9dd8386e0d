//! What has come so far, again and again, as a connection sees it.

use lexigram_cache::Result;

/// Shows growing beginnings of what comes, and holds the answers to what the whole comes to.
///
/// # Panics
/// If it makes a difference in which pieces the bytes come.
pub fn assert_pieces_make_no_difference(
    bytes: &[u8],
    piece: usize,
    whole: &Result<bool>,
    mut advance: impl FnMut(&[u8]) -> Result<bool>,
) {
    let ends = (piece..bytes.len()).step_by(piece).chain([bytes.len()]);
    for end in ends {
        let is_last = end == bytes.len();
        match advance(&bytes[..end]) {
            Ok(false) if !is_last => {}
            // Complete, and yet more came: that is one reply too many.
            Ok(true) if !is_last => return assert!(whole.is_err(), "complete at {end}, and {whole:?}"),
            Err(_) => return assert!(whole.is_err(), "refused at {end}, and {whole:?}"),
            Ok(complete) => assert!(whole.as_ref().is_ok_and(|whole| *whole == complete), "{whole:?}"),
        }
    }
}
