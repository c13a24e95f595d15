//! What may be wrong: with a record ([`DecodeError`]) and with the world or the declaration ([`FormatError`]).
//!
//! The two never mix. A decode error belongs to one record, leaves no row of it and stops nothing. A format error means
//! that the input as a whole cannot be read as declared.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use parquet::errors::ParquetError;

use crate::limits::{NESTING_LEVELS_MAX, RECORD_BYTES_MAX};

/// A record that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// Which: its position in the block of records.
    pub record: usize,
    /// Byte of the record at which reading stopped.
    pub at: usize,
    /// The column that was being read, by its declared name.
    pub column: Option<Arc<str>>,
    /// What is wrong.
    pub reason: Reason,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(column) = &self.column {
            write!(f, "column {column}: ")?;
        }
        write!(f, "{} (byte {})", self.reason, self.at)
    }
}

impl std::error::Error for DecodeError {}

/// What is wrong with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The text is not of the format.
    Syntax(Expected),
    /// The value is of a kind from which the column's type is not read.
    WrongType {
        /// The column's type.
        expected: SqlType,
        /// What stands there.
        found: Found,
    },
    /// A number or a time beyond what the type holds.
    OutOfRange(SqlType),
    /// A number with a fraction where the type has none.
    NotIntegral(SqlType),
    /// A text that does not say a value of the type.
    BadText(SqlType),
    /// The bytes are not UTF-8.
    BadUtf8,
    /// Nested deeper than [`NESTING_LEVELS_MAX`].
    TooDeep,
    /// Longer than [`RECORD_BYTES_MAX`].
    TooLong,
    /// A delimited line with another number of fields than columns or header fields.
    FieldCount {
        /// How many there should be.
        expected: u32,
        /// How many there are.
        found: u32,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Syntax(expected) => write!(f, "syntax: expected {}", expected.name()),
            Reason::WrongType { expected, found } => write!(f, "expected {}, found {}", expected.name(), found.name()),
            Reason::OutOfRange(t) => write!(f, "out of range for {}", t.name()),
            Reason::NotIntegral(t) => write!(f, "a number with a fraction is not a {}", t.name()),
            Reason::BadText(t) => write!(f, "the text is not a {}", t.name()),
            Reason::BadUtf8 => write!(f, "not UTF-8"),
            Reason::TooDeep => write!(f, "nested deeper than {NESTING_LEVELS_MAX} levels"),
            Reason::TooLong => write!(f, "longer than {RECORD_BYTES_MAX} bytes"),
            Reason::FieldCount { expected, found } => write!(f, "expected {expected} fields, found {found}"),
        }
    }
}

/// What the syntax asked for at the place of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Expected {
    /// A JSON object as the whole record.
    Object,
    /// A JSON value.
    Value,
    /// A field name in quotes.
    FieldName,
    /// `:` behind a field name.
    Colon,
    /// `,` or the end of the object.
    CommaOrObjectEnd,
    /// `,` or the end of the array.
    CommaOrArrayEnd,
    /// A digit.
    Digit,
    /// A number without leading zeros.
    NoLeadingZero,
    /// The closing quote of a text, before a control character or the end.
    Quote,
    /// An escape that JSON knows.
    Escape,
    /// A whole pair of surrogates.
    SurrogatePair,
    /// The end of the record.
    End,
    /// A delimiter behind a closing quote.
    DelimiterAfterQuote,
}

impl Expected {
    fn name(self) -> &'static str {
        match self {
            Expected::Object => "an object",
            Expected::Value => "a value",
            Expected::FieldName => "a field name in quotes",
            Expected::Colon => "':'",
            Expected::CommaOrObjectEnd => "',' or '}'",
            Expected::CommaOrArrayEnd => "',' or ']'",
            Expected::Digit => "a digit",
            Expected::NoLeadingZero => "a number without leading zeros",
            Expected::Quote => "a closing quote",
            Expected::Escape => "an escape sequence",
            Expected::SurrogatePair => "a pair of surrogates",
            Expected::End => "the end of the record",
            Expected::DelimiterAfterQuote => "a delimiter behind the closing quote",
        }
    }
}

/// The kinds of JSON values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Found {
    /// In quotes.
    Text,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// `[…]`.
    Array,
    /// `{…}`.
    Object,
}

impl Found {
    fn name(self) -> &'static str {
        match self {
            Found::Text => "a text",
            Found::Number => "a number",
            Found::Boolean => "a boolean",
            Found::Array => "an array",
            Found::Object => "an object",
        }
    }
}

/// SQL types without their parameters, for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum SqlType {
    Boolean,
    Int,
    Bigint,
    Double,
    Decimal,
    Varchar,
    Bytes,
    Date,
    Time,
    Timestamp,
    Array,
    Map,
    Struct,
}

impl SqlType {
    /// As SQL writes it.
    pub fn name(self) -> &'static str {
        match self {
            SqlType::Boolean => "BOOLEAN",
            SqlType::Int => "INT",
            SqlType::Bigint => "BIGINT",
            SqlType::Double => "DOUBLE",
            SqlType::Decimal => "DECIMAL",
            SqlType::Varchar => "VARCHAR",
            SqlType::Bytes => "BYTES",
            SqlType::Date => "DATE",
            SqlType::Time => "TIME",
            SqlType::Timestamp => "TIMESTAMP",
            SqlType::Array => "ARRAY",
            SqlType::Map => "MAP",
            SqlType::Struct => "STRUCT",
        }
    }
}

/// An input that cannot be read, or an output that cannot be written, as declared.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// The format has no way to hold the type.
    #[error("{format} has no form for column {column} of type {data_type}")]
    UnsupportedType {
        /// Which format.
        format: &'static str,
        /// Which column.
        column: String,
        /// Its type.
        data_type: DataType,
    },
    /// The file's type of a column does not widen to the declared one.
    #[error("column {column} is {found} in the file, which does not widen to {declared}")]
    IncompatibleType {
        /// Which column.
        column: String,
        /// In the file.
        found: DataType,
        /// In the declaration.
        declared: DataType,
    },
    /// The file's header or schema has no such column.
    #[error("the file has no column {column}; it has {present}")]
    MissingColumn {
        /// Which.
        column: String,
        /// Those that it has.
        present: String,
    },
    /// Two columns of the file match a declared one, or two declared ones have the same name.
    #[error("more than one column is called {column}")]
    AmbiguousColumn {
        /// Which.
        column: String,
    },
    /// A field is asked for by name where the file has no names.
    #[error("field {field} cannot be found by name: the input has no header")]
    NoHeader {
        /// Which.
        field: String,
    },
    /// A header line that cannot be read.
    #[error("the header line cannot be read: {0}")]
    Header(Reason),
    /// A delimiter that is part of the syntax itself.
    #[error("{:?} cannot be a delimiter", char::from(*.0))]
    BadDelimiter(u8),
    /// A wanted column that is not declared.
    #[error("column {position} is wanted, {declared} are declared")]
    NotDeclared {
        /// Position asked for.
        position: usize,
        /// How many there are.
        declared: usize,
    },
    /// More than [`BLOCK_BYTES_MAX`](crate::limits::BLOCK_BYTES_MAX) bytes in one block.
    #[error("a block of records may have {max} bytes", max = crate::limits::BLOCK_BYTES_MAX)]
    BlockFull,
    /// A sample without a record, or of another format.
    #[error("columns cannot be inferred: {0}")]
    NotInferable(InferFailure),
    /// Reading or writing the file.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The Parquet file itself.
    #[error(transparent)]
    Parquet(#[from] ParquetError),
    /// Columns that contradict themselves.
    #[error(transparent)]
    Arrow(#[from] ArrowError),
}

/// Why nothing was inferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InferFailure {
    /// No record in the sample.
    Empty,
    /// No record of the sample can be read; the first one fails so.
    Unreadable(Reason),
    /// Records without a field.
    NoFields,
    /// More fields than [`INFERRED_COLUMNS_MAX`](crate::limits::INFERRED_COLUMNS_MAX).
    TooManyFields,
}

impl fmt::Display for InferFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InferFailure::Empty => write!(f, "there is no record to infer them from"),
            InferFailure::Unreadable(reason) => write!(f, "no record can be read ({reason})"),
            InferFailure::NoFields => write!(f, "the records have no fields"),
            InferFailure::TooManyFields => {
                write!(f, "the records have more than {} fields", crate::limits::INFERRED_COLUMNS_MAX)
            }
        }
    }
}
