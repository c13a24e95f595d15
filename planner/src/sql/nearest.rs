//! The word that a misspelt one was meant to be.

/// The candidate that differs least from `word`, in a third of its letters at most; the first of equals. Insertions,
/// deletions, substitutions and swaps of neighbours count one each; case does not count.
pub(super) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.to_uppercase().chars().take(WORD_CHARS_MAX).collect();
    let allowed = (word.len() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(&word, &candidate.to_uppercase().chars().collect::<Vec<_>>()), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Longer words are cut: no word of the language comes near.
const WORD_CHARS_MAX: usize = 64;

fn distance(a: &[char], b: &[char]) -> usize {
    let mut before = vec![0; b.len() + 1];
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut next = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let differ = usize::from(a[i - 1] != b[j - 1]);
            next[j] = (row[j] + 1).min(next[j - 1] + 1).min(row[j - 1] + differ);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                next[j] = next[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut row, next);
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swaps_and_slips_are_near_and_other_words_are_not() {
        assert_eq!(nearest("SELCET", ["SHOW", "SELECT"]), Some("SELECT"));
        assert_eq!(nearest("form", ["FOR", "FROM"]), Some("FOR"));
        assert_eq!(nearest("FRM", ["WHERE", "FROM"]), Some("FROM"));
        assert_eq!(nearest("STARS", ["MESSAGE"]), None);
        assert_eq!(nearest("", ["A"]), Some("A"));
    }
}
