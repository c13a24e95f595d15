//! From the changes of a query's collection to what a reader sees: consolidated, in form, in order.
//!
//! ```text
//! batches of all workers at one tick ─consolidate→ each row once ─form→ diffs or upserts ─order→ ResultRows
//! ```
//! # Contract
//! * Within a tick retractions come before insertions; each of both by ORDER BY, then by all columns, ascending, NULL
//!   last. So equal ticks print the same, whatever the workers.
//! * Upsert form says of each key that changed what is there now: one row, or a delete.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, new_null_array};
use arrow::compute::{SortOptions, take};
use arrow::datatypes::{Schema, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use arrow_row::{RowConverter, SortField};
use millrace_data::Batch;
use millrace_data::consolidate::{consolidate, row_converter};
use millrace_planner::error::{ErrorKind, PlanError};
use millrace_planner::plan::{Query, SortKey};

use crate::client::{Changes, Form, ResultId, ResultRows};
use crate::error::{Result, SessionError};

/// How changes of a query become rows of a result.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    id: ResultId,
    /// Columns of the query's collection.
    schema: SchemaRef,
    /// How many of them the reader sees.
    visible: usize,
    order: Vec<SortKey>,
    /// Columns of the key, in upsert form.
    upsert: Option<Vec<usize>>,
    /// The collection never retracts.
    append_only: bool,
}

/// What a finished or running answer has collected so far.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    batches: Vec<Batch>,
    rows: usize,
    settled: usize,
}

/// Changes that are collected before they are summed up, at least.
const COLLECTED_ROWS_MIN: usize = 65_536;

impl Answer {
    /// The changes of `query`, in upsert form if it wants it or in the form that is asked for.
    ///
    /// # Errors
    /// If upserts are asked for and the query has no key.
    pub(crate) fn push(id: ResultId, query: &Query, changes: &str) -> Result<Self> {
        let upsert = match changes {
            "diff" => false,
            "upsert" => true,
            _ => query.upsert,
        };
        let key = match (upsert, &query.key) {
            (true, Some(key)) => Some(key.clone()),
            (true, None) if changes == "upsert" && !query.root.append_only => {
                let error = PlanError::new(ErrorKind::NotSupported, "the result has no key to upsert by")
                    .detail("millrace.changes is 'upsert', and no columns of the result are known to be unique.")
                    .hint("SET millrace.changes = 'diff', or group by what identifies a row.");
                return Err(error.into());
            }
            _ => None,
        };
        Ok(Answer { upsert: key, ..Self::pull(id, query) })
    }

    /// The rows of `query`, once.
    pub(crate) fn pull(id: ResultId, query: &Query) -> Self {
        Answer {
            id,
            schema: Arc::clone(&query.root.schema),
            visible: query.visible,
            order: query.order.clone(),
            upsert: None,
            append_only: query.root.append_only,
        }
    }

    /// The result that they belong to.
    pub(crate) fn id(&self) -> ResultId {
        self.id
    }

    /// The columns that the reader sees.
    pub(crate) fn columns(&self) -> SchemaRef {
        self.project((0..self.visible).collect())
    }

    /// The form of changes.
    pub(crate) fn form(&self) -> Form {
        match &self.upsert {
            Some(key) => Form::Upsert { key: self.project(key.clone()) },
            None => Form::Diff { retracts: !self.append_only },
        }
    }

    fn project(&self, columns: Vec<usize>) -> SchemaRef {
        Arc::new(Schema::new(columns.into_iter().map(|c| Arc::clone(&self.schema.fields()[c])).collect::<Vec<_>>()))
    }

    /// What the reader sees of a tick's changes; at most `rows_max` rows if that is given. `None`: nothing.
    pub(crate) fn changes(&self, tick: u64, batches: &[Batch], rows_max: Option<usize>) -> Result<Option<ResultRows>> {
        let Some(all) = consolidate(batches, &self.schema) else { return Ok(None) };
        let mut order = self.sorted(&all)?;
        if let Some(key) = &self.upsert {
            return self.upserts(tick, &all, &order, key).map(Some);
        }
        order.sort_by_key(|row| all.diff(*row as usize) > 0);
        let mut diffs: Vec<i64> = order.iter().map(|row| all.diff(*row as usize)).collect();
        if let Some(rows_max) = rows_max {
            cut(&mut diffs, rows_max);
            order.truncate(diffs.len());
        }
        let rows = self.rows(&all, &order)?;
        Ok(Some(ResultRows { id: self.id, tick, rows, changes: Changes::Diffs(diffs) }))
    }

    /// All rows of an answer, each as often as it is there, in order.
    pub(crate) fn answer(&self, tick: u64, collected: Collected, rows_max: usize) -> Result<ResultRows> {
        let empty = || Batch::empty(self.schema.fields().iter().map(|f| f.data_type()));
        let all = consolidate(&collected.batches, &self.schema).unwrap_or_else(empty);
        let mut order = Vec::with_capacity(all.len());
        for row in self.sorted(&all)? {
            let times = all.diff(row as usize);
            if times < 0 {
                let message = format!("a row of the answer is there {times} times");
                return Err(SessionError::internal(message));
            }
            if order.len() + times as usize > rows_max {
                let error = PlanError::new(ErrorKind::Resources, format!("the answer has more than {rows_max} rows"))
                    .hint("LIMIT it, raise millrace.answer_rows_max, or write it to a file: CREATE TABLE … WITH (CONNECTOR = 'file', PATH = …) AS …");
                return Err(error.into());
            }
            order.extend(std::iter::repeat_n(row, times as usize));
        }
        let rows = self.rows(&all, &order)?;
        Ok(ResultRows { id: self.id, tick, rows, changes: Changes::Rows })
    }

    /// Row positions by ORDER BY. `all` is sorted by all columns already.
    fn sorted(&self, all: &Batch) -> Result<Vec<u32>> {
        let mut order: Vec<u32> = (0..all.len() as u32).collect();
        if self.order.is_empty() {
            return Ok(order);
        }
        let fields = self.order.iter().map(|key| {
            let options = SortOptions { descending: key.descending, nulls_first: key.nulls_first };
            SortField::new_with_options(self.schema.field(key.column).data_type().clone(), options)
        });
        let keys: Vec<ArrayRef> = self.order.iter().map(|key| Arc::clone(all.column(key.column))).collect();
        let rows = RowConverter::new(fields.collect()).and_then(|converter| converter.convert_columns(&keys));
        let rows = rows.map_err(|error| SessionError::internal(error.to_string()))?;
        order.sort_by(|a, b| rows.row(*a as usize).cmp(&rows.row(*b as usize)));
        Ok(order)
    }

    fn upserts(&self, tick: u64, all: &Batch, order: &[u32], key: &[usize]) -> Result<ResultRows> {
        let keys: Vec<ArrayRef> = key.iter().map(|c| Arc::clone(all.column(*c))).collect();
        let converter = row_converter(keys.iter().map(|k| k.data_type()));
        let packed = converter.convert_columns(&keys).map_err(|e| SessionError::internal(e.to_string()))?;
        let present: std::collections::HashSet<_> =
            order.iter().filter(|row| all.diff(**row as usize) > 0).map(|row| packed.row(*row as usize)).collect();
        let says = |row: &u32| all.diff(*row as usize) > 0 || !present.contains(&packed.row(*row as usize));
        let mut order: Vec<u32> = order.iter().copied().filter(says).collect();
        // deletes first, as retractions are elsewhere
        order.sort_by_key(|row| all.diff(*row as usize) > 0);
        let deletes: Vec<bool> = order.iter().map(|row| all.diff(*row as usize) < 0).collect();
        let mut rows = self.rows(all, &order)?;
        if deletes.contains(&true) {
            let gone = BooleanArray::from(deletes.clone());
            let columns = rows.columns().iter().map(|c| blank(c, &gone)).collect::<Result<Vec<_>>>()?;
            rows = record_batch(&self.columns(), columns, order.len())?;
        }
        let keys = take_all(&keys, &order)?;
        let key = record_batch(&self.project(key.to_vec()), keys, order.len())?;
        Ok(ResultRows { id: self.id, tick, rows, changes: Changes::Upserts { key, deletes } })
    }

    fn rows(&self, all: &Batch, order: &[u32]) -> Result<RecordBatch> {
        // a row without columns has nothing to take from
        let columns = take_all(&all.columns()[..self.visible.min(all.columns().len())], order)?;
        record_batch(&self.columns(), columns, order.len())
    }
}

impl Collected {
    /// Adds changes; sums up when they have doubled.
    pub(crate) fn add(&mut self, batches: Vec<Batch>, schema: &SchemaRef) {
        self.rows += batches.iter().map(Batch::len).sum::<usize>();
        self.batches.extend(batches);
        if self.rows > 2 * self.settled + COLLECTED_ROWS_MIN && self.batches.iter().any(|b| b.diffs().is_some()) {
            self.batches = consolidate(&self.batches, schema).into_iter().collect();
            self.settled = self.batches.iter().map(Batch::len).sum();
            self.rows = self.settled;
        }
    }

    /// The changes, summed up.
    pub(crate) fn into_batch(self, schema: &SchemaRef) -> Option<Batch> {
        consolidate(&self.batches, schema)
    }
}

/// Leaves only so many insertions.
fn cut(diffs: &mut Vec<i64>, insertions_max: usize) {
    let mut left = insertions_max as i64;
    for diff in diffs.iter_mut() {
        *diff = (*diff).min(left);
        left -= (*diff).max(0);
    }
    diffs.retain(|diff| *diff != 0);
}

fn take_all(columns: &[ArrayRef], order: &[u32]) -> Result<Vec<ArrayRef>> {
    let positions = arrow::array::UInt32Array::from(order.to_vec());
    let taken = columns.iter().map(|c| take(c, &positions, None));
    taken.collect::<std::result::Result<_, _>>().map_err(|error| SessionError::internal(error.to_string()))
}

/// The column with NULL where `gone`.
fn blank(column: &ArrayRef, gone: &BooleanArray) -> Result<ArrayRef> {
    let none = new_null_array(column.data_type(), column.len());
    arrow::compute::kernels::zip::zip(gone, &none, column).map_err(|error| SessionError::internal(error.to_string()))
}

/// A record batch of these columns, which may be none.
pub(crate) fn record_batch(schema: &SchemaRef, columns: Vec<ArrayRef>, len: usize) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(len));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
        .map_err(|error| SessionError::internal(error.to_string()))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray, Int64Array, StringArray};
    use arrow::datatypes::{DataType, Field, Int64Type};

    use super::*;

    fn answer(visible: usize, order: Vec<SortKey>, upsert: Option<Vec<usize>>) -> Answer {
        let fields = [("ACCOUNT", DataType::Utf8), ("BALANCE", DataType::Int64)];
        let fields: Vec<Field> = fields.into_iter().map(|(name, t)| Field::new(name, t, true)).collect();
        let schema = Arc::new(Schema::new(fields));
        Answer { id: ResultId(1), schema, visible, order, upsert, append_only: false }
    }

    fn batch(rows: &[(&str, i64, i64)]) -> Batch {
        let accounts: StringArray = rows.iter().map(|r| Some(r.0)).collect();
        let balances: Int64Array = rows.iter().map(|r| Some(r.1)).collect();
        let diffs = rows.iter().map(|r| r.2).collect();
        Batch::new(vec![Arc::new(accounts), Arc::new(balances)], Some(diffs), rows.len())
    }

    fn shown(rows: &RecordBatch) -> Vec<(String, Option<i64>)> {
        let names = rows.column(0).as_string::<i32>();
        let values = rows.column(1).as_primitive::<Int64Type>();
        (0..rows.num_rows()).map(|i| (names.value(i).to_owned(), values.is_valid(i).then(|| values.value(i)))).collect()
    }

    #[test]
    fn retractions_come_first_and_workers_do_not_show() {
        let answer = answer(2, vec![], None);
        let parts = [batch(&[("b", 1, 1), ("a", 7, 1)]), batch(&[("b", 2, -1), ("c", 3, 1), ("c", 3, -1)])];
        let rows = answer.changes(4, &parts, None).unwrap().unwrap();
        assert_eq!(shown(&rows.rows), [("b".into(), Some(2)), ("a".into(), Some(7)), ("b".into(), Some(1))]);
        assert!(matches!(rows.changes, Changes::Diffs(diffs) if diffs == [-1, 1, 1]));
        let swapped = [parts[1].clone(), parts[0].clone()];
        assert_eq!(answer.changes(4, &swapped, None).unwrap().unwrap().rows, rows.rows);
        assert!(answer.changes(5, &[parts[0].clone(), parts[0].negate()], None).unwrap().is_none());
    }

    #[test]
    fn upserts_say_what_is_there_now() {
        let answer = answer(2, vec![], Some(vec![0]));
        let rows = answer.changes(1, &[batch(&[("a", 50, -1), ("a", 75, 1), ("b", 9, -1)])], None).unwrap().unwrap();
        let Changes::Upserts { key, deletes } = &rows.changes else { panic!("not upserts") };
        assert_eq!(deletes, &[true, false]);
        assert_eq!(key.column(0).as_string::<i32>().iter().flatten().collect::<Vec<_>>(), ["b", "a"]);
        assert!(rows.rows.column(1).is_null(0));
        assert_eq!(rows.rows.column(1).as_primitive::<Int64Type>().value(1), 75);
    }

    #[test]
    fn an_answer_has_every_row_as_often_as_it_is_there() {
        let order = vec![SortKey { column: 1, descending: true, nulls_first: false }];
        let answer = answer(2, order, None);
        let mut collected = Collected::default();
        collected.add(vec![batch(&[("a", 1, 2), ("b", 5, 1), ("c", 1, 1), ("c", 9, 1)])], &answer.schema);
        collected.add(vec![batch(&[("c", 9, -1)])], &answer.schema);
        let rows = answer.answer(9, collected, 10).unwrap();
        assert_eq!(
            shown(&rows.rows),
            [("b".into(), Some(5)), ("a".into(), Some(1)), ("a".into(), Some(1)), ("c".into(), Some(1))]
        );
        let mut collected = Collected::default();
        collected.add(vec![batch(&[("a", 1, 3)])], &answer.schema);
        assert_eq!(answer.answer(9, collected, 2).unwrap_err().error.kind, ErrorKind::Resources);
    }
}
