//! Streams near each other in event time.

use datafusion_expr::Operator;
use millrace_planner::plan::{JoinKind, Op, WithinJoin};

use crate::harness::{Case, Relation, nodes};
use crate::nodes::{binary, col, concat, lane};

/// Right rows from 5 ms before to 10 ms after a left row, grace 2 ms.
fn case(kind: JoinKind, keep: bool, change: impl FnOnce(&mut WithinJoin)) -> Case {
    let mut l = Relation::new("L", "t bigint, lane bigint, k text");
    let mut r = Relation::new("R", "t bigint, lane bigint, k text, x bigint");
    if keep {
        (l, r) = (l.kept(), r.kept());
    }
    let mut join = WithinJoin {
        left: Box::new(l.stream()),
        right: Box::new(r.stream()),
        kind,
        on: vec![(2, 2)],
        residual: None,
        times: (0, 0),
        lanes: (lane(), lane()),
        before_ms: 5,
        after_ms: 10,
        grace_ms: 2,
        time_sources: (vec![l.id], vec![r.id]),
    };
    change(&mut join);
    let schema = concat(&l.schema, &r.schema);
    Case::new(&[l, r], nodes(Op::WithinJoin(join), &schema))
}

#[test]
fn rows_meet_when_they_are_near() {
    case(JoinKind::Inner, false, |_| {})
        .tick("L +100,NULL,a; @L 100", "")
        .tick("R +95,NULL,a,1 | +94,NULL,a,2 | +100,NULL,b,3; @R 100", "+100,NULL,a,95,NULL,a,1")
        .tick("R +110,100,a,4 | +111,100,a,5; @R 111", "+100,NULL,a,110,100,a,4")
        .tick("L +101,100,a *2 | +103,100,NULL; @L 103", "+101,100,a,110,100,a,4 *2 | +101,100,a,111,100,a,5 *2")
        .check();
}

#[test]
fn what_is_late_for_a_window_does_not_meet_it() {
    case(JoinKind::Inner, false, |_| {})
        .tick("L +100,NULL,a | +105,NULL,a; @L 105", "")
        // the window of 100 ends at 110, with grace at 112
        .tick("R +107,112,a,1; @R 112", "+100,NULL,a,107,112,a,1 | +105,NULL,a,107,112,a,1")
        .tick("R +107,113,a,2; @R 113", "+105,NULL,a,107,113,a,2")
        // 93 could meet 98 at most, whose window is past at 111
        .tick("R +93,110,a,3; @R 113", "")
        .tick("R +93,111,a,3; @R 113", "")
        .late("83..98 93 (93, 111, a, 3)")
        .tick("L +NULL,1,a", "")
        .error("+event_time: the row has no event time that a window can hold: (NULL, 1, a)")
        .check();
}

#[test]
fn lonely_rows_have_nulls_when_their_window_has_closed() {
    case(JoinKind::Full, false, |_| {})
        .tick("L +100,NULL,a | +100,NULL,NULL | +90,NULL,z *2; @L 100", "")
        .tick("R +100,NULL,a,1 | +101,NULL,b,2; @R 102", "+100,NULL,a,100,NULL,a,1")
        .tick("@R 103", "+90,NULL,z,NULL,NULL,NULL,NULL *2")
        .tick("@R 112", "")
        .tick("@R 113", "+100,NULL,NULL,NULL,NULL,NULL,NULL")
        .tick("@L 108", "")
        .tick("@L 109", "+NULL,NULL,NULL,101,NULL,b,2")
        .tick("@L 1000; @R 1000", "")
        .check();
    case(JoinKind::Left, false, |_| {})
        .tick("L +100,NULL,a; R +50,NULL,a,1; @L 100; @R 50", "")
        .tick("@L end/100; @R end/50", "+100,NULL,a,NULL,NULL,NULL,NULL")
        .check();
}

#[test]
fn a_row_that_finds_its_window_closed_still_meets_what_is_there() {
    case(JoinKind::Left, false, |_| {})
        .tick("R +100,NULL,a,1 | +200,100,a,2; @R 200", "")
        .tick("L +100,NULL,a | +99,NULL,b; @L 100", "+100,NULL,a,100,NULL,a,1 | +99,NULL,b,NULL,NULL,NULL,NULL")
        // it is gone now
        .tick("R +100,100,a,3; @R 200", "")
        .check();
}

#[test]
fn the_residual_decides_what_has_a_partner() {
    case(JoinKind::Left, false, |join| join.residual = Some(binary(col(3), Operator::Gt, col(6))))
        .tick("L +100,NULL,a; R +105,NULL,a,1000; @L 100; @R 105", "")
        .tick("R +106,NULL,a,1; @R 106", "+100,NULL,a,106,NULL,a,1")
        .tick("L +104,NULL,c; R +104,NULL,c,1000; @L 104; @R 113", "")
        .tick("@R 117", "+104,NULL,c,NULL,NULL,NULL,NULL")
        .check();
}

#[test]
fn a_late_query_joins_the_kept_history() {
    case(JoinKind::Left, true, |_| {})
        .tick("L +100,NULL,a; @L 100", "")
        .tick("R +105,NULL,a,1 | +300,105,b,2; @R 300", "")
        .tick("L +290,100,a; @L 290", "")
        .install_here()
        .tick("R +301,300,a,3; @R 301", "+100,NULL,a,105,NULL,a,1")
        .tick("R +299,301,a,4; @R 301", "+290,100,a,299,301,a,4")
        .check();
}
