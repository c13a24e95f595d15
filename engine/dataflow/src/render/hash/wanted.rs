//! Columns of rows that nobody reads.
//!
//! A join's output has all columns of both sides, and rows with their windows all that they had; what is above often
//! reads a few. The others are NULLs from one array
//! that is made once and shared, so that they cost nothing.

use std::cell::RefCell;

use arrow::array::{Array, ArrayRef, new_null_array};
use arrow::datatypes::SchemaRef;

/// Rows of a shared array of NULLs, at first.
const NULLS: usize = 4096;

/// See the module.
pub(crate) struct Wanted {
    schema: SchemaRef,
    /// `None`: all are read.
    wanted: Option<Vec<bool>>,
    nulls: RefCell<Vec<Option<ArrayRef>>>,
}

impl Wanted {
    /// Of the columns of `schema`.
    pub(crate) fn new(schema: &SchemaRef, wanted: Option<Vec<bool>>) -> Self {
        let nulls = RefCell::new(vec![None; schema.fields().len()]);
        Wanted { schema: SchemaRef::clone(schema), wanted, nulls }
    }

    /// Columns.
    pub(super) fn width(&self) -> usize {
        self.schema.fields().len()
    }

    /// Whether somebody reads column `c`.
    pub(crate) fn is_read(&self, c: usize) -> bool {
        self.wanted.as_ref().is_none_or(|wanted| wanted[c])
    }

    /// Column `c` with `len` rows: what `column` gives, if it is read.
    pub(super) fn column(&self, c: usize, len: usize, column: impl FnOnce(usize) -> ArrayRef) -> ArrayRef {
        if self.is_read(c) { column(c) } else { self.nulls(c, len) }
    }

    /// NULLs of the type of column `c`.
    pub(crate) fn nulls(&self, c: usize, len: usize) -> ArrayRef {
        let nulls = &mut self.nulls.borrow_mut()[c];
        if nulls.as_ref().is_none_or(|nulls| nulls.len() < len) {
            *nulls = Some(new_null_array(self.schema.field(c).data_type(), len.max(NULLS).next_power_of_two()));
        }
        nulls
            .as_ref()
            .map_or_else(|| new_null_array(self.schema.field(c).data_type(), len), |nulls| nulls.slice(0, len))
    }
}
