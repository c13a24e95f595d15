//! `.stream` files: statements, what happens at which tick, and what each query must say then.
//!
//! ```text
//! sql
//! CREATE TABLE ORDERS (ID BIGINT PRIMARY KEY, CUSTOMER BIGINT, AMOUNT BIGINT) WITH (CONNECTOR='memory');
//! CREATE MATERIALIZED VIEW SPEND AS SELECT CUSTOMER, SUM(AMOUNT) AS TOTAL FROM ORDERS GROUP BY CUSTOMER;
//! end
//! push @1 ORDERS +(1, 7, 100) +(2, 7, 50)
//! push @2 ORDERS -(2, NULL, NULL)
//! expect SPEND @1 +(7, 150)
//! expect SPEND @2 -(7, 150) +(7, 100)
//! ```
//!
//! `+(…)` is an insertion or an upsert, `-(…)` a delete (of a keyed table by its key). Behind a row may stand `@time`, its
//! event time in ms, and `/partition`. `end SOURCE @tick` says that a source has ended. `expect` lines list the
//! consolidated changes of a tick; a tick without a line must change nothing. `errors @tick: text` and `late @tick: text`
//! list what was written down. `UPDATE_EXPECT=1` writes the lines anew. Every file runs on both kinds of state and on
//! 1, 2 and 4 workers.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion_common::ScalarValue;
use millrace_data::Batch;
use millrace_data::consolidate::consolidate;
use millrace_dataflow::{
    BaseRelation, Dataflow, Engine, Intake, Options, Publish, QueryId, Rows, StreamTime, TickInputs, TickOutput,
};
use millrace_planner::action::{Action, CreateQuery, CreateSource};
use millrace_planner::catalog::{Catalog, Definition, Relation, RelationId};
use millrace_planner::sql::parse_script;
use millrace_world::World;

/// A row as it stands in the file.
#[derive(Clone, Debug)]
struct Pushed {
    delete: bool,
    cells: Vec<Option<String>>,
    time: Option<i64>,
    partition: i32,
}

/// A file, taken apart.
#[derive(Debug, Default)]
struct Script {
    sql: String,
    pushes: BTreeMap<u64, Vec<(String, Vec<Pushed>)>>,
    ends: BTreeMap<u64, Vec<String>>,
    expected: Vec<String>,
    /// Lines that are kept as they are when the expectations are written anew.
    kept: Vec<String>,
}

/// Runs a file on one kind of state (`hash`, `differential`) with `workers`.
///
/// # Errors
/// What differs, or what is wrong with the file.
pub fn check(path: &Path, state: &str, workers: usize) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let script = parse(&text).map_err(|e| format!("{}: {e}", path.display()))?;
    let said = Runner::start(&script.sql, state, workers)?.run(&script)?;
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let lines: Vec<&str> = script.kept.iter().chain(&said).map(String::as_str).collect();
        return fs::write(path, lines.join("\n") + "\n").map_err(|e| e.to_string());
    }
    if said != script.expected {
        return Err(format!(
            "{} on {state}, {workers} workers\n--- expected\n{}\n--- said\n{}",
            path.display(),
            script.expected.join("\n"),
            said.join("\n")
        ));
    }
    Ok(())
}

fn parse(text: &str) -> Result<Script, String> {
    let mut script = Script::default();
    let mut in_sql = false;
    for (number, line) in text.lines().enumerate() {
        let at = |what: &str| format!("line {}: {what}: {line}", number + 1);
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            _ if in_sql && line == "end" => in_sql = false,
            _ if in_sql => script.sql += &format!("{line}\n"),
            [] => {}
            ["sql"] => in_sql = true,
            [first, ..] if first.starts_with('#') => {}
            ["push", tick, relation, ..] => {
                let tick = tick_of(tick).ok_or_else(|| at("no tick"))?;
                let start = line.find(relation).unwrap_or(0) + relation.len();
                let rows = rows_of(&line[start..]).map_err(|e| at(&e))?;
                script.pushes.entry(tick).or_default().push(((*relation).to_owned(), rows));
            }
            ["end", relation, tick] => {
                let tick = tick_of(tick).ok_or_else(|| at("no tick"))?;
                script.ends.entry(tick).or_default().push((*relation).to_owned());
            }
            ["expect" | "errors" | "late", ..] => {
                script.expected.push(line.trim().to_owned());
                continue;
            }
            _ => return Err(at("neither push, end, expect, errors nor late")),
        }
        script.kept.push(line.to_owned());
    }
    Ok(script)
}

fn tick_of(word: &str) -> Option<u64> {
    word.strip_prefix('@')?.parse().ok()
}

/// `+(1, 'a, b', NULL)@5000/1 -(2)`.
fn rows_of(text: &str) -> Result<Vec<Pushed>, String> {
    let mut rest = text.trim_start();
    let mut rows = vec![];
    while !rest.is_empty() {
        let delete = match rest.chars().next() {
            Some('+') => false,
            Some('-') => true,
            _ => return Err(format!("a row begins with + or -, not {rest}")),
        };
        let open = rest[1..].strip_prefix('(').ok_or("a row stands in brackets")?;
        let (cells, after) = cells_of(open)?;
        let tail_len = after.find(char::is_whitespace).unwrap_or(after.len());
        let (tail, next) = after.split_at(tail_len);
        let (time, partition) = match tail.strip_prefix('@') {
            None => (None, 0),
            Some(place) => {
                let (time, partition) = place.split_once('/').unwrap_or((place, "0"));
                let number = |text: &str| text.parse::<i64>().map_err(|e| format!("{text}: {e}"));
                (Some(number(time)?), number(partition)? as i32)
            }
        };
        rows.push(Pushed { delete, cells, time, partition });
        rest = next.trim_start();
    }
    Ok(rows)
}

/// Cells up to the closing bracket, and what follows it.
fn cells_of(text: &str) -> Result<(Vec<Option<String>>, &str), String> {
    let (mut cells, mut cell, mut quoted, mut was_quoted) = (vec![], String::new(), false, false);
    let finish = |cell: &mut String, was_quoted: &mut bool| {
        let text = std::mem::take(cell);
        let value = if *was_quoted { Some(text) } else { Some(text.trim().to_owned()).filter(|t| t != "NULL") };
        *was_quoted = false;
        value
    };
    for (i, c) in text.char_indices() {
        match c {
            '\'' => {
                quoted = !quoted;
                if quoted {
                    cell.clear();
                }
                was_quoted = true;
            }
            _ if quoted => cell.push(c),
            ',' => cells.push(finish(&mut cell, &mut was_quoted)),
            ')' => {
                cells.push(finish(&mut cell, &mut was_quoted));
                return Ok((cells, &text[i + 1..]));
            }
            _ if was_quoted => {}
            _ => cell.push(c),
        }
    }
    Err("a row has no closing bracket".to_owned())
}

struct Runner {
    engine: Engine,
    catalog: Catalog,
    queries: Vec<(QueryId, String, SchemaRef, usize)>,
    offsets: HashMap<(RelationId, i32), i64>,
    lanes: HashMap<(RelationId, i32), i64>,
}

impl Runner {
    fn start(sql: &str, state: &str, workers: usize) -> Result<Runner, String> {
        let options = Options { workers, ..Options::default() };
        let engine = Engine::start(&options, &World::real()).map_err(|e| e.to_string())?;
        let mut catalog = Catalog::default();
        catalog.settings.insert("millrace.state".to_owned(), state.to_owned());
        let mut runner = Runner { engine, catalog, queries: vec![], offsets: HashMap::new(), lanes: HashMap::new() };
        let statements = parse_script(sql).map_err(|e| e.render("sql", sql))?;
        for statement in &statements {
            let planned = millrace_planner::plan(statement, sql, &runner.catalog).map_err(|e| e.render("sql", sql))?;
            match planned.action {
                Action::CreateSource(source) => runner.source(source),
                Action::CreateQuery(query) => runner.query(query),
                other => return Err(format!("a stream file has sources and queries, not {other:?}")),
            }
        }
        Ok(runner)
    }

    fn source(&mut self, source: CreateSource) {
        let id = self.catalog.allocate();
        let stream = source.kind == millrace_planner::catalog::RelationKind::Stream;
        let intake = match (stream, source.primary_key.is_empty()) {
            (true, _) => Intake::Append,
            (false, true) => Intake::Bag { columns: source.columns.len() },
            (false, false) => Intake::Upsert { key: source.primary_key.clone() },
        };
        let relation = source.relation(id, source.columns.clone());
        let base = BaseRelation { id, name: source.name, schema: relation.schema(), intake, keep: true };
        self.engine.add_relation(base);
        self.catalog.insert(relation);
    }

    fn query(&mut self, create: CreateQuery) {
        let id = self.catalog.allocate();
        let schema = Arc::clone(&create.query.root.schema);
        let query = QueryId(u64::from(id.0));
        self.engine.install(
            query,
            Dataflow {
                name: create.name.clone(),
                root: create.query.root.clone(),
                publish: Some(Publish { relation: id, keep: true }),
                deliver: true,
            },
        );
        self.queries.push((query, create.name.clone(), schema, create.query.visible));
        self.catalog.insert(Relation {
            id,
            name: create.name,
            kind: create.kind,
            columns: create.columns,
            primary_key: create.primary_key,
            system_columns: create.system_columns,
            definition: Definition::Query { sql: create.sql },
            reads: create.query.reads,
            window_columns: create.window_columns,
            time_sources: create.time_sources,
        });
    }

    fn run(mut self, script: &Script) -> Result<Vec<String>, String> {
        let last = script.pushes.keys().chain(script.ends.keys()).max().copied().unwrap_or(1);
        let mut said = vec![];
        for tick in 1..=last {
            let mut inputs = TickInputs { now_ms: tick as i64 * 1000, ..TickInputs::default() };
            for (name, rows) in script.pushes.get(&tick).into_iter().flatten() {
                self.push(name, rows, tick, &mut inputs)?;
            }
            for name in script.ends.get(&tick).into_iter().flatten() {
                let id = self.relation(name)?.id;
                inputs.stream_times.push((id, self.stream_time(id).ended()));
            }
            self.engine.tick(inputs).map_err(|e| e.to_string())?;
            for output in self.engine.wait().map_err(|e| e.to_string())? {
                self.say(&output, &mut said);
            }
        }
        Ok(said)
    }

    fn relation(&self, name: &str) -> Result<&Relation, String> {
        self.catalog.get(name).ok_or_else(|| format!("no relation {name}"))
    }

    fn push(&mut self, name: &str, rows: &[Pushed], tick: u64, inputs: &mut TickInputs) -> Result<(), String> {
        if rows.is_empty() {
            return Ok(());
        }
        let relation = self.relation(name)?;
        let (id, width) = (relation.id, relation.columns.len());
        let mut columns: Vec<ArrayRef> = vec![];
        for (i, column) in relation.columns.iter().enumerate() {
            let cells: StringArray = rows.iter().map(|r| r.cells.get(i).cloned().flatten()).collect();
            let column = cast(&cells, &column.data_type).map_err(|e| format!("{name}: {e}"))?;
            if let Some(row) = (0..rows.len()).find(|r| column.is_null(*r) && cells.is_valid(*r)) {
                return Err(format!("{name}: {} is not a {}", cells.value(row), column.data_type()));
            }
            columns.push(column);
        }
        if let Some(row) = rows.iter().find(|r| r.cells.len() > width) {
            return Err(format!("{name} has {width} columns, the row {:?} more", row.cells));
        }
        let system: Vec<[ScalarValue; 4]> = rows.iter().map(|r| self.place(id, r, tick)).collect();
        for c in 0..4 {
            let column = ScalarValue::iter_to_array(system.iter().map(|s| s[c].clone()));
            columns.push(column.map_err(|e| e.to_string())?);
        }
        let deletes: BooleanArray = rows.iter().map(|r| Some(r.delete)).collect();
        let batch = Batch::new(columns, None, rows.len());
        inputs.rows.push(Rows { relation: id, batch, deletes: Some(deletes), only: None });
        inputs.stream_times.push((id, self.stream_time(id)));
        Ok(())
    }

    /// ROWTIME, ROWPARTITION, ROWOFFSET, ROWLANETIME.
    fn place(&mut self, id: RelationId, row: &Pushed, tick: u64) -> [ScalarValue; 4] {
        let lane_key = (id, row.partition);
        let time = row.time.unwrap_or(tick as i64 * 1000);
        let offset = self.offsets.entry(lane_key).or_insert(-1);
        *offset += 1;
        let lane = self.lanes.get(&lane_key).copied();
        self.lanes.insert(lane_key, lane.map_or(time, |l| l.max(time)));
        [
            ScalarValue::Int64(Some(time)),
            ScalarValue::Int32(Some(row.partition)),
            ScalarValue::Int64(Some(*offset)),
            ScalarValue::Int64(lane),
        ]
    }

    fn stream_time(&self, id: RelationId) -> StreamTime {
        let time = self.lanes.iter().filter(|((r, _), _)| *r == id).map(|(_, t)| *t).min().unwrap_or(i64::MIN);
        StreamTime { close: time, retain: time }
    }

    fn say(&self, output: &TickOutput, said: &mut Vec<String>) {
        let tick = output.tick;
        for (query, name, schema, visible) in &self.queries {
            let Some((_, batches)) = output.changes.iter().find(|(q, _)| q == query) else { continue };
            let columns: Vec<usize> = (0..*visible).collect();
            let narrow: Vec<Batch> = batches.iter().map(|b| b.project(&columns)).collect();
            let schema: SchemaRef = Arc::new(Schema::new(schema.fields()[..*visible].to_vec()));
            let Some(changes) = consolidate(&narrow, &schema) else { continue };
            let mut rows: Vec<(i64, String)> =
                (0..changes.len()).map(|i| (changes.diff(i).signum(), row_text(&changes, i))).collect();
            rows.sort();
            let rows: Vec<String> = rows.into_iter().map(|(_, text)| text).collect();
            said.push(format!("expect {name} @{tick} {}", rows.join(" ")));
        }
        let mut notes: Vec<String> = vec![];
        for error in &output.errors {
            let sign = if error.diff < 0 { '-' } else { '+' };
            notes.push(format!("errors @{tick}: {sign}{} {}", error.message, error.row));
        }
        for late in &output.late {
            let (start, end, row) = (late.window_start, late.window_end, &late.row);
            notes.push(format!("late @{tick}: [{start}, {end}) {row}"));
        }
        for rejected in &output.rejected {
            notes.push(format!("errors @{tick}: rejected: {} {}", rejected.reason, rejected.row));
        }
        notes.sort();
        said.extend(notes);
    }
}

/// `+(7, 'x', NULL)`, with the count before the bracket when it is more than one.
fn row_text(batch: &Batch, i: usize) -> String {
    let cells: Vec<String> = batch.columns().iter().map(|c| cell_text(c, i)).collect();
    let diff = batch.diff(i);
    let sign = if diff < 0 { '-' } else { '+' };
    let count = if diff.abs() == 1 { String::new() } else { diff.abs().to_string() };
    format!("{sign}{count}({})", cells.join(", "))
}

fn cell_text(column: &ArrayRef, i: usize) -> String {
    if column.is_null(i) {
        return "NULL".to_owned();
    }
    match ScalarValue::try_from_array(column, i) {
        Ok(ScalarValue::Utf8(Some(text))) => format!("'{text}'"),
        Ok(value) if !matches!(column.data_type(), DataType::List(_)) => value.to_string(),
        Ok(value) => {
            let items: Vec<String> =
                crate::reference::aggregate::elements(&value).iter().map(ToString::to_string).collect();
            format!("[{}]", items.join(", "))
        }
        Err(error) => format!("<{error}>"),
    }
}
