//! A stream against the table of the tick.
//!
//! The table is a map from keys to rows; it takes in a tick's changes before the tick's stream rows look at it. Nothing
//! of the stream is kept, so nothing that went out is ever revised.

use std::collections::{BTreeMap, HashMap};

use millrace_data::Batch;
use millrace_planner::plan::{Node, Op};

use crate::operator::{Calls, Route, binary};
use crate::render::differential::codec::{Codec, any_null, some};
use crate::render::differential::join::{Residual, nulls};
use crate::render::differential::keyed::Packed;
use crate::render::{Renderer, Rows, Tools};

/// Renders `Op::AsOfJoin`.
pub(crate) fn as_of<'scope>(cx: &mut Renderer<'scope, '_>, node: &Node, tools: Tools) -> Rows<'scope> {
    let Op::AsOfJoin { stream, table, on, residual, outer } = &node.op else { panic!("not AsOfJoin: {:?}", node.op) };
    let (stream_on, table_on): (Vec<usize>, Vec<usize>) = on.iter().copied().unzip();
    let (stream_rows, table_rows) = (cx.render(stream), cx.render(table));
    let residual = residual.as_ref().map(|r| Residual::new(r, &stream.schema, &table.schema, &tools.reporter));
    let mut held = Table {
        key_codec: Codec::of_columns(&table.schema, &table_on),
        codec: Codec::of(&table.schema),
        on: table_on.clone(),
        rows: HashMap::new(),
        bytes: 0,
    };
    let key_codec = Codec::of_columns(&stream.schema, &stream_on);
    let (outer, table_schema, meter) = (*outer, std::sync::Arc::clone(&table.schema), tools.meter.clone());
    let routes = (Route::Key(stream_on.clone()), Route::Key(table_on));
    binary(
        stream_rows,
        table_rows,
        "AsOfJoin",
        routes,
        Calls::WithInput,
        tools.meter,
        move |_, streams, tables, emit| {
            for batch in &tables {
                held.apply(batch);
            }
            meter.holds(held.bytes);
            for batch in streams {
                let keys = some(batch.columns(), &stream_on);
                let pairs = held.pairs(&batch, &key_codec.pack(&keys, batch.len()), |i| any_null(&keys, i));
                let (mut met, mut out) = (vec![false; batch.len()], pairs.rows);
                match &residual {
                    None => pairs.stream.iter().for_each(|i| met[*i as usize] = true),
                    Some(residual) => {
                        let mask = residual.mask(&out);
                        let passing = pairs.stream.iter().zip(&mask).filter(|(_, passes)| *passes == Some(true));
                        passing.for_each(|(i, _)| met[*i as usize] = true);
                        out = out.filter(&mask);
                    }
                }
                emit(out);
                if outer {
                    let alone: Vec<u32> = (0..batch.len() as u32).filter(|i| !met[*i as usize]).collect();
                    let alone = batch.take(&alone);
                    let columns = [alone.columns().to_vec(), nulls(&table_schema, alone.len())].concat();
                    emit(alone.with_columns(columns));
                }
            }
        },
    )
}

/// Stream rows with rows of the table.
struct Pairs {
    /// Which row of the stream's batch.
    stream: Vec<u32>,
    /// Stream columns, then table columns.
    rows: Batch,
}

/// The table as of now.
struct Table {
    key_codec: Codec,
    codec: Codec,
    on: Vec<usize>,
    rows: HashMap<Packed, BTreeMap<Packed, i64>>,
    bytes: usize,
}

impl Table {
    fn apply(&mut self, batch: &Batch) {
        let keys = some(batch.columns(), &self.on);
        let packed_keys = self.key_codec.pack(&keys, batch.len());
        let packed_rows = self.codec.pack(batch.columns(), batch.len());
        for (i, (key, row)) in packed_keys.into_iter().zip(packed_rows).enumerate() {
            if any_null(&keys, i) {
                continue;
            }
            let bytes = key.len() + row.len();
            let rows = self.rows.entry(key.clone()).or_default();
            let count = rows.entry(row.clone()).or_insert_with(|| {
                self.bytes += bytes;
                0
            });
            *count += batch.diff(i);
            if *count == 0 {
                rows.remove(&row);
                self.bytes -= bytes;
            }
            if rows.is_empty() {
                self.rows.remove(&key);
            }
        }
    }

    /// Every row of the batch with every row of its key.
    fn pairs(&self, batch: &Batch, keys: &[Packed], is_null: impl Fn(usize) -> bool) -> Pairs {
        let (mut stream, mut table, mut diffs) = (vec![], vec![], vec![]);
        for (i, key) in keys.iter().enumerate().filter(|(i, _)| !is_null(*i)) {
            for (row, count) in self.rows.get(key).into_iter().flatten() {
                stream.push(i as u32);
                table.push(row.as_slice());
                diffs.push(batch.diff(i) * count);
            }
        }
        let columns = [batch.take(&stream).columns(), &self.codec.unpack(table)].concat();
        let rows = Batch::new(columns, Some(diffs), stream.len());
        Pairs { stream, rows }
    }
}
