//! Streams against tables.

use datafusion_expr::Operator;
use millrace_planner::plan::{Expr, Op};

use crate::harness::{Case, Relation, nodes};
use crate::nodes::{bigint, binary, col, concat};

fn case(keep: bool, outer: bool, on: &[(usize, usize)], residual: Option<Expr>) -> Case {
    let (mut s, mut t) = (Relation::new("S", "k bigint, a text"), Relation::new("T", "k bigint, b bigint"));
    if keep {
        (s, t) = (s.kept(), t.kept());
    }
    let (stream, table) = (Box::new(s.stream()), Box::new(t.source()));
    let schema = concat(&s.schema, &t.schema);
    Case::new(&[s, t], nodes(Op::AsOfJoin { stream, table, on: on.to_vec(), residual, outer }, &schema))
}

#[test]
fn a_stream_row_sees_the_table_of_its_tick_and_is_never_revised() {
    case(false, false, &[(0, 0)], None)
        .tick("S +1,early", "")
        .tick("T +1,10; S +1,a | +2,b | +NULL,n", "+1,a,1,10")
        .tick("T -1,10 | +1,11 | +NULL,0", "")
        .tick("S +1,c *2 | +NULL,n", "+1,c,1,11 *2")
        .tick("T -1,11; S +1,d", "")
        .check();
}

#[test]
fn outer_rows_without_a_partner_have_nulls() {
    case(false, true, &[(0, 0)], None)
        .tick("S +1,early", "+1,early,NULL,NULL")
        .tick("T +1,10 | +1,11; S +1,a | +NULL,n", "+1,a,1,10 | +1,a,1,11 | +NULL,n,NULL,NULL")
        .check();
}

#[test]
fn the_residual_decides_what_has_a_partner() {
    let above = binary(col(3), Operator::Gt, bigint(5));
    case(false, true, &[(0, 0)], Some(above))
        .tick("T +1,10 | +1,1 | +2,2; S +1,a | +2,b", "+1,a,1,10 | +2,b,NULL,NULL")
        .tick("T +2,NULL; S +2,c", "+2,c,NULL,NULL")
        .check();
    let fails = binary(binary(bigint(10), Operator::Divide, col(3)), Operator::Gt, bigint(1));
    case(false, false, &[(0, 0)], Some(fails))
        .tick("T +1,0 | +1,2; S +1,a", "+1,a,1,2")
        .error("+expression: division by zero: (1, a, 1, 0)")
        .check();
}

#[test]
fn without_keys_a_stream_row_meets_the_whole_table() {
    case(false, false, &[], None).tick("T +1,10 | +NULL,11; S +NULL,a", "+NULL,a,1,10 | +NULL,a,NULL,11").check();
}

#[test]
fn kept_history_of_the_stream_meets_the_present_table() {
    case(true, false, &[(0, 0)], None)
        .tick("S +1,a", "")
        .tick("T +1,10", "")
        .tick("T -1,10 | +1,11", "")
        .install_here()
        .tick("S +1,b", "+1,a,1,11 | +1,b,1,11")
        .check();
}
