//! The first rows of each partition, in a total order.
//!
//! Rows are packed so that their bytes compare in the order that is asked for, and lie sorted by partition. What a tick
//! did to a partition is the difference between its first rows before and after. Over rows that are never retracted, only
//! the first rows are kept.
//!
//! Where the places of rows are asked for, a change moves all rows behind it: what changed is then what stands at each
//! place before and after.

use std::cmp::Ordering;

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use arrow::compute::SortOptions;
use arrow::datatypes::SchemaRef;
use arrow::row::{RowConverter, Rows as PackedRows, SortField};
use millrace_arrange::KeyTable;
use millrace_data::Batch;
use millrace_data::hash::hash_columns;
use millrace_planner::plan::{Node, Op, SortKey};

use crate::by_group::ByGroup;
use crate::operator::{Calls, Route, unary};
use crate::render::hash::sorted::Sorted;
use crate::render::{Renderer, Rows, Tools};

/// Renders `Op::TopK`.
pub(crate) fn top_k<'scope>(cx: &mut Renderer<'scope, '_>, node: &Node, tools: Tools) -> Rows<'scope> {
    let Op::TopK { input, partition, order, offset, limit, rank } = &node.op else { panic!("not TopK: {:?}", node.op) };
    let rows = cx.render(input);
    let window = (*offset as u64, limit.map(|limit| limit as u64));
    let mut partitions = Partitions::new(&input.schema, partition, order, window, input.append_only);
    partitions.ranked = *rank;
    let (route, meter) = (Route::Key(partition.clone()), tools.meter.clone());
    unary(rows, "TopK", route, Calls::WithInput, tools.meter, move |_, batches, emit| {
        if let Some(changes) = partitions.apply(&batches) {
            emit(changes);
        }
        meter.holds(partitions.memory_bytes());
    })
}

/// Each column once; any that the order does not name at its end.
fn total(order: &[SortKey], columns: usize) -> Vec<SortKey> {
    let mut total: Vec<SortKey> = vec![];
    let rest = (0..columns).map(|column| SortKey { column, descending: false, nulls_first: false });
    for key in order.iter().copied().chain(rest) {
        if !total.iter().any(|k| k.column == key.column) {
            total.push(key);
        }
    }
    total
}

struct Partitions {
    partition: Vec<usize>,
    table: KeyTable,
    /// Packed rows.
    rows: ByGroup<Sorted>,
    /// Place of a partition among those that the tick touches, plus 1.
    touched: ByGroup<u32>,
    converter: RowConverter,
    /// Of the columns that rows are ordered by alone.
    order: RowConverter,
    /// The columns in the order in which they are packed.
    packed: Vec<usize>,
    /// How many of these rows are ordered by.
    ordered: usize,
    offset: u64,
    limit: Option<u64>,
    append_only: bool,
    /// Rows come out with their places.
    ranked: bool,
    bytes: isize,
    hashes: Vec<u64>,
}

/// A batch, packed, with the partition of each row.
struct Incoming {
    rows: PackedRows,
    partitions: Vec<u32>,
    batch: Batch,
}

/// First rows, one partition's behind the other's.
#[derive(Default)]
struct Window {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    counts: Vec<i64>,
    /// The place of each, where places are asked for.
    ranks: Vec<i64>,
}

/// A partition that the tick touches.
struct Touched {
    partition: u32,
    /// The first of its rows that change: (batch, row).
    least: (usize, usize),
    /// Where its first rows from before the tick are; `None` if the changes are behind them.
    before: Option<(usize, usize)>,
}

impl Partitions {
    /// # Panics
    /// If a type has no row form (none of SQL's types lacks one).
    #[allow(clippy::expect_used)]
    fn new(
        schema: &SchemaRef,
        partition: &[usize],
        order: &[SortKey],
        (offset, limit): (u64, Option<u64>),
        append_only: bool,
    ) -> Self {
        let ordered = total(order, 0).len();
        let order = total(order, schema.fields().len());
        let field = |key: &SortKey| {
            let options = SortOptions { descending: key.descending, nulls_first: key.nulls_first };
            SortField::new_with_options(schema.field(key.column).data_type().clone(), options)
        };
        let types: Vec<_> = partition.iter().map(|c| schema.field(*c).data_type().clone()).collect();
        Partitions {
            partition: partition.to_vec(),
            table: KeyTable::new(&types),
            rows: ByGroup::new(),
            touched: ByGroup::new(),
            converter: RowConverter::new(order.iter().map(field).collect()).expect("SQL types have a row form"),
            order: RowConverter::new(order[..ordered].iter().map(field).collect()).expect("SQL types have a row form"),
            ordered,
            packed: order.iter().map(|key| key.column).collect(),
            offset,
            limit,
            append_only,
            ranked: false,
            bytes: 0,
            hashes: vec![],
        }
    }

    /// Rows up to the last that is wanted.
    fn wanted(&self) -> Option<u64> {
        self.limit.map(|limit| self.offset.saturating_add(limit))
    }

    fn apply(&mut self, batches: &[Batch]) -> Option<Batch> {
        let incoming: Vec<Incoming> = batches.iter().map(|batch| self.read(batch)).collect();
        let mut touched = self.touch(&incoming);
        let mut old = Window::default();
        for touched in &mut touched {
            let rows = &self.rows[touched.partition as usize];
            let (batch, row) = touched.least;
            if !self.is_behind(rows, incoming[batch].rows.row(row).data()) {
                let from = old.ends.len();
                old.add(rows, self.offset, self.limit);
                touched.before = Some((from, old.ends.len()));
            }
        }
        incoming.iter().for_each(|incoming| self.change(incoming));
        let mut new = Window::default();
        let mut changes = Window::default();
        for touched in &touched {
            if let Some((from, to)) = touched.before {
                let begin = new.ends.len();
                new.add(&self.rows[touched.partition as usize], self.offset, self.limit);
                let (before, after) = (Entries::new(&old, from..to), Entries::new(&new, begin..new.ends.len()));
                match self.ranked {
                    true => moved(before, after, self.offset, &mut changes),
                    false => difference(before, after, &mut changes),
                }
            }
        }
        let empty = touched.iter().map(|t| t.partition).filter(|p| self.rows[*p as usize].is_empty());
        self.table.remove(&empty.collect::<Vec<_>>());
        self.unpack(changes)
    }

    /// # Panics
    /// If the batch does not have the columns of the input.
    #[allow(clippy::expect_used)]
    fn read(&mut self, batch: &Batch) -> Incoming {
        let columns = |batch: &Batch, which: &[usize]| -> Vec<ArrayRef> {
            which.iter().map(|c| ArrayRef::clone(batch.column(*c))).collect()
        };
        let keys = columns(batch, &self.partition);
        hash_columns(&keys, batch.len(), &mut self.hashes);
        let mut partitions = vec![];
        self.table.lookup_or_insert(&keys, &self.hashes, batch.len(), &mut partitions);
        self.rows.grow(self.table.upper());
        self.touched.grow(self.table.upper());
        let mut batch = batch.clone();
        if let Some(wanted) = self.wanted().filter(|_| self.append_only && self.ordered > 0) {
            let order = self.order.convert_columns(&columns(&batch, &self.packed[..self.ordered]));
            let may_come_in = self.may_come_in(&order.expect("columns of the input"), &partitions, wanted);
            if may_come_in.len() < batch.len() {
                partitions = may_come_in.iter().map(|i| partitions[*i as usize]).collect();
                batch = batch.take(&may_come_in);
            }
        }
        let rows = self.converter.convert_columns(&columns(&batch, &self.packed)).expect("columns of the input");
        Incoming { rows, partitions, batch }
    }

    /// Rows that what they are ordered by does not put behind all that their partition keeps: only these are worth packing.
    fn may_come_in(&self, order: &PackedRows, partitions: &[u32], wanted: u64) -> Vec<u32> {
        let comes_in = |(i, partition): (u32, &u32)| {
            let kept = &self.rows[*partition as usize];
            // the order is the beginning of a packed row
            let behind =
                kept.weight() as u64 >= wanted && kept.last().is_some_and(|last| order.row(i as usize).data() > last);
            (!behind).then_some(i)
        };
        (0..).zip(partitions).filter_map(comes_in).collect()
    }

    /// The partitions that the tick touches.
    fn touch(&mut self, incoming: &[Incoming]) -> Vec<Touched> {
        let mut touched: Vec<Touched> = vec![];
        for (b, Incoming { rows, partitions, .. }) in incoming.iter().enumerate() {
            for (i, partition) in partitions.iter().enumerate() {
                let place = &mut self.touched[*partition as usize];
                if *place == 0 {
                    touched.push(Touched { partition: *partition, least: (b, i), before: None });
                    *place = touched.len() as u32;
                    continue;
                }
                let least = &mut touched[*place as usize - 1].least;
                if rows.row(i).data() < incoming[least.0].rows.row(least.1).data() {
                    *least = (b, i);
                }
            }
        }
        touched.iter().for_each(|touched| self.touched[touched.partition as usize] = 0);
        touched
    }

    /// Whether changes from `least` on lie behind all rows that are wanted.
    fn is_behind(&self, rows: &Sorted, least: &[u8]) -> bool {
        self.wanted().is_some_and(|wanted| {
            wanted > 0
                && rows.weight() >= wanted.min(i64::MAX as u64) as i64
                && rows.range(wanted - 1, Some(1)).next().is_some_and(|(last, _)| last < least)
        })
    }

    fn change(&mut self, incoming: &Incoming) {
        let keep = self.wanted().filter(|_| self.append_only);
        for (i, partition) in incoming.partitions.iter().enumerate() {
            let (row, diff) = (incoming.rows.row(i), incoming.batch.diff(i));
            let rows = &mut self.rows[*partition as usize];
            let Some(keep) = keep else {
                self.bytes += rows.add(row.data(), diff);
                continue;
            };
            let full = rows.weight() as u64 >= keep;
            if !full || rows.last().is_some_and(|last| row.data() < last) {
                self.bytes += rows.add(row.data(), diff);
                self.bytes -= rows.keep_first(keep);
            }
        }
    }

    /// # Panics
    /// Never: the bytes are of this converter's making.
    #[allow(clippy::expect_used)]
    fn unpack(&self, changes: Window) -> Option<Batch> {
        let len = changes.counts.len();
        if len == 0 {
            return None;
        }
        let parser = self.converter.parser();
        let rows = (0..len).map(|i| parser.parse(changes.entry(i)));
        let columns = self.converter.convert_rows(rows).expect("packed rows");
        let mut places: Vec<(usize, ArrayRef)> = self.packed.iter().copied().zip(columns).collect();
        places.sort_by_key(|(column, _)| *column);
        let mut columns: Vec<ArrayRef> = places.into_iter().map(|(_, column)| column).collect();
        if self.ranked {
            columns.push(Arc::new(Int64Array::from(changes.ranks)));
        }
        Some(Batch::new(columns, Some(changes.counts), len))
    }

    fn memory_bytes(&self) -> usize {
        self.table.memory_bytes() + self.rows.memory_bytes() + self.touched.memory_bytes() + self.bytes.max(0) as usize
    }
}

impl Window {
    fn push(&mut self, entry: &[u8], count: i64) {
        self.bytes.extend_from_slice(entry);
        self.ends.push(self.bytes.len());
        self.counts.push(count);
    }

    fn add(&mut self, rows: &Sorted, offset: u64, limit: Option<u64>) {
        rows.range(offset, limit).for_each(|(entry, count)| self.push(entry, count));
    }

    fn entry(&self, i: usize) -> &[u8] {
        let from = if i == 0 { 0 } else { self.ends[i - 1] };
        &self.bytes[from..self.ends[i]]
    }
}

/// Some entries of a window, ascending.
struct Entries<'w> {
    window: &'w Window,
    places: std::ops::Range<usize>,
    /// How often the first of them still counts.
    left: i64,
}

impl<'w> Entries<'w> {
    fn new(window: &'w Window, places: std::ops::Range<usize>) -> Self {
        let mut entries = Entries { window, places, left: 0 };
        entries.left = entries.first().map_or(0, |(_, count)| count);
        entries
    }

    fn first(&self) -> Option<(&'w [u8], i64)> {
        let i = self.places.start;
        (!self.places.is_empty()).then(|| (self.window.entry(i), self.window.counts[i]))
    }

    /// The first, without what was taken of it.
    fn rest(&self) -> Option<(&'w [u8], i64)> {
        self.first().map(|(entry, _)| (entry, self.left))
    }

    fn pass(&mut self) {
        self.places.next();
        self.left = self.first().map_or(0, |(_, count)| count);
    }

    fn take(&mut self, n: i64) {
        self.left -= n;
        if self.left <= 0 {
            self.pass();
        }
    }
}

/// Adds what changed from some entries to others.
fn difference(mut old: Entries<'_>, mut new: Entries<'_>, changes: &mut Window) {
    loop {
        let (before, after) = (old.first(), new.first());
        let order = match (before, after) {
            (None, None) => return,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some((before, _)), Some((after, _))) => before.cmp(after),
        };
        let before = before.filter(|_| order.is_le());
        let after = after.filter(|_| order.is_ge());
        let count = |of: Option<(&[u8], i64)>| of.map_or(0, |(_, count)| count);
        if let Some((entry, _)) = before.or(after)
            && count(before) != count(after)
        {
            changes.push(entry, count(after) - count(before));
        }
        if before.is_some() {
            old.pass();
        }
        if after.is_some() {
            new.pass();
        }
    }
}

/// Adds what stands at another place, or no longer or newly at one; the first is behind `offset` others.
fn moved(mut old: Entries<'_>, mut new: Entries<'_>, offset: u64, changes: &mut Window) {
    let mut rank = offset as i64 + 1;
    loop {
        let (before, after) = (old.rest(), new.rest());
        let same = match (before, after) {
            (None, None) => return,
            (Some((before, n)), Some((after, m))) if before == after => n.min(m),
            _ => 0,
        };
        if same == 0 {
            let mut change = |entry: Option<(&[u8], i64)>, diff| {
                if let Some((entry, _)) = entry {
                    changes.push(entry, diff);
                    changes.ranks.push(rank);
                }
            };
            change(before, -1);
            change(after, 1);
        }
        old.take(same.max(1));
        new.take(same.max(1));
        rank += same.max(1);
    }
}
