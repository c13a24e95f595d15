//! Where operators put what must not vanish: error rows, late rows, rejected rows.
//!
//! They do not travel through the dataflow. An operator writes them down while it works on a tick; the worker hands
//! them over with the tick's report, when the tick is complete. An error row carries the diff of the row that caused
//! it, so that it is retracted with its cause.

use std::cell::RefCell;
use std::rc::Rc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{Int32Type, Int64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use millrace_planner::catalog::RelationId;
use millrace_planner::plan::{Lane, Node, Op};

use crate::api::{ErrorRow, LateRow, QueryId, RejectedRow};

/// What was written down since the last report of this worker.
#[derive(Default)]
pub(crate) struct Findings {
    pub(crate) errors: Vec<ErrorRow>,
    pub(crate) late: Vec<LateRow>,
    pub(crate) rejected: Vec<RejectedRow>,
    pub(crate) failed: Vec<(QueryId, String)>,
}

/// A worker's notebook.
pub(crate) type Notebook = Rc<RefCell<Findings>>;

/// One operator's pen.
#[derive(Clone)]
pub(crate) struct Reporter {
    notebook: Notebook,
    query: QueryId,
    operator: Rc<str>,
}

impl Reporter {
    pub(crate) fn new(notebook: &Notebook, query: QueryId, operator: &str) -> Self {
        Reporter { notebook: Rc::clone(notebook), query, operator: operator.into() }
    }

    /// A row on which something failed.
    pub(crate) fn error(&self, kind: &'static str, message: String, row: String, diff: i64) {
        let (query, operator) = (self.query, self.operator.to_string());
        self.notebook.borrow_mut().errors.push(ErrorRow { query, operator, kind, message, row, diff });
    }

    /// The query is to stop.
    pub(crate) fn fail(&self, message: String) {
        self.notebook.borrow_mut().failed.push((self.query, message));
    }

    /// A pen for rows of `input` that come too late; `lane` says where their records stood, if that is known.
    pub(crate) fn for_late_rows(&self, input: &Node, lane: Option<Lane>) -> LateReporter {
        let place = lane.and_then(|lane| lane.place);
        let hidden = place.zip(lane).map(|((partition, offset), lane)| [partition, offset, lane.time]);
        let width = input.schema.fields().len();
        let shown = (0..width).filter(|c| hidden.is_none_or(|hidden| !hidden.contains(c))).collect();
        LateReporter { reporter: self.clone(), source: streams(input).join(", "), place, shown }
    }

    /// A row that the relation could not take in.
    pub(crate) fn reject(&self, relation: RelationId, at: (Option<i32>, Option<i64>), reason: String, row: String) {
        let (partition, offset) = at;
        self.notebook.borrow_mut().rejected.push(RejectedRow { relation, partition, offset, reason, row });
    }
}

/// An operator's pen for rows that come too late for a window.
#[derive(Clone)]
pub(crate) struct LateReporter {
    reporter: Reporter,
    source: String,
    place: Option<(usize, usize)>,
    /// The columns that the row's text has.
    shown: Vec<usize>,
}

impl LateReporter {
    /// Row `i`, which came too late for the window.
    pub(crate) fn late(&self, columns: &[ArrayRef], i: usize, window: (i64, i64), row_time: i64) {
        let at = |column: &ArrayRef| column.is_valid(i);
        let partition = self.place.map(|place| &columns[place.0]).filter(|c| at(c));
        let offset = self.place.map(|place| &columns[place.1]).filter(|c| at(c));
        let shown: Vec<ArrayRef> = self.shown.iter().map(|c| ArrayRef::clone(&columns[*c])).collect();
        let late = LateRow {
            query: self.reporter.query,
            source: self.source.clone(),
            partition: partition.map(|c| c.as_primitive::<Int32Type>().value(i)),
            offset: offset.map(|c| c.as_primitive::<Int64Type>().value(i)),
            window_start: window.0,
            window_end: window.1,
            row_time,
            row: row_text(&shown, i),
        };
        self.reporter.notebook.borrow_mut().late.push(late);
    }
}

/// The streams that the rows of a node are events of; all that it reads, if none is a stream.
fn streams(node: &Node) -> Vec<&str> {
    fn read<'a>(node: &'a Node, events: bool, into: &mut Vec<&'a str>) {
        match &node.op {
            Op::Source { name, .. } if (node.append_only || !events) && !into.contains(&name.as_str()) => {
                into.push(name)
            }
            Op::AsOfJoin { stream, .. } if events => read(stream, events, into),
            _ => node.children().into_iter().for_each(|child| read(child, events, into)),
        }
    }
    let mut names = vec![];
    read(node, true, &mut names);
    if names.is_empty() {
        read(node, false, &mut names);
    }
    names
}

/// Row `i` as text: `(1, NULL, x)`. For rows that go wrong; not fast.
pub(crate) fn row_text(columns: &[ArrayRef], i: usize) -> String {
    let options = FormatOptions::new().with_null("NULL");
    let cells = columns.iter().map(|column| {
        if column.is_null(i) {
            return "NULL".to_owned();
        }
        match ArrayFormatter::try_new(column.as_ref(), &options) {
            Ok(formatter) => formatter.value(i).to_string(),
            Err(error) => format!("<{error}>"),
        }
    });
    format!("({})", cells.collect::<Vec<_>>().join(", "))
}
