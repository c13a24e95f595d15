//! The present: NOW(), CURRENT_DATE and their like.
//!
//! In a statement that is carried out once (a pull query, INSERT … VALUES, UPDATE, DELETE) the present is a constant:
//! the moment at which whoever plans the statement says that it is carried out. A query that is maintained has no such
//! moment, so there it is refused.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion_common::ScalarValue;
use sqlparser::ast;

use crate::bind::coerce::{Typed, at};
use crate::bind::{Binder, Purpose};
use crate::error::{ErrorKind, PlanError, Result, Span};
use crate::eval::types::TIMESTAMP;

/// What of the present a function tells.
enum Part {
    Moment,
    Day,
    TimeOfDay,
    Millis,
    Days,
}

fn part(name: &str, n_args: usize) -> Option<Part> {
    Some(match name {
        "now" | "current_timestamp" | "localtimestamp" => Part::Moment,
        "current_date" | "today" => Part::Day,
        "current_time" | "localtime" => Part::TimeOfDay,
        "unix_timestamp" if n_args == 0 => Part::Millis,
        "unix_date" if n_args == 0 => Part::Days,
        _ => return None,
    })
}

const MICROS_OF_DAY: i64 = 86_400_000_000;

impl Binder<'_> {
    /// A call that asks for the present; `None` if it is another function.
    pub(crate) fn bind_present(&self, name: &str, args: &[&ast::Expr], span: Option<Span>) -> Result<Option<Typed>> {
        let Some(part) = part(name, args.len()) else { return Ok(None) };
        let call = format!("{}()", name.to_uppercase());
        if let Some(first) = args.first() {
            let error = PlanError::new(ErrorKind::UndefinedFunction, format!("{call} takes no argument"));
            return Err(at(error, self.span(*first)));
        }
        if self.purpose != Purpose::Pull {
            let error = PlanError::not_supported(format!("{call} in a query that is maintained"));
            return Err(at(error, span)
                .detail("Its value changes while the query runs.")
                .hint("compare ROWTIME or a column with a literal"));
        }
        let Some(now_us) = self.shared.now_us else {
            let error = PlanError::not_supported(format!("{call} where nobody says what time it is"));
            return Err(at(error, span));
        };
        let days = i32::try_from(now_us.div_euclid(MICROS_OF_DAY)).unwrap_or(i32::MAX);
        Ok(Some(match part {
            Part::Moment => of(ScalarValue::TimestampMicrosecond(Some(now_us), None), TIMESTAMP),
            Part::Day => of(ScalarValue::Date32(Some(days)), DataType::Date32),
            Part::TimeOfDay => {
                let micros = ScalarValue::Time64Microsecond(Some(now_us.rem_euclid(MICROS_OF_DAY)));
                of(micros, DataType::Time64(TimeUnit::Microsecond))
            }
            Part::Millis => of(ScalarValue::Int64(Some(now_us.div_euclid(1000))), DataType::Int64),
            Part::Days => of(ScalarValue::Int32(Some(days)), DataType::Int32),
        }))
    }
}

/// A value that keeps its type beside others.
fn of(value: ScalarValue, data_type: DataType) -> Typed {
    Typed::new(datafusion_expr::lit(value), data_type)
}
