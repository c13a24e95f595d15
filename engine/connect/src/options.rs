//! The options of `WITH (…)`: upper-case names, values as text.
//!
//! An option that the connector does not know is an error: a misspelt RATE must not go unnoticed.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::error::ConnectError;

/// Options that say nothing to the connector: the session reads them.
const COMMON: [&str; 2] = ["CONNECTOR", "ON_ERROR"];

/// Options of one relation, all of them known.
pub(crate) struct Options<'a> {
    values: &'a BTreeMap<String, String>,
}

impl<'a> Options<'a> {
    /// # Errors
    /// If an option is not among `known`.
    pub(crate) fn new(
        connector: &str,
        values: &'a BTreeMap<String, String>,
        known: &[&str],
    ) -> Result<Self, ConnectError> {
        for name in values.keys() {
            if !COMMON.contains(&name.as_str()) && !known.contains(&name.as_str()) {
                let message = format!("CONNECTOR = '{connector}' has no property {name}");
                return Err(ConnectError::option(name, message).hint(suggest(name, known)));
            }
        }
        Ok(Options { values })
    }

    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        self.values.get(name).map(String::as_str)
    }

    pub(crate) fn boolean(&self, name: &str, default: bool) -> Result<bool, ConnectError> {
        let Some(text) = self.text(name) else { return Ok(default) };
        if text.eq_ignore_ascii_case("true") {
            Ok(true)
        } else if text.eq_ignore_ascii_case("false") {
            Ok(false)
        } else {
            Err(ConnectError::option(name, format!("{name} is '{text}', it may be true or false")))
        }
    }

    /// A whole number ≥ 0.
    pub(crate) fn whole_number(&self, name: &str) -> Result<Option<u64>, ConnectError> {
        self.parsed(name, "a whole number from 0 on")
    }

    /// `what` completes "it must be …".
    pub(crate) fn parsed<T: FromStr>(&self, name: &str, what: &str) -> Result<Option<T>, ConnectError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match text.trim().parse() {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(ConnectError::option(name, format!("{name} is '{text}', it must be {what}"))),
        }
    }
}

/// A hint for a name that is none of `known`.
pub(crate) fn suggest(name: &str, known: &[&str]) -> String {
    let near = known.iter().map(|k| (distance(&name.to_uppercase(), &k.to_uppercase()), *k)).min();
    match near {
        Some((d, near)) if d <= 2 && d < near.len() => format!("did you mean {near}?"),
        _ => format!("there are {}", known.join(", ")),
    }
}

/// Edits from one text to the other; texts are short.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let cost = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn unknown_options_are_errors_with_the_nearest_name() {
        let values = options(&[("CONNECTOR", "generator"), ("RATES", "5")]);
        let error = Options::new("generator", &values, &["RATE", "ROWS", "SEED"]).err().unwrap();
        assert_eq!(error.option.as_deref(), Some("RATES"));
        assert_eq!(error.message, "CONNECTOR = 'generator' has no property RATES");
        assert_eq!(error.hint.as_deref(), Some("did you mean RATE?"));
        assert_eq!(suggest("PARTITIONS", &["RATE", "ROWS"]), "there are RATE, ROWS");
    }

    #[test]
    fn values_are_checked() {
        let values = options(&[("HEADER", "TRUE"), ("FOLLOW", "yes"), ("ROWS", "-1")]);
        let options = Options::new("file", &values, &["HEADER", "FOLLOW", "ROWS"]).unwrap();
        assert_eq!(options.boolean("HEADER", false), Ok(true));
        assert_eq!(options.boolean("OTHER", true), Ok(true));
        assert_eq!(options.boolean("FOLLOW", false).unwrap_err().message, "FOLLOW is 'yes', it may be true or false");
        assert_eq!(options.whole_number("ROWS").unwrap_err().option.as_deref(), Some("ROWS"));
        assert_eq!(options.whole_number("SEED"), Ok(None));
    }
}
