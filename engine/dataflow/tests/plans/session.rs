//! Session windows.

use millrace_planner::plan::{AggregateFunction as F, Node, Op, WindowClose};

use crate::harness::{Case, Relation, nodes, schema};
use crate::nodes::{aggregate, close, lane};

/// Event time, lane time, key, value.
fn stream() -> Relation {
    Relation::new("S", "t bigint, lane bigint, k text, x bigint")
}

/// Gap 10 ms, grace 3 ms, retention 200 ms: a row is late 13 ms, a session closes 24 ms after its end.
fn plan(s: &Relation, change: impl FnOnce(&mut WindowClose)) -> Node {
    let mut window = close(1, 3, 200, &[s]);
    change(&mut window);
    let op = Op::SessionReduce {
        input: Box::new(s.stream()),
        keys: vec![2],
        time: 0,
        lane: lane(),
        gap_ms: 10,
        aggregates: vec![aggregate(F::Count, &[], "bigint"), aggregate(F::Sum, &[3], "bigint")],
        window,
    };
    nodes(op, &schema("k text, ws bigint, we bigint, n bigint, total bigint"))
}

fn case(change: impl FnOnce(&mut WindowClose)) -> Case {
    let s = stream();
    let plan = plan(&s, change);
    Case::new(&[s], plan)
}

#[test]
fn sessions_grow_and_merge() {
    case(|_| {})
        .tick("S +0,NULL,a,1 | +10,0,a,2 | +5,10,b,9; @S 10", "+a,0,10,2,3 | +b,5,5,1,9")
        .tick("S +21,10,a,4; @S 21", "+a,21,21,1,4")
        .tick("S +15,21,a,8; @S 21", "-a,0,10,2,3 | -a,21,21,1,4 | +a,0,21,4,15")
        .tick("S +NULL,21,a,1 | +21,21,NULL,1; @S 21", "+NULL,21,21,1,1")
        .error("+event_time: the row has no event time that a window can hold: (NULL, 21, a, 1)")
        .check();
}

#[test]
fn late_rows_go_and_others_join_until_nothing_on_time_can() {
    case(|_| {})
        .tick("S +0,NULL,a,1; @S 0", "+a,0,0,1,1")
        .tick("S +23,0,b,1; @S 23", "+b,23,23,1,1")
        // 10 + 10 + 3 is not below 23
        .tick("S +10,23,a,2; @S 23", "-a,0,0,1,1 | +a,0,10,2,3")
        .tick("S +9,23,a,4; @S 23", "")
        .late("9..9 9 (9, 23, a, 4)")
        .check();
}

#[test]
fn emit_final_says_each_session_once() {
    case(|w| w.emit_final = true)
        .tick("S +0,NULL,a,1 | +4,0,a,2; @S 4", "")
        .tick("S +27,4,b,1; @S 27", "")
        .tick("S +28,27,b,1; @S 28", "+a,0,4,2,3")
        .tick("S +14,28,a,1; @S 28", "")
        .late("14..14 14 (14, 28, a, 1)")
        .tick("S +15,28,a,1; @S 28", "")
        .tick("@S end/28", "+a,15,15,1,1 | +b,27,28,2,2")
        .tick("", "")
        .check();
}

#[test]
fn a_closed_session_stands_until_its_retention_is_over() {
    case(|_| {})
        .tick("S +0,NULL,a,1; @S 0", "+a,0,0,1,1")
        .tick("S +100,0,a,2; @S 100", "+a,100,100,1,2")
        .tick("", "")
        .tick("S +200,100,b,1; @S 200", "+b,200,200,1,1 | -a,0,0,1,1")
        .tick("@S end/299", "")
        .tick("@S end/300", "-a,100,100,1,2")
        .check();
}

#[test]
fn the_same_rows_in_other_ticks_make_the_same_sessions() {
    case(|w| w.emit_final = true)
        .tick("S +0,NULL,a,1 | +4,0,a,2 | +27,4,b,1 | +28,27,b,1 | +14,28,a,1 | +15,28,a,1; @S 28", "+a,0,4,2,3")
        .late("14..14 14 (14, 28, a, 1)")
        .tick("@S end/28", "+a,15,15,1,1 | +b,27,28,2,2")
        .check();
}

#[test]
fn a_late_query_cuts_the_kept_history() {
    let s = stream().kept();
    let plan = plan(&s, |_| {});
    Case::new(&[s], plan)
        .tick("S +0,NULL,a,1 | +8,0,a,2; @S 8", "")
        .tick("S +100,8,a,4; @S 100", "")
        .install_here()
        .tick("S +101,100,a,8 | +50,100,a,16; @S 101", "+a,0,8,2,3 | +a,100,101,2,12")
        .late("50..50 50 (50, 100, a, 16)")
        .check();
}
