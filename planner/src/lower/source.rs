//! A relation: only the columns that somebody needs.

use datafusion_expr::LogicalPlan;
use datafusion_expr::logical_plan::TableScan;

use super::{Lower, Lowered, schema_of};
use crate::bind::RelationSource;
use crate::catalog::RelationKind;
use crate::error::{ErrorKind, PlanError, Result};
use crate::plan::Op;

impl Lower {
    pub(super) fn scan(&self, plan: &LogicalPlan, scan: &TableScan) -> Result<Lowered> {
        let Some(source) = RelationSource::of(plan) else {
            return Err(PlanError::new(ErrorKind::Internal, format!("{} is no relation", scan.table_name)));
        };
        let relation = &source.relation;
        let all = 0..relation.schema().fields().len();
        let columns = scan.projection.clone().unwrap_or_else(|| all.collect());
        let place = |key: &usize| columns.iter().position(|column| column == key);
        let unique_key = match relation.primary_key.is_empty() {
            true => None,
            false => relation.primary_key.iter().map(place).collect::<Option<Vec<usize>>>(),
        };
        let append_only = relation.append_only();
        let op = Op::Source { relation: relation.id, name: relation.name.clone(), columns };
        let is_stream = relation.kind == RelationKind::Stream;
        let lowered = Lowered { is_stream, ..self.table(op, schema_of(plan), append_only, unique_key) };
        let mut filtered = lowered;
        for filter in &scan.filters {
            let predicate = self.expr(filter, plan.schema())?;
            filtered = self.filter(filtered, predicate);
        }
        Ok(filtered)
    }
}
