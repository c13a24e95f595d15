//! Left join of changing facts with changing dims; a NULL is a key that no dim has.

use dbsp::RootCircuit;
use dbsp::utils::{Tup2, Tup3};
use millrace_bench_input::answer::{hash_i64, hash_opt_text};

use super::Given;
use crate::input::{Feed, both, nullable, nullable_text, number, pairs, texts};
use crate::sink::Sink;

pub(super) fn build(root: &mut RootCircuit, _given: Given, sink: &Sink) -> Feed {
    let (facts, fact_handle) = root.add_input_indexed_zset::<Option<i64>, Tup2<i64, Option<String>>>();
    let (dims, dim_handle) = root.add_input_indexed_zset::<Option<i64>, Option<String>>();
    let joined = facts.left_join(&dims, |_, Tup2(id, name), label| Tup3(*id, name.clone(), label.clone()));
    sink.rows(&joined, |Tup3(id, name, label)| {
        hash_opt_text(hash_opt_text(hash_i64(0, *id), name.as_deref()), label.as_deref())
    });
    Box::new(move |tick| {
        let id = number(&tick[0], 0);
        let fact = |i: usize| (nullable(&tick[0], 1, i), Tup2(id[i], nullable_text(&tick[0], 2, i)));
        let facts = pairs(&fact_handle, &tick[0], fact);
        let (k, label) = (number(&tick[1], 0), texts(&tick[1], 1));
        both(facts, pairs(&dim_handle, &tick[1], |i| (Some(k[i]), Some(label.value(i).to_owned()))))
    })
}
