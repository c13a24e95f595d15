//! Scalar functions of our own.

pub(crate) mod pattern;

use datafusion_expr::ScalarUDF;

/// All of them.
pub(crate) fn all() -> Vec<ScalarUDF> {
    pattern::all()
}
