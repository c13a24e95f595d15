//! Texts: INSTR, SPLIT, ELT, FIELD, regular expressions, bytes.
//!
//! Positions count characters from 1.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, Int32Array, ListBuilder, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Int32Type};
use datafusion_common::{Result, exec_datafusion_err, exec_err};
use datafusion_expr::{ScalarUDF, Signature, Volatility};
use regex::Regex;

use super::{plain, variadic};
use crate::types::list_of;

const TEXT: DataType = DataType::Utf8;
const INT: DataType = DataType::Int32;
const BYTES: DataType = DataType::Binary;

/// The functions.
pub(crate) fn all() -> Vec<ScalarUDF> {
    let texts = || Signature::variadic(vec![TEXT], Volatility::Immutable);
    vec![
        plain("instr", &[&[TEXT, TEXT], &[TEXT, TEXT, INT], &[TEXT, TEXT, INT, INT]], INT, instr),
        plain("split", &[&[TEXT, TEXT]], list_of(TEXT), |args| lists(args, |text, by| Ok(split(text, by)))),
        variadic("elt", Signature::user_defined(Volatility::Immutable), TEXT, elt),
        variadic("field", texts(), INT, field),
        plain("regexp_extract", &[&[TEXT, TEXT], &[TEXT, TEXT, INT]], TEXT, extract),
        plain("regexp_extract_all", &[&[TEXT, TEXT]], list_of(TEXT), |args| {
            let swapped = [Arc::clone(&args[1]), Arc::clone(&args[0])];
            lists(&swapped, |text, regex| {
                Ok(compiled(regex)?.find_iter(text).map(|m| m.as_str().to_string()).collect())
            })
        }),
        plain("regexp_split_to_array", &[&[TEXT, TEXT]], list_of(TEXT), |args| {
            lists(args, |text, regex| Ok(compiled(regex)?.split(text).map(str::to_string).collect()))
        }),
        plain("to_bytes", &[&[TEXT, TEXT]], BYTES, to_bytes),
        plain("from_bytes", &[&[BYTES, TEXT]], TEXT, from_bytes),
        plain("url_encode_param", &[&[TEXT]], TEXT, |args| {
            let rows = args[0].as_string::<i32>().iter().map(|text| text.map(url_encoded));
            Ok(Arc::new(rows.collect::<StringArray>()))
        }),
        plain("url_decode_param", &[&[TEXT]], TEXT, |args| {
            let rows = args[0].as_string::<i32>().iter().map(|text| text.map(url_decoded).transpose());
            Ok(Arc::new(rows.collect::<Result<StringArray>>()?))
        }),
    ]
}

fn all_valid(args: &[ArrayRef], i: usize) -> bool {
    args.iter().all(|arg| arg.is_valid(i))
}

/// Where a text stands in another, from a position on, the n-th time; 0 if it does not.
fn instr(args: &[ArrayRef]) -> Result<ArrayRef> {
    let (texts, parts) = (args[0].as_string::<i32>(), args[1].as_string::<i32>());
    let number = |c: usize, i: usize| args.get(c).map_or(1, |n| n.as_primitive::<Int32Type>().value(i));
    let rows = (0..texts.len())
        .map(|i| all_valid(args, i).then(|| position(texts.value(i), parts.value(i), number(2, i), number(3, i))));
    Ok(Arc::new(rows.collect::<Int32Array>()))
}

fn position(text: &str, part: &str, from: i32, n: i32) -> i32 {
    let text: Vec<char> = text.chars().collect();
    let part: Vec<char> = part.chars().collect();
    let matches = |at: &usize| text[*at..].starts_with(&part);
    let last = text.len().checked_sub(part.len());
    let (Some(last), Ok(n)) = (last, usize::try_from(n)) else { return 0 };
    let skipped = usize::try_from(from.unsigned_abs()).unwrap_or(usize::MAX).saturating_sub(1);
    let found = match (n.checked_sub(1), from < 0) {
        (None, _) => None,
        (Some(n), false) => (skipped..=last).filter(matches).nth(n),
        // a negative position counts from the end, backwards
        (Some(n), true) => (0..=last).rev().filter(|at| at + part.len() + skipped <= text.len()).filter(matches).nth(n),
    };
    found.and_then(|at| i32::try_from(at + 1).ok()).unwrap_or(0)
}

fn split(text: &str, by: &str) -> Vec<String> {
    match by.is_empty() {
        true => text.chars().map(String::from).collect(),
        false => text.split(by).map(str::to_string).collect(),
    }
}

fn lists(args: &[ArrayRef], parts: fn(&str, &str) -> Result<Vec<String>>) -> Result<ArrayRef> {
    let (texts, by) = (args[0].as_string::<i32>(), args[1].as_string::<i32>());
    let mut lists = ListBuilder::new(StringBuilder::new());
    for i in 0..texts.len() {
        if all_valid(args, i) {
            lists.append_value(parts(texts.value(i), by.value(i))?.into_iter().map(Some));
        } else {
            lists.append_null();
        }
    }
    Ok(Arc::new(lists.finish()))
}

/// ELT(n, a, b, …): the n-th text; NULL if there is none.
fn elt(args: &[ArrayRef]) -> Result<ArrayRef> {
    let rows = (0..args[0].len()).map(|i| {
        let n = args[0].is_valid(i).then(|| args[0].as_primitive::<Int32Type>().value(i))?;
        let text = args.get(usize::try_from(n).ok().filter(|n| *n > 0)?)?;
        text.is_valid(i).then(|| text.as_string::<i32>().value(i))
    });
    Ok(Arc::new(rows.collect::<StringArray>()))
}

/// FIELD(x, a, b, …): which of them x is, from 1; 0 if none.
fn field(args: &[ArrayRef]) -> Result<ArrayRef> {
    let wanted = args[0].as_string::<i32>();
    let rows = (0..wanted.len()).map(|i| {
        let is = |text: &ArrayRef| text.is_valid(i) && text.as_string::<i32>().value(i) == wanted.value(i);
        let place = match wanted.is_valid(i) {
            true => args[1..].iter().position(is).map_or(0, |at| at + 1),
            false => 0,
        };
        i32::try_from(place).ok()
    });
    Ok(Arc::new(rows.collect::<Int32Array>()))
}

fn compiled(regex: &str) -> Result<Regex> {
    Regex::new(regex).map_err(|_| exec_datafusion_err!("'{regex}' is no regular expression"))
}

/// REGEXP_EXTRACT(regex, text [, group]): the first match; NULL if there is none.
fn extract(args: &[ArrayRef]) -> Result<ArrayRef> {
    let (regexes, texts) = (args[0].as_string::<i32>(), args[1].as_string::<i32>());
    let mut last: Option<(String, Regex)> = None;
    let rows = (0..texts.len()).map(|i| {
        if !all_valid(args, i) {
            return Ok(None);
        }
        let written = regexes.value(i);
        let regex = match &last {
            Some((known, regex)) if known == written => regex.clone(),
            _ => compiled(written)?,
        };
        let group = args.get(2).map_or(0, |group| group.as_primitive::<Int32Type>().value(i));
        let found = regex
            .captures(texts.value(i))
            .and_then(|all| all.get(usize::try_from(group).ok()?).map(|m| m.as_str().to_string()));
        last = Some((written.to_string(), regex));
        Ok(found)
    });
    Ok(Arc::new(rows.collect::<Result<StringArray>>()?))
}

fn to_bytes(args: &[ArrayRef]) -> Result<ArrayRef> {
    let (texts, encodings) = (args[0].as_string::<i32>(), args[1].as_string::<i32>());
    let rows = (0..texts.len()).map(|i| {
        if !all_valid(args, i) {
            return Ok(None);
        }
        let text = texts.value(i);
        let bytes = match encodings.value(i).to_lowercase().as_str() {
            "utf8" | "ascii" => Some(text.as_bytes().to_vec()),
            "hex" => unhex(text.trim_start_matches("0x")),
            "base64" => unbase64(text),
            other => return exec_err!("{other} is no encoding; hex, utf8, ascii and base64 are"),
        };
        bytes.map(Some).ok_or_else(|| exec_datafusion_err!("'{text}' is not {}", encodings.value(i)))
    });
    Ok(Arc::new(rows.collect::<Result<Vec<_>>>()?.iter().map(Option::as_deref).collect::<BinaryArray>()))
}

fn from_bytes(args: &[ArrayRef]) -> Result<ArrayRef> {
    let (bytes, encodings) = (args[0].as_binary::<i32>(), args[1].as_string::<i32>());
    let rows = (0..bytes.len()).map(|i| {
        if !all_valid(args, i) {
            return Ok(None);
        }
        let bytes = bytes.value(i);
        match encodings.value(i).to_lowercase().as_str() {
            "utf8" | "ascii" => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(Some(text.to_string())),
                Err(_) => exec_err!("the bytes are no UTF-8"),
            },
            "hex" => Ok(Some(bytes.iter().map(|byte| format!("{byte:02X}")).collect())),
            "base64" => Ok(Some(base64(bytes))),
            other => exec_err!("{other} is no encoding; hex, utf8, ascii and base64 are"),
        }
    });
    Ok(Arc::new(rows.collect::<Result<StringArray>>()?))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let nibble = |digit: &u8| (*digit as char).to_digit(16).map(|n| n as u8);
    digits
        .len()
        .is_multiple_of(2)
        .then(|| digits.chunks(2).map(|pair| Some(nibble(&pair[0])? * 16 + nibble(&pair[1])?)).collect())
        .flatten()
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            match i <= chunk.len() {
                true => out.push(BASE64[(word >> (18 - 6 * i) & 63) as usize] as char),
                false => out.push('='),
            }
        }
    }
    out
}

fn unbase64(text: &str) -> Option<Vec<u8>> {
    let mut out = vec![];
    let (mut word, mut bits) = (0_u32, 0);
    for digit in text.trim_end_matches('=').bytes() {
        let value = BASE64.iter().position(|known| *known == digit)?;
        word = word << 6 | value as u32;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((word >> bits) as u8);
        }
    }
    Some(out)
}

fn url_encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' => out.push(byte as char),
            b' ' => out.push('+'),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

fn url_decoded(text: &str) -> Result<String> {
    let mut bytes = vec![];
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let code = tail.get(..2).and_then(|code| unhex(std::str::from_utf8(code).ok()?));
                match code {
                    Some(byte) => bytes.extend(byte),
                    None => return exec_err!("'{text}' is not URL-encoded"),
                }
                rest = &tail[2..];
            }
            other => bytes.push(*other),
        }
    }
    String::from_utf8(bytes).map_err(|_| exec_datafusion_err!("'{text}' is not URL-encoded"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_from_both_ends() {
        assert_eq!(position("CORPORATE FLOOR", "OR", 1, 1), 2);
        assert_eq!(position("CORPORATE FLOOR", "OR", 3, 2), 14);
        assert_eq!(position("CORPORATE FLOOR", "OR", -3, 1), 5);
        assert_eq!(position("abc", "x", 1, 1), 0);
        assert_eq!(position("abc", "abcd", 1, 1), 0);
    }

    #[test]
    fn bytes_have_texts() {
        assert_eq!(base64(b"foob"), "Zm9vYg==");
        assert_eq!(unbase64("Zm9vYg==").as_deref(), Some(b"foob".as_slice()));
        assert_eq!(unhex("0a1F").as_deref(), Some([10, 31].as_slice()));
        assert_eq!(url_decoded(&url_encoded("a b/ü")).unwrap(), "a b/ü");
    }
}
