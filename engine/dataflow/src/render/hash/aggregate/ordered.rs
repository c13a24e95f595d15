//! COLLECT_LIST, COLLECT_SET, STRING_AGG, LATEST and EARLIEST: the values of a group in order.
//!
//! ```text
//! entry   [ ORDER BY columns | tick, partition, offset ][ value ][ length of the first part ]
//! ```
//! The first part is what the order is by before the value itself; it is absent, with its length, where there is nothing.
//! Over rows that are never retracted LATEST and EARLIEST keep what they answer and no more.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, ListArray, StringBuilder, new_null_array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::row::{Row, RowConverter, RowParser, SortField};
use millrace_data::consolidate::row_converter;
use millrace_planner::plan::{Aggregate, AggregateFunction as F, SortKey};

use super::{Call, Finished, State, Update};
use crate::by_group::ByGroup;
use crate::render::hash::sorted::Sorted;

/// Bytes of the length at the end of an entry.
const LENGTH_BYTES: usize = 4;

/// Whether the order of rows matters to a function.
pub(super) fn is_ordered(function: &F) -> bool {
    matches!(function, F::CollectList | F::StringAgg { .. } | F::Latest { .. } | F::Earliest { .. })
}

/// What decides about the entries of a state.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Form {
    arg: usize,
    order: Vec<SortKey>,
    /// Partition and offset.
    arrival: Option<(usize, usize)>,
    keep: Keep,
}

/// Which entries the functions over a state read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keep {
    All,
    First(u64),
    Last(u64),
}

impl Form {
    pub(super) fn of(aggregate: &Aggregate) -> Self {
        let keep = match &aggregate.function {
            _ if aggregate.distinct => Keep::All,
            F::Latest { n, .. } => Keep::Last(n.unwrap_or(1) as u64),
            F::Earliest { n, .. } => Keep::First(n.unwrap_or(1) as u64),
            _ => Keep::All,
        };
        let arrival = aggregate.arrival.filter(|_| is_ordered(&aggregate.function));
        Form { arg: aggregate.args[0], order: aggregate.order.clone(), arrival, keep }
    }
}

/// See the module.
pub(super) struct Ordered {
    form: Form,
    /// What is packed before the value.
    key: Option<RowConverter>,
    value: RowConverter,
    value_type: DataType,
    /// Where the tick of each row is, if rows come with their own.
    ticks: Option<usize>,
    append_only: bool,
    entries: ByGroup<Sorted>,
    bytes: isize,
    entry: Vec<u8>,
}

impl Ordered {
    /// Over rows of `input`; where they can be retracted and their arrival matters, a column with the tick of their
    /// arrival stands behind the others.
    ///
    /// # Panics
    /// If a type has no row form (none of SQL's types lacks one).
    #[allow(clippy::expect_used)]
    pub(super) fn new(form: Form, input: &SchemaRef, append_only: bool) -> Self {
        let field = |data_type: &DataType, descending, nulls_first| {
            SortField::new_with_options(data_type.clone(), SortOptions { descending, nulls_first })
        };
        let data_type = |c: usize| input.field(c).data_type();
        let mut fields: Vec<SortField> =
            form.order.iter().map(|k| field(data_type(k.column), k.descending, k.nulls_first)).collect();
        if let Some((partition, offset)) = form.arrival {
            let arrival = [&DataType::Int64, data_type(partition), data_type(offset)];
            fields.extend(arrival.into_iter().map(|t| field(t, false, false)));
        }
        let key = (!fields.is_empty()).then(|| RowConverter::new(fields).expect("SQL types have a row form"));
        let value_type = data_type(form.arg).clone();
        Ordered {
            key,
            value: row_converter([&value_type]),
            value_type,
            ticks: (form.arrival.is_some() && !append_only).then(|| input.fields().len()),
            form,
            append_only,
            entries: ByGroup::new(),
            bytes: 0,
            entry: vec![],
        }
    }

    /// The columns that are packed before the value.
    fn key_columns(&self, rows: &Update<'_>) -> Vec<ArrayRef> {
        let mut columns: Vec<ArrayRef> = self.form.order.iter().map(|k| Arc::clone(&rows.columns[k.column])).collect();
        if let Some((partition, offset)) = self.form.arrival {
            columns.push(match self.ticks {
                Some(c) => Arc::clone(&rows.columns[c]),
                None => Arc::new(Int64Array::from(vec![rows.tick as i64; rows.groups.len()])),
            });
            columns.extend([partition, offset].map(|c| Arc::clone(&rows.columns[c])));
        }
        columns
    }

    /// The packed value of an entry.
    fn value_of<'a>(&self, entry: &'a [u8]) -> &'a [u8] {
        if self.key.is_none() {
            return entry;
        }
        let (entry, length) = entry.split_at(entry.len() - LENGTH_BYTES);
        let length = length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        &entry[length..]
    }

    /// The values that a call reads of a group, in order, each as often as it counts.
    fn values<'a>(&'a self, call: &Call, group: u32, parser: &'a RowParser, out: &mut Vec<Row<'a>>) {
        let entries = &self.entries[group as usize];
        let from = out.len();
        let mut push = |entry: &'a [u8], count: i64| {
            let row = parser.parse(self.value_of(entry));
            out.extend(std::iter::repeat_n(row, usize::try_from(count).unwrap_or(0)));
        };
        let n = |n: &Option<usize>| n.unwrap_or(1);
        match &call.function {
            _ if call.distinct => {
                let mut seen = HashSet::new();
                for (entry, _) in entries.iter().filter(|(_, count)| *count > 0) {
                    if self.key.is_none() || seen.insert(self.value_of(entry)) {
                        push(entry, 1);
                    }
                }
                let len = out.len() - from;
                match &call.function {
                    F::Latest { n: last, .. } => drop(out.drain(from..from + len.saturating_sub(n(last)))),
                    F::Earliest { n: first, .. } => out.truncate(from + len.min(n(first))),
                    _ => {}
                }
            }
            F::Latest { n: last, .. } => {
                let mut left = n(last) as i64;
                for (entry, count) in entries.iter_back() {
                    push(entry, count.min(left));
                    left -= count.max(0);
                    if left <= 0 {
                        break;
                    }
                }
                out[from..].reverse();
            }
            F::Earliest { n: first, .. } => {
                entries.range(0, Some(n(first) as u64)).for_each(|(entry, count)| push(entry, count));
            }
            _ => entries.iter().for_each(|(entry, count)| push(entry, count)),
        }
    }

    /// # Panics
    /// Never: the bytes are of this state's making.
    #[allow(clippy::expect_used)]
    fn column(&self, rows: Vec<Row<'_>>) -> ArrayRef {
        self.value.convert_rows(rows).expect("packed values").swap_remove(0)
    }
}

impl State for Ordered {
    fn grow(&mut self, groups: usize) {
        self.entries.grow(groups);
    }

    #[allow(clippy::expect_used)]
    fn update(&mut self, rows: &Update<'_>) {
        let columns = self.key_columns(rows);
        let keys = self.key.as_ref().map(|key| key.convert_columns(&columns).expect("columns of the state's types"));
        let value = std::slice::from_ref(&rows.columns[self.form.arg]);
        let values = self.value.convert_columns(value).expect("a column of the state's type");
        for (i, (group, weight)) in rows.groups.iter().zip(rows.weights).enumerate() {
            if *weight == 0 {
                continue;
            }
            self.entry.clear();
            if let Some(keys) = &keys {
                self.entry.extend_from_slice(keys.row(i).data());
            }
            let length = self.entry.len() as u32;
            self.entry.extend_from_slice(values.row(i).data());
            if keys.is_some() {
                self.entry.extend(length.to_be_bytes());
            }
            let entries = &mut self.entries[*group as usize];
            self.bytes += entries.add(&self.entry, *weight);
            if self.append_only {
                self.bytes -= match self.form.keep {
                    Keep::All => 0,
                    Keep::First(n) => entries.keep_first(n),
                    Keep::Last(n) => entries.keep_last(n),
                };
            }
        }
    }

    fn finish(&self, call: &Call, groups: &[u32], _: &ByGroup<i64>) -> Finished {
        let parser = self.value.parser();
        let (mut rows, mut lengths) = (vec![], Vec::with_capacity(groups.len()));
        let single = matches!(call.function, F::Latest { n: None, .. } | F::Earliest { n: None, .. });
        let null = single.then(|| self.value.convert_columns(&[new_null_array(&self.value_type, 1)]).ok()).flatten();
        for group in groups {
            let from = rows.len();
            self.values(call, *group, &parser, &mut rows);
            if let Some(null) = &null
                && rows.len() == from
            {
                rows.push(null.row(0));
            }
            lengths.push(rows.len() - from);
        }
        let values = self.column(rows);
        let some = || NullBuffer::from_iter(lengths.iter().map(|len| *len > 0));
        Finished::of(match &call.function {
            _ if single => values,
            F::StringAgg { separator } => joined(&values, &lengths, separator),
            F::CollectList | F::CollectSet => listed(call, values, &lengths, None),
            _ => listed(call, values, &lengths, Some(some())),
        })
    }

    fn merge(&mut self, from: u32, into: u32) {
        let other = std::mem::take(&mut self.entries[from as usize]);
        self.bytes -= other.memory_bytes() as isize;
        let entries = &mut self.entries[into as usize];
        for (entry, count) in other.iter() {
            self.bytes += entries.add(entry, count);
        }
        if self.append_only {
            self.bytes -= match self.form.keep {
                Keep::All => 0,
                Keep::First(n) => entries.keep_first(n),
                Keep::Last(n) => entries.keep_last(n),
            };
        }
    }

    fn clear(&mut self, groups: &[u32]) {
        for group in groups {
            self.bytes -= std::mem::take(&mut self.entries[*group as usize]).memory_bytes() as isize;
        }
    }

    fn memory_bytes(&self) -> usize {
        self.entries.memory_bytes() + self.bytes.max(0) as usize
    }
}

/// Runs of values as arrays.
fn listed(call: &Call, values: ArrayRef, lengths: &[usize], valid: Option<NullBuffer>) -> ArrayRef {
    let DataType::List(item) = &call.data_type else { panic!("an ARRAY has no type {}", call.data_type) };
    let offsets = OffsetBuffer::from_lengths(lengths.iter().copied());
    Arc::new(ListArray::new(Arc::clone(item), offsets, values, valid))
}

/// Runs of texts, joined; NULL for an empty run.
fn joined(values: &ArrayRef, lengths: &[usize], separator: &str) -> ArrayRef {
    let (values, mut at) = (values.as_string::<i32>(), 0);
    let mut out = StringBuilder::new();
    let mut text = String::new();
    for len in lengths {
        text.clear();
        for i in at..at + len {
            if i > at {
                text.push_str(separator);
            }
            text.push_str(values.value(i));
        }
        at += len;
        out.append_option((*len > 0).then_some(&text));
    }
    Arc::new(out.finish())
}
