//! Count and sum per group; the sum of NULLs alone is NULL.

use dbsp::RootCircuit;
use dbsp::utils::{Tup2, Tup3};
use millrace_bench_input::answer::{hash_i64, hash_opt_i64};

use super::Given;
use crate::input::{Feed, nullable, number, pairs};
use crate::sink::Sink;

/// Rows, values that are not NULL, their sum.
type Sum = Tup3<i64, i64, i64>;

pub(super) fn build(root: &mut RootCircuit, _given: Given, sink: &Sink) -> Feed {
    let (facts, handle) = root.add_input_indexed_zset::<i64, Option<i64>>();
    let sums = facts.aggregate_linear_postprocess(sum_of, answer_of);
    sink.pairs(&sums, |g, Tup2(n, total)| hash_opt_i64(hash_i64(hash_i64(0, *g), *n), *total));
    Box::new(move |tick| {
        let g = number(&tick[0], 1);
        pairs(&handle, &tick[0], |i| (g[i], nullable(&tick[0], 2, i)))
    })
}

/// One row's part.
pub(super) fn sum_of(v: &Option<i64>) -> Sum {
    Tup3(1, v.is_some().into(), v.unwrap_or(0))
}

/// Count and sum.
pub(super) fn answer_of(Tup3(n, values, total): Sum) -> Tup2<i64, Option<i64>> {
    Tup2(n, (values > 0).then_some(total))
}
