//! Aggregate functions: names, argument types, result types.
//!
//! What they compute is the engine's; here they are values of
//! [`AggregateFunction`](crate::plan::AggregateFunction) that DataFusion's plans can carry. A call's arguments in a
//! bound plan are columns: first the function's own, then, for a function that depends on the order of arrival over a
//! stream, ROWPARTITION and ROWOFFSET.

use std::hash::Hash;
use std::sync::Arc;

use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType};
use datafusion_common::{Result, ScalarValue, not_impl_err};
use datafusion_expr::function::AccumulatorArgs;
use datafusion_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, TypeSignature, Volatility};

use crate::eval::types::list_of;
use crate::plan::AggregateFunction;

/// An aggregate as DataFusion's plans carry it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Aggregate {
    /// Which.
    pub function: AggregateFunction,
    /// The last two arguments say where the row stood.
    pub arrival: bool,
    /// Type of the result.
    pub data_type: DataType,
    signature: Signature,
}

impl Aggregate {
    /// The function with a result of this type.
    pub fn udf(function: AggregateFunction, arrival: bool, data_type: DataType) -> Arc<AggregateUDF> {
        let forms = vec![TypeSignature::Nullary, TypeSignature::VariadicAny];
        let signature = Signature::one_of(forms, Volatility::Immutable);
        Arc::new(AggregateUDF::from(Aggregate { function, arrival, data_type, signature }))
    }

    /// The aggregate that a call of DataFusion's stands for.
    pub fn of(udf: &AggregateUDF) -> Option<&Aggregate> {
        (udf.inner().as_ref() as &dyn std::any::Any).downcast_ref()
    }
}

impl AggregateUDFImpl for Aggregate {
    fn name(&self) -> &str {
        name(&self.function)
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.data_type.clone())
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        not_impl_err!("{} is computed by the engine", self.name())
    }

    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        Ok(match (&self.function, data_type) {
            (AggregateFunction::Count, _) => ScalarValue::Int64(Some(0)),
            (AggregateFunction::CollectList, DataType::List(item)) => {
                ScalarValue::List(ScalarValue::new_list_nullable(&[], item.data_type()))
            }
            _ => ScalarValue::try_from(data_type)?,
        })
    }
}

/// The function's name as EXPLAIN writes it.
pub fn name(function: &AggregateFunction) -> &'static str {
    match function {
        AggregateFunction::Count => "count",
        AggregateFunction::Sum => "sum",
        AggregateFunction::Avg => "avg",
        AggregateFunction::Min => "min",
        AggregateFunction::Max => "max",
        AggregateFunction::Variance { population: true } => "var_pop",
        AggregateFunction::Variance { population: false } => "var_samp",
        AggregateFunction::Stddev { population: true } => "stddev_pop",
        AggregateFunction::Stddev { population: false } => "stddev_samp",
        AggregateFunction::BoolAnd => "bool_and",
        AggregateFunction::BoolOr => "bool_or",
        AggregateFunction::CollectList => "collect_list",
        AggregateFunction::CollectSet => "collect_set",
        AggregateFunction::StringAgg { .. } => "string_agg",
        AggregateFunction::Latest { .. } => "latest_by_offset",
        AggregateFunction::Earliest { .. } => "earliest_by_offset",
    }
}

/// What an argument must be, and what comes of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// Takes the argument as this type and answers that type.
    Answers {
        /// The argument's type.
        argument: DataType,
        /// The result's type.
        result: DataType,
    },
    /// No value of this type can be an argument; what can.
    Refuses(&'static str),
}

/// Types of argument and result of a function of one argument.
pub(crate) fn shape(function: &AggregateFunction, argument: &DataType) -> Shape {
    use AggregateFunction as F;
    use DataType::{Boolean, Decimal128, Float64, Int32, Int64, Null, Utf8};
    let answers = |argument: &DataType, result: DataType| Shape::Answers { argument: argument.clone(), result };
    let untyped = if argument == &Null { &Utf8 } else { argument };
    match function {
        F::Count => answers(untyped, Int64),
        F::Sum => match argument {
            Int32 | Int64 => answers(argument, Int64),
            Decimal128(_, scale) => answers(argument, Decimal128(DECIMAL128_MAX_PRECISION, *scale)),
            Float64 | Null => answers(&Float64, Float64),
            DataType::Interval(_) => Shape::Refuses("a number"),
            _ => Shape::Refuses("a number"),
        },
        F::Avg => match argument {
            Int32 | Int64 | Float64 | Null => answers(if argument == &Null { &Float64 } else { argument }, Float64),
            Decimal128(_, scale) => answers(argument, Decimal128(DECIMAL128_MAX_PRECISION, (*scale + 4).min(38))),
            _ => Shape::Refuses("a number"),
        },
        F::Variance { .. } | F::Stddev { .. } => match argument {
            Int32 | Int64 | Float64 | Decimal128(..) | Null => answers(&Float64, Float64),
            _ => Shape::Refuses("a number"),
        },
        F::Min | F::Max => match argument {
            DataType::Map(..) | DataType::Struct(_) | DataType::List(_) => Shape::Refuses("a value with an order"),
            _ => answers(untyped, untyped.clone()),
        },
        F::BoolAnd | F::BoolOr => match argument {
            Boolean | Null => answers(&Boolean, Boolean),
            _ => Shape::Refuses("a BOOLEAN"),
        },
        F::CollectList | F::CollectSet => answers(untyped, list_of(untyped.clone())),
        F::StringAgg { .. } => answers(&Utf8, Utf8),
        F::Latest { n, .. } | F::Earliest { n, .. } => match n {
            None => answers(untyped, untyped.clone()),
            Some(_) => answers(untyped, list_of(untyped.clone())),
        },
    }
}
