//! Grouping: arguments are columns of a map below, DISTINCT is a grouping without aggregates.

use std::sync::Arc;

use arrow::datatypes::{Field, Schema};
use datafusion_common::DFSchema;
use datafusion_expr::expr::AggregateFunction as AggregateExpr;
use datafusion_expr::logical_plan::Aggregate as LogicalAggregate;
use datafusion_expr::{Expr, LogicalPlan};

use super::map::column_index;
use super::{Lower, Lowered, schema_of};
use crate::error::{ErrorKind, PlanError, Result};
use crate::function::aggregate::Aggregate as AggregateUdf;
use crate::plan::{self, Aggregate, Op, SortKey, WindowClose};

impl Lower {
    /// One row of each.
    pub(super) fn distinct(&self, input: Lowered) -> Lowered {
        let schema = Arc::clone(&input.node.schema);
        let keys: Vec<usize> = (0..schema.fields().len()).collect();
        let append_only = input.node.append_only;
        let unique_key = Some(keys.clone());
        let op = Op::Reduce { input: Box::new(input.node), keys, aggregates: vec![], window: None };
        self.table(op, schema, append_only, unique_key)
    }

    pub(super) fn aggregate(&self, plan: &LogicalPlan, aggregate: &LogicalAggregate) -> Result<Lowered> {
        let input = self.plan(&aggregate.input)?;
        let mut below = Arguments::new(aggregate.input.schema());
        let keys = below.all(self, &aggregate.group_expr)?;
        let aggregates = self.calls(&aggregate.aggr_expr, &mut below)?;
        let input = below.over(self, input);
        let place = |column: usize| keys.iter().position(|key| *key == column);
        let window = input.window.as_ref().and_then(|window| {
            Some(WindowClose {
                start: place(window.start)?,
                end: place(window.end)?,
                grace_ms: window.closing.grace_ms,
                retention_ms: window.closing.retention_ms,
                emit_final: window.closing.emit_final,
                time_sources: window.closing.time_sources.clone(),
            })
        });
        let append_only = aggregates.is_empty() && input.node.append_only && window.is_none();
        let unique_key = Some((0..keys.len()).collect());
        let op = Op::Reduce { input: Box::new(input.node), keys, aggregates, window };
        Ok(self.table(op, schema_of(plan), append_only, unique_key))
    }

    /// Aggregate calls, their arguments computed below.
    pub(super) fn calls(&self, exprs: &[Expr], below: &mut Arguments<'_>) -> Result<Vec<Aggregate>> {
        exprs.iter().map(|expr| self.call(expr, below)).collect()
    }

    fn call(&self, expr: &Expr, below: &mut Arguments<'_>) -> Result<Aggregate> {
        let name = expr.schema_name().to_string();
        let mut inner = expr;
        while let Expr::Alias(alias) = inner {
            inner = &alias.expr;
        }
        let Expr::AggregateFunction(AggregateExpr { func, params }) = inner else {
            return Err(PlanError::new(ErrorKind::Internal, format!("{expr} is no aggregate")));
        };
        let Some(udf) = AggregateUdf::of(func) else {
            return Err(PlanError::not_supported(format!("the aggregate {}", func.name())));
        };
        let mut args = below.all(self, &params.args)?;
        let arrival = match (udf.arrival, args.as_slice()) {
            (true, [.., partition, offset]) => {
                let arrival = (*partition, *offset);
                args.truncate(args.len() - 2);
                Some(arrival)
            }
            _ => None,
        };
        let filter = params.filter.as_ref().map(|filter| below.one(self, filter)).transpose()?;
        let order = params.order_by.iter().map(|key| {
            let column = below.one(self, &key.expr)?;
            Ok(SortKey { column, descending: !key.asc, nulls_first: key.nulls_first })
        });
        Ok(Aggregate {
            function: udf.function.clone(),
            args,
            distinct: params.distinct,
            filter,
            order: order.collect::<Result<_>>()?,
            arrival,
            data_type: udf.data_type.clone(),
            name,
        })
    }
}

/// The columns that keys and arguments are computed into.
pub(super) struct Arguments<'s> {
    schema: &'s DFSchema,
    exprs: Vec<plan::Expr>,
    fields: Vec<Field>,
}

impl<'s> Arguments<'s> {
    pub(super) fn new(schema: &'s DFSchema) -> Self {
        Arguments { schema, exprs: vec![], fields: vec![] }
    }

    /// The column that has `expr`.
    pub(super) fn one(&mut self, lower: &Lower, expr: &Expr) -> Result<usize> {
        let made = lower.expr(expr, self.schema)?;
        if let Some(known) = self.exprs.iter().position(|known| known.eq(&made)) {
            return Ok(known);
        }
        let data_type = made.data_type(self.schema.as_arrow()).map_err(|error| crate::bind::internal(&error))?;
        let name = match column_index(&made) {
            Some(i) => self.schema.field(i).name().clone(),
            None => expr.schema_name().to_string(),
        };
        self.fields.push(Field::new(name, data_type, true));
        self.exprs.push(made);
        Ok(self.exprs.len() - 1)
    }

    pub(super) fn all(&mut self, lower: &Lower, exprs: &[Expr]) -> Result<Vec<usize>> {
        exprs.iter().map(|expr| self.one(lower, expr)).collect()
    }

    /// A map that has them.
    pub(super) fn over(self, lower: &Lower, input: Lowered) -> Lowered {
        lower.map(input, None, self.exprs, Arc::new(Schema::new(self.fields)))
    }
}
