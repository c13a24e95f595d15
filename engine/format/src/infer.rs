//! Columns from a sample of the data.
//!
//! Each format knows best what its values look like: JSON in [`json`], delimited text in [`delimited`], Parquet says its
//! types itself ([`infer_parquet`](crate::infer_parquet)). Names are those of the data; [`fold_names`] turns them into
//! what SQL would call them.

mod delimited;
mod json;

pub use delimited::infer_delimited;
pub use json::infer_json;

use crate::ColumnSpec;

/// Folds names to upper case, as SQL does with names without quotes, except those that differ from another one in case
/// only.
pub fn fold_names(columns: &mut [ColumnSpec]) {
    let folded: Vec<String> = columns.iter().map(|c| c.name.to_uppercase()).collect();
    for (i, column) in columns.iter_mut().enumerate() {
        if folded.iter().filter(|name| **name == folded[i]).count() == 1 {
            column.name.clone_from(&folded[i]);
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::DataType;

    use super::*;

    #[test]
    fn names_fold_unless_they_would_meet() {
        let mut columns: Vec<ColumnSpec> =
            ["id", "Name", "NAME", "zoë"].iter().map(|n| ColumnSpec::new(*n, DataType::Utf8)).collect();
        fold_names(&mut columns);
        let names: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["ID", "Name", "NAME", "ZOË"]);
    }
}
