//! How a keyed table or a bag takes in its rows: in order, against what it holds.
//!
//! Rows come to the worker that their key belongs to, in order of arrival, with a BOOLEAN `deleted` as the last column.
//! Out goes the net change of the tick: retractions of rows that were there, insertions of rows that are.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, Int32Type, Int64Type, Schema, SchemaRef};
use arrow::row::{OwnedRow, RowConverter, Rows as PackedRows};
use millrace_data::Batch;
use millrace_data::consolidate::row_converter;

use crate::api::{BaseRelation, Intake};
use crate::errors::{Reporter, row_text};
use crate::operator::{Calls, Meter, Route, unary};
use crate::render::Rows;

/// The relation's columns and `deleted` behind them.
pub(crate) fn input_schema(schema: &SchemaRef) -> SchemaRef {
    let deleted = Arc::new(Field::new("deleted", DataType::Boolean, false));
    Arc::new(Schema::new(schema.fields().iter().cloned().chain([deleted]).collect::<Vec<_>>()))
}

/// The relation's collection.
pub(crate) fn intake<'scope>(
    rows: Rows<'scope>,
    relation: &BaseRelation,
    reporter: Reporter,
    meter: Meter,
) -> Rows<'scope> {
    let mut table = Table::new(relation.clone(), reporter);
    unary(rows, "Intake", Route::Local, Calls::WithInput, meter, move |_, batches, emit| {
        emit(table.apply(&batches));
    })
}

/// Rows by identity: the primary key, or for a bag all declared columns.
struct Table {
    relation: BaseRelation,
    reporter: Reporter,
    identity: Vec<usize>,
    keys: RowConverter,
    whole: RowConverter,
    rows: HashMap<OwnedRow, Vec<OwnedRow>>,
}

impl Table {
    fn new(relation: BaseRelation, reporter: Reporter) -> Self {
        let identity: Vec<usize> = match &relation.intake {
            Intake::Upsert { key } => key.clone(),
            Intake::Bag { columns } => (0..*columns).collect(),
            Intake::Append => vec![],
        };
        let fields = relation.schema.fields();
        let keys = row_converter(identity.iter().map(|c| fields[*c].data_type()));
        let whole = row_converter(fields.iter().map(|f| f.data_type()));
        Table { relation, reporter, identity, keys, whole, rows: HashMap::new() }
    }

    /// # Panics
    /// Never: batches have the relation's columns.
    #[allow(clippy::expect_used)]
    fn apply(&mut self, batches: &[Batch]) -> Batch {
        // what each touched identity held before the tick
        let mut before: HashMap<OwnedRow, Vec<OwnedRow>> = HashMap::new();
        for batch in batches {
            let width = batch.columns().len() - 1;
            let columns = &batch.columns()[..width];
            let deletes = batch.column(width).as_boolean();
            let key_columns: Vec<ArrayRef> = self.identity.iter().map(|c| Arc::clone(&columns[*c])).collect();
            let keys = self.keys.convert_columns(&key_columns).expect("key columns of the relation");
            let whole = self.whole.convert_columns(columns).expect("columns of the relation");
            for i in 0..batch.len() {
                if self.null_key(columns, i) {
                    continue;
                }
                let key = keys.row(i).owned();
                let held = self.rows.get(&key).cloned().unwrap_or_default();
                before.entry(key.clone()).or_insert_with(|| held.clone());
                let now = self.next(held, &whole, columns, i, deletes.value(i));
                if now.is_empty() {
                    self.rows.remove(&key);
                } else {
                    self.rows.insert(key, now);
                }
            }
        }
        self.changes(before)
    }

    fn null_key(&self, columns: &[ArrayRef], i: usize) -> bool {
        let Intake::Upsert { key } = &self.relation.intake else { return false };
        let null = key.iter().find(|c| columns[**c].is_null(i));
        if let Some(c) = null {
            let name = self.relation.schema.field(*c).name();
            self.reject(columns, i, format!("the primary key column {name} is NULL"));
        }
        null.is_some()
    }

    /// What an identity holds after row `i`.
    fn next(
        &self,
        mut held: Vec<OwnedRow>,
        whole: &PackedRows,
        columns: &[ArrayRef],
        i: usize,
        delete: bool,
    ) -> Vec<OwnedRow> {
        match (&self.relation.intake, delete) {
            (Intake::Upsert { .. }, true) => vec![],
            (Intake::Upsert { .. }, false) => vec![whole.row(i).owned()],
            (_, false) => {
                held.push(whole.row(i).owned());
                held
            }
            (_, true) => {
                if held.is_empty() {
                    self.reject(columns, i, "a delete of a row that is not there".to_owned());
                } else {
                    held.remove(0);
                }
                held
            }
        }
    }

    #[allow(clippy::expect_used)]
    fn changes(&self, before: HashMap<OwnedRow, Vec<OwnedRow>>) -> Batch {
        let (mut rows, mut diffs) = (vec![], vec![]);
        for (key, old) in &before {
            let new = self.rows.get(key).map_or(&[][..], Vec::as_slice);
            for (row, diff) in old.iter().map(|r| (r, -1)).chain(new.iter().map(|r| (r, 1))) {
                // rows that stay need not be said
                let counter = if diff < 0 { new } else { old };
                if !counter.contains(row) || counter.len() != 1 || old.len() != 1 || new.len() != 1 {
                    rows.push(row.row());
                    diffs.push(diff);
                }
            }
        }
        let len = rows.len();
        let columns = self.whole.convert_rows(rows).expect("rows of this converter");
        Batch::new(columns, Some(diffs), len)
    }

    fn reject(&self, columns: &[ArrayRef], i: usize, reason: String) {
        let partition = self.system(columns, "ROWPARTITION");
        let offset = self.system(columns, "ROWOFFSET");
        let partition = partition.map(|c| c.as_primitive::<Int32Type>()).filter(|c| c.is_valid(i)).map(|c| c.value(i));
        let offset = offset.map(|c| c.as_primitive::<Int64Type>()).filter(|c| c.is_valid(i)).map(|c| c.value(i));
        self.reporter.reject(self.relation.id, (partition, offset), reason, row_text(columns, i));
    }

    fn system<'a>(&self, columns: &'a [ArrayRef], name: &str) -> Option<&'a ArrayRef> {
        self.relation.schema.index_of(name).ok().map(|c| &columns[c])
    }
}
