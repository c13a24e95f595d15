//! Rows as `millrace run --format json` prints them, hashed as the answer says.

use millrace_bench_input::Answer;
use millrace_bench_input::answer::{hash_decimal, hash_f64, hash_i64, hash_null, hash_text};
use serde::Deserialize;

use crate::machine::day_number;

/// Columns of the result whose rows follow, and what they add up to.
#[derive(Default)]
pub(super) struct Rows {
    columns: Vec<Column>,
    /// Rows of changes that came before the answer.
    pub(super) changes: u64,
    /// The rows of the answer.
    pub(super) answer: Answer,
}

#[derive(Deserialize)]
struct Head {
    columns: Vec<Column>,
}

#[derive(Deserialize)]
struct Column {
    name: String,
    #[serde(rename = "type")]
    sql_type: String,
}

impl Rows {
    /// A line of output.
    pub(super) fn line(&mut self, line: &str) -> Result<(), String> {
        let wrong = |e: &dyn std::fmt::Display| format!("{line}: {e}");
        if line.starts_with("{\"statement\":") {
            self.columns = serde_json::from_str::<Head>(line).map_err(|e| wrong(&e))?.columns;
        } else if line.starts_with("{\"tick\":") {
            self.changes += 1;
        } else {
            let mut rest = line.strip_prefix('{').ok_or_else(|| wrong(&"no object"))?;
            let mut hash = 0;
            for column in &self.columns {
                let name = format!("\"{}\":", column.name);
                let after = rest.strip_prefix(&name).ok_or_else(|| wrong(&format!("{name} is expected at {rest}")))?;
                let (value, left) = after.split_at(value_length(after));
                hash = fold(hash, value, &column.sql_type).map_err(|e| wrong(&e))?;
                rest = left.strip_prefix(',').unwrap_or(left);
            }
            if rest != "}" {
                return Err(wrong(&format!("more than the columns: {rest}")));
            }
            self.answer.add(hash, 1);
        }
        Ok(())
    }
}

/// Bytes of the value that `text` begins with: a text with its quotes, or all up to a comma or the end of the object.
fn value_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    if bytes.first() != Some(&b'"') {
        return bytes.iter().position(|b| matches!(b, b',' | b'}')).unwrap_or(bytes.len());
    }
    let mut i = 1;
    while i < bytes.len() && bytes[i] != b'"' {
        i += if bytes[i] == b'\\' { 2 } else { 1 };
    }
    (i + 1).min(bytes.len())
}

fn fold(hash: u64, text: &str, sql_type: &str) -> Result<u64, String> {
    let quoted = || serde_json::from_str::<String>(text).map_err(|e| e.to_string());
    Ok(match sql_type.split('(').next().unwrap_or_default() {
        _ if text == "null" => hash_null(hash),
        "BIGINT" | "INT" => hash_i64(hash, text.parse().map_err(|e| format!("{text}: {e}"))?),
        "VARCHAR" => hash_text(hash, &quoted()?),
        "BOOLEAN" => hash_i64(hash, (text == "true").into()),
        "DOUBLE" => hash_f64(hash, text.parse().map_err(|e| format!("{text}: {e}"))?),
        "DECIMAL" => {
            let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
            let digits = format!("{whole}{fraction}").parse().map_err(|e| format!("{text}: {e}"))?;
            hash_decimal(hash, digits, fraction.len() as u32)
        }
        "DATE" => {
            let parts: Vec<i64> = quoted()?.split('-').filter_map(|part| part.parse().ok()).collect();
            let [y, m, d] = parts[..] else { return Err(format!("{text} is no date")) };
            hash_i64(hash, day_number(y, m, d))
        }
        other => return Err(format!("no row hash of {other}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_rows_hash_as_their_values() {
        let mut rows = Rows::default();
        let head = r#"{"statement":3,"columns":[{"name":"A","type":"BIGINT"},{"name":"X","type":"DECIMAL(23, 3)"},{"name":"D","type":"DATE"},{"name":"E","type":"VARCHAR"},{"name":"N","type":"BIGINT"}]}"#;
        rows.line(head).unwrap();
        rows.line(r#"{"tick":1,"diff":1,"row":{"A":0}}"#).unwrap();
        rows.line(r#"{"A":-7,"X":-0.050,"D":"1970-01-03","E":"a\"é","N":null}"#).unwrap();
        let hash = hash_text(hash_i64(hash_decimal(hash_i64(0, -7), -5, 2), 2), "a\"é");
        assert_eq!(rows.answer, Answer { rows: 1, hash: hash_null(hash) });
        assert_eq!(rows.changes, 1);
        assert!(rows.line(r#"{"A":1}"#).is_err());
    }
}
