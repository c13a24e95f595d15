//! Declared columns of a generator: the generated ones by name, in the declared order and type.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};

use super::{GeneratedColumn, Generator};
use crate::error::{ConnectError, SourceError};
use crate::options::suggest;
use crate::source::Column;

/// Which generated column a declared one is, and how it gets its type.
pub(super) struct DeclaredColumn {
    /// Position among the generator's columns.
    pub(super) generated: usize,
    conversion: Conversion,
}

enum Conversion {
    Same,
    /// Every value has an equal in the other type.
    Widen(DataType),
    /// TIMESTAMP as BIGINT.
    EpochMs,
}

/// The columns of the relation, with what they are made of. No declaration: all that the generator has.
pub(super) fn resolve(
    generator: &dyn Generator,
    declared: &[Column],
) -> Result<(Vec<Column>, Vec<DeclaredColumn>), ConnectError> {
    let generated = generator.columns();
    if declared.is_empty() {
        let columns = generated.iter().map(|(name, t)| ((*name).to_owned(), t.clone())).collect();
        let same = (0..generated.len()).map(|i| DeclaredColumn { generated: i, conversion: Conversion::Same });
        return Ok((columns, same.collect()));
    }
    let resolved = declared.iter().map(|column| resolve_one(generator.name(), generated, column));
    Ok((declared.to_vec(), resolved.collect::<Result<_, _>>()?))
}

fn resolve_one(
    generator: &str,
    generated: &[GeneratedColumn],
    (name, data_type): &Column,
) -> Result<DeclaredColumn, ConnectError> {
    let Some(position) = generated.iter().position(|(g, _)| g.eq_ignore_ascii_case(name)) else {
        let names: Vec<&str> = generated.iter().map(|(g, _)| *g).collect();
        let message = format!("generator '{generator}' makes no column {name}");
        return Err(ConnectError::column(name, message).hint(suggest(name, &names)));
    };
    let made = &generated[position].1;
    let conversion = match (made, data_type) {
        (a, b) if a == b => Conversion::Same,
        (DataType::Int32, DataType::Int64 | DataType::Float64)
        | (DataType::Int64 | DataType::Decimal128(..), DataType::Float64)
        | (_, DataType::Utf8) => Conversion::Widen(data_type.clone()),
        (DataType::Timestamp(TimeUnit::Microsecond, None), DataType::Int64) => Conversion::EpochMs,
        (DataType::Decimal128(p, s), DataType::Decimal128(to_p, to_s))
            if to_s >= s && i32::from(*to_p) - i32::from(*to_s) >= i32::from(*p) - i32::from(*s) =>
        {
            Conversion::Widen(data_type.clone())
        }
        _ => {
            let message =
                format!("generator '{generator}' makes {name} as {made}, which does not widen to {data_type}");
            return Err(ConnectError::column(name, message).hint("leave the columns out to have them as they are made"));
        }
    };
    Ok(DeclaredColumn { generated: position, conversion })
}

impl DeclaredColumn {
    pub(super) fn convert(&self, column: &ArrayRef) -> Result<ArrayRef, SourceError> {
        match &self.conversion {
            Conversion::Same => Ok(Arc::clone(column)),
            Conversion::Widen(to) => {
                cast(column, to).map_err(|e| SourceError::failed(format!("a generated column cannot be cast: {e}")))
            }
            Conversion::EpochMs => {
                let micros = column.as_primitive::<TimestampMicrosecondType>();
                let millis: arrow::array::Int64Array = micros.unary(|us| us.div_euclid(1_000));
                Ok(Arc::new(millis))
            }
        }
    }
}
