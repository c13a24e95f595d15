//! From changes with diffs to records with operations.

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use millrace_data::Batch;

use crate::table::Table;

/// The operations, unless the table only ever grows, and the rows that they speak of.
///
/// # Errors
/// If rows are taken back that have no BIGINT key, or a diff is neither 1 nor −1.
pub(super) fn records(table: &Table, batch: &Batch) -> Result<(Option<Vec<char>>, Batch), String> {
    if !table.retracts {
        return match batch.diffs() {
            None => Ok((None, batch.clone())),
            Some(_) => Err(format!("{} is said to grow only", table.name)),
        };
    }
    let key = table.key.ok_or_else(|| format!("{} has no key: files cannot say what it takes back", table.name))?;
    let keys = batch.column(key).as_primitive_opt::<Int64Type>();
    let keys = keys.ok_or_else(|| format!("the key of {} is not a BIGINT", table.name))?.values();
    let (mut ops, mut places) = (vec![], vec![]);
    let mut i = 0;
    while i < batch.len() {
        let replaced = i + 1 < batch.len() && keys[i + 1] == keys[i] && batch.diff(i + 1) == 1;
        let op = match batch.diff(i) {
            1 => 'c',
            -1 if replaced => {
                i += 1;
                'u'
            }
            -1 => 'd',
            other => return Err(format!("{}: a diff of {other}", table.name)),
        };
        ops.push(op);
        places.push(i as u32);
        i += 1;
    }
    let rows = batch.take(&places);
    let len = rows.len();
    Ok((Some(ops), Batch::new(rows.columns().to_vec(), None, len)))
}
