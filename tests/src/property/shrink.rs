//! Makes a failing case small: less happens, the query asks less, fewer workers. Each step keeps the failure.

use crate::property::case::Case;
use crate::property::query::{From, Output, Query, Select};
use crate::property::run::{Outcome, run};

/// Runs that a shrink may take.
const RUNS_MAX: usize = 300;

/// The smallest failing case found, and what it says.
pub fn shrink(case: &Case, difference: &str) -> (Case, String) {
    let (mut best, mut said, mut runs) = (case.clone(), difference.to_owned(), 0);
    loop {
        let mut smaller = false;
        for candidate in candidates(&best) {
            if runs >= RUNS_MAX {
                return (best, said);
            }
            runs += 1;
            if let Outcome::Broken(difference) = run(&candidate) {
                (best, said, smaller) = (candidate, difference, true);
                break;
            }
        }
        if !smaller {
            return (best, said);
        }
    }
}

/// Cases that are a little smaller, boldest first.
fn candidates(case: &Case) -> Vec<Case> {
    let mut out = vec![];
    for n in [case.ticks.len() / 2, 1] {
        if n > 0 && case.ticks.len() > n {
            let mut fewer = case.clone();
            fewer.ticks.truncate(case.ticks.len() - n);
            fewer.late_from = fewer.late_from.min(fewer.ticks.len() - 1);
            out.push(fewer);
        }
    }
    for query in smaller_queries(&case.query) {
        out.push(Case { query, ..case.clone() });
    }
    if case.workers > 1 {
        out.push(Case { workers: 1, ..case.clone() });
    }
    for tick in 0..case.ticks.len() {
        if case.ticks[tick].len() > 1 {
            let mut none = case.clone();
            none.ticks[tick].clear();
            out.push(none);
        }
        for op in 0..case.ticks[tick].len() {
            let mut fewer = case.clone();
            fewer.ticks[tick].remove(op);
            out.push(fewer);
        }
    }
    out
}

fn smaller_queries(query: &Query) -> Vec<Query> {
    match query {
        Query::Set(op, left, right) => {
            let mut out = vec![(**left).clone(), (**right).clone()];
            out.extend(smaller_queries(left).into_iter().map(|l| Query::Set(op, Box::new(l), right.clone())));
            out.extend(smaller_queries(right).into_iter().map(|r| Query::Set(op, left.clone(), Box::new(r))));
            out
        }
        Query::Select(select) => smaller_selects(select).into_iter().map(|s| Query::Select(Box::new(s))).collect(),
    }
}

fn smaller_selects(select: &Select) -> Vec<Select> {
    let mut out = vec![];
    if select.filter.is_some() {
        out.push(Select { filter: None, ..select.clone() });
    }
    if select.top.is_some() {
        out.push(Select { top: None, ..select.clone() });
    }
    match &select.output {
        Output::Rows { distinct, items } => {
            if *distinct {
                let output = Output::Rows { distinct: false, items: items.clone() };
                out.push(Select { output, ..select.clone() });
            }
            for i in (0..items.len()).filter(|_| items.len() > 1) {
                let mut items = items.clone();
                items.remove(i);
                out.push(Select { output: Output::Rows { distinct: *distinct, items }, ..select.clone() });
            }
        }
        Output::Groups { keys, sets, calls, having } => {
            let sets = *sets;
            let with = |output| Select { output, ..select.clone() };
            if !sets.is_empty() {
                let (keys, calls, having) = (keys.clone(), calls.clone(), having.clone());
                out.push(with(Output::Groups { keys, sets: "", calls, having }));
            }
            if having.is_some() {
                out.push(with(Output::Groups { keys: keys.clone(), sets, calls: calls.clone(), having: None }));
            }
            for i in (0..calls.len()).filter(|_| calls.len() > 1) {
                let mut calls = calls.clone();
                calls.remove(i);
                out.push(with(Output::Groups { keys: keys.clone(), sets, calls, having: having.clone() }));
            }
            for i in 0..keys.len() {
                let mut keys = keys.clone();
                keys.remove(i);
                let sets = if keys.is_empty() { "" } else { sets };
                out.push(with(Output::Groups { keys, sets, calls: calls.clone(), having: having.clone() }));
            }
            for i in 0..calls.len() {
                if calls[i].value.filter.is_some() || calls[i].value.distinct {
                    let mut calls = calls.clone();
                    (calls[i].value.filter, calls[i].value.distinct) = (None, false);
                    out.push(with(Output::Groups { keys: keys.clone(), sets, calls, having: having.clone() }));
                }
            }
        }
    }
    out.extend(smaller_froms(&select.from).into_iter().map(|from| Select { from, ..select.clone() }));
    out
}

/// Sides of joins, and smaller queries in FROM. What the rest of the query still names may be gone; then the planner
/// refuses, and the candidate is none.
fn smaller_froms(from: &From) -> Vec<From> {
    match from {
        From::Base { .. } => vec![],
        From::Query { query, alias } => smaller_queries(query)
            .into_iter()
            .map(|q| From::Query { query: Box::new(q), alias: alias.clone() })
            .collect(),
        From::First { query, alias, .. } => {
            let all = From::Query { query: query.clone(), alias: alias.clone() };
            let with = |query: Query| match from.clone() {
                From::First { alias, partition, order, wanted, number, .. } => {
                    From::First { query: Box::new(query), alias, partition, order, wanted, number }
                }
                other => other,
            };
            std::iter::once(all).chain(smaller_queries(query).into_iter().map(with)).collect()
        }
        From::Join { kind, left, right, within, on } => {
            let join = |left: From, right: From| From::Join {
                kind,
                left: Box::new(left),
                right: Box::new(right),
                within: within.clone(),
                on: on.clone(),
            };
            let mut out = vec![(**left).clone(), (**right).clone()];
            out.extend(smaller_froms(left).into_iter().map(|l| join(l, (**right).clone())));
            out.extend(smaller_froms(right).into_iter().map(|r| join((**left).clone(), r)));
            out
        }
    }
}
