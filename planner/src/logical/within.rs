//! The predicate that makes a join of two streams a join WITHIN.
//!
//! `within(left time, right time, left lane time, right lane time, left and right partition, left and right offset)` is
//! TRUE when the right row's event time lies in
//! [left − before, left + after]; NULL times give NULL. It stands as one conjunct in the condition of an ordinary join,
//! which is all of its meaning for a reader of finished input; running, it also bounds how long rows are kept and when
//! rows without a partner come out. Where the records stood is among the arguments so that no rewrite
//! drops its columns.

use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray};
use arrow::datatypes::{DataType, Int64Type};
use datafusion_common::{Result, exec_err};
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

use crate::catalog::RelationId;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Within {
    /// The right row may be this much earlier, ms.
    pub before_ms: i64,
    /// The right row may be this much later, ms.
    pub after_ms: i64,
    /// How long late rows are waited for, ms.
    pub grace_ms: i64,
    /// Sources whose stream time rules, per side.
    pub time_sources: (Vec<RelationId>, Vec<RelationId>),
    /// The call's signature.
    signature: Signature,
}

impl Within {
    /// A join window.
    pub fn new(before_ms: i64, after_ms: i64, grace_ms: i64, sources: (Vec<RelationId>, Vec<RelationId>)) -> Self {
        let [int, bigint] = [DataType::Int32, DataType::Int64];
        let types = [&bigint, &bigint, &int, &bigint].into_iter().flat_map(|t| [t.clone(), t.clone()]).collect();
        let signature = Signature::exact(types, Volatility::Immutable);
        Within { before_ms, after_ms, grace_ms, time_sources: sources, signature }
    }
}

impl ScalarUDFImpl for Within {
    fn name(&self) -> &str {
        "within"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let [left, right, ..] = columns.as_slice() else {
            return exec_err!("within has eight arguments, not {}", columns.len());
        };
        let (left, right) = (left.as_primitive::<Int64Type>(), right.as_primitive::<Int64Type>());
        let near: BooleanArray = (0..left.len())
            .map(|i| {
                let valid = left.is_valid(i) && right.is_valid(i);
                valid.then(|| {
                    let distance = i128::from(right.value(i)) - i128::from(left.value(i));
                    (-i128::from(self.before_ms)..=i128::from(self.after_ms)).contains(&distance)
                })
            })
            .collect();
        Ok(ColumnarValue::Array(Arc::new(near)))
    }
}
