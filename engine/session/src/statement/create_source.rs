//! CREATE STREAM and CREATE TABLE with a connector.

use std::collections::BTreeMap;

use millrace_connect::{Connector, SourceRequest, open_source};
use millrace_planner::action::CreateSource;
use millrace_planner::catalog::{Column, RelationKind};
use millrace_planner::error::{ErrorKind, PlanError, Span};

use crate::error::{Result, SessionError};
use crate::relation::{Origin, Setup, StatementLane, Stored, declare_source};
use crate::session::Session;

/// Properties that say nothing to the rows of statements, which go into no topic while there is no data directory.
const TOPIC_OPTIONS: [&str; 12] = [
    "CONNECTOR",
    "ON_ERROR",
    "KAFKA_TOPIC",
    "PARTITIONS",
    "REPLICAS",
    "RETENTION_MS",
    "KEY_FORMAT",
    "VALUE_FORMAT",
    "FORMAT",
    "TIMESTAMP",
    "TIMESTAMP_FORMAT",
    "OP_COLUMN",
];

/// Formats of topics in memory, where nothing is encoded: each can say what the relation's columns can hold.
const TOPIC_FORMATS: [&str; 3] = ["JSON", "DELIMITED", "KAFKA"];

/// Properties of a relation in memory.
const MEMORY_OPTIONS: [&str; 3] = ["CONNECTOR", "ON_ERROR", "TIMESTAMP"];

impl Session {
    pub(crate) fn create_source(&mut self, create: CreateSource, sql: &str) -> Result<()> {
        let (columns, origin) = columns_of(self, &create)?;
        if create.or_replace {
            self.drop_named(&create.name)?;
        }
        let relation = declare_source(&mut self.catalog, &create, columns);
        let schema = relation.schema();
        let name = relation.name.clone();
        let mut stored = Stored::new(relation, schema, origin);
        let keyed = !stored.relation.primary_key.is_empty();
        // a table in memory is what UPDATE and DELETE look at, whenever they come
        let in_memory_table = matches!(stored.origin, Origin::Statements(_)) && !stored.relation.append_only();
        stored.keep = keyed || in_memory_table || self.is_read_later(&name);
        stored.sql = Some(sql.to_owned());
        self.relations.insert(stored.id(), stored);
        Ok(())
    }

    /// Whether the relation must be kept for a statement to come.
    pub(crate) fn is_read_later(&self, name: &str) -> bool {
        self.kept.as_ref().is_none_or(|kept| kept.contains(name))
    }
}

/// The columns of a source, declared or inferred, and where its rows come from.
///
/// # Errors
/// If the connector cannot be what the options say.
pub(crate) fn columns_of(session: &Session, create: &CreateSource) -> Result<(Vec<Column>, Origin)> {
    let place = |option: &str| create.option_spans.get(option).copied();
    let connector = Connector::of(&create.options).map_err(|error| SessionError::connect(error, place))?;
    match connector {
        Connector::Memory => {
            check_options(&create.options, &MEMORY_OPTIONS, "memory", place)?;
            Ok((declared(create)?, Origin::Statements(StatementLane::default())))
        }
        Connector::Topic => {
            check_topic_options(&create.options, place)?;
            check_topic(session, create, place)?;
            Ok((declared(create)?, Origin::Statements(StatementLane::default())))
        }
        Connector::File | Connector::Generator => {
            let columns: Vec<(String, _)> =
                create.columns.iter().map(|column| (column.name.clone(), column.data_type.clone())).collect();
            let table = create.kind == RelationKind::Table;
            let request = SourceRequest { options: &create.options, columns: &columns, table, wanted: None };
            let source = open_source(&request, &session.world).map_err(|e| SessionError::connect(e, place))?;
            let found = source.columns();
            let column = |(name, data_type): &(String, arrow::datatypes::DataType)| {
                let key = create.columns.iter().any(|c| c.key && c.name == *name);
                Column { name: name.clone(), data_type: data_type.clone(), key }
            };
            let setup = Setup {
                options: create.options.clone(),
                columns: found.to_vec(),
                connector,
                bounded: source.bounded(),
            };
            Ok((found.iter().map(column).collect(), Origin::Connector(setup)))
        }
    }
}

fn declared(create: &CreateSource) -> Result<Vec<Column>> {
    if create.columns.is_empty() {
        let error = PlanError::new(ErrorKind::InvalidDefinition, format!("{} has no columns", create.name))
            .detail("Columns can be left out where there are rows to infer them from: file, generator.")
            .hint(format!("CREATE {} {} (ID BIGINT, …)", create.kind.name(), create.name));
        return Err(error.into());
    }
    Ok(create.columns.clone())
}

fn check_options(
    options: &BTreeMap<String, String>,
    known: &[&str],
    connector: &str,
    place: impl Fn(&str) -> Option<Span>,
) -> Result<()> {
    let Some(unknown) = options.keys().find(|name| !known.contains(&name.as_str())) else { return Ok(()) };
    let message = format!("CONNECTOR = '{connector}' has no property {unknown}");
    let error = PlanError { span: place(unknown), ..PlanError::new(ErrorKind::InvalidParameter, message) };
    Err(error.hint(format!("There are {}.", known.join(", "))).into())
}

/// A topic's properties, of a source and of a query's output.
pub(crate) fn check_topic_options(
    options: &BTreeMap<String, String>,
    place: impl Fn(&str) -> Option<Span>,
) -> Result<()> {
    check_options(options, &TOPIC_OPTIONS, "topic", &place)?;
    for option in ["VALUE_FORMAT", "KEY_FORMAT", "FORMAT"] {
        let Some(format) = options.get(option) else { continue };
        if !TOPIC_FORMATS.iter().any(|known| known.eq_ignore_ascii_case(format)) {
            let error = PlanError::not_supported(format!("topics of format '{format}'"))
                .hint(format!("There are {}.", TOPIC_FORMATS.join(", ")));
            return Err(PlanError { span: place(option), ..error }.into());
        }
    }
    Ok(())
}

/// A topic of a run lives in memory, and belongs to one relation.
fn check_topic(session: &Session, create: &CreateSource, place: impl Fn(&str) -> Option<Span>) -> Result<()> {
    let at = |error: PlanError, option: &str| PlanError { span: place(option), ..error };
    if session.options.data_dir.is_some() {
        let error = PlanError::not_supported("durable topics")
            .detail("A topic in a data directory outlives the process; that is not built yet.")
            .hint("Leave --data-dir out, and topics live in memory; or WITH (CONNECTOR = 'memory', …).");
        return Err(at(error, "KAFKA_TOPIC").into());
    }
    let topic = create.options.get("KAFKA_TOPIC").map_or(create.name.as_str(), String::as_str);
    let other = session.catalog.relations().find(|other| {
        other.name != create.name && topic_of(other).is_some_and(|name| name.eq_ignore_ascii_case(topic))
    });
    if let Some(other) = other {
        let error = PlanError::not_supported(format!("two relations on one topic: {topic} belongs to {}", other.name))
            .hint(format!("Read {} itself: a derived relation is its collection, not its topic.", other.name));
        return Err(at(error, "KAFKA_TOPIC").into());
    }
    Ok(())
}

/// The topic that a relation is on.
fn topic_of(relation: &millrace_planner::catalog::Relation) -> Option<&str> {
    let millrace_planner::catalog::Definition::Source { options } = &relation.definition else { return None };
    let on_topic = Connector::of(options).is_ok_and(|connector| connector == Connector::Topic);
    on_topic.then(|| options.get("KAFKA_TOPIC").map_or(relation.name.as_str(), String::as_str))
}
