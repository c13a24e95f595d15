//! A file that is there whole or not at all.
//!
//! Bytes go to a hidden file beside the target; [`AtomicFile::commit`] syncs it, gives it the target's name and syncs
//! the folder. Without a commit (an error, a full disk, a panic) the hidden file is removed and the target is what it
//! was. After a crash a hidden file may be left over; nobody reads it.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::files::{Files, WriteFile};

/// See the module.
pub struct AtomicFile {
    files: Arc<dyn Files>,
    target: PathBuf,
    beside: PathBuf,
    /// `None` once committed.
    file: Option<Box<dyn WriteFile>>,
}

impl AtomicFile {
    /// Begins a file that will be called `target`. Not buffered.
    ///
    /// # Errors
    /// If `target` names no file, or its folder cannot be written.
    pub fn create(files: &Arc<dyn Files>, target: &Path) -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let Some(name) = target.file_name() else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path has no file name"));
        };
        let unique = format!(".{}-{}.part", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(unique);
        let beside = target.with_file_name(hidden);
        let file = files.create(&beside)?;
        Ok(AtomicFile { files: Arc::clone(files), target: target.to_owned(), beside, file: Some(file) })
    }

    /// The name that it will have.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Makes the content durable and gives it its name.
    ///
    /// # Errors
    /// If the disk refuses; the target is then what it was.
    pub fn commit(mut self) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            file.flush()?;
            file.sync()?;
        }
        self.files.rename(&self.beside, &self.target)?;
        self.file = None;
        let folder = self.target.parent().filter(|p| !p.as_os_str().is_empty());
        self.files.sync_folder(folder.unwrap_or(Path::new(".")))
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_mut().map_or(Ok(0), |f| f.write(bytes))
    }
    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), |f| f.flush())
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // the target was never touched: whether the leftover goes changes nothing for a reader
            let _ = self.files.remove(&self.beside);
        }
    }
}

impl std::fmt::Debug for AtomicFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AtomicFile").field("target", &self.target).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SimulatedWorld;

    #[test]
    fn the_name_appears_with_the_commit() {
        let world = SimulatedWorld::new(0);
        let files: Arc<dyn Files> = Arc::<crate::simulated::MemoryFiles>::clone(world.files());
        world.files().write("/out.json", b"old");
        let mut file = AtomicFile::create(&files, Path::new("/out.json")).unwrap();
        file.write_all(b"new").unwrap();
        assert_eq!(world.files().read("/out.json").unwrap(), b"old");
        file.commit().unwrap();
        assert_eq!(world.files().read("/out.json").unwrap(), b"new");
        assert_eq!(world.files().paths(), [PathBuf::from("/out.json")]);
    }

    #[test]
    fn without_a_commit_nothing_is_left() {
        let world = SimulatedWorld::new(0);
        let files: Arc<dyn Files> = Arc::<crate::simulated::MemoryFiles>::clone(world.files());
        world.files().set_disk_bytes_max(Some(4));
        let mut file = AtomicFile::create(&files, Path::new("/out.json")).unwrap();
        let error = file.write_all(b"too much").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        drop(file);
        assert!(world.files().paths().is_empty());
    }

    #[test]
    fn a_failed_sync_leaves_the_old_file() {
        let world = SimulatedWorld::new(0);
        let files: Arc<dyn Files> = Arc::<crate::simulated::MemoryFiles>::clone(world.files());
        world.files().write("/out.json", b"old");
        world.files().fail_sync(io::ErrorKind::Other);
        let mut file = AtomicFile::create(&files, Path::new("/out.json")).unwrap();
        file.write_all(b"new").unwrap();
        assert!(file.commit().is_err());
        assert_eq!(world.files().read("/out.json").unwrap(), b"old");
        assert_eq!(world.files().paths(), [PathBuf::from("/out.json")]);
    }

    #[test]
    fn on_the_real_disk_too() {
        let files: Arc<dyn Files> = Arc::new(crate::real::RealFiles);
        let folder = crate::TempFolder::new(&files, "atomic").unwrap();
        let target = folder.path().join("out.txt");
        let mut file = AtomicFile::create(&files, &target).unwrap();
        file.write_all(b"whole").unwrap();
        assert!(files.metadata(&target).is_err());
        file.commit().unwrap();
        assert_eq!(files.read_whole(&target).unwrap(), b"whole");
        assert_eq!(files.list(folder.path()).unwrap(), [target]);
    }
}
