//! A planned query becomes a running one: its relations are in the engine, its dataflow is installed, and what must
//! flow before what is written down.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion_physical_expr::expressions::Column;
use millrace_dataflow::{BaseRelation, Dataflow, Intake, Publish, QueryId};
use millrace_planner::catalog::RelationId;
use millrace_planner::error::{ErrorKind, PlanError};
use millrace_planner::plan::{Expr, Node, OnError, Op, Query};

use crate::error::{ErrorClass, Result, SessionError};
use crate::query::{Output, QueryKind, QueryState, Running, as_of_joins, sources};
use crate::relation::{Origin, Stored};
use crate::session::Session;
use crate::ticker::{Input, Precedence};

/// A query that is to run.
pub(crate) struct Installation<'a> {
    pub(crate) name: String,
    pub(crate) kind: QueryKind,
    pub(crate) sql: &'a str,
    pub(crate) query: &'a Query,
    /// The relation that it publishes into.
    pub(crate) target: Option<RelationId>,
    pub(crate) output: Output,
}

impl Session {
    /// Starts the query with the next tick.
    pub(crate) fn install(&mut self, installation: Installation<'_>) -> Result<QueryId> {
        let Installation { name, kind, sql, query, target, output } = installation;
        let reads: BTreeSet<RelationId> = sources(&query.root).into_iter().map(|(id, _)| id).collect();
        if let Some(excess) = self.memory.excess().filter(|_| !self.are_of_the_system(&reads)) {
            let error = PlanError::new(ErrorKind::Resources, format!("{name} is refused: {excess}"));
            return Err(SessionError::new(ErrorClass::World, error));
        }
        if let Some(failed) = self.failed_upstream(&reads) {
            let error = PlanError::new(ErrorKind::Data, failed).detail("What it would say is not the whole answer.");
            return Err(error.into());
        }
        let from_now = kind != QueryKind::Once && self.settings.word("auto.offset.reset") == "latest";
        let root = self.read_again(&query.root, from_now)?;
        let reads: BTreeSet<RelationId> = sources(&root).into_iter().map(|(id, _)| id).collect();
        self.prepare(&root)?;
        let id = self.next_query_id();
        let deliver = !matches!(output, Output::None);
        let (root, publish) = match target {
            Some(target) => {
                self.ensure_in_engine(target)?;
                let stored = self.stored(target)?;
                let root = fit(&root, &stored.schema);
                (root, Some(Publish { relation: target, keep: stored.keep }))
            }
            None => (root, None),
        };
        let plan = root.clone();
        let machine = self.machine()?;
        let start = machine.engine.next_tick();
        let dataflow = Dataflow { name: name.clone(), root, publish, deliver };
        match from_now {
            true => machine.engine.install_from_now(id, dataflow),
            false => machine.engine.install(id, dataflow),
        }
        machine.tick_due = true;
        self.feeds_due = true;
        let running = Running {
            id,
            name,
            kind,
            statement: self.statement,
            sql: sql.to_owned(),
            state: QueryState::Active,
            message: None,
            target,
            reads,
            start,
            ended: None,
            resumed: None,
            rows_out: 0,
            error_rows: 0,
            error_samples: vec![],
            plan: plan.clone(),
            output,
        };
        self.queries.insert(id, running);
        self.order_inputs(&plan);
        Ok(id)
    }

    /// What a plan reads is in the engine, with the columns that it reads.
    fn prepare(&mut self, root: &Node) -> Result<()> {
        for (id, columns) in sources(root) {
            self.ensure_in_engine(id)?;
            self.stored_mut(id)?.wanted.extend(columns);
        }
        Ok(())
    }

    /// Tells the engine of a base relation when it is first used.
    pub(crate) fn ensure_in_engine(&mut self, id: RelationId) -> Result<()> {
        let stored = self.stored(id)?;
        if stored.in_engine {
            return Ok(());
        }
        let base = stored.is_base().then(|| base_relation(stored));
        let (schema, keep) = (Arc::clone(&stored.schema), stored.keep);
        let machine = self.machine()?;
        match base {
            Some(base) => machine.engine.add_relation(base),
            None => machine.engine.add_derived(id, &schema, keep),
        }
        machine.tick_due = true;
        self.stored_mut(id)?.in_engine = true;
        Ok(())
    }

    /// Writes down that the table side of each as-of join comes before its stream side.
    fn order_inputs(&mut self, root: &Node) {
        for (stream, table) in as_of_joins(root) {
            let inputs = |node: &Node| self.inputs_of(sources(node).into_iter().map(|(id, _)| id));
            let (tables, streams) = (inputs(table), inputs(stream));
            let input = |id: &RelationId| match &self.relations.get(id)?.origin {
                Origin::Connector(_) => Some(Input::Source(*id)),
                Origin::Statements(_) => Some(Input::Statements),
                _ => None,
            };
            let precedence = Precedence {
                before: tables.iter().filter_map(input).collect(),
                after: streams.iter().filter_map(input).collect(),
            };
            self.bring_forward(&tables, &streams);
            self.precedences.push(precedence);
        }
    }

    /// Rows of tables that wait already were there before the statement: they come before rows of streams that wait.
    fn bring_forward(&mut self, tables: &BTreeSet<RelationId>, streams: &BTreeSet<RelationId>) {
        if !self.pending.iter().any(|pending| streams.contains(&pending.target)) {
            return;
        }
        let of_table = |id: RelationId| tables.contains(&id) && !streams.contains(&id);
        let (first, rest): (VecDeque<_>, VecDeque<_>) =
            self.pending.drain(..).partition(|pending| of_table(pending.target));
        self.pending = first.into_iter().chain(rest).collect();
    }
}

fn base_relation(stored: &Stored) -> BaseRelation {
    let relation = &stored.relation;
    let intake = match (relation.append_only() || stored.is_system(), relation.primary_key.is_empty()) {
        (true, _) => Intake::Append,
        (false, false) => Intake::Upsert { key: relation.primary_key.clone() },
        (false, true) => Intake::Bag { columns: relation.columns.len() },
    };
    BaseRelation {
        id: relation.id,
        name: relation.name.clone(),
        schema: Arc::clone(&stored.schema),
        intake,
        keep: stored.keep || stored.is_system(),
    }
}

/// The plan with the columns of the relation that it writes into: hidden ones behind them are for readers outside.
fn fit(root: &Node, schema: &SchemaRef) -> Node {
    let n = schema.fields().len();
    if root.schema.fields().len() <= n {
        return root.clone();
    }
    let column = |i: usize| Arc::new(Column::new(root.schema.field(i).name(), i)) as Expr;
    let unique_key = root.unique_key.clone().filter(|key| key.iter().all(|column| *column < n));
    Node {
        op: Op::Map {
            input: Box::new(root.clone()),
            filter: None,
            exprs: (0..n).map(column).collect(),
            on_error: OnError::DeadLetter,
        },
        schema: Arc::clone(schema),
        append_only: root.append_only,
        unique_key,
        state: root.state,
    }
}
