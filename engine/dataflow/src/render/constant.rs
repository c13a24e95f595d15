//! Rows that are there from the query's first tick on, once, whatever the number of workers.

use arrow::record_batch::RecordBatch;
use millrace_data::Batch;
use timely::dataflow::operators::generic::operator::source;

use crate::operator::Output;
use crate::render::{Renderer, Rows, Tools};

/// The rows as insertions at the first tick, on worker 0.
pub(crate) fn constant<'scope>(cx: &Renderer<'scope, '_>, rows: &RecordBatch, tools: &Tools) -> Rows<'scope> {
    let mut batch = (cx.env.worker == 0 && rows.num_rows() > 0).then(|| Batch::from_record_batch(rows));
    let (start, meter) = (cx.start, tools.meter.clone());
    source(cx.scope, "Constant", move |capability, _| {
        let mut capability = Some(capability.delayed(&start));
        move |output: &mut Output<'_>| {
            if let (Some(capability), Some(mut batch)) = (capability.take(), batch.take()) {
                meter.produced(batch.len());
                output.session_with_builder(&capability).give_container(&mut batch);
            }
        }
    })
}
