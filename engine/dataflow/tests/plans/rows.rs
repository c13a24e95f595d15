//! Top-k, set operations, the guard of scalar subqueries.

use millrace_planner::plan::{Node, Op, SetOpKind};

use crate::harness::{Case, Relation, nodes};
use crate::nodes::{by, numbered, topk};

#[test]
fn places_move_with_what_comes_before_them() {
    let t = Relation::new("T", "k text, x bigint");
    let plan = numbered(topk(t.source(), &[0], &[by(1, true, false)], 0, Some(3)));
    Case::new(&[t], plan)
        .tick("T +a,1 | +a,2 *2 | +b,NULL", "+a,2,1 | +a,2,2 | +a,1,3 | +b,NULL,1")
        .tick("T +a,3", "+a,3,1 | -a,2,1 | +a,2,3 | -a,1,3")
        .tick("T +a,0", "")
        .tick("T -a,2 *2", "-a,2,2 | -a,2,3 | +a,1,2 | +a,0,3")
        .tick("T -b,NULL", "-b,NULL,1")
        .check();
    let t = Relation::new("T", "k text, x bigint");
    let plan = numbered(topk(t.source(), &[], &[by(1, false, false), by(0, false, false)], 1, None));
    Case::new(&[t], plan)
        .tick("T +a,1 | +b,2 | +c,3", "+b,2,2 | +c,3,3")
        .tick("T -a,1", "-b,2,2 | -c,3,3 | +c,3,2")
        .check();
}

#[test]
fn the_first_rows_of_each_partition() {
    let t = Relation::new("T", "k text, x bigint");
    let plan = topk(t.source(), &[0], &[by(1, true, false), by(0, false, false)], 0, Some(2));
    Case::new(&[t], plan)
        .tick("T +a,1 | +a,2 | +a,3 | +b,NULL | +NULL,1", "+a,3 | +a,2 | +b,NULL | +NULL,1")
        .tick("T -a,3", "-a,3 | +a,1")
        .tick("T +a,5 *3", "-a,1 | -a,2 | +a,5 *2")
        .tick("T -a,5 *2", "-a,5 | +a,2")
        .check();
}

#[test]
fn offset_passes_over_and_no_limit_keeps_the_rest() {
    let t = Relation::new("T", "k text, x bigint");
    let plan = topk(t.source(), &[], &[by(1, false, true), by(0, false, false)], 1, Some(1));
    Case::new(std::slice::from_ref(&t), plan)
        .tick("T +a,1", "")
        .tick("T +b,2 | +c,3", "+b,2")
        .tick("T +z,NULL", "-b,2 | +a,1")
        .check();
    let plan = topk(t.source(), &[], &[by(0, true, false)], 2, None);
    Case::new(&[t], plan).tick("T +a,1 | +b,2 | +c,3 *2", "+b,2 | +a,1").tick("T -c,3", "-b,2").check();
}

#[test]
fn a_late_query_ranks_what_was_kept() {
    let t = Relation::new("T", "k text, x bigint").kept();
    let plan = topk(t.source(), &[], &[by(1, true, false), by(0, false, false)], 0, Some(1));
    Case::new(&[t], plan)
        .tick("T +a,1 | +b,2", "")
        .tick("T -b,2", "")
        .install_here()
        .tick("", "+a,1")
        .tick("T +c,9", "-a,1 | +c,9")
        .check();
}

fn set_op(kind: SetOpKind, all: bool) -> Case {
    let (l, r) = (Relation::new("L", "x bigint"), Relation::new("R", "x bigint"));
    let op = Op::SetOp { left: Box::new(l.source()), right: Box::new(r.source()), kind, all };
    let plan = nodes(op, &l.schema);
    Case::new(&[l, r], plan)
}

#[test]
fn intersect() {
    set_op(SetOpKind::Intersect, false)
        .tick("L +1 *3 | +2 | +NULL; R +1 *2 | +NULL", "+1 | +NULL")
        .tick("R -1 *2 | +2", "-1 | +2")
        .tick("L -NULL", "-NULL")
        .check();
    set_op(SetOpKind::Intersect, true)
        .tick("L +1 *3 | +2 | +NULL; R +1 *2 | +NULL *2", "+1 *2 | +NULL")
        .tick("L -1 *2", "-1")
        .check();
}

#[test]
fn except() {
    set_op(SetOpKind::Except, false)
        .tick("L +1 *3 | +2 | +NULL; R +1 | +NULL | +7", "+2")
        .tick("R -1", "+1")
        .tick("L -1 *3", "-1")
        .check();
    set_op(SetOpKind::Except, true).tick("L +1 *3 | +2; R +1 | +2 *2", "+1 *2").tick("R -2 *2 | +1", "-1 | +2").check();
}

fn guard(keys: &[usize]) -> Case {
    let t = Relation::new("T", "k text, x bigint");
    let op = Op::AtMostOne { input: Box::new(t.source()), keys: keys.to_vec() };
    let plan: Node = nodes(op, &t.schema);
    Case::new(&[t], plan)
}

#[test]
fn more_than_one_row_is_an_error_row() {
    guard(&[0])
        .tick("T +a,1 | +b,1 *2 | +NULL,3", "+a,1 | +NULL,3")
        .error("+cardinality: a subquery that stands for a value gives more than one row: (b)")
        .tick("T +a,2", "-a,1")
        .error("+cardinality: a subquery that stands for a value gives more than one row: (a)")
        .tick("T -a,1 | -b,1", "+a,2 | +b,1")
        .error("-cardinality: a subquery that stands for a value gives more than one row: (a)")
        .error("-cardinality: a subquery that stands for a value gives more than one row: (b)")
        .check();
    guard(&[])
        .tick("", "")
        .tick("T +a,1", "+a,1")
        .tick("T +b,1", "-a,1")
        .error("+cardinality: a subquery that stands for a value gives more than one row: ()")
        .check();
}
