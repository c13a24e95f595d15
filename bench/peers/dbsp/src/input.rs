//! From columns to DBSP's rows: a vector for each handle and tick, appended at once.

use arrow::array::{Array, AsArray, StringArray};
use arrow::datatypes::Int64Type;
use dbsp::utils::Tup2;
use dbsp::{DBData, IndexedZSetHandle, ZSetHandle};
use millrace_bench_input::Tick;
use millrace_data::Batch;

/// What a circuit takes: makes the rows of a tick, and says how to append them.
pub(crate) type Feed = Box<dyn Fn(&Tick) -> Append + Send>;

/// Rows that are made; a call hands them to the circuit.
pub(crate) type Append = Box<dyn FnOnce()>;

/// Rows of a Z-set: `row` makes the `i`th of the batch.
pub(crate) fn rows<K: DBData>(handle: &ZSetHandle<K>, batch: &Batch, row: impl Fn(usize) -> K) -> Append {
    let mut rows: Vec<Tup2<K, i64>> = (0..batch.len()).map(|i| Tup2(row(i), batch.diff(i))).collect();
    let handle = handle.clone();
    Box::new(move || handle.append(&mut rows))
}

/// The same where the query does something to single rows that is better done before DBSP sorts them: `row` makes the
/// `i`th, `query` makes of it what is fed, if anything, while the clock runs.
pub(crate) fn rows_of<R: 'static, K: DBData>(
    handle: &ZSetHandle<K>,
    batch: &Batch,
    row: impl Fn(usize) -> R,
    query: impl Fn(R) -> Option<K> + 'static,
) -> Append {
    let rows: Vec<(R, i64)> = (0..batch.len()).map(|i| (row(i), batch.diff(i))).collect();
    let handle = handle.clone();
    Box::new(move || {
        let fed = rows.into_iter().filter_map(|(row, diff)| query(row).map(|key| Tup2(key, diff)));
        handle.append(&mut fed.collect());
    })
}

/// As [`rows`], for a Z-set with an index.
pub(crate) fn pairs<K: DBData, V: DBData>(
    handle: &IndexedZSetHandle<K, V>,
    batch: &Batch,
    row: impl Fn(usize) -> (K, V),
) -> Append {
    let pair = |i| {
        let (key, value) = row(i);
        Tup2(key, Tup2(value, batch.diff(i)))
    };
    let mut rows: Vec<Tup2<K, Tup2<V, i64>>> = (0..batch.len()).map(pair).collect();
    let handle = handle.clone();
    Box::new(move || handle.append(&mut rows))
}

/// As [`rows_of`], for a Z-set with an index.
pub(crate) fn pairs_of<R: 'static, K: DBData, V: DBData>(
    handle: &IndexedZSetHandle<K, V>,
    batch: &Batch,
    row: impl Fn(usize) -> R,
    query: impl Fn(R) -> Option<(K, V)> + 'static,
) -> Append {
    let rows: Vec<(R, i64)> = (0..batch.len()).map(|i| (row(i), batch.diff(i))).collect();
    let handle = handle.clone();
    Box::new(move || {
        let fed = rows.into_iter().filter_map(|(row, diff)| query(row).map(|(k, v)| Tup2(k, Tup2(v, diff))));
        handle.append(&mut fed.collect());
    })
}

/// One after the other.
pub(crate) fn both(first: Append, second: Append) -> Append {
    Box::new(move || {
        first();
        second();
    })
}

/// The first columns, which are BIGINT.
pub(crate) fn numbers<const N: usize>(batch: &Batch) -> [&[i64]; N] {
    std::array::from_fn(|c| number(batch, c))
}

/// A BIGINT column without NULLs.
pub(crate) fn number(batch: &Batch, column: usize) -> &[i64] {
    batch.column(column).as_primitive::<Int64Type>().values()
}

/// A nullable value of a BIGINT column.
pub(crate) fn nullable(batch: &Batch, column: usize, i: usize) -> Option<i64> {
    let values = batch.column(column).as_primitive::<Int64Type>();
    values.is_valid(i).then(|| values.value(i))
}

/// A VARCHAR column.
pub(crate) fn texts(batch: &Batch, column: usize) -> &StringArray {
    batch.column(column).as_string::<i32>()
}

/// A nullable text.
pub(crate) fn nullable_text(batch: &Batch, column: usize, i: usize) -> Option<String> {
    let values = texts(batch, column);
    values.is_valid(i).then(|| values.value(i).to_owned())
}
