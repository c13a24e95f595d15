//! EXPLAIN, and EXPLAIN ANALYZE of a running query.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use millrace_dataflow::OperatorStats;
use millrace_planner::plan::Node;

use crate::answer::record_batch;
use crate::client::{Changes, Client, Form, ResultHead, ResultRows};
use crate::error::{Result, SessionError};
use crate::session::Session;
use crate::system::{Cell, batch};

impl Session {
    /// A plan as lines of text.
    pub(crate) fn explain(&mut self, text: &str, client: &mut dyn Client) -> Result<()> {
        let columns = Arc::new(Schema::new(vec![Field::new("PLAN", DataType::Utf8, true)]));
        let id = self.next_result_id();
        let head =
            ResultHead { id, statement: self.statement, query: None, columns: Arc::clone(&columns), form: Form::Text };
        client.head(&head)?;
        let lines: Vec<Vec<Cell>> = text.lines().map(|line| vec![Cell::from(line)]).collect();
        let cells = batch([&DataType::Utf8], &lines, None);
        let rows = record_batch(&columns, cells.columns().to_vec(), lines.len())?;
        client.rows(&ResultRows { id, tick: self.system.tick(), rows, changes: Changes::Rows })?;
        client.done(id)?;
        Ok(())
    }

    /// The plan of a running query with what each operator has done so far; waits for its inputs as a pull query does.
    pub(crate) fn explain_analyze(&mut self, name: &str, client: &mut dyn Client) -> Result<()> {
        let id = self.find_query(name)?;
        self.flow_backlogs(self.settings.number("millrace.statement_timeout_ms").unwrap_or(0), client)?;
        let stats = self.operator_stats()?;
        let mut by_node: BTreeMap<usize, Vec<&OperatorStats>> = BTreeMap::new();
        for operator in stats.iter().filter(|operator| operator.query == id) {
            by_node.entry(operator.node).or_default().push(operator);
        }
        let Some(query) = self.queries.get(&id) else {
            return Err(SessionError::internal(format!("no query {}", id.0)));
        };
        let (state, message) = self.state_of(query);
        let mut text = format!("{} {state}", query.name);
        if let Some(message) = message {
            // writing to a String does not fail
            let _ = write!(text, ": {message}");
        }
        let mut lines = vec![];
        grow(&query.plan, "", true, &mut lines);
        for (node, line) in lines.into_iter().enumerate() {
            let measured = by_node.get(&node).map(|workers| measured(workers)).unwrap_or_default();
            let _ = write!(text, "\n{line}{measured}");
        }
        self.explain(&text, client)
    }
}

/// Every node of the plan as a line, in the order in which operators are numbered.
fn grow(node: &Node, indent: &str, last: bool, lines: &mut Vec<String>) {
    let branch = if last { "└ " } else { "├ " };
    lines.push(format!("{indent}{branch}{}", millrace_planner::explain::line(node)));
    let indent = format!("{indent}{}", if last { "  " } else { "│ " });
    let children = node.children();
    for (i, child) in children.iter().enumerate() {
        grow(child, &indent, i + 1 == children.len(), lines);
    }
}

/// What one operator has done, over all workers.
fn measured(workers: &[&OperatorStats]) -> String {
    let rows: u64 = workers.iter().map(|w| w.rows_out).sum();
    let bytes: u64 = workers.iter().map(|w| w.bytes).sum();
    let busy_ns: u64 = workers.iter().map(|w| w.busy_ns).sum();
    let mut text = format!("  [rows={rows} busy={:.1} ms", busy_ns as f64 / 1e6);
    if bytes > 0 {
        let _ = write!(text, " bytes={bytes}");
    }
    let most = workers.iter().map(|w| w.rows_out).max().unwrap_or(0);
    if workers.len() > 1 && rows > 0 {
        // 1: all workers do the same; n: one of n does all
        let _ = write!(text, " skew={:.2}", most as f64 * workers.len() as f64 / rows as f64);
    }
    text + "]"
}
