//! How batches travel between workers: by the hash of their key, once.
//!
//! A batch whose rows all stay on this worker is passed on as it is; with one worker nothing is hashed.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int32Array};
use arrow::datatypes::Int32Type;
use timely::communication::Push;
use timely::dataflow::channels::pact::DistributorPact;
use timely::dataflow::channels::pushers::exchange::Distributor;
use timely::dataflow::channels::{ContainerBytes, Message};
use timely::progress::Stamp;

use crate::Batch;
use crate::hash::{hash_columns, worker_of};

impl timely::Accountable for Batch {
    fn record_count(&self) -> i64 {
        self.len() as i64
    }
}

/// Workers are threads of one process: batches move between them as they are, so bytes are never asked for.
impl ContainerBytes for Batch {
    fn from_bytes(_: timely::bytes::arc::Bytes) -> Self {
        panic!("batches do not cross processes");
    }
    fn length_in_bytes(&self) -> usize {
        panic!("batches do not cross processes");
    }
    fn into_bytes<W: std::io::Write>(&self, _: &mut W) {
        panic!("batches do not cross processes");
    }
}

/// Sends each row to the worker that its key hashes to.
pub struct ByKey {
    key: Vec<usize>,
    hashes: Vec<u64>,
    rows: Vec<Vec<u32>>,
}

impl Distributor<Batch> for ByKey {
    fn partition<T: Clone, P: Push<Message<T, Batch>>>(
        &mut self,
        batch: &mut Batch,
        stamp: &Stamp<T>,
        pushers: &mut [P],
    ) {
        let mut batch = std::mem::take(batch);
        if pushers.len() == 1 {
            Message::push_at(&mut batch, stamp.clone(), &mut pushers[0]);
            return;
        }
        for (rows, pusher) in self.split(&batch, pushers.len()).iter_mut().zip(pushers) {
            if rows.len() == batch.len() {
                Message::push_at(&mut batch, stamp.clone(), pusher);
                return;
            }
            if !rows.is_empty() {
                Message::push_at(&mut batch.take(rows), stamp.clone(), pusher);
            }
        }
    }
    fn flush<T: Clone, P: Push<Message<T, Batch>>>(&mut self, _: &Stamp<T>, _: &mut [P]) {}
}

impl ByKey {
    fn new(key: Vec<usize>) -> Self {
        ByKey { key, hashes: vec![], rows: vec![] }
    }

    /// Row positions per worker.
    fn split(&mut self, batch: &Batch, peers: usize) -> &mut [Vec<u32>] {
        self.rows.resize(peers, vec![]);
        self.rows.iter_mut().for_each(Vec::clear);
        let key: Vec<_> = self.key.iter().map(|c| Arc::clone(batch.column(*c))).collect();
        hash_columns(&key, batch.len(), &mut self.hashes);
        for (i, hash) in self.hashes.iter().enumerate() {
            self.rows[worker_of(*hash, peers)].push(i as u32);
        }
        &mut self.rows
    }
}

/// The channel that brings equal keys to one worker. No key columns: all rows to one worker.
pub fn by_key(key: Vec<usize>) -> DistributorPact<impl FnOnce(usize) -> ByKey> {
    DistributorPact(move |_| ByKey::new(key))
}

/// Sends each batch to the worker that its last column names, without that column.
pub struct ByTarget;

impl Distributor<Batch> for ByTarget {
    fn partition<T: Clone, P: Push<Message<T, Batch>>>(
        &mut self,
        batch: &mut Batch,
        stamp: &Stamp<T>,
        pushers: &mut [P],
    ) {
        let batch = std::mem::take(batch);
        if batch.is_empty() {
            return;
        }
        let width = batch.columns().len() - 1;
        let target = batch.column(width).as_primitive::<Int32Type>().value(0);
        let mut batch = batch.project(&(0..width).collect::<Vec<_>>());
        Message::push_at(&mut batch, stamp.clone(), &mut pushers[target as usize]);
    }
    fn flush<T: Clone, P: Push<Message<T, Batch>>>(&mut self, _: &Stamp<T>, _: &mut [P]) {}
}

/// A copy of the batch for each of `peers` workers, for [`by_target`]. Progress counts rows where they are sent and where
/// they arrive, so that what goes to every worker must be sent as often.
pub fn copies(batch: &Batch, peers: usize) -> impl Iterator<Item = Batch> {
    (0..peers as i32).map(move |target| {
        let target: ArrayRef = Arc::new(Int32Array::from_value(target, batch.len()));
        batch.with_columns(batch.columns().iter().map(Arc::clone).chain([target]).collect())
    })
}

/// The channel that brings each batch of [`copies`] to its worker. Not for a single worker, to which batches go as they
/// are.
pub fn by_target() -> DistributorPact<impl FnOnce(usize) -> ByTarget> {
    DistributorPact(|_| ByTarget)
}

/// The parts of `batch` per worker, by the same rule as [`by_key`].
pub fn partition_by_key(batch: &Batch, key: &[usize], peers: usize) -> Vec<Batch> {
    if peers == 1 {
        return vec![batch.clone()];
    }
    ByKey::new(key.to_vec()).split(batch, peers).iter().map(|rows| batch.take(rows)).collect()
}
