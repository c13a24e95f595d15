//! PATH: which files are meant, in which order.
//!
//! A path that exists is that file or folder, even if it has stars in its name; otherwise one with `*`, `?` or `[` is a
//! pattern. A folder means the files in it (not below it) whose extension is of the format; names that begin with `.`
//! or `_` are other programs' bookkeeping. A pattern means every file that matches, whatever its extension. Files are in
//! order of their paths.

use std::io;
use std::path::{Path, PathBuf};

use millrace_world::{FileKind, Files, Metadata, ReadFile};

use super::fault::Fault;
use super::format::FileFormat;
use crate::error::{ConnectError, io_words};

/// A file to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileToRead {
    pub(super) path: PathBuf,
    /// What it was when it was found.
    pub(super) metadata: Metadata,
}

/// What PATH means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Paths {
    One(PathBuf),
    Folder(PathBuf),
    Pattern(String),
}

impl Paths {
    /// # Errors
    /// If the path is neither there nor a pattern.
    pub(super) fn of(text: &str, files: &dyn Files) -> Result<Self, ConnectError> {
        if text.is_empty() {
            return Err(ConnectError::option("PATH", "PATH is empty"));
        }
        let path = PathBuf::from(text);
        match files.metadata(&path) {
            Ok(found) if found.kind == FileKind::Folder => Ok(Paths::Folder(path)),
            Ok(_) => Ok(Paths::One(path)),
            Err(_) if text.contains(['*', '?', '[']) => Ok(Paths::Pattern(text.to_owned())),
            Err(error) => Err(unreadable(&path, &error)),
        }
    }

    /// The files that are there now. `format` is what VALUE_FORMAT says.
    ///
    /// # Errors
    /// If they cannot be listed.
    pub(super) fn list(&self, format: Option<FileFormat>, files: &dyn Files) -> io::Result<Vec<FileToRead>> {
        let fits = |path: &Path| match (FileFormat::of_path(path), format) {
            (Some(found), Some(format)) => found == format,
            (found, _) => found.is_some(),
        };
        let paths = match self {
            Paths::One(path) => return Ok(vec![FileToRead { path: path.clone(), metadata: files.metadata(path)? }]),
            Paths::Folder(folder) => {
                let listed = files.list(folder)?.into_iter();
                listed.filter(|p| !is_bookkeeping(p) && fits(p)).collect()
            }
            Paths::Pattern(pattern) => files.glob(pattern)?,
        };
        // one that vanished between listing and looking was never there
        let looked_at = paths.into_iter().filter_map(|path| {
            let metadata = files.metadata(&path).ok()?;
            (metadata.kind != FileKind::Folder).then_some(FileToRead { path, metadata })
        });
        Ok(looked_at.collect())
    }

    /// The error for a list that is empty.
    pub(super) fn nothing_found(&self, format: Option<FileFormat>) -> ConnectError {
        let message = match self {
            Paths::One(path) => format!("there is no file {}", path.display()),
            Paths::Folder(folder) => match format {
                Some(format) => format!("folder {} has no {} files", folder.display(), format.name()),
                None => format!("folder {} has no files of a known format", folder.display()),
            },
            Paths::Pattern(pattern) => format!("no file matches {pattern}"),
        };
        let error = ConnectError::world("PATH", io::ErrorKind::NotFound, message);
        match self {
            Paths::Folder(folder) => error.hint(format!(
                "files are taken by their extension ({}); PATH = '{}' takes all",
                FileFormat::EXTENSIONS.join(", "),
                folder.join("*").display()
            )),
            _ => error,
        }
    }
}

fn is_bookkeeping(path: &Path) -> bool {
    path.file_name().is_some_and(|n| matches!(n.as_encoded_bytes().first(), Some(b'.' | b'_')))
}

/// PATH leads to something that cannot be read.
pub(super) fn unreadable(path: &Path, error: &io::Error) -> ConnectError {
    let message = format!("{} cannot be read: {}", path.display(), io_words(error));
    let connect_error = ConnectError::world("PATH", error.kind(), message);
    if error.kind() == io::ErrorKind::NotFound && path.is_relative() {
        return connect_error.hint("a relative PATH starts in the folder in which the engine was started");
    }
    connect_error
}

/// Opens a file that was found earlier, if it is still what it was.
pub(super) fn open_as_found(files: &dyn Files, file: &FileToRead) -> Result<Box<dyn ReadFile>, Fault> {
    let opened = files.open(&file.path).map_err(|e| Fault::open(&file.path, e))?;
    if file.metadata.kind == FileKind::File {
        let now = opened.metadata().map_err(|e| Fault::open(&file.path, e))?;
        if now.identity != file.metadata.identity {
            return Err(Fault::Changed(file.path.clone(), "was replaced by another file since it was declared"));
        }
        if now.len < file.metadata.len {
            return Err(Fault::Changed(file.path.clone(), "has become shorter since it was declared"));
        }
    }
    Ok(opened)
}

/// Bytes of the files, if all have a length.
pub(super) fn total_bytes(files: &[FileToRead]) -> Option<u64> {
    let files = files.iter().map(|f| (f.metadata.kind == FileKind::File).then_some(f.metadata.len));
    files.sum()
}
