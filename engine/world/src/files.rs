//! What is stored: files and folders, by path.
//!
//! The surface is what the engine needs and no more: read from anywhere, write from the start, at the end or in place,
//! sync, rename, list. Symbolic links are followed.

use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// A file system.
///
/// # Contract
/// * A file that was opened for reading stays readable after its name was removed or given to another file.
/// * `rename` replaces its target at once: a reader of the name sees the old file or the new one, never neither.
/// * What was written is durable after [`WriteFile::sync`]; the name of a file that was created, renamed or removed is
///   durable after [`Files::sync_folder`] on its folder.
/// * A full disk is [`io::ErrorKind::StorageFull`].
pub trait Files: Send + Sync {
    /// What lies at `path`.
    ///
    /// # Errors
    /// If there is nothing, or it may not be looked at.
    fn metadata(&self, path: &Path) -> io::Result<Metadata>;

    /// What lies in the folder, in order of names; full paths (`path` joined with the name).
    ///
    /// # Errors
    /// If it is not a folder, or may not be read.
    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>>;

    /// The paths that match a pattern, in order. `*`, `?` and `[…]` match within a name, a name `**` any number of
    /// folders. A name that begins with a dot is matched only by a pattern that begins with a dot. Folders that may not
    /// be read match nothing; nothing that matches is an empty list.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] if the pattern has no meaning.
    fn glob(&self, pattern: &str) -> io::Result<Vec<PathBuf>> {
        crate::glob::glob(self, pattern)
    }

    /// Opens a file for reading. Not buffered.
    ///
    /// # Errors
    /// If it is not there or may not be read. A folder may open and fail when read: look at [`Files::metadata`] first.
    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadFile>>;

    /// Creates a file, or empties the one that is there. Not buffered.
    ///
    /// # Errors
    /// If the folder is not there or may not be written.
    fn create(&self, path: &Path) -> io::Result<Box<dyn WriteFile>>;

    /// Opens a file for writing at its end, and creates it when it is not there. Not buffered.
    ///
    /// # Errors
    /// As [`Files::create`].
    fn append(&self, path: &Path) -> io::Result<Box<dyn WriteFile>>;

    /// Opens a file that is there for writing in place: [`WriteFile::write_at`] and [`WriteFile::truncate`].
    ///
    /// # Errors
    /// If it is not there or may not be written.
    fn modify(&self, path: &Path) -> io::Result<Box<dyn WriteFile>>;

    /// The bytes of a small file.
    ///
    /// # Errors
    /// As [`Files::open`], or if a read fails.
    fn read_whole(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut bytes = vec![];
        self.open(path)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Creates or empties a file and gives it these bytes. Neither atomic nor durable: see [`crate::AtomicFile`].
    ///
    /// # Errors
    /// As [`Files::create`], or if a write fails.
    fn write_whole(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.create(path)?.write_all(bytes)
    }

    /// Creates a folder and those above it; one that is there is left as it is.
    ///
    /// # Errors
    /// If a file is in the way.
    fn create_folder(&self, path: &Path) -> io::Result<()>;

    /// Gives a file the name `to`, in the same file system.
    ///
    /// # Errors
    /// If `from` is not there.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// If it is not there.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Removes a folder with everything in it.
    ///
    /// # Errors
    /// If it is not there.
    fn remove_folder(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a folder durable.
    ///
    /// # Errors
    /// If the disk refuses; what is on it is then unknown.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;

    /// The folder for what need not outlive the process.
    fn temp_root(&self) -> PathBuf;
}

/// An open file to read from.
pub trait ReadFile: Read + Seek + Send + Sync {
    /// What the open file is now, whatever its name stands for since.
    ///
    /// # Errors
    /// If the system cannot say.
    fn metadata(&self) -> io::Result<Metadata>;

    /// Reads from byte `at` on, wherever the file's own position is; fewer bytes than asked for are no error, none are
    /// the end.
    ///
    /// # Errors
    /// If the disk fails.
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize>;
}

/// An open file to write to.
///
/// # Contract
/// `sync`, `write_at` and `truncate` may be called from several threads; a sync covers what was written before it began.
pub trait WriteFile: Write + Send + Sync {
    /// Makes everything written, and the length of the file, durable.
    ///
    /// # Errors
    /// If the disk refuses; what is on it is then unknown, and trying again proves nothing: what could not be written
    /// counts as written from then on, although it can still be read.
    fn sync(&self) -> io::Result<()>;

    /// Writes in place from byte `at` on; fewer bytes than asked for are no error. Not for a file from
    /// [`Files::append`], which writes at its end.
    ///
    /// # Errors
    /// If the disk refuses.
    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<usize>;

    /// Makes the file this long: what is behind goes, what is missing is zero.
    ///
    /// # Errors
    /// If the disk refuses.
    fn truncate(&self, len: u64) -> io::Result<()>;

    /// As [`WriteFile::write_at`], until all is written.
    ///
    /// # Errors
    /// If the disk refuses; a part may have been written.
    fn write_all_at(&self, mut bytes: &[u8], mut at: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.write_at(bytes, at) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => {
                    bytes = &bytes[n..];
                    at += n as u64;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }
}

/// What lies at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// File, folder or something else.
    pub kind: FileKind,
    /// Bytes.
    pub len: u64,
    /// When its content was last changed, epoch ms.
    pub modified_ms: i64,
    /// The same as long as the name stands for the same file: another number means that it was replaced.
    pub identity: u64,
}

/// What a path stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// Bytes.
    File,
    /// Names.
    Folder,
    /// A pipe, a device, a socket.
    Other,
}
