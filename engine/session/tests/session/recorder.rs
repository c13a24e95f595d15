//! A client that writes down what it is told, as lines of text.
//!
//! ```text
//! 3> A BIGINT, B VARCHAR        head of the result of statement 3
//! 3: 1 x                        a row of an answer
//! 3@7 +(1, x)                   an insertion at tick 7; -(…) a retraction
//! 3@7 u (a) → (a, 50)           an upsert at tick 7; d (a) a delete
//! 3.                            the end
//! ! note                        a notice
//! ```

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use millrace_planner::eval::types::type_name;
use millrace_session::{
    Changes, Client, ClientGone, Notice, Options, Origin, Program, ResultHead, ResultId, ResultRows, Script, Session,
    Settings,
};
use millrace_world::SimulatedWorld;

/// See the module.
#[derive(Default)]
pub(crate) struct Recorder {
    pub(crate) lines: Vec<String>,
    statements: std::collections::BTreeMap<ResultId, usize>,
    /// After so many calls nobody reads any more.
    pub(crate) gone_after: Option<usize>,
}

impl Recorder {
    fn write(&mut self, line: String) -> Result<(), ClientGone> {
        if self.gone_after.is_some_and(|calls| self.lines.len() >= calls) {
            return Err(ClientGone);
        }
        self.lines.push(line);
        Ok(())
    }

    /// The lines without heads, ends and notices.
    pub(crate) fn rows(&self) -> Vec<&str> {
        let is_row = |line: &&str| !line.starts_with('!') && !line.ends_with('.') && !line.contains("> ");
        self.lines.iter().map(String::as_str).filter(is_row).collect()
    }

    /// The notices.
    pub(crate) fn notices(&self) -> Vec<&str> {
        self.lines.iter().filter_map(|line| line.strip_prefix("! ")).collect()
    }

    pub(crate) fn text(&self) -> String {
        self.lines.iter().map(|line| format!("{line}\n")).collect()
    }
}

impl Client for Recorder {
    fn head(&mut self, head: &ResultHead) -> Result<(), ClientGone> {
        self.statements.insert(head.id, head.statement);
        let fields = head.columns.fields().iter();
        let columns: Vec<String> = fields.map(|f| format!("{} {}", f.name(), type_name(f.data_type()))).collect();
        self.write(format!("{}> {}", head.statement, columns.join(", ")))
    }

    fn rows(&mut self, rows: &ResultRows) -> Result<(), ClientGone> {
        let n = self.statements[&rows.id];
        let tick = rows.tick;
        for row in 0..rows.rows.num_rows() {
            let values = values(&rows.rows, row);
            let line = match &rows.changes {
                Changes::Rows => format!("{n}: {}", values.join(" ")),
                Changes::Diffs(diffs) => {
                    let sign = match diffs[row] {
                        1 => "+".to_owned(),
                        -1 => "-".to_owned(),
                        diff => format!("{diff:+}"),
                    };
                    format!("{n}@{tick} {sign}({})", values.join(", "))
                }
                Changes::Upserts { key, deletes } => {
                    let key = self::values(key, row).join(", ");
                    match deletes[row] {
                        true => format!("{n}@{tick} d ({key})"),
                        false => format!("{n}@{tick} u ({key}) → ({})", values.join(", ")),
                    }
                }
            };
            self.write(line)?;
        }
        Ok(())
    }

    fn done(&mut self, result: ResultId) -> Result<(), ClientGone> {
        let line = format!("{}.", self.statements[&result]);
        self.write(line)
    }

    fn notice(&mut self, notice: &Notice) {
        self.lines.push(match notice {
            Notice::Statement { statement, warning } => format!("! {statement} {}", warning.message),
            Notice::Done { statement, message } => format!("! {statement} {message}"),
            Notice::Data(message) => format!("! {message}"),
        });
    }
}

fn values(rows: &RecordBatch, row: usize) -> Vec<String> {
    let options = FormatOptions::new().with_null("NULL");
    let value = |column: &arrow::array::ArrayRef| {
        let formatter = ArrayFormatter::try_new(column.as_ref(), &options).expect("a type of SQL");
        formatter.value(row).to_string()
    };
    rows.columns().iter().map(value).collect()
}

/// What a program brought about.
pub(crate) struct Run {
    pub(crate) recorder: Recorder,
    /// The error that ended it, as a person reads it.
    pub(crate) error: Option<String>,
    pub(crate) world: SimulatedWorld,
}

impl Run {
    /// The lines of a program that ends well.
    #[track_caller]
    pub(crate) fn text(&self) -> String {
        assert_eq!(self.error, None, "{}", self.recorder.text());
        self.recorder.text()
    }
    /// The rows of a program that ends well.
    #[track_caller]
    pub(crate) fn rows(&self) -> Vec<&str> {
        assert_eq!(self.error, None, "{}", self.recorder.text());
        self.recorder.rows()
    }
    /// The error of one that does not.
    #[track_caller]
    pub(crate) fn error(&self) -> &str {
        self.error.as_deref().unwrap_or_else(|| panic!("no error: {}", self.recorder.text()))
    }
}

/// Runs a program in an empty world.
pub(crate) fn run(sql: &str) -> Run {
    run_with(&[], &[], sql)
}

/// Runs a program in a world with these files.
pub(crate) fn run_over(files: &[(&str, &str)], sql: &str) -> Run {
    run_with(&[], files, sql)
}

/// Runs a program with settings in a world with files.
pub(crate) fn run_with(settings: &[(&str, &str)], files: &[(&str, &str)], sql: &str) -> Run {
    let world = SimulatedWorld::new(0);
    for (path, text) in files {
        world.files().write(path, text.as_bytes());
    }
    let mut recorder = Recorder::default();
    let program = program(sql);
    let mut session = Session::new(options(settings), world.world().clone()).expect("a session");
    let done = session.run(&program, &mut recorder);
    let error = done.err().map(|error| program.render(&error));
    Run { recorder, error, world }
}

/// The statements of one text.
pub(crate) fn program(sql: &str) -> Program {
    Program::parse(vec![Script { name: "test.sql".to_owned(), text: sql.to_owned() }])
}

/// Options with these settings; one worker unless they say otherwise.
pub(crate) fn options(settings: &[(&str, &str)]) -> Options {
    let mut values = Settings::default();
    values.set("millrace.workers", Some("1"), Origin::Flag).expect("a setting");
    for (name, value) in settings {
        values.set(name, Some(value), Origin::Flag).expect("a setting");
    }
    Options { settings: values, ..Options::default() }
}
