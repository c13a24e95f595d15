//! One JSON object a line.
//!
//! An answer's row is the object itself; a change has its tick and its diff, or its operation and key, beside it. Where a
//! program has more than one result, a line with the statement's number and the columns comes before the rows of each.

use std::io::Write;

use arrow::datatypes::SchemaRef;
use millrace_format::{JsonEncoder, TimeForm};
use millrace_planner::eval::types::type_name;
use millrace_session::{Changes, Form, ResultHead, ResultRows};

use super::Writer;

/// See the module.
pub(super) struct Json {
    rows: JsonEncoder,
    key: Option<JsonEncoder>,
    label: Option<Vec<u8>>,
}

impl Json {
    pub(super) fn new(head: &ResultHead, labelled: bool) -> Self {
        let key = match &head.form {
            Form::Upsert { key } => Some(encoder(key)),
            _ => None,
        };
        Json { rows: encoder(&head.columns), key, label: labelled.then(|| label(head)) }
    }
}

impl Writer for Json {
    fn head(&mut self, _: Option<&ResultRows>, out: &mut Vec<u8>) -> Result<(), String> {
        out.extend_from_slice(self.label.as_deref().unwrap_or_default());
        Ok(())
    }

    fn rows(&mut self, rows: &ResultRows, out: &mut Vec<u8>) -> Result<(), String> {
        let encoded = self.rows.rows(rows.rows.columns()).map_err(|error| error.to_string())?;
        let keys = match (&self.key, &rows.changes) {
            (Some(encoder), Changes::Upserts { key, .. }) => {
                Some(encoder.rows(key.columns()).map_err(|error| error.to_string())?)
            }
            _ => None,
        };
        for row in 0..rows.rows.num_rows() {
            match &rows.changes {
                Changes::Rows => encoded.write(row, out),
                Changes::Diffs(diffs) => {
                    // writing into memory does not fail
                    let _ = write!(out, "{{\"tick\":{},\"diff\":{},\"row\":", rows.tick, diffs[row]);
                    encoded.write(row, out);
                    out.push(b'}');
                }
                Changes::Upserts { deletes, .. } => {
                    let op = if deletes[row] { 'd' } else { 'u' };
                    let _ = write!(out, "{{\"tick\":{},\"op\":\"{op}\",\"key\":", rows.tick);
                    if let Some(keys) = &keys {
                        keys.write(row, out);
                    }
                    if !deletes[row] {
                        out.extend_from_slice(b",\"row\":");
                        encoded.write(row, out);
                    }
                    out.push(b'}');
                }
            }
            out.push(b'\n');
        }
        Ok(())
    }

    fn end(&mut self, _: &mut Vec<u8>) {}
}

fn encoder(columns: &SchemaRef) -> JsonEncoder {
    JsonEncoder::new(columns.fields().iter().map(|field| field.name().as_str()), TimeForm::Text)
}

/// `{"statement":3,"columns":[{"name":"A","type":"BIGINT"}]}`
fn label(head: &ResultHead) -> Vec<u8> {
    let mut out = format!("{{\"statement\":{},\"columns\":[", head.statement).into_bytes();
    for (i, field) in head.columns.fields().iter().enumerate() {
        out.extend_from_slice(if i == 0 { b"{\"name\":" } else { b",{\"name\":" });
        quoted(field.name(), &mut out);
        out.extend_from_slice(b",\"type\":");
        quoted(&type_name(field.data_type()), &mut out);
        out.push(b'}');
    }
    out.extend_from_slice(b"]}\n");
    out
}

fn quoted(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                let _ = write!(out, "\\{c}");
            }
            c if (c as u32) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => {
                let _ = write!(out, "{c}");
            }
        }
    }
    out.push(b'"');
}
