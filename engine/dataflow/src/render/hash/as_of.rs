//! A stream against the table of the tick: the stream's batches probe the table's arrangement, and nothing of them is
//! kept.

use arrow::array::{ArrayRef, BooleanArray, UInt32Array};
use arrow::compute::take;
use millrace_arrange::{Arrangement, NullKeys, RowId};
use millrace_data::Batch;
use millrace_data::hash::hash_columns;
use millrace_planner::plan::{Node, Op};

use crate::operator::{Calls, Route, binary};
use crate::render::hash::arrange::{Side, arranged};
use crate::render::hash::residual::{Residual, is_true};
use crate::render::hash::share;
use crate::render::hash::wanted::Wanted;
use crate::render::{Renderer, Rows, Tools};

/// Pairs of a block.
const PAIRS: usize = 8192;

/// Renders `Op::AsOfJoin`.
pub(crate) fn as_of<'scope>(cx: &mut Renderer<'scope, '_>, node: &Node, tools: Tools) -> Rows<'scope> {
    let Op::AsOfJoin { stream, table, on, residual, outer } = &node.op else { panic!("not AsOfJoin: {:?}", node.op) };
    let (on, sharing) = share::of_table(table, on, cx.env);
    let (stream_on, table_on): (Vec<usize>, Vec<usize>) = on.into_iter().unzip();
    let stream_rows = cx.render(stream);
    let arranged = arranged(cx, table, &table_on, sharing);
    let mut join = AsOf {
        on: stream_on.clone(),
        table: arranged.side,
        output: Wanted::new(&node.schema, tools.wanted),
        residual: residual.as_ref().map(|r| Residual::new(r, &stream.schema, &table.schema, &tools.reporter)),
        outer: *outer,
        hashes: vec![],
    };
    let (routes, meter) = ((Route::Key(stream_on), arranged.route), tools.meter.clone());
    let calls = Calls::WithInput;
    binary(stream_rows, arranged.stream, "AsOfJoin", routes, calls, tools.meter, move |tick, stream, table, emit| {
        join.table.take(tick, &table);
        stream.iter().for_each(|batch| join.look_up(tick, batch, emit));
        join.table.pass(tick);
        meter.holds(join.table.memory_bytes());
    })
}

struct AsOf {
    on: Vec<usize>,
    table: Side,
    output: Wanted,
    residual: Option<Residual>,
    outer: bool,
    hashes: Vec<u64>,
}

/// Rows of the stream with rows of the table.
#[derive(Default)]
struct Pairs {
    stream: Vec<u32>,
    table: Vec<RowId>,
    diffs: Vec<i64>,
}

impl AsOf {
    fn look_up(&mut self, tick: u64, batch: &Batch, emit: &mut dyn FnMut(Batch)) {
        let keys: Vec<ArrayRef> = self.on.iter().map(|c| ArrayRef::clone(batch.column(*c))).collect();
        hash_columns(&keys, batch.len(), &mut self.hashes);
        let table = self.table.borrow();
        let (mut pairs, mut met) = (Pairs::default(), vec![false; batch.len()]);
        table.probe(&keys, &self.hashes, tick, NullKeys::Skip, |i, row, diff| {
            pairs.stream.push(i);
            pairs.table.push(row);
            pairs.diffs.push(batch.diff(i as usize) * diff);
            if pairs.stream.len() >= PAIRS {
                self.flush(batch, &table, &mut pairs, &mut met, emit);
            }
        });
        self.flush(batch, &table, &mut pairs, &mut met, emit);
        let alone: Vec<u32> = (0..batch.len() as u32).filter(|i| !met[*i as usize]).collect();
        if self.outer && !alone.is_empty() {
            let alone = if alone.len() == batch.len() { batch.clone() } else { batch.take(&alone) };
            let nulls = (alone.columns().len()..self.output.width()).map(|c| self.output.nulls(c, alone.len()));
            emit(alone.with_columns(alone.columns().iter().map(ArrayRef::clone).chain(nulls).collect()));
        }
    }

    /// # Panics
    /// Never: positions are of the batch.
    #[allow(clippy::expect_used)]
    fn flush(
        &self,
        batch: &Batch,
        table: &Arrangement,
        pairs: &mut Pairs,
        met: &mut [bool],
        emit: &mut dyn FnMut(Batch),
    ) {
        if pairs.stream.is_empty() {
            return;
        }
        let width = batch.columns().len();
        let column = |c: usize, pairs: &Pairs, at: Option<usize>| {
            if c < width {
                let rows = at.map_or(pairs.stream.as_slice(), |i| &pairs.stream[i..=i]);
                take(batch.column(c), &UInt32Array::from(rows.to_vec()), None).expect("positions of the batch")
            } else {
                self.table.column(table, c - width, at.map_or(pairs.table.as_slice(), |i| &pairs.table[i..=i]))
            }
        };
        if let Some(residual) = &self.residual {
            let mask = residual.mask(pairs.stream.len(), |c, at| column(c, pairs, at), Some(&pairs.diffs));
            pairs.retain(&mask);
        }
        pairs.stream.iter().for_each(|i| met[*i as usize] = true);
        let whole =
            pairs.stream.len() == batch.len() && pairs.stream.iter().enumerate().all(|(i, row)| i == *row as usize);
        let columns = (0..width + self.table.width()).map(|c| match whole && c < width {
            true => ArrayRef::clone(batch.column(c)),
            false => self.output.column(c, pairs.stream.len(), |c| column(c, pairs, None)),
        });
        emit(Batch::new(columns.collect(), Some(std::mem::take(&mut pairs.diffs)), pairs.stream.len()));
        pairs.stream.clear();
        pairs.table.clear();
    }
}

impl Pairs {
    fn retain(&mut self, mask: &BooleanArray) {
        let kept = |at: &mut usize| {
            *at += 1;
            is_true(mask, *at - 1)
        };
        let (mut a, mut b, mut c) = (0, 0, 0);
        self.stream.retain(|_| kept(&mut a));
        self.table.retain(|_| kept(&mut b));
        self.diffs.retain(|_| kept(&mut c));
    }
}
