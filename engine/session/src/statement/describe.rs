//! DESCRIBE.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use millrace_planner::catalog::{Definition, RelationId};
use millrace_planner::eval::types::type_name;

use crate::answer::record_batch;
use crate::client::{Changes, Client, Form, ResultHead, ResultRows};
use crate::error::Result;
use crate::session::Session;
use crate::system::{Cell, batch, key_of};

impl Session {
    /// The columns of a relation; with EXTENDED what else there is to know.
    pub(crate) fn describe(&mut self, id: RelationId, extended: bool, client: &mut dyn Client) -> Result<()> {
        let relation = &self.stored(id)?.relation;
        let row = |(i, column): (usize, &millrace_planner::catalog::Column)| {
            vec![
                Cell::from(column.name.as_str()),
                Cell::from(type_name(&column.data_type)),
                Cell::text(key_of(relation, i)),
            ]
        };
        let columns: Vec<_> = relation.columns.iter().enumerate().map(row).collect();
        self.show(&["NAME", "TYPE", "KEY"], &columns, client)?;
        if extended {
            let about = self.about(id)?;
            self.show(&["PROPERTY", "VALUE"], &about, client)?;
        }
        Ok(())
    }

    fn about(&mut self, id: RelationId) -> Result<Vec<Vec<Cell>>> {
        let stored = self.stored(id)?;
        let mut about: Vec<(String, String)> = vec![("KIND".to_owned(), stored.relation.kind.name().to_owned())];
        match &stored.relation.definition {
            Definition::Source { options } => about.extend(options.iter().map(|(k, v)| (k.clone(), v.clone()))),
            Definition::Query { sql } => about.push(("SQL".to_owned(), sql.clone())),
            Definition::System => about.push(("SQL".to_owned(), "the engine's own".to_owned())),
        }
        let names = |ids: &[RelationId]| {
            let names = ids.iter().filter_map(|id| self.relations.get(id)).map(|s| s.relation.name.as_str());
            names.collect::<Vec<_>>().join(", ")
        };
        if !stored.relation.reads.is_empty() {
            about.push(("READS".to_owned(), names(&stored.relation.reads)));
        }
        let readers = self.catalog.relations().filter(|other| other.reads.contains(&id)).map(|other| other.id);
        let readers: Vec<RelationId> = readers.collect();
        if !readers.is_empty() {
            about.push(("READ BY".to_owned(), names(&readers)));
        }
        for query in self.queries.values().filter(|query| query.target == Some(id)) {
            let (state, message) = self.state_of(query);
            let why = message.map(|message| format!(": {message}")).unwrap_or_default();
            about.push((format!("QUERY {}", query.name), format!("{state}{why}")));
        }
        let errors = self.system.decode_errors_of(&stored.relation.name);
        if errors > 0 {
            about.push(("DECODE ERRORS".to_owned(), errors.to_string()));
        }
        Ok(about.into_iter().map(|(property, value)| vec![Cell::from(property), Cell::from(value)]).collect())
    }

    /// Texts as a result.
    pub(crate) fn show(&mut self, names: &[&str], rows: &[Vec<Cell>], client: &mut dyn Client) -> Result<()> {
        let fields = names.iter().map(|name| Field::new(*name, DataType::Utf8, true));
        let columns = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let id = self.next_result_id();
        let head = ResultHead {
            id,
            statement: self.statement,
            query: None,
            columns: Arc::clone(&columns),
            form: Form::Answer,
        };
        client.head(&head)?;
        let cells = batch(columns.fields().iter().map(|f| f.data_type()), rows, None);
        let rows = record_batch(&columns, cells.columns().to_vec(), rows.len())?;
        client.rows(&ResultRows { id, tick: self.system.tick(), rows, changes: Changes::Rows })?;
        client.done(id)?;
        Ok(())
    }
}
