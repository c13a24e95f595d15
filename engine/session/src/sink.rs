//! The changes of a query as a file: a stream's rows as they come, a table's final rows when it completes.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use millrace_connect::{Sink, SinkError};
use millrace_data::Batch;
use millrace_data::consolidate::consolidate;
use millrace_planner::plan::Node;

use crate::answer::Collected;

/// Rows on their way into a file; the file is there when it is finished, and never half.
pub(crate) struct FileSink {
    sink: Box<dyn Sink>,
    schema: SchemaRef,
    /// How many columns are written.
    visible: usize,
    /// What a table holds so far; `None` for a stream, whose rows go straight on.
    table: Option<Collected>,
}

impl FileSink {
    pub(crate) fn new(sink: Box<dyn Sink>, root: &Node, visible: usize) -> Self {
        let table = (!root.append_only).then(Collected::default);
        FileSink { sink, schema: Arc::clone(&root.schema), visible, table }
    }

    /// The changes of a tick. Rows of a stream are written in one order, whatever the workers.
    pub(crate) fn add(&mut self, batches: Vec<Batch>) -> Result<(), SinkError> {
        match &mut self.table {
            Some(table) => {
                table.add(batches, &self.schema);
                Ok(())
            }
            None => match consolidate(&batches, &self.schema) {
                Some(rows) => self.write(&rows),
                None => Ok(()),
            },
        }
    }

    /// Nothing more comes.
    pub(crate) fn finish(mut self) -> Result<(), SinkError> {
        if let Some(rows) = self.table.take().and_then(|table| table.into_batch(&self.schema)) {
            self.write(&rows)?;
        }
        self.sink.finish().map(drop)
    }

    /// Each row as often as it is there.
    fn write(&mut self, rows: &Batch) -> Result<(), SinkError> {
        let times = |row: usize| rows.diff(row).max(0) as usize;
        let order: Vec<u32> = (0..rows.len()).flat_map(|row| std::iter::repeat_n(row as u32, times(row))).collect();
        let written = rows.take(&order);
        self.sink.write(&Batch::new(written.columns()[..self.visible].to_vec(), None, order.len()))
    }
}
