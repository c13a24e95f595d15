//! Reads the records of an `.slt` file.

/// A statement or query with what it must do.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// Where it begins, from 1.
    pub(super) line: usize,
    pub(super) sql: String,
    pub(super) body: Body,
    only: Vec<String>,
    skip: Vec<String>,
}

/// What a record must do.
#[derive(Clone, Debug)]
pub(super) enum Body {
    /// A statement that succeeds.
    Statement,
    /// A statement or query that fails with this SQLSTATE.
    Fails(String),
    /// A query that answers.
    Query(Query),
}

/// What a query must answer.
#[derive(Clone, Debug)]
pub(super) struct Query {
    /// A letter a column.
    pub(super) types: String,
    pub(super) rowsort: bool,
    /// Rows that are errors.
    pub(super) missing: u64,
    pub(super) rows: Vec<String>,
    /// Line of the word `query`, from 1.
    pub(super) head_line: usize,
    /// Line of `----`, from 1: the rows follow it.
    pub(super) rows_line: usize,
}

impl Record {
    /// Whether it is meant for what has this label.
    pub(super) fn holds(&self, label: &str) -> bool {
        let ways = ["pull", "maintained"];
        let kind = |other: &str| ways.contains(&other) == ways.contains(&label);
        let only = self.only.iter().filter(|o| kind(o)).all(|only| only == label);
        only && !self.skip.iter().any(|skip| skip == label)
    }
}

/// All records of a file.
pub(super) fn parse(text: &str) -> Result<Vec<Record>, String> {
    let lines: Vec<&str> = text.lines().collect();
    let (mut records, mut at) = (vec![], 0);
    let (mut only, mut skip) = (vec![], vec![]);
    while at < lines.len() {
        let words: Vec<&str> = lines[at].split_whitespace().collect();
        match words.as_slice() {
            [] => at += 1,
            [first, ..] if first.starts_with('#') => at += 1,
            ["onlyif", label] => {
                only.push((*label).to_owned());
                at += 1;
            }
            ["skipif", label] => {
                skip.push((*label).to_owned());
                at += 1;
            }
            ["statement" | "query", ..] => {
                let (mut record, next) = record(&lines, at, &words)?;
                (record.only, record.skip) = (std::mem::take(&mut only), std::mem::take(&mut skip));
                records.push(record);
                at = next;
            }
            _ => return Err(format!("{}: not a record: {}", at + 1, lines[at])),
        }
    }
    Ok(records)
}

/// The record whose first line is `at`, and the line behind it.
fn record(lines: &[&str], at: usize, words: &[&str]) -> Result<(Record, usize), String> {
    let ends = |line: &&str| line.trim().is_empty() || *line == "----";
    let sql_end = lines[at + 1..].iter().position(ends).map_or(lines.len(), |n| at + 1 + n);
    let sql = lines[at + 1..sql_end].join("\n");
    let wrong = |what: &str| Err(format!("{}: {what}: {}", at + 1, lines[at]));
    let mut next = sql_end;
    let body = match words {
        ["statement", "ok"] => Body::Statement,
        ["statement" | "query", "error", sqlstate] => Body::Fails((*sqlstate).to_owned()),
        ["query", types, options @ ..] => {
            if lines.get(sql_end) != Some(&"----") {
                return wrong("a query has no ----");
            }
            let rows: Vec<String> =
                lines[sql_end + 1..].iter().take_while(|l| !l.is_empty()).map(|l| (*l).to_owned()).collect();
            next = sql_end + 1 + rows.len();
            let (mut rowsort, mut missing) = (false, 0);
            for option in options {
                match (*option, option.strip_prefix("missing=").map(str::parse)) {
                    ("rowsort", _) => rowsort = true,
                    (_, Some(Ok(rows))) => missing = rows,
                    _ => return wrong("an option that is none"),
                }
            }
            let types = (*types).to_owned();
            Body::Query(Query { types, rowsort, missing, rows, head_line: at + 1, rows_line: sql_end + 1 })
        }
        _ => return wrong("neither ok, error nor a query"),
    };
    Ok((Record { line: at + 1, sql, body, only: vec![], skip: vec![] }, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_have_conditions_options_and_rows() {
        let text = "# c\n\nskipif postgres\nonlyif pull\nquery IT rowsort missing=2\nSELECT\n1\n----\n1 a\n2 b\n\nstatement ok\nX\n\nquery error 42601\nY";
        let records = parse(text).unwrap();
        assert_eq!(records.len(), 3);
        let Body::Query(query) = &records[0].body else { panic!("{records:?}") };
        assert_eq!((query.types.as_str(), query.rowsort, query.missing), ("IT", true, 2));
        assert_eq!((query.rows.join("|"), query.head_line, query.rows_line), ("1 a|2 b".to_owned(), 5, 8));
        assert_eq!(records[0].sql, "SELECT\n1");
        assert!(records[0].holds("millrace") && records[0].holds("pull"));
        assert!(!records[0].holds("maintained") && !records[0].holds("postgres"));
        assert!(matches!(&records[2].body, Body::Fails(state) if state == "42601"));
        assert!(records[1].holds("maintained"));
    }

    #[test]
    fn what_is_no_record_is_told() {
        assert!(parse("quer I").unwrap_err().starts_with("1: not a record"));
        assert!(parse("query I\nSELECT 1").unwrap_err().contains("no ----"));
        assert!(parse("query I wrong\nSELECT 1\n----").unwrap_err().contains("option"));
    }
}
