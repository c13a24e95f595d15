//! From delimited records to columns.

use std::sync::Arc;

use arrow::datatypes::DataType;

use crate::column::{Column, Data};
use crate::delimited::DelimitedOptions;
use crate::delimited::fields::{Field, Fields};
use crate::error::{DecodeError, FormatError, Reason};
use crate::json::cursor::Cursor;
use crate::json::value::push_value;
use crate::limits::RECORD_BYTES_MAX;
use crate::number::parse_plain;
use crate::records::Records;
use crate::text::push_text;
use crate::{Decoded, Decoder, RecordSpec};

/// Decodes blocks of delimited records. With a header, fields are found by name, exactly or else case-insensitively,
/// and fields that are no column are passed over; without one, fields are the declared columns in order.
#[derive(Debug)]
pub struct DelimitedDecoder {
    spec: RecordSpec,
    options: DelimitedOptions,
    columns: Vec<Column>,
    /// Columns of the output: position in `columns`, type.
    outputs: Vec<(usize, DataType)>,
    names: Vec<Arc<str>>,
    /// The column of each field of a record; `None` until the header was read.
    layout: Option<Vec<Option<usize>>>,
    scratch: Vec<u8>,
    /// Room for a field that is JSON.
    json: Vec<u8>,
}

impl DelimitedDecoder {
    /// A decoder for the declared columns, at the beginning of an input.
    ///
    /// # Errors
    /// If a column has a type that is not read from text, if an extra field is asked for where there is no header, or if
    /// the delimiter cannot be one.
    pub fn new(spec: RecordSpec, options: DelimitedOptions) -> Result<Self, FormatError> {
        options.check()?;
        if let (Some(field), false) = (&spec.extra, options.header) {
            return Err(FormatError::NoHeader { field: field.clone() });
        }
        let outputs = spec.outputs()?;
        let columns = spec.make_columns("DELIMITED")?;
        let names = spec.all().map(|c| Arc::from(c.name)).collect();
        let mut decoder = DelimitedDecoder {
            spec,
            options,
            columns,
            outputs,
            names,
            layout: None,
            scratch: Vec::new(),
            json: Vec::new(),
        };
        decoder.begin_input();
        Ok(decoder)
    }

    /// Finds the columns in the header.
    fn read_header(&mut self, header: &[u8]) -> Result<(), FormatError> {
        let names = header_names(header, self.options.delimiter).map_err(FormatError::Header)?;
        let mut layout = vec![None; names.len()];
        for (c, column) in self.names.iter().enumerate() {
            let exact = names.iter().filter(|name| **name == **column).count();
            let lower = column.to_lowercase();
            let same = |name: &String| if exact > 0 { **name == **column } else { name.to_lowercase() == lower };
            let mut found = names.iter().enumerate().filter(|(_, name)| same(name));
            let Some((field, _)) = found.next() else {
                return Err(FormatError::MissingColumn { column: column.to_string(), present: names.join(", ") });
            };
            if found.next().is_some() || layout[field].is_some() {
                return Err(FormatError::AmbiguousColumn { column: column.to_string() });
            }
            layout[field] = Some(c);
        }
        self.layout = Some(layout);
        Ok(())
    }

    fn finish(&mut self) -> Result<Vec<arrow::array::ArrayRef>, FormatError> {
        let columns = &mut self.columns;
        let mut out: Vec<arrow::array::ArrayRef> = Vec::with_capacity(self.outputs.len());
        for (i, (c, data_type)) in self.outputs.iter().enumerate() {
            match self.outputs[..i].iter().position(|(earlier, _)| earlier == c) {
                Some(earlier) => out.push(Arc::clone(&out[earlier])),
                None => out.push(columns[*c].finish(data_type)?),
            }
        }
        columns.iter_mut().for_each(|column| column.truncate(0));
        Ok(out)
    }
}

/// The names in a header line, without spaces around them.
///
/// # Errors
/// If it is broken or not UTF-8.
pub(crate) fn header_names(header: &[u8], delimiter: u8) -> Result<Vec<String>, Reason> {
    if header.len() > RECORD_BYTES_MAX {
        return Err(Reason::TooLong);
    }
    let mut scratch = Vec::new();
    let mut fields = Fields::new(header, 0, header.len(), delimiter, &mut scratch);
    let mut names = Vec::new();
    while let Some(field) = fields.next()? {
        let name = std::str::from_utf8(fields.value(field)).map_err(|_| Reason::BadUtf8)?;
        names.push(name.trim().to_owned());
    }
    Ok(names)
}

/// Reads a record; on failure says at which field's column.
fn push_record(
    columns: &mut [Column],
    layout: &[Option<usize>],
    fields: &mut Fields<'_>,
    json: &mut Vec<u8>,
) -> Result<(), (Reason, Option<usize>)> {
    for (i, slot) in layout.iter().enumerate() {
        let Some(field) = fields.next().map_err(|reason| (reason, *slot))? else {
            return Err((Reason::FieldCount { expected: layout.len() as u32, found: i as u32 }, None));
        };
        if let Some(c) = *slot {
            push_field(&mut columns[c], fields, field, json).map_err(|reason| (reason, Some(c)))?;
        }
    }
    match fields.next().map_err(|reason| (reason, None))? {
        None => Ok(()),
        Some(_) => {
            let found = layout.len() as u32 + 1 + fields.count_rest();
            Err((Reason::FieldCount { expected: layout.len() as u32, found }, None))
        }
    }
}

#[inline]
fn push_field(column: &mut Column, fields: &Fields<'_>, field: Field, json: &mut Vec<u8>) -> Result<(), Reason> {
    let plain = || if field.escaped { None } else { parse_plain(fields.bytes, field.start, field.end) };
    match &mut column.data {
        Data::Int64(values) if let Some(value) = plain() => {
            values.push(value);
            return Ok(());
        }
        Data::Int32(values) if let Some(Ok(value)) = plain().map(i32::try_from) => {
            values.push(value);
            return Ok(());
        }
        _ => {}
    }
    let value = fields.value(field);
    match &mut column.data {
        _ if value.is_empty() && !field.quoted => column.push_null(),
        Data::Utf8(bytes) if !field.escaped => bytes.push_range(fields.bytes, field.start, field.end),
        Data::Utf8(bytes) => bytes.push(value),
        Data::List(_) | Data::Map(_) | Data::Struct(_) => return push_json(column, value, json),
        Data::Binary(_) => return push_text(column, value),
        _ => match value.trim_ascii() {
            [] if !field.quoted => column.push_null(),
            value => return push_text(column, value),
        },
    }
    Ok(())
}

/// Reads a field that is JSON.
fn push_json(column: &mut Column, value: &[u8], json: &mut Vec<u8>) -> Result<(), Reason> {
    json.clear();
    json.extend_from_slice(value);
    // Behind a JSON text stands a line break.
    json.push(b'\n');
    let mut scratch = Vec::new();
    let mut cursor = Cursor { bytes: json, pos: 0, end: value.len(), scratch: &mut scratch };
    push_value(column, &mut cursor, 0)?;
    cursor.skip_whitespace();
    if cursor.pos == cursor.end { Ok(()) } else { Err(Reason::BadText(column.sql_type())) }
}

impl Decoder for DelimitedDecoder {
    fn decode(&mut self, records: Records<'_>) -> Result<Decoded, FormatError> {
        let mut first = 0;
        if self.layout.is_none() && !records.is_empty() {
            self.read_header(records.get(0))?;
            first = 1;
        }
        let (bytes, spans) = records.parts();
        let layout = self.layout.as_deref().unwrap_or_default();
        let utf8 = records.are_utf8();
        let mut errors = Vec::new();
        let mut rows = 0;
        for (record, span) in spans.iter().enumerate().skip(first) {
            let (start, end) = (span.start as usize, span.end as usize);
            let mut fields = Fields::new(bytes, start, end, self.options.delimiter, &mut self.scratch);
            let result = if end - start > RECORD_BYTES_MAX {
                Err((Reason::TooLong, RECORD_BYTES_MAX, None))
            } else if !utf8 && let Err(error) = simdutf8::compat::from_utf8(&bytes[start..end]) {
                Err((Reason::BadUtf8, error.valid_up_to(), None))
            } else {
                push_record(&mut self.columns, layout, &mut fields, &mut self.json)
                    .map_err(|(reason, column)| (reason, fields.pos - start, column))
            };
            match result {
                Ok(()) => rows += 1,
                Err((reason, at, column)) => {
                    self.columns.iter_mut().for_each(|column| column.truncate(rows));
                    let column = column.map(|c| Arc::clone(&self.names[c]));
                    errors.push(DecodeError { record, at, column, reason });
                }
            }
        }
        let columns = self.finish()?;
        Ok(Decoded::new(columns, rows, first..spans.len(), errors))
    }

    fn spec(&self) -> &RecordSpec {
        &self.spec
    }

    fn set_wanted(&mut self, wanted: Vec<usize>) -> Result<(), FormatError> {
        let spec = RecordSpec { wanted, ..self.spec.clone() };
        let layout = self.layout.take();
        *self = DelimitedDecoder::new(spec, self.options)?;
        self.layout = layout;
        Ok(())
    }

    fn begin_input(&mut self) {
        self.layout = (!self.options.header).then(|| (0..self.columns.len()).map(Some).collect());
    }
}

#[cfg(test)]
mod tests;
