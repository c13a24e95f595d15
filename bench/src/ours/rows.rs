//! Rows as `millrace run --format json` prints them, hashed as the answer says.

use millrace_bench_input::Answer;
use millrace_bench_input::answer::{hash_decimal, hash_f64, hash_i64, hash_null, hash_text};
use serde::Deserialize;

use crate::machine::day_number;

/// Columns of the result whose rows follow, and what they add up to.
#[derive(Default)]
pub(super) struct Rows {
    columns: Vec<Column>,
    /// Changes are what is added up; otherwise they are only counted, and a plain row is a row of the answer.
    of_changes: bool,
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
    /// Of a result that is a changelog.
    pub(super) fn of_changes() -> Rows {
        Rows { of_changes: true, ..Rows::default() }
    }

    /// A line of output.
    pub(super) fn line(&mut self, line: &str) -> Result<(), String> {
        let wrong = |e: String| format!("{line}: {e}");
        if line.starts_with("{\"statement\":") {
            self.columns = serde_json::from_str::<Head>(line).map_err(|e| wrong(e.to_string()))?.columns;
        } else if line.starts_with("{\"tick\":") {
            self.changes += 1;
            if self.of_changes {
                let (diff, row) = change(line).map_err(wrong)?;
                self.answer.add(self.hash(row).map_err(wrong)?, diff);
            }
        } else {
            self.answer.add(self.hash(line).map_err(wrong)?, 1);
        }
        Ok(())
    }

    /// The hash of a row, which is an object with the columns in their order.
    fn hash(&self, row: &str) -> Result<u64, String> {
        let mut rest = row.strip_prefix('{').ok_or("no object")?;
        let mut hash = 0;
        for column in &self.columns {
            let name = format!("\"{}\":", column.name);
            let after = rest.strip_prefix(&name).ok_or_else(|| format!("{name} is expected at {rest}"))?;
            let (value, left) = after.split_at(value_length(after));
            hash = fold(hash, value, &column.sql_type)?;
            rest = left.strip_prefix(',').unwrap_or(left);
        }
        if rest == "}" { Ok(hash) } else { Err(format!("more than the columns: {rest}")) }
    }
}

/// Diff and row of `{"tick":7,"diff":-1,"row":{…}}`.
fn change(line: &str) -> Result<(i64, &str), String> {
    let (_, rest) = line.split_once(",\"diff\":").ok_or("no diff")?;
    let (diff, row) = rest.split_once(",\"row\":").ok_or("no row")?;
    let row = row.strip_suffix('}').ok_or("no end")?;
    Ok((diff.parse().map_err(|e| format!("{diff}: {e}"))?, row))
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
        "DATE" => hash_i64(hash, day(&quoted()?)?),
        "TIMESTAMP" => {
            let text = quoted()?;
            let (date, time) = text.split_once('T').ok_or_else(|| format!("{text} is no time"))?;
            // hours, minutes, seconds, thousandths
            let parts: Vec<i64> = time.split([':', '.']).filter_map(|part| part.parse().ok()).collect();
            let [h, m, s, ms] = parts[..] else { return Err(format!("{text} is no time")) };
            hash_i64(hash, (((day(date)? * 24 + h) * 60 + m) * 60 + s) * 1000 + ms)
        }
        other => return Err(format!("no row hash of {other}")),
    })
}

/// The day since 1970-01-01 of `2026-11-25`.
fn day(text: &str) -> Result<i64, String> {
    let parts: Vec<i64> = text.split('-').filter_map(|part| part.parse().ok()).collect();
    let [y, m, d] = parts[..] else { return Err(format!("{text} is no date")) };
    Ok(day_number(y, m, d))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_added_up_with_their_diffs() {
        let mut rows = Rows::of_changes();
        rows.line(r#"{"statement":3,"columns":[{"name":"A","type":"BIGINT"},{"name":"T","type":"TIMESTAMP"}]}"#)
            .unwrap();
        rows.line(r#"{"tick":1,"diff":1,"row":{"A":1,"T":"1970-01-01T00:00:00.000"}}"#).unwrap();
        rows.line(r#"{"tick":2,"diff":3,"row":{"A":2,"T":"1970-01-02T01:02:03.004"}}"#).unwrap();
        rows.line(r#"{"tick":3,"diff":-1,"row":{"A":1,"T":"1970-01-01T00:00:00.000"}}"#).unwrap();
        let ms = 86_400_000 + 3_600_000 + 2 * 60_000 + 3_004;
        let mut expected = Answer::default();
        expected.add(hash_i64(hash_i64(0, 2), ms), 3);
        assert_eq!((rows.answer, rows.changes), (expected, 3));
        assert!(rows.line(r#"{"tick":4,"row":{"A":1}}"#).is_err());
    }

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
