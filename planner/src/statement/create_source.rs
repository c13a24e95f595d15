//! CREATE STREAM and TABLE with a connector.

use super::{Planner, relation_kind};
use crate::action::{self, Action};
use crate::catalog::{Column, RelationKind, SYSTEM_COLUMNS};
use crate::error::{ErrorKind, PlanError, Result};
use crate::sql::statement::{ColumnDef, ColumnRole, CreateSource};
use crate::sql::types::sql_type;

impl Planner<'_> {
    pub(super) fn create_source(&mut self, create: &CreateSource) -> Result<Action> {
        if self.taken(&create.name, create.or_replace, create.if_not_exists)? {
            return Ok(Action::Nothing { notice: format!("{} is there already", create.name.catalog_name()) });
        }
        let kind = relation_kind(create.kind);
        let names = create.columns.iter().map(|column| (column.name.value.as_str(), Some(column.name.span)));
        self.distinct_names(names)?;
        let mut columns = vec![];
        let mut primary_key = vec![];
        for (i, column) in create.columns.iter().enumerate() {
            columns.push(self.column(column, kind)?);
            if column.role == ColumnRole::PrimaryKey {
                primary_key.push(i);
            }
        }
        let (mut options, option_spans) = self.options(&create.properties)?;
        self.on_error(&create.properties)?;
        let connector = options.entry("CONNECTOR".into()).or_insert_with(|| "topic".into()).to_lowercase();
        options.insert("CONNECTOR".into(), connector.clone());
        if kind == RelationKind::Table && primary_key.is_empty() && connector == "topic" {
            let error = PlanError::new(ErrorKind::InvalidDefinition, "a TABLE on a topic needs a PRIMARY KEY");
            return Err(error
                .at(create.name.span)
                .detail("Records of a topic are upserts and deletes by key.")
                .hint("mark a column: (id BIGINT PRIMARY KEY, …)"));
        }
        Ok(Action::CreateSource(action::CreateSource {
            name: create.name.catalog_name(),
            kind,
            columns,
            primary_key,
            options,
            option_spans,
            or_replace: create.or_replace,
        }))
    }

    fn column(&self, column: &ColumnDef, kind: RelationKind) -> Result<Column> {
        let name = &column.name.value;
        if SYSTEM_COLUMNS.iter().any(|(system, _)| system == name) || name == "WINDOWSTART" || name == "WINDOWEND" {
            let error = PlanError::new(ErrorKind::InvalidDefinition, format!("{name} is the engine's own column"));
            return Err(error.at(column.name.span).hint("TIMESTAMP = 'column' says which column is the event time"));
        }
        let role = column.role_span.unwrap_or(column.name.span);
        let key = match (&column.role, kind) {
            (ColumnRole::Value, _) => false,
            (ColumnRole::Key, RelationKind::Stream) | (ColumnRole::PrimaryKey, RelationKind::Table) => true,
            (ColumnRole::PrimaryKey, _) => {
                let error = PlanError::new(ErrorKind::InvalidDefinition, "a STREAM has no PRIMARY KEY").at(role);
                return Err(error.detail("Events of equal keys stand beside each other.").hint("KEY, or CREATE TABLE"));
            }
            (ColumnRole::Key, _) => {
                let error = PlanError::new(ErrorKind::InvalidDefinition, "a TABLE has a PRIMARY KEY").at(role);
                return Err(error.hint("PRIMARY KEY"));
            }
            (ColumnRole::Headers | ColumnRole::Header(_), _) => {
                return Err(PlanError::not_supported("columns of headers").at(role));
            }
        };
        if let Some(span) = column.not_null {
            return Err(PlanError::not_supported("NOT NULL")
                .at(span)
                .detail("A record without the field would be neither a row nor an error of its own."));
        }
        let data_type = sql_type(&column.data_type, self.catalog)
            .map_err(|error| crate::bind::coerce::at(error, Some(column.type_span)))?;
        if matches!(data_type, arrow::datatypes::DataType::Interval(_)) {
            let error = PlanError::new(ErrorKind::TypeMismatch, "a column cannot be an INTERVAL").at(column.type_span);
            return Err(error.detail("INTERVAL is a type of expressions."));
        }
        Ok(Column { name: name.clone(), data_type, key })
    }
}
