//! Asks a session in a simulated world, and writes down rows as `.slt` files have them.

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use millrace_planner::error::PlanError;
use millrace_session::{
    Client, ClientGone, Notice, Options, Origin, Program, ResultHead, ResultId, ResultRows, Script, Session,
    SessionError, Settings,
};
use millrace_world::SimulatedWorld;

/// A session and what it has said.
pub(super) struct Asked {
    session: Session,
    heard: Heard,
}

/// The answer of a query.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// A letter a column.
    pub(super) types: String,
    pub(super) rows: Vec<String>,
    /// Rows that are errors.
    pub(super) missing: u64,
}

/// Why a statement failed.
#[derive(Clone, Debug)]
pub(super) struct Failed {
    pub(super) sqlstate: String,
    pub(super) text: String,
}

#[derive(Default)]
struct Heard {
    columns: Option<SchemaRef>,
    rows: Vec<String>,
    missing: u64,
}

impl Asked {
    pub(super) fn new(state: &str, workers: usize) -> Result<Self, String> {
        let mut settings = Settings::default();
        for (name, value) in [("millrace.state", state), ("millrace.workers", &workers.to_string())] {
            settings.set(name, Some(value), Origin::Flag).map_err(|e| e.to_string())?;
        }
        let options = Options { settings, ..Options::default() };
        let world = SimulatedWorld::new(0);
        let session = Session::new(options, world.world().clone()).map_err(|e| e.to_string())?;
        Ok(Asked { session, heard: Heard::default() })
    }

    /// Runs a statement.
    pub(super) fn statement(&mut self, sql: &str) -> Result<(), Failed> {
        self.heard = Heard::default();
        let program = Program::parse(vec![Script { name: "sql".to_owned(), text: sql.to_owned() }]);
        if let Some(mistake) = program.mistake() {
            return Err(failed(sql, mistake));
        }
        for statement in program.statements() {
            let done = self.session.execute(statement, &mut self.heard);
            done.map_err(|SessionError { error, .. }| failed(sql, &error))?;
        }
        Ok(())
    }

    /// Lets what statements have brought take effect, in ticks of its own.
    pub(super) fn tick(&mut self) -> Result<(), String> {
        self.session.advance(&mut self.heard).map(|_| ()).map_err(|e| e.to_string())
    }

    /// Runs a query.
    pub(super) fn query(&mut self, sql: &str) -> Result<Answer, Failed> {
        self.statement(sql)?;
        let heard = std::mem::take(&mut self.heard);
        let types = heard.columns.iter().flat_map(|c| c.fields().iter()).map(|f| letter(f.data_type())).collect();
        Ok(Answer { types, rows: heard.rows, missing: heard.missing })
    }

    /// What a view has now.
    pub(super) fn view(&mut self, name: &str) -> Result<Answer, Failed> {
        let errors = self.query(&format!("SELECT COUNT(*) FROM \"millrace.errors\" WHERE QUERY = '{name}'"))?;
        let answer = self.query(&format!("SELECT * FROM {name}"))?;
        let missing = errors.rows.first().and_then(|count| count.parse().ok()).unwrap_or(0);
        Ok(Answer { missing, ..answer })
    }
}

fn failed(sql: &str, error: &PlanError) -> Failed {
    Failed { sqlstate: error.kind.sqlstate().to_owned(), text: error.render("sql", sql) }
}

fn letter(data_type: &DataType) -> char {
    match data_type {
        DataType::Int32 | DataType::Int64 => 'I',
        DataType::Float64 | DataType::Decimal128(..) => 'R',
        DataType::Utf8 => 'T',
        DataType::Boolean => 'B',
        DataType::Date32 | DataType::Time64(_) | DataType::Timestamp(..) => 'D',
        _ => '?',
    }
}

impl Client for Heard {
    fn head(&mut self, head: &ResultHead) -> Result<(), ClientGone> {
        self.columns = Some(SchemaRef::clone(&head.columns));
        Ok(())
    }

    fn rows(&mut self, rows: &ResultRows) -> Result<(), ClientGone> {
        self.rows.extend((0..rows.rows.num_rows()).map(|row| line(&rows.rows, row)));
        Ok(())
    }

    fn done(&mut self, _: ResultId) -> Result<(), ClientGone> {
        Ok(())
    }

    fn notice(&mut self, notice: &Notice) {
        // `3 rows of this answer are missing: …`
        if let Notice::Data(text) = notice
            && text.contains("of this answer")
        {
            self.missing = text.split_whitespace().next().and_then(|count| count.parse().ok()).unwrap_or(0);
        }
    }
}

fn line(rows: &RecordBatch, row: usize) -> String {
    let cells: Vec<String> = rows.columns().iter().map(|column| cell(column, row)).collect();
    cells.join(" ")
}

fn cell(column: &ArrayRef, row: usize) -> String {
    if column.is_null(row) {
        return "NULL".to_owned();
    }
    let options = FormatOptions::new().with_null("NULL");
    match ArrayFormatter::try_new(column.as_ref(), &options) {
        Ok(formatter) => {
            Some(formatter.value(row).to_string()).filter(|t| !t.is_empty()).unwrap_or("(empty)".to_owned())
        }
        Err(error) => format!("<{error}>"),
    }
}
