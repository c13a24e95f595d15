//! A folder that goes with its handle.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::files::Files;

/// A folder of its own below the system's folder for temporary files; removed, with everything in it, on drop.
pub struct TempFolder {
    files: Arc<dyn Files>,
    path: PathBuf,
}

impl TempFolder {
    /// Creates one whose name begins with `millrace-` and `purpose`.
    ///
    /// # Errors
    /// If the folder for temporary files cannot be written.
    pub fn new(files: &Arc<dyn Files>, purpose: &str) -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let root = files.temp_root();
        loop {
            let n = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = root.join(format!("millrace-{purpose}-{}-{n}", std::process::id()));
            // one that is left over from a process of the same id belongs to nobody, but is not ours either
            if files.metadata(&path).is_err() {
                files.create_folder(&path)?;
                return Ok(TempFolder { files: Arc::clone(files), path });
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        // nobody is left to tell; the system cleans its temporary folder in time
        let _ = self.files.remove_folder(&self.path);
    }
}

impl std::fmt::Debug for TempFolder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("TempFolder").field(&self.path).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_with_its_handle() {
        let files: Arc<dyn Files> = Arc::new(crate::real::RealFiles);
        let folder = TempFolder::new(&files, "test").unwrap();
        let path = folder.path().to_owned();
        files.create(&path.join("x")).unwrap();
        assert!(files.metadata(&path).is_ok());
        drop(folder);
        assert!(files.metadata(&path).is_err());
    }
}
