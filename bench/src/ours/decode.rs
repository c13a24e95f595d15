//! T0: the file source alone, all columns, on one thread.

use std::collections::BTreeMap;

use arrow::datatypes::DataType;
use millrace_bench_input::table::SqlType;
use millrace_bench_input::{Answer, Figures, Request, Stopwatch, Table};
use millrace_connect::{Column, Read, SourceRequest, open_source};
use millrace_world::World;

/// Rows of a read, as the session asks for them.
const READ_ROWS: usize = 10_000;

pub(super) fn measure(request: &Request) -> Result<Figures, String> {
    let folder = request.files.as_ref().ok_or("T0 needs files")?;
    let mut clock = Stopwatch::default();
    clock.start();
    let mut rows = 0;
    for table in request.spec.workload.tables(&request.spec, true) {
        let path = folder.join(format!("{}.jsonl", table.name)).display().to_string();
        let options = BTreeMap::from([("CONNECTOR".to_owned(), "file".to_owned()), ("PATH".to_owned(), path)]);
        let columns = columns(&table);
        let source = SourceRequest { options: &options, columns: &columns, table: false, wanted: None };
        let source = open_source(&source, &World::real()).map_err(|e| format!("{e:?}"))?;
        for partition in 0..source.partitions() {
            let mut reader = source.open(partition).map_err(|e| format!("{e:?}"))?;
            loop {
                match reader.read(READ_ROWS).map_err(|e| format!("{e:?}"))? {
                    Read::Batch(batch) if batch.errors.is_empty() => rows += batch.batch.len() as i64,
                    Read::Batch(batch) => return Err(format!("a record could not be read: {:?}", batch.errors[0])),
                    Read::Idle => (),
                    Read::End => break,
                }
                clock.first();
            }
        }
    }
    clock.stop();
    Ok(Figures::of(Answer { rows, hash: 0 }, &clock))
}

/// The columns of the files, as the catalog names them.
fn columns(table: &Table) -> Vec<Column> {
    let op = table.retracts.then(|| ("OP".to_owned(), DataType::Utf8));
    let columns = table.columns.iter().map(|c| {
        let data_type = match c.sql_type {
            SqlType::BigInt => DataType::Int64,
            SqlType::Int => DataType::Int32,
            SqlType::Varchar => DataType::Utf8,
            SqlType::Decimal(precision, scale) => DataType::Decimal128(precision, scale),
            SqlType::Date => DataType::Date32,
            SqlType::Double => DataType::Float64,
        };
        (c.name.to_uppercase(), data_type)
    });
    op.into_iter().chain(columns).collect()
}
