//! Tumbling and hopping windows.

use millrace_planner::plan::{AggregateFunction as F, Lane, Node, Op, WindowClose};

use crate::harness::{Case, Relation};
use crate::nodes::{aggregate, close, windowed, windows};

/// Event time, lane time, key, value.
fn stream() -> Relation {
    Relation::new("S", "t bigint, lane bigint, k text, x bigint")
}

/// Keys: k, window. Windows of 10 ms, grace 2 ms, retention 40 ms.
fn case(size: i64, advance: i64, change: impl FnOnce(&mut WindowClose)) -> Case {
    let s = stream();
    let mut window = close(1, 2, 40, &[&s]);
    change(&mut window);
    let input = windows(s.stream(), size, advance, 2);
    let plan = windowed(input, &[2, 4, 5], vec![aggregate(F::Sum, &[3], "bigint")], window);
    Case::new(&[s], plan)
}

#[test]
fn emit_changes_revises_until_the_window_closes() {
    case(10, 10, |_| {})
        .tick("S +1,NULL,a,1 | +9,1,a,2 | +3,9,b,5; @S 9", "+a,0,10,3 | +b,0,10,5")
        .tick("S +11,9,a,7 | +2,11,a,10; @S 11", "-a,0,10,3 | +a,0,10,13 | +a,10,20,7")
        // the row that closes the window and one that is on time still share a tick
        .tick("S +12,11,b,1 | +5,11,b,1; @S 12", "+b,10,20,1 | -b,0,10,5 | +b,0,10,6")
        .tick("S +4,12,a,100; @S 12", "")
        .late("0..10 4 (4, 12, a, 100)")
        .tick("S +13,12,a,1; @S 13", "-a,10,20,7 | +a,10,20,8")
        .check();
}

#[test]
fn late_rows_say_where_they_stood() {
    let s = Relation::new("S", "t bigint, lane bigint, p int, o bigint, k text");
    let mut input = windows(s.stream(), 10, 10, 2);
    if let Op::AssignWindows { lane, .. } = &mut input.op {
        *lane = Some(Lane { time: 1, place: Some((2, 3)) });
    }
    let plan = windowed(input, &[4, 5, 6], vec![aggregate(F::Count, &[], "bigint")], close(1, 2, 40, &[&s]));
    Case::new(&[s], plan)
        .tick("S +1,NULL,0,70,a | +20,1,1,5,b; @S 20", "+a,0,10,1 | +b,20,30,1")
        // one that its lane makes late, and one whose window an idle partition has not held open
        .tick("S +2,20,1,6,c | +3,1,0,71,d", "")
        .late("0..10 2 (2, c) of S/1/6")
        .late("0..10 3 (3, d, 0, 10) of S/0/71")
        .check();
}

#[test]
fn emit_final_says_each_window_once() {
    case(10, 10, |w| w.emit_final = true)
        .tick("S +1,NULL,a,1 | +9,1,a,2; @S 9", "")
        .tick("S +11,9,a,7; @S 11", "")
        .tick("S +12,11,b,1 | +5,11,a,1; @S 12", "+a,0,10,4")
        .tick("", "")
        .tick("@S end/12", "+a,10,20,7 | +b,10,20,1")
        .tick("", "")
        .check();
}

#[test]
fn results_leave_when_their_retention_is_over() {
    case(10, 10, |_| {})
        .tick("S +1,NULL,a,1; @S 1", "+a,0,10,1")
        .tick("S +39,1,a,2; @S 39", "+a,30,40,2")
        .tick("S +40,39,a,3; @S 40", "+a,40,50,3 | -a,0,10,1")
        .tick("@S end/40", "")
        .check();
    // shorter than the window is open: it leaves all the same, and does not come back
    case(10, 10, |w| w.retention_ms = 5)
        .tick("S +1,NULL,a,1; @S 1", "+a,0,10,1")
        .tick("S +6,1,a,2; @S 6", "-a,0,10,1")
        .tick("S +7,6,a,2; @S 7", "")
        .tick("@S 12", "")
        .check();
    case(10, 10, |w| (w.retention_ms, w.emit_final) = (12, true))
        .tick("S +1,NULL,a,1; @S 1", "")
        .tick("@S 12", "")
        .tick("S +15,12,a,1; @S 15", "")
        .tick("@S 22/20", "+a,10,20,1")
        .tick("@S 22/22", "-a,10,20,1")
        .check();
}

#[test]
fn hopping_windows_count_a_row_more_than_once() {
    case(10, 5, |_| {})
        .tick("S +7,NULL,a,1; @S 7", "+a,0,10,1 | +a,5,15,1")
        .tick("S +12,7,a,2; @S 12", "-a,5,15,1 | +a,5,15,3 | +a,10,20,2")
        .tick("S +8,12,a,4; @S 12", "-a,5,15,3 | +a,5,15,7")
        .late("0..10 8 (8, 12, a, 4)")
        .check();
}

#[test]
fn the_least_stream_time_closes() {
    let (s, r) = (stream(), Relation::new("R", "t bigint"));
    let window = WindowClose { emit_final: true, ..close(1, 2, 400, &[&s, &r]) };
    let input = windows(s.stream(), 10, 10, 2);
    let plan = windowed(input, &[2, 4, 5], vec![aggregate(F::Count, &[], "bigint")], window);
    Case::new(&[s, r], plan)
        .tick("S +1,NULL,a,1; @S 100", "")
        .tick("S +2,1,a,1; @R 11", "")
        .tick("@R 12", "+a,0,10,2")
        // its own partition lags, so it passed as on time; the window is closed nevertheless
        .tick("S +3,2,a,1", "")
        .late("0..10 3 (3, 2, a, 1, 0, 10)")
        .check();
}

#[test]
fn rows_without_time_are_error_rows_and_null_keys_a_group() {
    case(10, 10, |_| {})
        .tick("S +NULL,NULL,a,1 | +1,NULL,NULL,2; @S 1", "+NULL,0,10,2")
        .error("+event_time: the row has no event time that a window can hold: (NULL, NULL, a, 1)")
        .check();
}

#[test]
fn a_failing_result_stands_like_any_other() {
    case(10, 10, |w| w.emit_final = true)
        .tick("S +1,NULL,a,9223372036854775807 | +2,NULL,a,1; @S 2", "")
        .tick("@S 12/2", "")
        .error("+aggregate: SUM is out of the range of BIGINT: (a, 0, 10)")
        .tick("@S 13/2", "")
        .check();
}

#[test]
fn distinct_within_windows() {
    let s = stream();
    let input = windows(s.stream(), 10, 10, 0);
    let plan: Node = windowed(input, &[2, 4, 5], vec![], close(1, 0, 1000, &[&s]));
    Case::new(&[s], plan)
        .tick("S +1,NULL,a,1 | +2,1,a,2; @S 2", "+a,0,10")
        .tick("S +11,2,a,1; @S 11", "+a,10,20")
        .check();
}

#[test]
fn a_late_query_counts_the_kept_history_at_its_first_tick() {
    let s = stream().kept();
    let input = windows(s.stream(), 10, 10, 2);
    let window = WindowClose { emit_final: true, ..close(1, 2, 1000, &[&s]) };
    let plan = windowed(input, &[2, 4, 5], vec![aggregate(F::Count, &[], "bigint")], window);
    Case::new(&[s], plan)
        .tick("S +1,NULL,a,1 | +2,1,a,1; @S 2", "")
        .tick("S +50,2,a,1; @S 50", "")
        .install_here()
        .tick("S +51,50,a,1 | +3,50,a,1; @S 51", "+a,0,10,2")
        .late("0..10 3 (3, 50, a, 1)")
        .tick("@S 62/51", "+a,50,60,2")
        .check();
}

#[test]
fn windows_over_tables_never_close() {
    let t = stream();
    let mut input = windows(t.source(), 10, 10, 0);
    if let Op::AssignWindows { lane, .. } = &mut input.op {
        *lane = None;
    }
    let plan = windowed(input, &[2, 4, 5], vec![aggregate(F::Count, &[], "bigint")], close(1, 0, 10, &[]));
    Case::new(&[t], plan)
        .tick("S +1,NULL,a,1; @S 1000", "+a,0,10,1")
        .tick("S +2,1000,a,1", "-a,0,10,1 | +a,0,10,2")
        .tick("S -1,NULL,a,1 | -2,1000,a,1", "-a,0,10,2")
        .check();
}
