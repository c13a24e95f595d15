//! A query through all steps: bind, rewrite, lower.

use std::sync::Arc;

use datafusion_expr::{Expr, LogicalPlan, Projection};

use super::Planner;
use crate::action::Action;
use crate::bind::{BoundQuery, Purpose, bind_query_at, column, internal, named as named_as};
use crate::error::{ErrorKind, PlanError, Result, Span};
use crate::lower::{Settings, lower};
use crate::plan::{Node, OnError, Query, SortKey, State};
use crate::rewrite::rewrite;
use crate::sql::query::{EmitMode, StreamingQuery};

/// What of a bound query its reader needs, and in which order.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// Positions in the bound plan; the first `visible` are what the reader sees.
    pub(crate) columns: Vec<usize>,
    pub(crate) visible: usize,
    /// Names of the columns, as far as they differ from the plan's.
    pub(crate) names: Vec<String>,
}

impl Layout {
    /// The visible columns of a query.
    pub(crate) fn visible(bound: &BoundQuery) -> Layout {
        let names: Vec<String> = bound.columns.iter().map(|column| column.name.clone()).collect();
        Layout { columns: (0..names.len()).collect(), visible: names.len(), names }
    }

    /// The place of a column of the bound plan; it is added behind if it has none.
    pub(crate) fn place(&mut self, column: usize) -> usize {
        if let Some(place) = self.columns.iter().position(|known| *known == column) {
            return place;
        }
        self.columns.push(column);
        self.columns.len() - 1
    }
}

impl Planner<'_> {
    /// A query by itself.
    pub(super) fn query(&mut self, query: &StreamingQuery) -> Result<Action> {
        let purpose = if query.emit.is_some() { Purpose::Push } else { Purpose::Pull };
        let bound = self.bind(query, purpose)?;
        let (planned, _) = self.answer(&bound, purpose)?;
        Ok(match purpose {
            Purpose::Push => Action::Push(planned),
            _ => Action::Pull(planned),
        })
    }

    /// Binds, and takes over the warnings.
    pub(crate) fn bind(&mut self, query: &StreamingQuery, purpose: Purpose) -> Result<BoundQuery> {
        self.place = Some(first_word(query.span));
        let mut bound = bind_query_at(query, &self.parsed.positions, self.catalog, purpose, self.now_us)?;
        if let Some(emit) = query.emit.filter(|emit| emit.mode == EmitMode::Final)
            && bound.window.is_none()
        {
            let error = PlanError::new(ErrorKind::InvalidDefinition, "EMIT FINAL needs a WINDOW").at(emit.span);
            return Err(error.detail("Without one no result is ever final.").hint("EMIT CHANGES"));
        }
        self.warnings.append(&mut bound.warnings);
        Ok(bound)
    }

    /// A query whose rows go to a reader.
    pub(crate) fn answer(&mut self, bound: &BoundQuery, purpose: Purpose) -> Result<(Query, LogicalPlan)> {
        let mut layout = Layout::visible(bound);
        let order = bound
            .order
            .iter()
            .map(|(column, descending, nulls_first)| SortKey {
                column: layout.place(*column),
                descending: *descending,
                nulls_first: *nulls_first,
            })
            .collect();
        let upsert = purpose == Purpose::Push && bound.is_table_scan && bound.key.is_some();
        let key = match (&bound.key, purpose) {
            (Some(key), Purpose::Push) if !bound.is_stream => {
                Some(key.iter().map(|column| layout.place(*column)).collect())
            }
            _ => None,
        };
        let (root, logical) = self.root(bound, &layout, purpose, OnError::DeadLetter)?;
        let query = Query {
            root,
            visible: layout.visible,
            order,
            key,
            upsert,
            stop_after_rows: bound.stop_after_rows,
            reads: bound.reads.clone(),
        };
        Ok((query, logical))
    }

    /// The incremental plan of a bound query's columns.
    pub(crate) fn root(
        &self,
        bound: &BoundQuery,
        layout: &Layout,
        purpose: Purpose,
        on_error: OnError,
    ) -> Result<(Node, LogicalPlan)> {
        let columns = bound.logical.schema().columns();
        let all = layout.columns.len() == columns.len() && layout.columns.iter().enumerate().all(|(i, c)| i == *c);
        let logical = match all {
            true => bound.logical.clone(),
            false => {
                let mut exprs: Vec<Expr> = vec![];
                for (place, i) in layout.columns.iter().enumerate() {
                    let expr = Expr::Column(columns[*i].clone());
                    // a column may be there for the reader and for the system
                    exprs.push(match layout.columns[..place].contains(i) {
                        true => named_as(expr, &column("#again", format!("{place}"))),
                        false => expr,
                    });
                }
                let projection = Projection::try_new(exprs, Arc::new(bound.logical.clone()));
                LogicalPlan::Projection(projection.map_err(|error| internal(&error))?)
            }
        };
        let placed = |error: PlanError| crate::bind::coerce::at(error, self.place);
        let rewritten = rewrite(logical).map_err(placed)?;
        if purpose != Purpose::Pull && crate::rewrite::first_rows::numbers_all(&rewritten) {
            let error = PlanError::not_supported("ROW_NUMBER() over all rows in a query that is maintained");
            return Err(placed(error)
                .detail("Each change would give new numbers to all rows behind it.")
                .hint("SELECT … FROM (SELECT …, ROW_NUMBER() OVER (…) AS n …) WHERE n <= 10"));
        }
        let settings = Settings { state: self.state(), on_error, as_of: purpose.joins_as_of() };
        let mut root = lower(&rewritten, settings).map_err(placed)?;
        root.schema = named(&root, &layout.names);
        Ok((root, rewritten))
    }

    fn state(&self) -> State {
        match self.catalog.setting("millrace.state", "hash") {
            "differential" => State::Differential,
            _ => State::Hash,
        }
    }
}

/// The word SELECT.
pub(super) fn first_word(query: Span) -> Span {
    Span::new(query.start, query.end.min(query.start + 6))
}

/// The root's columns under the names that a reader sees.
fn named(root: &Node, names: &[String]) -> arrow::datatypes::SchemaRef {
    let fields = root.schema.fields().iter().enumerate().map(|(i, field)| match names.get(i) {
        Some(name) => Arc::new(field.as_ref().clone().with_name(name)),
        None => Arc::clone(field),
    });
    Arc::new(arrow::datatypes::Schema::new(fields.collect::<Vec<_>>()))
}
