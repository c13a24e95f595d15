//! Aligned columns with names and types in the head.
//!
//! ```text
//!  ACCOUNT | BALANCE
//!  VARCHAR |  BIGINT
//! ---------+---------
//!  anna    |      75
//! (1 row)
//! ```
//! Numbers stand to the right. NULL is written out, so that it is not the empty text. A result whose rows can go has a
//! first column `±`; one of upserts, `op`. On a terminal wide values are cut; in a pipe never. Columns grow while changes
//! come, they never shrink.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use millrace_format::Cells;
use millrace_planner::eval::types::type_name;
use millrace_session::{Changes, Form, ResultHead, ResultRows};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::Writer;
use super::csv::{hidden_key, operations, with_keys};

/// Narrowest that a column is cut to.
const CUT_WIDTH_MIN: usize = 8;

/// See the module.
pub(super) struct Table {
    columns: Vec<Column>,
    /// Columns before those of the result: the sign or the operation, the hidden key.
    marks: Marks,
    hidden: Vec<usize>,
    /// Columns of the terminal.
    terminal: Option<usize>,
    /// An answer, which is counted at its end.
    counted: bool,
    rows: u64,
    plain: bool,
}

struct Column {
    name: String,
    type_name: String,
    to_the_right: bool,
    width: usize,
    width_max: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Marks {
    None,
    Sign,
    Operation,
}

impl Table {
    pub(super) fn new(head: &ResultHead, terminal: Option<usize>) -> Self {
        let marks = match &head.form {
            Form::Diff { retracts: true } => Marks::Sign,
            Form::Upsert { .. } => Marks::Operation,
            _ => Marks::None,
        };
        let hidden = hidden_key(head);
        let mut columns = vec![];
        match marks {
            Marks::None => {}
            Marks::Sign => columns.push(Column::new("±", None)),
            Marks::Operation => columns.push(Column::new("op", None)),
        }
        if let Form::Upsert { key } = &head.form {
            let hidden = hidden.iter().map(|c| key.field(*c));
            columns.extend(hidden.map(|field| Column::new(field.name(), Some(field.data_type()))));
        }
        let shown = head.columns.fields().iter();
        columns.extend(shown.map(|field| Column::new(field.name(), Some(field.data_type()))));
        Table {
            columns,
            marks,
            hidden,
            terminal,
            counted: head.form == Form::Answer,
            rows: 0,
            plain: head.form == Form::Text,
        }
    }

    /// The cells of rows, row by row.
    fn cells(&self, rows: &ResultRows) -> Result<Vec<Vec<String>>, String> {
        let mut arrays: Vec<ArrayRef> = vec![];
        if let Changes::Upserts { key, deletes } = &rows.changes {
            arrays.push(operations(deletes));
            arrays.extend(self.hidden.iter().map(|c| Arc::clone(key.column(*c))));
        }
        arrays.extend(rows.rows.columns().iter().cloned());
        with_keys(rows, &mut arrays)?;
        let first = usize::from(self.marks == Marks::Sign);
        let named = arrays.iter().zip(&self.columns[first..]);
        let cells = named.map(|(array, column)| Cells::new(&column.name, array).map_err(|error| error.to_string()));
        let cells: Vec<Cells<'_>> = cells.collect::<Result<_, _>>()?;
        let mut lines = vec![];
        let mut bytes = vec![];
        for row in 0..rows.rows.num_rows() {
            let texts = cells.iter().map(|cells| {
                bytes.clear();
                if cells.write(row, &mut bytes) {
                    one_line(&String::from_utf8_lossy(&bytes))
                } else {
                    "NULL".to_owned()
                }
            });
            let diff = match &rows.changes {
                Changes::Diffs(diffs) => diffs[row],
                _ => 1,
            };
            match self.marks {
                Marks::Sign => lines.push(std::iter::once(sign(diff)).chain(texts).collect()),
                _ => {
                    let line: Vec<String> = texts.collect();
                    // rows that never go stand as often as they are there
                    lines.extend(std::iter::repeat_n(line, diff.max(1) as usize));
                }
            }
        }
        Ok(lines)
    }

    fn widen(&mut self, lines: &[Vec<String>]) {
        for line in lines {
            for (column, cell) in self.columns.iter_mut().zip(line) {
                column.width = column.width.max(cell.width());
            }
        }
        let Some(terminal) = self.terminal else { return };
        // the widest give way first
        let spare = terminal.saturating_sub(3 * self.columns.len());
        while self.columns.iter().map(|c| c.width).sum::<usize>() > spare {
            let widest = self.columns.iter_mut().max_by_key(|column| column.width);
            let Some(widest) = widest.filter(|column| column.width > CUT_WIDTH_MIN) else { return };
            widest.width -= 1;
            widest.width_max = Some(widest.width);
        }
    }

    fn line(&self, cells: &[&str], out: &mut Vec<u8>) {
        let mut line = String::new();
        for (i, (column, cell)) in self.columns.iter().zip(cells).enumerate() {
            line.push_str(if i == 0 { " " } else { " | " });
            let cell = cut(cell, column.width_max);
            let pad = " ".repeat(column.width.saturating_sub(cell.width()));
            match column.to_the_right {
                true => line.extend([pad.as_str(), &cell]),
                false => line.extend([cell.as_str(), &pad]),
            }
        }
        out.extend_from_slice(line.trim_end().as_bytes());
        out.push(b'\n');
    }
}

impl Writer for Table {
    fn head(&mut self, rows: Option<&ResultRows>, out: &mut Vec<u8>) -> Result<(), String> {
        if self.plain {
            return Ok(());
        }
        let lines = rows.map(|rows| self.cells(rows)).transpose()?.unwrap_or_default();
        self.widen(&lines);
        let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        let types: Vec<&str> = self.columns.iter().map(|column| column.type_name.as_str()).collect();
        self.line(&names, out);
        self.line(&types, out);
        let rules = self.columns.iter().map(|column| "-".repeat(column.width + 2));
        out.extend_from_slice(rules.collect::<Vec<_>>().join("+").as_bytes());
        out.push(b'\n');
        Ok(())
    }

    fn rows(&mut self, rows: &ResultRows, out: &mut Vec<u8>) -> Result<(), String> {
        let lines = self.cells(rows)?;
        if self.plain {
            for line in lines.iter().flatten() {
                out.extend_from_slice(line.as_bytes());
                out.push(b'\n');
            }
            return Ok(());
        }
        self.widen(&lines);
        self.rows += lines.len() as u64;
        for line in &lines {
            self.line(&line.iter().map(String::as_str).collect::<Vec<_>>(), out);
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        if self.counted {
            let rows = if self.rows == 1 { "row" } else { "rows" };
            out.extend_from_slice(format!("({} {rows})\n", self.rows).as_bytes());
        }
    }
}

impl Column {
    fn new(name: &str, data_type: Option<&DataType>) -> Self {
        let name = one_line(name);
        let type_name = data_type.map(type_name).unwrap_or_default();
        let width = name.width().max(type_name.width());
        let to_the_right = data_type.is_some_and(|t| t.is_numeric());
        Column { name, type_name, to_the_right, width, width_max: None }
    }
}

/// `+`, `-`, `+2`.
fn sign(diff: i64) -> String {
    match diff {
        1 => "+".to_owned(),
        -1 => "-".to_owned(),
        diff => format!("{diff:+}"),
    }
}

/// The text without what would break the line or move the cursor.
fn one_line(text: &str) -> String {
    if !text.chars().any(char::is_control) {
        return text.to_owned();
    }
    text.chars().map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() }).collect()
}

fn cut(text: &str, width_max: Option<usize>) -> String {
    let Some(width_max) = width_max.filter(|max| text.width() > *max) else { return text.to_owned() };
    let mut width = 0;
    let kept = text.chars().take_while(|c| {
        width += c.width().unwrap_or(0);
        width < width_max
    });
    kept.chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_values_fit() {
        assert_eq!(cut("abcdef", Some(4)), "abc…");
        assert_eq!(cut("abcd", Some(4)), "abcd");
        assert_eq!(cut("日本語日本語", Some(6)), "日本…");
        assert_eq!(cut("abcdef", None), "abcdef");
        assert_eq!(one_line("a\nb\u{1b}"), "a\\nb\\u{1b}");
    }
}
