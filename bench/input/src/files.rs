//! An input as files: for each table JSON lines and Parquet, and `input.json`, as [`protocol`](crate::protocol) says.
//!
//! Both forms hold the same records in the same order. A folder is written once: it gets its name when it is complete.

mod json;
mod parquet;
mod records;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::spec::Spec;
use crate::table::{Table, Tick};

use self::json::{JsonFile, JsonLines};
use self::parquet::ParquetFile;
use self::records::records;

/// The file that describes the others.
pub const DESCRIPTION: &str = "input.json";

#[derive(Serialize)]
struct Description<'a> {
    spec: &'a Spec,
    load_ticks: usize,
    tables: Vec<Described>,
}

#[derive(Serialize)]
struct Described {
    #[serde(flatten)]
    table: Table,
    rows: Vec<usize>,
}

struct Writers {
    described: Described,
    json: JsonFile,
    parquet: ParquetFile,
}

/// The same JSON lines in memory, tick by tick: for a file that grows while it is read.
pub struct Lines {
    tables: Vec<(Table, JsonLines)>,
}

impl Lines {
    /// Of these tables, which have all the columns of files.
    pub fn new(tables: Vec<Table>) -> Lines {
        let with_lines = |table: Table| {
            let lines = JsonLines::new(&table);
            (table, lines)
        };
        Lines { tables: tables.into_iter().map(with_lines).collect() }
    }

    /// Puts the records of a tick behind what is there, one text a table; returns how many records each table has got.
    ///
    /// # Errors
    /// As [`folder`].
    pub fn append(&self, tick: &Tick, texts: &mut [Vec<u8>]) -> Result<Vec<usize>, String> {
        let each = self.tables.iter().zip(tick).zip(texts);
        let counts = each.map(|(((table, lines), batch), text)| {
            let (ops, rows) = records(table, batch)?;
            lines.append(ops.as_deref(), &rows, text).map_err(|e| format!("{}: {e}", table.name))?;
            Ok(rows.len())
        });
        counts.collect()
    }
}

/// The folder of this input below `root`; writes it unless it is there.
///
/// # Errors
/// If a table takes rows back and has no key, or a file cannot be written.
pub fn folder(spec: &Spec, root: &Path) -> Result<PathBuf, String> {
    let folder = root.join(spec.key());
    if folder.join(DESCRIPTION).exists() {
        return Ok(folder);
    }
    let partial = root.join(format!("{}.partial-{}", spec.key(), std::process::id()));
    let at = |e: io::Error| format!("{}: {e}", partial.display());
    fs::create_dir_all(&partial).map_err(at)?;
    write(spec, &partial)?;
    match fs::rename(&partial, &folder) {
        // somebody else was as fast: theirs is the same
        Err(_) if folder.join(DESCRIPTION).exists() => fs::remove_dir_all(&partial).map_err(at)?,
        result => result.map_err(at)?,
    }
    Ok(folder)
}

fn write(spec: &Spec, folder: &Path) -> Result<(), String> {
    let tables = spec.workload.tables(spec, true);
    let mut writers = vec![];
    for table in tables {
        let json = JsonFile::create(&folder.join(format!("{}.jsonl", table.name)), &table)?;
        let parquet = ParquetFile::create(&folder.join(format!("{}.parquet", table.name)), &table)?;
        writers.push(Writers { described: Described { table, rows: vec![] }, json, parquet });
    }
    for tick in spec.workload.ticks(spec, true) {
        for (writer, batch) in writers.iter_mut().zip(&tick) {
            let (ops, rows) = records(&writer.described.table, batch)?;
            writer.json.write(ops.as_deref(), &rows)?;
            writer.parquet.write(ops.as_deref(), &rows)?;
            writer.described.rows.push(rows.len());
        }
    }
    let mut described = vec![];
    for writer in writers {
        writer.json.finish()?;
        writer.parquet.finish()?;
        described.push(writer.described);
    }
    let description = Description { spec, load_ticks: spec.sizes().1, tables: described };
    let text = serde_json::to_string_pretty(&description).map_err(|e| e.to_string())?;
    fs::write(folder.join(DESCRIPTION), text).map_err(|e| format!("{}: {e}", folder.display()))
}

#[cfg(test)]
mod tests;
