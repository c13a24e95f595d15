//! Filter and project, a column at a time.
//!
//! Columns that are only renamed or reordered are shared, not copied; where a filter drops rows, only the columns that
//! the projection reads are copied. A row on which an expression fails leaves by way of the errors, with its diff.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};
use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion_common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion_physical_expr::expressions::Column;
use datafusion_physical_expr::utils::collect_columns;
use millrace_data::Batch;
use millrace_planner::plan::{Expr, Node, OnError};

use crate::errors::{Reporter, row_text};
use crate::expr::{Evaluator, Failure, plain_column};
use crate::operator::stateless;
use crate::render::hash::share::cannot_fail;
use crate::render::{Renderer, Rows, Tools};

/// Renders `Op::Map`.
pub(crate) fn map<'scope>(
    cx: &mut Renderer<'scope, '_>,
    node: &Node,
    input: &Node,
    filter: Option<&Expr>,
    exprs: &[Expr],
    on_error: OnError,
    tools: Tools,
) -> Rows<'scope> {
    cx.wanted = wanted(input, filter, exprs);
    let rows = cx.render(input);
    let mapper = Mapper::new(&input.schema, filter, exprs, &node.schema, on_error, tools.reporter);
    stateless(rows, "Map", tools.meter, move |_, batch, emit| {
        if let Some(batch) = mapper.apply(batch) {
            emit(batch);
        }
    })
}

/// The columns that a filter and a projection read; `None` for all: a row on which the filter fails is shown whole.
fn wanted(input: &Node, filter: Option<&Expr>, exprs: &[Expr]) -> Option<Vec<bool>> {
    if filter.is_some_and(|filter| !cannot_fail(filter)) {
        return None;
    }
    let mut wanted = vec![false; input.schema.fields().len()];
    for expr in exprs.iter().chain(filter) {
        collect_columns(expr).into_iter().for_each(|c| wanted[c.index()] = true);
    }
    Some(wanted)
}

/// A filter and a projection, ready to run.
pub(crate) struct Mapper {
    filter: Option<Evaluator>,
    /// Input columns that the projection reads.
    used: Vec<usize>,
    outputs: Vec<Slot>,
    on_error: OnError,
    reporter: Reporter,
}

/// Where an output column comes from; positions are in `used`.
enum Slot {
    Shared(usize),
    Computed(Evaluator),
}

impl Mapper {
    /// From rows of `input` to rows of `output`.
    pub(crate) fn new(
        input: &SchemaRef,
        filter: Option<&Expr>,
        exprs: &[Expr],
        output: &SchemaRef,
        on_error: OnError,
        reporter: Reporter,
    ) -> Self {
        let mut used: Vec<usize> =
            exprs.iter().flat_map(|e| collect_columns(e).into_iter().map(|c| c.index())).collect();
        used.sort_unstable();
        used.dedup();
        let fields: Vec<Arc<Field>> = used.iter().map(|c| Arc::clone(&input.fields()[*c])).collect();
        let narrow: SchemaRef = Arc::new(Schema::new(fields));
        let outputs = exprs
            .iter()
            .zip(output.fields())
            .map(|(expr, field)| {
                let expr = narrowed(expr, &used);
                match plain_column(&expr) {
                    Some(c) if narrow.field(c).data_type() == field.data_type() => Slot::Shared(c),
                    _ => Slot::Computed(Evaluator::new(expr, Arc::clone(&narrow), field.data_type().clone())),
                }
            })
            .collect();
        let filter = filter.map(|f| Evaluator::predicate(Arc::clone(f), Arc::clone(input)));
        Mapper { filter, used, outputs, on_error, reporter }
    }

    /// The rows that pass, projected.
    pub(crate) fn apply(&self, batch: Batch) -> Option<Batch> {
        let rows = match &self.filter {
            None => batch.project(&self.used),
            Some(filter) => {
                let (mask, failures) = filter.mask(&batch);
                self.report(&batch, &failures);
                batch.project(&self.used).filter(&mask)
            }
        };
        if rows.is_empty() {
            return None;
        }
        let mut failed: Vec<Failure> = vec![];
        let columns: Vec<ArrayRef> = self
            .outputs
            .iter()
            .map(|slot| match slot {
                Slot::Shared(c) => Arc::clone(rows.column(*c)),
                Slot::Computed(evaluator) => {
                    let (column, failures) = evaluator.column(&rows);
                    failed.extend(failures);
                    column
                }
            })
            .collect();
        let out = rows.with_columns(columns);
        if failed.is_empty() {
            return Some(out);
        }
        // the first failure of a row speaks for it
        failed.sort_by_key(|f| f.row);
        failed.dedup_by_key(|f| f.row);
        self.report(&rows, &failed);
        if self.on_error == OnError::Null {
            return Some(out);
        }
        let mut good = vec![true; rows.len()];
        for failure in &failed {
            good[failure.row] = false;
        }
        let out = out.filter(&BooleanArray::from(good));
        (!out.is_empty()).then_some(out)
    }

    fn report(&self, rows: &Batch, failures: &[Failure]) {
        for failure in failures {
            let row = row_text(rows.columns(), failure.row);
            if self.on_error == OnError::Fail {
                self.reporter.fail(format!("{} in row {row}", failure.message));
            }
            self.reporter.error("expression", failure.message.clone(), row, rows.diff(failure.row));
        }
    }
}

/// The expression over the `used` columns only.
///
/// # Panics
/// Never: the rewriting cannot fail and `used` holds every column of the expression.
#[allow(clippy::expect_used)]
pub(crate) fn narrowed(expr: &Expr, used: &[usize]) -> Expr {
    Arc::clone(expr)
        .transform(|e| {
            let Some(column) = e.downcast_ref::<Column>() else { return Ok(Transformed::no(e)) };
            let at = used.binary_search(&column.index()).expect("column is used");
            let column: Expr = Arc::new(Column::new(column.name(), at));
            Ok(Transformed::yes(column))
        })
        .data()
        .expect("rewriting columns does not fail")
}
