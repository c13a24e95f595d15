//! A statement printed back: its canonical text, for EXPLAIN PARSED.
//!
//! The text parses to the same statement. Each clause has its own line, words are in upper case, names are folded as
//! the statement folds them (inside queries they stand as written), defaults are left out.

mod query;

use std::fmt::{self, Write as _};

use sqlparser::ast;

use super::name::{Ident, Name, Text};
use super::query::{Duration, WindowClause, WindowKind, WithinClause};
use super::statement::*;
use crate::action::ControlVerb;

/// The canonical text, without a semicolon.
pub fn print(statement: &Statement) -> String {
    let mut out = String::new();
    match write(&mut out, statement) {
        Ok(()) => out,
        Err(error) => format!("{out}\n{error}"),
    }
}

fn write(out: &mut String, statement: &Statement) -> fmt::Result {
    match statement {
        Statement::CreateSource(create) => create_source(out, create),
        Statement::CreateQuery(create) => create_query(out, create),
        Statement::CreateView(create) => create_view(out, create),
        Statement::CreateType(create) => {
            let (head, name) = (create_head(create.or_replace, "TYPE", create.if_not_exists), name(&create.name));
            write!(out, "{head} {name} AS {}", query::data_type(&create.data_type))
        }
        Statement::CreateFunction(create) => create_function(out, create),
        Statement::CreateConnector(create) => create_connector(out, create),
        Statement::InsertValues(insert) => {
            write!(out, "INSERT INTO {}{}\nVALUES", name(&insert.target), idents(&insert.columns))?;
            rows(out, &insert.rows)
        }
        Statement::InsertQuery(insert) => {
            write!(out, "INSERT INTO {}{}", name(&insert.target), idents(&insert.columns))?;
            with(out, &insert.properties)?;
            write!(out, "\n{}", query::streaming(&insert.query))
        }
        Statement::Update(update) => modify(out, update),
        Statement::Delete(delete) => {
            write!(out, "DELETE FROM {}{}", name(&delete.target), alias(&delete.alias))?;
            selection(out, &delete.selection)
        }
        Statement::Query(query) => out.write_str(&query::streaming(query)),
        Statement::Explain(explain) => explained(out, explain),
        Statement::Show(show) => shown(out, show),
        Statement::Describe(describe) => described(out, describe),
        Statement::Set(set) => match &set.value {
            Some(value) => write!(out, "SET {} = {}", quoted(&set.name), property_value(value)),
            None => write!(out, "UNSET {}", quoted(&set.name)),
        },
        Statement::Define(define) => match &define.value {
            Some(value) => write!(out, "DEFINE {} = {}", ident(&define.name), quoted(&value.value)),
            None => write!(out, "UNDEFINE {}", ident(&define.name)),
        },
        Statement::Drop(drop) => dropped(out, drop),
        Statement::Control(control) => controlled(out, control),
        Statement::Alter(alter) => altered(out, alter),
        Statement::Print(print) => printed(out, print),
        Statement::RunScript { path } => write!(out, "RUN SCRIPT {}", quoted(&path.value)),
        Statement::Assert(assert) => asserted(out, assert),
        Statement::Unsupported { what, .. } => out.write_str(what),
    }
}

fn create_head(or_replace: bool, kind: &str, if_not_exists: bool) -> String {
    let or_replace = if or_replace { "OR REPLACE " } else { "" };
    let if_not_exists = if if_not_exists { " IF NOT EXISTS" } else { "" };
    format!("CREATE {or_replace}{kind}{if_not_exists}")
}

fn create_source(out: &mut String, create: &CreateSource) -> fmt::Result {
    let source = if create.read_only.is_some() { "SOURCE " } else { "" };
    let kind = format!("{source}{}", stream_or_table(create.kind));
    write!(out, "{} {}", create_head(create.or_replace, &kind, create.if_not_exists), name(&create.name))?;
    column_defs(out, &create.columns)?;
    with(out, &create.properties)
}

fn create_query(out: &mut String, create: &CreateQuery) -> fmt::Result {
    let kind = match create.kind {
        DerivedKind::Stream => "STREAM",
        DerivedKind::Table => "TABLE",
        DerivedKind::MaterializedView => "MATERIALIZED VIEW",
    };
    let head = create_head(create.or_replace, kind, create.if_not_exists);
    write!(out, "{head} {}{}", name(&create.name), idents(&create.columns))?;
    with(out, &create.properties)?;
    write!(out, "\nAS {}", query::streaming(&create.query))
}

fn create_view(out: &mut String, create: &CreateView) -> fmt::Result {
    let head = create_head(create.or_replace, "VIEW", create.if_not_exists);
    write!(out, "{head} {}{}", name(&create.name), idents(&create.columns))?;
    with(out, &create.properties)?;
    write!(out, "\nAS {}", query::streaming(&create.query))
}

fn function_kind(kind: FunctionKind) -> &'static str {
    match kind {
        FunctionKind::Scalar => "FUNCTION",
        FunctionKind::Aggregate => "AGGREGATE",
        FunctionKind::Table => "TABLE FUNCTION",
    }
}

fn create_function(out: &mut String, create: &CreateFunction) -> fmt::Result {
    let head = create_head(create.or_replace, function_kind(create.kind), create.if_not_exists);
    write!(out, "{head} {}\nFROM MODULE {}", name(&create.name), quoted(&create.module.value))?;
    sha256(out, &create.sha256)
}

fn sha256(out: &mut String, digest: &Option<Text>) -> fmt::Result {
    match digest {
        Some(digest) => write!(out, " SHA256 {}", quoted(&digest.value)),
        None => Ok(()),
    }
}

fn create_connector(out: &mut String, create: &CreateConnector) -> fmt::Result {
    let kind = if create.sink { "SINK CONNECTOR" } else { "SOURCE CONNECTOR" };
    write!(out, "{} {}", create_head(create.or_replace, kind, create.if_not_exists), name(&create.name))?;
    if let Some(module) = &create.module {
        write!(out, "\nFROM MODULE {}", quoted(&module.value))?;
        sha256(out, &create.sha256)?;
    }
    with(out, &create.properties)?;
    for (at, (kind, target)) in create.grants.iter().enumerate() {
        let before = if at == 0 { "\nGRANT" } else { "," };
        write!(out, "{before} {} {}", ident(kind), quoted(&target.value))?;
    }
    Ok(())
}

fn column_def(column: &ColumnDef) -> String {
    let role = match &column.role {
        ColumnRole::Value => String::new(),
        ColumnRole::Key => " KEY".into(),
        ColumnRole::PrimaryKey => " PRIMARY KEY".into(),
        ColumnRole::Headers => " HEADERS".into(),
        ColumnRole::Header(header) => format!(" HEADER({})", quoted(&header.value)),
    };
    let not_null = if column.not_null.is_some() { " NOT NULL" } else { "" };
    format!("{} {}{role}{not_null}", ident(&column.name), query::data_type(&column.data_type))
}

fn column_defs(out: &mut String, columns: &[ColumnDef]) -> fmt::Result {
    if columns.is_empty() {
        return Ok(());
    }
    write!(out, " (\n  {}\n)", columns.iter().map(column_def).collect::<Vec<_>>().join(",\n  "))
}

/// `WITH (…)` on a line of its own, in order of the names.
fn with(out: &mut String, properties: &[Property]) -> fmt::Result {
    if properties.is_empty() {
        return Ok(());
    }
    let mut lines: Vec<String> = properties
        .iter()
        .map(|property| {
            let name = match property.name.quoted {
                true => quoted(&property.name.value),
                false => property.name.value.clone(),
            };
            format!("{name} = {}", property_value(&property.value))
        })
        .collect();
    lines.sort();
    write!(out, "\nWITH ({})", lines.join(", "))
}

fn property_value(value: &PropertyValue) -> String {
    match value {
        PropertyValue::Text(text) => quoted(text),
        PropertyValue::Number(text) | PropertyValue::Word(text) => text.clone(),
        PropertyValue::Bool(true) => "TRUE".into(),
        PropertyValue::Bool(false) => "FALSE".into(),
        PropertyValue::Null => "NULL".into(),
        PropertyValue::List(items) => {
            format!("({})", items.iter().map(property_value).collect::<Vec<_>>().join(", "))
        }
    }
}

fn modify(out: &mut String, update: &Update) -> fmt::Result {
    write!(out, "UPDATE {}{}\nSET ", name(&update.target), alias(&update.alias))?;
    let assignments = update.assignments.iter();
    let assignments = assignments.map(|(column, value)| format!("{} = {}", ident(column), query::expr(value)));
    out.push_str(&assignments.collect::<Vec<_>>().join(", "));
    selection(out, &update.selection)
}

fn alias(alias: &Option<Ident>) -> String {
    alias.as_ref().map(|alias| format!(" AS {}", ident(alias))).unwrap_or_default()
}

fn selection(out: &mut String, selection: &Option<ast::Expr>) -> fmt::Result {
    match selection {
        Some(selection) => write!(out, "\nWHERE {}", query::expr(selection)),
        None => Ok(()),
    }
}

fn rows(out: &mut String, rows: &[(Vec<ast::Expr>, crate::error::Span)]) -> fmt::Result {
    for (at, (row, _)) in rows.iter().enumerate() {
        let before = if at == 0 { "" } else { "," };
        write!(out, "{before} ({})", row.iter().map(query::expr).collect::<Vec<_>>().join(", "))?;
    }
    Ok(())
}

fn explained(out: &mut String, explain: &Explain) -> fmt::Result {
    let mode = match explain.mode {
        ExplainMode::Parsed => " PARSED",
        ExplainMode::Logical => " LOGICAL",
        ExplainMode::Optimized => " OPTIMIZED",
        ExplainMode::Plan => "",
        ExplainMode::Analyze => " ANALYZE",
    };
    let json = if explain.json { " (FORMAT JSON)" } else { "" };
    match &explain.target {
        ExplainTarget::Statement(parsed) => write!(out, "EXPLAIN{mode}{json}\n{}", print(&parsed.statement)),
        ExplainTarget::Query(id) => write!(out, "EXPLAIN{mode}{json} {}", ident(id)),
    }
}

fn shown(out: &mut String, show: &Show) -> fmt::Result {
    let what = match &show.what {
        ShowWhat::Streams => "STREAMS",
        ShowWhat::Tables => "TABLES",
        ShowWhat::Views => "VIEWS",
        ShowWhat::MaterializedViews => "MATERIALIZED VIEWS",
        ShowWhat::Relations => "RELATIONS",
        ShowWhat::Queries => "QUERIES",
        ShowWhat::Topics => "TOPICS",
        ShowWhat::Functions => "FUNCTIONS",
        ShowWhat::Settings => "SETTINGS",
        ShowWhat::Types => "TYPES",
        ShowWhat::Variables => "VARIABLES",
        ShowWhat::Connectors { sink: None } => "CONNECTORS",
        ShowWhat::Connectors { sink: Some(true) } => "SINK CONNECTORS",
        ShowWhat::Connectors { sink: Some(false) } => "SOURCE CONNECTORS",
        ShowWhat::Modules => "MODULES",
        ShowWhat::Columns => "COLUMNS",
        ShowWhat::Create => "CREATE",
        ShowWhat::Operators => "OPERATORS",
        ShowWhat::Frontiers => "FRONTIERS",
        ShowWhat::Sessions => "SESSIONS",
        ShowWhat::Errors => "ERRORS",
        ShowWhat::DecodeErrors => "DECODE_ERRORS",
        ShowWhat::Late => "LATE",
        ShowWhat::Setting(setting) => return write!(out, "SHOW {}", name(setting)),
    };
    let all = if show.all { "ALL " } else { "" };
    let extended = if show.extended { " EXTENDED" } else { "" };
    write!(out, "SHOW {all}{what}{extended}")?;
    if let Some(from) = &show.from {
        let word = if show.what == ShowWhat::Create { "" } else { " FROM" };
        write!(out, "{word} {}", name(from))?;
    }
    match &show.like {
        Some(like) => write!(out, " LIKE {}", quoted(&like.value)),
        None => Ok(()),
    }
}

fn described(out: &mut String, describe: &Describe) -> fmt::Result {
    let extended = if describe.extended { " EXTENDED" } else { "" };
    match &describe.target {
        DescribeTarget::Relation(relation) => write!(out, "DESCRIBE {}{extended}", name(relation)),
        DescribeTarget::Function(function) => write!(out, "DESCRIBE FUNCTION {}{extended}", name(function)),
        DescribeTarget::Connector(connector) => write!(out, "DESCRIBE CONNECTOR {}{extended}", name(connector)),
        DescribeTarget::All(kind, _) => write!(out, "DESCRIBE {}S{extended}", stream_or_table(*kind)),
    }
}

fn dropped(out: &mut String, drop: &Drop) -> fmt::Result {
    let kind = match drop.kind {
        DropKind::Stream => "STREAM",
        DropKind::Table => "TABLE",
        DropKind::View => "VIEW",
        DropKind::MaterializedView => "MATERIALIZED VIEW",
        DropKind::Type => "TYPE",
        DropKind::Function(kind) => function_kind(kind),
        DropKind::Connector => "CONNECTOR",
        DropKind::Module => "MODULE",
    };
    let if_exists = if drop.if_exists { " IF EXISTS" } else { "" };
    let delete_topic = if drop.delete_topic.is_some() { " DELETE TOPIC" } else { "" };
    let cascade = if drop.cascade.is_some() { " CASCADE" } else { "" };
    write!(out, "DROP {kind}{if_exists} {}{delete_topic}{cascade}", name(&drop.name))
}

fn controlled(out: &mut String, control: &Control) -> fmt::Result {
    let verb = match control.verb {
        ControlVerb::Terminate => "TERMINATE",
        ControlVerb::Pause => "PAUSE",
        ControlVerb::Resume => "RESUME",
    };
    write!(out, "{verb} {}", control.query.as_ref().map_or("ALL".into(), ident))
}

fn altered(out: &mut String, alter: &Alter) -> fmt::Result {
    write!(out, "ALTER {} {}", stream_or_table(alter.kind), name(&alter.name))?;
    let columns = alter.columns.iter().map(|column| format!("\nADD COLUMN {}", column_def(column)));
    out.write_str(&columns.collect::<Vec<_>>().join(","))
}

fn printed(out: &mut String, print: &Print) -> fmt::Result {
    write!(out, "PRINT {}", quoted(&print.topic.value))?;
    if print.from_beginning {
        out.push_str(" FROM BEGINNING");
    }
    if let Some(interval) = print.interval {
        write!(out, " INTERVAL {interval}")?;
    }
    match print.limit {
        Some(limit) => write!(out, " LIMIT {limit}"),
        None => Ok(()),
    }
}

fn asserted(out: &mut String, assert: &Assert) -> fmt::Result {
    let not_exists = |exists: bool| if exists { "" } else { "NOT EXISTS " };
    match assert {
        Assert::Values { relation, columns, rows: values, tombstone } => {
            let (before, word) = if *tombstone { ("NULL VALUES", "KEY") } else { ("VALUES", "VALUES") };
            write!(out, "ASSERT {before} {}{} {word}", name(relation), idents(columns))?;
            rows(out, values)
        }
        Assert::Relation { kind, name: relation, columns, properties } => {
            write!(out, "ASSERT {} {}", stream_or_table(*kind), name(relation))?;
            column_defs(out, columns)?;
            with(out, properties)
        }
        Assert::Topic { topic, exists, properties, timeout } => {
            write!(out, "ASSERT {}TOPIC {}", not_exists(*exists), quoted(&topic.value))?;
            with(out, properties)?;
            timed(out, timeout)
        }
        Assert::Schema { subject, id, exists, timeout } => {
            write!(out, "ASSERT {}SCHEMA", not_exists(*exists))?;
            if let Some(subject) = subject {
                write!(out, " SUBJECT {}", quoted(&subject.value))?;
            }
            if let Some(id) = id {
                write!(out, " ID {id}")?;
            }
            timed(out, timeout)
        }
    }
}

fn timed(out: &mut String, timeout: &Option<Duration>) -> fmt::Result {
    match timeout {
        Some(timeout) => write!(out, " TIMEOUT {}", duration(timeout)),
        None => Ok(()),
    }
}

fn stream_or_table(kind: StreamOrTable) -> &'static str {
    match kind {
        StreamOrTable::Stream => "STREAM",
        StreamOrTable::Table => "TABLE",
    }
}

/// In the largest unit that leaves no rest.
fn duration(duration: &Duration) -> String {
    let units = [(86_400_000, "DAY"), (3_600_000, "HOUR"), (60_000, "MINUTE"), (1_000, "SECOND")];
    let unit = units.iter().find(|(ms, _)| duration.ms > 0 && duration.ms % ms == 0);
    let (ms, unit) = unit.copied().unwrap_or((1, "MILLISECOND"));
    match duration.ms / ms {
        1 => format!("1 {unit}"),
        n => format!("{n} {unit}S"),
    }
}

fn window(clause: &WindowClause) -> String {
    let (kind, mut parts) = match &clause.kind {
        WindowKind::Tumbling { size } => ("TUMBLING", format!("SIZE {}", duration(size))),
        WindowKind::Hopping { size, advance } => {
            ("HOPPING", format!("SIZE {}, ADVANCE BY {}", duration(size), duration(advance)))
        }
        WindowKind::Session { gap } => ("SESSION", duration(gap)),
    };
    for (word, part) in [("RETENTION", &clause.retention), ("GRACE PERIOD", &clause.grace)] {
        if let Some(part) = part {
            parts += &format!(", {word} {}", duration(part));
        }
    }
    format!("WINDOW {kind} ({parts})")
}

fn within(clause: &WithinClause) -> String {
    let grace = clause.grace.as_ref().map(|grace| format!(" GRACE PERIOD {}", duration(grace))).unwrap_or_default();
    match clause.before.ms == clause.after.ms {
        true => format!("WITHIN {}{grace}", duration(&clause.before)),
        false => format!("WITHIN ({}, {}){grace}", duration(&clause.before), duration(&clause.after)),
    }
}

fn ident(ident: &Ident) -> String {
    match ident.quoted {
        true => in_quotes(&ident.value, '"'),
        false => ident.value.clone(),
    }
}

fn idents(idents: &[Ident]) -> String {
    match idents.is_empty() {
        true => String::new(),
        false => format!(" ({})", idents.iter().map(ident).collect::<Vec<_>>().join(", ")),
    }
}

fn name(name: &Name) -> String {
    name.parts.iter().map(ident).collect::<Vec<_>>().join(".")
}

fn quoted(text: &str) -> String {
    in_quotes(text, '\'')
}

fn in_quotes(text: &str, quote: char) -> String {
    format!("{quote}{}{quote}", text.replace(quote, &format!("{quote}{quote}")))
}
