//! The same queries, asked of DuckDB.
//!
//! The reference evaluator shares the binder with the engine, and a misunderstanding there would hide in both. DuckDB
//! shares nothing. Compared are answers over the final content of the relations; [`DIFFERENCES`] lists where the two
//! dialects mean different things.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use datafusion_common::ScalarValue;
use serde_json::{Value, json};

use crate::property::case::{Case, relations};
use crate::property::changes::RELATIONS;
use crate::property::query::Dialect;
use crate::reference::Values;
use crate::reference::aggregate::elements;

/// Where DuckDB says something else, and why ours stands: (a part of its error or of the query, reason).
pub const DIFFERENCES: &[(&str, &str)] = &[
    ("Out of Range", "overflow and division by zero end a query there, and only the row here"),
    ("Conversion Error", "a failing cast ends a query there, and only the row here"),
    ("AVG(", "AVG of DECIMAL is a DOUBLE there, a DECIMAL here"),
    ("STDDEV", "computed by a running update there, exactly here"),
    ("VAR_", "computed by a running update there, exactly here"),
];

/// A DuckDB that answers.
pub struct DuckDb {
    process: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl DuckDb {
    /// Starts it.
    ///
    /// # Panics
    /// If it was not installed: `make test` installs it.
    pub fn start() -> DuckDb {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = root.join("../.tools/venv/bin/python");
        let mut process = Command::new(&python)
            .arg(root.join("duckdb_answers.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("{} cannot be started ({e}): run `make tools` first", python.display()));
        let questions = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().expect("stdout is piped"));
        DuckDb { process, questions, answers }
    }

    /// The rows of the case's query over `tables` (by position in [`RELATIONS`]), each row as one text, sorted.
    ///
    /// # Errors
    /// What DuckDB says against the query.
    pub fn ask(&mut self, case: &Case, tables: &[Vec<Values>]) -> Result<Vec<String>, String> {
        let tables: Vec<Value> = relations(&case.query).into_iter().map(|at| table(at, &tables[at])).collect();
        let question = json!({ "tables": tables, "sql": case.query.sql(Dialect::DuckDb) });
        let stdin = self.questions.as_mut().expect("it takes questions until it is dropped");
        writeln!(stdin, "{question}").map_err(|e| e.to_string())?;
        let mut line = String::new();
        self.answers.read_line(&mut line).map_err(|e| e.to_string())?;
        let answer: Value = serde_json::from_str(&line).map_err(|e| format!("{e}: {line}"))?;
        if let Some(error) = answer["error"].as_str() {
            return Err(error.to_owned());
        }
        let rows = answer["rows"].as_array().ok_or("no rows")?;
        let mut rows: Vec<String> = rows.iter().map(Value::to_string).collect();
        rows.sort();
        Ok(rows)
    }
}

impl Drop for DuckDb {
    fn drop(&mut self) {
        // end of input ends it
        self.questions = None;
        drop(self.process.wait());
    }
}

fn table(at: usize, rows: &[Values]) -> Value {
    let shape = &RELATIONS[at];
    let columns: Vec<String> = shape.columns.iter().map(|(name, t)| format!("{name} {}", t.sql())).collect();
    let rows: Vec<Value> = rows.iter().map(|r| r[..shape.columns.len()].iter().map(plain).collect()).collect();
    json!({ "ddl": format!("CREATE TABLE {} ({})", shape.name, columns.join(", ")), "name": shape.name, "rows": rows })
}

/// A value as DuckDB takes it.
fn plain(value: &ScalarValue) -> Value {
    match value {
        ScalarValue::Int32(Some(x)) => json!(x),
        ScalarValue::Int64(Some(x)) => json!(x),
        ScalarValue::Boolean(Some(x)) => json!(x),
        ScalarValue::Float64(Some(x)) => json!(x),
        ScalarValue::Utf8(Some(x)) => json!(x),
        ScalarValue::Decimal128(Some(x), _, scale) => json!(decimal(*x, *scale)),
        _ => Value::Null,
    }
}

/// Our rows in the form of DuckDB's answers.
pub fn answer(rows: &[Values]) -> Vec<String> {
    let mut rows: Vec<String> =
        rows.iter().map(|r| Value::Array(r.iter().map(comparable).collect()).to_string()).collect();
    rows.sort();
    rows
}

fn comparable(value: &ScalarValue) -> Value {
    if value.is_null() {
        return Value::Null;
    }
    match value {
        ScalarValue::Boolean(Some(x)) => json!(x),
        ScalarValue::Int32(Some(x)) => json!(x.to_string()),
        ScalarValue::Int64(Some(x)) => json!(x.to_string()),
        ScalarValue::Float64(Some(x)) => json!(python_float(*x)),
        ScalarValue::Decimal128(Some(x), _, scale) => {
            let text = decimal(*x, *scale);
            json!(if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text })
        }
        ScalarValue::Utf8(Some(x)) => json!(x),
        ScalarValue::List(_) => Value::Array(elements(value).iter().map(comparable).collect()),
        other => json!(other.to_string()),
    }
}

/// All digits of a decimal.
fn decimal(unscaled: i128, scale: i8) -> String {
    let scale = scale.max(0) as usize;
    let digits = format!("{:0width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let sign = if unscaled < 0 { "-" } else { "" };
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// A double as Python's `repr` writes it.
fn python_float(x: f64) -> String {
    if x.is_nan() {
        return "nan".to_owned();
    }
    if x.is_infinite() {
        return if x > 0.0 { "inf".to_owned() } else { "-inf".to_owned() };
    }
    let (mantissa, exponent) = match format!("{x:e}").split_once('e') {
        Some((m, e)) => (m.to_owned(), e.parse::<i32>().unwrap_or(0)),
        None => return x.to_string(),
    };
    if (-4..16).contains(&exponent) {
        let text = format!("{x}");
        if text.contains('.') { text } else { format!("{text}.0") }
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{mantissa}e{sign}{:02}", exponent.abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_look_like_pythons() {
        assert_eq!(python_float(0.1), "0.1");
        assert_eq!(python_float(1e16), "1e+16");
        assert_eq!(python_float(5e-324), "5e-324");
        assert_eq!(python_float(-3.0), "-3.0");
        assert_eq!(python_float(1e-5), "1e-05");
        assert_eq!(decimal(-225, 2), "-2.25");
        assert_eq!(decimal(5, 2), "0.05");
    }
}
