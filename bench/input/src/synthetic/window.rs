//! Events over 10,000 keys, in order of their time.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use millrace_data::Batch;

use crate::random::Random;
use crate::spec::Spec;
use crate::table::Tick;

/// Keys that events have.
const KEYS: u64 = 10_000;

/// The events, tick by tick.
pub(super) struct Events {
    spec: Spec,
    sizes: std::vec::IntoIter<usize>,
    random: Random,
    made: u64,
}

impl Events {
    pub(super) fn new(spec: &Spec) -> Self {
        Events { spec: spec.clone(), sizes: spec.sizes().0.into_iter(), random: Random::new(spec.seed), made: 0 }
    }
}

impl Iterator for Events {
    type Item = Tick;

    fn next(&mut self) -> Option<Tick> {
        let n = self.sizes.next()?;
        let keys: Vec<i64> = (0..n).map(|_| self.random.below(KEYS) as i64).collect();
        let times: Vec<i64> = (self.made..self.made + n as u64).map(|i| self.spec.time_ms(i)).collect();
        self.made += n as u64;
        let columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(keys)), Arc::new(Int64Array::from(times))];
        Some(vec![Batch::new(columns, None, n)])
    }
}
