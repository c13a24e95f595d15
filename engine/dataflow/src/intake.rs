//! How a keyed table or a bag takes in its rows: in order, against what it holds.
//!
//! ```text
//! rows, deleted ─→ what each row does to its identity ─→ −old +new of the tick ─┬→ the table's arrangement
//!                            └ probes the arrangement as of the tick before     └→ the relation's log
//! ```
//! Rows come to the worker that their identity belongs to, in order of arrival, with a BOOLEAN `deleted` as the last
//! column. The identity is the primary key; of a bag, all declared columns. The arrangement by it is all that is kept: the
//! table looks its old rows up there, joins on the key and queries that come later read it.

mod bag;
mod upsert;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, Int32Type, Int64Type, Schema, SchemaRef};
use millrace_arrange::{Arrangement, KeyTable, NullKeys, RowId, TraceReader, TraceWriter};
use millrace_data::Batch;
use millrace_data::hash::hash_columns;

use crate::api::{BaseRelation, Intake, QueryId};
use crate::errors::{Notebook, Reporter, row_text};
use crate::operator::{Calls, Meter, Route, unary};
use crate::render::Rows;
use crate::shelf::SharedWriter;

/// The relation's columns and `deleted` behind them.
pub(crate) fn input_schema(schema: &SchemaRef) -> SchemaRef {
    let deleted = Arc::new(Field::new("deleted", DataType::Boolean, false));
    Arc::new(Schema::new(schema.fields().iter().cloned().chain([deleted]).collect::<Vec<_>>()))
}

/// The relation's collection.
pub(crate) fn intake<'scope>(rows: Rows<'scope>, mut table: Table, calls: Calls, meter: Meter) -> Rows<'scope> {
    let measure = meter.clone();
    unary(rows, "Intake", Route::Local, calls, meter, move |tick, batches, emit| {
        table.apply(tick, &batches, emit);
        measure.holds(table.reader.borrow().memory_bytes());
    })
}

/// A table or a bag; see the module.
pub(crate) struct Table {
    relation: BaseRelation,
    identity: Vec<usize>,
    /// Types of the identity.
    types: Vec<DataType>,
    writer: SharedWriter,
    reader: TraceReader,
    reporter: Reporter,
}

/// A tick's rows, each with its identity's number in the tick.
struct Incoming {
    rows: Batch,
    deletes: Vec<bool>,
    ids: Vec<u32>,
    /// A row of each identity, by number, and the hash of the identity.
    first: Vec<u32>,
    hashes: Vec<u64>,
}

impl Table {
    /// An empty table, complete up to tick `start`; `None` if every row of the relation is an event.
    pub(crate) fn new(relation: &BaseRelation, start: u64, notebook: &Notebook) -> Option<Self> {
        let identity: Vec<usize> = match &relation.intake {
            Intake::Append => return None,
            Intake::Upsert { key } => key.clone(),
            Intake::Bag { columns } => (0..*columns).collect(),
        };
        let all: Vec<DataType> = relation.schema.fields().iter().map(|f| f.data_type().clone()).collect();
        let types = identity.iter().map(|c| all[*c].clone()).collect();
        let mut writer = TraceWriter::new(Arrangement::new(&all, &identity));
        writer.advance(start);
        let reader = writer.trace().reader();
        let writer = Rc::new(RefCell::new(writer));
        // rejected rows name the relation, not a query
        let reporter = Reporter::new(notebook, QueryId(0), "Intake");
        Some(Table { relation: relation.clone(), identity, types, writer, reader, reporter })
    }

    /// The writer of the arrangement by identity.
    pub(crate) fn writer(&self) -> SharedWriter {
        Rc::clone(&self.writer)
    }

    /// What the table is arranged by.
    pub(crate) fn identity(&self) -> &[usize] {
        &self.identity
    }

    fn apply(&mut self, tick: u64, batches: &[Batch], emit: &mut dyn FnMut(Batch)) {
        let incoming = self.read(batches);
        if incoming.rows.is_empty() {
            self.writer.borrow_mut().advance(tick + 1);
        } else {
            let changes = match self.relation.intake {
                Intake::Upsert { .. } => self.upsert(tick, &incoming),
                _ => self.bag(tick, &incoming),
            };
            self.writer.borrow_mut().apply(tick, &changes);
            changes.into_iter().for_each(emit);
        }
        self.reader.advance_since(tick);
    }

    /// The rows that have an identity, and how many of these there are.
    fn read(&self, batches: &[Batch]) -> Incoming {
        let all = Batch::concat(batches);
        if all.is_empty() {
            return Incoming { rows: all, deletes: vec![], ids: vec![], first: vec![], hashes: vec![] };
        }
        let kept: Vec<u32> = (0..all.len() as u32).filter(|i| !self.null_key(&all, *i as usize)).collect();
        let all = if kept.len() == all.len() { all } else { all.take(&kept) };
        let width = all.columns().len() - 1;
        let deletes = all.column(width).as_boolean().values().iter().collect();
        let rows = all.project(&(0..width).collect::<Vec<_>>());
        let keys: Vec<ArrayRef> = self.identity.iter().map(|c| Arc::clone(rows.column(*c))).collect();
        let (mut row_hashes, mut ids) = (vec![], vec![]);
        hash_columns(&keys, rows.len(), &mut row_hashes);
        KeyTable::new(&self.types).lookup_or_insert(&keys, &row_hashes, rows.len(), &mut ids);
        let (mut first, mut hashes) = (vec![], vec![]);
        for (i, id) in ids.iter().enumerate() {
            // ids are given out in order
            if *id as usize == first.len() {
                first.push(i as u32);
                hashes.push(row_hashes[i]);
            }
        }
        Incoming { rows, deletes, ids, first, hashes }
    }

    fn null_key(&self, batch: &Batch, i: usize) -> bool {
        let Intake::Upsert { key } = &self.relation.intake else { return false };
        let null = key.iter().find(|c| batch.column(**c).is_null(i));
        if let Some(c) = null {
            let name = self.relation.schema.field(*c).name();
            let columns = &batch.columns()[..batch.columns().len() - 1];
            self.reject(columns, i, format!("the primary key column {name} is NULL"));
        }
        null.is_some()
    }

    /// Calls `f` with the rows that some identities, by number, had before the tick, and how often.
    fn held(&self, tick: u64, incoming: &Incoming, which: &[u32], f: impl FnMut(u32, RowId, i64)) {
        let rows: Vec<u32> = which.iter().map(|id| incoming.first[*id as usize]).collect();
        let keys = incoming.rows.project(&self.identity).take(&rows);
        let hashes: Vec<u64> = which.iter().map(|id| incoming.hashes[*id as usize]).collect();
        self.reader.borrow().probe(keys.columns(), &hashes, tick - 1, NullKeys::Equal, f);
    }

    /// All columns of some rows.
    fn gather(&self, rows: &[RowId]) -> Vec<ArrayRef> {
        let arrangement = self.reader.borrow();
        (0..self.relation.schema.fields().len()).map(|c| arrangement.gather(c, rows)).collect()
    }

    fn reject(&self, columns: &[ArrayRef], i: usize, reason: String) {
        let system = |name: &str| self.relation.schema.index_of(name).ok().map(|c| &columns[c]);
        let partition = system("ROWPARTITION").map(|c| c.as_primitive::<Int32Type>());
        let offset = system("ROWOFFSET").map(|c| c.as_primitive::<Int64Type>());
        let partition = partition.filter(|c| c.is_valid(i)).map(|c| c.value(i));
        let offset = offset.filter(|c| c.is_valid(i)).map(|c| c.value(i));
        self.reporter.reject(self.relation.id, (partition, offset), reason, row_text(columns, i));
    }
}
