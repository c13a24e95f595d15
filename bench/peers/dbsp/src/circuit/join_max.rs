//! Equi-join, then max per key and name; NULL is below every value, so that a group of NULLs alone has its row.

use dbsp::RootCircuit;
use dbsp::operator::Max;
use dbsp::utils::Tup2;
use millrace_bench_input::answer::{hash_i64, hash_opt_i64, hash_opt_text};

use super::Given;
use crate::input::{Feed, both, nullable, nullable_text, number, pairs};
use crate::sink::Sink;

pub(super) fn build(root: &mut RootCircuit, given: Given, sink: &Sink) -> Feed {
    let (lefts, left_handle) = root.add_input_indexed_zset::<i64, Option<String>>();
    let (rights, right_handle) = root.add_input_indexed_zset::<i64, Option<i64>>();
    let joined = lefts.join_index(&rights, |k, name, v| Some((Tup2(*k, name.clone()), *v)));
    let largest = match given.retracts {
        true => joined.aggregate(Max),
        false => joined.chain_aggregate(|v, _| *v, |largest, v, _| largest.max(*v)),
    };
    sink.pairs(&largest, |Tup2(k, name), v| hash_opt_i64(hash_opt_text(hash_i64(0, *k), name.as_deref()), *v));
    Box::new(move |tick| {
        let k = number(&tick[0], 0);
        let lefts = pairs(&left_handle, &tick[0], |i| (k[i], nullable_text(&tick[0], 1, i)));
        let k = number(&tick[1], 0);
        let rights = pairs(&right_handle, &tick[1], |i| (k[i], nullable(&tick[1], 1, i)));
        both(lefts, rights)
    })
}
