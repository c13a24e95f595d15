//! CREATE STREAM | TABLE | MATERIALIZED VIEW … AS, CREATE VIEW.

use millrace_connect::{Connector, SinkRequest, open_sink};
use millrace_planner::action::CreateQuery;
use millrace_planner::catalog::{Column, RelationId};

use crate::error::{Result, SessionError};
use crate::query::{Output, QueryKind};
use crate::relation::{Origin, Stored, declare_query, declare_view};
use crate::session::Session;
use crate::sink::FileSink;
use crate::statement::create_source::check_topic_options;
use crate::statement::install::Installation;

impl Session {
    pub(crate) fn create_query(&mut self, create: CreateQuery) -> Result<()> {
        let output = self.sink_of(&create)?;
        if create.or_replace {
            self.drop_named(&create.name)?;
        }
        let relation = declare_query(&mut self.catalog, &create);
        let (id, name) = (relation.id, relation.name.clone());
        let schema = relation.schema();
        let mut stored = Stored::new(relation, schema, Origin::Query);
        stored.keep = self.is_read_later(&name);
        self.relations.insert(id, stored);
        let installation = Installation {
            name,
            kind: QueryKind::Persistent,
            sql: &create.sql,
            query: &create.query,
            target: Some(id),
            output,
        };
        let installed = self.install(installation);
        if installed.is_err() {
            self.catalog.remove(&create.name);
            self.relations.remove(&id);
        }
        installed.map(drop)
    }

    /// Where the rows go besides the relation.
    fn sink_of(&self, create: &CreateQuery) -> Result<Output> {
        let place = |option: &str| create.option_spans.get(option).copied();
        let connect = |error| SessionError::connect(error, place);
        match Connector::of(&create.options).map_err(connect)? {
            Connector::File => {
                let options = create.options.iter().filter(|(name, _)| *name != "ON_ERROR");
                let options = options.map(|(name, value)| (name.clone(), value.clone())).collect();
                let columns: Vec<_> =
                    create.columns.iter().map(|column| (column.name.clone(), column.data_type.clone())).collect();
                let sink = open_sink(&SinkRequest { options: &options, columns: &columns }, &self.world);
                let sink = sink.map_err(connect)?;
                Ok(Output::File(FileSink::new(sink, &create.query.root, columns.len())))
            }
            // a derived topic is output for others, and nobody else is here
            Connector::Topic => {
                check_topic_options(&create.options, place)?;
                Ok(Output::None)
            }
            Connector::Memory => Ok(Output::None),
            Connector::Generator => {
                let error = millrace_planner::error::PlanError::new(
                    millrace_planner::error::ErrorKind::InvalidParameter,
                    "a generator makes rows, it takes none",
                );
                let span = place("CONNECTOR");
                Err(millrace_planner::error::PlanError { span, ..error }.into())
            }
        }
    }

    pub(crate) fn create_view(
        &mut self,
        name: &str,
        columns: &[Column],
        sql: &str,
        reads: &[RelationId],
        or_replace: bool,
    ) -> Result<()> {
        if or_replace {
            self.drop_named(name)?;
        }
        let relation = declare_view(&mut self.catalog, name, columns, sql, reads);
        let schema = relation.schema();
        self.relations.insert(relation.id, Stored::new(relation, schema, Origin::View));
        Ok(())
    }
}
