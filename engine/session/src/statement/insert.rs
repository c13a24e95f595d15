//! INSERT INTO … VALUES and INSERT INTO … SELECT.

use arrow::record_batch::RecordBatch;
use millrace_planner::catalog::{RelationId, RelationKind};
use millrace_planner::error::{ErrorKind, PlanError};
use millrace_planner::plan::Query;

use crate::client::Client;
use crate::error::Result;
use crate::query::{Output, QueryKind};
use crate::relation::Origin;
use crate::session::Session;
use crate::statement::change::{Change, Pending, Verb};
use crate::statement::install::Installation;

impl Session {
    /// VALUES: rows that flow with the next wait, as a tick of their own.
    pub(crate) fn insert_rows(
        &mut self,
        target: RelationId,
        rows: RecordBatch,
        row_times: Option<Vec<i64>>,
    ) -> Result<()> {
        self.check_writable(target)?;
        let change = Change::Rows { rows, row_times };
        self.enqueue(Pending { statement: self.statement, target, change })
    }

    /// SELECT: into a stream for as long as its inputs flow, into a table once.
    pub(crate) fn insert_query(
        &mut self,
        target: RelationId,
        query: Query,
        sql: String,
        client: &mut dyn Client,
    ) -> Result<()> {
        self.check_writable(target)?;
        if self.stored(target)?.relation.kind != RelationKind::Stream {
            return self.change_once(target, Verb::Insert, query, client);
        }
        let name = self.numbered(&format!("INSERT_{}", self.stored(target)?.relation.name));
        let installation = Installation {
            name,
            kind: QueryKind::Persistent,
            sql: &sql,
            query: &query,
            target: Some(target),
            output: Output::None,
        };
        self.install(installation).map(drop)
    }

    /// That statements may bring rows into the relation.
    pub(crate) fn check_writable(&self, target: RelationId) -> Result<()> {
        let stored = self.stored(target)?;
        let name = &stored.relation.name;
        if let Origin::Connector(setup) = &stored.origin {
            let connector = format!("{:?}", setup.connector).to_lowercase();
            let message = format!("{name} cannot be written to");
            let error = PlanError::new(ErrorKind::WrongRelationKind, message)
                .detail(format!("Its rows come from its {connector}."))
                .hint("INSERT, UPDATE and DELETE are for relations WITH (CONNECTOR = 'memory') and topics.");
            return Err(error.into());
        }
        Ok(())
    }
}
