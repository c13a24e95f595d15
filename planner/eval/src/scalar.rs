//! Scalar functions of our own: KSQL's, where DataFusion has none of that meaning.
//!
//! Each is a [`Plain`]: argument types, a result type, and a function over whole columns. A row of which an argument is
//! NULL is NULL unless the function's file says otherwise.

pub(crate) mod double;
mod geo;
mod json;
mod json_text;
mod mask;
mod nested;
pub mod pattern;
mod text;
mod time;
mod time_format;
pub mod window;

use std::hash::{Hash, Hasher};

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion_common::{Result, plan_err};
use datafusion_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};

/// All of them.
pub fn all() -> Vec<ScalarUDF> {
    let texts = [pattern::all(), text::all(), mask::all(), json::all(), nested::all()];
    let numbers = [time::all(), window::all(), geo::all(), double::all()];
    texts.into_iter().chain(numbers).flatten().collect()
}

/// Computes a column of as many rows as each argument has.
pub(crate) type Body = fn(&[ArrayRef]) -> Result<ArrayRef>;

/// A function with fixed types.
#[derive(Debug)]
pub(crate) struct Plain {
    name: &'static str,
    signature: Signature,
    returns: DataType,
    body: Body,
}

/// A function that takes any of these lists of arguments.
pub(crate) fn plain(name: &'static str, arguments: &[&[DataType]], returns: DataType, body: Body) -> ScalarUDF {
    let forms = arguments.iter().map(|types| TypeSignature::Exact(types.to_vec())).collect();
    let signature = Signature::one_of(forms, Volatility::Immutable);
    ScalarUDF::from(Plain { name, signature, returns, body })
}

/// A function with a signature of its own.
pub(crate) fn variadic(name: &'static str, signature: Signature, returns: DataType, body: Body) -> ScalarUDF {
    ScalarUDF::from(Plain { name, signature, returns, body })
}

impl PartialEq for Plain {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Plain {}

impl Hash for Plain {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for Plain {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.returns.clone())
    }

    /// ELT takes a number and texts.
    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match types {
            [DataType::Int32 | DataType::Int64, texts @ ..] if !texts.is_empty() => {
                Ok(std::iter::once(DataType::Int32).chain(texts.iter().map(|_| DataType::Utf8)).collect())
            }
            _ => plan_err!("{} takes a number and texts", self.name),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let scalar = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let columns: Vec<ArrayRef> = match scalar {
            true => args.args.iter().map(|arg| arg.to_array(1)).collect::<Result<_>>()?,
            false => args.args.iter().map(|arg| arg.to_array(args.number_rows)).collect::<Result<_>>()?,
        };
        let column = (self.body)(&columns)?;
        Ok(match scalar {
            true => ColumnarValue::Scalar(datafusion_common::ScalarValue::try_from_array(&column, 0)?),
            false => ColumnarValue::Array(column),
        })
    }
}
