//! Groups.

use millrace_planner::plan::AggregateFunction as F;

use crate::harness::{Case, Relation};
use crate::nodes::{aggregate, reduce};

fn rows() -> Relation {
    Relation::new("T", "k text, x bigint")
}

#[test]
fn groups_come_change_and_vanish() {
    let t = rows();
    let plan = reduce(t.source(), &[0], vec![aggregate(F::Count, &[], "bigint"), aggregate(F::Sum, &[1], "bigint")]);
    Case::new(&[t], plan)
        .tick("T +a,1 | +a,2 *2 | +NULL,5 | +b,NULL", "+a,3,5 | +NULL,1,5 | +b,1,NULL")
        .tick("T -a,2 | +b,7", "-a,3,5 | +a,2,3 | -b,1,NULL | +b,2,7")
        .tick("T +c,1 | -c,1", "")
        .tick("T -a,2 | -a,1 | -NULL,5", "-a,2,3 | -NULL,1,5")
        .check();
}

#[test]
fn without_keys_there_is_always_one_row() {
    let t = rows();
    let plan = reduce(t.source(), &[], vec![aggregate(F::Count, &[1], "bigint"), aggregate(F::Max, &[0], "text")]);
    Case::new(&[t], plan)
        .tick("", "+0,NULL")
        .tick("T +a,1 | +b,NULL", "-0,NULL | +1,b")
        .tick("", "")
        .tick("T -a,1 | -b,NULL", "-1,b | +0,NULL")
        .check();
}

#[test]
fn distinct_keeps_each_row_once() {
    let t = rows();
    let plan = reduce(t.source(), &[0], vec![]);
    Case::new(&[t], plan)
        .tick("T +a,1 | +a,2 | +NULL,1", "+a | +NULL")
        .tick("T -a,1", "")
        .tick("T -a,2 | +b,1", "-a | +b")
        .check();
    let t = rows();
    let plan = reduce(t.source(), &[], vec![]);
    Case::new(&[t], plan).tick("", "").tick("T +a,1 | +b,1", "+").tick("T -a,1 | -b,1", "-").check();
}

#[test]
fn a_late_query_counts_what_was_kept() {
    let t = rows().kept();
    let plan = reduce(t.source(), &[0], vec![aggregate(F::Count, &[], "bigint")]);
    Case::new(&[t], plan)
        .tick("T +a,1 | +b,1", "")
        .tick("T -b,1 | +a,2", "")
        .install_here()
        .tick("", "+a,2")
        .tick("T +b,3", "+b,1")
        .check();
}

#[test]
fn a_sum_out_of_range_is_an_error_row_until_it_is_cured() {
    let t = rows();
    let plan = reduce(t.source(), &[0], vec![aggregate(F::Sum, &[1], "bigint")]);
    Case::new(&[t], plan)
        .tick("T +a,9223372036854775807 | +b,1", "+a,9223372036854775807 | +b,1")
        .tick("T +a,1", "-a,9223372036854775807")
        .error("+aggregate: SUM is out of the range of BIGINT: (a)")
        .tick("T +a,2", "")
        .tick("T +a,-4", "+a,9223372036854775806")
        .error("-aggregate: SUM is out of the range of BIGINT: (a)")
        .check();
}

#[test]
fn reductions_chain() {
    let t = rows();
    let counts = reduce(t.source(), &[0], vec![aggregate(F::Count, &[], "bigint")]);
    let plan = reduce(counts, &[1], vec![aggregate(F::Count, &[], "bigint")]);
    Case::new(&[t], plan)
        .tick("T +a,1 | +b,1 | +c,1 *2", "+1,2 | +2,1")
        .tick("T +a,1", "-1,2 | +1,1 | -2,1 | +2,2")
        .check();
}
