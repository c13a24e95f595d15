//! Sums up what comes out of a circuit, row by row, in the worker that made it.

use std::sync::{Arc, Mutex, PoisonError};

use dbsp::dynamic::DowncastTrait;
use dbsp::trace::{BatchReader, Cursor};
use dbsp::{DBData, OrdIndexedZSet, OrdZSet, RootCircuit, Stream};
use millrace_bench_input::Answer;

/// The answer that all workers add to, once a batch.
#[derive(Clone, Default)]
pub(crate) struct Sink {
    answer: Arc<Mutex<Answer>>,
}

impl Sink {
    /// All changes so far.
    pub(crate) fn answer(&self) -> Answer {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rows of a Z-set.
    pub(crate) fn rows<K: DBData>(&self, rows: &Stream<RootCircuit, OrdZSet<K>>, hash: impl Fn(&K) -> u64 + 'static) {
        let sink = self.clone();
        rows.inspect(move |batch: &OrdZSet<K>| {
            let mut changes = Answer::default();
            let mut cursor = (**batch).cursor();
            while cursor.key_valid() {
                let diff = **cursor.weight();
                changes.add(hash(cursor.key().downcast_checked()), diff);
                cursor.step_key();
            }
            sink.add(changes);
        });
    }

    /// The rows of a Z-set with an index.
    pub(crate) fn pairs<K: DBData, V: DBData>(
        &self,
        rows: &Stream<RootCircuit, OrdIndexedZSet<K, V>>,
        hash: impl Fn(&K, &V) -> u64 + 'static,
    ) {
        let sink = self.clone();
        rows.inspect(move |batch: &OrdIndexedZSet<K, V>| {
            let mut changes = Answer::default();
            let mut cursor = (**batch).cursor();
            while cursor.key_valid() {
                while cursor.val_valid() {
                    let diff = **cursor.weight();
                    changes.add(hash(cursor.key().downcast_checked(), cursor.val().downcast_checked()), diff);
                    cursor.step_val();
                }
                cursor.step_key();
            }
            sink.add(changes);
        });
    }

    fn add(&self, changes: Answer) {
        let mut answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        *answer = answer.and(changes);
    }
}
