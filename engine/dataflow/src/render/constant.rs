//! Rows that are there from the query's first tick on, once, whatever the number of workers.
//!
//! They do not end with that tick: the dataflow goes on with the engine's ticks until its query is removed.

use arrow::record_batch::RecordBatch;
use millrace_data::Batch;
use timely::container::NoopBuilder;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::operator::Operator;

use crate::relation::LogId;
use crate::render::{Renderer, Rows, Tools};

/// The rows as insertions at the first tick, on worker 0.
pub(crate) fn constant<'scope>(cx: &mut Renderer<'scope, '_>, rows: &RecordBatch, tools: &Tools) -> Rows<'scope> {
    let mut batch = (cx.env.worker == 0 && rows.num_rows() > 0).then(|| Batch::from_record_batch(rows));
    let (start, meter) = (cx.start, tools.meter.clone());
    cx.read(LogId::Ticks, vec![], None).unary::<NoopBuilder<Batch>, _, _, _>(
        Pipeline,
        "Constant",
        move |capability, _| {
            let mut capability = Some(capability.delayed(&start));
            move |_, output| {
                if let (Some(capability), Some(mut batch)) = (capability.take(), batch.take()) {
                    meter.produced(batch.len());
                    output.session_with_builder(&capability).give_container(&mut batch);
                }
            }
        },
    )
}
