//! The word that a misspelt one was meant to be.

use crate::bind::names;

/// Longer words are cut: none of ours comes near them, and comparing them takes time.
const WORD_BYTES_MAX: usize = 64;

/// The candidate that differs least from `word`, as names do in binding.
pub(super) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let end = word.floor_char_boundary(WORD_BYTES_MAX);
    names::nearest(&word[..end], candidates).into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swaps_and_slips_are_near_and_other_words_are_not() {
        assert_eq!(nearest("SELCET", ["SHOW", "SELECT"]), Some("SELECT"));
        assert_eq!(nearest("frm", ["WHERE", "FROM"]), Some("FROM"));
        assert_eq!(nearest("STARS", ["MESSAGE"]), None);
        assert_eq!(nearest(&"é".repeat(100_000), ["EMIT"]), None);
    }
}
