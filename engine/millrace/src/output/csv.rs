//! A header line, then RFC 4180. NULL is nothing, the empty text is `""`.
//!
//! Changes have `tick` and `diff`, or `tick` and `op`, as first columns; columns of the key that the query did not select
//! come behind `op`, so that a delete says what it deletes.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray, UInt32Array};
use arrow::compute::take;
use millrace_format::{DelimitedEncoder, DelimitedOptions, TimeForm};
use millrace_session::{Changes, Form, ResultHead, ResultRows};

use super::Writer;

/// See the module.
pub(super) struct Csv {
    encoder: Result<DelimitedEncoder, String>,
    /// Columns of the key that are not among the result's.
    hidden: Vec<usize>,
}

impl Csv {
    pub(super) fn new(head: &ResultHead) -> Self {
        let hidden = hidden_key(head);
        let mut names: Vec<&str> = match &head.form {
            Form::Answer | Form::Text => vec![],
            Form::Diff { .. } => vec!["tick", "diff"],
            Form::Upsert { .. } => vec!["tick", "op"],
        };
        if let Form::Upsert { key } = &head.form {
            names.extend(hidden.iter().map(|c| key.field(*c).name().as_str()));
        }
        names.extend(head.columns.fields().iter().map(|field| field.name().as_str()));
        let encoder = DelimitedEncoder::new(names, DelimitedOptions::default(), TimeForm::Text);
        Csv { encoder: encoder.map_err(|error| error.to_string()), hidden }
    }
}

impl Writer for Csv {
    fn head(&mut self, _: Option<&ResultRows>, out: &mut Vec<u8>) -> Result<(), String> {
        self.encoder.as_ref().map(|encoder| encoder.write_header(out)).map_err(Clone::clone)
    }

    fn rows(&mut self, rows: &ResultRows, out: &mut Vec<u8>) -> Result<(), String> {
        let n = rows.rows.num_rows();
        let tick = || Arc::new(Int64Array::from(vec![rows.tick as i64; n])) as ArrayRef;
        let mut columns: Vec<ArrayRef> = match &rows.changes {
            Changes::Rows => vec![],
            Changes::Diffs(diffs) => vec![tick(), Arc::new(Int64Array::from(diffs.clone()))],
            Changes::Upserts { deletes, .. } => vec![tick(), operations(deletes)],
        };
        if let Changes::Upserts { key, .. } = &rows.changes {
            columns.extend(self.hidden.iter().map(|c| Arc::clone(key.column(*c))));
        }
        columns.extend(rows.rows.columns().iter().cloned());
        with_keys(rows, &mut columns)?;
        let encoder = self.encoder.as_ref().map_err(Clone::clone)?;
        encoder.encode(&columns, out).map_err(|error| error.to_string())
    }

    fn end(&mut self, _: &mut Vec<u8>) {}
}

/// Positions in the key of the columns that the result does not have.
pub(super) fn hidden_key(head: &ResultHead) -> Vec<usize> {
    let Form::Upsert { key } = &head.form else { return vec![] };
    let shown = |name: &str| head.columns.fields().iter().any(|field| field.name() == name);
    (0..key.fields().len()).filter(|c| !shown(key.field(*c).name())).collect()
}

/// `u` or `d` for each row.
pub(super) fn operations(deletes: &[bool]) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(deletes.iter().map(|delete| if *delete { "d" } else { "u" })))
}

/// A delete has no values but its key's: these are shown where the result has their columns.
pub(super) fn with_keys(rows: &ResultRows, columns: &mut [ArrayRef]) -> Result<(), String> {
    let Changes::Upserts { key, deletes } = &rows.changes else { return Ok(()) };
    if !deletes.contains(&true) {
        return Ok(());
    }
    let first = columns.len() - rows.rows.num_columns();
    let all: UInt32Array = (0..rows.rows.num_rows() as u32).collect();
    for (c, field) in rows.rows.schema().fields().iter().enumerate() {
        if let Some(at) = key.schema().fields().iter().position(|k| k.name() == field.name()) {
            // an upsert's key is its row's: the whole column may be the key's
            columns[first + c] = take(key.column(at), &all, None).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}
