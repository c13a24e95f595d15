//! Gives each row its windows, or says that it came too late for them.
//!
//! Windows are aligned to the epoch and hold `[start, end)`. A row is late for a window whose end + grace is at most the
//! largest event time among earlier records of the row's own partition; that time stands in the row, so lateness does
//! not depend on batches or workers. A row without event time, or with one at the edge of what a window can hold, is an
//! error row.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::datatypes::Int64Type;
use millrace_data::Batch;
use millrace_planner::plan::{Node, Op};

use crate::errors::{LateReporter, Reporter, row_text};
use crate::operator::stateless;
use crate::render::hash::wanted::Wanted;
use crate::render::{Renderer, Rows, Tools};

/// Event times beyond ± this have no window: sums with sizes and graces must not overflow.
pub(crate) const EVENT_TIME_MS_MAX: i64 = i64::MAX / 8;
/// What is wrong with such a row.
pub(crate) const NO_EVENT_TIME: &str = "the row has no event time that a window can hold";

/// Renders `Op::AssignWindows`.
pub(crate) fn assign_windows<'scope>(cx: &mut Renderer<'scope, '_>, node: &Node, tools: Tools) -> Rows<'scope> {
    let Op::AssignWindows { input, time, lane, size_ms, advance_ms, grace_ms } = &node.op else {
        panic!("not AssignWindows: {:?}", node.op)
    };
    let rows = cx.render(input);
    let assigner = Assigner {
        time: *time,
        lane_time: lane.map(|lane| lane.time),
        size_ms: *size_ms,
        advance_ms: *advance_ms,
        grace_ms: *grace_ms,
        late: tools.reporter.for_late_rows(input, *lane),
        reporter: tools.reporter,
        output: Wanted::new(&node.schema, tools.wanted),
    };
    stateless(rows, "AssignWindows", tools.meter, move |_, batch, emit| emit(assigner.apply(&batch)))
}

struct Assigner {
    time: usize,
    lane_time: Option<usize>,
    size_ms: i64,
    advance_ms: i64,
    grace_ms: i64,
    late: LateReporter,
    reporter: Reporter,
    output: Wanted,
}

impl Assigner {
    fn apply(&self, batch: &Batch) -> Batch {
        let times = batch.column(self.time).as_primitive::<Int64Type>();
        let lanes = self.lane_time.map(|c| batch.column(c).as_primitive::<Int64Type>());
        let capacity = batch.len() * (self.size_ms / self.advance_ms).max(1) as usize;
        let (mut rows, mut starts) = (Vec::with_capacity(capacity), Vec::with_capacity(capacity));
        for i in 0..batch.len() {
            let time = times.value(i);
            if times.is_null(i) || !(-EVENT_TIME_MS_MAX..=EVENT_TIME_MS_MAX).contains(&time) {
                self.without_time(batch, i);
                continue;
            }
            let lane = lanes.filter(|l| l.is_valid(i)).map(|l| l.value(i));
            // from the earliest window that holds the time to the latest
            let last = time.div_euclid(self.advance_ms) * self.advance_ms;
            let mut start = (time - self.size_ms).div_euclid(self.advance_ms) * self.advance_ms + self.advance_ms;
            while start <= last {
                if lane.is_some_and(|lane| start + self.size_ms + self.grace_ms <= lane) {
                    self.late.late(batch.columns(), i, (start, start + self.size_ms), time);
                } else {
                    rows.push(i as u32);
                    starts.push(start);
                }
                start += self.advance_ms;
            }
        }
        let whole = rows.len() == batch.len() && rows.iter().enumerate().all(|(i, r)| i == *r as usize);
        let out = if whole { batch.clone() } else { self.taken(batch, &rows) };
        let ends: ArrayRef = Arc::new(Int64Array::from_iter_values(starts.iter().map(|s| s + self.size_ms)));
        let starts: ArrayRef = Arc::new(Int64Array::from(starts));
        let columns = out.columns().iter().map(Arc::clone).chain([starts, ends]).collect();
        out.with_columns(columns)
    }

    /// Some rows, as far as anybody reads them.
    fn taken(&self, batch: &Batch, rows: &[u32]) -> Batch {
        let width = batch.columns().len();
        let read: Vec<usize> = (0..width).filter(|c| self.output.is_read(*c)).collect();
        let taken = batch.project(&read).take(rows);
        let mut columns = taken.columns().iter();
        let all = (0..width).map(|c| {
            let column = if self.output.is_read(c) { columns.next().map(Arc::clone) } else { None };
            column.unwrap_or_else(|| self.output.nulls(c, rows.len()))
        });
        taken.with_columns(all.collect())
    }

    fn without_time(&self, batch: &Batch, i: usize) {
        let row = row_text(batch.columns(), i);
        self.reporter.error("event_time", NO_EVENT_TIME.to_owned(), row, batch.diff(i));
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use arrow::array::RecordBatch;
    use arrow::datatypes::{DataType, Field, Schema};
    use millrace_planner::plan::State;

    use super::*;
    use crate::api::QueryId;
    use crate::errors::Notebook;

    fn assign(size: i64, advance: i64, grace: i64, rows: &[(Option<i64>, Option<i64>)]) -> (Vec<(i64, i64)>, Notebook) {
        let notebook = Notebook::default();
        let times: ArrayRef = Arc::new(rows.iter().map(|r| r.0).collect::<Int64Array>());
        let lanes: ArrayRef = Arc::new(rows.iter().map(|r| r.1).collect::<Int64Array>());
        let reporter = Reporter::new(&notebook, QueryId(1), "AssignWindows");
        let columns = ["time", "lane"].map(|name| Field::new(name, DataType::Int64, true));
        let schema = Arc::new(Schema::new(columns.to_vec()));
        let input = Node {
            op: Op::Constant { rows: RecordBatch::new_empty(Arc::clone(&schema)) },
            schema: Arc::clone(&schema),
            append_only: true,
            unique_key: None,
            state: State::Hash,
        };
        let assigner = Assigner {
            time: 0,
            lane_time: Some(1),
            late: reporter.for_late_rows(&input, None),
            output: Wanted::new(&schema, None),
            size_ms: size,
            advance_ms: advance,
            grace_ms: grace,
            reporter,
        };
        let out = assigner.apply(&Batch::new(vec![times, lanes], None, rows.len()));
        let times = out.column(0).as_primitive::<Int64Type>();
        let starts = out.column(2).as_primitive::<Int64Type>();
        let pairs = (0..out.len()).map(|i| (times.value(i), starts.value(i))).collect();
        (pairs, Rc::clone(&notebook))
    }

    #[test]
    fn tumbling_windows_are_half_open_and_aligned() {
        let rows = [(Some(0), None), (Some(9), None), (Some(10), None), (Some(-1), None)];
        let (pairs, _) = assign(10, 10, 0, &rows);
        assert_eq!(pairs, [(0, 0), (9, 0), (10, 10), (-1, -10)]);
    }

    #[test]
    fn hopping_windows_overlap_and_may_leave_gaps() {
        assert_eq!(assign(10, 5, 0, &[(Some(12), None)]).0, [(12, 5), (12, 10)]);
        assert_eq!(assign(5, 10, 0, &[(Some(12), None), (Some(17), None)]).0, [(12, 10)]);
    }

    #[test]
    fn a_row_counts_in_its_open_windows_and_is_late_for_the_closed_ones() {
        let (pairs, notebook) = assign(10, 5, 1, &[(Some(12), Some(16))]);
        assert_eq!(pairs, [(12, 10)]);
        let late = &notebook.borrow().late;
        assert_eq!((late[0].window_start, late[0].window_end, late[0].row_time), (5, 15, 12));
    }

    #[test]
    fn a_row_without_time_is_an_error_row() {
        let (pairs, notebook) = assign(10, 10, 0, &[(None, None), (Some(i64::MAX), None), (Some(3), None)]);
        assert_eq!(pairs, [(3, 0)]);
        assert_eq!(notebook.borrow().errors.len(), 2);
    }
}
