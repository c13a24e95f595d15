//! The operating system's files.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::clock::epoch_ms;
use crate::{FileKind, Files, Metadata, ReadFile, WriteFile};

/// Files of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealFiles;

struct RealFile(fs::File);

impl Files for RealFiles {
    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        fs::metadata(path).map(|m| metadata_of(&m))
    }
    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        let mut paths = fs::read_dir(path)?.map(|e| e.map(|e| e.path())).collect::<io::Result<Vec<_>>>()?;
        paths.sort_unstable();
        Ok(paths)
    }
    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadFile>> {
        Ok(Box::new(RealFile(fs::File::open(path)?)))
    }
    fn create(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        Ok(Box::new(RealFile(fs::File::create(path)?)))
    }
    fn append(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        Ok(Box::new(RealFile(fs::OpenOptions::new().create(true).append(true).open(path)?)))
    }
    fn modify(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        Ok(Box::new(RealFile(fs::OpenOptions::new().write(true).open(path)?)))
    }
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }
    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)
    }
    #[cfg(unix)]
    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        fs::File::open(path)?.sync_all()
    }
    // folders cannot be opened there; the file system logs renames by itself
    #[cfg(not(unix))]
    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
    fn temp_root(&self) -> PathBuf {
        std::env::temp_dir()
    }
}

impl Read for RealFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Seek for RealFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

impl ReadFile for RealFile {
    fn metadata(&self) -> io::Result<Metadata> {
        self.0.metadata().map(|m| metadata_of(&m))
    }
    #[cfg(unix)]
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.0, buffer, at)
    }
    #[cfg(windows)]
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_read(&self.0, buffer, at)
    }
}

impl Write for RealFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl WriteFile for RealFile {
    // the length goes with the data; only times and rights would be missing, which nobody relies on
    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }
    #[cfg(unix)]
    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::write_at(&self.0, bytes, at)
    }
    #[cfg(windows)]
    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_write(&self.0, bytes, at)
    }
    fn truncate(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }
}

fn metadata_of(of: &fs::Metadata) -> Metadata {
    let kind = if of.is_file() {
        FileKind::File
    } else if of.is_dir() {
        FileKind::Folder
    } else {
        FileKind::Other
    };
    Metadata { kind, len: of.len(), modified_ms: of.modified().map_or(0, epoch_ms), identity: identity(of) }
}

#[cfg(unix)]
fn identity(of: &fs::Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;
    // inode numbers are unique per device; devices are few and small numbers
    of.ino() ^ of.dev().rotate_left(48)
}

#[cfg(not(unix))]
fn identity(of: &fs::Metadata) -> u64 {
    of.created().map_or(0, epoch_ms) as u64
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::TempFolder;

    #[test]
    fn append_grows_and_replacing_changes_the_identity() {
        let files: Arc<dyn Files> = Arc::new(RealFiles);
        let folder = TempFolder::new(&files, "files").unwrap();
        let (path, other) = (folder.path().join("a"), folder.path().join("b"));
        files.append(&path).unwrap().write_all(b"one").unwrap();
        let before = files.metadata(&path).unwrap();
        let mut open = files.open(&path).unwrap();
        files.append(&path).unwrap().write_all(b"two").unwrap();
        let after = files.metadata(&path).unwrap();
        assert_eq!((before.len, after.len, before.identity), (3, 6, after.identity));
        assert_eq!(after.kind, FileKind::File);

        files.create(&other).unwrap().write_all(b"!").unwrap();
        files.rename(&other, &path).unwrap();
        assert_ne!(files.metadata(&path).unwrap().identity, before.identity);
        // the open file is the old one
        let mut text = String::new();
        open.seek(SeekFrom::Start(1)).unwrap();
        open.read_to_string(&mut text).unwrap();
        assert_eq!((text.as_str(), open.metadata().unwrap().len), ("netwo", 6));
        assert_eq!(files.metadata(folder.path()).unwrap().kind, FileKind::Folder);
        assert_eq!(files.open(&other).err().map(|e| e.kind()), Some(io::ErrorKind::NotFound));
    }

    #[test]
    fn in_place_writes_and_reads_have_no_position() {
        let files: Arc<dyn Files> = Arc::new(RealFiles);
        let folder = TempFolder::new(&files, "in-place").unwrap();
        let path = folder.path().join("a");
        assert_eq!(files.modify(&path).err().map(|e| e.kind()), Some(io::ErrorKind::NotFound));
        files.write_whole(&path, b"0123456789").unwrap();
        let file = files.modify(&path).unwrap();
        file.write_all_at(b"ab", 8).unwrap();
        file.write_all_at(b"cd", 2).unwrap();
        file.truncate(9).unwrap();
        file.sync().unwrap();
        let open = files.open(&path).unwrap();
        let mut bytes = [0; 16];
        assert_eq!(open.read_at(&mut bytes, 1).unwrap(), 8);
        assert_eq!(&bytes[..8], b"1cd4567a");
        assert_eq!(open.read_at(&mut bytes, 9).unwrap(), 0);
    }
}
