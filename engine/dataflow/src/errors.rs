//! Where operators put what must not vanish: error rows, late rows, rejected rows.
//!
//! They do not travel through the dataflow. An operator writes them down while it works on a tick; the worker hands
//! them over with the tick's report, when the tick is complete. An error row carries the diff of the row that caused
//! it, so that it is retracted with its cause.

use std::cell::RefCell;
use std::rc::Rc;

use arrow::array::ArrayRef;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use millrace_planner::catalog::RelationId;

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

    /// A record that came too late for a window.
    pub(crate) fn late(&self, window: (i64, i64), row_time: i64, row: String) {
        let (window_start, window_end) = window;
        let late = LateRow { query: self.query, window_start, window_end, row_time, row };
        self.notebook.borrow_mut().late.push(late);
    }

    /// A row that the relation could not take in.
    pub(crate) fn reject(&self, relation: RelationId, at: (Option<i32>, Option<i64>), reason: String, row: String) {
        let (partition, offset) = at;
        self.notebook.borrow_mut().rejected.push(RejectedRow { relation, partition, offset, reason, row });
    }
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
