//! Joins.

use datafusion_expr::Operator;
use millrace_planner::plan::{Join, JoinKind, Node};

use crate::harness::{Case, Relation};
use crate::nodes::{bigint, binary, col, join, join_node};

fn sides() -> [Relation; 2] {
    [Relation::new("L", "k bigint, a text"), Relation::new("R", "k bigint, b bigint")]
}

fn case(kind: JoinKind, change: impl FnOnce(&mut Join)) -> Case {
    let [l, r] = sides();
    let mut join = join(l.source(), r.source(), kind, &[(0, 0)]);
    change(&mut join);
    Case::new(&[l, r], join_node(join))
}

/// Columns are k, a, k, b: b must be greater than this.
fn b_above(x: i64) -> impl FnOnce(&mut Join) {
    move |join| join.residual = Some(binary(col(3), Operator::Gt, bigint(x)))
}

#[test]
fn inner_pairs_come_and_go_with_their_rows() {
    case(JoinKind::Inner, |_| {})
        .tick("L +1,a | +2,b; R +1,10 | +3,30", "+1,a,1,10")
        .tick("R +1,11 *2 | +2,20", "+1,a,1,11 *2 | +2,b,2,20")
        .tick("L -1,a | +1,c; R -1,10", "-1,a,1,10 | -1,a,1,11 *2 | +1,c,1,11 *2")
        .tick("", "")
        .tick("L -1,c; R -1,11 *2", "-1,c,1,11 *2")
        .check();
}

#[test]
fn null_keys_meet_nothing_unless_null_equals_null() {
    case(JoinKind::Inner, |_| {}).tick("L +NULL,a | +1,b; R +NULL,1 | +1,NULL", "+1,b,1,NULL").check();
    case(JoinKind::Inner, |join| join.null_equal = true)
        .tick("L +NULL,a | +1,b; R +NULL,1", "+NULL,a,NULL,1")
        .tick("R -NULL,1 | +1,2", "-NULL,a,NULL,1 | +1,b,1,2")
        .check();
    case(JoinKind::Left, |join| join.null_equal = true)
        .tick("L +NULL,a", "+NULL,a,NULL,NULL")
        .tick("R +NULL,1", "-NULL,a,NULL,NULL | +NULL,a,NULL,1")
        .check();
}

#[test]
fn without_keys_every_pair_meets() {
    case(JoinKind::Inner, |join| join.on.clear())
        .tick("L +1,a | +NULL,b; R +3,30", "+1,a,3,30 | +NULL,b,3,30")
        .tick("R +NULL,0; L -1,a", "-1,a,3,30 | +NULL,b,NULL,0")
        .check();
}

#[test]
fn left_rows_without_partner_have_nulls() {
    case(JoinKind::Left, |_| {})
        .tick("L +1,a *2 | +NULL,n", "+1,a,NULL,NULL *2 | +NULL,n,NULL,NULL")
        .tick("R +1,10", "-1,a,NULL,NULL *2 | +1,a,1,10 *2")
        .tick("R +1,11; L -1,a", "-1,a,1,10 | +1,a,1,11")
        .tick("R -1,10 | -1,11", "-1,a,1,10 | -1,a,1,11 | +1,a,NULL,NULL")
        .tick("L -1,a | -NULL,n", "-1,a,NULL,NULL | -NULL,n,NULL,NULL")
        .check();
}

#[test]
fn the_residual_decides_what_has_a_partner() {
    case(JoinKind::Left, b_above(5))
        .tick("L +1,a; R +1,1", "+1,a,NULL,NULL")
        .tick("R +1,NULL", "")
        .tick("R +1,7", "-1,a,NULL,NULL | +1,a,1,7")
        .tick("R -1,7", "-1,a,1,7 | +1,a,NULL,NULL")
        .check();
    case(JoinKind::Full, b_above(5))
        .tick("L +1,a; R +1,1", "+1,a,NULL,NULL | +NULL,NULL,1,1")
        .tick("R +1,7", "-1,a,NULL,NULL | +1,a,1,7")
        .check();
}

#[test]
fn full_keeps_both_sides() {
    case(JoinKind::Full, |_| {})
        .tick("L +1,a; R +2,20 | +NULL,0", "+1,a,NULL,NULL | +NULL,NULL,2,20 | +NULL,NULL,NULL,0")
        .tick("L +2,b", "-NULL,NULL,2,20 | +2,b,2,20")
        .tick("R -2,20 | +1,10", "-2,b,2,20 | +2,b,NULL,NULL | -1,a,NULL,NULL | +1,a,1,10")
        .tick("L -1,a", "-1,a,1,10 | +NULL,NULL,1,10")
        .check();
}

#[test]
fn semi_and_anti_split_the_left_side() {
    case(JoinKind::Semi, |_| {})
        .tick("L +1,a *2 | +2,b | +NULL,n; R +1,10 | +1,11", "+1,a *2")
        .tick("R -1,10 | +2,0", "+2,b")
        .tick("R -1,11", "-1,a *2")
        .check();
    case(JoinKind::Anti, |_| {})
        .tick("L +1,a *2 | +2,b | +NULL,n; R +1,10 | +NULL,1", "+2,b | +NULL,n")
        .tick("R -1,10 | +2,0", "-2,b | +1,a *2")
        .check();
    case(JoinKind::Semi, b_above(5))
        .tick("L +1,a | +2,b; R +1,5 | +2,6 | +2,7", "+2,b")
        .tick("R +1,6 | -2,6", "+1,a")
        .tick("R -2,7", "-2,b")
        .check();
    case(JoinKind::Anti, b_above(5)).tick("L +1,a | +2,b; R +1,5 | +2,6", "+1,a").check();
}

#[test]
fn mark_says_which_have_a_partner() {
    case(JoinKind::Mark, |_| {})
        .tick("L +1,a | +NULL,n; R +1,10", "+1,a,true | +NULL,n,false")
        .tick("R -1,10", "-1,a,true | +1,a,false")
        .check();
    case(JoinKind::Mark, b_above(5))
        .tick("L +1,a; R +1,1", "+1,a,false")
        .tick("R +1,9", "-1,a,false | +1,a,true")
        .check();
}

#[test]
fn not_in_knows_nulls() {
    let not_in = |join: &mut Join| join.null_aware = true;
    case(JoinKind::Anti, not_in)
        .tick("L +1,a | +2,b | +NULL,n", "+1,a | +2,b | +NULL,n")
        .tick("R +1,10", "-1,a | -NULL,n")
        .tick("R +NULL,0", "-2,b")
        .tick("R -1,10", "")
        .tick("R -NULL,0", "+1,a | +2,b | +NULL,n")
        .check();
}

#[test]
fn not_in_with_a_residual_looks_at_each_rows_own_candidates() {
    // a NOT IN (SELECT k FROM R WHERE b > 5): candidates are the right rows with b above 5
    case(JoinKind::Anti, |join| {
        join.null_aware = true;
        b_above(5)(join);
    })
    .tick("L +1,a | +NULL,n; R +1,1 | +NULL,2", "+1,a | +NULL,n")
    .tick("R +2,6", "-NULL,n")
    .tick("R +NULL,7", "-1,a")
    .tick("R -NULL,7 | -2,6", "+1,a | +NULL,n")
    .check();
}

#[test]
fn a_pair_on_which_the_residual_fails_is_an_error_row() {
    // 10 / b > 1
    let residual = binary(binary(bigint(10), Operator::Divide, col(3)), Operator::Gt, bigint(1));
    case(JoinKind::Left, |join| join.residual = Some(residual))
        .tick("L +1,a; R +1,2", "+1,a,1,2")
        .tick("R +1,0", "")
        .error("+expression: division by zero: (1, a, 1, 0)")
        .tick("R -1,2", "-1,a,1,2 | +1,a,NULL,NULL")
        .tick("L -1,a", "-1,a,NULL,NULL")
        .error("-expression: division by zero: (1, a, 1, 0)")
        .check();
}

#[test]
fn a_late_query_starts_from_what_was_kept() {
    let [l, r] = sides();
    let (l, r) = (l.kept(), r.kept());
    let node = join_node(join(l.source(), r.source(), JoinKind::Left, &[(0, 0)]));
    Case::new(&[l, r], node)
        .tick("L +1,a | +2,b; R +1,10", "")
        .tick("L -2,b | +3,c", "")
        .install_here()
        .tick("R +3,30", "+1,a,1,10 | +3,c,3,30")
        .tick("R -1,10", "-1,a,1,10 | +1,a,NULL,NULL")
        .check();
}

#[test]
fn joins_chain_and_share_sources() {
    let [l, r] = sides();
    let first = join_node(join(l.source(), r.source(), JoinKind::Inner, &[(0, 0)]));
    let second: Node = join_node(join(first, l.source(), JoinKind::Inner, &[(1, 1)]));
    Case::new(&[l, r], second)
        .tick("L +1,a; R +1,10", "+1,a,1,10,1,a")
        .tick("L +2,a", "+1,a,1,10,2,a")
        .tick("R +2,20; L -1,a", "-1,a,1,10,1,a | -1,a,1,10,2,a | +2,a,2,20,2,a")
        .check();
}
