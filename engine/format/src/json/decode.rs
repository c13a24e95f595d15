//! From JSON records to columns.

use std::sync::Arc;

use arrow::datatypes::DataType;

use crate::error::{DecodeError, Expected, FormatError, Reason};
use crate::json::cursor::Cursor;
use crate::json::object::Object;
use crate::limits::RECORD_BYTES_MAX;
use crate::records::Records;
use crate::{Decoded, Decoder, RecordSpec};

/// Decodes blocks of JSON objects; which value becomes what is said in the table of the [`json`](crate::json) module's
/// `value` file and in `sql.md`.
#[derive(Debug)]
pub struct JsonDecoder {
    spec: RecordSpec,
    object: Object,
    /// Columns of the output: position in the object, type.
    outputs: Vec<(usize, DataType)>,
    names: Vec<Arc<str>>,
    scratch: Vec<u8>,
}

impl JsonDecoder {
    /// A decoder for the declared columns.
    ///
    /// # Errors
    /// If a column has a type that JSON is not read into, or `spec` contradicts itself.
    pub fn new(spec: RecordSpec) -> Result<Self, FormatError> {
        let outputs = spec.outputs()?;
        let columns = spec.make_columns("JSON")?;
        let names: Vec<Arc<str>> = spec.all().map(|c| Arc::from(c.name)).collect();
        let object = Object::new(names.iter().map(Arc::as_ref), columns);
        Ok(JsonDecoder { spec, object, outputs, names, scratch: Vec::new() })
    }

    fn push_record(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Reason> {
        cursor.skip_whitespace();
        self.object.push_object(cursor, 1)?;
        cursor.skip_whitespace();
        if cursor.pos < cursor.end {
            return Err(Reason::Syntax(Expected::End));
        }
        Ok(())
    }
}

impl Decoder for JsonDecoder {
    fn decode(&mut self, records: Records<'_>) -> Result<Decoded, FormatError> {
        let (bytes, spans) = records.parts();
        let utf8 = records.are_utf8();
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut errors = Vec::new();
        for (record, span) in spans.iter().enumerate() {
            let (start, end) = (span.start as usize, span.end as usize);
            let mut cursor = Cursor { bytes, pos: start, end, scratch: &mut scratch };
            let rows = self.object.rows();
            let result = if end - start > RECORD_BYTES_MAX {
                Err((Reason::TooLong, RECORD_BYTES_MAX, None))
            } else if !utf8 && let Err(error) = simdutf8::compat::from_utf8(&bytes[start..end]) {
                Err((Reason::BadUtf8, error.valid_up_to(), None))
            } else {
                self.push_record(&mut cursor)
                    .map_err(|reason| (reason, cursor.pos - start, self.object.failed_column()))
            };
            if let Err((reason, at, column)) = result {
                self.object.truncate(rows);
                let column = column.map(|c| Arc::clone(&self.names[c]));
                errors.push(DecodeError { record, at, column, reason });
            }
        }
        self.scratch = scratch;
        let rows = self.object.rows();
        let columns = self.object.finish_some(&self.outputs)?;
        Ok(Decoded::new(columns, rows, 0..spans.len(), errors))
    }

    fn spec(&self) -> &RecordSpec {
        &self.spec
    }

    fn set_wanted(&mut self, wanted: Vec<usize>) -> Result<(), FormatError> {
        let mut spec = self.spec.clone();
        spec.wanted = wanted;
        *self = JsonDecoder::new(spec)?;
        Ok(())
    }

    fn begin_input(&mut self) {}
}

#[cfg(test)]
mod tests;
