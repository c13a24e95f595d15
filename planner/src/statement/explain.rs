//! EXPLAIN: the statement after each step.

use datafusion_expr::LogicalPlan;

use super::Planner;
use crate::action::Action;
use crate::bind::Purpose;
use crate::error::{ErrorKind, PlanError, Result};
use crate::explain;
use crate::sql::query::StreamingQuery;
use crate::sql::statement::{DerivedKind, Explain, ExplainMode, ExplainTarget, Parsed, Statement};

impl Planner<'_> {
    pub(super) fn explain(&mut self, explain: &Explain) -> Result<Action> {
        let inner = match (&explain.target, explain.mode) {
            (ExplainTarget::Query(id), ExplainMode::Analyze) => {
                return Ok(Action::ExplainAnalyze { query: id.value.clone() });
            }
            (ExplainTarget::Query(id), _) => {
                let message = format!("there is no plan of the running query {}", id.value);
                let error = PlanError::new(ErrorKind::NotSupported, message).at(id.span);
                return Err(error.hint(format!("EXPLAIN ANALYZE {}, or EXPLAIN the statement", id.value)));
            }
            (ExplainTarget::Statement(inner), mode) => {
                if mode == ExplainMode::Analyze {
                    let error = PlanError::new(ErrorKind::NotSupported, "EXPLAIN ANALYZE measures a running query");
                    let place = explain.mode_span.unwrap_or(self.parsed.span);
                    return Err(error.at(place).hint("EXPLAIN ANALYZE and the query's id; SHOW QUERIES lists them"));
                }
                inner
            }
        };
        if explain.json && explain.mode != ExplainMode::Plan {
            let place = explain.mode_span.unwrap_or(self.parsed.span);
            return Err(PlanError::not_supported("FORMAT JSON of another step than PLAN").at(place));
        }
        let text = match explain.mode {
            ExplainMode::Parsed => crate::sql::print::print(&inner.statement),
            ExplainMode::Logical => explain::logical(&self.bound(inner)?),
            ExplainMode::Optimized => explain::logical(&crate::rewrite::rewrite(self.bound(inner)?)?),
            ExplainMode::Plan | ExplainMode::Analyze => {
                let mut planner = Planner { parsed: inner, warnings: vec![], ..*self };
                let action = planner.statement(&inner.statement)?;
                self.warnings.append(&mut planner.warnings);
                match explain.json {
                    true => explain::json(&action, self.catalog),
                    false => explain::plan(&action, self.catalog),
                }
            }
        };
        Ok(Action::Explain { text })
    }

    /// The bound plan of a statement's query.
    fn bound(&mut self, inner: &Parsed) -> Result<LogicalPlan> {
        let (query, purpose): (&StreamingQuery, Purpose) = match &inner.statement {
            Statement::Query(query) if query.emit.is_some() => (query, Purpose::Push),
            Statement::Query(query) => (query, Purpose::Pull),
            Statement::CreateQuery(create) => {
                let purpose = match create.kind {
                    DerivedKind::Stream => Purpose::Stream,
                    DerivedKind::Table => Purpose::Table,
                    DerivedKind::MaterializedView => Purpose::View,
                };
                (&create.query, purpose)
            }
            Statement::CreateView(create) => (&create.query, Purpose::View),
            Statement::InsertQuery(insert) => (&insert.query, Purpose::Stream),
            _ => {
                let error = PlanError::new(ErrorKind::NotSupported, "the statement has no query to explain");
                return Err(error.at(inner.span));
            }
        };
        let mut planner = Planner { parsed: inner, warnings: vec![], ..*self };
        let bound = planner.bind(query, purpose)?;
        self.warnings.append(&mut planner.warnings);
        Ok(bound.logical)
    }
}
