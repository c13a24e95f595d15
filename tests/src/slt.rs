//! `.slt` files (sqllogictest): statements, queries and what they must answer, through a session.
//!
//! ```text
//! statement ok
//! INSERT INTO T VALUES (1, 'a')
//!
//! statement error 42P01
//! DROP TABLE NOWHERE
//!
//! # comments, and conditions on the record that follows: millrace, postgres, pull, maintained
//! skipif postgres
//! query IT rowsort missing=1
//! SELECT 6 / A, B FROM T
//! ----
//! 6 a
//! ```
//! Letters of a query: I integer, R DOUBLE or DECIMAL, T text, B boolean, D date or time, `?` another type; one a column.
//! `rowsort` sorts both sides by their text; without it the order counts, where the query has one. `missing=N`: so many
//! rows are errors. Values of a row stand between spaces, NULL is `NULL`, an empty text `(empty)`. `UPDATE_EXPECT=1` writes
//! the rows anew, as pull queries answer them.
//!
//! Every file runs in two ways ([`Way`]): each query pulled where it stands; and each query maintained as a materialized
//! view that was made while the relations were empty, with each statement in a tick of its own. What a query answers is
//! PostgreSQL's answer: `tests/postgres_answers.py` asks it.

mod parse;
mod session;

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use parse::{Body, Query, Record, parse};
use session::{Answer, Asked, Failed};

/// How queries of a file are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// As pull queries.
    Pull,
    /// As materialized views that see every change.
    Maintained,
}

/// How a file runs.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// How queries are asked.
    pub way: Way,
    /// `hash` or `differential`.
    pub state: &'static str,
    /// How many workers.
    pub workers: usize,
}

/// Runs a file and returns how many queries it has answered.
///
/// # Errors
/// All records that do not say what they should, or what is wrong with the file.
pub fn check(path: &Path, run: Run) -> Result<usize, String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let text = fs::read_to_string(path).map_err(|e| format!("{name}: {e}"))?;
    let records = parse(&text).map_err(|e| format!("{name}:{e}"))?;
    let mut runner = Runner::new(run)?;
    runner.records(&records);
    if run.way == Way::Pull && rewriting() {
        fs::write(path, rewritten(&text, &runner.said)).map_err(|e| e.to_string())?;
    }
    match runner.wrong.is_empty() {
        true => Ok(runner.answered),
        false => {
            let wrong: Vec<String> = runner.wrong.iter().map(|w| format!("{name}:{w}")).collect();
            Err(format!("{run:?}: {} wrong\n{}", wrong.len(), wrong.join("\n")))
        }
    }
}

fn rewriting() -> bool {
    std::env::var_os("UPDATE_EXPECT").is_some()
}

struct Runner {
    run: Run,
    asked: Asked,
    /// Names of the views that maintain queries.
    views: HashMap<String, String>,
    wrong: Vec<String>,
    answered: usize,
    /// Of each query, where its rows stand in the file, and the rows that it has.
    said: Vec<(Query, Answer)>,
}

impl Runner {
    fn new(run: Run) -> Result<Self, String> {
        let asked = Asked::new(run.state, run.workers)?;
        Ok(Runner { run, asked, views: HashMap::new(), wrong: vec![], answered: 0, said: vec![] })
    }

    fn records(&mut self, records: &[Record]) {
        let (mut declared, way) = (false, self.way());
        for record in records.iter().filter(|record| record.holds("millrace") && record.holds(way)) {
            let moves_rows = !record.sql.trim_start().to_uppercase().starts_with("CREATE");
            if self.run.way == Way::Maintained && !declared && moves_rows {
                declared = true;
                self.views(records);
            }
            if let Err(why) = self.record(record) {
                self.wrong.push(format!("{}: {}\n{why}", record.line, record.sql));
            }
        }
    }

    fn way(&self) -> &'static str {
        match self.run.way {
            Way::Pull => "pull",
            Way::Maintained => "maintained",
        }
    }

    /// Makes views of all queries that can be had yet.
    fn views(&mut self, records: &[Record]) {
        for record in records.iter().filter(|r| r.holds("millrace") && r.holds("maintained")) {
            if let Body::Query(_) = record.body {
                // what reads a relation that comes later is tried again where it stands
                let _ = self.view(&record.sql);
            }
        }
    }

    fn view(&mut self, sql: &str) -> Result<String, Failed> {
        if let Some(name) = self.views.get(sql) {
            return Ok(name.clone());
        }
        let name = format!("MAINTAINED_{}", self.views.len() + 1);
        self.asked.statement(&format!("CREATE MATERIALIZED VIEW {name} AS {sql}"))?;
        self.views.insert(sql.to_owned(), name.clone());
        Ok(name)
    }

    fn record(&mut self, record: &Record) -> Result<(), String> {
        match &record.body {
            Body::Statement => {
                self.asked.statement(&record.sql).map_err(|e| e.text)?;
                match self.run.way {
                    Way::Pull => Ok(()),
                    Way::Maintained => self.asked.tick(),
                }
            }
            Body::Fails(sqlstate) => match self.asked.statement(&record.sql) {
                Ok(_) => Err(format!("succeeds; {sqlstate} was expected")),
                Err(failed) if failed.sqlstate == *sqlstate => Ok(()),
                Err(failed) => Err(format!("fails with another error than {sqlstate}:\n{}", failed.text)),
            },
            Body::Query(query) => {
                let answer = match self.run.way {
                    Way::Pull => self.asked.query(&record.sql),
                    Way::Maintained => self.view(&record.sql).and_then(|view| self.asked.view(&view)),
                };
                self.answered += 1;
                let answer = answer.map_err(|e| e.text)?;
                let verdict = if rewriting() { Ok(()) } else { self.compare(query, &answer) };
                self.said.push((query.clone(), answer));
                verdict
            }
        }
    }

    fn compare(&self, query: &Query, answer: &Answer) -> Result<(), String> {
        if query.types != answer.types {
            return Err(format!("the columns are {}, {} was expected", answer.types, query.types));
        }
        if query.missing != answer.missing {
            return Err(format!("{} rows are errors, {} were expected", answer.missing, query.missing));
        }
        let (mut expected, mut said) = (query.rows.clone(), answer.rows.clone());
        // a view has no order
        if query.rowsort || self.run.way == Way::Maintained {
            expected.sort();
            said.sort();
        }
        match expected == said {
            true => Ok(()),
            false => Err(format!("--- expected\n{}\n--- said\n{}", expected.join("\n"), said.join("\n"))),
        }
    }
}

/// The file with the rows that were said.
fn rewritten(text: &str, said: &[(Query, Answer)]) -> String {
    let mut lines: Vec<String> = vec![];
    let mut next = 0;
    let old: Vec<&str> = text.lines().collect();
    for (query, answer) in said {
        lines.extend(old[next..query.head_line - 1].iter().map(|l| (*l).to_owned()));
        let sort = if query.rowsort { " rowsort" } else { "" };
        let missing = if answer.missing > 0 { format!(" missing={}", answer.missing) } else { String::new() };
        lines.push(format!("query {}{sort}{missing}", answer.types));
        lines.extend(old[query.head_line..query.rows_line].iter().map(|l| (*l).to_owned()));
        let mut rows = answer.rows.clone();
        if query.rowsort {
            rows.sort();
        }
        lines.extend(rows);
        next = query.rows_line + query.rows.len();
    }
    lines.extend(old[next..].iter().map(|l| (*l).to_owned()));
    lines.join("\n") + "\n"
}
