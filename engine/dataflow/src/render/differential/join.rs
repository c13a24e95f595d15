//! Joins of two collections.
//!
//! ```text
//! left  (key, row) ──┐
//!                    ├ join ─ pairs ─ residual ─┬─→ pairs as output
//! right (key, row) ──┘                          └─→ distinct rows of a side = those with a partner
//! side ─ with_key / without_key ─→ its rows with and without partner
//! ```
//!
//! The whole ON condition decides whether a row has a partner. Without a residual that is a matter of its key, and no
//! pair is made for it. A pair on which the residual fails is an error row and no pair.
//!
//! NOT IN (`null_aware`) is an anti join whose condition also holds where either key is NULL: a left row stays if no
//! right row that passes the residual equals it or might.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, new_null_array};
use arrow::datatypes::{Schema, SchemaRef};
use millrace_data::Batch;
use millrace_planner::plan::{Expr, Join, JoinKind};

use crate::errors::{Reporter, row_text};
use crate::expr::Evaluator;
use crate::operator::stateless;
use crate::render::differential::codec::{Codec, any_null, some};
use crate::render::differential::keyed::{self, Keyed, batches, bytes, column_as_keys, each, keyed, keys};
use timely::dataflow::operators::core::Concatenate;

use crate::render::{Renderer, Rows, Tools};

/// Renders `Op::Join`.
pub(crate) fn join<'scope>(cx: &mut Renderer<'scope, '_>, join: &Join, tools: Tools) -> Rows<'scope> {
    let (left_on, right_on) = join.on.iter().copied().unzip();
    let left = Side { rows: cx.render(&join.left), schema: Arc::clone(&join.left.schema), on: left_on, place: 0 };
    let right = Side { rows: cx.render(&join.right), schema: Arc::clone(&join.right.schema), on: right_on, place: 1 };
    let form = Form { join, left: &left, right: &right, tools: &tools };
    let paired = matches!(join.kind, JoinKind::Inner | JoinKind::Left | JoinKind::Full);
    let pairs = (paired || form.by_row()).then(|| form.pairs(paired));
    let mut outputs = vec![];
    if let (true, Some(pairs)) = (paired, &pairs) {
        outputs.push(form.pairs_out(pairs.clone()));
    }
    let with = |side: &Side<'scope>, extra: Extra| {
        let (rows, present) = form.probe(side, pairs.as_ref());
        form.rows_out(side, keyed::with_key(rows, present), extra)
    };
    let without = |side: &Side<'scope>, extra: Extra| {
        let (rows, present) = form.probe(side, pairs.as_ref());
        form.rows_out(side, keyed::without_key(rows, present), extra)
    };
    match join.kind {
        JoinKind::Inner => {}
        JoinKind::Left => outputs.push(without(&left, Extra::Nulls)),
        JoinKind::Full => outputs.extend([without(&left, Extra::Nulls), without(&right, Extra::Nulls)]),
        JoinKind::Semi => outputs.push(with(&left, Extra::Nothing)),
        JoinKind::Anti => outputs.push(without(&left, Extra::Nothing)),
        JoinKind::Mark => outputs.extend([with(&left, Extra::Mark(true)), without(&left, Extra::Mark(false))]),
    }
    cx.scope.concatenate(outputs)
}

/// What stands beside the columns of a side in its output rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extra {
    Nothing,
    /// NULLs for the other side's columns.
    Nulls,
    /// Whether it has a partner.
    Mark(bool),
}

/// Which rows, by the NULLs in their keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nulls {
    Any,
    Without,
    Only,
}

/// What a row is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    /// Its ON columns.
    On,
    /// Itself.
    Row,
    /// Nothing: every row meets every row.
    Nothing,
}

struct Side<'scope> {
    rows: Rows<'scope>,
    schema: SchemaRef,
    on: Vec<usize>,
    /// 0 left, 1 right.
    place: usize,
}

impl<'scope> Side<'scope> {
    /// The side's rows as a collection; `value`: with the packed row as value, else with none.
    fn keyed(&self, nulls: Nulls, key: Key, value: bool, tools: &Tools) -> Keyed<'scope> {
        let on = self.on.clone();
        let (codec, key_codec) = (Codec::of(&self.schema), Codec::of_columns(&self.schema, &on));
        keyed(self.rows.clone(), "Side", &tools.meter, move |_, batch, into| {
            let key_columns = some(batch.columns(), &on);
            let len = batch.len();
            let mut rows = if value || key == Key::Row { codec.pack(batch.columns(), len) } else { vec![vec![]; len] };
            let mut on_keys = if key == Key::On { key_codec.pack(&key_columns, len) } else { vec![vec![]; len] };
            for i in 0..len {
                let wanted = match nulls {
                    Nulls::Any => true,
                    Nulls::Without => !any_null(&key_columns, i),
                    Nulls::Only => any_null(&key_columns, i),
                };
                if wanted {
                    let row = std::mem::take(&mut rows[i]);
                    let pair = match key {
                        Key::Row => (row, vec![]),
                        Key::On | Key::Nothing => (std::mem::take(&mut on_keys[i]), row),
                    };
                    into.push((pair, batch.diff(i)));
                }
            }
        })
    }
}

struct Form<'a, 'scope> {
    join: &'a Join,
    left: &'a Side<'scope>,
    right: &'a Side<'scope>,
    tools: &'a Tools,
}

impl<'scope> Form<'_, 'scope> {
    /// Whether the key alone does not say if a row has a partner.
    fn by_row(&self) -> bool {
        self.join.residual.is_some() || self.join.null_aware
    }

    fn other(&self, side: &Side<'scope>) -> &Side<'scope> {
        if side.place == 0 { self.right } else { self.left }
    }

    /// Rows with these NULLs in their key can be equal to another.
    fn comparable(&self) -> Nulls {
        if self.join.null_equal { Nulls::Any } else { Nulls::Without }
    }

    /// The pairs (left row, right row) that satisfy ON, as batches of packed rows. `rows`: the right row is wanted.
    fn pairs(&self, rows: bool) -> Rows<'scope> {
        let rows = rows || self.join.residual.is_some();
        let meet = |(left_nulls, right_nulls), key| {
            let left = self.left.keyed(left_nulls, key, true, self.tools);
            let right = self.right.keyed(right_nulls, key, rows, self.tools);
            // without its row, a right row only says that it is there
            let right = if rows { right } else { keys(right) };
            keyed::join(left, right, |_, l, r| (l.clone(), r.clone()))
        };
        let comparable = self.comparable();
        let mut pairs = meet((comparable, comparable), Key::On);
        if self.join.null_aware {
            pairs = pairs
                .concat(meet((Nulls::Only, Nulls::Any), Key::Nothing))
                .concat(meet((Nulls::Without, Nulls::Only), Key::Nothing));
        }
        let pairs = batches(pairs, "Pairs");
        match &self.join.residual {
            None => pairs,
            Some(residual) => {
                let check = Residual::new(residual, &self.left.schema, &self.right.schema, &self.tools.reporter);
                stateless(pairs, "Residual", self.tools.meter.part(), move |_, batch, emit| emit(check.apply(&batch)))
            }
        }
    }

    /// A side's rows by what decides, and what decides that a row has a partner.
    fn probe(&self, side: &Side<'scope>, pairs: Option<&Rows<'scope>>) -> (Keyed<'scope>, Keyed<'scope>) {
        match pairs.filter(|_| self.by_row()) {
            Some(pairs) => {
                let rows = side.keyed(Nulls::Any, Key::Row, false, self.tools);
                (rows, keys(column_as_keys(pairs.clone(), side.place, &self.tools.meter)))
            }
            None => {
                let rows = side.keyed(Nulls::Any, Key::On, true, self.tools);
                (rows, keys(self.other(side).keyed(self.comparable(), Key::On, false, self.tools)))
            }
        }
    }

    /// Pairs as output rows.
    fn pairs_out(&self, pairs: Rows<'scope>) -> Rows<'scope> {
        let (left, right) = (Codec::of(&self.left.schema), Codec::of(&self.right.schema));
        stateless(pairs, "Join", self.tools.meter.clone(), move |_, batch, emit| {
            emit(batch.with_columns(unpack_pairs(&left, &right, &batch)));
        })
    }

    /// Rows of a side, from [`probe`](Self::probe), as output rows.
    fn rows_out(&self, side: &Side<'scope>, rows: Keyed<'scope>, extra: Extra) -> Rows<'scope> {
        let (codec, place) = (Codec::of(&side.schema), side.place);
        let other: SchemaRef = Arc::clone(&self.other(side).schema);
        let packed = usize::from(!self.by_row());
        stateless(batches(rows, "Rows"), "Join", self.tools.meter.clone(), move |_, batch, emit| {
            let mut columns = codec.unpack(each(bytes(&batch, packed)));
            match extra {
                Extra::Nothing => {}
                Extra::Mark(mark) => columns.push(Arc::new(BooleanArray::from(vec![mark; batch.len()]))),
                Extra::Nulls => {
                    let nulls = nulls(&other, batch.len());
                    columns = if place == 0 { [columns, nulls].concat() } else { [nulls, columns].concat() };
                }
            }
            emit(batch.with_columns(columns));
        })
    }
}

/// The part of an ON condition that is not an equality.
pub(crate) struct Residual {
    left: Codec,
    right: Codec,
    predicate: Evaluator,
    reporter: Reporter,
}

impl Residual {
    pub(crate) fn new(residual: &Expr, left: &SchemaRef, right: &SchemaRef, reporter: &Reporter) -> Self {
        let fields: Vec<_> = left.fields().iter().chain(right.fields()).map(Arc::clone).collect();
        let predicate = Evaluator::predicate(Arc::clone(residual), Arc::new(Schema::new(fields)));
        Residual { left: Codec::of(left), right: Codec::of(right), predicate, reporter: reporter.clone() }
    }

    /// TRUE for the pairs (left columns, then right columns) that satisfy it. Those on which it fails are error rows.
    pub(crate) fn mask(&self, pairs: &Batch) -> BooleanArray {
        let (mask, failures) = self.predicate.mask(pairs);
        for failure in failures {
            let row = row_text(pairs.columns(), failure.row);
            self.reporter.error("expression", failure.message, row, pairs.diff(failure.row));
        }
        mask
    }

    /// Those of the packed pairs that satisfy it.
    pub(crate) fn apply(&self, pairs: &Batch) -> Batch {
        pairs.filter(&self.mask(&pairs.with_columns(unpack_pairs(&self.left, &self.right, pairs))))
    }
}

/// Left columns, then right columns.
pub(crate) fn unpack_pairs(left: &Codec, right: &Codec, pairs: &Batch) -> Vec<ArrayRef> {
    [left.unpack(each(bytes(pairs, 0))), right.unpack(each(bytes(pairs, 1)))].concat()
}

/// NULLs for every column.
pub(crate) fn nulls(schema: &SchemaRef, len: usize) -> Vec<ArrayRef> {
    schema.fields().iter().map(|f| new_null_array(f.data_type(), len)).collect()
}
