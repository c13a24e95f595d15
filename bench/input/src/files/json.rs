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
    columns: Vec<(String, SqlType)>,
    line: Vec<u8>,
}

impl JsonFile {
    /// # Errors
    /// If the file cannot be made.
    pub(super) fn create(path: &Path, table: &Table) -> Result<Self, String> {
        let file = File::create(path).map_err(|e| format!("{}: {e}", path.display()))?;
        let columns = table.columns.iter().map(|c| (format!("\"{}\":", c.name), c.sql_type)).collect();
        Ok(JsonFile { path: path.display().to_string(), out: BufWriter::new(file), columns, line: vec![] })
    }

    /// # Errors
    /// If the file cannot be written.
    pub(super) fn write(&mut self, ops: Option<&[char]>, rows: &Batch) -> Result<(), String> {
        for i in 0..rows.len() {
            self.line.clear();
            let written = line(&mut self.line, &self.columns, ops.map(|ops| ops[i]), rows, i);
            let written = written.and_then(|()| self.out.write_all(&self.line));
            written.map_err(|e| format!("{}: {e}", self.path))?;
        }
        Ok(())
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
