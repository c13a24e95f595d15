//! Which inputs are loaded before which others flow.
//!
//! A stream that is joined to a table as of its tick must meet the table that is there, not the one that has been read
//! so far by chance: what the table is made of comes first. Each such join is a [`Precedence`]; [`levels`] turns all of
//! them into numbers. Inputs that come before each other (a stream joined to a table that is counted from it) have the
//! same number: there the merged order decides.

use std::collections::{BTreeMap, BTreeSet};

use millrace_planner::catalog::RelationId;

/// Something that rows come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Input {
    /// INSERT, UPDATE and DELETE, in the order of the statements, whatever their relation.
    Statements,
    /// A source.
    Source(RelationId),
}

/// All of `before` come before all of `after`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Precedence {
    pub(crate) before: BTreeSet<Input>,
    pub(crate) after: BTreeSet<Input>,
}

/// The level of every input that is named; others have level 0.
pub(crate) fn levels(precedences: &[Precedence]) -> BTreeMap<Input, usize> {
    let mut after: BTreeMap<Input, BTreeSet<Input>> = BTreeMap::new();
    for precedence in precedences {
        for input in precedence.before.iter().chain(&precedence.after) {
            after.entry(*input).or_default();
        }
        for before in &precedence.before {
            after.entry(*before).or_default().extend(precedence.after.iter().filter(|a| *a != before));
        }
    }
    let reach: BTreeMap<Input, BTreeSet<Input>> = after.keys().map(|from| (*from, reachable(*from, &after))).collect();
    let mutual = |a: &Input, b: &Input| reach[a].contains(b) && reach[b].contains(a);
    // without the edges between inputs that come before each other there is no cycle: at most one round per input
    let mut levels: BTreeMap<Input, usize> = after.keys().map(|input| (*input, 0)).collect();
    for _ in 0..levels.len() {
        for (before, nexts) in &reach {
            for next in nexts {
                let least = levels[before] + usize::from(!mutual(before, next));
                if levels[next] < least {
                    levels.insert(*next, least);
                }
            }
        }
    }
    levels
}

fn reachable(from: Input, after: &BTreeMap<Input, BTreeSet<Input>>) -> BTreeSet<Input> {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(input) = open.pop() {
        for next in &after[&input] {
            if seen.insert(*next) {
                open.push(*next);
            }
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Input = Input::Source(RelationId(1));
    const B: Input = Input::Source(RelationId(2));
    const C: Input = Input::Source(RelationId(3));
    const S: Input = Input::Statements;

    fn levels_of(pairs: &[(Input, Input)]) -> Vec<(Input, usize)> {
        let one = |(before, after): &(Input, Input)| Precedence { before: [*before].into(), after: [*after].into() };
        levels(&pairs.iter().map(one).collect::<Vec<_>>()).into_iter().collect()
    }

    #[test]
    fn tables_come_first() {
        assert_eq!(levels_of(&[(A, B)]), [(A, 0), (B, 1)]);
        assert_eq!(levels_of(&[(B, C), (A, B), (S, C)]), [(S, 0), (A, 0), (B, 1), (C, 2)]);
    }

    #[test]
    fn what_comes_before_each_other_has_one_level() {
        assert_eq!(levels_of(&[(A, A)]), [(A, 0)]);
        assert_eq!(levels_of(&[(A, B), (B, A), (B, C)]), [(A, 0), (B, 0), (C, 1)]);
        assert_eq!(levels_of(&[(S, A), (A, B), (B, C), (C, A)]), [(S, 0), (A, 1), (B, 1), (C, 1)]);
    }
}
