//! JSON lines, without a blank that is not needed.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type};
use millrace_data::Batch;

use crate::table::{SqlType, Table};

/// A file being written.
pub(super) struct JsonFile {
    path: String,
    out: BufWriter<File>,
    lines: JsonLines,
    text: Vec<u8>,
}

/// How records of a table are written.
pub(super) struct JsonLines {
    /// Names as they stand in a line, and types.
    columns: Vec<(String, SqlType)>,
}

impl JsonLines {
    pub(super) fn new(table: &Table) -> Self {
        JsonLines { columns: table.columns.iter().map(|c| (format!("\"{}\":", c.name), c.sql_type)).collect() }
    }

    /// Puts the records of a batch behind what is there.
    pub(super) fn append(&self, ops: Option<&[char]>, rows: &Batch, out: &mut Vec<u8>) -> std::io::Result<()> {
        (0..rows.len()).try_for_each(|i| line(out, &self.columns, ops.map(|ops| ops[i]), rows, i))
    }
}

impl JsonFile {
    /// # Errors
    /// If the file cannot be made.
    pub(super) fn create(path: &Path, table: &Table) -> Result<Self, String> {
        let file = File::create(path).map_err(|e| format!("{}: {e}", path.display()))?;
        let (out, lines) = (BufWriter::new(file), JsonLines::new(table));
        Ok(JsonFile { path: path.display().to_string(), out, lines, text: vec![] })
    }

    /// # Errors
    /// If the file cannot be written.
    pub(super) fn write(&mut self, ops: Option<&[char]>, rows: &Batch) -> Result<(), String> {
        self.text.clear();
        let written = self.lines.append(ops, rows, &mut self.text);
        written.and_then(|()| self.out.write_all(&self.text)).map_err(|e| format!("{}: {e}", self.path))
    }

    /// # Errors
    /// If the file cannot be written.
    pub(super) fn finish(mut self) -> Result<(), String> {
        self.out.flush().map_err(|e| format!("{}: {e}", self.path))
    }
}

fn line(
    out: &mut Vec<u8>,
    columns: &[(String, SqlType)],
    op: Option<char>,
    rows: &Batch,
    i: usize,
) -> std::io::Result<()> {
    out.push(b'{');
    if let Some(op) = op {
        write!(out, "\"op\":\"{op}\",")?;
    }
    for (c, (name, sql_type)) in columns.iter().enumerate() {
        if c > 0 {
            out.push(b',');
        }
        out.extend_from_slice(name.as_bytes());
        let column = rows.column(c);
        if column.is_null(i) {
            out.extend_from_slice(b"null");
        } else {
            value(out, column, *sql_type, i)?;
        }
    }
    out.extend_from_slice(b"}\n");
    Ok(())
}

fn value(out: &mut Vec<u8>, column: &ArrayRef, sql_type: SqlType, i: usize) -> std::io::Result<()> {
    match sql_type {
        SqlType::BigInt => write!(out, "{}", column.as_primitive::<Int64Type>().value(i)),
        SqlType::Int => write!(out, "{}", column.as_primitive::<Int32Type>().value(i)),
        SqlType::Varchar => Ok(serde_json::to_writer(out, column.as_string::<i32>().value(i))?),
        SqlType::Decimal(_, scale) => {
            let x = column.as_primitive::<Decimal128Type>().value(i);
            let (sign, x, one) =
                (if x < 0 { "-" } else { "" }, x.unsigned_abs(), 10u128.pow(scale.unsigned_abs().into()));
            match scale {
                0 => write!(out, "{sign}{x}"),
                _ => write!(out, "{sign}{}.{:0width$}", x / one, x % one, width = scale.unsigned_abs().into()),
            }
        }
        SqlType::Date => {
            let day = column.as_primitive::<Date32Type>().value_as_date(i);
            day.map_or(Ok(()), |day| write!(out, "\"{day}\""))
        }
        SqlType::Double => Ok(serde_json::to_writer(out, &column.as_primitive::<Float64Type>().value(i))?),
    }
}
