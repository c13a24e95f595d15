//! Types as a person writes them, as Arrow types.
//!
//! The map is the one of [`crate::plan`]. KSQL's and PostgreSQL's names are both taken. As in DuckDB, the length of a
//! VARCHAR, CHAR or BYTES is read and not enforced, and so is the precision of a TIME or TIMESTAMP, which has
//! microseconds. SMALLINT and TINYINT are INT, REAL and FLOAT are DOUBLE. DECIMAL without numbers is DECIMAL(38, 10).
//! A name that is none of these is one of CREATE TYPE's.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, IntervalUnit, TimeUnit};
use sqlparser::ast::{self, ArrayElemTypeDef, ExactNumberInfo, TimezoneInfo};

use super::name::fold;
use super::nearest::nearest;
use crate::catalog::Catalog;
use crate::error::{ErrorKind, PlanError, Result};

/// Digits of a DECIMAL.
const DECIMAL_DIGITS_MAX: u64 = 38;
/// Digits behind the point of a DECIMAL without numbers.
const DECIMAL_SCALE: i8 = 10;

/// The Arrow type that a written type means. Errors have no position: the caller knows where the type stands.
pub fn sql_type(data_type: &ast::DataType, catalog: &Catalog) -> Result<DataType> {
    use ast::DataType as Sql;
    Ok(match data_type {
        Sql::Boolean | Sql::Bool => DataType::Boolean,
        Sql::Int(_) | Sql::Integer(_) | Sql::Int4(_) | Sql::Int2(_) | Sql::SmallInt(_) | Sql::TinyInt(_) => {
            DataType::Int32
        }
        Sql::BigInt(_) | Sql::Int8(_) => DataType::Int64,
        Sql::Double(_) | Sql::DoublePrecision | Sql::Float8 | Sql::Float4 | Sql::Float(_) | Sql::Real => {
            DataType::Float64
        }
        Sql::Decimal(digits) | Sql::Numeric(digits) | Sql::Dec(digits) => decimal(*digits)?,
        Sql::Varchar(_)
        | Sql::String(_)
        | Sql::Text
        | Sql::Char(_)
        | Sql::Character(_)
        | Sql::CharVarying(_)
        | Sql::CharacterVarying(_) => DataType::Utf8,
        Sql::Bytes(_) | Sql::Bytea | Sql::Binary(_) | Sql::Varbinary(_) | Sql::Blob(_) => DataType::Binary,
        Sql::Date => DataType::Date32,
        Sql::Time(_, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => DataType::Time64(TimeUnit::Microsecond),
        Sql::Timestamp(_, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) | Sql::Datetime(_) => {
            DataType::Timestamp(TimeUnit::Microsecond, None)
        }
        Sql::Timestamp(..) | Sql::Time(..) => {
            let error = PlanError::not_supported(format!("the type {data_type}"));
            return Err(error.hint("TIMESTAMP is UTC; it has no zone"));
        }
        Sql::Interval { .. } => DataType::Interval(IntervalUnit::MonthDayNano),
        Sql::Array(
            ArrayElemTypeDef::AngleBracket(item)
            | ArrayElemTypeDef::SquareBracket(item, _)
            | ArrayElemTypeDef::Parenthesis(item),
        ) => DataType::List(Arc::new(Field::new("item", sql_type(item, catalog)?, true))),
        Sql::Array(ArrayElemTypeDef::None) => {
            let error = PlanError::new(ErrorKind::InvalidDefinition, "an ARRAY has a type of its items");
            return Err(error.hint("ARRAY<INT>"));
        }
        Sql::Map(key, value) => {
            let entries = Fields::from(vec![
                Field::new("key", sql_type(key, catalog)?, false),
                Field::new("value", sql_type(value, catalog)?, true),
            ]);
            DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entries), false)), false)
        }
        Sql::Struct(fields, _) => structure(fields, catalog)?,
        Sql::Custom(name, modifiers) => custom(name, modifiers, catalog)?,
        other => return Err(PlanError::not_supported(format!("the type {other}"))),
    })
}

fn decimal(digits: ExactNumberInfo) -> Result<DataType> {
    let (precision, scale) = match digits {
        ExactNumberInfo::None => return Ok(DataType::Decimal128(DECIMAL_DIGITS_MAX as u8, DECIMAL_SCALE)),
        ExactNumberInfo::Precision(precision) => (precision, 0),
        ExactNumberInfo::PrecisionAndScale(precision, scale) => (precision, scale),
    };
    match (u8::try_from(precision), i8::try_from(scale)) {
        (Ok(p), Ok(s)) if (1..=DECIMAL_DIGITS_MAX).contains(&precision) && s >= 0 && s.unsigned_abs() <= p => {
            Ok(DataType::Decimal128(p, s))
        }
        _ => {
            let message = format!("DECIMAL({precision}, {scale}) is no type");
            let detail =
                format!("A DECIMAL has 1 to {DECIMAL_DIGITS_MAX} digits, and 0 to all of them behind the point.");
            Err(PlanError::new(ErrorKind::InvalidDefinition, message).detail(detail))
        }
    }
}

fn structure(fields: &[ast::StructField], catalog: &Catalog) -> Result<DataType> {
    let mut members: Vec<Field> = Vec::with_capacity(fields.len());
    for field in fields {
        let Some(name) = &field.field_name else {
            let message = format!("a field of a STRUCT has a name: {}", field.field_type);
            return Err(PlanError::new(ErrorKind::InvalidDefinition, message));
        };
        let name = fold(name);
        if members.iter().any(|member| *member.name() == name) {
            let message = format!("the STRUCT has two fields called {name}");
            return Err(PlanError::new(ErrorKind::DuplicateColumn, message));
        }
        members.push(Field::new(name, sql_type(&field.field_type, catalog)?, true));
    }
    match members.is_empty() {
        true => Err(PlanError::new(ErrorKind::InvalidDefinition, "a STRUCT has at least one field")),
        false => Ok(DataType::Struct(members.into())),
    }
}

/// Words for our types that sqlparser does not know, and the types of CREATE TYPE.
fn custom(name: &ast::ObjectName, modifiers: &[String], catalog: &Catalog) -> Result<DataType> {
    let parts: Vec<String> = name.0.iter().map(|part| part.as_ident().map(fold).unwrap_or_default()).collect();
    let name = parts.join(".");
    if let Some(data_type) = catalog.types.get(&name)
        && modifiers.is_empty()
    {
        return Ok(data_type.clone());
    }
    let error = PlanError::new(ErrorKind::UndefinedType, format!("no type is called {name}"));
    const NAMES: [&str; 16] = [
        "BOOLEAN",
        "INT",
        "INTEGER",
        "BIGINT",
        "DOUBLE",
        "DECIMAL",
        "VARCHAR",
        "STRING",
        "BYTES",
        "DATE",
        "TIME",
        "TIMESTAMP",
        "INTERVAL",
        "ARRAY",
        "MAP",
        "STRUCT",
    ];
    Err(match nearest(&name, NAMES.into_iter().chain(catalog.types.keys().map(String::as_str))) {
        Some(near) => error.hint(format!("did you mean {near}?")),
        None => error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::parse_statement;
    use crate::sql::statement::Statement;

    fn written(text: &str) -> Result<DataType> {
        let mut catalog = Catalog::default();
        catalog.types.insert("ADDRESS".into(), DataType::Struct(vec![Field::new("CITY", DataType::Utf8, true)].into()));
        match parse_statement(&format!("CREATE TYPE t AS {text}"))?.statement {
            Statement::CreateType(create) => sql_type(&create.data_type, &catalog),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_name_of_a_type_means_its_arrow_type() {
        let timestamp = DataType::Timestamp(TimeUnit::Microsecond, None);
        let cases = [
            ("BOOLEAN", DataType::Boolean),
            ("int", DataType::Int32),
            ("INTEGER", DataType::Int32),
            ("SMALLINT", DataType::Int32),
            ("BIGINT", DataType::Int64),
            ("DOUBLE", DataType::Float64),
            ("double precision", DataType::Float64),
            ("DECIMAL(4, 2)", DataType::Decimal128(4, 2)),
            ("NUMERIC(7)", DataType::Decimal128(7, 0)),
            ("DECIMAL", DataType::Decimal128(38, 10)),
            ("VARCHAR", DataType::Utf8),
            ("VARCHAR(20)", DataType::Utf8),
            ("STRING", DataType::Utf8),
            ("TEXT", DataType::Utf8),
            ("BYTES", DataType::Binary),
            ("BYTEA", DataType::Binary),
            ("DATE", DataType::Date32),
            ("TIME", DataType::Time64(TimeUnit::Microsecond)),
            ("TIMESTAMP", timestamp.clone()),
            ("TIMESTAMP(3)", timestamp),
            ("INTERVAL", DataType::Interval(IntervalUnit::MonthDayNano)),
        ];
        for (text, want) in cases {
            assert_eq!(written(text), Ok(want), "{text}");
        }
    }

    #[test]
    fn types_nest_and_their_fields_fold() {
        let item = |data_type| DataType::List(Arc::new(Field::new("item", data_type, true)));
        assert_eq!(written("ARRAY<ARRAY<INT>>"), Ok(item(item(DataType::Int32))));
        assert_eq!(written("INT[]"), Ok(item(DataType::Int32)));
        let map = written("MAP<VARCHAR, ARRAY<BIGINT>>");
        assert_eq!(
            map.map(|t| t.to_string()).unwrap_or_default(),
            "Map(\"entries\": non-null Struct(\"key\": non-null Utf8, \"value\": List(Int64)), unsorted)"
        );
        let fields = vec![Field::new("A", DataType::Int32, true), Field::new("b", DataType::Utf8, true)];
        assert_eq!(written("STRUCT<a INT, `b` VARCHAR>"), Ok(DataType::Struct(fields.into())));
        let address = DataType::Struct(vec![Field::new("CITY", DataType::Utf8, true)].into());
        assert_eq!(written("ARRAY<address>"), Ok(item(address)));
    }

    #[test]
    fn what_is_no_type_says_so() {
        let error = |text: &str| written(text).map_or_else(|e| format!("{e} {:?}", e.hint), |t| t.to_string());
        assert_eq!(error("VARCAHR"), "[42704] no type is called VARCAHR Some(\"did you mean VARCHAR?\")");
        assert_eq!(error("DECIMAL(39, 2)"), "[42P16] DECIMAL(39, 2) is no type None");
        assert_eq!(error("DECIMAL(2, 3)"), "[42P16] DECIMAL(2, 3) is no type None");
        assert_eq!(error("STRUCT<a INT, A INT>"), "[42701] the STRUCT has two fields called A None");
        assert_eq!(
            error("TIMESTAMP WITH TIME ZONE"),
            "[0A000] not supported: the type TIMESTAMP WITH TIME ZONE Some(\"TIMESTAMP is UTC; it has no zone\")"
        );
        assert_eq!(error("UUID"), "[0A000] not supported: the type UUID None");
    }
}
