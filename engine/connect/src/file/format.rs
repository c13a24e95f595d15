//! VALUE_FORMAT and what belongs to it: how the bytes of a file are to be read.

use std::path::Path;

use millrace_format::DelimitedOptions;

use crate::error::{ConnectError, ConnectErrorKind};
use crate::options::Options;

/// Formats of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileFormat {
    /// One object a line.
    Json,
    /// RFC 4180 and its relatives.
    Delimited,
    /// Columns with a schema of their own.
    Parquet,
}

impl FileFormat {
    /// The extensions that say a format.
    pub(super) const EXTENSIONS: [&str; 7] = [".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".parquet", ".pq"];

    /// As VALUE_FORMAT writes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            FileFormat::Json => "JSON",
            FileFormat::Delimited => "DELIMITED",
            FileFormat::Parquet => "PARQUET",
        }
    }

    /// What the extension says, before one of compression.
    pub(super) fn of_path(path: &Path) -> Option<Self> {
        match extension(path).as_str() {
            "json" | "jsonl" | "ndjson" => Some(FileFormat::Json),
            "csv" | "tsv" => Some(FileFormat::Delimited),
            "parquet" | "pq" => Some(FileFormat::Parquet),
            _ => None,
        }
    }

    /// What VALUE_FORMAT says.
    ///
    /// # Errors
    /// If it is none that files can have.
    pub(super) fn of_options(options: &Options<'_>) -> Result<Option<Self>, ConnectError> {
        let Some(name) = options.text("VALUE_FORMAT") else { return Ok(None) };
        match name.to_ascii_uppercase().as_str() {
            "JSON" => Ok(Some(FileFormat::Json)),
            "DELIMITED" | "CSV" => Ok(Some(FileFormat::Delimited)),
            "PARQUET" => Ok(Some(FileFormat::Parquet)),
            _ => {
                let mut error =
                    ConnectError::option("VALUE_FORMAT", format!("files of format '{name}' cannot be read or written"));
                error.kind = ConnectErrorKind::NotSupported;
                Err(error.hint("there are JSON, DELIMITED, PARQUET"))
            }
        }
    }

    /// The error for a file whose format nobody says.
    pub(super) fn unknown(path: &Path) -> ConnectError {
        let message = format!("the name of {} does not say its format", path.display());
        ConnectError::option("PATH", message)
            .hint("add VALUE_FORMAT = 'JSON' (one object a line), 'DELIMITED' or 'PARQUET'")
    }
}

/// HEADER and VALUE_DELIMITER. `path` is the file (or the first of them): a `.tsv` is delimited by tabs.
///
/// # Errors
/// If they are given for another format, or have no meaning.
pub(super) fn delimited_options(
    options: &Options<'_>,
    format: FileFormat,
    path: Option<&Path>,
) -> Result<DelimitedOptions, ConnectError> {
    if format != FileFormat::Delimited {
        for name in ["HEADER", "VALUE_DELIMITER"] {
            if options.text(name).is_some() {
                let message = format!("{name} is for VALUE_FORMAT = 'DELIMITED', and this is {}", format.name());
                return Err(ConnectError::option(name, message));
            }
        }
    }
    let tabs = path.is_some_and(|p| extension(p) == "tsv");
    let delimiter = match options.text("VALUE_DELIMITER") {
        None => {
            if tabs {
                b'\t'
            } else {
                b','
            }
        }
        Some(text) => match (text.to_ascii_uppercase().as_str(), text.as_bytes()) {
            ("TAB" | "\\T", _) => b'\t',
            ("SPACE", _) => b' ',
            (_, [one]) if one.is_ascii() && !matches!(one, b'"' | b'\n' | b'\r') => *one,
            _ => {
                let message = format!(
                    "VALUE_DELIMITER is '{text}', it must be one ASCII character that is no quote, TAB or SPACE"
                );
                return Err(ConnectError::option("VALUE_DELIMITER", message));
            }
        },
    };
    Ok(DelimitedOptions { delimiter, header: options.boolean("HEADER", true)? })
}

/// The extension in lower case, one of compression left out.
fn extension(path: &Path) -> String {
    let name = path.file_name().map(|n| n.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let name = [".gz", ".zst"].iter().find_map(|z| name.strip_suffix(z)).unwrap_or(&name);
    name.rsplit_once('.').map(|(_, extension)| extension.to_owned()).unwrap_or_default()
}
