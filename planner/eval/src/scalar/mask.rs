//! MASK: letters and digits of a text hidden, as KSQL does it.
//!
//! An upper-case letter becomes `X`, a lower-case one `x`, a digit `n`, anything else `-`. MASK_LEFT and MASK_RIGHT hide
//! the first or last n characters, MASK_KEEP_LEFT and MASK_KEEP_RIGHT all but those.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::datatypes::{DataType, Int32Type};
use datafusion_common::Result;
use datafusion_expr::ScalarUDF;

use super::plain;

const TEXT: DataType = DataType::Utf8;
const INT: DataType = DataType::Int32;

/// The functions.
pub(crate) fn all() -> Vec<ScalarUDF> {
    vec![
        plain("mask", &[&[TEXT]], TEXT, |args| each(args, |_, _, _| true)),
        plain("mask_left", &[&[TEXT, INT]], TEXT, |args| each(args, |i, _, n| i < n)),
        plain("mask_right", &[&[TEXT, INT]], TEXT, |args| each(args, |i, len, n| i + n >= len)),
        plain("mask_keep_left", &[&[TEXT, INT]], TEXT, |args| each(args, |i, _, n| i >= n)),
        plain("mask_keep_right", &[&[TEXT, INT]], TEXT, |args| each(args, |i, len, n| i + n < len)),
    ]
}

fn hidden(c: char) -> char {
    match c {
        c if c.is_uppercase() => 'X',
        c if c.is_lowercase() => 'x',
        c if c.is_numeric() => 'n',
        _ => '-',
    }
}

/// Hides the characters that `hide(position, length, n)` says.
fn each(args: &[ArrayRef], hide: fn(usize, usize, usize) -> bool) -> Result<ArrayRef> {
    let texts = args[0].as_string::<i32>();
    let rows = (0..texts.len()).map(|i| {
        if args.iter().any(|arg| arg.is_null(i)) {
            return None;
        }
        let n = args.get(1).map_or(0, |n| n.as_primitive::<Int32Type>().value(i));
        let n = usize::try_from(n).unwrap_or(0);
        let len = texts.value(i).chars().count();
        Some(
            texts
                .value(i)
                .chars()
                .enumerate()
                .map(|(at, c)| if hide(at, len, n) { hidden(c) } else { c })
                .collect::<String>(),
        )
    });
    Ok(Arc::new(rows.collect::<StringArray>()))
}

#[cfg(test)]
mod tests {
    use arrow::array::Int32Array;

    use super::*;

    #[test]
    fn characters_are_hidden_by_kind() {
        let text: ArrayRef = Arc::new(StringArray::from(vec!["My Test $123"]));
        let masked = each(&[Arc::clone(&text)], |_, _, _| true).unwrap();
        assert_eq!(masked.as_string::<i32>().value(0), "Xx-Xxxx--nnn");
        let n: ArrayRef = Arc::new(Int32Array::from(vec![4]));
        let masked = each(&[text, n], |i, len, n| i + n >= len).unwrap();
        assert_eq!(masked.as_string::<i32>().value(0), "My Test -nnn");
    }
}
