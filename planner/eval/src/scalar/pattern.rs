//! Patterns of LIKE and SIMILAR TO as the patterns that Arrow knows.

use std::sync::Arc;

use arrow::array::{Array, AsArray, StringArray};
use arrow::datatypes::DataType;
use datafusion_common::{Result, exec_datafusion_err};
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

/// `like_escape` and `similar_to_regex`.
pub(crate) fn all() -> Vec<ScalarUDF> {
    let text = |n| Signature::exact(vec![DataType::Utf8; n], Volatility::Immutable);
    vec![ScalarUDF::from(LikeEscape { signature: text(2) }), ScalarUDF::from(SimilarToRegex { signature: text(1) })]
}

/// The pattern with the backslash as its escape character instead of `escape`; `None` if it ends with the latter.
pub fn with_backslash(pattern: &str, escape: Option<char>) -> Option<String> {
    let mut out = String::with_capacity(pattern.len() + 4);
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if Some(c) == escape {
            let escaped = chars.next()?;
            if matches!(escaped, '%' | '_' | '\\') {
                out.push('\\');
            }
            out.push(escaped);
        } else if c == '\\' {
            out.push_str("\\\\");
        } else {
            out.push(c);
        }
    }
    Some(out)
}

/// The regular expression that a pattern of SIMILAR TO means.
fn similar_to_regex(pattern: &str) -> String {
    let mut out = String::from("^(?s:");
    let mut chars = pattern.chars();
    let mut in_class = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                if let Some(escaped) = chars.next() {
                    out.push_str(&regex_literal(escaped));
                }
            }
            '[' => {
                in_class = true;
                out.push('[');
            }
            ']' => {
                in_class = false;
                out.push(']');
            }
            c if in_class => out.push(c),
            '%' => out.push_str(".*"),
            '_' => out.push('.'),
            '.' | '^' | '$' => out.push_str(&regex_literal(c)),
            c => out.push(c),
        }
    }
    out.push_str(")$");
    out
}

fn regex_literal(c: char) -> String {
    match c.is_alphanumeric() || c.is_whitespace() {
        true => c.to_string(),
        false => format!("\\{c}"),
    }
}

/// `like_escape(pattern, escape)`.
#[derive(Debug, PartialEq, Eq, Hash)]
struct LikeEscape {
    signature: Signature,
}

impl ScalarUDFImpl for LikeEscape {
    fn name(&self) -> &str {
        "like_escape"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let (patterns, escapes) = (columns[0].as_string::<i32>(), columns[1].as_string::<i32>());
        let rows = (0..patterns.len()).map(|i| {
            let valid = patterns.is_valid(i) && escapes.is_valid(i);
            valid
                .then(|| {
                    with_backslash(patterns.value(i), escapes.value(i).chars().next())
                        .ok_or_else(|| exec_datafusion_err!("the pattern ends with its escape character"))
                })
                .transpose()
        });
        Ok(ColumnarValue::Array(Arc::new(rows.collect::<Result<StringArray>>()?)))
    }
}

/// `similar_to_regex(pattern)`.
#[derive(Debug, PartialEq, Eq, Hash)]
struct SimilarToRegex {
    signature: Signature,
}

impl ScalarUDFImpl for SimilarToRegex {
    fn name(&self) -> &str {
        "similar_to_regex"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let rows = columns[0].as_string::<i32>().iter().map(|pattern| pattern.map(similar_to_regex));
        Ok(ColumnarValue::Array(Arc::new(rows.collect::<StringArray>())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_escape_becomes_the_backslash() {
        assert_eq!(with_backslash("50!%\\", Some('!')).as_deref(), Some("50\\%\\\\"));
        assert_eq!(with_backslash("a!", Some('!')), None);
        assert_eq!(with_backslash("a\\b", None).as_deref(), Some("a\\\\b"));
    }

    #[test]
    fn similar_to_is_a_whole_match() {
        assert_eq!(similar_to_regex("(b|c)%_."), "^(?s:(b|c).*.\\.)$");
    }
}
